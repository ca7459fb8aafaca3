/*
 * origin: the embedded upstream's thread, its listener and its connections. A connection is a small machine that takes
 * one step at a time: flush what is owed, then read a head, read a body, wait, send. It reads only where a request
 * needs it and makes filler bytes only where the socket takes them, so its memory is bounded for any size.
 *
 * All but origin_start and origin_stop runs in the thread. It must never log.
 */
#include "origin/origin.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/content.h"
#include "net/conn.h"
#include "net/listener.h"
#include "net/loop.h"
#include "origin/origin_answer.h"

#define FIELDS_MAX 200
#define HEAD_BYTES_MAX ((size_t)64 * 1024)
#define READ_BYTES ((size_t)64 * 1024)
#define FILL_BYTES ((size_t)64 * 1024)
#define CHUNK_BYTES ((size_t)16 * 1024)
#define KEPT_BYTES ((size_t)4 * 1024) /* a buffer larger than this goes back after its request */
#define STEPS_PER_TURN 64 /* of one connection, before others have theirs */

struct origin {
	struct loop *loop;
	struct listener listener;
	struct list clients;
	pthread_t thread;
	struct post stop;
	struct http_field fields[FIELDS_MAX]; /* of the head being parsed */
	char fill[FILL_BYTES];
};

enum client_state {
	CLIENT_HEAD, /* reads a request head */
	CLIENT_BODY, /* reads a request body */
	CLIENT_DELAY, /* waits until due_ns, then writes the answer's head */
	CLIENT_SEND, /* sends filler bytes as fast as they are taken */
	CLIENT_DRIP, /* sends one at a time */
	CLIENT_DONE, /* the answer is out: next request or end */
};

enum step {
	STEP_MORE, /* go on at once */
	STEP_WAIT, /* for an edge or the timer */
	STEP_END, /* nothing more to do with this connection */
};

struct client {
	struct list node;
	struct origin *origin;
	struct conn conn;
	struct task task;
	struct timer timer;
	struct grave grave;
	enum client_state state;

	struct text in; /* read, not used yet */
	size_t scanned; /* of in, for http_head_is_due */
	struct http_content body;

	struct origin_answer answer;
	int64_t due_ns;
	uint64_t left; /* content bytes not yet in out or the socket */
	struct text out; /* owed to the socket */
	size_t out_sent;
};

/* ---- reading ---- */

static void consume(struct client *c, size_t n)
{
	if (n == 0) /* where nothing was read yet there is no buffer either */
		return;
	memmove(c->in.p, c->in.p + n, c->in.n - n);
	c->in.n -= n;
	c->scanned = 0;
}

/* An idle connection owns no buffer. */
static enum step wait_for_bytes(struct client *c)
{
	if (c->in.n == 0)
		text_deinit(&c->in);
	return STEP_WAIT;
}

static enum step read_more(struct client *c)
{
	char *at;
	ssize_t n;

	if (!(c->conn.ready & CONN_READABLE))
		return wait_for_bytes(c);
	at = text_reserve(&c->in, READ_BYTES);
	if (!at)
		return STEP_END;
	n = conn_read(&c->conn, at, READ_BYTES);
	if (n == -EAGAIN)
		return wait_for_bytes(c);
	if (n <= 0)
		return STEP_END; /* within a request too: nobody waits for its answer */
	c->in.n += (size_t)n;
	return STEP_MORE;
}

/* The request is complete, or refused: its answer is due after its delay. */
static void end_request(struct client *c)
{
	origin_answer_end(&c->answer);
	c->due_ns = loop_read_clock(c->origin->loop) + c->answer.delay_ns;
	c->state = CLIENT_DELAY;
}

static enum step refuse(struct client *c, enum http_error error)
{
	origin_answer_refuse(&c->answer, error);
	end_request(c);
	return STEP_MORE;
}

static enum step step_head(struct client *c)
{
	struct http_request r = { .fields = { .v = c->origin->fields, .cap = FIELDS_MAX } };
	enum http_error error;
	int rc = HTTP_PARSE_MORE;

	if (c->in.n && http_head_is_due(c->in.p, c->in.n, &c->scanned))
		rc = http_request_parse(&r, c->in.p, c->in.n, &error);
	if (rc == HTTP_PARSE_MORE)
		return c->in.n >= HEAD_BYTES_MAX ? refuse(c, http_head_overflow(c->in.p, c->in.n)) : read_more(c);
	if (rc == HTTP_PARSE_ERROR)
		return refuse(c, error);
	if (r.method_id == HTTP_METHOD_CONNECT)
		return refuse(c, HTTP_ERROR_CONNECT);
	origin_answer_begin(&c->answer, &r);
	http_content_begin(&c->body, &r);
	consume(c, r.head_n);
	if (r.expect_continue && r.body != HTTP_BODY_NONE && c->in.n == 0)
		text_put_literal(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	c->state = CLIENT_BODY;
	return STEP_MORE;
}

static bool take_body(void *arg, struct span piece)
{
	origin_answer_body(arg, piece);
	return true;
}

static enum step step_body(struct client *c)
{
	enum http_error error = HTTP_ERROR_NONE;
	size_t used;
	enum http_content_state state = http_content_take(&c->body, c->in.p, c->in.n, &used, take_body, &c->answer, &error);

