/*
 * buffer: bytes on their way that have to wait. A buffer owns a block only while it holds bytes; blocks come from the
 * worker's cache in a few sizes. An idle or held connection owns at most its request's head.
 */
#ifndef BROWNOUT_PROXY_BUFFER_H
#define BROWNOUT_PROXY_BUFFER_H

#include "base/pool.h"
#include "base/span.h"

#define BLOCK_CLASSES 7

struct blocks {
	struct pool pool[BLOCK_CLASSES];
};

void blocks_init(struct blocks *b);
void blocks_deinit(struct blocks *b);

struct buffer {
	char *p; /* NULL where empty */
	uint32_t off; /* bytes before this were consumed */
	uint32_t n; /* bytes held, from off */
	uint32_t cap;
};

static inline struct span buffer_span(const struct buffer *b)
{
	return b->n ? span_of(b->p + b->off, b->n) : SPAN_EMPTY;
}

/* Room for at least `room` bytes behind what is held; NULL where memory is out (nothing changed). Add to n what was put there. */
char *buffer_reserve(struct blocks *blocks, struct buffer *b, uint32_t room);
static inline uint32_t buffer_room(const struct buffer *b)
{
	return b->cap - b->off - b->n;
}
/* -ENOMEM. */
int buffer_append(struct blocks *blocks, struct buffer *b, struct span s) MUST_USE;
/* Gives the block back where nothing is left. */
void buffer_consume(struct blocks *blocks, struct buffer *b, uint32_t n);
void buffer_clear(struct blocks *blocks, struct buffer *b);

#endif
