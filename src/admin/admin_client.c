/*
 * admin_client: plain sockets, one connection for one request.
 */
#include "admin/admin_client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "config/arena.h"
#include "config/endpoint.h"
#include "http/message.h"
#include "http/write.h"
#include "net/address.h"
#include "net/conn.h"

#define WAIT_MS 30000 /* for each step */
#define READ_BYTES ((size_t)16 * 1024)
#define HEAD_BYTES_MAX ((size_t)64 * 1024)
#define BODY_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define EVENT_BYTES_MAX ((size_t)1024 * 1024)
#define FIELDS_MAX 100

void admin_client_init(struct admin_client *c, const char *address, const char *token)
{
	*c = (struct admin_client){ .address = address, .token = token, .fd = -1 };
}

static void disconnect(struct admin_client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

/* Returns r. */
static int fail(struct admin_client *c, int r, const char *format, ...) PRINTF_LIKE(3, 4);
static int fail(struct admin_client *c, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
	disconnect(c);
	return r;
}

/* ---- connecting ---- */

/* host:port with or without what stands around it in a URL. */
static struct span bare_address(const char *address)
{
	struct span s = span_of_string(address);

	if (span_starts_with(s, SPAN("http://"))) {
		s = span_skip(s, 7);
		if (s.n && s.p[s.n - 1] == '/')
			s.n--;
	}
	return s;
}

static int find_addresses(struct admin_client *c, struct address *v, unsigned max, unsigned *n)
{
	char problem[ENDPOINT_PROBLEM_BYTES] = "";
	struct arena *arena = arena_new();
	struct endpoint e;
	int r = arena ? endpoint_parse_listen(&e, arena, bare_address(c->address), problem) : -ENOMEM;

	*n = 1;
	if (r > 0) {
		r = fail(c, -EINVAL, "\"%.100s\" %s", c->address, problem);
	} else if (r == 0 && e.kind == ENDPOINT_UNIX) {
		if (address_from_unix(&v[0], e.host) != 0)
			r = fail(c, -EINVAL, "%.100s: the path is too long", c->address);
	} else if (r == 0) {
		r = address_resolve(v, max, n, e.host, e.port);
		if (r > 0)
			r = fail(c, -EADDRNOTAVAIL, "%.100s: %s", c->address, address_resolve_error(r));
	}
	arena_free(arena);
	return r;
}

static int wait_for(struct admin_client *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n;

	do
		n = poll(&p, 1, WAIT_MS);
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : fail(c, -ETIMEDOUT, "%.100s does not answer", c->address);
}

/* 0, or the negative errno, without a word of it. */
static int connect_to(struct admin_client *c, const struct address *a)
{
	int r = conn_connect_start(a, &c->fd);
	socklen_t n = sizeof(r);

	if (r < 0) {
		c->fd = -1;
		return r;
	}
	r = wait_for(c, POLLOUT);
	if (r < 0)
		return r;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &r, &n) < 0)
		r = errno;
	if (r)
		disconnect(c);
	return -r;
}

static int do_connect(struct admin_client *c)
{
	struct address v[8];
	unsigned n = 0;
	int r = find_addresses(c, v, ARRAY_LEN(v), &n);

	if (r < 0)
		return r;
	r = -EADDRNOTAVAIL;
	for (unsigned i = 0; i < n && r < 0; i++)
		r = connect_to(c, &v[i]);
	if (r == -ECONNREFUSED || r == -ENOENT)
		return fail(c, -ECONNREFUSED, "nothing listens on %.100s", c->address);
	return r < 0 ? fail(c, r, "cannot connect to %.100s: %s", c->address, strerror(-r)) : 0;
}

/* ---- sending ---- */

static int send_all(struct admin_client *c, struct span s)
{
	while (s.n) {
		ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n > 0)
			s = span_skip(s, (size_t)n);
		else if (errno == EAGAIN && wait_for(c, POLLOUT) < 0)
			return -ETIMEDOUT;
		else if (errno == EPIPE || errno == ECONNRESET)
			return 0; /* refused before the end of the body: the answer says why */
		else if (errno != EINTR && errno != EAGAIN)
			return fail(c, -errno, "%.100s: %s", c->address, strerror(errno));
	}
	return 0;
}

static int send_request(struct admin_client *c, const char *method, struct span target, const char *type, struct span body)
{
	struct span host = bare_address(c->address);
	struct text head;
	int r;

	text_init(&head);
	text_printf(&head, "%s %.*s HTTP/1.1\r\n", method, SPAN_ARG(target));
	http_write_field(&head, SPAN("Host"), span_starts_with(host, SPAN("unix:")) ? SPAN("localhost") : host);
	if (c->token)
		text_printf(&head, "Authorization: Bearer %s\r\n", c->token);
	if (type)
		text_printf(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body.n);
	text_put_literal(&head, "Connection: close\r\n\r\n");
	r = head.cut ? fail(c, -ENOMEM, "memory is out") : send_all(c, text_span(&head));
	text_deinit(&head);
	return r < 0 || !type ? r : send_all(c, body);
}

/* ---- reading ---- */

