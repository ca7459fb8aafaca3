/*
 * listener: a listening socket on a loop. Accepts a bounded number per wake-up, so that a burst of connections cannot
 * starve those that are open. Where descriptors run out it stops accepting for a while (a timer, no spinning) and
 * counts; a reserve descriptor lets it refuse the connection at the head of the queue instead of leaving it hanging.
 */
#ifndef BROWNOUT_NET_LISTENER_H
#define BROWNOUT_NET_LISTENER_H

#include <event2/event_struct.h>

#include "net/address.h"
#include "net/loop.h"

#define LISTENER_ACCEPTS_PER_WAKEUP 64
#define LISTENER_PAUSE_NS (100 * NS_PER_MS)

/*
 * To be asked once before the first listener_bind of an address: SO_REUSEPORT would let a second brownout of the same
 * user share the port unnoticed. -EADDRINUSE where somebody listens there; other -errno where it cannot be bound.
 */
int listener_probe(const struct address *want) MUST_USE;

/*
 * Binds and listens, non-blocking, SO_REUSEADDR (and SO_REUSEPORT for TCP, so that each worker has a queue of its own).
 * A unix path that is a stale socket (nobody answers) is removed first; a live one is -EADDRINUSE. *bound is the address
 * with its real port. -errno.
 */
int listener_bind(const struct address *want, int *fd, struct address *bound) MUST_USE;

struct listener {
	struct event event;
	struct task task;
	struct timer resume;
	struct loop *loop;
	int fd;
	int reserve_fd;
	bool paused;
	uint64_t accepted;
	uint64_t pauses; /* times that descriptors ran out */
	/* fd is non-blocking and close-on-exec, the callee's to close; peer lives for the call. */
	void (*on_accept)(struct listener *listener, int fd, const struct address *peer);
	/* Accepting has failed with this errno and pauses. Set after listener_init by who wants to know; may be NULL. */
	void (*on_pause)(struct listener *listener, int error);
};

/* Takes fd over, also on failure. on_accept must not deinit the listener. */
int listener_init(struct listener *l, struct loop *loop, int fd,
	void (*on_accept)(struct listener *listener, int fd, const struct address *peer)) MUST_USE;
/* Stops accepting and closes; connections still in the kernel's queue are refused by it. Safe to call twice. */
void listener_deinit(struct listener *l);
static inline bool listener_is_open(const struct listener *l)
{
	return l->fd >= 0;
}

#endif
