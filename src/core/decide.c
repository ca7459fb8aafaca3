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

static struct decision count_and_draw(const struct ruleset *set, struct rule_states *states, const struct facts *f, unsigned i,
	int64_t since_ns)
{
	const struct rule *r = &set->v[i];
	uint64_t occurrence = atomic_fetch_add_explicit(&states->v[i].matched, 1, memory_order_relaxed) + 1;
	uint64_t key_hash = 0;

	if (r->key != RULE_KEY_ORDINAL) {
		key_hash = decide_key_hash(set, r, f);
		occurrence = keytable_count(states->keys, r->name_hash, key_hash);
	}
	return decide_draw(set, i, key_hash, occurrence, since_ns);
}

static void plan_add_record(struct fault_plan *plan, const struct decision *d)
{
	if (plan->n_decisions < DECISIONS_MAX)
		plan->decisions[plan->n_decisions++] = *d;
	else
		plan->n_decisions_lost++;
}

static void plan_add_delay(struct fault_plan *plan, const struct ruleset *set, const struct fault_fired *fired)
{
	const struct fault_delay *delay = &fired->set->delay;
	/* So bounded that sums cannot overflow. */
	int64_t ns = distribution_draw(delay, decide_word(set, fired, RANDOM_WORD_DELAY));

	if (delay->at_body)
		plan->body_delay_ns += ns;
	else
		plan->delay_ns += ns;
	plan->delay_rule = fired->rule;
}

/* What the end's answer tells to wait. */
static int64_t hint_draw(const struct ruleset *set, const struct fault_fired *fired)
{
	const struct fault_retry_after *hint = &fired->set->abort.retry_after;

	if (hint->kind != RETRY_AFTER_SECONDS && hint->kind != RETRY_AFTER_DATE)
		return -1;
	return random_between(decide_word(set, fired, RANDOM_WORD_HINT), hint->min_ns, hint->max_ns);
}

static void plan_add_fired(struct fault_plan *plan, const struct ruleset *set, const struct fault_set *faults,
	const struct decision *d)
{
	struct fault_fired *fired = &plan->fired[plan->n_fired];

	*fired = (struct fault_fired){ &set->v[d->rule], faults, d->key_hash, d->occurrence };
	plan->kinds |= faults->kinds;
	if (faults->delay.kind != DELAY_NONE)
		plan_add_delay(plan, set, fired);
	if (fault_set_is_terminal(faults)) {
		plan->end = (int)plan->n_fired;
		plan->retry_after_ns = hint_draw(set, fired);
	}
	plan->n_fired++;
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
	plan->retry_after_ns = -1;
	plan->n_decisions = 0;
	plan->n_decisions_lost = 0;
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* From what was drawn to what acts. Returns whether the list ends here. */
static bool plan_add(struct fault_plan *plan, const struct ruleset *set, struct rule_states *states, struct decision *d)
{
	const struct rule *r = &set->v[d->rule];
	struct rule_state *state = &states->v[d->rule];

	if (d->outcome == DECISION_PASSED)
		return !r->dry_run;
	if (d->outcome != DECISION_FIRED)
		return false;
	if (r->dry_run) {
		d->outcome = DECISION_DRY_RUN;
		count(&state->dry);
	} else if (plan->n_fired == FIRED_MAX || !rule_states_reserve(states, d->rule, r, d->since_ns)) {
		d->outcome = DECISION_REFUSED;
		count(&state->refused);
	} else {
		plan_add_fired(plan, set, rule_faults(r, d->choice), d);
	}
	return plan->end >= 0;
}

void decide(const struct ruleset *set, struct rule_states *states, const struct facts *f, enum rule_phase phase, int64_t now_ns,
	struct pattern_scratch *scratch, struct fault_plan *plan)
{
	struct rule_cursor cursor;
	bool asked_excludes = false;
	bool ended = false;
	unsigned i;

	plan_clear(plan);
	if (!ruleset_has_phase(set, phase))
		return;
	ruleset_candidates(set, f->path, phase, &cursor);
	while (!ended && (i = rule_cursor_next(&cursor)) < set->n) {
		struct decision d;

		if (!match_holds(&set->v[i].match, f, scratch))
			continue;
		/* Asked once, and only where something would happen: most requests match nothing. */
		if (!asked_excludes && ruleset_excludes(set, f->path, scratch))
			return;
		asked_excludes = true;
		d = count_and_draw(set, states, f, i, now_ns - atomic_load_explicit(&states->epoch_ns, memory_order_relaxed));
		ended = plan_add(plan, set, states, &d);
		plan_add_record(plan, &d);
	}
}

void decide_release(struct rule_states *states, unsigned rule)
{
	rule_states_release(states, rule);
}

uint64_t decide_word(const struct ruleset *set, const struct fault_fired *fired, uint32_t word)
{
	return random_word(set->seed, fired->rule->name_hash, fired->key_hash, fired->occurrence, word);
}
