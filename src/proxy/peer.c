/*
 * peer: see peer.h. Writes first and waits only for the rest; reads into the worker's scratch and copies only what is
 * left over.
 */
#include "proxy/peer.h"

#include <errno.h>

#include "proxy/worker.h"

/* A head and a small body. With more of it copying would cost what it spares. */
#define WHOLE_BYTES_MAX 2048

void peer_init(struct peer *p)
{
	p->conn.fd = -1;
	p->in = (struct buffer){ 0 };
	p->out = (struct buffer){ 0 };
	p->view = SPAN_EMPTY;
	p->pace = NULL;
}

void peer_deinit(struct worker *w, struct peer *p, enum conn_end how)
{
	if (conn_is_open(&p->conn))
		conn_close(&p->conn, how);
	buffer_clear(&w->blocks, &p->in);
	buffer_clear(&w->blocks, &p->out);
	p->view = SPAN_EMPTY;
	if (w->scratch_owner == p)
		w->scratch_owner = NULL;
}

int peer_settle(struct worker *w, struct peer *p)
{
	struct span view = p->view;

	if (w->scratch_owner == p)
		w->scratch_owner = NULL;
	p->view = SPAN_EMPTY;
	if (!view.n)
		return 0;
	/* A head parsed from the scratch is about to lose its bytes. */
	w->parsed_for = NULL;
	return buffer_append(&w->blocks, &p->in, view);
}

/* Makes the scratch this peer's. */
static int scratch_take(struct worker *w, struct peer *p)
{
	struct peer *owner = w->scratch_owner;

	w->parsed_for = NULL;
	if (owner && owner != p) {
		int r = peer_settle(w, owner);

		if (r < 0) {
			/* The owner lost bytes: it must not go on as if nothing had happened. */
			owner->conn.ready |= CONN_FAILED;
			owner->conn.error = ENOMEM;
			return r;
		}
	}
	w->scratch_owner = p;
	return 0;
}

static enum peer_got got_of(struct peer *p, ssize_t n)
{
	if (n > 0)
		return PEER_BYTES;
	if (n == 0)
		return PEER_EOF;
	if (n == -EAGAIN)
		return PEER_WAIT;
	p->conn.error = (int)-n;
	return PEER_FAILED;
}

enum peer_got peer_fetch(struct worker *w, struct peer *p)
{
	ssize_t n;

	if (p->in.n || p->view.n)
		return PEER_BYTES;
	if (p->conn.ready & CONN_FAILED)
		return PEER_FAILED;
	if (p->conn.ready & CONN_EOF)
		return PEER_EOF;
	if (!(p->conn.ready & CONN_READABLE))
		return PEER_WAIT;
	if (scratch_take(w, p) < 0)
		return got_of(p, -ENOMEM);
	n = conn_read(&p->conn, w->scratch, WORKER_SCRATCH_BYTES);
	if (n > 0)
		p->view = span_of(w->scratch, (size_t)n);
	return got_of(p, n);
}

enum peer_got peer_fetch_more(struct worker *w, struct peer *p, size_t max)
{
	size_t held = peer_bytes(p).n;
	uint32_t room;
	ssize_t n;
	char *at;

	if (held >= max)
		return PEER_FULL;
	if (p->conn.ready & CONN_FAILED)
		return PEER_FAILED;
	if (p->conn.ready & CONN_EOF)
		return PEER_EOF;
	if (peer_settle(w, p) < 0)
		return got_of(p, -ENOMEM);
	if (!(p->conn.ready & CONN_READABLE))
		return PEER_WAIT;
	w->parsed_for = NULL;
	/* Grows by doubling, so that a head that drips in costs no more than twice its size. */
	room = (uint32_t)MIN(max - held, MAX(held, 512));
	at = buffer_reserve(&w->blocks, &p->in, room);
	if (!at)
		return got_of(p, -ENOMEM);
	n = conn_read(&p->conn, at, MIN(max - held, (size_t)buffer_room(&p->in)));
	if (n > 0)
		p->in.n += (uint32_t)n;
	if (!p->in.n)
		buffer_clear(&w->blocks, &p->in);
	return got_of(p, n);
}

void peer_consume(struct worker *w, struct peer *p, size_t n)
{
	if (p->in.n)
		buffer_consume(&w->blocks, &p->in, (uint32_t)n);
	else
		p->view = span_skip(p->view, n);
}

/* Keeps what is left of the parts after `done` bytes were written. */
static int keep_rest(struct worker *w, struct peer *p, const struct iovec *parts, int n, size_t done)
{
	for (int i = 0; i < n; i++) {
		struct span part = span_of(parts[i].iov_base, parts[i].iov_len);

		if (done >= part.n) {
			done -= part.n;
			continue;
		}
		if (buffer_append(&w->blocks, &p->out, span_skip(part, done)) < 0) {
			p->conn.ready |= CONN_FAILED;
			p->conn.error = ENOMEM;
			return -ENOMEM;
		}
		done = 0;
	}
	return peer_waits(p);
}

int peer_flush(struct worker *w, struct peer *p)
{
	if (p->conn.ready & (CONN_FAILED | CONN_BROKEN))
		return -p->conn.error;
	while (p->out.n) {
		size_t most = p->pace ? pace_allows(p->pace, loop_now_ns(w->loop)) : p->out.n;
		ssize_t n;

		if (!(p->conn.ready & CONN_WRITABLE) || !most)
			return 1;
		n = conn_write(&p->conn, p->out.p + p->out.off, MIN(most, (size_t)p->out.n));
		if (n == -EAGAIN)
			return 1;
		if (n < 0)
			return (int)n;
		if (p->pace)
			pace_took(p->pace, (size_t)n, loop_now_ns(w->loop));
		buffer_consume(&w->blocks, &p->out, (uint32_t)n);
	}
	return peer_waits(p);
}

/* A small message in several parts: to copy it together costs less than to have the kernel gather it. */
static ssize_t write_parts(struct conn *c, const struct iovec *parts, int n)
{
	char whole[WHOLE_BYTES_MAX];
	size_t at = 0;
	size_t total = 0;

	for (int i = 0; i < n; i++)
		total += parts[i].iov_len;
	if (n == 1)
		return conn_write(c, parts[0].iov_base, total);
	if (total > sizeof(whole))
		return conn_writev(c, parts, n);
	for (int i = 0; i < n; i++) {
		memcpy(whole + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	return conn_write(c, whole, total);
}

int peer_send(struct worker *w, struct peer *p, const struct iovec *parts, int n)
{
	ssize_t done;
	int r;

	if (p->out.n) {
		r = peer_flush(w, p);
		if (r != 0)
			return r < 0 ? r : keep_rest(w, p, parts, n, 0);
	}
	if (p->conn.ready & (CONN_FAILED | CONN_BROKEN))
		return -p->conn.error;
	if (p->pace) {
		r = keep_rest(w, p, parts, n, 0);
		return r < 0 ? r : peer_flush(w, p);
	}
	if (!(p->conn.ready & CONN_WRITABLE))
		return keep_rest(w, p, parts, n, 0);
	done = write_parts(&p->conn, parts, n);
	if (done == -EAGAIN)
		done = 0;
	if (done < 0)
		return (int)done;
	return keep_rest(w, p, parts, n, (size_t)done);
}

int peer_send_span(struct worker *w, struct peer *p, struct span s)
{
	char *bytes = s.n ? (char *)(uintptr_t)s.p : NULL; /* iovec is not const; sending does not write */
	struct iovec part = { .iov_base = bytes, .iov_len = s.n };

	return s.n ? peer_send(w, p, &part, 1) : peer_flush(w, p);
}
