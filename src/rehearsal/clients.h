/*
 * clients: what is known of each client besides its chains: whether it keeps its idempotency keys, its retry tokens, and how
 * long it was told to stay away from a path, a host or a quota. Bounded: who was not heard of for longest is forgotten.
 */
#ifndef BROWNOUT_REHEARSAL_CLIENTS_H
#define BROWNOUT_REHEARSAL_CLIENTS_H

#include "core/lru.h"
#include "rehearsal/event.h"

#define CLIENTS_MAX 4096
#define CLIENTS_TOKENS 500 /* of the token model (expect.budget_tokens) */

struct client_row {
	struct lru_node node;
	bool keeps_keys; /* has sent a second attempt with the key of the first */
	uint16_t redirects; /* in a row, each right after the one before it, of no more than two kinds */
	uint64_t redirected[2]; /* these */
	int64_t redirected_ns; /* when the last of them was known */
	bool crowded; /* has had several requests under way at a time */
	int64_t known_ns; /* when it was known how the last of them went */
	double tokens;
	int64_t first_ns, last_ns; /* beginnings of its first and last request */
};

/* A time in which a client was told to send nothing there. */
struct stay_away {
	struct lru_node node;
	int64_t since_ns; /* when it could know */
	int64_t until_ns; /* less what is tolerated */
	int64_t told_ns;
	uint64_t id; /* of the exchange that told it */
	uint64_t connection; /* that it was told on */
	uint16_t source;
	bool followed; /* it has sent something since */
};

struct clients {
	struct lru rows;
	struct lru waits; /* by path or host, as expect.retry_after_scope says */
	struct lru quotas; /* by host */
};

void clients_init(struct clients *c);
void clients_deinit(struct clients *c);

/* The client of this exchange, noted. NULL where memory is out. */
struct client_row *clients_see(struct clients *c, const struct event *e);

/* NULL where nothing was told. */
struct stay_away *clients_find_wait(struct lru *l, uint64_t where);
/* From when it is known that e told so, for told_ns; until_ns is what counts. */
/* Returns how many that were not over had to be forgotten for it. */
unsigned clients_set_wait(struct lru *l, uint64_t where, const struct event *e, int64_t told_ns, int64_t until_ns);

#endif
