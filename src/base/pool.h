/*
 * pool: blocks of one size for one thread. Taking and returning is a pointer swap. Blocks are carved from slabs that hold
 * nothing else, mapped from the kernel and given back to it when their last block has returned: after a peak of load no
 * page stays behind because something small and long-lived lies beside it, as happens in a general heap. Of what is
 * free, about `keep` blocks are held for the next request. Blocks are not cleared.
 *
 * Under an address sanitizer each block is a heap block of its own, so that its use after return is found.
 */
#ifndef BROWNOUT_BASE_POOL_H
#define BROWNOUT_BASE_POOL_H

#include "base/list.h"

struct pool {
	struct list partial; /* slabs with a free block; the one used last in front */
	size_t block_bytes;
	size_t slab_bytes; /* a power of two; slabs are aligned to it */
	uint32_t slab_blocks;
	uint32_t n_free; /* in all slabs */
	uint32_t n_used;
	uint32_t keep;
};

/* block_bytes is rounded up to 16. */
void pool_init(struct pool *p, size_t block_bytes, uint32_t keep);
/* Frees what is held; every block must have been returned (asserted). */
void pool_deinit(struct pool *p);
/* NULL where memory is out. The block is the caller's until pool_put. */
void *pool_get(struct pool *p) MUST_USE;
void pool_put(struct pool *p, void *block);

#endif
