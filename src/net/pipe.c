/*
 * pipe: see pipe.h.
 */
#include "net/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void close_pipe(struct pipe *p)
{
	(void)close(p->read_fd);
	(void)close(p->write_fd);
	free(p);
}

static struct pipe *open_pipe(void)
{
	struct pipe *p = calloc(1, sizeof(*p));
	int fds[2];
	int room;

	if (!p)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(p);
		return NULL;
	}
	p->read_fd = fds[0];
	p->write_fd = fds[1];
	/* Refused where the user has many pipes already: then it is what it is. */
	(void)fcntl(p->write_fd, F_SETPIPE_SZ, PIPE_BYTES);
	room = fcntl(p->write_fd, F_GETPIPE_SZ);
	p->room = room > 0 ? (uint32_t)room : 0;
	if (p->room >= PIPE_ROOM_MIN)
		return p;
	close_pipe(p);
	return NULL;
}

struct pipe *pipes_get(struct pipes *pipes)
{
	struct pipe *p = pipes->empty;

	if (!p && pipes->passes) {
		pipes->passes--;
		return NULL;
	}
	if (!p) {
		p = open_pipe();
		pipes->passes = p ? 0 : PIPE_PASSES;
		return p;
	}
	pipes->empty = p->next;
	pipes->n_empty--;
	return p;
}

void pipes_put(struct pipes *pipes, struct pipe *p)
{
	if (p->held || pipes->n_empty >= PIPES_KEPT) {
		close_pipe(p);
		return;
	}
	p->next = pipes->empty;
	pipes->empty = p;
	pipes->n_empty++;
}

void pipes_deinit(struct pipes *pipes)
{
	while (pipes->empty) {
		struct pipe *p = pipes->empty;

		pipes->empty = p->next;
		close_pipe(p);
	}
	pipes->n_empty = 0;
}

ssize_t pipe_fill(struct pipe *p, struct conn *from, size_t n)
{
	ssize_t got;

	if (from->ready & CONN_FAILED)
		return -from->error;
	if (n == 0 || from->ready & CONN_EOF)
		return 0;
	do
		got = splice(from->fd, NULL, p->write_fd, NULL, MIN(n, (size_t)p->room), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (got < 0 && errno == EINTR);
	/* Less than was asked for says nothing: a pipe can be full of small pieces. Readable until the kernel says otherwise. */
	if (got > 0)
		p->held += (uint32_t)got;
	return conn_settle_read(from, got);
}

ssize_t pipe_drain(struct pipe *p, struct conn *to)
{
	/* Without SPLICE_F_MORE: it would hold the last part of a segment back for as long as the source is slow. */
	const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
	uint32_t wanted = p->held;
	ssize_t sent;

	if (to->ready & (CONN_FAILED | CONN_BROKEN))
		return -to->error;
	do
		sent = splice(p->read_fd, NULL, to->fd, NULL, wanted, flags);
	while (sent < 0 && errno == EINTR);
	if (sent > 0)
		p->held -= (uint32_t)sent;
	return conn_settle_write(to, sent, wanted);
}
