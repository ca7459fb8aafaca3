/*
 * resolver: names to addresses, off the loop. Threads call the system's resolver (so /etc/hosts, nsswitch and the like hold);
 * several, since a name whose server is silent takes one of them for many seconds. Answers come back as posts to the asking
 * loop. They are kept for RESOLVER_TTL_NS, failures for RESOLVER_RETRY_NS; an answer past its time is still given out while it
 * is being refreshed (a name server that is away does not stop traffic that runs; one that says the name is gone does). Any
 * thread may ask.
 */
#ifndef BROWNOUT_NET_RESOLVER_H
#define BROWNOUT_NET_RESOLVER_H

#include "net/address.h"
#include "net/loop.h"

#define RESOLVER_TTL_NS (30 * NS_PER_S)
#define RESOLVER_RETRY_NS (1 * NS_PER_S)
#define RESOLVER_ADDRESSES_MAX 8
#define RESOLVER_NAMES_MAX 4096
#define RESOLVER_THREADS 8 /* look-ups at a time */
#define RESOLVER_END_NS (100 * NS_PER_MS)

struct resolver;

struct resolver_answer {
	unsigned n; /* 0: it failed, `error` says why */
	int error; /* for address_resolve_error */
	struct address list[RESOLVER_ADDRESSES_MAX];
};

/* -errno where there is no thread or no memory. */
int resolver_new(struct resolver **r) MUST_USE;

/* Where answers and the time come from: the system, but in tests. resolve is address_resolve's contract. */
struct resolver_source {
	int (*resolve)(struct address *list, unsigned max, unsigned *n, struct span host, uint16_t port);
	int64_t (*now_ns)(void);
	unsigned threads; /* at most */
};
/* source must outlive the resolver and each of its look-ups; its functions are called from any thread. */
int resolver_new_from(struct resolver **r, const struct resolver_source *source) MUST_USE;

/*
 * Waits RESOLVER_END_NS at most: a look-up cannot be stopped, and one that still runs then ends by itself, tells nobody, and
 * frees what it has. Answers that were not delivered are dropped: so the loops that asked must run no more, and must not have
 * been freed yet.
 */
void resolver_free(struct resolver *r);

/*
 * 0: *answer is filled now (kept, or a numeric host, or a failure: kept for its time, or no such host can be, or
 *    RESOLVER_NAMES_MAX names are being looked up).
 * 1: the look-up is on its way: on_answer(arg, token, answer) will be called once in loop's thread; answer lives for
 *    the call. The asker checks the token against its own state: it may be gone or have asked anew by then.
 * negative: -ENOMEM.
 */
int resolver_ask(struct resolver *r, struct span host, uint16_t port, struct loop *loop,
	void (*on_answer)(void *arg, uint64_t token, const struct resolver_answer *answer), void *arg, uint64_t token,
	struct resolver_answer *answer) MUST_USE;

#endif
