/*
 * traffic_map: where a plan's requests are counted: the slot (observe/traffic.h) of each pair of listener and upstream, by
 * their places in the plan. Made once for a plan, read by all workers.
 */
#ifndef BROWNOUT_PROXY_TRAFFIC_MAP_H
#define BROWNOUT_PROXY_TRAFFIC_MAP_H

#include "config/plan.h"
#include "observe/traffic.h"

struct traffic_map {
	uint16_t *v; /* by listener, then none and each upstream; NULL: all together are counted as others */
	uint32_t stride;
};

/* Gives a slot to each pair that a route of the plan makes, and to each listener without an upstream. -ENOMEM. */
int traffic_map_init(struct traffic_map *m, struct traffic *t, const struct plan *plan) MUST_USE;
void traffic_map_deinit(struct traffic_map *m);

/* upstream: UINT16_MAX where none was chosen. */
static inline unsigned traffic_map_slot(const struct traffic_map *m, uint16_t listener, uint16_t upstream)
{
	return m->v ? m->v[listener * m->stride + (uint16_t)(upstream + 1)] : TRAFFIC_OTHER;
}

#endif
