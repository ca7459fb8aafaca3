/*
 * Quotas: each algorithm by hand-reckoned times, against a log of what passed, and from many threads; memory is bounded.
 */
#include "core/limiter.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/random.h"

/* What n requests at one time get: P or R. */
static const char *takes(struct limiter *l, const struct fault_limit *spec, uint64_t key, int64_t now_ns, unsigned n)
{
	static char text[64];

	for (unsigned i = 0; i < n; i++)
		text[i] = limiter_take(l, spec, 1, key, now_ns).refused ? 'R' : 'P';
	text[n] = '\0';
	return text;
}

static void assert_verdict(struct limit_verdict v, bool refused, uint64_t remaining, int64_t reset_ns, int64_t retry_ns)
{
	cr_assert_eq(v.refused, refused);
	cr_assert_eq(v.remaining, remaining, "%lu remain, not %lu", v.remaining, remaining);
	cr_assert_eq(v.reset_ns, reset_ns, "reset in %ld, not %ld", v.reset_ns, reset_ns);
	cr_assert_eq(v.retry_ns, retry_ns, "retry in %ld, not %ld", v.retry_ns, retry_ns);
}

/* ---- token bucket -------------------------------------------------------------------------------------------------- */

Test(limiter, token_bucket_flows_in_evenly)
{
	const struct fault_limit spec = { .algorithm = LIMIT_TOKEN_BUCKET, .limit = 3, .window_ns = 1000 };
	struct limiter *l = limiter_new(100);

	assert_verdict(limiter_take(l, &spec, 1, 1, 5000), false, 2, 334, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 5000), false, 1, 667, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 5000), false, 0, 1000, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 5000), true, 0, 1000, 334);
	assert_verdict(limiter_take(l, &spec, 1, 1, 5333), true, 0, 667, 1);
	assert_verdict(limiter_take(l, &spec, 1, 1, 5334), false, 0, 1000, 0);
	cr_assert_str_eq(takes(l, &spec, 1, 6334, 5), "PPPRR");
	cr_assert_str_eq(takes(l, &spec, 2, 6334, 5), "PPPRR", "another key has its own");
	limiter_free(l);
}

Test(limiter, who_waits_as_told_passes)
{
	struct limiter *l = limiter_new(100);

	for (uint64_t limit = 1; limit < 50; limit++) {
		const struct fault_limit spec = { .algorithm = LIMIT_TOKEN_BUCKET, .limit = limit, .window_ns = NS_PER_S,
			.burst = 1 };
		int64_t now = 7;

		cr_assert_not(limiter_take(l, &spec, limit, 0, now).refused);
		for (unsigned i = 0; i < 20; i++) {
			struct limit_verdict v = limiter_take(l, &spec, limit, 0, now);

			cr_assert(v.refused);
			cr_assert(limiter_take(l, &spec, limit, 0, now + v.retry_ns - 1).refused);
			now += v.retry_ns;
			cr_assert_not(limiter_take(l, &spec, limit, 0, now).refused);
		}
	}
	limiter_free(l);
}

Test(limiter, no_token_is_lost_or_made_by_rounding)
{
	/* 7 per second and a request each nanosecond step that divides nothing: in 1,000 s exactly 7 + 7,000 pass. */
	const struct fault_limit spec = { .algorithm = LIMIT_TOKEN_BUCKET, .limit = 7, .window_ns = NS_PER_S };
	struct limiter *l = limiter_new(100);
	unsigned passed = 0;

	for (int64_t now = 0; now < 1000 * NS_PER_S; now += 999983)
		passed += !limiter_take(l, &spec, 1, 1, now).refused;
	passed += !limiter_take(l, &spec, 1, 1, 1000 * NS_PER_S).refused;
	cr_assert_eq(passed, 7 + 7000);
	limiter_free(l);
}

