/*
 * crowd: see crowd.h. Threads block on their socket; none of them may end the test, so that they only count.
 */
#include "harness/crowd.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_BYTES 65536

struct shared {
	struct crowd *crowd;
	_Atomic unsigned next;
	_Atomic unsigned n_broken;
};

static int connect_first(struct rig *r)
{
	struct timeval limit = { PATIENCE_MS / 1000, 0 };
	int fd = rig_connect(r->program.listeners[0]);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	}
	return fd;
}

/* What the head in p[0..n) says, 0 where it is not whole yet: bytes of head and body. *closes: the connection ends behind it. */
static size_t answer_bytes(const char *p, bool *closes)
{
	const char *end = strstr(p, "\r\n\r\n");
	const char *length = strcasestr(p, "\r\ncontent-length:");
	const char *close = strcasestr(p, "\r\nconnection: close");

	if (!end)
		return 0;
	*closes = close && close < end;
	return (size_t)(end + 4 - p) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

/* The answer's status, 0 where the connection ended before its first byte, -1 where it is not whole. */
static int read_answer(int fd, bool *closes)
{
	static _Thread_local char in[ANSWER_BYTES];
	size_t n = 0;
	size_t whole = 0;

	while (n + 1 < sizeof(in)) {
		ssize_t got = recv(fd, in + n, sizeof(in) - 1 - n, 0);

		if (got <= 0)
			return n == 0 && (got == 0 || errno == ECONNRESET) ? 0 : -1;
		n += (size_t)got;
		in[n] = 0;
		whole = whole ? whole : answer_bytes(in, closes);
		if (whole && n >= whole)
			return n == whole ? (int)strtoul(in + 9, NULL, 10) : -1;
	}
	return -1;
}

static int ask(struct shared *s, int fd, unsigned i, bool *closes)
{
	char head[512];
	int n = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: crowd\r\nX-Id: %u\r\n\r\n", s->crowd->target, i);

	*closes = false;
	if (send(fd, head, (size_t)n, MSG_NOSIGNAL) != n)
		return -1;
	return read_answer(fd, closes);
}

static void *run_client(void *arg)
{
	struct shared *s = arg;
	int fd = -1;

	for (;;) {
		unsigned i = atomic_fetch_add(&s->next, 1);
		bool closes;
		int status;

		if (i >= s->crowd->n_requests)
			break;
		if (fd < 0)
			fd = connect_first(s->crowd->rig);
		status = fd < 0 ? -1 : ask(s, fd, i, &closes);
		if (status < 0)
			atomic_fetch_add(&s->n_broken, 1);
		s->crowd->status[i] = status < 0 ? 0 : (unsigned short)status;
		if (fd >= 0 && (status <= 0 || closes)) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

void crowd_run(struct crowd *c)
{
	struct shared shared = { .crowd = c };
	pthread_t threads[CROWD_CONNECTIONS_MAX];

	c->status = calloc(c->n_requests, sizeof(*c->status));
	if (!c->status || c->n_connections > CROWD_CONNECTIONS_MAX)
		abort();
	for (unsigned i = 0; i < c->n_connections; i++) {
		if (pthread_create(&threads[i], NULL, run_client, &shared) != 0)
			abort();
	}
	for (unsigned i = 0; i < c->n_connections; i++)
		pthread_join(threads[i], NULL);
	c->n_broken = atomic_load(&shared.n_broken);
	rig_check(c->rig, c->n_broken == 0, "%u of %u requests got no whole answer", c->n_broken, c->n_requests);
}

void crowd_free(struct crowd *c)
{
	free(c->status);
	c->status = NULL;
}

unsigned crowd_count(const struct crowd *c, unsigned status)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_requests; i++)
		n += c->status[i] == status;
	return n;
}
