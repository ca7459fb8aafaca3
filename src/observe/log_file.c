/*
 * log_file: a line that the disk took half of is ended before the next one, and never continued.
 */
#include "observe/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/console.h"

#define LINE_BYTES ((size_t)8 * 1024) /* what a batch may exceed its size by without growing */
#define STALL_MS 1000 /* how long a pipe that has just filled up is waited for */

/* A pipe must not hold the thread, neither now (where nobody reads it yet: -ENXIO) nor later. */
static int open_path(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);

	return fd < 0 ? -errno : fd;
}

/* Standard output and error are shared with other programs, which may want them to wait. */
static bool is_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

int log_file_open(struct log_file *f, const char *name)
{
	int error = -ENOMEM;

	*f = (struct log_file){ .fd = -1 };
	text_init(&f->batch);
	if (!text_reserve(&f->batch, LOG_FILE_BATCH_BYTES + LINE_BYTES))
		goto failed;
	if (strcmp(name, "stderr") == 0) {
		f->fd = STDERR_FILENO;
	} else if (strcmp(name, "stdout") == 0) {
		f->fd = STDOUT_FILENO;
	} else {
		f->path = strdup(name);
		if (!f->path)
			goto failed;
		error = open_path(f->path);
		if (error < 0)
			goto failed;
		f->fd = error;
	}
	f->is_pipe = is_pipe(f->fd);
	return 0;
failed:
	log_file_close(f);
	return error;
}

void log_file_close(struct log_file *f)
{
	if (f->path && f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	text_deinit(&f->batch);
	free(f->path);
	f->path = NULL;
}

bool log_file_reopen(struct log_file *f)
{
	int fd = f->path ? open_path(f->path) : -1;

	if (fd < 0)
		return false;
	(void)close(f->fd);
	f->fd = fd;
	f->is_pipe = is_pipe(fd);
	f->is_stuck = false;
	f->line_is_open = false;
	return true;
}

struct text *log_file_begin_line(struct log_file *f)
{
	f->line_start = f->batch.n;
	return &f->batch;
}

void log_file_end_line(struct log_file *f)
{
	if (f->batch.cut) { /* no memory: what there is of the line goes */
		f->batch.n = f->line_start;
		f->batch.cut = false;
		atomic_fetch_add_explicit(&f->lost, 1, memory_order_relaxed);
		return;
	}
	f->batch_lines++;
}

/* ---- writing ---- */

/* Waits for room, but only once for a reader that has stopped: what comes then is lost until it reads on. */
static bool has_room(struct log_file *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLOUT };

	f->is_stuck = poll(&p, 1, f->is_stuck ? 0 : STALL_MS) == 0;
	return !f->is_stuck;
}

/* What was written of s; less than all of it where the file takes no more. */
static size_t write_some(struct log_file *f, struct span s)
{
	size_t done = 0;

	while (done < s.n) {
		size_t left = s.n - done;
		ssize_t n;

		/* A pipe that has room has room for so much, and takes it without waiting. */
		if (f->is_pipe && !has_room(f))
			break;
		n = write(f->fd, s.p + done, f->is_pipe ? MIN(left, (size_t)PIPE_BUF) : left);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN && has_room(f))
			continue; /* somebody has made the terminal non-blocking */
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

void log_file_write(struct log_file *f)
{
	struct span s = text_span(&f->batch);
	uint64_t whole = f->batch_lines;
	size_t done = 0;

	if (s.n == 0)
		return;
	if (f->fd == STDERR_FILENO)
		console_hold();
	/* After a write that failed within a line, the rest of that line is gone; the next one does not continue it. */
	if (f->line_is_open && write_some(f, SPAN("\n")) == 1)
		f->line_is_open = false;
	if (!f->line_is_open)
		done = write_some(f, s);
	if (f->fd == STDERR_FILENO)
		console_release();
	if (done < s.n) {
		whole = count_lines(span_first(s, done));
		f->line_is_open = f->line_is_open || (done > 0 && s.p[done - 1] != '\n');
	}
	atomic_fetch_add_explicit(&f->written, whole, memory_order_relaxed);
	atomic_fetch_add_explicit(&f->lost, f->batch_lines - whole, memory_order_relaxed);
	text_clear(&f->batch);
	f->batch_lines = 0;
}