	consume(c, used);
	if (state == HTTP_CONTENT_ERROR)
		return refuse(c, error);
	if (state == HTTP_CONTENT_MORE)
		return read_more(c);
	end_request(c);
	return STEP_MORE;
}

/* ---- answering ---- */

/* Until due_ns. A client that leaves meanwhile is let go: it is the proxy, which never closes only one side. */
static enum step wait_until_due(struct client *c)
{
	if (conn_probe(&c->conn) || c->conn.ready & CONN_HANGUP)
		return STEP_END;
	return timer_set(c->origin->loop, &c->timer, c->due_ns) == 0 ? STEP_WAIT : STEP_END;
}

static enum step step_delay(struct client *c)
{
	struct origin_answer *a = &c->answer;

	if (loop_now_ns(c->origin->loop) < c->due_ns)
		return wait_until_due(c);
	origin_answer_write_head(a, clock_wall_ns() / NS_PER_S, &c->out);
	c->left = 0;
	c->state = CLIENT_DONE;
	if (!origin_answer_has_content(a))
		return STEP_MORE;
	switch (a->content) {
	case ORIGIN_CONTENT_TEXT:
		text_put_span(&c->out, text_span(&a->text));
		break;
	case ORIGIN_CONTENT_FILL:
		c->left = a->length;
		c->state = CLIENT_SEND;
		break;
	case ORIGIN_CONTENT_DRIP:
		c->left = a->length;
		c->state = CLIENT_DRIP;
		break;
	}
	return STEP_MORE;
}

/* The next filler bytes, at most n; as a function of the position, so that a reader can check them. */
static struct span filler(const struct client *c, size_t n)
{
	size_t at = (size_t)((c->answer.length - c->left) % FILL_BYTES);

	return span_of(c->origin->fill + at, (size_t)MIN(c->left, MIN(n, FILL_BYTES - at)));
}

static enum step send_chunk(struct client *c)
{
	struct span s = filler(c, CHUNK_BYTES);

	if (s.n) {
		char *at = text_reserve(&c->out, HTTP_CHUNK_HEAD_MAX);

		if (!at)
			return STEP_END;
		c->out.n += http_chunk_write_head(at, s.n);
		text_put_span(&c->out, s);
		text_put_literal(&c->out, "\r\n");
	}
	c->left -= s.n;
	if (c->left == 0) {
		text_put_literal(&c->out, "0\r\n\r\n");
		c->state = CLIENT_DONE;
	}
	return STEP_MORE;
}

static enum step step_send(struct client *c)
{
	struct span s = filler(c, FILL_BYTES);
	ssize_t n;

	if (c->answer.chunked)
		return send_chunk(c);
	n = conn_write(&c->conn, s.p, s.n);
	if (n < 0)
		return n == -EAGAIN ? STEP_WAIT : STEP_END;
	c->left -= (uint64_t)n;
	if (c->left == 0)
		c->state = CLIENT_DONE;
	return STEP_MORE;
}

static enum step step_drip(struct client *c)
{
	struct span s = filler(c, 1);

	if (s.n == 0) {
		c->state = CLIENT_DONE;
		return STEP_MORE;
	}
	if (loop_now_ns(c->origin->loop) < c->due_ns)
		return wait_until_due(c);
	text_put_span(&c->out, s);
	c->left -= s.n;
	c->due_ns = loop_read_clock(c->origin->loop) + c->answer.every_ns;
	return STEP_MORE;
}

static enum step step_done(struct client *c)
{
	if (!c->answer.keep_alive)
		return STEP_END;
	origin_answer_deinit(&c->answer);
	origin_answer_init(&c->answer);
	text_forget(&c->out, KEPT_BYTES);
	c->state = CLIENT_HEAD;
	return STEP_MORE;
}

/* Nothing is done while bytes are owed: this is the backpressure. */
static enum step flush(struct client *c)
{
	while (c->out_sent < c->out.n) {
		ssize_t n = conn_write(&c->conn, c->out.p + c->out_sent, c->out.n - c->out_sent);

		if (n < 0)
			return n == -EAGAIN ? STEP_WAIT : STEP_END;
		c->out_sent += (size_t)n;
	}
	c->out.n = 0;
	c->out_sent = 0;
	return STEP_MORE;
}

/* ---- connections ---- */

static enum step step(struct client *c)
{
	enum step rc = c->out.cut ? STEP_END : flush(c);

