/*
 * order: puts exchanges that come about in the order of their ends into that order. One is let go once another has come that
 * ended late_ns later, or where the store is full; so what comes out depends on what came in alone, not on when.
 */
#ifndef BROWNOUT_REHEARSAL_ORDER_H
#define BROWNOUT_REHEARSAL_ORDER_H

#include "rehearsal/event.h"

#define ORDER_NEAR 64 /* past so many of those that ended later one is put in place by moving them */

struct order {
	struct event *v; /* cap of them, in any order; the others are places in it */
	uint32_t *ring; /* of cap, a power of two: the n_ring from `at` on are in order */
	uint32_t *heap; /* a binary heap of the n_heap that came far out of order */
	uint32_t *free; /* a stack of those in neither */
	uint32_t cap, at, n_ring, n_heap;
	int64_t newest_ns; /* what the time is: the latest end that has come, or was told */
	int64_t late_ns; /* how late an exchange may come: set after order_init where it is not JUDGE_LATE_NS */
	bool by_clock; /* ends do not say what the time is, order_advance alone does */
};

void order_init(struct order *o);
void order_deinit(struct order *o);

/* False where memory is out: the event is lost. */
bool order_add(struct order *o, const struct event *e);
/* Nothing that ended before this is still to come. */
void order_advance(struct order *o, int64_t now_ns);
/* The next one that may go, or with `all` any; NULL where there is none. It holds until the next order_add. */
const struct event *order_take(struct order *o, bool all);

#endif
