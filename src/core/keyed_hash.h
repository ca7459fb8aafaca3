/*
 * keyed_hash: SipHash-2-4 (Aumasson and Bernstein, 2012): a hash that says nothing of what was hashed to whoever has not got
 * the key. random_hash is no such thing: it is there to spread, and can be guessed at. Pure.
 */
#ifndef BROWNOUT_CORE_KEYED_HASH_H
#define BROWNOUT_CORE_KEYED_HASH_H

#include "base/span.h"

struct keyed_hash_key {
	uint64_t k0, k1;
};

uint64_t keyed_hash(const struct keyed_hash_key *key, struct span bytes);
/* Of a word as eight bytes, the lowest first. */
uint64_t keyed_hash_word(const struct keyed_hash_key *key, uint64_t word);

#endif
