/*
 * collector: looks at all rings, turns what is there into lines, writes them in large pieces. The thread owns the file
 * descriptor and the buffer; others only raise flags and read counters. An error of the disk is counted and passes: the
 * next lines are tried again.
 */
#include "observe/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/console.h"

#define COLLECTOR_LOOK_NS (5 * NS_PER_MS)
#define COLLECTOR_WRITE_BYTES ((size_t)64 * 1024) /* a batch is written once it is so large */
#define COLLECTOR_LINE_BYTES ((size_t)8 * 1024) /* more than any line */
#define COLLECTOR_STALL_MS 1000 /* how long a full pipe is waited for */

struct collector {
	struct ring **rings; /* the rings are their owners' */
	unsigned n_rings;
	enum access_format format;
	char *path; /* NULL: standard output or error, never reopened */
	int fd;
	struct text batch;
	uint64_t batch_lines;
	bool line_is_open; /* the last write ended in the middle of a line */

	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* guards stop */
	pthread_cond_t wake;
	bool stop;
	_Atomic bool reopen;
	_Atomic uint64_t lost;
	_Atomic uint64_t written;
};

static int open_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? -errno : fd;
}

int collector_new(struct collector **collector, const struct collector_options *options)
{
	struct collector *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;
	int error = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->format = options->format;
	c->fd = -1;
	text_init(&c->batch);
	if (!text_reserve(&c->batch, COLLECTOR_WRITE_BYTES + COLLECTOR_LINE_BYTES))
		goto failed;
	if (strcmp(options->access, "stderr") == 0) {
		c->fd = STDERR_FILENO;
	} else if (strcmp(options->access, "stdout") == 0) {
		c->fd = STDOUT_FILENO;
	} else {
		c->path = strdup(options->access);
		if (!c->path)
			goto failed;
		error = open_log(c->path);
		if (error < 0)
			goto failed;
		c->fd = error;
	}
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&c->lock, NULL);
	*collector = c;
	return 0;
failed:
	text_deinit(&c->batch);
	free(c->path);
	free(c);
	return error;
}

int collector_add_ring(struct collector *c, struct ring *ring)
{
	struct ring **rings = realloc(c->rings, (c->n_rings + 1) * sizeof(struct ring *));

	if (!rings)
		return -ENOMEM;
	c->rings = rings;
	c->rings[c->n_rings++] = ring;
	return 0;
}

/* ---- writing ---- */

/* What was written of s; less than all of it where the file takes no more. */
static size_t write_file(int fd, struct span s)
{
	size_t done = 0;

	while (done < s.n) {
		ssize_t n = write(fd, s.p + done, s.n - done);
		struct pollfd full = { .fd = fd, .events = POLLOUT };

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN && poll(&full, 1, COLLECTOR_STALL_MS) > 0)
			continue; /* somebody has made the pipe or terminal non-blocking */
		else if (n == 0 || errno != EINTR)
			break;
	}
	return done;
}

static uint64_t count_lines(struct span s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static void write_batch(struct collector *c)
{
	struct span s = text_span(&c->batch);
	uint64_t whole = c->batch_lines;
	size_t done = 0;

	if (s.n == 0)
		return;
	if (c->fd == STDERR_FILENO)
		console_hold();
	/* After a write that failed within a line, the rest of that line is gone; the next one does not continue it. */
	if (c->line_is_open && write_file(c->fd, SPAN("\n")) == 1)
		c->line_is_open = false;
	if (!c->line_is_open)
		done = write_file(c->fd, s);
	if (c->fd == STDERR_FILENO)
		console_release();
	if (done < s.n) {
		whole = count_lines(span_first(s, done));
		c->line_is_open = c->line_is_open || (done > 0 && s.p[done - 1] != '\n');
	}
	atomic_fetch_add_explicit(&c->written, whole, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->lost, c->batch_lines - whole, memory_order_relaxed);
	text_clear(&c->batch);
	c->batch_lines = 0;
}

/* Where the new file cannot be opened, the old one goes on being written. */
static void reopen_file(struct collector *c)
{
	int fd = c->path ? open_log(c->path) : -1;

	if (fd < 0)
		return;
	(void)close(c->fd);
	c->fd = fd;
	c->line_is_open = false;
}

static void put_line(struct collector *c, const struct record *r)
{
	size_t before = c->batch.n;

	if (c->format == ACCESS_JSON)
		access_write_json(&c->batch, r);
	else
		access_write_text(&c->batch, r);
	if (c->batch.cut) { /* no memory: what there is of the line goes */
		c->batch.n = before;
		c->batch.cut = false;
		atomic_fetch_add_explicit(&c->lost, 1, memory_order_relaxed);
		return;
	}
	c->batch_lines++;
}

/*
 * Goes over the rings once, and takes of each what fills a batch at most, so that a busy one does not starve the others.
 * True where a batch was full, so that there may be more.
 */
static bool look_once(struct collector *c)
{
	bool full = false;

	if (atomic_exchange_explicit(&c->reopen, false, memory_order_relaxed))
		reopen_file(c);
	for (unsigned i = 0; i < c->n_rings; i++) {
		const struct record *r;

		while (c->batch.n < COLLECTOR_WRITE_BYTES && (r = ring_peek(c->rings[i])) != NULL) {
			put_line(c, r);
			ring_release(c->rings[i]);
		}
		if (c->batch.n >= COLLECTOR_WRITE_BYTES) {
			write_batch(c);
			full = true;
		}
	}
	write_batch(c);
	return full;
}

/* ---- the thread ---- */

/* True where the collector is to end. */
static bool wait_for_stop(struct collector *c)
{
	int64_t until_ns = clock_mono_ns() + COLLECTOR_LOOK_NS;
	struct timespec until = { .tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S };
	bool stop;

	pthread_mutex_lock(&c->lock);
	while (!c->stop && pthread_cond_timedwait(&c->wake, &c->lock, &until) == 0)
		;
	stop = c->stop;
	pthread_mutex_unlock(&c->lock);
	return stop;
}

static void *run(void *arg)
{
	struct collector *c = arg;

	(void)pthread_setname_np(pthread_self(), "collector");
	while (!wait_for_stop(c)) {
		while (look_once(c))
			;
	}
	return NULL;
}

int collector_start(struct collector *c)
{
	int error = pthread_create(&c->thread, NULL, run, c);

	c->runs = error == 0;
	return -error;
}

void collector_reopen(struct collector *c)
{
	atomic_store_explicit(&c->reopen, true, memory_order_relaxed);
}

uint64_t collector_lost(const struct collector *c)
{
	return atomic_load_explicit(&c->lost, memory_order_relaxed);
}

uint64_t collector_written(const struct collector *c)
{
	return atomic_load_explicit(&c->written, memory_order_relaxed);
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	if (c->runs) {
		pthread_mutex_lock(&c->lock);
		c->stop = true;
		pthread_cond_signal(&c->wake);
		pthread_mutex_unlock(&c->lock);
		(void)pthread_join(c->thread, NULL);
	}
	while (look_once(c))
		;
	if (c->path)
		(void)close(c->fd);
	(void)pthread_cond_destroy(&c->wake);
	(void)pthread_mutex_destroy(&c->lock);
	text_deinit(&c->batch);
	free(c->path);
	free(c->rings);
	free(c);
}
