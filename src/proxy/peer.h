/*
 * peer: one end of an exchange (the client or the upstream): its connection, the bytes read from it that nobody has used
 * yet, and the bytes for it that the socket did not take yet. Both ends are of this one kind, so a body is relayed by the
 * same code in both directions.
 *
 * Unused bytes lie either in `in` (a block of their own) or, within one run of a task, in the worker's scratch (`view`),
 * never in both. The scratch serves one peer at a time: the next one to read settles the last one's view into `in` first.
 */
#ifndef BROWNOUT_PROXY_PEER_H
#define BROWNOUT_PROXY_PEER_H

#include "net/conn.h"
#include "net/tls.h"
#include "proxy/buffer.h"
#include "proxy/pace.h"

struct worker;

struct peer {
	struct conn conn;
	struct buffer in;
	struct buffer out;
	struct span view;
	struct pace *pace; /* how fast bytes may leave towards it; NULL: as fast as it takes them */
};

enum peer_got {
	PEER_BYTES, /* peer_bytes has something */
	PEER_WAIT, /* nothing now */
	PEER_EOF,
	PEER_FAILED, /* conn.error says why (ENOMEM as well) */
	PEER_FULL, /* peer_fetch_more: `max` bytes are held already */
};

void peer_init(struct peer *p);
/* Closes where open and gives all blocks back. */
void peer_deinit(struct worker *w, struct peer *p, enum conn_end how);

/* What is unused, contiguous. Valid until the next call on any peer of this worker. */
static inline struct span peer_bytes(const struct peer *p)
{
	return p->in.n ? buffer_span(&p->in) : p->view;
}

/* Sees to it that there is at least one unused byte. */
enum peer_got peer_fetch(struct worker *w, struct peer *p);
/* Reads more behind what is unused, up to `max` unused bytes in all. */
enum peer_got peer_fetch_more(struct worker *w, struct peer *p, size_t max);
void peer_consume(struct worker *w, struct peer *p, size_t n);
/* Moves the view out of the scratch. -ENOMEM: the bytes are lost, the connection must be closed. */
int peer_settle(struct worker *w, struct peer *p) MUST_USE;

/* At most this many parts in one peer_send. */
#define PEER_IOV_MAX 34

/*
 * Writes what waits in `out`, then the parts; keeps what the socket does not take, or the pace does not allow yet. 0: all is
 * written; 1: something waits (where peer_is_paced, for a moment, else for the socket); negative: the connection failed.
 */
int peer_send(struct worker *w, struct peer *p, const struct iovec *parts, int n) MUST_USE;
int peer_send_span(struct worker *w, struct peer *p, struct span s) MUST_USE;
/* What waits could be written but for the pace: the moment is pace->next_ns. */
static inline bool peer_is_paced(const struct peer *p)
{
	return p->pace && p->out.n && (p->conn.ready & CONN_WRITABLE);
}
/* Something is on its way that the socket has not taken: in `out`, or what TLS has made of it. */
static inline bool peer_waits(const struct peer *p)
{
	return p->out.n || (UNLIKELY(p->conn.tls) && tls_kept(p->conn.tls));
}
/* The same for what waits alone. */
int peer_flush(struct worker *w, struct peer *p) MUST_USE;

#endif
