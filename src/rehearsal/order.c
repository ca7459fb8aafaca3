/*
 * order: a sorted ring of numbers. What comes is put in from the end, past the few that ended later: the usual one costs one
 * comparison, and one that comes in the worst of orders moves no more than numbers.
 */
#include "rehearsal/order.h"

#include <stdlib.h>

#define ORDER_FIRST 256u
#define ORDER_MAX 32768u

void order_init(struct order *o)
{
	*o = (struct order){ .newest_ns = INT64_MIN };
}

void order_deinit(struct order *o)
{
	free(o->v);
	free(o->ring);
	order_init(o);
}

static uint32_t *place(const struct order *o, uint32_t i)
{
	return &o->ring[(o->at + i) & (o->cap - 1)];
}

static bool grow(struct order *o)
{
	uint32_t cap = o->cap ? o->cap * 2 : ORDER_FIRST;
	struct event *v = realloc(o->v, cap * sizeof(*v));
	uint32_t *ring = v ? malloc(cap * sizeof(*ring)) : NULL;

	if (v)
		o->v = v;
	if (!ring)
		return false;
	/* It is full: all old places are in use. */
	for (uint32_t i = 0; i < cap; i++)
		ring[i] = i < o->n ? *place(o, i) : i;
	free(o->ring);
	o->ring = ring;
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

bool order_add(struct order *o, const struct event *e)
{
	uint32_t slot, i;

	if (o->n == o->cap && !grow(o))
		return false;
	slot = *place(o, o->n);
	o->v[slot] = *e;
	for (i = o->n; i > 0 && goes_before(e, &o->v[*place(o, i - 1)]); i--)
		*place(o, i) = *place(o, i - 1);
	*place(o, i) = slot;
	o->n++;
	o->newest_ns = MAX(o->newest_ns, e->end_ns);
	return true;
}

void order_advance(struct order *o, int64_t now_ns)
{
	o->newest_ns = MAX(o->newest_ns, now_ns);
}

const struct event *order_take(struct order *o, bool all)
{
	const struct event *e;

	if (o->n == 0)
		return NULL;
	e = &o->v[*place(o, 0)];
	if (!all && o->n < ORDER_MAX && e->end_ns > o->newest_ns - JUDGE_LATE_NS)
		return NULL;
	o->at = (o->at + 1) & (o->cap - 1); /* its place is the last of the free ones now */
	o->n--;
	return e;
}
