/*
 * rule_states: counts and ceilings. A ceiling is a counter that is raised only while it is below; where there is none the
 * counter is raised by one addition.
 */
#include "core/rule_states.h"

#include <errno.h>
#include <stdlib.h>

int rule_states_init(struct rule_states *s, const struct ruleset *set)
{
	size_t bytes = MAX(set->n, 1u) * sizeof(*s->v);

	*s = (struct rule_states){ .n = set->n };
	s->v = aligned_alloc(_Alignof(struct rule_state), bytes);
	s->keys = keytable_new(KEYTABLE_KEYS_DEFAULT);
	s->limiter = limiter_new(LIMITER_KEYS_MAX);
	if (!s->v || !s->keys || !s->limiter) {
		rule_states_deinit(s);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < s->n; i++) {
		atomic_init(&s->v[i].matched, 0);
		atomic_init(&s->v[i].fired, 0);
		atomic_init(&s->v[i].dry, 0);
		atomic_init(&s->v[i].refused, 0);
		atomic_init(&s->v[i].early, 0);
		atomic_init(&s->v[i].active, 0);
	}
	return 0;
}

void rule_states_deinit(struct rule_states *s)
{
	free(s->v);
	keytable_free(s->keys);
	limiter_free(s->limiter);
	*s = (struct rule_states){ 0 };
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

bool rule_states_reserve(struct rule_states *s, unsigned rule, const struct rule *r, int64_t since_ns)
{
	struct rule_state *state = &s->v[rule];

	if (s->stop_after_ns && since_ns >= s->stop_after_ns)
		return false;
	if (!raise_gauge(&state->active, r->schedule.max_active))
		return false;
	if (!raise_gauge(&s->active, s->max_active))
		goto give_back_active;
	if (!raise_count(&state->fired, r->schedule.max_faults))
		goto give_back_active_of_all;
	if (!raise_count(&s->faults, s->max_faults))
		goto give_back_fired;
	return true;

give_back_fired:
	atomic_fetch_sub_explicit(&state->fired, 1, memory_order_relaxed);
give_back_active_of_all:
	atomic_fetch_sub_explicit(&s->active, 1, memory_order_relaxed);
give_back_active:
	atomic_fetch_sub_explicit(&state->active, 1, memory_order_relaxed);
	return false;
}

void rule_states_release(struct rule_states *s, unsigned rule)
{
	atomic_fetch_sub_explicit(&s->v[rule].active, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&s->active, 1, memory_order_relaxed);
}
