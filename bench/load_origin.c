/*
 * load_origin: the upstream behind the subject. GET /bytes/N answers N bytes with Content-Length, GET /chunked/N the
 * same in chunks of 16 KiB; both are laid out in memory once and sent from there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "sock.h"

#define RESOURCES_MAX 8
#define RESOURCE_BYTES_MAX (64u << 20)
#define CHUNK_BYTES 16384u
#define REQUEST_BYTES_MAX 4096
#define UNSENT_BYTES (256 * 1024) /* beside an attack */

/* A whole answer as it goes over the wire. */
struct resource {
	char target[40];
	char *wire;
	size_t wire_bytes;
};

struct origin_connection {
	struct source source;
	int fd;
	bool writable;
	const char *unsent;
	size_t unsent_bytes;
	size_t request_bytes;
	char request[REQUEST_BYTES_MAX];
};

static struct {
	struct source source;
	int fd;
	struct resource resources[RESOURCES_MAX];
	size_t resource_count;
	int64_t bad_requests;
} origin;

int64_t origin_bad_requests(void)
{
	return origin.bad_requests;
}

static size_t write_chunks(char *to, uint64_t bytes)
{
	char *at = to;

	while (bytes) {
		const size_t take = (size_t)MIN(bytes, (uint64_t)CHUNK_BYTES);

		at += snprintf(at, 16, "%zx\r\n", take);
		memset(at, 'x', take);
		at += take;
		memcpy(at, "\r\n", 2);
		at += 2;
		bytes -= take;
	}
	memcpy(at, "0\r\n\r\n", 5);
	return (size_t)(at + 5 - to);
}

static void make_resource(struct resource *r, uint64_t bytes, bool chunked)
{
	const size_t room = 512 + bytes + (bytes / CHUNK_BYTES + 2) * 16;
	char framing[64];
	int head;

	if (chunked)
		snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked");
	else
		snprintf(framing, sizeof(framing), "Content-Length: %llu", (unsigned long long)bytes);
	r->wire = malloc(room);
	if (!r->wire)
		die("malloc");
	head = snprintf(r->wire, 512,
		"HTTP/1.1 200 OK\r\n"
		"Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
		"Content-Type: application/octet-stream\r\n"
		"%s\r\n"
		"\r\n",
		framing);
	if (chunked) {
		r->wire_bytes = (size_t)head + write_chunks(r->wire + head, bytes);
	} else {
		memset(r->wire + head, 'x', bytes);
		r->wire_bytes = (size_t)head + bytes;
	}
}

/* The answer to a complete request head, NULL where it is none that a client of ours sent. */
static const struct resource *find_resource(const char *head, size_t n)
{
	unsigned long long bytes;
	const char *end = n > 5 && memcmp(head, "GET /", 5) == 0 ? memchr(head + 4, ' ', n - 4) : NULL;
	const size_t target_bytes = end ? (size_t)(end - head) - 4 : 0;
	struct resource *r;

	if (!target_bytes || target_bytes >= sizeof(r->target))
		return NULL;
	for (size_t i = 0; i < origin.resource_count; i++) {
		r = &origin.resources[i];
		if (memcmp(r->target, head + 4, target_bytes) == 0 && !r->target[target_bytes])
			return r;
	}
	if (origin.resource_count == RESOURCES_MAX)
		return NULL;
	r = &origin.resources[origin.resource_count];
	memcpy(r->target, head + 4, target_bytes);
	r->target[target_bytes] = '\0';
	if (sscanf(r->target, "/bytes/%llu", &bytes) != 1 && sscanf(r->target, "/chunked/%llu", &bytes) != 1)
		return NULL;
	if (bytes > RESOURCE_BYTES_MAX)
		return NULL;
	make_resource(r, bytes, r->target[1] == 'c');
	origin.resource_count++;
	return r;
}

static void connection_close(struct origin_connection *c)
{
	close(c->fd);
	free(c);
}

/* false: broken. */
static bool connection_flush(struct origin_connection *c)
{
	while (c->unsent_bytes && c->writable) {
		const ssize_t n = send(c->fd, c->unsent, c->unsent_bytes, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0) {
			c->writable = false;
			break;
		}
		c->unsent += n;
		c->unsent_bytes -= (size_t)n;
	}
	return true;
}

/* Answers the head in c->request, if it is complete. false: not a request of ours. */
static bool connection_answer(struct origin_connection *c)
{
	const struct resource *r;

	if (c->request_bytes < 4)
		return true;
	/* Of those whose bodies drip: nothing is left of it but what it is. */
	if (memcmp(c->request, "POST", 4) == 0) {
		c->request_bytes = 4;
		return true;
	}
	if (memcmp(c->request + c->request_bytes - 4, "\r\n\r\n", 4) != 0)
		return c->request_bytes < sizeof(c->request);
	r = find_resource(c->request, c->request_bytes);
	if (!r || c->unsent_bytes)
		return false;
	c->request_bytes = 0;
	c->unsent = r->wire;
	c->unsent_bytes = r->wire_bytes;
	/* That nobody takes the answer any more is no fault of the request; the connection's end is read next. */
	(void)connection_flush(c);
	return true;
}

static void connection_on_event(struct source *self, uint32_t events)
{
	struct origin_connection *c = container_of(self, struct origin_connection, source);

	if (events & EPOLLOUT)
		c->writable = true;
	if (!connection_flush(c)) {
		connection_close(c);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	for (;;) {
		const size_t room = sizeof(c->request) - c->request_bytes;
		const ssize_t n = recv(c->fd, c->request + c->request_bytes, room, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			connection_close(c);
			return;
		}
		c->request_bytes += (size_t)n;
		if (!connection_answer(c)) {
			origin.bad_requests++;
			connection_close(c);
			return;
		}
		if ((size_t)n < room && !(events & EPOLLRDHUP))
			return;
	}
}

static void origin_on_event(struct source *self, uint32_t events)
{
	int fd;

	(void)self;
	(void)events;
	while ((fd = sock_accept(origin.fd)) >= 0) {
		struct origin_connection *c = calloc(1, sizeof(*c));

		if (!c)
			die("calloc");
		c->source.on_event = connection_on_event;
		c->fd = fd;
		c->writable = true;
		sock_watch(load.epoll_fd, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c->source);
	}
}

void origin_init(uint16_t *port)
{
	origin.source.on_event = origin_on_event;
	origin.fd = sock_listen(port);
	/* What 200 readers do not take would use up the kernel's memory for TCP, which is everybody's. */
	if (load.options.attack)
		sock_bound_unsent(origin.fd, UNSENT_BYTES);
	sock_watch(load.epoll_fd, origin.fd, EPOLLIN, &origin.source);
}
