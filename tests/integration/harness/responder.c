/*
 * responder: see responder.h.
 */
#include "harness/responder.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define BODY_BYTES 2000
#define LARGE_BYTES (4 * 1024 * 1024)
#define HEAD_BYTES_MAX 16384

struct connection {
	struct responder *responder;
	int fd;
	char in[HEAD_BYTES_MAX + 1];
	size_t n;
};

static bool put(struct connection *c, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool put_text(struct connection *c, const char *text)
{
	return put(c, text, strlen(text));
}

/* Reads until `what` is in the bytes held; where it ends. NULL: the connection ended, or it is too far away. */
static char *read_to(struct connection *c, const char *what)
{
	char *found;

	while (!(found = memmem(c->in, c->n, what, strlen(what)))) {
		ssize_t got = c->n < HEAD_BYTES_MAX ? recv(c->fd, c->in + c->n, HEAD_BYTES_MAX - c->n, 0) : 0;

		if (got <= 0)
			return NULL;
		c->n += (size_t)got;
	}
	return found + strlen(what);
}

static void drop(struct connection *c, size_t n)
{
	memmove(c->in, c->in + n, c->n - n);
	c->n -= n;
}

static bool skip(struct connection *c, unsigned long n)
{
	while (n > c->n) {
		n -= c->n;
		c->n = 0;
		if (recv(c->fd, c->in, 1, MSG_PEEK) <= 0)
			return false;
		c->n = (size_t)recv(c->fd, c->in, HEAD_BYTES_MAX, 0);
	}
	drop(c, n);
	return true;
}

/* The tests send few chunks and no data that looks like the last one. */
static bool skip_body(struct connection *c, const char *head)
{
	const char *length = strcasestr(head, "\r\ncontent-length:");
	char *end;

	if (length)
		return skip(c, strtoul(length + 17, NULL, 10));
	if (!strcasestr(head, "\r\ntransfer-encoding:"))
		return true;
	end = read_to(c, "0\r\n\r\n");
	if (end)
		drop(c, (size_t)(end - c->in));
	return end;
}

static bool put_body(struct connection *c, size_t n)
{
	static const char block[16384] = { 'x' };

	for (; n > sizeof(block); n -= sizeof(block)) {
		if (!put(c, block, sizeof(block)))
			return false;
	}
	return put(c, block, n);
}

static bool echo(struct connection *c)
{
	if (!put_text(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"))
		return false;
	while (put(c, c->in, c->n)) {
		ssize_t got = recv(c->fd, c->in, HEAD_BYTES_MAX, 0);

		if (got <= 0)
			break;
		c->n = (size_t)got;
	}
	return false;
}

static size_t body_bytes(const char *head)
{
	if (strstr(head, " /large "))
		return LARGE_BYTES;
	return strstr(head, " /length ") || strstr(head, " /hints ") ? BODY_BYTES : 0;
}

static bool put_chunked(struct connection *c)
{
	return put_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0;a=b\r\n") && put_body(c, BODY_BYTES) &&
		put_text(c, "\r\n0\r\nX-T: t\r\n\r\n");
}

/* False where the connection ends behind it. */
static bool answer(struct connection *c, const char *head)
{
	char length[64];

	if (strstr(head, " /early "))
		return put_text(c, "HTTP/1.1 503 Early\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") && false;
	if (strstr(head, " /chunked "))
		return put_chunked(c);
	if (strstr(head, " /to-end "))
		return put_text(c, "HTTP/1.1 200 OK\r\n\r\n") && put_body(c, BODY_BYTES) && false;
	if (strstr(head, " /hints ") && !put_text(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
		return false;
	snprintf(length, sizeof(length), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body_bytes(head));
	return put_text(c, length) && (strncmp(head, "HEAD ", 5) == 0 || put_body(c, body_bytes(head)));
}

/* One request. False: the connection is over. */
static bool serve_one(struct connection *c)
{
	char *end = read_to(c, "\r\n\r\n");
	char *head;
	bool goes_on;

	if (!end)
		return false;
	atomic_fetch_add(&c->responder->n_requests, 1);
	head = strndup(c->in, (size_t)(end - c->in));
	drop(c, (size_t)(end - c->in));
	if (strcasestr(head, "\r\nupgrade:"))
		goes_on = echo(c);
	else if (strstr(head, " /early "))
		goes_on = answer(c, head);
	else
		goes_on = skip_body(c, head) && answer(c, head);
	free(head);
	return goes_on;
}

static void serve(int fd, void *arg)
{
	struct connection *c = calloc(1, sizeof(*c));

	c->responder = arg;
	c->fd = fd;
	while (serve_one(c))
		continue;
	free(c);
}

void responder_start(struct responder *r)
{
	atomic_store(&r->n_requests, 0);
	crew_start(&r->crew, serve, r);
	r->port = r->crew.port;
}

void responder_stop(struct responder *r)
{
	crew_stop(&r->crew);
}
