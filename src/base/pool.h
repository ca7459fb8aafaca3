/*
 * pool: blocks of one size, kept for reuse by one thread. Taking and returning is a pointer swap; malloc is called
 * only where the pool is empty. At most `keep` free blocks are held, the rest goes back to the heap, so that a peak of
 * load does not stay resident for ever. Blocks are not cleared.
 */
#ifndef BROWNOUT_BASE_POOL_H
#define BROWNOUT_BASE_POOL_H

#include "base/base.h"

struct pool {
	void *free; /* singly linked through the blocks' first word */
	size_t block_bytes;
	uint32_t n_free;
	uint32_t n_used;
	uint32_t keep;
};

/* block_bytes is rounded up to a pointer's size. */
void pool_init(struct pool *p, size_t block_bytes, uint32_t keep);
/* Frees what is held; every block must have been returned (asserted). */
void pool_deinit(struct pool *p);
/* NULL where memory is out. The block is the caller's until pool_put. */
void *pool_get(struct pool *p) MUST_USE;
void pool_put(struct pool *p, void *block);

#endif
