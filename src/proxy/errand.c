/*
 * errand: see errand.h.
 */
#include "proxy/errand.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/worker.h"

/* How often is looked whether a worker has ended instead. */
#define LOOK_NS (10 * NS_PER_MS)

struct errand {
	struct worker *worker;
	struct errands *all;
	bool done;
};

struct errands {
	void (*fn)(struct worker *w, void *arg);
	void *arg;
	pthread_mutex_t lock; /* guards done */
	pthread_cond_t one_done;
	struct errand *v;
};

static void run(void *arg)
{
	struct errand *e = arg;
	struct errands *all = e->all;

	all->fn(e->worker, all->arg);
	(void)pthread_mutex_lock(&all->lock);
	e->done = true;
	(void)pthread_cond_signal(&all->one_done);
	(void)pthread_mutex_unlock(&all->lock);
}

static void wait_for(struct errands *all, struct errand *e)
{
	(void)pthread_mutex_lock(&all->lock);
	while (!e->done && !atomic_load(&e->worker->has_ended)) {
		int64_t until_ns = clock_mono_ns() + LOOK_NS;
		const struct timespec until = { .tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S };

		(void)pthread_cond_timedwait(&all->one_done, &all->lock, &until);
	}
	(void)pthread_mutex_unlock(&all->lock);
}

int errand_run(struct worker *workers, unsigned n, void (*fn)(struct worker *w, void *arg), void *arg)
{
	struct errands all = { .fn = fn, .arg = arg, .v = calloc(n, sizeof(struct errand)) };
	pthread_condattr_t attr;

	if (!all.v)
		return -ENOMEM;
	(void)pthread_mutex_init(&all.lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&all.one_done, &attr);
	(void)pthread_condattr_destroy(&attr);
	for (unsigned i = 0; i < n; i++) {
		all.v[i] = (struct errand){ &workers[i], &all, false };
		/* Half of the workers cannot be left out: memory is waited for. */
		while (loop_post(workers[i].loop, run, &all.v[i]) < 0)
			(void)usleep(1000);
	}
	for (unsigned i = 0; i < n; i++)
		wait_for(&all, &all.v[i]);
	(void)pthread_cond_destroy(&all.one_done);
	(void)pthread_mutex_destroy(&all.lock);
	free(all.v);
	return 0;
}