Test(limiter, burst_and_cost)
{
	const struct fault_limit small = { .algorithm = LIMIT_TOKEN_BUCKET, .limit = 100, .window_ns = 1000, .burst = 2 };
	const struct fault_limit dear = { .algorithm = LIMIT_TOKEN_BUCKET, .limit = 10, .window_ns = 1000, .cost = 4 };
	struct limiter *l = limiter_new(100);

	cr_assert_str_eq(takes(l, &small, 1, 0, 4), "PPRR");
	cr_assert_str_eq(takes(l, &small, 1, 10, 4), "PRRR", "one each 10 ns");
	cr_assert_str_eq(takes(l, &small, 1, 1000000, 4), "PPRR");
	cr_assert_str_eq(takes(l, &dear, 2, 0, 4), "PPRR");
	assert_verdict(limiter_take(l, &dear, 1, 2, 0), true, 2, 800, 200);
	limiter_free(l);
}

Test(limiter, who_costs_more_than_there_is_need_not_wait)
{
	static const enum limit_algorithm algorithms[] = { LIMIT_TOKEN_BUCKET, LIMIT_FIXED_WINDOW, LIMIT_SLIDING_WINDOW };
	struct limiter *l = limiter_new(100);

	for (unsigned i = 0; i < ARRAY_LEN(algorithms); i++) {
		const struct fault_limit never = { .algorithm = algorithms[i], .limit = 10, .window_ns = 1000, .cost = 11 };

		cr_expect(limiter_take(l, &never, i, 3, 0).refused, "%u", i);
		cr_expect_eq(limiter_take(l, &never, i, 3, 0).retry_ns, LIMITER_WAIT_MAX_NS, "%u", i);
	}
	limiter_free(l);
}

Test(limiter, the_largest_quotas_do_not_overflow)
{
	static const enum limit_algorithm algorithms[] = { LIMIT_TOKEN_BUCKET, LIMIT_FIXED_WINDOW, LIMIT_SLIDING_WINDOW,
		LIMIT_CONCURRENCY };
	struct limiter *l = limiter_new(100);

	for (unsigned i = 0; i < ARRAY_LEN(algorithms); i++) {
		const struct fault_limit spec = { .algorithm = algorithms[i], .limit = UINT64_MAX, .window_ns = INT64_MAX,
			.burst = UINT64_MAX, .cost = UINT64_MAX };

		cr_expect_not(limiter_take(l, &spec, i, 1, 0).refused, "%u", i);
		cr_expect(limiter_take(l, &spec, i, 1, INT64_MAX / 2).refused, "%u", i);
		/* Half a window has flowed back, less the ends of the ranges. */
		cr_expect_eq(limiter_take(l, &spec, i, 1, INT64_MAX / 2).remaining >> 32,
			algorithms[i] == LIMIT_TOKEN_BUCKET ? INT32_MAX : 0, "%u", i);
	}
	limiter_free(l);
}

/* ---- windows ------------------------------------------------------------------------------------------------------- */

Test(limiter, fixed_windows_begin_with_the_first_use)
{
	const struct fault_limit spec = { .algorithm = LIMIT_FIXED_WINDOW, .limit = 2, .window_ns = 100 };
	struct limiter *l = limiter_new(100);

	assert_verdict(limiter_take(l, &spec, 1, 1, 1050), false, 1, 100, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1149), false, 0, 1, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1149), true, 0, 1, 1);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1150), false, 1, 100, 0);
	cr_assert_str_eq(takes(l, &spec, 1, 1477, 3), "PPR");
	assert_verdict(limiter_take(l, &spec, 1, 1, 1477), true, 0, 73, 73);
	cr_assert_str_eq(takes(l, &spec, 1, 1400, 1), "R", "a time gone by opens no window");
	limiter_free(l);
}

