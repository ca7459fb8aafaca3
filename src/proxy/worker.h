/*
 * worker: everything that one thread owns. Nothing here is touched by another thread but the counters (read), the ring's
 * far end, and what server.h marks as shared. There are no globals.
 */
#ifndef BROWNOUT_PROXY_WORKER_H
#define BROWNOUT_PROXY_WORKER_H

#include <pthread.h>

#include "base/pool.h"
#include "config/plan.h"
#include "fault/answer.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "observe/ring.h"
#include "proxy/client.h"
#include "proxy/shape.h"
#include "proxy/traffic_map.h"
#include "proxy/upstream.h"

#define WORKER_SCRATCH_BYTES 65536
/* Room in `out` for what forwarding adds to a head. */
#define WORKER_OUT_EXTRA_BYTES 4096

/* What the workers share. Counts are exact: a ceiling is reserved before it is used. */
struct shared {
	const struct plan *plan;
	unsigned n_workers;
	struct rule_states *states;
	struct fault_answer *answers; /* by fault_abort.number */
	struct control *control; /* NULL: requests may not ask for faults */
	struct resolver *resolver;
	struct traffic_map traffic;
	struct address *fixed; /* by upstream: where no name is to be resolved; n == 0 otherwise */
	_Atomic uint32_t *upstream_open; /* by upstream: connections open in all workers */
	_Atomic uint32_t clients_open;
	_Atomic uint32_t workers_running;
	_Atomic uint32_t refuse_next; /* so many of the next connections are reset as they come (connection: refuse) */
};

struct control;

struct worker_listener {
	struct listener listener;
	struct worker *worker;
	const struct plan_listener *plan;
	uint16_t index;
};

struct worker {
	struct shared *shared;
	const struct plan *plan;
	unsigned number;
	pthread_t thread;
	struct loop *loop;

	struct worker_listener *listeners; /* plan->n_listeners */
	struct worker_upstream *upstreams; /* plan->n_upstreams */
	struct list clients_open; /* struct client */
	uint32_t n_clients; /* in it */
	struct list resolving; /* struct exchange */
	struct pool clients;
	struct pool upstream_conns;
	struct pool shapes;
	struct pool decided; /* struct record_decisions */
	struct blocks blocks;
	struct pattern_scratch *patterns;

	/* Work space of the running task; nothing in it outlives the task but through peer_settle. */
	char *scratch;
	struct peer *scratch_owner;
	struct text out; /* heads being written */
	struct text tail; /* the end of a chunked body being written */
	char *path; /* normalised path; max_header_bytes */
	struct http_request request;
	struct http_response response;
	const struct client *parsed_for; /* whose request `request` is */
	struct fault_plan last_plan; /* of decide */

	char date[sizeof("Date: ") - 1 + 29 + 2]; /* a whole field line, good for the current second */
	int64_t date_until_ns; /* CLOCK_MONOTONIC */

	struct counters counters;
	struct traffic_counts *traffic;
	struct ring *ring; /* NULL: nobody wants records */
	uint64_t next_id;
	uint64_t next_token;
	bool draining;
	_Atomic bool is_asked; /* worker_comes_round waits for its loop to come round */
	_Atomic bool has_ended;
};

/* listen_fds: one per listener, taken over. -errno. The thread is not started. */
int worker_init(struct worker *w, unsigned number, struct shared *shared, const int *listen_fds, bool records) MUST_USE;
/* After its thread has ended (or was never started). */
void worker_deinit(struct worker *w);
int worker_start(struct worker *w) MUST_USE;

/* Any thread: stop accepting, let open exchanges end / cut them. */
int worker_post_drain(struct worker *w) MUST_USE;
int worker_post_stop(struct worker *w) MUST_USE;
/* Any thread, one at a time: true where the loop has come round since the last call, or has ended; then asks it anew. */
bool worker_comes_round(struct worker *w);

/* A client has come or gone. The last one to go ends the loop of a draining worker. */
void worker_client_came(struct worker *w, struct list *node);
void worker_client_gone(struct worker *w, struct list *node);

/* "Date: ... CRLF" and the date alone, of this second. */
struct span worker_date_line(struct worker *w);
struct span worker_date(struct worker *w);

#endif
