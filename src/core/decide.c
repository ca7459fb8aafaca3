/*
 * decide: walks the rules that match a request, counts, draws, and composes the faults of those that fire. Allocates
 * nothing and has no state of its own; what it writes are the caller's counts, with one atomic addition per rule that
 * does not fire.
 */
#include "core/decide.h"

#include "core/distribution.h"
#include "core/random.h"
#include "core/schedule.h"

/* ---- one rule ---------------------------------------------------------------------------------------------------- */

/*
 * The number, from 1, of this occurrence among those that after, every and first leave to be considered; 0 where they
 * leave it out. A function of the occurrence alone, so that no order of arrival can change it.
 */
static uint64_t considered_number(const struct rule *r, uint64_t occurrence)
{
	uint64_t m;

	if (occurrence <= r->after)
		return 0;
	m = occurrence - r->after;
	if (r->every > 1) {
		if (m % r->every != 0)
			return 0;
		m /= r->every;
	}
	return r->first && m > r->first ? 0 : m;
}

/* number: see above; percentage: the rule's, or that of its ramp. */
static void draw_percentage(const struct ruleset *set, const struct rule *r, uint64_t number, uint32_t percentage,
	struct decision *d)
{
	if (percentage == RULE_PERCENTAGE_ALL) {
		d->threshold = UINT64_MAX;
	} else if (r->sampling == RULE_SAMPLING_EVEN) {
		uint64_t seed = random_word(set->seed, r->name_hash, d->key_hash, 0, RANDOM_WORD_EVEN);
		uint64_t block = (number - 1) / r->even_block;

		d->draw = random_permute(seed, block, (uint32_t)((number - 1) % r->even_block), r->even_block);
		d->threshold = percentage / (RULE_PERCENTAGE_ALL / r->even_block);
	} else {
		d->draw = random_word(set->seed, r->name_hash, d->key_hash, d->occurrence, RANDOM_WORD_DRAW);
		d->threshold = percentage == r->percentage ? r->threshold : random_threshold(percentage, RULE_PERCENTAGE_ALL);
	}
	if (d->threshold != UINT64_MAX && d->draw >= d->threshold)
		d->outcome = DECISION_NOT_DRAWN;
}

static void draw_outcome(const struct ruleset *set, const struct rule *r, struct decision *d)
{
	uint64_t word = random_word(set->seed, r->name_hash, d->key_hash, d->occurrence, RANDOM_WORD_DRAW);
	uint64_t below = 0;

	d->threshold = r->outcomes_total;
	d->draw = (uint64_t)(((__extension__ (unsigned __int128)word) * r->outcomes_total) >> 64);
	if (d->draw >= d->threshold) { /* only where all weights are 0 */
		d->outcome = DECISION_NOT_DRAWN;
		return;
	}
	do {
		below += r->outcomes[d->choice++].weight;
	} while (d->draw >= below);
}

static void take_turn(const struct rule *r, uint64_t number, struct decision *d)
{
	if (r->sequence_once && number > r->n_sequence)
		d->choice = (uint16_t)(r->n_sequence + 1);
	else
		d->choice = (uint16_t)((number - 1) % r->n_sequence + 1);
}

struct decision decide_draw(const struct ruleset *set, unsigned rule, uint64_t key_hash, uint64_t occurrence,
	int64_t since_ns)
{
	const struct rule *r = &set->v[rule];
	uint64_t number = considered_number(r, occurrence);
	uint32_t percentage = r->percentage;
	struct decision d = {
		.rule = (uint16_t)rule,
		.outcome = DECISION_FIRED,
		.phase = (uint8_t)r->phase,
		.key_hash = key_hash,
		.occurrence = occurrence,
		.threshold = r->threshold,
		.since_ns = since_ns,
	};

	if (number == 0) {
		d.outcome = DECISION_SKIPPED;
		return d;
	}
	if (UNLIKELY(r->has_schedule)) {
		int64_t into_ns;

		if (!schedule_is_open(&r->schedule, since_ns, &into_ns) ||
			(r->schedule.burst && !schedule_burst_is_bad(set->seed, r, key_hash, occurrence))) {
			d.outcome = DECISION_OUTSIDE;
			return d;
		}
		percentage = schedule_percentage(r, into_ns);
	}
	if (r->n_outcomes)
		draw_outcome(set, r, &d);
	else
		draw_percentage(set, r, number, percentage, &d);
	if (d.outcome == DECISION_FIRED && r->n_sequence)
		take_turn(r, number, &d);
	if (d.outcome == DECISION_FIRED && rule_faults(r, d.choice)->pass)
		d.outcome = DECISION_PASSED;
	return d;
}

