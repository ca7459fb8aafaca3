/*
 * rule_states: counts and ceilings. A ceiling is a counter that is raised only while it is below; where there is none the
 * counter is raised by one addition.
 */
#include "core/rule_states.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An odd constant whose multiples differ in all bits (2^64 divided by the golden ratio). */
#define KEY_SPREAD UINT64_C(0x9e3779b97f4a7c15)

static void common_unref(struct rule_common *common)
{
	if (!common || atomic_fetch_sub_explicit(&common->references, 1, memory_order_acq_rel) != 1)
		return;
	keytable_free(common->keys);
	limiter_free(common->limiter);
	free(common);
}

static struct rule_common *common_new(int64_t now_ns)
{
	struct rule_common *common = calloc(1, sizeof(*common));

	if (!common)
		return NULL;
	atomic_init(&common->references, 1);
	atomic_init(&common->epoch_ns, now_ns);
	common->keys = keytable_new(KEYTABLE_KEYS_DEFAULT);
	common->limiter = limiter_new(LIMITER_KEYS_MAX);
	if (common->keys && common->limiter)
		return common;
	common_unref(common);
	return NULL;
}

/* Apart for two states of one name, and spread over the shards as hashes are. */
static uint64_t new_table_key(struct rule_common *common, const struct rule *r)
{
	uint64_t birth = atomic_fetch_add_explicit(&common->births, 1, memory_order_relaxed) + 1;

	return r->name_hash ^ birth * KEY_SPREAD;
}

static void state_unref(struct rule_state *state)
{
	if (!state || atomic_fetch_sub_explicit(&state->references, 1, memory_order_acq_rel) != 1)
		return;
	free(state->chosen);
	free(state);
}

/* Choices are numbered from 1 (rule_faults). */
static unsigned count_choices(const struct rule *r)
{
	return MAX(r->n_outcomes, r->n_sequence);
}

static struct rule_state *state_new(struct rule_common *common, const struct rule *r, int64_t now_ns)
{
	struct rule_state *state = aligned_alloc(_Alignof(struct rule_state), sizeof(*state));

	if (!state)
		return NULL;
	memset(state, 0, sizeof(*state));
	state->n_choices = count_choices(r);
	if (state->n_choices) {
		state->chosen = calloc(state->n_choices + 1U, sizeof(*state->chosen));
		if (!state->chosen) {
			free(state);
			return NULL;
		}
	}
	atomic_init(&state->references, 1);
	atomic_init(&state->epoch_ns, now_ns);
	atomic_init(&state->table_key, new_table_key(common, r));
	return state;
}

/* With common set. */
static int init_states(struct rule_states *s, const struct ruleset *set, int64_t now_ns)
{
	if (!s->v)
		s->v = calloc(MAX(set->n, 1u), sizeof(struct rule_state *));
	if (!s->v || !s->common) {
		rule_states_deinit(s);
		return -ENOMEM;
	}
	s->n = set->n;
	for (unsigned i = 0; i < s->n; i++) {
		if (!s->v[i])
			s->v[i] = state_new(s->common, &set->v[i], now_ns);
		if (!s->v[i]) {
			rule_states_deinit(s);
			return -ENOMEM;
		}
	}
	return 0;
}

int rule_states_init(struct rule_states *s, const struct ruleset *set, int64_t now_ns)
{
	*s = (struct rule_states){ .common = common_new(now_ns) };
	return init_states(s, set, now_ns);
}

/* Names are unique in a set, and files of many rules are rare: looked for near its old place first. */
static struct rule_state *find_state(const struct rule *r, unsigned near, const struct rule_states *old,
	const struct ruleset *old_set)
{
	for (unsigned i = 0; i < old_set->n; i++) {
		unsigned at = (near + i) % old_set->n;
		const struct rule *other = &old_set->v[at];

		if (r->name_hash == other->name_hash && r->state_hash == other->state_hash && span_eq(r->name, other->name))
			return old->v[at];
	}
	return NULL;
}

int rule_states_init_from(struct rule_states *s, const struct ruleset *set, const struct rule_states *old,
	const struct ruleset *old_set, int64_t now_ns)
{
	*s = (struct rule_states){ .common = old->common, .v = calloc(MAX(set->n, 1u), sizeof(struct rule_state *)) };
	atomic_fetch_add_explicit(&s->common->references, 1, memory_order_relaxed);
	for (unsigned i = 0; s->v && i < set->n; i++) {
		s->v[i] = find_state(&set->v[i], i, old, old_set);
		if (s->v[i])
			atomic_fetch_add_explicit(&s->v[i]->references, 1, memory_order_relaxed);
	}
	return s->v ? init_states(s, set, now_ns) : (rule_states_deinit(s), -ENOMEM);
}

void rule_states_deinit(struct rule_states *s)
{
	for (unsigned i = 0; s->v && i < s->n; i++)
		state_unref(s->v[i]);
	free(s->v);
	common_unref(s->common);
	*s = (struct rule_states){ 0 };
}

void rule_states_arm(struct rule_states *s, int64_t now_ns)
{
	atomic_store_explicit(&s->common->epoch_ns, now_ns, memory_order_relaxed);
	for (unsigned i = 0; i < s->n; i++) {
		struct rule_state *state = s->v[i];

		atomic_store_explicit(&state->epoch_ns, now_ns, memory_order_relaxed);
		atomic_store_explicit(&state->unarmed, atomic_load_explicit(&state->matched, memory_order_relaxed),
			memory_order_relaxed);
		atomic_store_explicit(&state->opened_ns, 0, memory_order_relaxed);
	}
}

