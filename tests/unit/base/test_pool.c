/*
 * pool: blocks are apart, come back, and the slabs of a peak go back to the kernel. (Under an address sanitizer there are no
 * slabs: what is said of them is not asked then.)
 */
#include "base/pool.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLABS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLABS 0
#endif
#endif
#ifndef SLABS
#define SLABS 1
#endif

Test(pool, reuses_what_was_returned_last)
{
	struct pool p;
	void *a, *b;

	pool_init(&p, 100, 8);
	cr_expect_eq(p.block_bytes, 112);
	a = pool_get(&p);
	b = pool_get(&p);
	cr_assert(a && b && a != b);
	cr_expect_eq(p.n_used, 2);
	memset(a, 0xff, 100);
	memset(b, 0xff, 100);
	pool_put(&p, a);
	pool_put(&p, b);
	cr_expect_eq(p.n_used, 0);
	if (SLABS) {
		cr_expect_eq(pool_get(&p), b);
		cr_expect_eq(pool_get(&p), a);
		pool_put(&p, a);
		pool_put(&p, b);
	}
	pool_deinit(&p);
	cr_expect_eq(p.n_free, 0);
}

/* Random takes and returns; each block holds a pattern of its own until it returns. */
Test(pool, blocks_do_not_overlap)
{
	static const size_t sizes[] = { 1, 16, 100, 680, 4096, 16384, 69632 };
	unsigned char *held[600] = { 0 };
	unsigned seed = 7;

	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct pool p;

		pool_init(&p, sizes[k], 10);
		for (unsigned i = 0; i < 20000; i++) {
			unsigned at = (unsigned)rand_r(&seed) % ARRAY_LEN(held);

			if (held[at]) {
				cr_assert_eq(held[at][0], (unsigned char)at, "size %zu", sizes[k]);
				cr_assert_eq(held[at][sizes[k] - 1], (unsigned char)at, "size %zu", sizes[k]);
				pool_put(&p, held[at]);
				held[at] = NULL;
			} else {
				cr_assert_not_null(held[at] = pool_get(&p));
				cr_assert_eq((uintptr_t)held[at] % 16, 0);
				held[at][0] = held[at][sizes[k] - 1] = (unsigned char)at;
			}
		}
		for (unsigned i = 0; i < ARRAY_LEN(held); i++) {
			if (held[i])
				pool_put(&p, held[i]);
			held[i] = NULL;
		}
		cr_expect_eq(p.n_used, 0);
		pool_deinit(&p);
	}
}

Test(pool, a_peak_goes_back)
{
	enum { PEAK = 15000 };
	static void *blocks[PEAK];
	struct pool p;

	pool_init(&p, 680, 100);
	for (unsigned i = 0; i < PEAK; i++)
		cr_assert_not_null(blocks[i] = pool_get(&p));
	for (unsigned i = 0; i < PEAK; i++)
		pool_put(&p, blocks[i]);
	cr_expect_eq(p.n_used, 0);
	if (SLABS) {
		cr_expect_geq(p.n_free, 100);
		cr_expect_lt(p.n_free, 100 + 2 * p.slab_blocks, "%u are kept", p.n_free);
	}
	pool_deinit(&p);
}

Test(pool, keeps_none_where_asked)
{
	struct pool p;
	void *a;

	pool_init(&p, 64, 0);
	a = pool_get(&p);
	cr_assert_not_null(a);
	pool_put(&p, a);
	cr_expect_eq(p.n_free, 0);
	cr_expect(list_is_empty(&p.partial));
	pool_deinit(&p);
}
