/*
 * relay: see relay.h. One round is: bytes of the source (left over or one read), taken apart in place, one write.
 */
#include "proxy/relay.h"

#include <errno.h>

#include "fault/malformed.h"
#include "http/write.h"
#include "proxy/notice.h"
#include "proxy/worker.h"

/* Stretches of data gathered from one read before they are sent; a read with more of them takes another round. */
#define SPANS_MAX (PEER_IOV_MAX - 4)

/* What is left of a body must be worth the system call more that splicing takes. */
#define SPLICE_BYTES_MIN 32768

/* A trailer line that is longer is refused before this is reached. */
#define STARVED_BYTES_MAX (HTTP_TRAILER_BYTES_MAX + 1024)

/* What one round has gathered. */
struct batch {
	struct iovec parts[PEER_IOV_MAX];
	int n;
	size_t content;
	char chunk_head[HTTP_CHUNK_HEAD_MAX];
};

void relay_init(struct relay *r, enum http_body body, uint64_t length, bool chunk_out)
{
	*r = (struct relay){
		.left = length,
		.cut_at = UINT64_MAX,
		.body = (uint8_t)body,
		.chunk_out = chunk_out,
		.done = body == HTTP_BODY_NONE || (body == HTTP_BODY_LENGTH && length == 0),
	};
	if (body == HTTP_BODY_CHUNKED)
		http_chunked_init(&r->chunked);
}

static void batch_put(struct batch *b, struct span s)
{
	if (!s.n)
		return;
	b->parts[b->n].iov_base = (char *)(uintptr_t)s.p;
	b->parts[b->n].iov_len = s.n;
	b->n++;
}

static bool is_cut(const struct relay *r)
{
	return r->content_bytes >= r->cut_at;
}

/* Of the exchange whose request's body this is; NULL: nobody wants to know. */
static struct notice *notice_of(struct relay *r)
{
	return UNLIKELY(r->noticed) ? container_of(r, struct exchange, upload)->notice : NULL;
}

static void take_content(struct relay *r, struct batch *b, struct span data)
{
	struct notice *notice = notice_of(r);

	data = span_first(data, r->cut_at - r->content_bytes);
	if (notice)
		notice_body(notice, data);
	/* The bytes are ours to change: they lie in the scratch or in a block of the source. */
	if (r->corruptor)
		(void)corrupt_apply(r->corruptor, r->content_bytes, (char *)(uintptr_t)data.p, data.n);
	r->content_bytes += data.n;
	if (r->discard)
		return;
	b->content += data.n;
	batch_put(b, data);
}

/* The last chunk, once; trailer lines may follow. */
static void put_last_chunk(struct worker *w, struct relay *r)
{
	if (!r->chunk_out || r->trailing)
		return;
	text_put_literal(&w->tail, "0\r\n");
	r->trailing = true;
}

static void finish_input(struct worker *w, struct relay *r)
{
	struct notice *notice = notice_of(r);

	r->done = true;
	if (notice)
		notice_body_end(notice, loop_now_ns(w->loop));
	if (is_cut(r))
		return;
	put_last_chunk(w, r);
	if (r->chunk_out)
		text_put_literal(&w->tail, "\r\n");
}

/* Takes the chunked coding apart as far as the bytes go. 0, or 1 where it is broken. */
static int gather_chunked(struct worker *w, struct relay *r, struct batch *b, struct span *bytes, enum http_error *error)
{
	struct http_chunk ev;
	size_t used;

	while (b->n < SPANS_MAX && !is_cut(r)) {
		enum http_chunk_event e = http_chunked_next(&r->chunked, bytes->p, bytes->n, &used, &ev);

		*bytes = span_skip(*bytes, used);
		switch (e) {
		case HTTP_CHUNK_DATA:
			take_content(r, b, ev.data);
			break;
		case HTTP_CHUNK_TRAILER:
			put_last_chunk(w, r);
			if (!ev.field.drop && !r->drop_trailers && r->chunk_out)
				http_write_field_line(&w->tail, &ev.field);
			break;
		case HTTP_CHUNK_END:
			finish_input(w, r);
			return 0;
		case HTTP_CHUNK_MORE:
			r->starved = bytes->n > 0;
			return 0;
		case HTTP_CHUNK_ERROR:
			*error = ev.error;
			return 1;
		}
	}
	return 0;
}

static int gather(struct worker *w, struct relay *r, struct batch *b, struct span *bytes, enum http_error *error)
{
	struct span data;

	if (r->body == HTTP_BODY_CHUNKED)
		return gather_chunked(w, r, b, bytes, error);
	data = r->body == HTTP_BODY_LENGTH ? span_first(*bytes, r->left) : *bytes;
	take_content(r, b, data);
	*bytes = span_skip(*bytes, data.n);
	if (r->body == HTTP_BODY_LENGTH) {
		r->left -= data.n;
		if (!r->left)
			finish_input(w, r);
	}
	return 0;
}

/* Frames what was gathered: parts[0] and [1] were left free for the prefix and the chunk's head. */
static int batch_send(struct worker *w, struct relay *r, struct batch *b, struct peer *to, struct span prefix)
{
	struct iovec *first = &b->parts[2];

	if (r->chunk_out && b->content) {
		size_t n = http_chunk_write_head(b->chunk_head, b->content);

		if (r->bad_chunk) {
			n = MIN(fault_malformed_chunk().n, sizeof(b->chunk_head));
			memcpy(b->chunk_head, fault_malformed_chunk().p, n);
		}
		batch_put(b, SPAN("\r\n"));
		*--first = (struct iovec){ b->chunk_head, n };
	}
	batch_put(b, text_span(&w->tail));
	if (prefix.n)
		*--first = (struct iovec){ (char *)(uintptr_t)prefix.p, prefix.n };
	if (first == b->parts + b->n)
		return peer_flush(w, to);
	return peer_send(w, to, first, (int)(b->parts + b->n - first));
}

