/*
 * errand: something that every worker does in its own thread while somebody else waits for it: how what is served is changed,
 * and how workers are asked. Never from a worker's thread. The wait is bounded: a worker that does not come round (it is stuck,
 * or the machine stands still) is late; it does its errands when it does come round, in the order in which they were given.
 */
#ifndef BROWNOUT_PROXY_ERRAND_H
#define BROWNOUT_PROXY_ERRAND_H

#include "base/text.h"

struct errands;
struct worker;

/* How long workers are waited for, all together. A turn of a worker's loop takes milliseconds. */
#define ERRAND_WAIT_NS (3 * NS_PER_S)

/* The errands that some worker may still do. All zero at first; guarded by its owner. */
struct errand_book {
	struct errands *first;
};

/*
 * Calls fn(w, arg) in the thread of each of n workers, at the same time; returns when all have done it, or the time is over: how
 * many are late. A worker whose loop has ended does nothing any more and is not waited for. arg goes to the errand, which calls
 * free_arg (NULL: nothing) when no worker can use it any more: before this returns or, where one is late, in a later call.
 * -ENOMEM: none was called, arg is freed.
 */
int errand_run(struct errand_book *book, struct worker *workers, unsigned n, void (*fn)(struct worker *w, void *arg), void *arg,
	void (*free_arg)(void *arg)) MUST_USE;

/* Writes which workers are late with what they were last asked for, "worker 1" or "workers 0, 1", and returns how many. */
unsigned errand_put_late(struct errand_book *book, struct text *out);

/* When the loops of the workers are freed and before the workers are: no errand is left. */
void errand_forget(struct errand_book *book);

#endif
