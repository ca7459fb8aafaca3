/*
 * conn: the system calls on a stream socket, and what they say about readiness. Must never close by itself, never call
 * its owner (it queues the owner's task) and never change what is registered.
 */
#include "net/conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "net/address.h"
#include "net/tls.h"

/*
 * Every edge wakes the owner, also one that brings no new bit: where the owner has not read since the last edge, a reset
 * looks just like that.
 */
static void on_edge(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	if (what & EV_READ)
		c->ready = (uint8_t)((c->ready | CONN_READABLE) & ~CONN_DRAINED);
	if (what & EV_WRITE) {
		c->ready |= CONN_WRITABLE;
		if (UNLIKELY(c->tls && tls_kept(c->tls)))
			tls_flush(c);
	}
	if (what & EV_CLOSED)
		c->ready = (uint8_t)((c->ready | CONN_HANGUP | CONN_READABLE) & ~CONN_DRAINED);
	loop_queue(c->loop, c->task);
}

int conn_open(struct conn *c, struct loop *loop, int fd, struct task *task, uint8_t ready)
{
	/* One registration for life. EV_CLOSED must not stand alone: a reset would then wake nobody and spin. */
	const short events = EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST;
	int rc = event_assign(&c->event, loop_event_base(loop), fd, events, on_edge, c);

	c->loop = loop;
	c->task = task;
	c->fd = fd;
	c->tls = NULL;
	c->error = 0;
	c->ready = ready;
	c->written = 0;
	if (rc == 0)
		rc = event_add(&c->event, NULL);
	if (rc < 0) {
		int error = errno ? errno : EIO;

		close(fd);
		c->fd = -1;
		return -error;
	}
	return 0;
}

void conn_close(struct conn *c, enum conn_end how)
{
	if (c->fd < 0)
		return;
	/* In this order: libevent would take the number of a closed descriptor, given out anew, for the old one. */
	(void)event_del(&c->event);
	if (UNLIKELY(c->tls))
		tls_close(c, how);
	if (how == CONN_END_RESET) {
		const struct linger now = { .l_onoff = 1, .l_linger = 0 };

		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	close(c->fd);
	c->fd = -1;
	c->ready = 0;
}

void conn_set_task(struct conn *c, struct task *task)
{
	c->task = task;
}

static ssize_t fail(struct conn *c, int error)
{
	c->error = error;
	c->ready |= CONN_FAILED;
	return -error;
}

ssize_t conn_read(struct conn *c, void *p, size_t n)
{
	ssize_t got;

	if (UNLIKELY(c->tls))
		return tls_read(c, p, n);
	if (c->ready & CONN_FAILED)
		return -c->error;
	if (n == 0 || c->ready & CONN_EOF)
		return 0;
	do
		got = recv(c->fd, p, n, 0);
	while (got < 0 && errno == EINTR);

	/* The queue is empty; but the end of stream behind it may have had its edge. */
	if (got > 0 && (size_t)got < n && !(c->ready & CONN_HANGUP))
		c->ready |= CONN_DRAINED;
	return conn_settle_read(c, got);
}

ssize_t conn_settle_read(struct conn *c, ssize_t got)
{
	if (got > 0)
		return got;
	if (got == 0) {
		c->ready |= CONN_EOF;
		c->ready &= (uint8_t)~CONN_READABLE;
		return 0;
	}
	if (errno == EAGAIN) {
		c->ready &= (uint8_t)~CONN_READABLE;
		return -EAGAIN;
	}
	return fail(c, errno);
}

ssize_t conn_settle_write(struct conn *c, ssize_t sent, size_t wanted)
{
	if (sent >= 0) {
		c->written += (uint64_t)sent;
		if ((size_t)sent < wanted)
			c->ready &= (uint8_t)~CONN_WRITABLE;
		return sent;
	}
	if (errno == EAGAIN) {
		c->ready &= (uint8_t)~CONN_WRITABLE;
		return -EAGAIN;
	}
	c->error = errno;
	c->ready = (uint8_t)((c->ready | CONN_BROKEN | CONN_READABLE) & ~CONN_DRAINED);
	return -c->error;
}

ssize_t conn_write(struct conn *c, const void *p, size_t n)
{
	ssize_t sent;

	if (UNLIKELY(c->tls))
		return tls_write(c, p, n);
	if (c->ready & (CONN_FAILED | CONN_BROKEN))
		return -c->error;
	if (n == 0)
		return 0;
	do
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return conn_settle_write(c, sent, n);
}

ssize_t conn_writev(struct conn *c, const struct iovec *iov, int n)
{
	/* sendmsg does not write to the vector, it only lacks the const. */
	struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };
	size_t wanted = 0;
	ssize_t sent;

	if (UNLIKELY(c->tls))
		return tls_writev(c, iov, n);
	if (c->ready & (CONN_FAILED | CONN_BROKEN))
		return -c->error;
	for (int i = 0; i < n; i++)
		wanted += iov[i].iov_len;
	if (wanted == 0)
		return 0;
	do
		sent = sendmsg(c->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return conn_settle_write(c, sent, wanted);
}

/* The pending error of a socket, taken out of the kernel; 0 where there is none. */
static int take_error(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ? errno : error;
}

static short poll_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

bool conn_probe_failure(struct conn *c)
{
	/* The kernel tells an error once: it is kept for the next read or write. */
	int error = c->ready & (CONN_FAILED | CONN_BROKEN) ? 0 : take_error(c->fd);

	if (error)
		(void)fail(c, error);
	return c->ready & (CONN_FAILED | CONN_BROKEN);
}

bool conn_probe(struct conn *c)
{
	short found;

	if (c->ready & (CONN_FAILED | CONN_BROKEN))
		return true;
	found = poll_now(c->fd, POLLRDHUP);
	if (found & (POLLRDHUP | POLLHUP | POLLERR))
		c->ready |= CONN_HANGUP | CONN_READABLE;
	return found & POLLERR && conn_probe_failure(c);
}

uint32_t conn_unsent(const struct conn *c)
{
	int n = 0;

	if (ioctl(c->fd, SIOCOUTQ, &n) < 0 || n < 0)
		n = 0;
	return (uint32_t)n + (c->tls ? (uint32_t)tls_kept(c->tls) : 0);
}

void conn_shutdown_write(struct conn *c)
{
	if (UNLIKELY(c->tls))
		tls_shutdown_write(c);
	else
		(void)shutdown(c->fd, SHUT_WR);
}

void conn_set_options(int fd)
{
	const int on = 1, unsent = CONN_UNSENT_BYTES;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

int conn_connect_start(const struct address *a, int *fd)
{
	int s = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return -errno;
	if (a->sa.sa_family != AF_UNIX)
		conn_set_options(s);
	/* Interrupted, a connect goes on as one that is in progress. */
	if (connect(s, &a->sa, a->n) < 0 && errno != EINPROGRESS && errno != EINTR) {
		int error = errno;

		close(s);
		return -error;
	}
	*fd = s;
	return 0;
}

int conn_connect_error(const struct conn *c)
{
	short found;
	int error;

	if (c->ready & CONN_FAILED)
		return c->error;
	/* While it is undecided SO_ERROR is 0 as well. */
	found = poll_now(c->fd, POLLOUT);
	if (!found)
		return EINPROGRESS;
	error = take_error(c->fd);
	if (error)
		return error;
	return found & POLLERR ? ENOTCONN : 0;
}
