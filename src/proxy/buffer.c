/*
 * buffer: see buffer.h. Blocks above the largest class come from the heap and go back to it.
 */
#include "proxy/buffer.h"

#include <errno.h>
#include <stdlib.h>

/* Small heads; usual heads; large heads; a full read with what frames it. */
static const uint32_t class_bytes[BLOCK_CLASSES] = { 128, 256, 512, 1024, 4096, 16384, 65536 + 4096 };
static const uint32_t class_keep[BLOCK_CLASSES] = { 1024, 1024, 1024, 512, 256, 64, 64 };

void blocks_init(struct blocks *b)
{
	for (unsigned i = 0; i < BLOCK_CLASSES; i++)
		pool_init(&b->pool[i], class_bytes[i], class_keep[i]);
}

void blocks_deinit(struct blocks *b)
{
	for (unsigned i = 0; i < BLOCK_CLASSES; i++)
		pool_deinit(&b->pool[i]);
}

static struct pool *pool_for(struct blocks *b, uint32_t n)
{
	for (unsigned i = 0; i < BLOCK_CLASSES; i++) {
		if (n <= class_bytes[i])
			return &b->pool[i];
	}
	return NULL;
}

static char *block_get(struct blocks *b, uint32_t n, uint32_t *cap)
{
	struct pool *pool = pool_for(b, n);

	*cap = pool ? (uint32_t)pool->block_bytes : n;
	return pool ? pool_get(pool) : malloc(n);
}

static void block_put(struct blocks *b, char *p, uint32_t cap)
{
	struct pool *pool = pool_for(b, cap);

	if (pool)
		pool_put(pool, p);
	else
		free(p);
}

char *buffer_reserve(struct blocks *blocks, struct buffer *b, uint32_t room)
{
	uint32_t cap;
	char *p;

	if (b->p && buffer_room(b) >= room)
		return b->p + b->off + b->n;
	if (b->p && b->cap - b->n >= room) {
		memmove(b->p, b->p + b->off, b->n);
		b->off = 0;
		return b->p + b->n;
	}
	if (room > UINT32_MAX - b->n)
		return NULL;
	p = block_get(blocks, b->n + room, &cap);
	if (!p)
		return NULL;
	if (b->p) {
		memcpy(p, b->p + b->off, b->n);
		block_put(blocks, b->p, b->cap);
	}
	b->p = p;
	b->off = 0;
	b->cap = cap;
	return b->p + b->n;
}

int buffer_append(struct blocks *blocks, struct buffer *b, struct span s)
{
	char *at;

	if (!s.n)
		return 0;
	if (s.n > UINT32_MAX || !(at = buffer_reserve(blocks, b, (uint32_t)s.n)))
		return -ENOMEM;
	memcpy(at, s.p, s.n);
	b->n += (uint32_t)s.n;
	return 0;
}

void buffer_consume(struct blocks *blocks, struct buffer *b, uint32_t n)
{
	b->off += n;
	b->n -= n;
	if (!b->n)
		buffer_clear(blocks, b);
}

void buffer_clear(struct blocks *blocks, struct buffer *b)
{
	if (b->p)
		block_put(blocks, b->p, b->cap);
	*b = (struct buffer){ 0 };
}
