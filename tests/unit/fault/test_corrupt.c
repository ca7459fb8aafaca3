/*
 * corrupt: so many bytes as asked for, each another one than before, the same ones however the content is cut.
 */
#include "fault/corrupt.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/random.h"

TestSuite(corrupt, .timeout = 60);

static uint64_t word_of(const void *arg, uint32_t index)
{
	return random_word(*(const uint64_t *)arg, 1, 2, 3, index);
}

static uint64_t word_zero(const void *arg, uint32_t index)
{
	(void)arg;
	(void)index;
	return 0;
}

static uint64_t word_ones(const void *arg, uint32_t index)
{
	(void)arg;
	(void)index;
	return UINT64_MAX;
}

static const struct {
	uint32_t bytes;
	uint64_t length;
	unsigned n;
} counts[] = {
	{ 0, 100, 0 }, { 0, UINT64_MAX, 0 }, { 3, 0, 0 }, { 1, 1, 1 }, { 3, 2, 2 }, { 3, 3, 3 }, { 3, 1000, 3 }, { 64, 64, 64 },
	{ 64, 65, 64 }, { 65, 1000, 64 }, { UINT32_MAX, UINT64_MAX, 64 }, { 1, UINT64_MAX, 1 }, { 64, UINT64_MAX - 1, 64 },
};

static void check(const struct corruptor *c, unsigned n, uint64_t length)
{
	cr_assert_eq(c->n, n, "%u offsets, not %u, of %llu", c->n, n, (unsigned long long)length);
	for (unsigned i = 0; i < n; i++) {
		cr_expect_lt(c->offsets[i], length);
		cr_expect_neq(c->masks[i], 0);
		if (i)
			cr_expect_lt(c->offsets[i - 1], c->offsets[i]);
	}
}

Test(corrupt, draws_different_offsets_in_order)
{
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		uint64_t length = counts[i].length == UINT64_MAX ? CORRUPT_WINDOW_BYTES : counts[i].length;
		struct corruptor c;

		for (uint64_t seed = 0; seed < 100; seed++) {
			corrupt_init(&c, counts[i].bytes, counts[i].length, word_of, &seed);
			check(&c, counts[i].n, length);
		}
		/* Words that always hit the same place are no way out. */
		corrupt_init(&c, counts[i].bytes, counts[i].length, word_zero, NULL);
		check(&c, counts[i].n, length);
		corrupt_init(&c, counts[i].bytes, counts[i].length, word_ones, NULL);
		check(&c, counts[i].n, length);
	}
}

Test(corrupt, of_unknown_length_begins_early)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct corruptor c;

		corrupt_init(&c, 1, UINT64_MAX, word_of, &seed);
		cr_expect_lt(c.offsets[0], CORRUPT_EARLY_BYTES);
	}
}

Test(corrupt, hits_each_offset_about_as_often)
{
	enum { LENGTH = 10, BYTES = 3, ROUNDS = 10000 };
	unsigned hits[LENGTH] = { 0 };

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct corruptor c;

		corrupt_init(&c, BYTES, LENGTH, word_of, &seed);
		for (unsigned i = 0; i < c.n; i++)
			hits[c.offsets[i]]++;
	}
	/* 3000 each; the standard deviation is 46. */
	for (unsigned i = 0; i < LENGTH; i++)
		cr_expect(hits[i] > 2770 && hits[i] < 3230, "offset %u: %u", i, hits[i]);
}

Test(corrupt, changes_the_same_bytes_in_any_pieces)
{
	enum { LENGTH = 5000, BYTES = 20 };
	const uint64_t seed = 7;
	char whole[LENGTH], pieces[LENGTH];
	struct corruptor c;
	unsigned different = 0;

	memset(whole, 'x', LENGTH);
	corrupt_init(&c, BYTES, LENGTH, word_of, &seed);
	cr_expect_eq(corrupt_apply(&c, 0, whole, LENGTH), BYTES);
	for (unsigned i = 0; i < LENGTH; i++)
		different += whole[i] != 'x';
	cr_expect_eq(different, BYTES);
	for (size_t step = 1; step < LENGTH; step = step * 3 + 1) {
		unsigned changed = 0;

		memset(pieces, 'x', LENGTH);
		for (size_t at = 0; at < LENGTH; at += step)
			changed += corrupt_apply(&c, at, pieces + at, MIN(step, LENGTH - at));
		cr_expect_eq(changed, BYTES);
		cr_expect_eq(memcmp(whole, pieces, LENGTH), 0, "pieces of %zu", step);
	}
	cr_expect_eq(corrupt_apply(&c, LENGTH, pieces, LENGTH), 0);
	cr_expect_eq(corrupt_apply(&c, 0, NULL, 0), 0);
}
