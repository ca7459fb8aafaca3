/*
 * arena: a list of blocks, the newest first; small pieces are cut from it, a piece that is large gets a block of its own.
 * Blocks come cleared, and no piece is ever given out twice.
 */
#include "config/arena.h"

#include <stdlib.h>

#define BLOCK_BYTES ((size_t)16 * 1024)
#define ALIGN_BYTES _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t n;
	size_t cap;
	_Alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->blocks) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	free(a);
}

static struct block *add_block(struct arena *a, size_t cap)
{
	struct block *b = calloc(1, sizeof(*b) + cap);

	if (!b)
		return NULL;
	b->cap = cap;
	/* A block for one large piece goes behind the newest, which still has room for small ones. */
	if (cap > BLOCK_BYTES && a->blocks) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
	if (!b || n > b->cap - b->n)
		b = add_block(a, MAX(n, BLOCK_BYTES));
	if (!b)
		return NULL;
	p = b->bytes + b->n;
	b->n += n;
	return p;
}

struct span arena_copy(struct arena *a, struct span s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;

	if (!p)
		return SPAN_EMPTY;
	if (s.n)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}