/* ---- without looking ---- */

/* Nothing is here of the body, and what is still to come need not be seen, changed, held back or framed. */
static bool may_splice(struct relay *r, const struct peer *from, const struct peer *to, const struct span *prefix)
{
	const struct notice *notice = notice_of(r);

	if (notice && notice->hashes_body)
		return false;
	/* What is protected (tls) is no plain copy of what is not. */
	return r->body == HTTP_BODY_LENGTH && r->left >= SPLICE_BYTES_MIN && !r->chunk_out && !r->discard && !r->corruptor &&
	       r->cut_at == UINT64_MAX && !to->pace && !to->out.n && !peer_bytes(from).n && !prefix->n && !from->conn.tls &&
	       !to->conn.tls;
}

void relay_release(struct worker *w, struct relay *r)
{
	if (r->body != HTTP_BODY_LENGTH || !r->pipe)
		return;
	pipes_put(&w->pipes, r->pipe);
	r->pipe = NULL;
}

static enum relay_result splice_out(struct worker *w, struct relay *r, struct peer *to)
{
	ssize_t n = pipe_drain(r->pipe, &to->conn);

	if (n < 0 && n != -EAGAIN)
		return RELAY_TARGET_FAILED;
	if (r->pipe->held)
		return RELAY_WAIT_WRITE;
	if (!r->done)
		return RELAY_MORE;
	relay_release(w, r);
	return RELAY_DONE;
}

/* One round: what the pipe holds first, then as much as it takes. */
static enum relay_result splice_round(struct worker *w, struct relay *r, struct peer *from, struct peer *to)
{
	struct notice *notice = notice_of(r);
	ssize_t n;

	if (r->pipe->held) {
		if (!(to->conn.ready & (CONN_WRITABLE | CONN_FAILED | CONN_BROKEN)))
			return RELAY_WAIT_WRITE;
		return splice_out(w, r, to);
	}
	if (!(from->conn.ready & (CONN_READABLE | CONN_EOF | CONN_FAILED)))
		n = -EAGAIN;
	else
		n = pipe_fill(r->pipe, &from->conn, r->left);
	if (n <= 0)
		relay_release(w, r); /* others may need it meanwhile */
	if (n == -EAGAIN)
		return RELAY_WAIT_READ;
	if (n <= 0)
		return n == 0 && !(from->conn.ready & CONN_BROKEN) ? RELAY_SOURCE_END : RELAY_SOURCE_FAILED;
	r->left -= (uint64_t)n;
	r->content_bytes += (uint64_t)n;
	r->done = r->left == 0;
	if (r->done && notice)
		notice_body_end(notice, loop_now_ns(w->loop));
	return splice_out(w, r, to);
}

/* ---- a round ---- */

static enum relay_result sent_result(const struct relay *r, int sent)
{
	if (sent < 0)
		return RELAY_TARGET_FAILED;
	if (sent > 0)
		return RELAY_WAIT_WRITE;
	if (is_cut(r))
		return RELAY_CUT;
	return r->done ? RELAY_DONE : RELAY_MORE;
}

/* The source has bytes, or has ended as it may: RELAY_MORE. */
static enum relay_result refill(struct worker *w, struct relay *r, struct peer *from, enum http_error *error)
{
	enum peer_got got = r->starved ? peer_fetch_more(w, from, STARVED_BYTES_MAX) : peer_fetch(w, from);

	switch (got) {
	case PEER_BYTES:
		r->starved = false;
		return RELAY_MORE;
	case PEER_WAIT:
		return RELAY_WAIT_READ;
	case PEER_EOF:
		/* After a failed write the kernel tells a reset as an end of stream: that is no end to rely on. */
		if (from->conn.ready & CONN_BROKEN)
			break;
		if (r->body != HTTP_BODY_UNTIL_CLOSE)
			return RELAY_SOURCE_END;
		finish_input(w, r);
		return RELAY_MORE;
	case PEER_FULL:
		*error = HTTP_ERROR_TRAILER;
		return RELAY_MALFORMED;
	case PEER_FAILED:
		break;
	}
	return RELAY_SOURCE_FAILED;
}

enum relay_result relay_run(struct worker *w, struct relay *r, struct peer *from, struct peer *to, struct span *prefix,
	enum http_error *error)
{
	struct batch b;
	enum relay_result result;
	struct span bytes;
	size_t had;
	int sent;

	if (may_splice(r, from, to, prefix) && !r->pipe)
		r->pipe = pipes_get(&w->pipes);
	if (r->body == HTTP_BODY_LENGTH && r->pipe)
		return splice_round(w, r, from, to);
	/* What waits goes first; and a head does not wait for a body of which nothing is here yet. */
	if (r->done || is_cut(r) || peer_waits(to) || (prefix->n && !peer_bytes(from).n)) {
		sent = peer_send_span(w, to, *prefix);
		*prefix = SPAN_EMPTY;
		if (sent != 0 || r->done || is_cut(r))
			return sent_result(r, sent);
	}
	w->tail.n = 0;
	/* Not the parts: only so many of them mean anything. */
	b.n = 2;
	b.content = 0;
	result = refill(w, r, from, error);
	if (result != RELAY_MORE)
		return result;
	bytes = peer_bytes(from);
	had = bytes.n;
	if (!r->done && gather(w, r, &b, &bytes, error) != 0)
		return RELAY_MALFORMED;
	sent = batch_send(w, r, &b, to, *prefix);
	*prefix = SPAN_EMPTY;
	peer_consume(w, from, had - bytes.n);
	return sent_result(r, sent);
}
