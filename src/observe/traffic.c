/*
 * traffic: the names of the slots. Slots are only ever added: who has read their number may read their names without a lock.
 */
#include "observe/traffic.h"

#include <pthread.h>
#include <stdlib.h>

struct traffic {
	pthread_mutex_t lock; /* held while a slot is looked for and added */
	_Atomic unsigned n;
	struct traffic_pair v[TRAFFIC_SLOTS]; /* both names of a pair in one block, the listener's */
};

struct traffic *traffic_new(void)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	(void)pthread_mutex_init(&t->lock, NULL);
	atomic_init(&t->n, TRAFFIC_OTHER + 1);
	return t;
}

void traffic_free(struct traffic *t)
{
	if (!t)
		return;
	for (unsigned i = TRAFFIC_OTHER + 1; i < traffic_n(t); i++)
		free((char *)(uintptr_t)t->v[i].listener.p);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

static unsigned find(const struct traffic *t, struct traffic_pair pair, unsigned n)
{
	for (unsigned i = TRAFFIC_OTHER + 1; i < n; i++) {
		if (span_eq(t->v[i].listener, pair.listener) && span_eq(t->v[i].upstream, pair.upstream))
			return i;
	}
	return TRAFFIC_OTHER;
}

/* TRAFFIC_OTHER where there is no room. */
static unsigned add(struct traffic *t, struct traffic_pair pair, unsigned n)
{
	char *names = n < TRAFFIC_SLOTS ? malloc(pair.listener.n + pair.upstream.n + 1) : NULL;

	if (!names)
		return TRAFFIC_OTHER;
	if (pair.listener.n)
		memcpy(names, pair.listener.p, pair.listener.n);
	if (pair.upstream.n)
		memcpy(names + pair.listener.n, pair.upstream.p, pair.upstream.n);
	t->v[n].listener = span_of(names, pair.listener.n);
	t->v[n].upstream = span_of(names + pair.listener.n, pair.upstream.n);
	atomic_store_explicit(&t->n, n + 1, memory_order_release);
	return n;
}

unsigned traffic_slot(struct traffic *t, struct traffic_pair pair)
{
	unsigned slot, n;

	pthread_mutex_lock(&t->lock);
	n = atomic_load_explicit(&t->n, memory_order_relaxed);
	slot = find(t, pair, n);
	if (slot == TRAFFIC_OTHER)
		slot = add(t, pair, n);
	pthread_mutex_unlock(&t->lock);
	return slot;
}

unsigned traffic_n(const struct traffic *t)
{
	return atomic_load_explicit(&t->n, memory_order_acquire);
}

struct traffic_pair traffic_pair(const struct traffic *t, unsigned slot)
{
	return t->v[slot];
}

void traffic_sum(struct traffic_counts *sum, const struct traffic_counts *from)
{
	for (unsigned i = 0; i < TRAFFIC_SLOTS; i++) {
		for (unsigned k = 0; k < TRAFFIC_CLASSES; k++)
			counter_bump(&sum->v[i][k], counter_load(&from->v[i][k]));
	}
}

uint64_t traffic_of_class(const struct traffic_counts *c, unsigned status_class)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < TRAFFIC_SLOTS; i++)
		n += counter_load(&c->v[i][status_class]);
	return n;
}

const char *traffic_class_name(unsigned status_class)
{
	static const char *const names[TRAFFIC_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

	return names[status_class];
}
