/*
 * upstream: connections to the upstreams of one worker: the idle ones that can be used again (last used first), and those
 * in use, each bound to one client. An idle connection that its upstream closes goes at once; one that is too old is not
 * used again. The ceiling over all workers is kept by the server's shared counts, exactly.
 */
#ifndef BROWNOUT_PROXY_UPSTREAM_H
#define BROWNOUT_PROXY_UPSTREAM_H

#include "net/resolver.h"
#include "proxy/generation.h"
#include "proxy/peer.h"

struct client;
struct exchange;
struct worker;

struct upstream_conn {
	struct peer peer;
	struct task task; /* while idle */
	struct grave grave;
	struct list node; /* in worker_upstream.idle while idle */
	struct worker *worker;
	struct worker_upstream *upstream;
	struct client *client; /* while in use */
	int64_t idle_since_ns;
	uint64_t written_before; /* conn.written when the current request began */
};

/*
 * One worker's view of one upstream. It belongs to the generations of the plan that name the upstream, and lives as long as
 * one of them; connections in use hold their exchange's generation.
 */
struct worker_upstream {
	struct upstream_shared *shared; /* kept by the generations */
	struct worker *worker;
	unsigned users; /* generations of this worker */
	struct list idle; /* most recently used first */
	uint32_t n_idle;
	uint32_t keep; /* idle connections to keep */
	uint32_t max_connections; /* over all workers; 0: no limit */
	int64_t keepalive_timeout_ns;
	struct timer sweep; /* closes those that are too old */
	struct resolver_answer addresses; /* as last resolved */
	struct address silent; /* the last that did not answer in time: until silent_until_ns the others are tried first */
	int64_t silent_until_ns;
};
_Static_assert(RESOLVER_ADDRESSES_MAX <= 8, "an exchange keeps in a byte which addresses it has tried");

void worker_upstream_init(struct worker_upstream *u, struct worker *w, struct upstream_shared *shared);
/* What the plan in force says of it; closes what is idle beyond that. */
void worker_upstream_update(struct worker_upstream *u, const struct plan_upstream *plan, unsigned n_workers);
/* It is in the plan no more: closes the idle connections, keeps no others. */
void worker_upstream_retire(struct worker_upstream *u);
/* Closes the idle connections. None may be in use. */
void worker_upstream_deinit(struct worker_upstream *u);

/* An idle connection, now bound to the client; NULL where there is none. */
struct upstream_conn *upstream_take(struct worker_upstream *u, struct client *c);

/*
 * A new connection to one of u->addresses that the client's exchange has not tried yet (connect_at, connect_tried), the next one
 * where that fails at once. Bound to the client; established or on its way. 0; 1: the ceiling is reached; negative: -errno, of
 * the address that tells most.
 */
int upstream_connect(struct worker_upstream *u, struct client *c, struct upstream_conn **up) MUST_USE;
/* So many addresses the exchange has not tried yet. */
unsigned upstream_untried(const struct worker_upstream *u, const struct exchange *ex);
/* The one that the exchange tries has not answered in its time. */
void upstream_note_silence(struct worker_upstream *u, const struct exchange *ex);

/*
 * Of the errnos of two addresses of one name, the one to tell: that there is no way to an address says least. A name has
 * addresses of both families, and many a machine has one of them only; what it is there to say is what the other one did.
 */
int upstream_error_of_two(int before, int after);

/*
 * The ceiling is reached. True: other workers have idle connections, and are asked to close one; it is to be tried again after
 * UPSTREAM_LOOK_NS. again: this exchange has asked before.
 */
bool upstream_ask_for_place(struct worker_upstream *u, bool again) MUST_USE;
#define UPSTREAM_LOOK_NS NS_PER_MS

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