Test(limiter, sliding_window_by_hand)
{
	const struct fault_limit spec = { .algorithm = LIMIT_SLIDING_WINDOW, .limit = 2, .window_ns = 100 };
	struct limiter *l = limiter_new(100);

	assert_verdict(limiter_take(l, &spec, 1, 1, 1000), false, 1, 100, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1060), false, 0, 100, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1099), true, 0, 61, 1);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1100), false, 0, 100, 0);
	assert_verdict(limiter_take(l, &spec, 1, 1, 1100), true, 0, 100, 60);
	assert_verdict(limiter_take(l, &spec, 1, 1, 900), true, 0, 100, 60);
	limiter_free(l);
}

/* At random times: never more than the limit in any window, and never a refusal without need. */
Test(limiter, sliding_window_is_exact)
{
	static const uint64_t costs[] = { 1, 3 };
	static int64_t passed[20000];

	for (unsigned c = 0; c < ARRAY_LEN(costs); c++) {
		const struct fault_limit spec = { .algorithm = LIMIT_SLIDING_WINDOW, .limit = 100, .window_ns = 10000,
			.cost = costs[c] };
		const unsigned max = (unsigned)(100 / costs[c]);
		struct limiter *l = limiter_new(100);
		unsigned n = 0;
		int64_t now = 0;

		for (uint64_t i = 0; i < 20000; i++) {
			bool want;

			now += random_between(random_word(3, 0, 0, i, 0), 0, i % 1000 < 500 ? 20 : 400);
			want = n >= max && now - passed[n - max] < 10000;
			cr_assert_eq(limiter_take(l, &spec, 1, 1, now).refused, want, "at %lu", i);
			if (!want)
				passed[n++] = now;
		}
		cr_assert(n > 1000 && n < 20000);
		limiter_free(l);
	}
}

/* ---- concurrency --------------------------------------------------------------------------------------------------- */

Test(limiter, concurrency_is_taken_until_released)
{
	const struct fault_limit spec = { .algorithm = LIMIT_CONCURRENCY, .limit = 2 };
	struct limiter *l = limiter_new(100);

	cr_assert_str_eq(takes(l, &spec, 1, 0, 3), "PPR");
	assert_verdict(limiter_take(l, &spec, 1, 1, 1000000), true, 0, 0, LIMITER_CONCURRENCY_WAIT_NS);
	limiter_release(l, &spec, 1, 1);
	cr_assert_str_eq(takes(l, &spec, 1, 0, 2), "PR");
	limiter_release(l, &spec, 1, 1);
	limiter_release(l, &spec, 1, 1);
	limiter_release(l, &spec, 1, 1);
	cr_assert_str_eq(takes(l, &spec, 1, 0, 3), "PPR", "what is given back too often makes no place");
	limiter_release(l, &spec, 1, 999);
	limiter_free(l);
}

Test(limiter, places_that_are_taken_are_not_forgotten)
{
	const struct fault_limit spec = { .algorithm = LIMIT_CONCURRENCY, .limit = 1 };
	struct limiter *l = limiter_new(64); /* one key per shard */
	unsigned taken = 0;

	for (uint64_t key = 0; key < 1000; key++)
		taken += !limiter_take(l, &spec, 1, random_word(1, 0, 0, key, 0), 0).refused;
	cr_assert_leq(taken, 64);
	cr_assert_gt(taken, 50);
	cr_assert_eq(limiter_evictions(l), 1000 - taken);
	for (uint64_t key = 0; key < 1000; key++)
		cr_assert(limiter_take(l, &spec, 1, random_word(1, 0, 0, key, 0), 0).refused);
	limiter_free(l);
}

/* ---- verdicts, keys, waits ----------------------------------------------------------------------------------------- */

Test(limiter, warns_from_a_share_on)
{
	const struct fault_limit spec = { .algorithm = LIMIT_FIXED_WINDOW, .limit = 5, .window_ns = 100, .warn_at = 80 };
	struct limiter *l = limiter_new(100);

	for (unsigned i = 1; i <= 5; i++)
		cr_assert_eq(limiter_take(l, &spec, 1, 1, 0).warn, i >= 4, "%u", i);
	limiter_free(l);
}

