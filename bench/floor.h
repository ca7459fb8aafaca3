/*
 * floor: the least that a proxy can do. It finds the end of a request's head, relays, answers 503 or waits; it parses,
 * checks and records nothing. What brownout costs above it is the price of being a proxy.
 *
 * Raw epoll, edge-triggered, one registration per descriptor for its life; write before waiting; in steady state one
 * recv and one send on each side and no epoll_ctl. Idle and held connections own no buffer (a delayed one keeps its
 * request's head). Upstream connections are kept alive, last used first.
 */
#ifndef BROWNOUT_BENCH_FLOOR_H
#define BROWNOUT_BENCH_FLOOR_H

#include "answer.h"
#include "base/base.h"
#include "base/list.h"

#define FLOOR_SCRATCH_BYTES 65536

enum end_kind {
	END_LISTENER,
	END_TIMER,
	END_CLIENT,
	END_UPSTREAM,
};

/* One descriptor. The readiness flags are what the kernel said last; only EAGAIN or a short read takes them back. */
struct end {
	enum end_kind kind;
	int fd; /* -1: closed, in the grave */
	bool readable;
	bool writable;
	bool hung_up;
	struct list link; /* client: delayed; upstream: idle; both: grave */
	char *unsent;	  /* bytes that this end's socket did not take yet */
	size_t unsent_bytes;
	size_t sent_bytes; /* of them */
};

struct client {
	struct end end;
	struct upstream *upstream; /* of the exchange in flight */
	char *head;		   /* of a request that came in pieces or is delayed */
	size_t head_bytes;
	int64_t due_ns; /* of a delayed request; 0: none */
};

struct upstream {
	struct end end;
	struct client *client; /* NULL: idle */
	struct answer answer;
};

struct floor_options {
	int64_t listen_port;
	int64_t upstream_port;
	bool abort;	    /* answer 503 */
	int64_t percentage; /* of requests that abort applies to */
	int64_t delay_ns;
	bool hold; /* a delay without end */
};

struct floor {
	struct floor_options options;
	int epoll_fd;
	struct end listener;
	struct end timer;
	struct list delayed; /* clients, first due first: all wait equally long */
	struct list idle;    /* upstreams, last used first */
	struct list grave;   /* ends closed in this round: events for them may still be in hand */
	uint64_t random;
	char scratch[FLOOR_SCRATCH_BYTES];
};

/* floor.c: the delays. */
void floor_delay(struct floor *f, struct client *c);

/* floor_relay.c: connections. A step uses up readiness; the end may be closed after it. */
void floor_accept(struct floor *f);
void floor_step_client(struct floor *f, struct client *c);
void floor_step_upstream(struct floor *f, struct upstream *u);
/* The delay of c is over. */
void floor_resume(struct floor *f, struct client *c);

#endif
