/*
 * errand: see errand.h. An errand stays in the book while a worker's loop holds its post; whoever looks into the book next frees
 * what is done.
 */
#include "proxy/errand.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proxy/worker.h"

/* How often is looked whether a worker has ended instead. */
#define LOOK_NS (10 * NS_PER_MS)

struct errand {
	struct post post;
	struct worker *worker;
	struct errands *all;
	bool done;
};

struct errands {
	struct errands *next; /* in the book: an older one */
	void (*fn)(struct worker *w, void *arg);
	void (*free_arg)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* guards done */
	pthread_cond_t one_done;
	unsigned n;
	struct errand v[];
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

static struct errands *errands_new(unsigned n)
{
	struct errands *all = calloc(1, sizeof(*all) + n * sizeof(all->v[0]));
	pthread_condattr_t attr;

	if (!all)
		return NULL;
	all->n = n;
	(void)pthread_mutex_init(&all->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&all->one_done, &attr);
	(void)pthread_condattr_destroy(&attr);
	return all;
}

static void errands_free(struct errands *all)
{
	if (all->free_arg)
		all->free_arg(all->arg);
	(void)pthread_cond_destroy(&all->one_done);
	(void)pthread_mutex_destroy(&all->lock);
	free(all);
}

static bool is_done(struct errands *all, const struct errand *e)
{
	bool done;

	(void)pthread_mutex_lock(&all->lock);
	done = e->done;
	(void)pthread_mutex_unlock(&all->lock);
	return done;
}

static bool is_late(struct errands *all, const struct errand *e)
{
	return !atomic_load(&e->worker->has_ended) && !is_done(all, e);
}

/* Frees those whose posts have all been taken. That of a worker that has ended stays where it is until its loop is freed. */
static void tidy(struct errand_book *book)
{
	struct errands **at = &book->first;

	while (*at) {
		struct errands *all = *at;
		unsigned n_done = 0;

		for (unsigned i = 0; i < all->n; i++)
			n_done += is_done(all, &all->v[i]);
		if (n_done < all->n) {
			at = &all->next;
			continue;
		}
		*at = all->next;
		errands_free(all);
	}
}

/* True where it is late at the end of the time. */
static bool wait_for(struct errands *all, struct errand *e, int64_t end_ns)
{
	bool late = true;

	(void)pthread_mutex_lock(&all->lock);
	while (late) {
		int64_t now_ns = clock_mono_ns();
		int64_t until_ns = MIN(now_ns + LOOK_NS, end_ns);
		const struct timespec until = { .tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S };

		late = !e->done && !atomic_load(&e->worker->has_ended);
		if (!late || now_ns >= end_ns)
			break;
		(void)pthread_cond_timedwait(&all->one_done, &all->lock, &until);
	}
	(void)pthread_mutex_unlock(&all->lock);
	return late;
}

int errand_run(struct errand_book *book, struct worker *workers, unsigned n, void (*fn)(struct worker *w, void *arg), void *arg,
	void (*free_arg)(void *arg))
{
	struct errands *all = errands_new(n);
	int64_t end_ns = clock_mono_ns() + ERRAND_WAIT_NS;
	int n_late = 0;

	if (!all) {
		if (free_arg)
			free_arg(arg);
		return -ENOMEM;
	}
	all->fn = fn;
	all->arg = arg;
	all->free_arg = free_arg;
	all->next = book->first;
	book->first = all;
	for (unsigned i = 0; i < n; i++) {
		all->v[i].worker = &workers[i];
		all->v[i].all = all;
		loop_post_own(workers[i].loop, &all->v[i].post, run, &all->v[i]);
	}
	for (unsigned i = 0; i < n; i++)
		n_late += wait_for(all, &all->v[i], end_ns);
	tidy(book);
	return n_late;
}

static bool owes(const struct errand_book *book, const struct worker *w)
{
	for (struct errands *all = book->first; all; all = all->next) {
		for (unsigned i = 0; i < all->n; i++) {
			if (all->v[i].worker == w && is_late(all, &all->v[i]))
				return true;
		}
	}
	return false;
}

unsigned errand_put_late(struct errand_book *book, struct text *out)
{
	struct text numbers;
	unsigned n = 0;

	tidy(book);
	text_init(&numbers);
	/* Each errand is for all of them. */
	for (unsigned i = 0; book->first && i < book->first->n; i++) {
		if (!owes(book, book->first->v[i].worker))
			continue;
		text_put_string(&numbers, n++ ? ", " : " ");
		text_put_u64(&numbers, book->first->v[i].worker->number);
	}
	text_put_string(out, n == 1 ? "worker" : "workers");
	text_put_span(out, text_span(&numbers));
	text_deinit(&numbers);
	return n;
}

void errand_forget(struct errand_book *book)
{
	while (book->first) {
		struct errands *all = book->first;

		book->first = all->next;
		errands_free(all);
	}
}
