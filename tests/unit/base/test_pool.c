/*
 * pool: blocks come back, and no more than `keep` of them stay.
 */
#include "base/pool.h"

#include <criterion/criterion.h>
#include <string.h>

Test(pool, reuses_what_was_returned_last)
{
	struct pool p;
	void *a, *b;

	pool_init(&p, 100, 8);
	cr_expect_eq(p.block_bytes % sizeof(void *), 0);
	cr_expect_geq(p.block_bytes, 100);
	a = pool_get(&p);
	b = pool_get(&p);
	cr_assert(a && b && a != b);
	cr_expect_eq(p.n_used, 2);
	memset(a, 0xff, 100);
	memset(b, 0xff, 100);
	pool_put(&p, a);
	pool_put(&p, b);
	cr_expect_eq(p.n_free, 2);
	cr_expect_eq(pool_get(&p), b);
	cr_expect_eq(pool_get(&p), a);
	cr_expect_eq(p.n_free, 0);
	pool_put(&p, a);
	pool_put(&p, b);
	pool_deinit(&p);
	cr_expect_eq(p.n_free, 0);
}

Test(pool, keeps_no_more_than_asked)
{
	void *blocks[20];
	struct pool p;

	pool_init(&p, 1, 3);
	cr_expect_eq(p.block_bytes, sizeof(void *));
	for (unsigned i = 0; i < 20; i++)
		cr_assert_not_null(blocks[i] = pool_get(&p));
	for (unsigned i = 0; i < 20; i++)
		pool_put(&p, blocks[i]);
	cr_expect_eq(p.n_free, 3);
	cr_expect_eq(p.n_used, 0);
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
	cr_expect_null(p.free);
	pool_deinit(&p);
}
