/*
 * exchange: one request and its answers, as a state machine (exchange.def). It is embedded in the client connection, which
 * has one exchange at a time: the next pipelined request waits in the client's bytes.
 *
 * Steps (client.c, request.c, forward.c, answer.c, tunnel.c, reply.c) do what the state says and return MORE, WAIT or DONE;
 * client_run drives them. exchange_set_state is the only writer of the state. Every exchange that was begun is finished
 * exactly once (exchange_finish), with a close reason: that is where counters and the record are written.
 */
#ifndef BROWNOUT_PROXY_EXCHANGE_H
#define BROWNOUT_PROXY_EXCHANGE_H

#include "fault/fault.h"
#include "http/message.h"
#include "observe/record.h"
#include "proxy/buffer.h"
#include "proxy/relay.h"

struct claim;
struct client;
struct notice;
struct plan;
struct shape;
struct upstream_conn;
struct worker;
struct worker_generation;

enum exchange_state {
#define STATE(id, name, text) EXCHANGE_##id,
#include "proxy/exchange.def"
#undef STATE
	EXCHANGE_STATE_COUNT
};
const char *exchange_state_name(enum exchange_state s);

/* What a step has come to. */
enum step {
	STEP_MORE, /* go on at once */
	STEP_WAIT, /* an edge or the deadline will go on */
	STEP_DONE, /* the client connection is closed and buried; do not touch it */
};

/* Whom a deadline holds to account. */
enum exchange_waits {
	EXCHANGE_WAITS_NONE,
	EXCHANGE_WAITS_CLIENT_READ,
	EXCHANGE_WAITS_CLIENT_WRITE,
	EXCHANGE_WAITS_UPSTREAM_READ,
	EXCHANGE_WAITS_UPSTREAM_WRITE,
	EXCHANGE_WAITS_PACE, /* nobody: bytes may not leave before a moment */
};

/* A stretch of the saved request head. */
struct head_part {
	uint32_t at;
	uint32_t n;
};

struct exchange {
	uint8_t state; /* enum exchange_state */
	uint8_t method; /* enum http_method */
	uint8_t minor;
	uint8_t fault; /* enum fault_kind of what acted; with `rule` */
	uint8_t failure; /* enum proxy_error */
	uint8_t reject; /* enum http_error */
	uint8_t interims; /* 1xx answers passed on */
	uint8_t waits_for; /* enum exchange_waits: what the running deadline is about */
	uint8_t connect_at; /* which of the upstream's addresses is tried */
	uint8_t connect_tried; /* those that were, and that one: bits */
	uint8_t connect_errno; /* why those before it failed (upstream_error_of_two); 0: none did */
	bool begun : 1; /* counted; must be finished */
	bool keep_alive : 1; /* the client connection stays open after the answer */
	bool watched : 1; /* it closes, and what comes all the same is noted (late.h) */
	bool expect_continue : 1;
	bool upgrade : 1; /* offered by the client */
	bool conditional : 1; /* of the request's fields, what its answer is checked against (facts_check_status) */
	bool ranged : 1;
	bool early_data : 1;
	bool asked : 1; /* the request asked for its fault itself */
	bool delayed : 1; /* a delay of either phase acted to its end */
	bool answer_decided : 1; /* the rules of phase response were asked */
	bool answer_begun : 1; /* the final head is on its way to the client */
	bool upload_over : 1; /* no more of the request goes to the upstream: sent whole, or given up */
	bool download_over : 1; /* tunnel: the upstream has ended its side */
	bool upload_broken : 1; /* given up: the upstream stopped taking it */
	bool retried : 1;
	bool reused : 1; /* on a kept connection */
	bool up_keep_alive : 1; /* the upstream keeps its connection open after this answer */
	bool too_slow : 1; /* the request did not come in whole within its time */
	bool cut : 1; /* the answer's body ends early, on purpose */
	bool visible_end : 1; /* the answer ends by closing: a cut must be a reset to be seen */
	bool download_blocked : 1; /* the answer's body waits for the client to take bytes */
	bool upload_starved : 1; /* the request body waits for bytes of the client */
	uint16_t upstream; /* index in the plan */
	uint16_t status; /* sent */
	uint16_t upstream_status;
	uint16_t listener; /* index in the plan */
	uint64_t id;
	struct worker_generation *generation; /* that it acts by, from the first byte to the end; NULL: none yet, or no more */
	struct buffer head; /* the request head as received */
	struct head_part method_part, host_part, target_part;
	uint32_t scanned; /* of an incomplete head of the upstream */
	uint32_t body_from_ms; /* behind upstream_sent_ns, and 1: the request body was first waited for; 0: not yet */
	union {
		uint64_t moved; /* bytes of both bodies when the deadline was set */
		int64_t connect_until_ns; /* RESOLVE, PLACE, CONNECT: the end of the time for all of the upstream's addresses */
	};
	uint32_t unsent; /* of the side written to, when last looked at (exchange_still_writes) */
	uint32_t head_wire_bytes; /* of our answer's head and own body */
	int64_t first_ns, head_ns, upstream_sent_ns, upstream_head_ns, answer_ns;
	int64_t delay_ns, delay_actual_ns; /* both phases added up */
	const struct rule *rule; /* that shaped the exchange */
	struct notice *notice; /* what the trace and the judge want to know of it; NULL: nobody does */
	struct shape *shape; /* what faults do to the bytes; NULL: nothing */
	struct claim *claim; /* what rules have to do with it; NULL: nothing */
	struct upstream_conn *up;
	struct list resolving; /* in worker.resolving while RESOLVE */
	uint64_t resolve_token;
	struct relay upload; /* request body */
	struct relay download; /* answer body */
};

