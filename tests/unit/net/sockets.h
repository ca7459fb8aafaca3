/*
 * sockets: pairs and listeners on loopback for the tests of net. Every port is the kernel's choice.
 */
#ifndef BROWNOUT_TESTS_NET_SOCKETS_H
#define BROWNOUT_TESTS_NET_SOCKETS_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

/* 127.0.0.1, port 0. */
static inline struct address any_port(void)
{
	struct address a;

	cr_assert_eq(address_from_numeric(&a, SPAN("127.0.0.1"), 0), 0);
	return a;
}

/* A blocking TCP socket that listens (or is only bound where backlog is negative), and its address. */
static inline int tcp_listen(int backlog, struct address *bound)
{
	struct address want = any_port();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, &want.sa, want.n), 0);
	if (backlog >= 0)
		cr_assert_eq(listen(fd, backlog), 0);
	bound->n = sizeof(bound->un);
	cr_assert_eq(getsockname(fd, &bound->sa, &bound->n), 0);
	return fd;
}

static inline void set_nonblocking(int fd)
{
	cr_assert_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* A blocking socket, connected. */
static inline int connected(const struct address *to)
{
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, &to->sa, to->n), 0);
	return fd;
}

/* fds[0] is non-blocking, for the conn under test; fds[1] blocks, for the test. */
static inline void tcp_pair(int fds[2])
{
	struct address at;
	int fd = tcp_listen(1, &at);

	fds[1] = connected(&at);
	fds[0] = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(fds[0], 0);
	close(fd);
}

static inline void unix_pair(int fds[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	set_nonblocking(fds[0]);
}

#endif
