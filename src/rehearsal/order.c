/*
 * order: a sorted ring of numbers, and a heap beside it. What comes is put into the ring from its end, past the few that ended
 * later: the usual one costs one comparison. What would have to go past many goes to the heap, so that the worst of orders
 * costs no more than a few comparisons for each either. The next one is the first of the ring or the top of the heap.
 */
#include "rehearsal/order.h"

#include <stdlib.h>

#define ORDER_FIRST 256u
#define ORDER_MAX 32768u

void likeness_drop(struct judge_likeness *l)
{
	if (l && --l->keepers == 0)
		free(l);
}

void order_init(struct order *o)
{
	*o = (struct order){ .newest_ns = INT64_MIN / 2, .late_ns = JUDGE_LATE_NS };
}

static uint32_t count(const struct order *o)
{
	return o->n_ring + o->n_heap;
}

static uint32_t *place(const struct order *o, uint32_t i)
{
	return &o->ring[(o->at + i) & (o->cap - 1)];
}

void order_deinit(struct order *o)
{
	for (uint32_t i = 0; i < o->n_ring; i++)
		likeness_drop(o->v[*place(o, i)].like);
	for (uint32_t i = 0; i < o->n_heap; i++)
		likeness_drop(o->v[o->heap[i]].like);
	likeness_drop(o->taken);
	free(o->v);
	free(o->ring);
	free(o->own);
	free(o->free_own);
	order_init(o);
}

/* It is full: nothing is free. */
static bool grow(struct order *o)
{
	uint32_t cap = o->cap ? o->cap * 2 : ORDER_FIRST;
	struct moment *v = realloc(o->v, cap * sizeof(*v));
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

/* Nothing of `own` is free. */
static bool grow_own(struct order *o)
{
	uint32_t cap = o->cap_own ? o->cap_own * 2 : ORDER_FIRST;
	struct event *own = realloc(o->own, cap * sizeof(*own));
	uint32_t *free_own = own ? realloc(o->free_own, cap * sizeof(*free_own)) : NULL;

	if (own)
		o->own = own;
	if (!free_own)
		return false;
	o->free_own = free_own;
	o->n_free_own = cap - o->cap_own;
	for (uint32_t i = 0; i < o->n_free_own; i++)
		free_own[i] = cap - 1 - i;
	o->cap_own = cap;
	return true;
}

static const struct event *event_at(const struct order *o, const struct moment *m)
{
	return m->like ? &m->like->event : &o->own[m->own];
}

/*
 * By end; what ended at the same time by beginning, then by number and by what it is. By trace only at last: in which order
 * traces are named makes no difference.
 */
static bool goes_before(const struct order *o, const struct moment *a, const struct moment *b)
{
	const struct event *x, *y;

	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns;
	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns;
	if (a->id != b->id)
		return a->id < b->id;
	x = event_at(o, a);
	y = event_at(o, b);
	if (x->kind != y->kind)
		return x->kind < y->kind;
	return a->connection != b->connection ? a->connection < b->connection : x->source < y->source;
}

static bool slot_goes_before(const struct order *o, uint32_t a, uint32_t b)
{
	return goes_before(o, &o->v[a], &o->v[b]);
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

static bool is_near(const struct order *o, uint32_t slot)
{
	return o->n_ring < ORDER_NEAR || !slot_goes_before(o, slot, *place(o, o->n_ring - ORDER_NEAR));
}

static void ring_insert(struct order *o, uint32_t slot)
{
	uint32_t i = o->n_ring++;

	for (; i > 0 && slot_goes_before(o, slot, *place(o, i - 1)); i--)
		*place(o, i) = *place(o, i - 1);
	*place(o, i) = slot;
}

/* It lies in the topmost of the places that are free. */
static void put(struct order *o)
{
	uint32_t slot = o->free[o->cap - count(o) - 1];
	int64_t end_ns = o->v[slot].end_ns;

	if (is_near(o, slot))
		ring_insert(o, slot);
	else
		heap_push(o, slot);
	if (!o->by_clock)
		o->newest_ns = MAX(o->newest_ns, end_ns);
}

static struct moment *free_moment(struct order *o)
{
	if (count(o) == o->cap && !grow(o))
		return NULL;
	return &o->v[o->free[o->cap - count(o) - 1]];
}

bool order_add(struct order *o, const struct event *e)
{
	struct moment *m = free_moment(o);
	uint32_t own;

	if (!m || (o->n_free_own == 0 && !grow_own(o)))
		return false;
	own = o->free_own[--o->n_free_own];
	o->own[own] = *e;
	/* The times that nothing is put in order by are there alone. */
	*m = (struct moment){ .end_ns = e->end_ns, .first_ns = e->first_ns, .id = e->id, .connection = e->connection,
		.own = own };
	put(o);
	return true;
}

bool order_add_repeat(struct order *o, const struct judge_repeat *r)
{
	struct moment *m = free_moment(o);
	struct event times;

	if (!m)
		return false;
	event_set_times(&times, r->first_ns, r->last_ns, r->hdr_ns, r->end_ns);
	r->like->keepers++;
	*m = (struct moment){
		.end_ns = times.end_ns,
		.first_ns = times.first_ns,
		.last_ns = times.last_ns,
		.hdr_ns = times.hdr_ns,
		.id = r->id,
		.connection = r->connection,
		.like = r->like,
		.connections = r->connections,
	};
	put(o);
	return true;
}

void order_advance(struct order *o, int64_t now_ns)
{
	o->newest_ns = MAX(o->newest_ns, now_ns);
}

/* The place may be used anew from now on, what lies in it does so for the time being. */
static const struct event *let_go(struct order *o, const struct moment *m)
{
	struct event *e;

	likeness_drop(o->taken);
	o->taken = m->like;
	if (!m->like) {
		o->free_own[o->n_free_own++] = m->own;
		return &o->own[m->own];
	}
	e = &m->like->event;
	e->end_ns = m->end_ns;
	e->first_ns = m->first_ns;
	e->last_ns = m->last_ns;
	e->hdr_ns = m->hdr_ns;
	e->id = m->id;
	e->connection = m->connection;
	e->connections = m->connections;
	return e;
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
	return let_go(o, &o->v[slot]);
}
