/*
 * stream: asks for room before each write that could wait. The descriptor is left as it is: others may share it, and want it to
 * wait.
 */
#include "base/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

void stream_init(struct stream *s, int fd)
{
	struct stat status;

	*s = (struct stream){ .fd = fd };
	s->may_stall = fstat(fd, &status) == 0 &&
		(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISCHR(status.st_mode));
}

/* At most this long (-1: as long as it takes). */
static bool wait_for_room(const struct stream *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	return poll(&p, 1, timeout_ms) != 0;
}

static bool has_room(struct stream *s)
{
	s->is_stuck = !wait_for_room(s, s->is_stuck ? 0 : STREAM_STALL_MS);
	return !s->is_stuck;
}

size_t stream_write(struct stream *s, struct span bytes)
{
	size_t done = 0;

	while (done < bytes.n) {
		size_t left = bytes.n - done;
		ssize_t n;

		/* One that has room has room for so much, and takes it without waiting. */
		if (s->may_stall && !has_room(s))
			break;
		n = write(s->fd, bytes.p + done, s->may_stall ? MIN(left, (size_t)PIPE_BUF) : left);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN && !s->may_stall) /* somebody has made it non-blocking */
			(void)wait_for_room(s, -1);
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return done;
}
