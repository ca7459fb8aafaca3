/*
 * The hash stream is a promise to everyone who has written a seed down: its values are pinned. Thresholds, ranges and
 * permutations are held against plain arithmetic.
 */
#include "core/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Sum of (seen - expected)^2 / expected over n cells. */
static double chi_square(const unsigned *seen, unsigned n, double expected)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	return sum;
}

Test(random, words_are_the_same_for_ever)
{
	/* The first is XXH3's published value for no input. */
	cr_assert_eq(random_hash(0, SPAN_EMPTY), UINT64_C(0x2d06800538d394c2));
	cr_assert_eq(random_hash(42, SPAN("checkout-overload")), UINT64_C(0xee74fc036fe9ace4));
	cr_assert_eq(random_word(42, 1, 2, 3, 0), UINT64_C(0xfa03bb82f967e352));
	cr_assert_eq(random_word(42, 1, 2, 3, 1), UINT64_C(0x43f8e7c1dccf2025));
}

Test(random, each_input_of_a_word_matters)
{
	uint64_t base = random_word(1, 2, 3, 4, 5);

	cr_assert_neq(random_word(2, 2, 3, 4, 5), base);
	cr_assert_neq(random_word(1, 3, 3, 4, 5), base);
	cr_assert_neq(random_word(1, 2, 4, 4, 5), base);
	cr_assert_neq(random_word(1, 2, 3, 5, 5), base);
	cr_assert_neq(random_word(1, 2, 3, 4, 6), base);
	cr_assert_neq(random_word(1, 3, 2, 4, 5), base, "name and key must not be interchangeable");
}

Test(random, threshold_is_exact)
{
	static const struct {
		uint32_t p;
		uint64_t threshold; /* floor(p * 2^64 / 10^8), by a calculator of unbounded integers */
	} table[] = {
		{ 0, 0 },
		{ 1, UINT64_C(184467440737) },
		{ 10000000, UINT64_C(1844674407370955161) },
		{ 25000000, UINT64_C(1) << 62 },
		{ 33333000, UINT64_C(6148853202089604840) },
		{ 50000000, UINT64_C(1) << 63 },
		{ 99999999, UINT64_C(18446743889242110878) },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		cr_assert_eq(random_threshold(table[i].p, 100000000), table[i].threshold, "%u", table[i].p);
}

Test(random, between_has_both_ends)
{
	cr_assert_eq(random_between(0, -5, 5), -5);
	cr_assert_eq(random_between(UINT64_MAX, -5, 5), 5);
	cr_assert_eq(random_between(UINT64_C(1) << 63, 0, 9), 5);
	cr_assert_eq(random_between(0, 7, 7), 7);
	cr_assert_eq(random_between(UINT64_MAX, 7, 7), 7);
	cr_assert_eq(random_between(0, 0, INT64_MAX), 0);
	cr_assert_eq(random_between(UINT64_MAX, 0, INT64_MAX), INT64_MAX);
	cr_assert_eq(random_between(UINT64_MAX, INT64_MIN, INT64_MAX - 1), INT64_MAX - 1);
	cr_assert_eq(random_between(123, INT64_MIN, INT64_MAX), 123, "all 2^64 values: the word itself");
}

Test(random, between_is_uniform)
{
	unsigned seen[10] = { 0 };

	for (uint64_t i = 0; i < 100000; i++)
		seen[random_between(random_word(7, 0, 0, i, 1), 100, 109) - 100]++;
	/* 99.99 % quantile of chi-square with 9 degrees of freedom. */
	cr_assert_lt(chi_square(seen, 10, 10000), 33.72);
}

static void assert_is_permutation(uint64_t seed, uint64_t block, uint32_t n)
{
	bool *seen = calloc(n, 1);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t to = random_permute(seed, block, i, n);

		cr_assert_lt(to, n);
		cr_assert_not(seen[to], "n %u: two positions land on %u", n, to);
		seen[to] = true;
	}
	free(seen);
}

Test(random, permute_is_a_bijection)
{
	for (uint32_t n = 1; n <= 300; n++) {
		for (uint64_t block = 0; block < 3; block++)
			assert_is_permutation(n * 31 + block, block, n);
	}
	for (uint32_t n = 1000; n <= 1000000; n *= 10)
		assert_is_permutation(42, 5, n);
	cr_assert_lt(random_permute(1, 2, 99999999, 100000000), 100000000);
}

Test(random, permute_depends_on_seed_and_block)
{
	unsigned same_seed = 0;
	unsigned same_block = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		same_seed += random_permute(1, 0, i, 1000) == random_permute(2, 0, i, 1000);
		same_block += random_permute(1, 0, i, 1000) == random_permute(1, 1, i, 1000);
	}
	/* One is expected by chance; 12 or more have a chance under 10^-8. */
	cr_assert_lt(same_seed, 12);
	cr_assert_lt(same_block, 12);
}

Test(random, permute_sends_each_position_anywhere)
{
	/* 99.99 % quantile of chi-square with 99 degrees of freedom, for three positions. */
	for (uint32_t position = 0; position < 100; position += 49) {
		unsigned seen[100] = { 0 };

		for (uint64_t block = 0; block < 100000; block++)
			seen[random_permute(3, block, position, 100)]++;
		cr_assert_lt(chi_square(seen, 100, 1000), 161.3, "position %u", position);
	}
}

Test(random, permute_has_no_pattern_between_neighbours)
{
	unsigned seen[100] = { 0 };

	/* The distance between where two neighbours land: each but 0 equally often. */
	for (uint64_t block = 0; block < 99000; block++)
		seen[(random_permute(9, block, 11, 100) + 100 - random_permute(9, block, 10, 100)) % 100]++;
	cr_assert_eq(seen[0], 0);
	/* 98 degrees of freedom. */
	cr_assert_lt(chi_square(seen + 1, 99, 1000), 160.1);
}
