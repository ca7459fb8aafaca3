/*
 * errand: something that every worker does in its own thread while somebody else waits for it: how what is served is changed, and
 * how workers are asked. Never from a worker's thread.
 */
#ifndef BROWNOUT_PROXY_ERRAND_H
#define BROWNOUT_PROXY_ERRAND_H

#include "base/base.h"

struct worker;

/*
 * Calls fn(w, arg) in the thread of each of n workers, at the same time; returns when all have done it. A worker whose loop has
 * ended does nothing any more. -ENOMEM: none was called.
 */
int errand_run(struct worker *workers, unsigned n, void (*fn)(struct worker *w, void *arg), void *arg) MUST_USE;

#endif
