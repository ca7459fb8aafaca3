/*
 * pool: the free list. A free block's first word points at the next; nothing else is stored anywhere.
 */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>

void pool_init(struct pool *p, size_t block_bytes, uint32_t keep)
{
	const size_t word = sizeof(void *);

	*p = (struct pool){ .block_bytes = (MAX(block_bytes, word) + word - 1) / word * word, .keep = keep };
}

void pool_deinit(struct pool *p)
{
	assert(p->n_used == 0);
	while (p->free) {
		void *block = p->free;

		p->free = *(void **)block;
		free(block);
	}
	p->n_free = 0;
}

void *pool_get(struct pool *p)
{
	void *block = p->free;

	if (block) {
		p->free = *(void **)block;
		p->n_free--;
	} else {
		block = malloc(p->block_bytes);
		if (!block)
			return NULL;
	}
	p->n_used++;
	return block;
}

void pool_put(struct pool *p, void *block)
{
	assert(p->n_used > 0);
	p->n_used--;
	if (p->n_free >= p->keep) {
		free(block);
		return;
	}
	*(void **)block = p->free;
	p->free = block;
	p->n_free++;
}