void exchange_init(struct exchange *ex);
void exchange_set_state(struct client *c, enum exchange_state to);

/* The first byte of a request is there: the exchange acts by the rules of now until it is finished. */
void exchange_open(struct client *c);
/* What the exchange acts by; between two of them, what the next one will. */
const struct plan *exchange_plan(const struct client *c);

/*
 * Saves the head, fills in what is known of the request, counts it. -ENOMEM: nothing was begun.
 */
int exchange_begin(struct client *c, const struct http_request *r) MUST_USE;
/* The request is refused as malformed, or the rest of it after its answer had begun. HTTP_ERROR_NONE: it was too slow. */
void exchange_reject(struct client *c, enum http_error error);
/* The same of one of which there is no head to speak of: it begins here. */
void exchange_begin_rejected(struct client *c, enum http_error error);

/* Of the saved head; empty where nothing was saved. */
struct span exchange_part(const struct exchange *ex, struct head_part part);

/* The target as logs may have it. */
struct span exchange_target(const struct client *c);

/* The parsed request: the worker's own struct, parsed again from the saved head where another has taken its place. */
const struct http_request *exchange_request(struct client *c);

/*
 * Sets the deadline that goes with waiting for this, in FORWARD, RELAY and REPLY. Waiting on for the same without a byte of a
 * body moved leaves it as it is. EXCHANGE_WAITS_NONE in ex->waits_for makes the next call set it in any case.
 */
void exchange_wait(struct client *c, enum exchange_waits waits);
/* The same for bytes that wait for a peer to take them, or for the moment that its pace allows. */
void exchange_wait_write(struct client *c, const struct peer *to, enum exchange_waits waits);
/*
 * A deadline of writing is over, but the far side has taken bytes since it was set: it is slow, not dead, and the deadline is
 * set again. (Room in the socket shows as an edge only when much of the buffer is free.) False for the other waits.
 */
bool exchange_still_writes(struct client *c);

/*
 * Before the head of the answer is handed to the client's socket: this is when. The end is no earlier, and no later than its last
 * byte is handed over: a client that comes back at once must not be taken for one that ended its next exchange before this one.
 */
void exchange_note_answer(struct client *c);

/* Counts the end, writes the record, lets go of head and upstream. Nothing where none was begun. */
void exchange_finish(struct client *c, enum close_reason reason);

#endif
