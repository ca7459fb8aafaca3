/*
 * client: one client connection: its socket, its deadline, its exchange. Made by a listener's accept, buried when closed.
 */
#ifndef BROWNOUT_PROXY_CLIENT_H
#define BROWNOUT_PROXY_CLIENT_H

#include "net/address.h"
#include "proxy/exchange.h"

struct worker_listener;

struct client {
	struct peer peer;
	union {
		struct task task;
		struct grave grave; /* once it is closed; its task is cancelled then for ever */
	};
	struct timer deadline;
	struct list node; /* in worker.clients_open */
	struct worker *worker;
	struct worker_listener *listener;
	uint8_t address[16];
	uint16_t port;
	bool lost_deadline; /* there was no memory for one: the client cannot stay */
	bool fresh; /* nothing was done with it since it was accepted, or protected */
	bool shook_hands; /* it is protected, and stands */
	bool first_step; /* of its run: nothing was done since the loop read the clock */
	bool timed_out; /* the deadline fired: the running state decides what that means */
	struct exchange ex;
};

/* Takes fd over. Closes it where the limit of connections is reached or memory is out. */
void client_accept(struct worker *w, struct worker_listener *l, int fd, const struct address *peer);

/* The task of a client: runs steps until one waits. */
void client_run(struct task *task);

/* Sets the deadline to `ns` from now, or at the absolute time. */
void client_wait_for(struct client *c, int64_t ns);
void client_wait_until(struct client *c, int64_t due_ns);

/* Finishes the exchange with this reason, closes, buries. Always STEP_DONE. */
enum step client_close(struct client *c, enum close_reason reason, enum conn_end how);

/* True where memory ran out for one of its connections: they end, and it is nobody else's fault. */
bool client_lacks_memory(const struct client *c);

/*
 * The same where the client must see an orderly end: what it has sent and nobody read is drained first, since the kernel would
 * turn it into a reset.
 */
enum step client_end(struct client *c, enum close_reason reason);

/* A body was cut on purpose: the connection ends, by a close or a reset. */
enum step client_cut(struct client *c, bool reset);

/* After an answer went out whole: the next request, or the end of the connection. The exchange is finished with `reason`. */
enum step client_answered(struct client *c, enum close_reason reason);

/*
 * True where the client is not there any more: its connection failed, or it ended its side (which, unless limits.half_close
 * says otherwise, counts as leaving: a client that gave up cannot be told from one that only half-closed).
 */
bool client_has_left(struct client *c);

/*
 * The same before its request goes out. Whoever comes, asks and is gone, in numbers, would cost the upstream a connection each.
 */
bool client_has_left_already(struct client *c);

/* The same while its request body is not read, or not sent on, because the upstream does not take it or a pace holds it back. */
bool client_has_given_up(struct client *c);

/* Bytes of the last answer may still be under way and the client may still be sending: half-close and drain for a while. */
enum step client_linger(struct client *c);

/* Its connection is not for further requests: the worker stops, or its listener is gone. */
bool client_is_ending(const struct client *c);

/* For a stop: closes where idle, else lets the running exchange be the last one. */
void client_drain(struct client *c);


/* ---- steps of the states, one file each ---- */

enum step request_begin(struct client *c); /* request.c: a head is parsed in worker.request; settles where it goes */
enum step request_hold_over(struct client *c); /* HOLD: due or not yet */

enum step forward_begin(struct client *c); /* forward.c: finds a connection to the upstream */
enum step forward_resolved(struct client *c); /* RESOLVE */
enum step forward_placed(struct client *c); /* PLACE: there may be one now */
enum step forward_connected(struct client *c); /* CONNECT: writable, or failed */
enum step forward_run(struct client *c); /* FORWARD */
/* Moves the request body on. Returns STEP_WAIT where there is nothing to do now. */
enum step forward_upload(struct client *c);
/* The upstream failed before its answer had begun: once more on a new connection where that is safe, else its failure. */
enum step forward_failed(struct client *c, enum proxy_error error);

enum step answer_read_head(struct client *c); /* answer.c: FORWARD, once something is there */
enum step answer_hold_over(struct client *c); /* HOLD_ANSWER */
enum step answer_relay(struct client *c); /* RELAY */
/*
 * Lines that the client sees and the upstream did not send: the evidence of a fault, what rules set. The head in worker.response
 * is marked up by what they change.
 */
struct fault_edited answer_add_lines(struct client *c, struct text *extra);

enum step tunnel_begin(struct client *c); /* tunnel.c: a 101 is parsed in worker.response */
enum step tunnel_run(struct client *c); /* TUNNEL */

/* ---- answers made here (reply.c) ---- */

/* A refused request: its status, then the connection closes. */
enum step reply_reject(struct client *c, enum http_error error);
/* The upstream failed: the status and Proxy-Status of this type. Finishes with UPSTREAM_FAILED. */
enum step reply_failure(struct client *c, enum proxy_error error);
/* Any other answer of our own (404 for no route ...), with a line of text. */
enum step reply_status(struct client *c, unsigned status, enum proxy_error error, const char *text);
/* The client stopped sending: 408 (RFC 9110 section 15.5.9). */
enum step reply_too_slow(struct client *c, const char *text);
/* The answer of a rule that ends the exchange with one: abort, or the refusal of a quota. */
enum step reply_abort(struct client *c, const struct rule *rule, const struct fault_abort *abort);
/* OPTIONS and TRACE that may not be forwarded further (Max-Forwards: 0). */
enum step reply_final_recipient(struct client *c);
enum step reply_run(struct client *c); /* REPLY */

/* What the answers above are made with. Sends a whole answer, keeps what cannot go yet; then state REPLY. */
enum step reply_send(struct client *c, struct span head, struct span body);
/* The same for a head that stands in the worker's text and its body, with what other faults do to them. */
enum step reply_shaped(struct client *c, struct span body);
/* 103 with the fields that a rule gives, before the answer. Negative where the client is gone. */
int reply_hints(struct client *c);
/*
 * May the connection be kept after an answer that does not wait for the request's body? What is here of a chunked one is taken
 * in for that: a request parsed before may have lost its bytes.
 */
bool reply_can_keep(struct client *c);

#endif
