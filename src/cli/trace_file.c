/*
 * trace_file: reads, cuts into lines, keeps what a run's first lines said. What a line may look like is trace_read_line's
 * matter; here is only which lines may follow which.
 */
#include "cli/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

#define BLOCK_BYTES (TRACE_LINE_BYTES_MAX + 1) /* the longest line and its LF */

bool trace_file_open(struct trace_file *f, const char *name)
{
	*f = (struct trace_file){ .name = name, .fd = STDIN_FILENO };
	if (strcmp(name, "-") == 0)
		f->name = "(standard input)";
	else
		f->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	f->block = f->fd >= 0 ? malloc(BLOCK_BYTES) : NULL;
	if (f->block)
		return true;
	log_error("%s: %s", f->name, strerror(errno));
	trace_file_close(f);
	return false;
}

static void forget_rules(struct trace_file *f)
{
	for (unsigned i = 0; i < f->n_rules; i++)
		free((void *)(uintptr_t)f->rules[i].name.p);
	free(f->rules);
	f->rules = NULL;
	f->n_rules = 0;
}

void trace_file_close(struct trace_file *f)
{
	trace_line_deinit(&f->line);
	forget_rules(f);
	free(f->block);
	if (f->fd > STDIN_FILENO)
		(void)close(f->fd);
	f->fd = -1;
	f->block = NULL;
}

/* ---- lines ---- */

/* More bytes behind those that there are, or at_eof. -errno. */
static int read_more(struct trace_file *f)
{
	ssize_t n;

	memmove(f->block, f->block + f->at, f->end - f->at);
	f->end -= f->at;
	f->at = 0;
	do {
		n = read(f->fd, f->block + f->end, BLOCK_BYTES - f->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	f->end += (size_t)n;
	f->at_eof = n == 0;
	return 0;
}

/* 1: *line is the next one, with its LF but for the last; too long: what fits. 0 at the end. -errno. */
static int next_line(struct trace_file *f, struct span *line)
{
	for (;;) {
		struct span rest = span_of(f->block + f->at, f->end - f->at);
		size_t n = span_find(rest, '\n');
		int rc;

		if (n < rest.n || rest.n == BLOCK_BYTES || (f->at_eof && rest.n)) {
			*line = span_first(rest, n + 1);
			f->at += line->n;
			f->line_number++;
			return 1;
		}
		if (f->at_eof)
			return 0;
		rc = read_more(f);
		if (rc < 0)
			return rc;
	}
}

/* ---- runs ---- */

static enum trace_file_step bad(const struct trace_file *f, const char *what)
{
	if (f->line_number)
		log_error("%s:%" PRIu64 ": %s", f->name, f->line_number, what);
	else
		log_error("%s: %s", f->name, what);
	return TRACE_FILE_BAD;
}

static enum trace_file_step at_empty(const struct trace_file *f)
{
	static const char text[] = "it is empty: nothing has come since it was begun, or it is no trace";

	if (!f->may_be_empty)
		return bad(f, text);
	log_warning("%s: %s", f->name, text);
	return TRACE_FILE_END;
}

static bool rules_are_complete(const struct trace_file *f)
{
	return f->has_header && f->n_rules == f->n_rules_told;
}

/* False where memory is out. */
static bool begin_run(struct trace_file *f)
{
	forget_rules(f);
	f->has_header = true;
	f->seed = f->line.seed;
	f->run = f->line.run;
	f->run_end = TRACE_END_UNKNOWN;
	f->n_rules_told = f->line.n_rules;
	f->rules = calloc(f->n_rules_told + 1U, sizeof(*f->rules));
	return f->rules != NULL;
}

static bool add_rule(struct trace_file *f)
{
	struct span name = span_of(span_dup(f->line.rule), f->line.rule.n);

	if (name.p)
		f->rules[f->n_rules++] = (struct trace_file_rule){ name, f->line.text_hash };
	return name.p != NULL;
}

/* What a line other than an exchange's leads to; TRACE_FILE_EXCHANGE where the next line is wanted. */
static enum trace_file_step take_frame(struct trace_file *f)
{
	if (f->line.kind == TRACE_CLOSING) {
		f->run_end = f->line.end;
		return TRACE_FILE_EXCHANGE;
	}
	if (f->line.kind == TRACE_HEADER && f->has_header && !rules_are_complete(f))
		return bad(f, "a new run begins before the rules of the last one are complete");
	if (f->line.kind == TRACE_RULE && (!f->has_header || rules_are_complete(f)))
		return bad(f, "a rule that no header tells of");
	if (!(f->line.kind == TRACE_HEADER ? begin_run(f) : add_rule(f)))
		return bad(f, strerror(ENOMEM));
	return rules_are_complete(f) ? TRACE_FILE_RUN : TRACE_FILE_EXCHANGE;
}

enum trace_file_step trace_file_next(struct trace_file *f)
{
	enum trace_file_step step = TRACE_FILE_EXCHANGE;

	do {
		char error[TRACE_ERROR_BYTES];
		struct span text;
		int rc;

		trace_line_deinit(&f->line);
		rc = next_line(f, &text);
		if (rc == 0 && !f->line_number)
			return at_empty(f);
		if (rc == 0)
			return rules_are_complete(f) ? TRACE_FILE_END : bad(f, "the header and its rules are not complete");
		if (rc > 0)
			rc = trace_read_line(text, &f->line, error);
		if (rc == 1 && f->at_eof && text.p[text.n - 1] != '\n')
			return bad(f, "the last line is cut off: brownout was ended while it wrote it, or writes it still "
				"(head -n -1 leaves it out)");
		if (rc)
			return bad(f, rc < 0 ? strerror(-rc) : error);
		if ((f->line.kind == TRACE_EXCHANGE || f->line.kind == TRACE_CLOSING) && !rules_are_complete(f))
			return bad(f, "an exchange before the header and its rules");
		if (f->line.kind != TRACE_HEADER && f->run_end != TRACE_END_UNKNOWN)
			return bad(f, "a line after the one that ends its run");
		if (f->line.kind == TRACE_EXCHANGE)
			return TRACE_FILE_EXCHANGE;
		step = take_frame(f);
	} while (step == TRACE_FILE_EXCHANGE);
	return step;
}
