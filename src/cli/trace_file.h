/*
 * trace_file: the lines of a trace, one after the other, with what stands around them: the run that a line is of, its number,
 * what is wrong with it. A line is read into a block of fixed size, so that no file costs more memory than another.
 */
#ifndef BROWNOUT_CLI_TRACE_FILE_H
#define BROWNOUT_CLI_TRACE_FILE_H

#include "observe/trace.h"

/* A rule of the run that is being read. */
struct trace_file_rule {
	struct span name; /* owned */
	uint64_t text_hash;
};

struct trace_file {
	const char *name; /* for messages; lives like the file */
	int fd;
	char *block; /* bytes read and not yet taken: from `at` to `end` */
	size_t at, end;
	bool at_eof;
	bool may_be_empty; /* set by who reads others beside it: a file that was begun anew, and nothing has come since */
	uint64_t line_number; /* of the line just read, from 1 */
	bool has_header;
	uint64_t seed; /* of the run */
	uint64_t run; /* the same where a run is told of anew; 0: it does not say */
	enum trace_end run_end; /* unknown until its last line is read, and where it has none */
	struct trace_file_rule *rules; /* in the order of the file */
	unsigned n_rules; /* so many are known ... */
	unsigned n_rules_told; /* ... of so many that the header tells of */
	struct trace_line line; /* the line just read */
};

/* "-" is standard input. False after one line on standard error. */
bool trace_file_open(struct trace_file *f, const char *name) MUST_USE;
void trace_file_close(struct trace_file *f);

enum trace_file_step {
	TRACE_FILE_EXCHANGE, /* line is the next exchange; its run has a seed and all of its rules */
	TRACE_FILE_RUN, /* the rules of a run are complete; its exchanges follow */
	TRACE_FILE_END,
	TRACE_FILE_BAD, /* one line was written to standard error */
};
/* line and what is in it are good until the next call; rules until the next run begins. */
enum trace_file_step trace_file_next(struct trace_file *f);

#endif
