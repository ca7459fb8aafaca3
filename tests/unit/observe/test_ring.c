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

/* All of its room, however far the oldest record lies from the beginning of a block. */
Test(ring, is_full_only_when_it_is)
{
	struct ring *ring = ring_new(256);
	uint64_t in = 0, out = 0;

	for (unsigned step = 0; step < 2000; step++) {
		while (put(ring, in + 1))
			in++;
		cr_assert_eq(in - out, 256, "step %u: %u", step, (unsigned)(in - out));
		for (unsigned k = 0; k <= step * 7 % 256; k++) {
			out++;
			cr_assert_eq(take(ring), out);
		}
	}
	ring_free(ring);
}

/* Where all that came was taken, what was used just now is used again, and the rest is not touched. */
Test(ring, stays_where_it_was)
{
	struct ring *ring = ring_new(8192);
	const struct record *low, *high;

	low = high = ring_begin(ring);
	for (uint64_t id = 1; id <= 100000; id++) {
		const struct record *r = ring_begin(ring);

		low = r < low ? r : low;
		high = r > high ? r : high;
		cr_assert(put(ring, id));
		cr_assert_eq(take(ring), id);
	}
	cr_expect_leq(high - low, 2 * 64, "%td", high - low);
	ring_free(ring);
}

/* Decisions and witness lie where no other record's do that is there. */
Test(ring, details_are_each_records_own)
{
	struct ring *ring = ring_new(128);

	cr_assert_eq(ring_keep_details(ring), 0);
	for (uint64_t id = 1, out = 0; id <= 5000; id++) {
		struct record *r = ring_begin(ring);
		const struct record *oldest;

		cr_assert_not_null(r);
		ring_witness(ring)->fingerprint = id;
		ring_decisions(ring)->lost = (uint32_t)id;
		r->id = id;
		r->witness = ring_witness(ring);
		r->decisions = ring_decisions(ring);
		ring_commit(ring);
		for (unsigned k = 0; k < id % 3 || id - out == 128; k++) {
			oldest = ring_peek(ring);
			if (!oldest)
				break;
			out++;
			cr_assert_eq(oldest->id, out);
			cr_assert_eq(oldest->witness->fingerprint, out);
			cr_assert_eq(oldest->decisions->lost, out);
			ring_release(ring);
		}
	}
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
