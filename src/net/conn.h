/*
 * conn: one stream socket on a loop, non-blocking, edge-triggered. Embedded in the object that owns it (a client, an
 * upstream connection). One libevent registration for its whole life (READ, WRITE, CLOSED, ET, PERSIST): no system call
 * is spent on changing what is waited for. Readiness is kept here: an edge sets a bit and queues the owner's task;
 * EAGAIN or a short transfer clears it. The owner tries first and waits only after the bit is gone.
 *
 * EV_CLOSED (the peer shut down its side) only sets a bit: the peer may still read. conn never closes by itself.
 *
 * A reset comes as READABLE and WRITABLE, as data does; only a read or conn_probe tells. So an owner that is woken while
 * it does not mean to read (a held request, one that waits for its upstream) calls conn_probe.
 */
#ifndef BROWNOUT_NET_CONN_H
#define BROWNOUT_NET_CONN_H

#include <event2/event_struct.h>
#include <sys/uio.h>

#include "net/loop.h"

struct address;
struct tls;

enum {
	CONN_READABLE = 1, /* a read may give something */
	CONN_WRITABLE = 2, /* a write may take something */
	CONN_HANGUP = 4, /* the peer has closed at least its sending side, or the connection failed; read to learn which */
	CONN_EOF = 8, /* a read has returned 0 */
	CONN_FAILED = 16, /* a read has failed; `error` says why */
	CONN_BROKEN = 64, /* a write has failed; what the peer had sent before may still be read */
	CONN_DRAINED = 32, /* the last read was short: nothing more is there, unless a failure (see conn_rest) */
};

struct conn {
	struct event event;
	struct loop *loop;
	struct task *task; /* the owner's: queued on every edge */
	struct tls *tls; /* what it moves is protected (conn_protect); NULL: plain. Owned */
	uint64_t written; /* bytes that the kernel has taken, in all, as they are on the wire */
	int fd; /* -1 where closed */
	int error; /* positive errno of the failure */
	uint8_t ready;
};

enum conn_end {
	CONN_END_CLOSE,
	CONN_END_RESET, /* SO_LINGER 0: the peer sees RST (meaningless for unix sockets, closed then) */
};

/* Closed, so that conn_is_open and conn_close can be asked before conn_open. */
static inline void conn_init(struct conn *c)
{
	c->fd = -1;
	c->tls = NULL;
	c->error = 0;
	c->ready = 0;
}

/*
 * What the kernel keeps for a TCP connection of bytes that may not be sent yet. By itself it would keep megabytes for whoever
 * takes nothing (tcp_wmem), and its memory for TCP belongs to all. What is under way is not counted: it bounds no throughput.
 */
#define CONN_UNSENT_BYTES (256 * 1024)

/* Of a TCP socket that is to become one; what a listener accepts inherits them, which saves calls for each. */
void conn_set_options(int fd);

/*
 * Takes the non-blocking fd over (also where it fails: then it is closed). `ready` says what to assume before the first
 * edge. conn_set_options was called already for what conn_connect_start and our listeners made. -errno where it cannot be
 * registered.
 */
int conn_open(struct conn *c, struct loop *loop, int fd, struct task *task, uint8_t ready) MUST_USE;
static inline bool conn_is_open(const struct conn *c)
{
	return c->fd >= 0;
}
/* event_del, then close; nothing where closed already. The task is not touched. */
void conn_close(struct conn *c, enum conn_end how);
/* Hands the open socket to another owner's task, without a system call. */
void conn_set_task(struct conn *c, struct task *task);

/*
 * > 0 bytes read; 0 end of stream (CONN_EOF set); -EAGAIN nothing now; any other negative: failed (CONN_FAILED set).
 * A short read sets CONN_DRAINED but leaves CONN_READABLE: bytes and the reset behind them may have come as one edge, and
 * whoever waits for the rest of a message must read again to learn of it.
 */
ssize_t conn_read(struct conn *c, void *p, size_t n) MUST_USE;
/*
 * The owner has all it wants for now: where the last read was short, the next byte is a new edge, and no system call need be
 * spent on a sure EAGAIN.
 */
static inline void conn_rest(struct conn *c)
{
	if (c->ready & CONN_DRAINED)
		c->ready &= (uint8_t)~(CONN_READABLE | CONN_DRAINED);
}
/* >= 0 bytes written (0 only for n == 0); -EAGAIN; other negative: failed. A short write clears CONN_WRITABLE. */
ssize_t conn_write(struct conn *c, const void *p, size_t n) MUST_USE;
ssize_t conn_writev(struct conn *c, const struct iovec *iov, int n) MUST_USE;
/*
 * For other ways to read and write than those above: what a system call has given (with errno), as readiness and as result.
 */
ssize_t conn_settle_read(struct conn *c, ssize_t got) MUST_USE;
ssize_t conn_settle_write(struct conn *c, ssize_t sent, size_t wanted) MUST_USE;
/*
 * Asks the kernel how the connection stands, without reading (one system call). True where it has failed: nobody is
 * there to answer (CONN_FAILED and `error` set). Else false; CONN_HANGUP is set where the peer has closed its side.
 */
bool conn_probe(struct conn *c);
/* The same of a failure alone, for half the price: a reset's edge looks like that of bytes. */
bool conn_probe_failure(struct conn *c);
/* Bytes written that the peer's side has not acknowledged (a unix peer: not read) yet; 0 where the kernel cannot tell. */
uint32_t conn_unsent(const struct conn *c);
/* Half-close: the peer reads end of stream after what was written. */
void conn_shutdown_write(struct conn *c);

/*
 * Starts a non-blocking connect to a. 0: *fd is a socket whose connection is established or on its way (ask
 * conn_connect_error once it is writable); -errno: it failed at once, nothing is left open (-EAGAIN: a unix listener's
 * queue is full).
 */
int conn_connect_start(const struct address *a, int *fd) MUST_USE;
/* 0 established; EINPROGRESS not yet decided; else the positive errno of the failure. */
int conn_connect_error(const struct conn *c);

#endif
