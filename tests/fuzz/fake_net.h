/*
 * fake_net: the layer net, made of memory: a loop whose clock stands until it is moved, sockets whose far ends are in the hands
 * of the test, a resolver that answers at once. It takes the place of loop.c, conn.c, listener.c, pipe.c and resolver.c. One
 * loop at a time.
 */
#ifndef BROWNOUT_FUZZ_FAKE_NET_H
#define BROWNOUT_FUZZ_FAKE_NET_H

#include "base/text.h"
#include "net/conn.h"

#define FAKE_SOCKETS_MAX 64
#define FAKE_FD_FIRST 1000000 /* no descriptor of the process */

/* One end is the program's, the other the test's. */
struct fake_socket {
	bool used;
	bool to_upstream; /* made by conn_connect_start */
	bool connecting; /* ... and not decided yet */
	int connect_error;
	struct conn *conn; /* the program's; NULL where it has closed or not opened it */
	bool closed; /* by the program */
	struct text in; /* sent by the test, not read yet from in_off on */
	size_t in_off;
	bool in_fin; /* the test's end has shut down */
	bool in_reset;
	struct text out; /* all that the program has written */
	size_t credit; /* so many more bytes are taken */
	bool out_fin; /* the program has shut down its side */
};

/* Empty again; frees what sockets held. */
void fake_net_reset(void);
struct fake_socket *fake_socket_at(unsigned i); /* NULL beyond the last */
/* For a client: its number as a descriptor, to be given to the program. -1 where there is no room. */
int fake_socket_new(void);
struct fake_socket *fake_socket_of(int fd);

void fake_send(struct fake_socket *s, struct span bytes);
void fake_fin(struct fake_socket *s);
void fake_reset(struct fake_socket *s);
void fake_allow(struct fake_socket *s, size_t bytes);
void fake_connected(struct fake_socket *s, int error);
/* The next so many connects fail at once. */
void fake_refuse_connects(unsigned n);

void fake_advance(int64_t ns);
/* Passes until nothing is left to do now. False where there is no end to it. */
bool fake_run(struct loop *loop);
/* Timers that are set. */
unsigned fake_timers(const struct loop *loop);

#endif
