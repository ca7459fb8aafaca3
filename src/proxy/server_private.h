/*
 * server_private: what a server consists of, for the files that make it up: server.c (start and end), server_reload.c (changing
 * what runs). Fields are the main thread's before the workers start and after they have ended; between, `lock` guards what says
 * so.
 */
#ifndef BROWNOUT_PROXY_SERVER_PRIVATE_H
#define BROWNOUT_PROXY_SERVER_PRIVATE_H

#include <pthread.h>

#include "observe/collector.h"
#include "proxy/errand.h"
#include "proxy/server.h"
#include "proxy/worker.h"

struct origin;

struct server {
	pthread_mutex_t lock; /* one change at a time; also for reading what a change writes */
	struct generation *generation; /* in force; with the lock */
	struct generation *older; /* not yet free; with the lock */
	struct address *bound; /* by listener of the generation in force; with the lock */
	unsigned n_bound;
	struct errand_book errands; /* with the lock */
	_Atomic uint64_t number; /* of the generation in force */
	_Atomic bool armed;
	_Atomic bool file_refused; /* the rule file, when it was last read */

	int64_t started_wall_ns; /* Unix time */
	struct shared shared;
	struct traffic *traffic;
	struct origin *origin;
	struct address origin_address;
	struct collector *collector;
	struct recent *recent; /* NULL: nobody can ask for it */
	struct worker *workers;
	unsigned n_workers; /* to be made */
	unsigned n_made; /* worker_init was called */
	unsigned n_started;
	unsigned n_joined; /* of the workers that were started; none is left where it is all of them */
	_Atomic int64_t drain_until_ns; /* 0: not draining */
};

/* Writes "WHAT: text of the negative errno r" and returns r. */
int server_fail(char *error, size_t n, int r, const char *what);
/*
 * Binds the plan's listener i for every worker; fds: one for each worker, in steps of n_listeners. 0, or a negative errno with
 * one line in error; those opened stay in fds, the others are -1.
 */
int server_bind(struct server *s, const struct plan *plan, unsigned i, int *fds, struct address *bound, char *error,
	size_t error_n) MUST_USE;
/* Removes the path of a unix socket. */
void server_unbind(const struct address *bound);
/* The embedded upstream, where the plan names it and it does not run yet. */
int server_start_origin(struct server *s, const struct plan *plan, char *error, size_t error_n) MUST_USE;
/* Frees what nobody uses any more; all: whatever it is. With the lock, or without threads. */
void server_tidy_generations(struct server *s, bool all);

#endif
