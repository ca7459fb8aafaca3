/*
 * log_file: a line that the disk took half of is ended before the next one, and never continued.
 */
#include "observe/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/console.h"

#define LINE_BYTES ((size_t)8 * 1024) /* what a batch may exceed its size by without growing */

/* A pipe must not hold the thread, neither now (where nobody reads it yet: -ENXIO) nor later. */
static int open_path(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);

	return fd < 0 ? -errno : fd;
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
	stream_init(&f->stream, f->fd);
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

int log_file_reopen(struct log_file *f)
{
	int fd = f->path ? open_path(f->path) : 1;

	if (!f->path || fd < 0)
		return fd;
	(void)close(f->fd);
	f->fd = fd;
	stream_init(&f->stream, fd);
	f->line_is_open = false;
	return 0;
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
	size_t done = 0;

	if (s.n == 0)
		return;
	if (f->fd == STDERR_FILENO)
		console_hold();
	/* After a write that failed within a line, the rest of that line is gone; the next one does not continue it. */
	if (f->line_is_open && stream_write(&f->stream, SPAN("\n")) == 1)
		f->line_is_open = false;
	if (!f->line_is_open)
		done = stream_write(&f->stream, s);
	if (f->fd == STDERR_FILENO)
		console_release();
	if (done < s.n) {
		uint64_t whole = count_lines(span_first(s, done));

		f->line_is_open = f->line_is_open || (done > 0 && s.p[done - 1] != '\n');
		atomic_fetch_add_explicit(&f->lost, f->batch_lines - whole, memory_order_relaxed);
	}
	text_clear(&f->batch);
	f->batch_lines = 0;
}
