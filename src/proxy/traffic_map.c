/*
 * traffic_map: see traffic_map.h.
 */
#include "proxy/traffic_map.h"

#include <errno.h>
#include <stdlib.h>

/* Listeners times upstreams; only a file that nobody would write has more. */
#define MAP_CELLS_MAX (UINT64_C(1) << 20)

int traffic_map_init(struct traffic_map *m, struct traffic *t, const struct plan *plan)
{
	uint64_t n = (uint64_t)plan->n_listeners * (plan->n_upstreams + 1U);

	*m = (struct traffic_map){ .stride = plan->n_upstreams + 1U };
	if (n > MAP_CELLS_MAX)
		return 0;
	m->v = calloc(n, sizeof(*m->v));
	if (!m->v)
		return -ENOMEM;
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		const struct plan_listener *l = &plan->listeners[i];
		uint16_t *row = &m->v[i * m->stride];

		row[0] = (uint16_t)traffic_slot(t, (struct traffic_pair){ l->name, SPAN_EMPTY });
		for (unsigned k = 0; k < l->n_routes; k++) {
			unsigned u = l->routes[k].upstream;

			row[u + 1] = (uint16_t)traffic_slot(t, (struct traffic_pair){ l->name, plan->upstreams[u].name });
		}
	}
	return 0;
}

void traffic_map_deinit(struct traffic_map *m)
{
	free(m->v);
	*m = (struct traffic_map){ 0 };
}
