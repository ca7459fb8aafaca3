/*
 * crew: listens on a free port of 127.0.0.1 and has a thread for each connection. A thread of it never fails a test; where the
 * machine cannot do it, abort.
 */
#ifndef HARNESS_CREW_H
#define HARNESS_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct crew {
	uint16_t port;
	int fd; /* listening */
	pthread_t thread; /* that accepts */
	void (*serve)(int fd, void *arg);
	void *arg;
	_Atomic unsigned n_open; /* connections being served */
};

/* serve runs on the connection's thread, with blocking calls; the fd is closed behind it. */
void crew_start(struct crew *c, void (*serve)(int fd, void *arg), void *arg);
/* Accepts no more, and waits for the connections to end. */
void crew_stop(struct crew *c);

#endif
