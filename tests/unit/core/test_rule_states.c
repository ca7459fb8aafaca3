/*
 * Ceilings: never exceeded, whoever asks at the same time, and given back when a fault ends. Dry runs take no place.
 */
#include "core/rule_states.h"

#include <pthread.h>
#include <sched.h>

#include "fake.h"

Test(rule_states, max_faults_is_exact)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");

	b.rule->schedule.max_faults = 3;
	fake_seal(&b);
	cr_assert_str_eq(fake_outcomes(&b, &f, 6), "FFFRRR");
	cr_assert_eq(b.states.v[0]->fired, 3);
	cr_assert_eq(b.states.v[0]->refused, 3);
	cr_assert_eq(b.states.v[0]->active, 3);
	decide_release(&b.states, 0);
	cr_assert_str_eq(fake_outcomes(&b, &f, 1), "R", "what has fired has fired");
	cr_assert_eq(b.states.v[0]->active, 2);
	fake_close(&b);
}

Test(rule_states, max_active_is_given_back)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");

	b.rule->schedule.max_active = 2;
	fake_seal(&b);
	cr_assert_str_eq(fake_outcomes(&b, &f, 4), "FFRR");
	decide_release(&b.states, 0);
	cr_assert_str_eq(fake_outcomes(&b, &f, 2), "FR");
	decide_release(&b.states, 0);
	decide_release(&b.states, 0);
	cr_assert_eq(b.states.v[0]->active, 0);
	cr_assert_eq(b.states.common->active, 0);
	cr_assert_eq(b.states.v[0]->fired, 3);
	fake_close(&b);
}

Test(rule_states, ceilings_of_all_rules)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	fake_seal(&b);
	b.states.max_active = 3;
	b.states.max_faults = 5;
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_fired, 2);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_fired, 1);
	cr_assert_eq(plan.decisions[1].outcome, DECISION_REFUSED);
	cr_assert_eq(b.states.v[1]->active, 1, "the rule's own place was given back");
	cr_assert_eq(b.states.v[1]->fired, 1);
	decide_release(&b.states, 0);
	decide_release(&b.states, 0);
	decide_release(&b.states, 1);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_fired, 2);
	plan = fake_ask(&b, &f);
	cr_assert_eq(plan.n_fired, 0, "five have fired");
	cr_assert_eq(b.states.common->faults, 5);
	cr_assert_eq(b.states.common->active, 2);
	fake_close(&b);
}

Test(rule_states, a_refused_rule_does_not_end_the_list)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].faults.abort.status = 503;
	set.v[0].schedule.max_faults = 1;
	set.v[1].faults.abort.status = 429;
	fake_seal(&b);
	plan = fake_ask(&b, &f);
	cr_assert_eq(fake_end(&plan), &b.set.v[0]);
	plan = fake_ask(&b, &f);
	cr_assert_eq(fake_end(&plan), &b.set.v[1]);
	fake_close(&b);
}

Test(rule_states, nothing_fires_after_the_stop)
{
	struct fake_bench b = fake_open(1);
	struct facts f = fake_facts("/");

	fake_seal(&b);
	rule_states_arm(&b.states, 1000);
	b.states.stop_after_ns = 500;
	cr_assert_eq(fake_ask_at(&b, &f, 1499).decisions[0].outcome, DECISION_FIRED);
	cr_assert_eq(fake_ask_at(&b, &f, 1500).decisions[0].outcome, DECISION_REFUSED);
	fake_close(&b);
}

Test(rule_states, a_dry_run_counts_and_takes_no_place)
{
	struct ruleset set = fake_ruleset(2, 1);
	struct fake_bench b = { .set = set, .rule = set.v };
	struct facts f = fake_facts("/");
	struct fault_plan plan;

	set.v[0].faults.abort.status = 503;
	set.v[0].dry_run = true;
	set.v[0].schedule.max_faults = 1;
	set.v[1].faults.abort.status = 429;
	fake_seal(&b);
	for (unsigned i = 0; i < 3; i++) {
		plan = fake_ask(&b, &f);
		cr_assert_eq(plan.decisions[0].outcome, DECISION_DRY_RUN);
		cr_assert_eq(fake_end(&plan), &b.set.v[1]);
		cr_assert_eq(plan.n_fired, 1);
	}
	cr_assert_eq(b.states.v[0]->dry, 3);
	cr_assert_eq(b.states.v[0]->fired, 0);
	cr_assert_eq(b.states.v[0]->active, 0);
	cr_assert_eq(b.states.common->active, 3);
	fake_close(&b);
}