	if (rc != STEP_MORE)
		return rc;
	switch (c->state) {
	case CLIENT_HEAD: return step_head(c);
	case CLIENT_BODY: return step_body(c);
	case CLIENT_DELAY: return step_delay(c);
	case CLIENT_SEND: return step_send(c);
	case CLIENT_DRIP: return step_drip(c);
	case CLIENT_DONE: return step_done(c);
	}
	return STEP_END;
}

static void free_client(struct grave *grave)
{
	free(container_of(grave, struct client, grave));
}

static void end_client(struct client *c)
{
	conn_close(&c->conn, CONN_END_CLOSE);
	task_cancel(&c->task);
	timer_deinit(c->origin->loop, &c->timer);
	list_remove(&c->node);
	origin_answer_deinit(&c->answer);
	text_deinit(&c->in);
	text_deinit(&c->out);
	loop_bury(c->origin->loop, &c->grave, free_client);
}

static void run_client(struct task *task)
{
	struct client *c = container_of(task, struct client, task);

	for (unsigned i = 0; i < STEPS_PER_TURN; i++) {
		enum step rc = step(c);

		if (rc == STEP_END)
			end_client(c);
		if (rc != STEP_MORE)
			return;
	}
	loop_queue(c->origin->loop, task);
}

static void on_timer(struct timer *timer)
{
	struct client *c = container_of(timer, struct client, timer);

	loop_queue(c->origin->loop, &c->task);
}

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
	struct origin *o = container_of(listener, struct origin, listener);
	struct client *c = calloc(1, sizeof(*c));

	(void)peer;
	if (!c) {
		(void)close(fd);
		return;
	}
	task_init(&c->task, run_client);
	if (conn_open(&c->conn, o->loop, fd, &c->task, CONN_READABLE | CONN_WRITABLE) < 0) {
		free(c);
		return;
	}
	c->origin = o;
	timer_init(&c->timer, on_timer);
	text_init(&c->in);
	text_init(&c->out);
	origin_answer_init(&c->answer);
	list_push_back(&o->clients, &c->node);
	loop_queue(o->loop, &c->task);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
	struct origin *o = arg;

	(void)pthread_setname_np(pthread_self(), "origin");
	loop_run(o->loop);
	return NULL;
}

static void stop(void *arg)
{
	struct origin *o = arg;

	listener_deinit(&o->listener);
	while (!list_is_empty(&o->clients))
		end_client(container_of(o->clients.next, struct client, node));
	loop_stop(o->loop);
}

/* A name that nobody can guess or take first. */
static int choose_name(struct address *a)
{
	uint64_t random;
	char block[64];
	struct text name;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	text_init_fixed(&name, block, sizeof(block));
	text_put_literal(&name, "@brownout-origin-");
	text_put_i64(&name, getpid());
	text_put_char(&name, '-');
	text_put_hex(&name, random, 16);
	return address_from_unix(a, text_span(&name)) == 0 ? 0 : -EINVAL;
}

/* Lines of 64 printable bytes. */
static void make_filler(char *p)
{
	static const char line[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-\n";

	_Static_assert(FILL_BYTES % (sizeof(line) - 1) == 0, "the block holds whole lines");
	for (size_t i = 0; i < FILL_BYTES; i++)
		p[i] = line[i % (sizeof(line) - 1)];
}

static int listen_on_loop(struct origin *o, struct address *address)
{
	struct address wanted;
	int fd = -1;
	int rc = choose_name(&wanted);

	if (rc == 0)
		rc = listener_bind(&wanted, &fd, address);
	if (rc == 0)
		rc = listener_init(&o->listener, o->loop, fd, on_accept);
	return rc;
}

int origin_start(struct origin **origin, struct address *address)
{
	struct origin *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return -ENOMEM;
	list_init(&o->clients);
	make_filler(o->fill);
	rc = loop_new(&o->loop);
	if (rc < 0)
		goto no_loop;
	rc = listen_on_loop(o, address);
	if (rc < 0)
		goto no_listener;
	rc = -pthread_create(&o->thread, NULL, run, o);
	if (rc < 0)
		goto no_thread;
	*origin = o;
	return 0;
no_thread:
	listener_deinit(&o->listener);
no_listener:
	loop_free(o->loop);
no_loop:
	free(o);
	return rc;
}

void origin_stop(struct origin *origin)
{
	if (!origin)
		return;
	loop_post_own(origin->loop, &origin->stop, stop, origin);
	(void)pthread_join(origin->thread, NULL);
	loop_free(origin->loop);
	free(origin);
}
