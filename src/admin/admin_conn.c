/*
 * admin_conn: steps. Each returns MORE (take the next), WAIT (for an edge or the timer) or END.
 */
#include "admin/admin_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/admin_internal.h"

#define READ_BYTES ((size_t)16 * 1024)
#define KEPT_BYTES ((size_t)4 * 1024) /* a buffer larger than this goes back after its request */
#define STEPS_PER_TURN 32
#define LINGER_BYTES_MAX (4 * ADMIN_BODY_BYTES_MAX)

#define IDLE_NS (75 * NS_PER_S) /* between requests */
#define HEAD_NS (10 * NS_PER_S) /* from the first byte of a head to its last */
#define BODY_NS (30 * NS_PER_S) /* the whole of it */
#define SEND_NS (30 * NS_PER_S) /* without a byte being taken */
#define LINGER_NS (2 * NS_PER_S)

enum step { STEP_MORE, STEP_WAIT, STEP_END };

static enum step wait_until(struct admin_conn *c, int64_t due_ns)
{
	return timer_set(c->admin->loop, &c->timer, due_ns) == 0 ? STEP_WAIT : STEP_END;
}

static void enter(struct admin_conn *c, enum admin_state state)
{
	c->state = state;
	c->from_ns = loop_now_ns(c->admin->loop);
	c->timed_out = false;
	timer_stop(&c->timer);
}

/* ---- reading ---- */

static void consume(struct admin_conn *c, size_t n)
{
	if (n == 0) /* where nothing was read yet there is no buffer either */
		return;
	memmove(c->in.p, c->in.p + n, c->in.n - n);
	c->in.n -= n;
	c->scanned = 0;
}

/* MORE: something was read. WAIT: nothing is there; the caller says for how long to wait. */
static enum step read_more(struct admin_conn *c)
{
	char *at;
	ssize_t n;

	if (!(c->conn.ready & CONN_READABLE))
		return STEP_WAIT;
	at = text_reserve(&c->in, READ_BYTES);
	if (!at)
		return STEP_END;
	n = conn_read(&c->conn, at, READ_BYTES);
	if (n == -EAGAIN)
		return STEP_WAIT;
	if (n <= 0)
		return STEP_END; /* within a request too: nobody waits for its answer */
	c->in.n += (size_t)n;
	return STEP_MORE;
}

/* ---- answering ---- */

static void send_answer(struct admin_conn *c, struct admin_answer *a)
{
	c->keep_alive = c->keep_alive && !a->streams;
	c->streams = a->streams && !c->request.is_head;
	c->stream = a->stream;
	admin_answer_write_head(a, c->request.minor, c->keep_alive, &c->out);
	if (!c->request.is_head)
		text_put_span(&c->out, admin_answer_content(a));
	enter(c, ADMIN_SEND);
}

/* What follows on the connection cannot be told apart any more, or is not to be read. */
static enum step refuse(struct admin_conn *c, unsigned status, const char *why)
{
	struct admin_answer a;

	admin_answer_init(&a);
	admin_answer_error(&a, status, "%s", why);
	c->keep_alive = false;
	send_answer(c, &a);
	admin_answer_deinit(&a);
	return STEP_MORE;
}

static enum step refuse_error(struct admin_conn *c, enum http_error error)
{
	return refuse(c, http_error_status(error), http_error_text(error));
}

static void answer(struct admin_conn *c)
{
	struct admin_answer a;

	admin_answer_init(&a);
	c->request.body = text_span(&c->body);
	admin_router_answer(&c->request, &a);
	send_answer(c, &a);
	admin_answer_deinit(&a);
}

/* ---- heads ---- */

