/*
 * worker: everything that one thread owns. Nothing here is touched by another thread but the counters (read), the ring's
 * far end, and what server.h marks as shared. There are no globals.
 */
#ifndef BROWNOUT_PROXY_WORKER_H
#define BROWNOUT_PROXY_WORKER_H

#include <pthread.h>

#include "base/ip_text.h"
#include "base/pool.h"
#include "config/plan.h"
#include "http/write.h"
#include "net/listener.h"
#include "net/pipe.h"
#include "net/resolver.h"
#include "observe/ring.h"
#include "proxy/client.h"
#include "proxy/decision.h"
#include "proxy/generation.h"
#include "proxy/notice.h"
#include "proxy/shape.h"
#include "proxy/traffic_map.h"
#include "proxy/upstream.h"

#define WORKER_SCRATCH_BYTES (65536 + 4096) /* a head and 64 KiB behind it */
/* Room in `out` for what forwarding adds to a head. */
#define WORKER_OUT_EXTRA_BYTES 4096

/* What the workers share, whatever the rules. Counts are exact: a ceiling is reserved before it is used. */
struct shared {
	unsigned n_workers;
	struct worker *workers; /* all of them; of another one only what any thread may look at */
	struct resolver *resolver;
	_Atomic uint32_t clients_open;
	_Atomic uint32_t workers_running;
	_Atomic uint32_t refuse_next; /* so many of the next connections are reset as they come (connection: refuse) */
};

/*
 * A generation as one worker sees it. Its users are the worker itself while it is in force, the listeners that it names, and the
 * exchanges that began with it; with the last one it goes.
 */
struct worker_generation {
	struct generation *shared;
	const struct plan *plan; /* of it */
	uint32_t users;
	struct worker_upstream **upstreams; /* by upstream */
};

/* A listening socket of this worker; outlives its removal from the plan while clients of it are there. */
struct worker_listener {
	struct listener listener;
	struct worker *worker;
	struct worker_generation *generation; /* the last that names it: exchanges of its clients begin with it */
	uint16_t index; /* in that generation's plan */
	bool removed;
	uint32_t n_clients;
};

struct worker {
	struct shared *shared;
	struct worker_generation *generation; /* in force */
	unsigned number;
	pthread_t thread;
	struct loop *loop;

	struct worker_listener **listeners; /* of the generation in force */
	unsigned n_listeners;
	struct list clients_open; /* struct client */
	struct list resolving; /* struct exchange */
	struct likeness likenesses[RECORD_LIKENESSES]; /* of exchanges that others may be like */
	struct notice_head heads[NOTICE_HEADS];
	struct pool clients;
	struct pool upstream_conns;
	struct pool shapes;
	struct pool claims;
	struct pool claims_more;
	struct pool decided; /* struct record_decisions */
	struct pool notices;
	struct blocks blocks;
	struct pipes pipes;
	struct pattern_scratch *patterns;

	/* Work space of the running task; nothing in it outlives the task but through peer_settle. */
	char *scratch;
	struct peer *scratch_owner;
	struct text out; /* heads being written */
	struct text extra; /* lines to add to a head, on the heap */
	struct text tail; /* the end of a chunked body being written */
	char *path; /* normalised path; head_bytes */
	uint32_t head_bytes; /* largest max_header_bytes so far */
	uint32_t n_fields; /* largest max_headers so far */
	struct http_request request;
	struct http_response response;
	const struct client *parsed_for; /* whose request `request` is */
	struct fault_plan last_plan; /* of decide */
	struct http_forwarded_lines forwarded; /* of the last request that went to an upstream */
	struct ip_text last_client;

	char date[sizeof("Date: ") - 1 + 29 + 2]; /* a whole field line, good for the current second */
	int64_t date_until_ns; /* CLOCK_MONOTONIC */
	int64_t wall_ahead_ns; /* of the monotonic clock, when the date was made */

	struct counters counters;
	struct traffic_counts *traffic;
	struct ring *ring; /* NULL: nobody wants records */
	uint64_t next_id;
	uint64_t next_token;
	struct post drain, stop;
	bool draining;
	bool disarmed; /* no fault is decided */
	_Atomic bool is_asked; /* worker_comes_round waits for its loop to come round */
	_Atomic bool has_ended; /* its loop runs no more: nothing that is posted will be done */
};

/* Takes a reference to the generation. listen_fds: one per listener, taken over. -errno. The thread is not started. */
int worker_init(struct worker *w, unsigned number, struct shared *shared, struct generation *g, const int *listen_fds,
	bool records) MUST_USE;
/* After its thread has ended (or was never started). */
void worker_deinit(struct worker *w);
int worker_start(struct worker *w) MUST_USE;

/* In the worker's thread: from now on no fault is decided; with `release` what faults hold now goes on without them. */
void worker_disarm(struct worker *w, bool release);

/* Any thread, once each: stop accepting, let open exchanges end / cut them. */
void worker_post_drain(struct worker *w);
void worker_post_stop(struct worker *w);
/* Any thread, one at a time: true where the loop has come round since the last call, or has ended; then asks it anew. */
bool worker_comes_round(struct worker *w);

/* A client has come or gone. The last one to go ends the loop of a draining worker, and a removed listener. */
void worker_client_came(struct client *c);
void worker_client_gone(struct client *c);

/* "Date: ... CRLF" and the date alone, of this second. */
struct span worker_date_line(struct worker *w);
struct span worker_date(struct worker *w);
/*
 * Unix time by the same look at the clock as the date: what a head says of times agrees with its Date, even in the second in
 * which the clock was set.
 */
int64_t worker_wall_ns(struct worker *w);

#endif