/* Bytes read, behind what the text has; 0 at the end. */
static ssize_t read_some(struct admin_client *c, struct text *in)
{
	char *at = text_reserve(in, READ_BYTES);
	ssize_t n;

	if (!at)
		return fail(c, -ENOMEM, "memory is out");
	do {
		n = recv(c->fd, at, READ_BYTES, 0);
		if (n < 0 && errno == EAGAIN) {
			int r = wait_for(c, POLLIN);

			if (r < 0)
				return r;
			errno = EINTR;
		}
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(c, -errno, "%.100s: %s", c->address, strerror(errno));
	in->n += (size_t)n;
	return n;
}

static int refuse_answer(struct admin_client *c)
{
	return fail(c, -EPROTO, "what listens on %.100s does not speak as brownout does", c->address);
}

/* The head of the answer, and what of the body has come with it, which stays in `in`. */
static int read_head(struct admin_client *c, struct text *in, struct http_response *head)
{
	size_t scanned = 0;

	for (;;) {
		enum http_error error;
		int rc = HTTP_PARSE_MORE;
		ssize_t n;

		if (in->n && http_head_is_due(in->p, in->n, &scanned))
			rc = http_response_parse(head, in->p, in->n, HTTP_METHOD_GET, &error);
		if (rc == HTTP_PARSE_ERROR || in->n > HEAD_BYTES_MAX)
			return refuse_answer(c);
		if (rc == HTTP_PARSE_OK && head->status >= 200) {
			memmove(in->p, in->p + head->head_n, in->n - head->head_n);
			in->n -= head->head_n;
			return head->body == HTTP_BODY_CHUNKED ? refuse_answer(c) : 0;
		}
		if (rc == HTTP_PARSE_OK) { /* an interim answer */
			memmove(in->p, in->p + head->head_n, in->n - head->head_n);
			in->n -= head->head_n;
			scanned = 0;
			continue;
		}
		n = read_some(c, in);
		if (n <= 0)
			return n < 0 ? (int)n : refuse_answer(c);
	}
}

static int read_body(struct admin_client *c, struct text *in, const struct http_response *head)
{
	bool until_close = head->body == HTTP_BODY_UNTIL_CLOSE;
	uint64_t wanted = head->body == HTTP_BODY_LENGTH ? head->body_length : 0;
	ssize_t n = 1;

	while ((until_close || in->n < wanted) && n > 0) {
		n = read_some(c, in);
		if (n < 0)
			return (int)n;
		if (in->n > BODY_BYTES_MAX)
			return refuse_answer(c);
	}
	return in->n < wanted ? fail(c, -ECONNRESET, "%.100s: the answer was cut", c->address) : 0;
}

static int start(struct admin_client *c, const char *method, struct span target, const char *type, struct span body,
	struct text *in, struct http_response *head)
{
	int r;

	disconnect(c);
	r = do_connect(c);
	if (r == 0)
		r = send_request(c, method, target, type, body);
	return r == 0 ? read_head(c, in, head) : r;
}

int admin_client_ask(struct admin_client *c, const char *method, struct span target, const char *type, struct span body,
	struct admin_reply *reply)
{
	struct http_field fields[FIELDS_MAX];
	struct http_response head = { .fields = { .v = fields, .cap = FIELDS_MAX } };
	int r;

	*reply = (struct admin_reply){ 0 };
	text_init(&reply->body);
	r = start(c, method, target, type, body, &reply->body, &head);
	reply->status = head.status;
	if (r == 0)
		r = read_body(c, &reply->body, &head);
	disconnect(c);
	return r;
}

/* ---- events ---- */

/* Takes whole events off the text. False where on_event has had enough. */
static bool take_events(struct text *in, admin_event_fn on_event, void *arg)
{
	struct span name = SPAN_EMPTY, data = SPAN_EMPTY, rest = text_span(in);
	size_t done = 0;
	bool more = true;

	while (more && rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n'));

		if (line.n == rest.n)
			break;
		rest = span_skip(rest, line.n + 1);
		if (span_starts_with(line, SPAN("event: ")))
			name = span_skip(line, 7);
		else if (span_starts_with(line, SPAN("data: ")))
			data = span_skip(line, 6);
		if (line.n)
			continue;
		if (name.n)
			more = on_event(arg, name, data);
		name = data = SPAN_EMPTY;
		done = in->n - rest.n;
	}
	memmove(in->p, in->p + done, in->n - done);
	in->n -= done;
	return more;
}

int admin_client_stream(struct admin_client *c, struct span target, admin_event_fn on_event, void *arg, struct admin_reply *reply)
{
	struct http_field fields[FIELDS_MAX];
	struct http_response head = { .fields = { .v = fields, .cap = FIELDS_MAX } };
	ssize_t n = 1;
	int r;

	*reply = (struct admin_reply){ 0 };
	text_init(&reply->body);
	r = start(c, "GET", target, NULL, SPAN_EMPTY, &reply->body, &head);
	reply->status = head.status;
	if (r == 0 && head.status != 200) {
		r = read_body(c, &reply->body, &head);
		disconnect(c);
		return r == 0 ? 1 : r;
	}
	while (r == 0 && n > 0 && take_events(&reply->body, on_event, arg)) {
		n = read_some(c, &reply->body);
		if (n < 0)
			r = (int)n;
		else if (reply->body.n > EVENT_BYTES_MAX)
			r = refuse_answer(c);
	}
	disconnect(c);
	return r;
}
