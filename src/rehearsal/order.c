/*
 * order: a sorted ring of numbers, and a heap beside it. What comes is put into the ring from its end, past the few that ended
 * later: the usual one costs one comparison. What would have to go past many goes to the heap, so that the worst of orders
 * costs no more than a few comparisons for each either. The next one is the first of the ring or the top of the heap.
 */
#include "rehearsal/order.h"

#include <stdlib.h>

#define ORDER_FIRST 256u
#define ORDER_MAX 32768u

void order_init(struct order *o)
{
	*o = (struct order){ .newest_ns = INT64_MIN / 2, .late_ns = JUDGE_LATE_NS };
}

void order_deinit(struct order *o)
{
	free(o->v);
	free(o->ring);
	order_init(o);
}

static uint32_t count(const struct order *o)
{
	return o->n_ring + o->n_heap;
}

static uint32_t *place(const struct order *o, uint32_t i)
{
	return &o->ring[(o->at + i) & (o->cap - 1)];
}

/* It is full: nothing is free. */
static bool grow(struct order *o)
{
	uint32_t cap = o->cap ? o->cap * 2 : ORDER_FIRST;
	struct event *v = realloc(o->v, cap * sizeof(*v));
	uint32_t *ring = v ? malloc(3 * cap * sizeof(*ring)) : NULL;

	if (v)
		o->v = v;
	if (!ring)
		return false;
	for (uint32_t i = 0; i < o->n_ring; i++)
		ring[i] = *place(o, i);
	if (o->n_heap)
		memcpy(ring + cap, o->heap, o->n_heap * sizeof(*ring));
	free(o->ring);
	o->ring = ring;
	o->heap = ring + cap;
	o->free = ring + 2 * cap;
	for (uint32_t i = 0; i < cap - o->cap; i++)
		o->free[i] = cap - 1 - i;
	o->cap = cap;
	o->at = 0;
	return true;
}

/*
 * By end; what ended at the same time by beginning, then by number and by what it is. By trace only at last: in which order
 * traces are named makes no difference.
 */
static bool goes_before(const struct event *a, const struct event *b)
{
	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns;
	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns;
	if (a->id != b->id)
		return a->id < b->id;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->connection != b->connection ? a->connection < b->connection : a->source < b->source;
}

static bool slot_goes_before(const struct order *o, uint32_t a, uint32_t b)
{
	return goes_before(&o->v[a], &o->v[b]);
}

/* ---- the heap ---- */

static void heap_push(struct order *o, uint32_t slot)
{
	uint32_t i = o->n_heap++;

	while (i > 0 && slot_goes_before(o, slot, o->heap[(i - 1) / 2])) {
		o->heap[i] = o->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	o->heap[i] = slot;
}

static void heap_pop(struct order *o)
{
	uint32_t slot = o->heap[--o->n_heap], i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < o->n_heap && slot_goes_before(o, o->heap[child + 1], o->heap[child]))
			child++;
		if (child >= o->n_heap || !slot_goes_before(o, o->heap[child], slot))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = slot;
}

/* ---- both ---- */

static bool is_near(const struct order *o, const struct event *e)
{
	return o->n_ring < ORDER_NEAR || !goes_before(e, &o->v[*place(o, o->n_ring - ORDER_NEAR)]);
}

static void ring_insert(struct order *o, uint32_t slot)
{
	uint32_t i = o->n_ring++;

	for (; i > 0 && slot_goes_before(o, slot, *place(o, i - 1)); i--)
		*place(o, i) = *place(o, i - 1);
	*place(o, i) = slot;
}

bool order_add(struct order *o, const struct event *e)
{
	uint32_t slot;

	if (count(o) == o->cap && !grow(o))
		return false;
	slot = o->free[o->cap - count(o) - 1];
	o->v[slot] = *e;
	if (is_near(o, e))
		ring_insert(o, slot);
	else
		heap_push(o, slot);
	if (!o->by_clock)
		o->newest_ns = MAX(o->newest_ns, e->end_ns);
	return true;
}

void order_advance(struct order *o, int64_t now_ns)
{
	o->newest_ns = MAX(o->newest_ns, now_ns);
}

const struct event *order_take(struct order *o, bool all)
{
	uint32_t n = count(o), slot;
	bool from_heap;

	if (n == 0)
		return NULL;
	from_heap = o->n_ring == 0 || (o->n_heap && slot_goes_before(o, o->heap[0], *place(o, 0)));
	slot = from_heap ? o->heap[0] : *place(o, 0);
	if (!all && n < ORDER_MAX && o->v[slot].end_ns > o->newest_ns - o->late_ns)
		return NULL;
	if (from_heap) {
		heap_pop(o);
	} else {
		o->at = (o->at + 1) & (o->cap - 1);
		o->n_ring--;
	}
	o->free[o->cap - n] = slot;
	return &o->v[slot];
}
