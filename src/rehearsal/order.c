/*
 * order: a sorted ring, and a heap beside it. What comes is put into the ring from its end, past the few that ended
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

static struct moment *place(const struct order *o, uint32_t i)
{
	return &o->ring[(o->at + i) & (o->cap_ring - 1)];
}

void order_deinit(struct order *o)
{
	for (uint32_t i = 0; i < o->n_ring; i++)
		likeness_drop(place(o, i)->like);
	for (uint32_t i = 0; i < o->n_heap; i++)
		likeness_drop(o->heap[i].like);
	likeness_drop(o->taken);
	free(o->ring);
	free(o->heap);
	free(o->own);
	free(o->free_own);
	order_init(o);
}

/* The ring is full. */
static bool grow_ring(struct order *o)
{
	uint32_t cap = o->cap_ring ? o->cap_ring * 2 : ORDER_FIRST;
	struct moment *ring = malloc(cap * sizeof(*ring));

	if (!ring)
		return false;
	for (uint32_t i = 0; i < o->n_ring; i++)
		ring[i] = *place(o, i);
	free(o->ring);
	o->ring = ring;
	o->cap_ring = cap;
	o->at = 0;
	return true;
}

static bool grow_heap(struct order *o)
{
	uint32_t cap = o->cap_heap ? o->cap_heap * 2 : ORDER_FIRST;
	struct moment *heap = realloc(o->heap, cap * sizeof(*heap));

	if (!heap)
		return false;
	o->heap = heap;
	o->cap_heap = cap;
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

/* ---- the heap ---- */

static bool heap_push(struct order *o, const struct moment *m)
{
	uint32_t i;

	if (o->n_heap == o->cap_heap && !grow_heap(o))
		return false;
	for (i = o->n_heap++; i > 0 && goes_before(o, m, &o->heap[(i - 1) / 2]); i = (i - 1) / 2)
		o->heap[i] = o->heap[(i - 1) / 2];
	o->heap[i] = *m;
	return true;
}

static void heap_pop(struct order *o)
{
	const struct moment *last = &o->heap[--o->n_heap];
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < o->n_heap && goes_before(o, &o->heap[child + 1], &o->heap[child]))
			child++;
		if (child >= o->n_heap || !goes_before(o, &o->heap[child], last))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = *last;
}

/* ---- both ---- */

static bool is_near(const struct order *o, const struct moment *m)
{
	return o->n_ring < ORDER_NEAR || !goes_before(o, m, place(o, o->n_ring - ORDER_NEAR));
}

static bool ring_insert(struct order *o, const struct moment *m)
{
	uint32_t i;

	if (o->n_ring == o->cap_ring && !grow_ring(o))
		return false;
	for (i = o->n_ring++; i > 0 && goes_before(o, m, place(o, i - 1)); i--)
		*place(o, i) = *place(o, i - 1);
	*place(o, i) = *m;
	return true;
}

static bool put(struct order *o, const struct moment *m)
{
	if (!(is_near(o, m) ? ring_insert(o, m) : heap_push(o, m)))
		return false;
	if (!o->by_clock)
		o->newest_ns = MAX(o->newest_ns, m->end_ns);
	return true;
}

bool order_add(struct order *o, const struct event *e)
{
	struct moment m = { .end_ns = e->end_ns, .first_ns = e->first_ns, .id = e->id, .connection = e->connection };

	if (o->n_free_own == 0 && !grow_own(o))
		return false;
	m.own = o->free_own[o->n_free_own - 1];
	o->own[m.own] = *e;
	if (!put(o, &m))
		return false;
	o->n_free_own--;
	return true;
}

bool order_add_repeat(struct order *o, const struct judge_repeat *r)
{
	struct event times;
	struct moment m = { .id = r->id, .connection = r->connection, .like = r->like, .connections = r->connections };

	event_set_times(&times, r->first_ns, r->last_ns, r->hdr_ns, r->end_ns);
	m.end_ns = times.end_ns;
	m.first_ns = times.first_ns;
	m.last_ns = times.last_ns;
	m.hdr_ns = times.hdr_ns;
	if (!put(o, &m))
		return false;
	r->like->keepers++;
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
	const struct moment *first = o->n_ring ? place(o, 0) : NULL;
	const struct event *e;

	if (o->n_heap && (!first || goes_before(o, &o->heap[0], first)))
		first = &o->heap[0];
	if (!first)
		return NULL;
	if (!all && o->n_ring + o->n_heap < ORDER_MAX && first->end_ns > o->newest_ns - o->late_ns)
		return NULL;
	e = let_go(o, first);
	if (o->n_heap && first == &o->heap[0]) {
		heap_pop(o);
	} else {
		o->at = (o->at + 1) & (o->cap_ring - 1);
		o->n_ring--;
	}
	return e;
}
