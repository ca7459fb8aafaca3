/*
 * diagnostic: what is wrong, or odd, with a rule file, each with its place. Collected while loading, shown in one go.
 */
#ifndef BROWNOUT_CONFIG_DIAGNOSTIC_H
#define BROWNOUT_CONFIG_DIAGNOSTIC_H

#include <stdarg.h>

#include "base/text.h"

#define DIAGNOSTICS_MAX 100
/* Warnings and notes may take half, so that they never push an error out. */
#define DIAGNOSTICS_MILD_MAX 50

enum diagnostic_level { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING, DIAGNOSTIC_NOTE };

struct diagnostic {
	enum diagnostic_level level;
	unsigned line; /* from 1; 0: of the whole file */
	unsigned column; /* from 1, in bytes */
	char *message; /* "rules[2].delay: \"10 minutes\" is not a duration (write 10m)"; owned */
	unsigned sort_line; /* a note that belongs to the diagnostic before it stays behind it */
	unsigned sort_column;
	unsigned sequence;
};

/* Zeroed is empty. */
struct diagnostics {
	struct diagnostic *v;
	unsigned n;
	unsigned cap;
	unsigned n_errors; /* all of them, those past the bound too */
	unsigned n_warnings;
	bool cut; /* more than the bound */
	bool out_of_memory;
};

void diagnostics_deinit(struct diagnostics *d);

void diagnostics_add(struct diagnostics *d, enum diagnostic_level level, unsigned line, unsigned column, const char *format,
	...) PRINTF_LIKE(5, 6);
/* Says more about the last one added, at another place. */
void diagnostics_add_to_last(struct diagnostics *d, unsigned line, unsigned column, const char *format, ...) PRINTF_LIKE(4, 5);
/* By place; equal places keep their order. */
void diagnostics_sort(struct diagnostics *d);

/*
 * "file:line:col: error: message", the source line, a caret. `color` for terminals. Bytes of the source and of messages
 * that a terminal would obey are shown as '?'. A long line is shown around the caret only.
 */
void diagnostics_write(const struct diagnostics *d, const char *file, struct span source, bool color, struct text *out);

#endif
