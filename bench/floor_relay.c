/*
 * floor_relay: clients, upstreams and the bytes between them. See floor.h.
 *
 * One exchange at a time per client; requests have no body. A client that shuts down its sending side has left. Errors
 * on one side close both: a floor has no opinion about failures.
 */
#include "floor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock.h"

#define FOR_LIFE (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static const char abort_answer[] =
	"HTTP/1.1 503 Service Unavailable\r\n"
	"Content-Type: text/plain\r\n"
	"Content-Length: 20\r\n"
	"Cache-Control: no-store\r\n"
	"\r\n"
	"Service Unavailable\n";

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

static void end_init(struct end *e, enum end_kind kind, int fd)
{
	e->kind = kind;
	e->fd = fd;
	e->writable = true; /* until a send says otherwise: write before waiting */
	list_init(&e->link);
}

static void end_close(struct floor *f, struct end *e)
{
	close(e->fd);
	e->fd = -1;
	free(e->unsent);
	e->unsent = NULL;
	list_remove(&e->link);
	list_push_back(&f->grave, &e->link);
}

/* Sends what the socket takes and keeps a copy of the rest. false: the connection is broken. */
static bool end_send(struct end *e, const char *bytes, size_t n)
{
	ssize_t sent = e->writable ? send(e->fd, bytes, n, MSG_NOSIGNAL) : 0;

	if (sent < 0) {
		if (errno != EAGAIN)
			return false;
		sent = 0;
	}
	if ((size_t)sent == n)
		return true;
	e->writable = false;
	e->unsent_bytes = n - (size_t)sent;
	e->sent_bytes = 0;
	e->unsent = malloc(e->unsent_bytes);
	if (!e->unsent)
		die("malloc");
	memcpy(e->unsent, bytes + sent, e->unsent_bytes);
	return true;
}

/* Sends what was kept, as far as the socket takes it. false: the connection is broken. */
static bool end_flush(struct end *e)
{
	ssize_t sent;

	if (!e->unsent || !e->writable)
		return true;
	sent = send(e->fd, e->unsent + e->sent_bytes, e->unsent_bytes - e->sent_bytes, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent > 0)
		e->sent_bytes += (size_t)sent;
	if (e->sent_bytes < e->unsent_bytes) {
		e->writable = false;
		return true;
	}
	free(e->unsent);
	e->unsent = NULL;
	return true;
}

/* Bytes read into the scratch; 0: nothing now; -1: the other side closed or the connection is broken. */
static ssize_t end_receive(struct floor *f, struct end *e)
{
	const ssize_t n = recv(e->fd, f->scratch, sizeof(f->scratch), 0);

	if (n < 0 && errno == EAGAIN) {
		e->readable = false;
		return 0;
	}
	if (n <= 0)
		return -1;
	if ((size_t)n < sizeof(f->scratch))
		e->readable = e->hung_up;
	return n;
}

/* ---- exchanges ----------------------------------------------------------------------------------------------------- */

static void close_client(struct floor *f, struct client *c)
{
	if (c->upstream)
		end_close(f, &c->upstream->end);
	free(c->head);
	c->head = NULL;
	end_close(f, &c->end);
}

static void close_upstream(struct floor *f, struct upstream *u)
{
	if (u->client)
		close_client(f, u->client);
	else
		end_close(f, &u->end);
}

static struct upstream *take_upstream(struct floor *f)
{
	struct list *node = list_pop_front(&f->idle);
	struct upstream *u;

	if (node)
		return container_of(node, struct upstream, end.link);
	u = calloc(1, sizeof(*u));
	if (!u)
		die("calloc");
	end_init(&u->end, END_UPSTREAM, sock_connect((uint16_t)f->options.upstream_port, 0));
	sock_watch(f->epoll_fd, u->end.fd, FOR_LIFE, &u->end);
	return u;
}

static void forward(struct floor *f, struct client *c, const char *head, size_t n)
{
	struct upstream *u = take_upstream(f);

	u->client = c;
	c->upstream = u;
	answer_init(&u->answer);
	if (!end_send(&u->end, head, n))
		close_client(f, c);
}

