/*
 * diagnostic: the list, and how it looks. Nothing from the file reaches the terminal unfiltered.
 */
#include "config/diagnostic.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes of a source line that are shown, and how many of them stand before the caret at most. */
#define EXCERPT_BYTES 110
#define EXCERPT_BEFORE_BYTES 70

void diagnostics_deinit(struct diagnostics *d)
{
	for (unsigned i = 0; i < d->n; i++)
		free(d->v[i].message);
	free(d->v);
	*d = (struct diagnostics){ 0 };
}

static struct diagnostic *append(struct diagnostics *d, enum diagnostic_level level, const char *format, va_list args)
	PRINTF_LIKE(3, 0);

/* Counts it; false where the list takes no more of this level. */
static bool is_room(struct diagnostics *d, enum diagnostic_level level)
{
	unsigned n_errors = 0;

	if (level == DIAGNOSTIC_ERROR)
		d->n_errors++;
	else if (level == DIAGNOSTIC_WARNING)
		d->n_warnings++;
	for (unsigned i = 0; i < d->n; i++)
		n_errors += d->v[i].level == DIAGNOSTIC_ERROR;
	if (d->n < DIAGNOSTICS_MAX && (level == DIAGNOSTIC_ERROR || d->n - n_errors < DIAGNOSTICS_MILD_MAX))
		return true;
	d->cut = true;
	return false;
}

static struct diagnostic *append(struct diagnostics *d, enum diagnostic_level level, const char *format, va_list args)
{
	struct diagnostic *at;
	char *message = NULL;

	if (!is_room(d, level))
		return NULL;
	if (d->n == d->cap) {
		unsigned cap = d->cap ? d->cap * 2 : 8;
		struct diagnostic *v = realloc(d->v, cap * sizeof(*v));

		if (!v)
			goto out_of_memory;
		d->v = v;
		d->cap = cap;
	}
	if (vasprintf(&message, format, args) < 0)
		goto out_of_memory;
	at = &d->v[d->n];
	*at = (struct diagnostic){ .level = level, .message = message, .sequence = d->n };
	d->n++;
	return at;
out_of_memory:
	d->out_of_memory = true;
	return NULL;
}

void diagnostics_add(struct diagnostics *d, enum diagnostic_level level, unsigned line, unsigned column, const char *format, ...)
{
	struct diagnostic *at;
	va_list args;

	va_start(args, format);
	at = append(d, level, format, args);
	va_end(args);
	if (!at)
		return;
	at->line = at->sort_line = line;
	at->column = at->sort_column = column;
}

void diagnostics_add_to_last(struct diagnostics *d, unsigned line, unsigned column, const char *format, ...)
{
	struct diagnostic *at;
	va_list args;

	if (d->cut || d->n == 0)
		return;
	va_start(args, format);
	at = append(d, DIAGNOSTIC_NOTE, format, args);
	va_end(args);
	if (!at)
		return;
	at->line = line;
	at->column = column;
	at->sort_line = at[-1].sort_line;
	at->sort_column = at[-1].sort_column;
}

static int compare(const void *a, const void *b)
{
	const struct diagnostic *x = a, *y = b;

	if (x->sort_line != y->sort_line)
		return x->sort_line < y->sort_line ? -1 : 1;
	if (x->sort_column != y->sort_column)
		return x->sort_column < y->sort_column ? -1 : 1;
	return x->sequence < y->sequence ? -1 : 1;
}

void diagnostics_sort(struct diagnostics *d)
{
	if (d->n > 1)
		qsort(d->v, d->n, sizeof(*d->v), compare);
}

/* ---- writing ---- */

