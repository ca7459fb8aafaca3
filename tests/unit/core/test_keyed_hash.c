/*
 * keyed_hash: the vectors of its authors: key 00 01 .. 0f, input of n bytes 00 01 .. n-1.
 */
#include <criterion/criterion.h>

#include "core/keyed_hash.h"

static const struct keyed_hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };

Test(keyed_hash, is_that_of_its_authors)
{
	static const struct {
		unsigned n;
		uint64_t hash;
	} rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};
	char bytes[16];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(keyed_hash(&key, span_of(bytes, rows[i].n)), rows[i].hash, "of %u bytes", rows[i].n);
	cr_expect_eq(keyed_hash_word(&key, key.k0), rows[3].hash);
}

Test(keyed_hash, hangs_on_both_halves_of_the_key)
{
	const struct keyed_hash_key others[] = { { key.k0 ^ 1, key.k1 }, { key.k0, key.k1 ^ 1 } };

	for (unsigned i = 0; i < ARRAY_LEN(others); i++)
		cr_expect_neq(keyed_hash_word(&others[i], 7), keyed_hash_word(&key, 7));
}
