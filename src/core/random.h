/*
 * random: every random choice is a word of one hash stream: XXH3 with the seed over rule name, key and occurrence.
 * Equal inputs give equal words, in any order, on any thread, on any machine. Nothing here has state.
 */
#ifndef BROWNOUT_CORE_RANDOM_H
#define BROWNOUT_CORE_RANDOM_H

#include "base/span.h"

/* Hash of a name or key with the seed. */
uint64_t random_hash(uint64_t seed, struct span bytes);
/* Numbers of the words of one decision's stream. They are part of what a seed means: never renumber. */
enum random_word {
	RANDOM_WORD_DRAW = 0, /* percentage, or which outcome */
	RANDOM_WORD_DELAY = 1,
	RANDOM_WORD_EVEN = 2, /* of occurrence 0: the seed of the key's permutations */
	RANDOM_WORD_HINT = 3, /* Retry-After */
	RANDOM_WORD_BURST = 4,
	RANDOM_WORD_FREE = 16, /* from here on: what is drawn while acting */
};
/* Word number `word` of the stream of one decision. */
uint64_t random_word(uint64_t seed, uint64_t name_hash, uint64_t key_hash, uint64_t occurrence, uint32_t word);

/*
 * p of RULE_PERCENTAGE_ALL (100,000,000) as the threshold t: of the 2^64 draws exactly floor(p * 2^64 / all) are < t.
 * p is below all.
 */
uint64_t random_threshold(uint32_t p, uint32_t all);

/* Uniform in [min, max], both included, without modulo bias beyond 2^-64 (multiply-shift). min <= max. */
int64_t random_between(uint64_t word, int64_t min, int64_t max);

/* Where position i (0 .. n-1) of block `block` lands in that block's seeded permutation of 0 .. n-1; n >= 1, n <= 10^8. */
uint32_t random_permute(uint64_t seed, uint64_t block, uint32_t i, uint32_t n);

#endif