/* ---- composing --------------------------------------------------------------------------------------------------- */

/* One walk over the rules. */
struct walk {
	const struct ruleset *set;
	struct rule_states *states;
	const struct facts *f;
	int64_t now_ns;
	int64_t told_until_ns; /* of the rule that refuses an early return */
	struct fault_plan *plan;
};

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t table_key(const struct walk *w, unsigned rule)
{
	return atomic_load_explicit(&w->states->v[rule]->table_key, memory_order_relaxed);
}

/* Who was told to wait longer than now is refused again, whatever the draw would be. */
static bool is_early(struct walk *w, const struct rule *r, struct decision *d)
{
	uint64_t told = decide_key_told_hash(w->set, r, d->key_hash, w->f);
	unsigned choice;

	w->told_until_ns = limiter_told(w->states->common->limiter, table_key(w, d->rule), told, w->now_ns, &choice);
	if (w->told_until_ns == 0)
		return false;
	d->outcome = DECISION_FIRED;
	d->draw = 0;
	d->threshold = UINT64_MAX;
	d->choice = (uint16_t)choice;
	d->early = true;
	return true;
}

static void count_and_draw(struct walk *w, unsigned i, struct decision *d)
{
	const struct rule *r = &w->set->v[i];
	struct rule_state *state = w->states->v[i];
	uint64_t occurrence = atomic_fetch_add_explicit(&state->matched, 1, memory_order_relaxed) + 1;
	int64_t since_ns = rule_state_since(state, r, occurrence, w->now_ns);
	uint64_t key_hash = 0;

	if (r->key != RULE_KEY_ORDINAL) {
		key_hash = decide_key_hash(w->set, r, w->f);
		occurrence = keytable_count(w->states->common->keys, table_key(w, i), key_hash);
	}
	if (UNLIKELY(r->has_enforce)) {
		*d = (struct decision){ .rule = (uint16_t)i, .phase = (uint8_t)r->phase, .key_hash = key_hash,
			.occurrence = occurrence, .since_ns = since_ns };
		if (is_early(w, r, d))
			return;
	}
	*d = decide_draw(w->set, i, key_hash, occurrence, since_ns);
}

static void plan_add_delay(struct walk *w, const struct fault_fired *fired)
{
	const struct fault_delay *delay = &fired->set->delay;
	/* So bounded that sums cannot overflow. */
	int64_t ns = distribution_draw(delay, decide_word(w->set, fired, RANDOM_WORD_DELAY));

	if (delay->at_body)
		w->plan->body_delay_ns += ns;
	else
		w->plan->delay_ns += ns;
	w->plan->delay_rule = fired->rule;
}

/* ---- waits that are told ----------------------------------------------------------------------------------------- */

static int64_t draw_hint(const struct walk *w, const struct fault_fired *fired, int64_t min_ns, int64_t max_ns)
{
	return MIN(random_between(decide_word(w->set, fired, RANDOM_WORD_HINT), min_ns, max_ns), LIMITER_WAIT_MAX_NS);
}

static int64_t hint_of_limit(const struct walk *w, const struct fault_fired *fired, const struct fault_limit *limit)
{
	if (limit->hint == LIMIT_HINT_NONE)
		return -1;
	if (limit->hint == LIMIT_HINT_RANGE)
		return w->plan->limit.retry_ns + draw_hint(w, fired, limit->hint_min_ns, limit->hint_max_ns);
	return w->plan->limit.retry_ns;
}

