/*
 * upstream: connections to the upstreams of one worker: the idle ones that can be used again (last used first), and those
 * in use, each bound to one client. An idle connection that its upstream closes goes at once; one that is too old is not
 * used again. The ceiling over all workers is kept by the server's shared counts, exactly.
 */
#ifndef BROWNOUT_PROXY_UPSTREAM_H
#define BROWNOUT_PROXY_UPSTREAM_H

#include "config/plan.h"
#include "net/resolver.h"
#include "proxy/peer.h"

struct client;
struct worker;

struct upstream_conn {
	struct peer peer;
	struct task task; /* while idle */
	struct grave grave;
	struct list node; /* in worker_upstream.idle while idle */
	struct worker *worker;
	struct client *client; /* while in use */
	int64_t idle_since_ns;
	uint64_t written_before; /* conn.written when the current request began */
	uint16_t index; /* of the upstream */
};

/* One worker's view of one upstream. */
struct worker_upstream {
	const struct plan_upstream *plan;
	struct worker *worker;
	struct list idle; /* most recently used first */
	uint32_t n_idle;
	uint32_t keep; /* idle connections to keep */
	struct timer sweep; /* closes those that are too old */
	struct resolver_answer addresses; /* as last resolved */
};

void worker_upstream_init(struct worker_upstream *u, struct worker *w, const struct plan_upstream *plan, uint32_t keep);
/* Closes the idle connections. None may be in use. */
void worker_upstream_deinit(struct worker_upstream *u);

/* An idle connection, now bound to the client; NULL where there is none. */
struct upstream_conn *upstream_take(struct worker *w, uint16_t index, struct client *c);

/*
 * A new connection to address number *at of u->addresses or, where that fails at once, one behind it (*at is moved). Bound to
 * the client; established or on its way. 0; 1: the ceiling is reached; negative: the last address' errno.
 */
int upstream_connect(struct worker *w, uint16_t index, struct client *c, unsigned *at, struct upstream_conn **up) MUST_USE;

/* The exchange is over and the connection is fit to be used again: keeps it, or closes it where enough are kept. */
void upstream_keep(struct upstream_conn *up);
/* Closes, frees. The client's pointer to it must be cleared by the caller. */
void upstream_close(struct upstream_conn *up);

/*
 * True where it is certain that no byte of the current request reached the upstream's host: then, and only then, the request
 * may be sent again on another connection, whatever its method.
 */
bool upstream_got_nothing(const struct upstream_conn *up);

#endif
