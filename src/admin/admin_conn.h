/*
 * admin_conn: one connection to the admin listener: a small machine that takes one step at a time. What a client may make it
 * hold is bounded: one head of 16 KiB, one body of 1 MiB, one answer; a stream of events has a bound of its own, and says so
 * where it is reached instead of growing. A client that is slow in anything is let go after a while.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_CONN_H
#define BROWNOUT_ADMIN_ADMIN_CONN_H

#include "admin/admin_router.h"
#include "http/content.h"
#include "net/conn.h"

#define ADMIN_HEAD_BYTES_MAX ((size_t)16 * 1024)
#define ADMIN_FIELDS_MAX 100
#define ADMIN_CONNS_MAX 256

struct admin;

enum admin_state {
	ADMIN_HEAD, /* reads a request head */
	ADMIN_BODY, /* reads its body */
	ADMIN_SEND, /* sends the answer */
	ADMIN_STREAM, /* sends events as they come */
	ADMIN_LINGER, /* has said its last word, and reads what still comes, so that no reset eats that word */
};

struct admin_conn {
	struct list node; /* of admin->conns */
	struct admin *admin;
	struct conn conn;
	struct task task;
	struct timer timer;
	struct grave grave;
	enum admin_state state;
	int64_t from_ns; /* of the state, its first byte or the last progress: what the deadline counts from */
	bool timed_out;
	bool keep_alive;

	struct text in; /* read, not used yet */
	size_t scanned; /* of in, for http_head_is_due */
	struct admin_request request;
	struct http_content content;
	struct text body;

	struct text out; /* owed to the socket */
	size_t out_sent;
	size_t discarded; /* bytes read while lingering */
	bool streams; /* events follow the answer */
	struct admin_stream stream;
};

/* Takes fd over. Where there are too many, the one that is idle for longest goes; where none is, fd is closed. */
void admin_conn_accept(struct admin *admin, int fd);
void admin_conn_end(struct admin_conn *c);

/* For a stream: how much is not taken yet, where to write more, and that it be sent. */
static inline size_t admin_conn_owed(const struct admin_conn *c)
{
	return c->out.n - c->out_sent;
}
struct text *admin_conn_out(struct admin_conn *c);
void admin_conn_send(struct admin_conn *c);

#endif