static int64_t hint_of_abort(const struct walk *w, const struct fault_fired *fired, const struct fault_retry_after *hint)
{
	if (hint->kind != RETRY_AFTER_SECONDS && hint->kind != RETRY_AFTER_DATE)
		return -1;
	return draw_hint(w, fired, hint->min_ns, hint->max_ns);
}

/* What the end's answer tells to wait; remembered where the wait is enforced. Seconds are told rounded up. */
static void plan_add_hint(struct walk *w, const struct fault_fired *fired, const struct decision *d)
{
	const struct fault_limit *limit = fired->set->limit;
	const struct fault_abort *abort = limit ? &limit->refusal : &fired->set->abort;
	bool is_date = limit ? limit->hint == LIMIT_HINT_DATE : abort->retry_after.kind == RETRY_AFTER_DATE;
	int64_t wait_ns;

	if (d->early) {
		w->plan->retry_after_ns = w->told_until_ns - w->now_ns;
		return;
	}
	if (abort->status)
		w->plan->retry_after_ns = limit ? hint_of_limit(w, fired, limit) : hint_of_abort(w, fired, &abort->retry_after);
	if (!abort->enforce || w->plan->retry_after_ns < 0)
		return;
	wait_ns = w->plan->retry_after_ns;
	if (!is_date)
		wait_ns = (wait_ns + NS_PER_S - 1) / NS_PER_S * NS_PER_S;
	limiter_tell(w->states->common->limiter, table_key(w, d->rule),
		decide_key_told_hash(w->set, fired->rule, fired->key_hash, w->f), w->now_ns + wait_ns, d->choice);
}

/* ---- quotas ------------------------------------------------------------------------------------------------------ */

/* Asks the quota, and remembers what is to be given back. A hold that does not fit makes the outcome REFUSED. */
static struct limit_verdict ask_quota(struct walk *w, const struct rule *r, const struct fault_limit *limit, struct decision *d)
{
	/* Quotas of several outcomes of a rule are apart. */
	struct limit_hold hold = { limit, table_key(w, d->rule) + d->choice, decide_key_limit_hash(w->set, limit, w->f) };
	struct limit_verdict v;

