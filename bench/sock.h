/*
 * sock: the few socket calls that the floor and the load generator share. Loopback only. Every function ends the
 * process with a line on standard error where a call fails that a bench cannot go on without.
 */
#ifndef BROWNOUT_BENCH_SOCK_H
#define BROWNOUT_BENCH_SOCK_H

#include "base/base.h"

/* Prints "PROGRAM: text: errno" and exits with 1. */
NORETURN void die(const char *text);

/* Listens on 127.0.0.1:port (0: the kernel chooses; *port is set), non-blocking. Accepted sockets inherit its options. */
int sock_listen(uint16_t *port);

/*
 * Starts a non-blocking connect to 127.0.0.1:port. source > 0 binds to 127.0.0.source, so that short connections do
 * not run out of ports. Returns the descriptor.
 */
int sock_connect(uint16_t port, unsigned source);

/* What the sockets that a listener accepts from now on keep of what was sent and not taken. */
void sock_bound_unsent(int listener, int bytes);

/* The next connection of a listener, non-blocking; -1 where none waits. */
int sock_accept(int listener);

/* One registration for the life of fd. */
void sock_watch(int epoll_fd, int fd, uint32_t events, void *data);

/* Keeps the calling thread on one core; negative: anywhere. */
void sock_pin_core(int64_t core);

/* As many descriptors as the system grants. */
void sock_raise_fd_limit(void);

#endif