/* ---- threads ------------------------------------------------------------------------------------------------------- */

#define THREADS 4
#define PER_THREAD 50000

struct taker {
	struct fake_bench *bench;
	_Atomic int64_t *held;
	_Atomic int64_t *highest;
	unsigned taken;
};

static void *take_and_release(void *arg)
{
	struct taker *t = arg;

	for (unsigned i = 0; i < PER_THREAD; i++) {
		int64_t held, highest;

		if (!rule_states_reserve(&t->bench->states, 0, t->bench->rule, 0))
			continue;
		t->taken++;
		held = atomic_fetch_add(t->held, 1) + 1;
		highest = atomic_load(t->highest);
		while (held > highest && !atomic_compare_exchange_weak(t->highest, &highest, held))
			;
		if (i % 16 == 0)
			(void)sched_yield();
		atomic_fetch_sub(t->held, 1);
		rule_states_release(&t->bench->states, 0);
	}
	return NULL;
}

static unsigned run_threads(struct fake_bench *b, int64_t *highest_seen)
{
	_Atomic int64_t held = 0, highest = 0;
	struct taker takers[THREADS];
	pthread_t threads[THREADS];
	unsigned taken = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){ .bench = b, .held = &held, .highest = &highest };
		cr_assert_eq(pthread_create(&threads[i], NULL, take_and_release, &takers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		taken += takers[i].taken;
	}
	*highest_seen = highest;
	return taken;
}

Test(rule_states, threads_never_exceed_max_active)
{
	struct fake_bench b = fake_open(1);
	int64_t highest;

	b.rule->schedule.max_active = 2;
	fake_seal(&b);
	cr_assert_gt(run_threads(&b, &highest), 0);
	cr_assert_leq(highest, 2);
	cr_assert_eq(b.states.v[0]->active, 0);
	cr_assert_eq(b.states.common->active, 0);
	fake_close(&b);
}

Test(rule_states, threads_never_exceed_max_faults)
{
	struct fake_bench b = fake_open(1);
	int64_t highest;

	b.rule->schedule.max_faults = 12345;
	fake_seal(&b);
	cr_assert_eq(run_threads(&b, &highest), 12345);
	cr_assert_eq(b.states.v[0]->fired, 12345);
	fake_close(&b);

	b = fake_open(1);
	fake_seal(&b);
	b.states.max_faults = 4321;
	cr_assert_eq(run_threads(&b, &highest), 4321);
	cr_assert_eq(b.states.common->faults, 4321);
	cr_assert_eq(b.states.v[0]->fired, 4321);
	fake_close(&b);
}

/* A place that is given back in the middle of a reset was not counted any more: the count must not fall below 0. */
Test(rule_states, a_reset_among_places_given_back_leaves_no_more_than_was_taken)
{
	struct fake_bench b = fake_open(1);
	_Atomic int64_t held = 0, highest = 0;
	struct taker takers[THREADS];
	pthread_t threads[THREADS];
	uint64_t most = 0;

	b.rule->schedule.max_faults = UINT64_MAX / 2;
	fake_seal(&b);
	b.states.max_faults = 1;
	for (unsigned i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){ .bench = &b, .held = &held, .highest = &highest };
		cr_assert_eq(pthread_create(&threads[i], NULL, take_and_release, &takers[i]), 0);
	}
	for (unsigned i = 0; i < PER_THREAD; i++) {
		rule_states_reset(&b.states);
		most = MAX(most, atomic_load(&b.states.v[0]->fired));
	}
	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	cr_assert_leq(most, PER_THREAD * THREADS);
	fake_close(&b);
}
