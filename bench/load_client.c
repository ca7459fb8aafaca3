/*
 * load_client: the connections to the subject. Closed loop: each sends its next request when the last is answered. Open
 * loop: requests fall due by a Poisson process and go to the connection that has been idle longest; one that finds none
 * idle stays due, and its latency counts from then.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "load.h"
#include "sock.h"

#define CONNECTING_MAX 256 /* well under every subject's backlog */
#define SOURCES 64	   /* loopback addresses that short connections come from */
#define KEY_DIGITS 8

enum client_state {
	CLIENT_CLOSED,
	CLIENT_CONNECTING,
	CLIENT_IDLE,
	CLIENT_WAITING, /* request sent */
};

struct client {
	struct source source;
	int fd;
	enum client_state state;
	struct list link; /* idle */
	unsigned unanswered;
	int64_t due_ns;
	int64_t sent_ns;
	struct answer answer;
};

static void load_error(const char *text)
{
	load.counts.errors++;
	if (!load.first_error)
		load.first_error = text;
}

static void on_event(struct source *self, uint32_t events);

static void client_open(struct client *c)
{
	unsigned source = 0;

	if (load.options.reconnect)
		source = 2 + load.source_turn++ % SOURCES;
	c->fd = sock_connect((uint16_t)load.options.target_port, source);
	c->state = CLIENT_CONNECTING;
	sock_watch(load.epoll_fd, c->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c->source);
}

static void client_close(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	load.in_flight -= c->unanswered;
	c->unanswered = 0;
	list_remove(&c->link);
	c->state = CLIENT_CLOSED;
}

/* A broken connection is an error and is opened anew, unless the run is in its last phase. */
static void client_fail(struct client *c, const char *text)
{
	load_error(text);
	if (c->state != CLIENT_CONNECTING)
		load.connected--;
	client_close(c);
	if (load.phase == LOAD_ENDED || load.options.hold)
		return;
	client_open(c);
}

static uint64_t draw(void)
{
	load.random ^= load.random << 13;
	load.random ^= load.random >> 7;
	load.random ^= load.random << 17;
	return load.random >> 11;
}

static void write_key(char *digits)
{
	uint64_t key = draw() % (uint64_t)load.options.keys;

	for (unsigned i = KEY_DIGITS; i-- > 0; key /= 10)
		digits[i] = (char)('0' + key % 10);
}

static void client_send(struct client *c, int64_t due_ns)
{
	ssize_t n;

	list_remove(&c->link);
	c->state = CLIENT_WAITING;
	c->due_ns = due_ns;
	answer_init(&c->answer);
	c->unanswered = (unsigned)load.options.pipelined;
	load.in_flight += c->unanswered;
	load.issued += c->unanswered;
	if (load.key)
		write_key(load.key);
	/* Read before the call: no answer can seem earlier than it was. */
	c->sent_ns = clock_mono_ns();
	n = send(c->fd, load.request, load.request_bytes, MSG_NOSIGNAL);
	if (n != (ssize_t)load.request_bytes)
		client_fail(c, "request not sent");
}

static bool may_issue(void)
{
	if (load.phase == LOAD_WARMING)
		return true;
	return load.phase == LOAD_MEASURING && (!load.options.requests || load.issued < load.options.requests);
}

static void client_next(struct client *c)
{
	c->state = CLIENT_IDLE;
	if (load.options.rate || !may_issue())
		list_push_back(&load.idle, &c->link);
	else
		client_send(c, 0);
}

static void check_answer(const struct client *c)
{
	const int status = c->answer.status;

	if (load.options.hold)
		load_error("answered while held");
	if (status == 503 && (load.options.allow_aborted || load.options.only_aborted))
		load.counts.aborted += load.phase == LOAD_MEASURING;
	else if (status != 200 || load.options.only_aborted)
		load_error("unexpected status");
	else if (c->answer.content_bytes != (uint64_t)load.options.body_bytes)
		load_error("unexpected length");
}

static void client_count(struct client *c)
{
	const int64_t now_ns = clock_mono_ns();

	check_answer(c);
	c->unanswered--;
	load.in_flight--;
	load.progress_ns = now_ns;
	if (load.phase == LOAD_MEASURING) {
		load.counts.completed++;
		load.counts.content_bytes += (int64_t)c->answer.content_bytes;
		samples_add(&load.latency, now_ns - (c->due_ns ? c->due_ns : c->sent_ns));
	}
}

static void client_done(struct client *c)
{
	if (load.options.reconnect) {
		c->state = CLIENT_IDLE;
		client_close(c);
		client_open(c);
		load.connected--;
	} else {
		client_next(c);
	}
}