static void take_head(struct admin_conn *c, const struct http_request *head)
{
	bool expects = head->expect_continue && head->body != HTTP_BODY_NONE;
	struct admin_answer a;

	c->keep_alive = head->keep_alive;
	http_content_begin(&c->content, head);
	admin_answer_init(&a);
	if (admin_router_begin(&c->request, c->admin, &c->admin->auth, head, &a)) {
		/* A request without a body leaves the connection as it should be. */
		if (head->body != HTTP_BODY_NONE)
			c->keep_alive = false;
		send_answer(c, &a);
		consume(c, head->head_n);
	} else {
		consume(c, head->head_n);
		if (expects && c->in.n == 0)
			text_put_literal(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		enter(c, ADMIN_BODY);
	}
	admin_answer_deinit(&a);
}

static enum step read_head(struct admin_conn *c)
{
	bool is_first = c->in.n == 0;
	enum step step = read_more(c);

	if (step == STEP_MORE && is_first)
		c->from_ns = loop_now_ns(c->admin->loop);
	if (step != STEP_WAIT)
		return step;
	if (c->timed_out)
		return is_first ? STEP_END : refuse(c, 408, "the head of the request did not come in time");
	if (is_first) /* an idle connection owns no buffer */
		text_deinit(&c->in);
	return wait_until(c, c->from_ns + (is_first ? IDLE_NS : HEAD_NS));
}

static enum step step_head(struct admin_conn *c)
{
	struct http_request head = { .fields = { .v = c->admin->fields, .cap = ADMIN_FIELDS_MAX } };
	enum http_error error;
	int rc = HTTP_PARSE_MORE;

	if (c->in.n && http_head_is_due(c->in.p, c->in.n, &c->scanned))
		rc = http_request_parse(&head, c->in.p, c->in.n, &error);
	if (rc == HTTP_PARSE_ERROR)
		return refuse_error(c, error);
	if (rc == HTTP_PARSE_OK && head.method_id == HTTP_METHOD_CONNECT)
		return refuse_error(c, HTTP_ERROR_CONNECT);
	if (rc == HTTP_PARSE_OK && head.head_n <= ADMIN_HEAD_BYTES_MAX) {
		take_head(c, &head);
		return STEP_MORE;
	}
	if (rc == HTTP_PARSE_OK || c->in.n >= ADMIN_HEAD_BYTES_MAX)
		return refuse_error(c, http_head_overflow(c->in.p, MIN(c->in.n, ADMIN_HEAD_BYTES_MAX)));
	return read_head(c);
}

/* ---- bodies ---- */

/* False where it grows too large. */
static bool put_body(void *arg, struct span piece)
{
	struct text *body = arg;

	if (piece.n > ADMIN_BODY_BYTES_MAX - body->n)
		return false;
	text_put_span(body, piece);
	return true;
}

static enum step read_body(struct admin_conn *c)
{
	enum step step = read_more(c);

	if (step != STEP_WAIT)
		return step;
	if (c->timed_out)
		return refuse(c, 408, "the body of the request did not come in time");
	return wait_until(c, c->from_ns + BODY_NS);
}

static enum step step_body(struct admin_conn *c)
{
	enum http_error error = HTTP_ERROR_NONE;
	size_t used;
	enum http_content_state state = http_content_take(&c->content, c->in.p, c->in.n, &used, put_body, &c->body, &error);

	consume(c, used);
	if (c->body.cut)
		return STEP_END;
	switch (state) {
	case HTTP_CONTENT_MORE: return read_body(c);
	case HTTP_CONTENT_REFUSED: return refuse(c, 413, "the body has too many bytes");
	case HTTP_CONTENT_ERROR: return refuse_error(c, error);
	case HTTP_CONTENT_END: break;
	}
	answer(c);
	return STEP_MORE;
}

/* ---- after the answer ---- */

/* It is out. */
static enum step step_sent(struct admin_conn *c)
{
	text_forget(&c->out, KEPT_BYTES);
	text_forget(&c->body, KEPT_BYTES);
	if (c->keep_alive) {
		/* The one that has been idle for longest stays in front. */
		list_remove(&c->node);
		list_push_back(&c->admin->conns, &c->node);
		enter(c, ADMIN_HEAD);
		return STEP_MORE;
	}
	if (c->streams) {
		enter(c, ADMIN_STREAM);
		admin_events_begin(&c->stream, c);
		return STEP_MORE;
	}
	conn_shutdown_write(&c->conn);
	enter(c, ADMIN_LINGER);
	return STEP_MORE;
}

/* Nothing is owed. The reader says nothing more, or leaves. */
static enum step step_stream(struct admin_conn *c)
{
	text_clear(&c->in);
	return read_more(c);
}

static enum step step_linger(struct admin_conn *c)
{
	enum step step;

	c->discarded += c->in.n;
	text_clear(&c->in);
	if (c->timed_out || c->discarded > LINGER_BYTES_MAX)
		return STEP_END;
	step = read_more(c);
	return step == STEP_WAIT ? wait_until(c, c->from_ns + LINGER_NS) : step;
}

/* ---- connections ---- */

/* MORE once nothing is owed: this is the backpressure. */
static enum step flush(struct admin_conn *c)
{
	if (c->out.n == 0)
		return STEP_MORE;
	while (c->out_sent < c->out.n) {
		ssize_t n = conn_write(&c->conn, c->out.p + c->out_sent, c->out.n - c->out_sent);

		if (n > 0) {
			c->out_sent += (size_t)n;
			c->from_ns = loop_now_ns(c->admin->loop);
			c->timed_out = false;
		} else if (n != -EAGAIN || c->timed_out) {
			return STEP_END;
		} else {
			return c->conn.ready & CONN_HANGUP ? STEP_END : wait_until(c, c->from_ns + SEND_NS);
		}
	}
	text_clear(&c->out);
	c->out_sent = 0;
	timer_stop(&c->timer);
	return STEP_MORE;
}

static enum step step(struct admin_conn *c)
{
	enum step rc = c->out.cut ? STEP_END : flush(c);

	if (rc != STEP_MORE)
		return rc;
	switch (c->state) {
	case ADMIN_HEAD: return step_head(c);
	case ADMIN_BODY: return step_body(c);
	case ADMIN_SEND: return step_sent(c);
	case ADMIN_STREAM: return step_stream(c);
	case ADMIN_LINGER: return step_linger(c);
	}
	return STEP_END;
}

static void free_conn(struct grave *grave)
{
	free(container_of(grave, struct admin_conn, grave));
}

void admin_conn_end(struct admin_conn *c)
{
	admin_events_end(&c->stream);
	conn_close(&c->conn, CONN_END_CLOSE);
	task_cancel(&c->task);
	timer_deinit(c->admin->loop, &c->timer);
	list_remove(&c->node);
	c->admin->n_conns--;
	text_deinit(&c->in);
	text_deinit(&c->body);
	text_deinit(&c->out);
	loop_bury(c->admin->loop, &c->grave, free_conn);
}

struct text *admin_conn_out(struct admin_conn *c)
{
	/* What was sent goes, so that it never grows beyond what is owed. */
	if (c->out_sent > KEPT_BYTES) {
		memmove(c->out.p, c->out.p + c->out_sent, c->out.n - c->out_sent);
		c->out.n -= c->out_sent;
		c->out_sent = 0;
	}
	return &c->out;
}

void admin_conn_send(struct admin_conn *c)
{
	loop_queue(c->admin->loop, &c->task);
}

static void run_conn(struct task *task)
{
	struct admin_conn *c = container_of(task, struct admin_conn, task);

	for (unsigned i = 0; i < STEPS_PER_TURN; i++) {
		enum step rc = step(c);

		if (rc == STEP_END)
			admin_conn_end(c);
		if (rc != STEP_MORE)
			return;
	}
	loop_queue(c->admin->loop, task);
}

static void on_timer(struct timer *timer)
{
	struct admin_conn *c = container_of(timer, struct admin_conn, timer);

	c->timed_out = true;
	loop_queue(c->admin->loop, &c->task);
}

static bool is_idle(const struct admin_conn *c)
{
	return c->state == ADMIN_HEAD && c->in.n == 0 && c->out.n == 0;
}

/* Whoever wants to stop all faults is not kept out by connections that nobody uses. */
static void make_room(struct admin *admin)
{
	struct list *node = admin->conns.next;

	while (node != &admin->conns && !is_idle(container_of(node, struct admin_conn, node)))
		node = node->next;
	if (node != &admin->conns)
		admin_conn_end(container_of(node, struct admin_conn, node));
}

void admin_conn_accept(struct admin *admin, int fd)
{
	struct admin_conn *c;

	if (admin->n_conns >= ADMIN_CONNS_MAX)
		make_room(admin);
	c = admin->n_conns < ADMIN_CONNS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		(void)close(fd);
		return;
	}
	task_init(&c->task, run_conn);
	if (conn_open(&c->conn, admin->loop, fd, &c->task, CONN_READABLE | CONN_WRITABLE) < 0) {
		free(c);
		return;
	}
	c->admin = admin;
	c->from_ns = loop_now_ns(admin->loop);
	timer_init(&c->timer, on_timer);
	text_init(&c->in);
	text_init(&c->body);
	text_init(&c->out);
	list_push_back(&admin->conns, &c->node);
	admin->n_conns++;
	loop_queue(admin->loop, &c->task);
}
