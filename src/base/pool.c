/*
 * pool: slabs. A slab begins with its header; a block's slab is found by clearing the low bits of its address. A free
 * block's first word points at the next one of its slab; blocks that were never taken are not in that list but counted
 * off by `fresh`, so that the pages behind them are not touched before they are needed.
 */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_ON_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_ON_HEAP 1
#endif
#endif
#ifndef BLOCKS_ON_HEAP
#define BLOCKS_ON_HEAP 0
#endif

#define ALIGN_BYTES ((size_t)16)
#define SLAB_BYTES_MIN ((size_t)64 * 1024)
#define SLAB_BLOCKS_MIN 14 /* else a larger slab; its pages are only taken when touched */

struct slab {
	struct list node; /* in pool.partial; linked while a block is free */
	void *free;
	uint32_t fresh; /* blocks behind this one were never taken */
	uint32_t n_used;
};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static size_t header_bytes(void)
{
	return round_up(sizeof(struct slab), ALIGN_BYTES);
}

void pool_init(struct pool *p, size_t block_bytes, uint32_t keep)
{
	*p = (struct pool){ .block_bytes = round_up(MAX(block_bytes, (size_t)1), ALIGN_BYTES), .keep = keep };
	list_init(&p->partial);
	p->slab_bytes = SLAB_BYTES_MIN;
	while ((p->slab_bytes - header_bytes()) / p->block_bytes < SLAB_BLOCKS_MIN)
		p->slab_bytes *= 2;
	p->slab_blocks = (uint32_t)((p->slab_bytes - header_bytes()) / p->block_bytes);
}

/* Twice the size is mapped, and what lies before and behind the aligned part is given back. */
static struct slab *slab_map(size_t bytes)
{
	char *p = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *aligned;

	if (p == MAP_FAILED)
		return NULL;
	aligned = p + (round_up((uintptr_t)p, bytes) - (uintptr_t)p);
	if (aligned > p)
		(void)munmap(p, (size_t)(aligned - p));
	(void)munmap(aligned + bytes, (size_t)(p + bytes - aligned));
	return (struct slab *)(void *)aligned;
}

static struct slab *slab_new(struct pool *p)
{
	struct slab *s = slab_map(p->slab_bytes);

	if (!s)
		return NULL;
	*s = (struct slab){ .fresh = 0 };
	list_init(&s->node);
	list_push_front(&p->partial, &s->node);
	p->n_free += p->slab_blocks;
	return s;
}

static void slab_free(struct pool *p, struct slab *s)
{
	list_remove(&s->node);
	p->n_free -= p->slab_blocks;
	(void)munmap(s, p->slab_bytes);
}

static struct slab *slab_of(const struct pool *p, void *block)
{
	return (struct slab *)((uintptr_t)block & ~(uintptr_t)(p->slab_bytes - 1));
}

void pool_deinit(struct pool *p)
{
	assert(p->n_used == 0);
	while (!list_is_empty(&p->partial))
		slab_free(p, container_of(p->partial.next, struct slab, node));
}

static void *slab_take(struct pool *p, struct slab *s)
{
	void *block = s->free;

	if (block)
		s->free = *(void **)block;
	else
		block = (char *)s + header_bytes() + (size_t)s->fresh++ * p->block_bytes;
	if (++s->n_used == p->slab_blocks)
		list_remove(&s->node);
	p->n_free--;
	return block;
}

void *pool_get(struct pool *p)
{
	struct slab *s;
	void *block;

	if (BLOCKS_ON_HEAP) {
		block = malloc(p->block_bytes);
	} else {
		s = list_is_empty(&p->partial) ? slab_new(p) : container_of(p->partial.next, struct slab, node);
		block = s ? slab_take(p, s) : NULL;
	}
	if (block)
		p->n_used++;
	return block;
}

void pool_put(struct pool *p, void *block)
{
	struct slab *s;

	assert(p->n_used > 0);
	p->n_used--;
	if (BLOCKS_ON_HEAP) {
		free(block);
		return;
	}
	s = slab_of(p, block);
	*(void **)block = s->free;
	s->free = block;
	p->n_free++;
	if (s->n_used-- == p->slab_blocks)
		list_push_front(&p->partial, &s->node);
	else if (s->n_used == 0 && p->n_free - p->slab_blocks >= p->keep)
		slab_free(p, s);
}
