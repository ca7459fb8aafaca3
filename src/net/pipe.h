/*
 * pipe: bytes on their way from one socket to another without a stay in user memory: the kernel moves references to pages
 * (splice(2)). Only for bytes that nobody has to see. A pipe belongs to one relay while it holds bytes; empty ones are kept for
 * the next.
 */
#ifndef BROWNOUT_NET_PIPE_H
#define BROWNOUT_NET_PIPE_H

#include "net/conn.h"

/* What a pipe is asked to hold; the kernel may grant less. */
#define PIPE_BYTES (256 * 1024)

struct pipe {
	int read_fd;
	int write_fd;
	uint32_t room; /* bytes that it can hold, where whole pages come in */
	uint32_t held; /* bytes in it now */
	struct pipe *next; /* in a list of empty ones */
};

/* Empty pipes of one thread. Zeroed: none. */
struct pipes {
	struct pipe *empty;
	unsigned n_empty;
	unsigned passes; /* so many more that ask get none: there was none worth having */
};
#define PIPES_KEPT 8
/* One that holds less is not worth its system calls: the kernel grants two pages where a user has many pipes already. */
#define PIPE_ROOM_MIN (64 * 1024)
/* After one that could not be had so many are not tried for. */
#define PIPE_PASSES 256

void pipes_deinit(struct pipes *pipes);
/* An empty one; NULL where there are no descriptors, no memory or no room worth it: then the bytes are copied. */
struct pipe *pipes_get(struct pipes *pipes);
/* What it still holds is lost. */
void pipes_put(struct pipes *pipes, struct pipe *p);

/* At most n bytes from the socket into the pipe; results and readiness as of conn_read. The pipe is empty. */
ssize_t pipe_fill(struct pipe *p, struct conn *from, size_t n) MUST_USE;
/* From the pipe into the socket; results and readiness as of conn_write. */
ssize_t pipe_drain(struct pipe *p, struct conn *to) MUST_USE;

#endif