static bool draw_abort(struct floor *f)
{
	if (!f->options.abort)
		return false;
	if (f->options.percentage == 100)
		return true;
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random % 100 < (uint64_t)f->options.percentage;
}

static void answer_or_forward(struct floor *f, struct client *c, const char *head, size_t n)
{
	if (!draw_abort(f))
		forward(f, c, head, n);
	else if (!end_send(&c->end, abort_answer, sizeof(abort_answer) - 1))
		close_client(f, c);
}

/* Adds to the head kept in c. */
static void keep_head(struct client *c, const char *bytes, size_t n)
{
	char *head = realloc(c->head, c->head_bytes + n);

	if (!head)
		die("realloc");
	memcpy(head + c->head_bytes, bytes, n);
	c->head = head;
	c->head_bytes += n;
}

void floor_resume(struct floor *f, struct client *c)
{
	char *head = c->head;

	c->head = NULL;
	answer_or_forward(f, c, head, c->head_bytes);
	c->head_bytes = 0;
	free(head);
}

/* Takes n bytes that arrived in the scratch. */
static void take_request(struct floor *f, struct client *c, size_t n)
{
	const char *head = f->scratch;
	const char *end;

	if (c->head) {
		keep_head(c, f->scratch, n);
		head = c->head;
		n = c->head_bytes;
	}
	end = memmem(head, n, "\r\n\r\n", 4);
	if (end ? end + 4 != head + n : n >= FLOOR_SCRATCH_BYTES) {
		close_client(f, c); /* a body, a second request, or a head without end */
		return;
	}
	if (end && !f->options.delay_ns && !c->head) {
		answer_or_forward(f, c, head, n);
		return;
	}
	if (!c->head)
		keep_head(c, head, n);
	if (end && f->options.delay_ns)
		floor_delay(f, c);
	else if (end)
		floor_resume(f, c);
}

void floor_step_client(struct floor *f, struct client *c)
{
	if (!end_flush(&c->end)) {
		close_client(f, c);
		return;
	}
	if (c->upstream && !c->end.unsent && c->upstream->end.readable) {
		floor_step_upstream(f, c->upstream);
		if (c->end.fd < 0)
			return;
	}
	if (c->end.hung_up && (c->upstream || c->due_ns)) {
		close_client(f, c);
		return;
	}
	while (c->end.readable && !c->upstream && !c->due_ns && !c->end.unsent) {
		const ssize_t n = end_receive(f, &c->end);

		if (n < 0) {
			close_client(f, c);
			return;
		}
		if (n > 0)
			take_request(f, c, (size_t)n);
		if (c->end.fd < 0)
			return;
	}
}

/* Relays n bytes of the answer. false: the exchange is broken. */
static bool relay(struct floor *f, struct upstream *u, size_t n)
{
	if (answer_feed(&u->answer, f->scratch, n) != (ssize_t)n)
		return false;
	return end_send(&u->client->end, f->scratch, n);
}

void floor_step_upstream(struct floor *f, struct upstream *u)
{
	if (!end_flush(&u->end)) {
		close_upstream(f, u);
		return;
	}
	while (u->end.readable && !(u->client && u->client->end.unsent)) {
		const ssize_t n = end_receive(f, &u->end);
		struct client *c = u->client;

		if (n == 0)
			return;
		if (n < 0 || !c || !relay(f, u, (size_t)n)) {
			close_upstream(f, u);
			return;
		}
		if (u->answer.state == ANSWER_DONE) {
			u->client = NULL;
			c->upstream = NULL;
			list_push_front(&f->idle, &u->end.link);
			if (c->end.readable)
				floor_step_client(f, c);
		}
	}
}

void floor_accept(struct floor *f)
{
	int fd;

	while ((fd = sock_accept(f->listener.fd)) >= 0) {
		struct client *c = calloc(1, sizeof(*c));

		if (!c)
			die("calloc");
		end_init(&c->end, END_CLIENT, fd);
		sock_watch(f->epoll_fd, fd, FOR_LIFE, &c->end);
	}
}