static struct span line_of(struct span source, unsigned line)
{
	while (--line > 0)
		source = span_skip(source, span_find(source, '\n') + 1);
	source = span_first(source, span_find(source, '\n'));
	if (source.n && source.p[source.n - 1] == '\r')
		source.n--;
	return source;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* What stands under the text before the caret: tabs stay tabs, so that it lands in the same place. */
static void put_indent(struct text *out, struct span before)
{
	for (size_t i = 0; i < before.n; i++) {
		if (!is_continuation(before.p[i]))
			text_put_char(out, before.p[i] == '\t' ? '\t' : ' ');
	}
}

/* Where the value of the next `token:` from `at` on begins; line.n where there is none, or it is only the name of a variable. */
static size_t find_secret(struct span line, size_t at)
{
	static const struct span key = { "token", 5 };

	for (; at + key.n < line.n; at++) {
		size_t value = at + key.n;

		if (!span_starts_with(span_skip(line, at), key))
			continue;
		while (value < line.n && (line.p[value] == '"' || line.p[value] == '\'' || line.p[value] == ' '))
			value++;
		if (value == line.n || line.p[value] != ':')
			continue;
		do
			value++;
		while (value < line.n && line.p[value] == ' ');
		if (!span_starts_with(span_skip(line, value), SPAN("${")))
			return value;
	}
	return line.n;
}

/* The line as it may be shown in a log: each byte of a token is an asterisk. */
static void put_without_secrets(struct text *out, struct span line)
{
	size_t at = 0;

	while (at < line.n) {
		size_t secret = find_secret(line, at);

		text_put_span(out, span_of(line.p + at, secret - at));
		for (at = secret; at < line.n && line.p[at] != ',' && line.p[at] != '}'; at++)
			text_put_char(out, '*');
	}
}

static void write_excerpt(struct span line, unsigned column, bool color, struct text *out)
{
	size_t at = MIN((size_t)column - 1, line.n);
	size_t begin = 0, end;

	if (line.n > EXCERPT_BYTES && at > EXCERPT_BEFORE_BYTES)
		begin = at - EXCERPT_BEFORE_BYTES;
	while (begin > 0 && is_continuation(line.p[begin]))
		begin--;
	end = MIN(begin + EXCERPT_BYTES, line.n);
	while (end < line.n && is_continuation(line.p[end]))
		end++;
	text_put_string(out, begin ? "  ..." : "  ");
	text_put_shown(out, span_of(line.p + begin, end - begin));
	text_put_string(out, end < line.n ? "...\n" : "\n");
	text_put_string(out, begin ? "     " : "  ");
	put_indent(out, span_of(line.p + begin, at - begin));
	text_put_string(out, color ? "\033[1;32m^\033[0m\n" : "^\n");
}

static void write_line(struct span line, unsigned column, bool color, struct text *out)
{
	struct text shown;

	if (find_secret(line, 0) == line.n) {
		write_excerpt(line, column, color, out);
		return;
	}
	text_init(&shown);
	put_without_secrets(&shown, line);
	if (!shown.cut)
		write_excerpt(text_span(&shown), column, color, out);
	text_deinit(&shown);
}

static void write_one(const struct diagnostic *at, const char *file, struct span source, bool color, struct text *out)
{
	static const char *const names[] = { "error", "warning", "note" };
	static const char *const colors[] = { "\033[1;31m", "\033[1;35m", "\033[1;36m" };

	text_put_shown(out, span_of_string(file));
	if (at->line)
		text_printf(out, ":%u:%u", at->line, at->column);
	if (color)
		text_printf(out, ": %s%s:\033[0m ", colors[at->level], names[at->level]);
	else
		text_printf(out, ": %s: ", names[at->level]);
	text_put_shown(out, span_of_string(at->message));
	text_put_char(out, '\n');
	if (at->line)
		write_line(line_of(source, at->line), at->column, color, out);
}

void diagnostics_write(const struct diagnostics *d, const char *file, struct span source, bool color, struct text *out)
{
	if (span_starts_with(source, SPAN("\xef\xbb\xbf"))) /* not counted in columns */
		source = span_skip(source, 3);
	for (unsigned i = 0; i < d->n; i++)
		write_one(&d->v[i], file, source, color, out);
	if (d->cut)
		text_printf(out, "%s: too much to show: %u errors and %u warnings in all\n", file, d->n_errors, d->n_warnings);
}
