/*
 * clients: see the header.
 */
#include "rehearsal/clients.h"

void clients_init(struct clients *c)
{
	lru_init(&c->rows, sizeof(struct client_row), CLIENTS_MAX);
	lru_init(&c->waits, sizeof(struct stay_away), CLIENTS_MAX);
	lru_init(&c->quotas, sizeof(struct stay_away), CLIENTS_MAX);
}

void clients_deinit(struct clients *c)
{
	lru_deinit(&c->rows);
	lru_deinit(&c->waits);
	lru_deinit(&c->quotas);
}

struct client_row *clients_see(struct clients *c, const struct event *e)
{
	uint64_t hash = lru_hash(0, e->client);
	struct client_row *row = (struct client_row *)lru_find(&c->rows, hash, 0, e->client);
	struct lru_node node;
	bool evicted;

	if (!row) {
		row = (struct client_row *)lru_add(&c->rows, hash, 0, e->client, &evicted);
		if (!row)
			return NULL;
		node = row->node;
		*row = (struct client_row){ .node = node, .tokens = CLIENTS_TOKENS, .first_ns = e->first_ns };
	}
	row->crowded = row->crowded || e->first_ns < row->known_ns;
	row->known_ns = MAX(row->known_ns, event_known_ns(e));
	row->first_ns = MIN(row->first_ns, e->first_ns);
	row->last_ns = MAX(row->last_ns, e->first_ns);
	return row;
}

struct stay_away *clients_find_wait(struct lru *l, uint64_t where)
{
	return l->n ? (struct stay_away *)lru_find(l, lru_hash(0, where), 0, where) : NULL;
}

unsigned clients_set_wait(struct lru *l, uint64_t where, const struct event *e, int64_t told_ns, int64_t until_ns)
{
	struct stay_away *w = clients_find_wait(l, where);
	struct lru_node node;
	bool evicted = false;
	unsigned forgotten;

	if (!w)
		w = (struct stay_away *)lru_add(l, lru_hash(0, where), 0, where, &evicted);
	if (!w)
		return 1;
	forgotten = evicted && w->until_ns > event_known_ns(e);
	node = w->node;
	*w = (struct stay_away){
		.node = node,
		.since_ns = event_known_ns(e),
		.until_ns = until_ns,
		.told_ns = told_ns,
		.id = e->id,
		.connection = e->connection,
		.source = e->source,
	};
	return forgotten;
}