/* Takes n bytes of an answer. false: the connection was given up. */
static bool client_take(struct client *c, size_t n)
{
	if (c->state != CLIENT_WAITING) {
		client_fail(c, "bytes without a request");
		return false;
	}
	if (load.options.delay_ns && load.phase == LOAD_MEASURING && !c->answer.status && !c->answer.head_bytes)
		samples_add(&load.delay_error, clock_mono_ns() - c->sent_ns - load.options.delay_ns);
	for (size_t at = 0; at < n;) {
		const ssize_t used = c->unanswered ? answer_feed(&c->answer, load.receive + at, n - at) : -1;

		if (used < 0) {
			client_fail(c, c->unanswered ? "malformed answer" : "bytes behind the answer");
			return false;
		}
		at += (size_t)used;
		if (c->answer.state != ANSWER_DONE)
			continue;
		client_count(c);
		if (c->unanswered)
			answer_init(&c->answer);
	}
	return true;
}

static void client_receive(struct client *c, bool hung_up)
{
	for (;;) {
		/* A counted body is thrown away in the kernel: copying it would only slow the peer down. */
		const bool skip = c->unanswered == 1 && c->answer.state == ANSWER_COUNTED;
		const size_t room = skip ? (size_t)MIN(c->answer.left_bytes, (uint64_t)LOAD_RECEIVE_BYTES) : LOAD_RECEIVE_BYTES;
		const ssize_t n = recv(c->fd, load.receive, room, skip ? MSG_TRUNC : 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			client_fail(c, n < 0 ? "connection reset" : "connection closed");
			return;
		}
		if (skip) {
			answer_skip(&c->answer, (size_t)n);
			if (c->answer.state == ANSWER_DONE)
				client_count(c);
		} else if (!client_take(c, (size_t)n)) {
			return;
		}
		if (!c->unanswered) {
			client_done(c);
			return;
		}
		if ((size_t)n < room && !hung_up)
			return;
	}
}

static void on_event(struct source *self, uint32_t events)
{
	struct client *c = container_of(self, struct client, source);

	if (c->state == CLIENT_CLOSED)
		return;
	if (c->state == CLIENT_CONNECTING) {
		if (events & (EPOLLERR | EPOLLHUP)) {
			errno = ECONNREFUSED;
			die("the subject refuses connections");
		}
		if (events & EPOLLOUT) {
			load.connected++;
			client_next(c);
		}
		return;
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		client_receive(c, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void make_request(void)
{
	const struct load_options *o = &load.options;
	char one[512];
	int n = snprintf(one, sizeof(one),
		"GET /%s/%lld HTTP/1.1\r\n"
		"Host: bench.test\r\n"
		"User-Agent: bench\r\n"
		"Accept: */*\r\n"
		"%s\r\n",
		o->chunked ? "chunked" : "bytes", (long long)o->body_bytes, o->keys ? "X-Key: 00000000\r\n" : "");

	load.request_bytes = (size_t)n * (size_t)o->pipelined;
	load.request = malloc(load.request_bytes);
	if (!load.request)
		die("malloc");
	for (int64_t i = 0; i < o->pipelined; i++)
		memcpy(load.request + i * n, one, (size_t)n);
	if (o->keys)
		load.key = load.request + n - 4 - KEY_DIGITS;
}

void clients_init(void)
{
	list_init(&load.idle);
	load.clients = calloc((size_t)load.options.connections, sizeof(*load.clients));
	load.receive = malloc(LOAD_RECEIVE_BYTES);
	if (!load.clients || !load.receive)
		die("malloc");
	for (int64_t i = 0; i < load.options.connections; i++) {
		load.clients[i].source.on_event = on_event;
		load.clients[i].fd = -1;
		list_init(&load.clients[i].link);
	}
	make_request();
}

void clients_connect(void)
{
	while (load.opened < load.options.connections && load.opened - load.connected < CONNECTING_MAX)
		client_open(&load.clients[load.opened++]);
}

void clients_start_phase(enum load_phase phase)
{
	load.phase = phase;
	load.phase_since_ns = load.now_ns;
	load.progress_ns = load.now_ns;
	load.issued = 0;
	load.due_ns = load.now_ns;
}

static struct client *next_idle(void)
{
	return container_of(load.idle.next, struct client, link);
}

/* The time to the next event of a Poisson process. */
static int64_t draw_gap_ns(void)
{
	return (int64_t)(-log(((double)draw() + 0.5) / 9007199254740992.0) / (double)load.options.rate * 1e9);
}

void clients_issue(void)
{
	while (!load.options.rate && !list_is_empty(&load.idle) && may_issue())
		client_send(next_idle(), 0);
	if (!load.options.rate)
		return;
	while (load.due_ns <= load.now_ns && !list_is_empty(&load.idle) && may_issue()) {
		client_send(next_idle(), load.due_ns);
		load.due_ns += draw_gap_ns();
	}
}
