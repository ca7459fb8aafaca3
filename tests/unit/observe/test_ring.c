/*
 * ring: first in, first out, nothing lost or doubled, full and empty told right, also with both sides running.
 */
#include "observe/ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>

static bool put(struct ring *ring, uint64_t id)
{
	struct record *r = ring_begin(ring);

	if (!r)
		return false;
	r->id = id;
	ring_commit(ring);
	return true;
}

/* 0 where the ring is empty. */
static uint64_t take(struct ring *ring)
{
	const struct record *r = ring_peek(ring);
	uint64_t id = r ? r->id : 0;

	if (r)
		ring_release(ring);
	return id;
}

Test(ring, holds_the_power_of_two_above)
{
	static const struct {
		uint32_t asked;
		unsigned holds;
	} cases[] = { { 0, 1 }, { 1, 1 }, { 2, 2 }, { 3, 4 }, { 5, 8 }, { 64, 64 }, { 65, 128 } };

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct ring *ring = ring_new(cases[i].asked);
		unsigned n = 0;

		while (put(ring, n + 1))
			n++;
		cr_expect_eq(n, cases[i].holds, "%u asked: holds %u", cases[i].asked, n);
		for (unsigned k = 1; k <= n; k++)
			cr_expect_eq(take(ring), k);
		cr_expect_null(ring_peek(ring));
		ring_free(ring);
	}
}

Test(ring, goes_round)
{
	struct ring *ring = ring_new(4);
	uint64_t in = 0;
	uint64_t out = 0;

	for (unsigned round = 0; round < 100; round++) {
		for (unsigned k = 0; k < round % 5; k++)
			in += put(ring, in + 1);
		for (unsigned k = 0; k < round % 3; k++) {
			uint64_t id = take(ring);

			if (id) {
				cr_assert_eq(id, out + 1);
				out = id;
			}
		}
		cr_assert_leq(in - out, 4);
	}
	cr_expect_gt(out, 80);
	ring_free(ring);
}

Test(ring, a_peek_takes_nothing)
{
	struct ring *ring = ring_new(2);

	cr_assert(put(ring, 7));
	cr_expect_eq(ring_peek(ring)->id, 7);
	cr_expect_eq(ring_peek(ring)->id, 7);
	ring_release(ring);
	cr_expect_null(ring_peek(ring));
	ring_free(ring);
}

/* Begun twice without a commit: the same place, and nothing is visible. */
Test(ring, a_begin_shows_nothing)
{
	struct ring *ring = ring_new(2);

	cr_expect_eq(ring_begin(ring), ring_begin(ring));
	cr_expect_null(ring_peek(ring));
	ring_free(ring);
}

#define MANY 200000

static void *produce(void *ring)
{
	for (uint64_t id = 1; id <= MANY;) {
		if (put(ring, id))
			id++;
		else
			sched_yield();
	}
	return NULL;
}

Test(ring, two_threads_lose_nothing)
{
	struct ring *ring = ring_new(64);
	pthread_t producer;

	cr_assert_eq(pthread_create(&producer, NULL, produce, ring), 0);
	for (uint64_t expected = 1; expected <= MANY;) {
		uint64_t id = take(ring);

		if (id == 0) {
			sched_yield();
			continue;
		}
		cr_assert_eq(id, expected);
		expected++;
	}
	pthread_join(producer, NULL);
	cr_expect_null(ring_peek(ring));
	ring_free(ring);
}
