/*
 * random: hashing, thresholds, ranges, permutations. Every function is pure and has the same result on any machine:
 * what is hashed is laid out in little-endian order, and no floating point takes part.
 */
#include "core/random.h"

#include <endian.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t random_hash(uint64_t seed, struct span bytes)
{
	return XXH3_64bits_withSeed(bytes.n ? bytes.p : "", bytes.n, seed);
}

uint64_t random_word(uint64_t seed, uint64_t name_hash, uint64_t key_hash, uint64_t occurrence, uint32_t word)
{
	const uint64_t block[4] = { htole64(name_hash), htole64(key_hash), htole64(occurrence), htole64(word) };

	return XXH3_64bits_withSeed(block, sizeof(block), seed);
}

uint64_t random_threshold(uint32_t p, uint32_t all)
{
	return (uint64_t)(((__extension__ (unsigned __int128)p) << 64) / all);
}

int64_t random_between(uint64_t word, int64_t min, int64_t max)
{
	uint64_t range = (uint64_t)max - (uint64_t)min + 1;

	if (range == 0) /* all 2^64 values */
		return (int64_t)word;
	return (int64_t)((uint64_t)min + (uint64_t)(((__extension__ (unsigned __int128)word) * range) >> 64));
}

/* ---- permutation ------------------------------------------------------------------------------------------------- */

#define PERMUTE_ROUNDS 8

/* The finaliser of splitmix64: each bit of the input moves each bit of the output. */
static uint64_t mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * An unbalanced Feistel network on left_bits + right_bits bits: each round changes one half by a keyed hash of the other,
 * which can be undone whatever the hash is. So this is a bijection on 0 .. 2^bits - 1.
 */
static uint32_t feistel(uint64_t key, uint32_t x, unsigned left_bits, unsigned right_bits)
{
	const uint32_t left_mask = (UINT32_C(1) << left_bits) - 1;
	const uint32_t right_mask = (UINT32_C(1) << right_bits) - 1;
	uint32_t left = x >> right_bits;
	uint32_t right = x & right_mask;

	for (unsigned round = 0; round < PERMUTE_ROUNDS; round += 2) {
		left ^= (uint32_t)(mix64(key + ((uint64_t)round << 32) + right) >> 32) & left_mask;
		right ^= (uint32_t)(mix64(key + ((uint64_t)(round + 1) << 32) + left) >> 32) & right_mask;
	}
	return left << right_bits | right;
}

uint32_t random_permute(uint64_t seed, uint64_t block, uint32_t i, uint32_t n)
{
	unsigned bits = n > 1 ? 32 - (unsigned)__builtin_clz(n - 1) : 0;
	uint64_t key = random_word(seed, 0, 0, block, 0);

	if (bits == 0)
		return 0;
	/*
	 * Cycle walking: the network permutes a power of two below 2n; following it from i until it is back below n
	 * permutes 0 .. n-1 (the walk cannot miss: i itself lies on the cycle). Under two steps on average.
	 */
	do {
		i = feistel(key, i, bits / 2, bits - bits / 2);
	} while (i >= n);
	return i;
}