int64_t rule_state_since(struct rule_state *state, const struct rule *r, uint64_t matched, int64_t now_ns)
{
	uint64_t first = r->schedule.start_after_requests;
	int64_t opened_ns = 0;

	if (LIKELY(first == 0))
		return now_ns - atomic_load_explicit(&state->epoch_ns, memory_order_relaxed);
	if (matched - atomic_load_explicit(&state->unarmed, memory_order_relaxed) <= first)
		return -1;
	/* Whoever comes first opens it, even where another has the lower number. */
	if (atomic_compare_exchange_strong_explicit(&state->opened_ns, &opened_ns, now_ns, memory_order_relaxed,
		memory_order_relaxed))
		return 0;
	return MAX(now_ns - opened_ns, 0);
}

/* In one step: a place that another thread gives back between a load and a subtraction would take the count below 0. */
static void forget(_Atomic uint64_t *count)
{
	atomic_store_explicit(count, 0, memory_order_relaxed);
}

void rule_states_reset(struct rule_states *s)
{
	forget(&s->common->faults);
	for (unsigned i = 0; i < s->n; i++) {
		struct rule_state *state = s->v[i];
		uint64_t birth = atomic_fetch_add_explicit(&s->common->births, 1, memory_order_relaxed) + 1;

		forget(&state->matched);
		forget(&state->fired);
		forget(&state->dry);
		forget(&state->refused);
		forget(&state->early);
		atomic_store_explicit(&state->unarmed, 0, memory_order_relaxed);
		atomic_store_explicit(&state->opened_ns, 0, memory_order_relaxed);
		for (unsigned k = 1; k <= state->n_choices; k++)
			forget(&state->chosen[k]);
		atomic_fetch_xor_explicit(&state->table_key, birth * KEY_SPREAD, memory_order_relaxed);
	}
}

static void add_faults(uint32_t kinds, uint64_t n, uint64_t faults[FAULT_KIND_COUNT])
{
	for (unsigned i = 0; i < FAULT_KIND_COUNT; i++) {
		if (kinds & UINT32_C(1) << i)
			faults[i] += n;
	}
}

void rule_state_faults(const struct rule_state *state, const struct rule *r, uint64_t faults[FAULT_KIND_COUNT], uint32_t *kinds)
{
	*kinds = 0;
	memset(faults, 0, FAULT_KIND_COUNT * sizeof(*faults));
	for (unsigned choice = state->n_choices != 0; choice <= state->n_choices; choice++) {
		const _Atomic uint64_t *fired = choice ? &state->chosen[choice] : &state->fired;
		uint32_t of_set = rule_faults(r, choice)->kinds;

		*kinds |= of_set;
		add_faults(of_set, atomic_load_explicit(fired, memory_order_relaxed), faults);
	}
}

/* ---- ceilings ---------------------------------------------------------------------------------------------------- */

/* max 0: no ceiling. */
static bool raise_count(_Atomic uint64_t *count, uint64_t max)
{
	uint64_t now;

	if (max == 0) {
		atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
		return true;
	}
	now = atomic_load_explicit(count, memory_order_relaxed);
	while (now < max) {
		if (atomic_compare_exchange_weak_explicit(count, &now, now + 1, memory_order_relaxed, memory_order_relaxed))
			return true;
	}
	return false;
}

/* Not below 0: a reset may have taken what is given back here. */
static void lower_count(_Atomic uint64_t *count)
{
	uint64_t now = atomic_load_explicit(count, memory_order_relaxed);

	while (now && !atomic_compare_exchange_weak_explicit(count, &now, now - 1, memory_order_relaxed, memory_order_relaxed))
		;
}

static bool raise_gauge(_Atomic int64_t *gauge, int64_t max)
{
	int64_t now;

	if (max == 0) {
		atomic_fetch_add_explicit(gauge, 1, memory_order_relaxed);
		return true;
	}
	now = atomic_load_explicit(gauge, memory_order_relaxed);
	while (now < max) {
		if (atomic_compare_exchange_weak_explicit(gauge, &now, now + 1, memory_order_relaxed, memory_order_relaxed))
			return true;
	}
	return false;
}

bool rule_states_reserve(struct rule_states *s, unsigned rule, const struct rule *r, int64_t now_ns)
{
	struct rule_state *state = s->v[rule];
	struct rule_common *common = s->common;

	if (s->stop_after_ns &&
		now_ns - atomic_load_explicit(&common->epoch_ns, memory_order_relaxed) >= s->stop_after_ns)
		return false;
	if (!raise_gauge(&state->active, r->schedule.max_active))
		return false;
	if (!raise_gauge(&common->active, s->max_active))
		goto give_back_active;
	if (!raise_count(&state->fired, r->schedule.max_faults))
		goto give_back_active_of_all;
	if (!raise_count(&common->faults, s->max_faults))
		goto give_back_fired;
	return true;

give_back_fired:
	lower_count(&state->fired);
give_back_active_of_all:
	atomic_fetch_sub_explicit(&common->active, 1, memory_order_relaxed);
give_back_active:
	atomic_fetch_sub_explicit(&state->active, 1, memory_order_relaxed);
	return false;
}

void rule_states_release(struct rule_states *s, unsigned rule)
{
	atomic_fetch_sub_explicit(&s->v[rule]->active, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&s->common->active, 1, memory_order_relaxed);
}
