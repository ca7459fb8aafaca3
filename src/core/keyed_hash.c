/*
 * keyed_hash: see the header.
 */
#include "core/keyed_hash.h"

#include <endian.h>

#define WORD_BYTES 8u

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static void take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	mix(s);
	s->v0 ^= word;
}

uint64_t keyed_hash(const struct keyed_hash_key *key, struct span bytes)
{
	/* "somepseudorandomlygeneratedbytes" */
	struct state s = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)bytes.n << 56, word;

	for (; bytes.n >= WORD_BYTES; bytes = span_skip(bytes, WORD_BYTES)) {
		memcpy(&word, bytes.p, WORD_BYTES);
		take(&s, le64toh(word));
	}
	for (size_t i = 0; i < bytes.n; i++)
		last |= (uint64_t)(unsigned char)bytes.p[i] << (8 * i);
	take(&s, last);
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t keyed_hash_word(const struct keyed_hash_key *key, uint64_t word)
{
	const uint64_t bytes = htole64(word);

	return keyed_hash(key, span_of((const char *)&bytes, sizeof(bytes)));
}
