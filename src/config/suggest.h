/*
 * suggest: "did you mean". The known word that a misspelt one was probably meant to be.
 */
#ifndef BROWNOUT_CONFIG_SUGGEST_H
#define BROWNOUT_CONFIG_SUGGEST_H

#include "base/span.h"

#define SUGGEST_WORD_BYTES_MAX 40

/*
 * Letters added, left out, changed or swapped with their neighbour to get from a to b (restricted Damerau-Levenshtein
 * distance, without case); limit + 1 where it is more than that or a word is longer than SUGGEST_WORD_BYTES_MAX.
 */
unsigned suggest_distance(struct span a, struct span b, unsigned limit) PURE;

/* Collects the best of several candidates. */
struct suggestion {
	struct span wanted;
	struct span best; /* empty: none is near enough */
	unsigned distance;
};
void suggest_begin(struct suggestion *s, struct span wanted);
void suggest_offer(struct suggestion *s, struct span candidate);

#endif
