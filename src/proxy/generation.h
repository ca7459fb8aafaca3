/*
 * generation: one load of the rules, ready to act by: the plan, its counts, its rendered answers, what is known of its upstreams.
 * Shared by all workers and immutable but for its counts. A reload makes another one; an exchange keeps the one that it began
 * with, so an old generation lives until its last exchange has ended and its last record has been written.
 */
#ifndef BROWNOUT_PROXY_GENERATION_H
#define BROWNOUT_PROXY_GENERATION_H

#include "config/plan.h"
#include "core/rule_states.h"
#include "fault/answer.h"
#include "net/address.h"
#include "proxy/traffic_map.h"

struct control;

/* One upstream as all workers see it: the same object in every generation that names the same upstream. */
struct upstream_shared {
	_Atomic unsigned references;
	_Atomic uint32_t open; /* connections in all workers; max_connections is reserved here, exactly */
	_Atomic uint32_t wanted; /* so many of the idle ones are to be closed, by whichever worker has them */
	_Atomic int64_t asked_ns; /* when the workers were last told so (upstream_ask_for_place) */
	struct address fixed; /* where no name is to be resolved; n == 0 otherwise */
};

struct generation {
	_Atomic unsigned references; /* of workers; the server frees where there is none (server_tidy) */
	uint64_t number; /* 1 at start */
	struct plan *plan;
	struct rule_states states;
	struct fault_answer *answers; /* by fault_abort.number */
	struct control *control; /* NULL: requests may not ask for faults */
	struct upstream_shared **upstreams; /* by upstream */
	struct tls_context **upstream_tls; /* by upstream; NULL: plain */
	struct tls_context **listener_tls; /* by listener; NULL: plain */
	struct traffic_map traffic;

	/* The server's: */
	struct generation *older; /* still in use */
	uint64_t free_at; /* number of the collector's pass after which no record points here; 0: not known yet */
};

/*
 * Takes a reference to the plan. `old` is in force now and lends what has not changed: upstreams, counts of rules; NULL at the
 * start. origin is where the embedded upstream listens. -errno with one line in error.
 */
int generation_new(struct generation **g, struct plan *plan, const struct generation *old, struct traffic *traffic,
	const struct address *origin, char *error, size_t error_n) MUST_USE;
/* What generation_new would find wrong with the certificates and keys of the plan. 0; negative with one line in error. */
int generation_check_tls(struct plan *plan, char *error, size_t error_n) MUST_USE;
/* No worker refers to it, and no record. */
void generation_free(struct generation *g);

static inline struct generation *generation_ref(struct generation *g)
{
	atomic_fetch_add_explicit(&g->references, 1, memory_order_relaxed);
	return g;
}
/* Nothing is freed here: a worker has no time for it. */
static inline void generation_unref(struct generation *g)
{
	atomic_fetch_sub_explicit(&g->references, 1, memory_order_release);
}

#endif