	if (!r->dry_run)
		w->plan->limit_key = hold.key_hash;
	if (d->early) {
		int64_t wait_ns = w->told_until_ns - w->now_ns;

		return (struct limit_verdict){ .refused = true, .limit = limit->limit, .reset_ns = wait_ns, .retry_ns = wait_ns };
	}
	if (limit->algorithm == LIMIT_CONCURRENCY && w->plan->n_held == LIMIT_HELD_MAX) {
		d->outcome = DECISION_REFUSED;
		return (struct limit_verdict){ 0 };
	}
	v = limiter_take(w->states->common->limiter, limit, hold.rule_hash, hold.key_hash, w->now_ns);
	if (!v.refused) {
		d->outcome = DECISION_PASSED;
		if (limit->algorithm == LIMIT_CONCURRENCY)
			w->plan->held[w->plan->n_held++] = hold;
	}
	return v;
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static void plan_add_fired(struct walk *w, const struct fault_set *faults, const struct decision *d)
{
	struct fault_plan *plan = w->plan;
	struct fault_fired *fired = &plan->fired[plan->n_fired];

	*fired = (struct fault_fired){ &w->set->v[d->rule], faults, d->key_hash, d->occurrence };
	plan->kinds |= faults->kinds;
	if (faults->delay.kind != DELAY_NONE)
		plan_add_delay(w, fired);
	if (fault_set_is_terminal(faults) || faults->limit) {
		plan->end = (int)plan->n_fired;
		plan_add_hint(w, fired, d);
	}
	plan->n_fired++;
	rule_state_count_choice(w->states->v[d->rule], d->choice);
	if (d->early)
		count(&w->states->v[d->rule]->early);
}

static void plan_clear(struct fault_plan *plan)
{
	/* Not the whole plan: its lists are long, and only the first so many of them mean anything. */
	plan->kinds = 0;
	plan->n_fired = 0;
	plan->end = -1;
	plan->delay_ns = 0;
	plan->body_delay_ns = 0;
	plan->delay_rule = NULL;
	plan->limit_rule = NULL;
	plan->quota = NULL;
	plan->n_held = 0;
	plan->retry_after_ns = -1;
	plan->n_decisions = 0;
	plan->n_decisions_lost = 0;
}

/* Where the next record goes; a spare one where the list is full. */
static struct decision *plan_record(struct fault_plan *plan, struct decision *spare)
{
	if (plan->n_decisions < DECISIONS_MAX)
		return &plan->decisions[plan->n_decisions++];
	plan->n_decisions_lost++;
	return spare;
}

static void plan_set_limit(struct fault_plan *plan, const struct rule *r, const struct fault_limit *quota,
	const struct limit_verdict *v)
{
	plan->limit = *v;
	plan->limit_rule = r;
	plan->quota = quota;
}

/* From what was drawn to what acts. */
static void plan_add(struct walk *w, struct decision *d)
{
	const struct rule *r = &w->set->v[d->rule];
	struct rule_state *state = w->states->v[d->rule];
	const struct fault_set *faults = rule_faults(r, d->choice);
	struct limit_verdict v = { 0 };

	if (faults->limit) {
		v = ask_quota(w, r, faults->limit, d);
		if (d->outcome == DECISION_PASSED && !r->dry_run)
			plan_set_limit(w->plan, r, faults->limit, &v);
		if (d->outcome == DECISION_PASSED)
			return;
	}
	if (d->outcome == DECISION_FIRED && r->dry_run) {
		d->outcome = DECISION_DRY_RUN;
		count(&state->dry);
	} else if (d->outcome == DECISION_REFUSED || w->plan->n_fired == FIRED_MAX ||
		   !rule_states_reserve(w->states, d->rule, r, w->now_ns)) {
		d->outcome = DECISION_REFUSED;
		count(&state->refused);
	} else {
		if (faults->limit)
			plan_set_limit(w->plan, r, faults->limit, &v);
		plan_add_fired(w, faults, d);
	}
}

void decide(const struct ruleset *set, struct rule_states *states, const struct facts *f, enum rule_phase phase, int64_t now_ns,
	struct pattern_scratch *scratch, struct fault_plan *plan)
{
	struct rule_cursor cursor;
	struct decision spare;
	struct walk w;
	bool asked_excludes = false;
	bool ended = false;
	unsigned i;

	plan_clear(plan);
	if (!ruleset_has_phase(set, phase))
		return;
	w = (struct walk){ set, states, f, now_ns, 0, plan };
	ruleset_candidates(set, f->path, phase, &cursor);
	while (!ended && (i = rule_cursor_next(&cursor)) < set->n) {
		struct decision *d;

		if (!match_holds(&set->v[i].match, f, scratch))
			continue;
		/* Asked once, and only where something would happen: most requests match nothing. */
		if (!asked_excludes && ruleset_excludes(set, f->path, scratch))
			return;
		asked_excludes = true;
		d = plan_record(plan, &spare);
		count_and_draw(&w, i, d);
		ended = d->outcome == DECISION_PASSED && !set->v[i].dry_run;
		if (d->outcome == DECISION_FIRED) {
			plan_add(&w, d);
			ended = plan->end >= 0;
		}
	}
}

void decide_release(struct rule_states *states, unsigned rule)
{
	rule_states_release(states, rule);
}

void decide_release_limit(struct rule_states *states, const struct limit_hold *hold)
{
	limiter_release(states->common->limiter, hold->limit, hold->rule_hash, hold->key_hash);
}

uint64_t decide_word(const struct ruleset *set, const struct fault_fired *fired, uint32_t word)
{
	return random_word(set->seed, fired->rule->name_hash, fired->key_hash, fired->occurrence, word);
}