Test(limiter, no_limit_refuses_nothing)
{
	const struct fault_limit spec = { .limit = 0, .window_ns = 1 };
	struct limiter *l = limiter_new(100);

	cr_assert_str_eq(takes(l, &spec, 1, 0, 5), "PPPPP");
	limiter_free(l);
}

Test(limiter, rules_and_keys_are_apart)
{
	const struct fault_limit spec = { .algorithm = LIMIT_FIXED_WINDOW, .limit = 1, .window_ns = 100 };
	struct limiter *l = limiter_new(100);

	cr_assert_not(limiter_take(l, &spec, 1, 2, 0).refused);
	cr_assert_not(limiter_take(l, &spec, 2, 1, 0).refused);
	cr_assert_not(limiter_take(l, &spec, 1, 1, 0).refused);
	cr_assert(limiter_take(l, &spec, 1, 2, 0).refused);
	limiter_free(l);
}

Test(limiter, another_algorithm_begins_anew)
{
	struct fault_limit spec = { .algorithm = LIMIT_SLIDING_WINDOW, .limit = 1, .window_ns = 100 };
	struct limiter *l = limiter_new(100);

	cr_assert_str_eq(takes(l, &spec, 1, 0, 2), "PR");
	spec.algorithm = LIMIT_CONCURRENCY;
	cr_assert_str_eq(takes(l, &spec, 1, 0, 2), "PR");
	spec.algorithm = LIMIT_TOKEN_BUCKET;
	cr_assert_str_eq(takes(l, &spec, 1, 0, 2), "PR");
	limiter_free(l);
}

Test(limiter, the_key_used_longest_ago_is_forgotten)
{
	const struct fault_limit spec = { .algorithm = LIMIT_SLIDING_WINDOW, .limit = 1, .window_ns = INT64_MAX / 2 };
	struct limiter *l = limiter_new(1000);
	unsigned forgotten = 0;

	cr_assert_not(limiter_take(l, &spec, 1, 0, 0).refused);
	for (uint64_t key = 1; key <= 100000; key++) {
		uint64_t hash = random_word(1, 0, 0, key, 0);

		cr_assert_not(limiter_take(l, &spec, 1, hash, 0).refused);
		cr_assert(limiter_take(l, &spec, 1, 0, 0).refused, "a key in use stays");
	}
	for (uint64_t key = 100000; key > 99000; key--)
		forgotten += !limiter_take(l, &spec, 1, random_word(1, 0, 0, key, 0), 0).refused;
	cr_assert_lt(forgotten, 500);
	cr_assert_geq(limiter_evictions(l), 99000 - 64);
	limiter_free(l);
}

Test(limiter, stamps_of_all_keys_are_bounded)
{
	const struct fault_limit spec = { .algorithm = LIMIT_SLIDING_WINDOW, .limit = 70000, .window_ns = INT64_MAX / 2 };
	struct limiter *l = limiter_new(LIMITER_KEYS_MAX);
	unsigned passed[80] = { 0 };

	/* 80 rings of 131,072 stamps are more than there may be. */
	for (uint64_t key = 0; key < 80; key++) {
		for (unsigned i = 0; i < 70010; i++)
			passed[key] += !limiter_take(l, &spec, 1, random_word(1, 0, 0, key, 0), 0).refused;
		cr_assert_leq(passed[key], 70000);
	}
	cr_assert_eq(passed[0], 70000);
	cr_assert_gt(limiter_evictions(l), 0);
	limiter_free(l);
}

