/*
 * log_file: one file of lines, written in large pieces. Belongs to the collector's thread; others may only read the count of
 * lines lost. An error of the disk is counted and passes: the next lines are tried again. The reader of a pipe may stop without
 * the writer waiting for long.
 */
#ifndef BROWNOUT_OBSERVE_LOG_FILE_H
#define BROWNOUT_OBSERVE_LOG_FILE_H

#include <stdatomic.h>

#include "base/stream.h"
#include "base/text.h"

#define LOG_FILE_BATCH_BYTES ((size_t)64 * 1024) /* a batch is written once it is so large */

struct log_file {
	char *path; /* NULL: standard output or error, never reopened */
	int fd; /* -1: not open */
	struct text batch; /* lines that are not yet written */
	size_t line_start; /* of the line being put into the batch */
	uint64_t batch_lines;
	bool line_is_open; /* the last write ended in the middle of a line */
	struct stream stream;
	_Atomic uint64_t lost; /* lines that could not be written */
};

/* "stderr", "stdout" or a path, which is appended to. -errno: nothing is open, nothing is to be closed. */
int log_file_open(struct log_file *f, const char *name) MUST_USE;
/* Without writing what is left. Nothing where it is not open; f must then be zeroed but for fd. */
void log_file_close(struct log_file *f);
static inline bool log_file_is_open(const struct log_file *f)
{
	return f->fd >= 0;
}

/* Opens the path anew. 1 where there is none. -errno where it cannot be opened: the old file then goes on being written. */
int log_file_reopen(struct log_file *f) MUST_USE;

/* The text that the next line, with its LF, is to be appended to; log_file_end_line after each. */
struct text *log_file_begin_line(struct log_file *f);
void log_file_end_line(struct log_file *f);
/* A batch is full and wants to be written. */
static inline bool log_file_is_full(const struct log_file *f)
{
	return f->batch.n >= LOG_FILE_BATCH_BYTES;
}
void log_file_write(struct log_file *f);

#endif
