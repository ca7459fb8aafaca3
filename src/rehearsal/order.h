/*
 * order: puts exchanges that come about in the order of their ends into that order. One is let go once another has come that
 * ended late_ns later, or where the store is full; so what comes out depends on what came in alone, not on when.
 *
 * What is moved about and waits is small: an event by itself lies beside it, and one that repeats another is not there at all
 * but for its times.
 */
#ifndef BROWNOUT_REHEARSAL_ORDER_H
#define BROWNOUT_REHEARSAL_ORDER_H

#include "rehearsal/event.h"

#define ORDER_NEAR 64 /* past so many of those that ended later one is put in place by moving them */

/* An event that others are like but for their times. Whoever made it and every one that waits keep it: likeness_drop. */
struct judge_likeness {
	struct event event; /* with the times of the one that was taken last */
	uint32_t keepers;
};
/* One keeper less; without any it is gone. NULL is fine. */
void likeness_drop(struct judge_likeness *l);

/* An event that waits. */
struct moment {
	int64_t end_ns, first_ns, last_ns, hdr_ns;
	uint64_t id;
	uint64_t connection;
	struct judge_likeness *like; /* kept; NULL: it is by itself ... */
	uint32_t own; /* ... in `own` */
	uint32_t connections;
};

struct order {
	struct moment *ring; /* of cap_ring, a power of two: the n_ring from `at` on are in order */
	uint32_t cap_ring, at, n_ring;
	struct moment *heap; /* a binary heap of the n_heap that came far out of order */
	uint32_t cap_heap, n_heap;
	struct event *own; /* cap_own of them */
	uint32_t *free_own; /* a stack of the n_free_own that are not used */
	uint32_t cap_own, n_free_own;
	struct judge_likeness *taken; /* of the one that was taken last; NULL: it was by itself */
	int64_t newest_ns; /* what the time is: the latest end that has come, or was told */
	int64_t late_ns; /* how late an exchange may come: set after order_init where it is not JUDGE_LATE_NS */
	bool by_clock; /* ends do not say what the time is, order_advance alone does */
};

void order_init(struct order *o);
void order_deinit(struct order *o);

/* False where memory is out: the event is lost. */
bool order_add(struct order *o, const struct event *e);
/* The same of an event that is like r->like but for what else r says. */
bool order_add_repeat(struct order *o, const struct judge_repeat *r);
/* Nothing that ended before this is still to come. */
void order_advance(struct order *o, int64_t now_ns);
/* The next one that may go, or with `all` any; NULL where there is none. It holds until the next call. */
const struct event *order_take(struct order *o, bool all);

#endif