Test(limiter, waits_are_told_per_rule_and_key)
{
	const struct fault_limit spec = { .algorithm = LIMIT_FIXED_WINDOW, .limit = 1, .window_ns = 100 };
	struct limiter *l = limiter_new(100);
	unsigned choice = 9;

	cr_assert_eq(limiter_told(l, 1, 2, 0, &choice), 0);
	cr_assert_eq(choice, 0);
	cr_assert_not(limiter_take(l, &spec, 1, 2, 0).refused);
	limiter_tell(l, 1, 2, 500, 7);
	cr_assert_eq(limiter_told(l, 1, 2, 499, &choice), 500);
	cr_assert_eq(choice, 7);
	cr_assert_eq(limiter_told(l, 1, 2, 500, &choice), 0, "over");
	cr_assert_eq(limiter_told(l, 2, 1, 0, &choice), 0);
	limiter_tell(l, 1, 2, 900, 3);
	cr_assert_eq(limiter_told(l, 1, 2, 600, &choice), 900);
	cr_assert(limiter_take(l, &spec, 1, 2, 0).refused, "the quota of the same rule and key is another thing");
	limiter_free(l);
}

/* ---- threads ------------------------------------------------------------------------------------------------------- */

#define THREADS 4

struct taker {
	struct limiter *l;
	const struct fault_limit *spec;
	_Atomic int64_t *clock;
	_Atomic int64_t *held;
	_Atomic int64_t *highest;
	unsigned passed;
};

/* Time goes on for all. */
static void *take_quota(void *arg)
{
	struct taker *t = arg;

	for (unsigned i = 0; i < 10000; i++)
		t->passed += !limiter_take(t->l, t->spec, 1, 1, atomic_fetch_add(t->clock, 1)).refused;
	return NULL;
}

static void *take_places(void *arg)
{
	struct taker *t = arg;

	for (unsigned i = 0; i < 20000; i++) {
		int64_t held, highest;

		if (limiter_take(t->l, t->spec, 1, 1, 0).refused)
			continue;
		t->passed++;
		held = atomic_fetch_add(t->held, 1) + 1;
		highest = atomic_load(t->highest);
		while (held > highest && !atomic_compare_exchange_weak(t->highest, &highest, held))
			;
		if (i % 16 == 0)
			(void)sched_yield();
		atomic_fetch_sub(t->held, 1);
		limiter_release(t->l, t->spec, 1, 1);
	}
	return NULL;
}

static unsigned run(struct taker *takers, void *(*body)(void *arg))
{
	pthread_t threads[THREADS];
	unsigned passed = 0;

	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, body, &takers[i]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		passed += takers[i].passed;
	}
	return passed;
}

Test(limiter, threads_never_pass_one_more)
{
	static const enum limit_algorithm algorithms[] = { LIMIT_FIXED_WINDOW, LIMIT_SLIDING_WINDOW, LIMIT_TOKEN_BUCKET };

	for (unsigned a = 0; a < ARRAY_LEN(algorithms); a++) {
		/* A window that no thread leaves: all ask within it. */
		const struct fault_limit spec = { .algorithm = algorithms[a], .limit = 12345, .window_ns = NS_PER_S * 1000000 };
		struct limiter *l = limiter_new(100);
		struct taker takers[THREADS];
		_Atomic int64_t clock = 0;

		for (unsigned i = 0; i < THREADS; i++)
			takers[i] = (struct taker){ .l = l, .spec = &spec, .clock = &clock };
		cr_expect_eq(run(takers, take_quota), 12345, "algorithm %u", a);
		limiter_free(l);
	}
}

Test(limiter, threads_never_hold_one_more)
{
	const struct fault_limit spec = { .algorithm = LIMIT_CONCURRENCY, .limit = 2 };
	struct limiter *l = limiter_new(100);
	struct taker takers[THREADS];
	_Atomic int64_t held = 0, highest = 0;

	for (unsigned i = 0; i < THREADS; i++)
		takers[i] = (struct taker){ .l = l, .spec = &spec, .held = &held, .highest = &highest };
	cr_assert_gt(run(takers, take_places), 0);
	cr_assert_leq(highest, 2);
	cr_assert_eq(limiter_take(l, &spec, 1, 1, 0).remaining, 1, "all places came back");
	limiter_free(l);
}
