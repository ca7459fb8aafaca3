/*
 * traffic: requests counted by listener, upstream and class of status. A pair of names has a slot, which it keeps as long as
 * brownout runs: a rule file that is loaded anew goes on counting where it was. There is room for so many pairs and no more;
 * later ones are counted together. The names belong to one struct traffic of all workers; each worker has counts of its own.
 */
#ifndef BROWNOUT_OBSERVE_TRAFFIC_H
#define BROWNOUT_OBSERVE_TRAFFIC_H

#include "observe/counters.h"

#define TRAFFIC_SLOTS 256
#define TRAFFIC_OTHER 0 /* the slot of the pairs that found no room */
#define TRAFFIC_CLASSES 6 /* 0: no answer went out; 1xx to 5xx */

struct traffic;

struct traffic_pair {
	struct span listener;
	struct span upstream; /* empty: none was chosen */
};

/* Counts of one worker, by slot and class. */
struct traffic_counts {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t v[TRAFFIC_SLOTS][8];
};

/* NULL where memory is out. */
struct traffic *traffic_new(void) MUST_USE;
void traffic_free(struct traffic *t);

/* The slot of the pair, which is given one now where it has none; names are copied. Any thread. TRAFFIC_OTHER: no room. */
unsigned traffic_slot(struct traffic *t, struct traffic_pair pair);
/* Slots in use; 1 to so many less 1 have a pair. Any thread. */
unsigned traffic_n(const struct traffic *t);
/* Of a slot in use but TRAFFIC_OTHER; lives as long as t. */
struct traffic_pair traffic_pair(const struct traffic *t, unsigned slot);

/* Only the owning thread may add. status_class: of what went out, 0 for nothing. */
static inline void traffic_add(struct traffic_counts *c, unsigned slot, unsigned status_class)
{
	counter_bump(&c->v[slot][status_class], 1);
}

/* sum += from, for totals over the workers. `sum` belongs to the caller alone. */
void traffic_sum(struct traffic_counts *sum, const struct traffic_counts *from);

/* Of all slots. */
uint64_t traffic_of_class(const struct traffic_counts *c, unsigned status_class);

/* "none", "1xx" to "5xx". */
const char *traffic_class_name(unsigned status_class);

#endif
