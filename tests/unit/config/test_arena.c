/* arena: pieces are cleared, aligned, apart from each other, and stay where they are. */
#include "config/arena.h"

#include "support.h"

Test(arena, pieces)
{
	struct arena *a = arena_new();
	unsigned char *pieces[400];

	cr_assert_not_null(a);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		size_t n = i * 37 % 900;

		pieces[i] = arena_alloc(a, n);
		cr_assert_not_null(pieces[i]);
		cr_expect_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k++)
			cr_assert_eq(pieces[i][k], 0);
		memset(pieces[i], (int)(i & 0xff), n);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		for (size_t k = 0; k < i * 37 % 900; k++)
			cr_assert_eq(pieces[i][k], i & 0xff, "piece %zu, byte %zu", i, k);
	}
	arena_free(a);
}

Test(arena, large_piece_leaves_the_small_block_in_use)
{
	struct arena *a = arena_new();
	char *before = arena_alloc(a, 16), *large, *after;

	large = arena_alloc(a, 1024 * 1024);
	after = arena_alloc(a, 16);
	cr_assert(before && large && after);
	memset(large, 1, 1024 * 1024);
	cr_expect_eq(after - before, 16);
	arena_free(a);
}

Test(arena, copy_ends_with_nul)
{
	struct arena *a = arena_new();
	struct span copy = arena_copy(a, SPAN("abc"));

	expect_span(copy, "abc");
	cr_expect_eq(copy.p[3], '\0');
	cr_expect_not_null(arena_copy(a, SPAN_EMPTY).p);
	arena_free(a);
	arena_free(NULL);
}

Test(arena, absurd_size)
{
	struct arena *a = arena_new();

	cr_expect_null(arena_alloc(a, SIZE_MAX));
	cr_expect_null(arena_alloc(a, SIZE_MAX / 2 + 1));
	arena_free(a);
}
