/*
 * The hash of bytes in pieces does not depend on the pieces.
 */
#include <criterion/criterion.h>

#include "core/digest.h"
#include "core/random.h"

static uint64_t in_pieces(const char *p, size_t n, uint64_t seed)
{
	struct digest d;
	size_t at = 0;

	digest_init(&d);
	for (uint64_t i = 0; at < n; i++) {
		size_t piece = (size_t)(random_word(seed, 0, 0, i, 0) % 700);

		piece = MIN(piece, n - at);
		digest_add(&d, span_of(p + at, piece));
		at += piece;
	}
	return digest_value(&d);
}

Test(digest, does_not_depend_on_how_the_bytes_are_cut)
{
	static const size_t lengths[] = { 0, 1, 255, 256, 257, 511, 512, 513, 5000 };
	char bytes[5000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)random_word(1, 0, 0, i, 0);
	for (unsigned k = 0; k < ARRAY_LEN(lengths); k++) {
		struct digest whole;

		digest_init(&whole);
		digest_add(&whole, span_of(bytes, lengths[k]));
		for (uint64_t seed = 0; seed < 50; seed++)
			cr_assert_eq(in_pieces(bytes, lengths[k], seed), digest_value(&whole), "%zu bytes", lengths[k]);
	}
}

Test(digest, tells_bytes_and_lengths_apart)
{
	static const char zeros[600];
	uint64_t seen[600];

	for (size_t n = 0; n < 600; n++) {
		struct digest d;

		digest_init(&d);
		digest_add(&d, span_of(zeros, n));
		seen[n] = digest_value(&d);
		cr_assert_neq(seen[n], 0);
		for (size_t k = 0; k < n; k++)
			cr_assert_neq(seen[k], seen[n], "%zu and %zu zero bytes", k, n);
	}
}
