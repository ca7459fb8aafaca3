/*
 * sock: sockets of the bench. Congestion control is set to reno where the kernel has it: bbr, a common default, paces
 * by timers and would measure itself.
 */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define LISTEN_BACKLOG 4096
#define WANTED_DESCRIPTORS 65536

void die(const char *text)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, text, strerror(errno));
	exit(1);
}

static struct sockaddr_in loopback(unsigned last, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(UINT32_C(0x7f000000) + last),
	};

	return address;
}

static int new_socket(void)
{
	static const char reno[] = "reno";
	const int on = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, reno, sizeof(reno) - 1);
	return fd;
}

int sock_listen(uint16_t *port)
{
	const int on = 1;
	const int fd = new_socket();
	struct sockaddr_in address = loopback(1, *port);
	socklen_t size = sizeof(address);

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address, size) < 0)
		die("bind");
	if (listen(fd, LISTEN_BACKLOG) < 0)
		die("listen");
	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		die("getsockname");
	*port = ntohs(address.sin_port);
	return fd;
}

int sock_connect(uint16_t port, unsigned source)
{
	const int on = 1;
	const int fd = new_socket();
	const struct sockaddr_in to = loopback(1, port);

	if (source) {
		const struct sockaddr_in from = loopback(source, 0);

		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
			die("bind");
	}
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

void sock_bound_unsent(int listener, int bytes)
{
	if (setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0)
		die("SO_SNDBUF");
}

int sock_accept(int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
	return fd;
}

void sock_watch(int epoll_fd, int fd, uint32_t events, void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = data};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

void sock_pin_core(int64_t core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

void sock_raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit");
	if (limit.rlim_max < WANTED_DESCRIPTORS) {
		const struct rlimit more = {WANTED_DESCRIPTORS, WANTED_DESCRIPTORS};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
	}
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}
