/*
 * table: widths are known once all cells are; so cells are kept until then.
 */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>

#define CELL_COLUMNS_MAX 60 /* more is cut */
#define CELL_BYTES 256

void table_init(struct table *t, const char *titles)
{
	struct span rest = span_of_string(titles);

	*t = (struct table){ 0 };
	text_init(&t->cells);
	while (rest.n) {
		struct span title = span_first(rest, span_find(rest, '|'));
		bool right = span_starts_with(title, SPAN(">"));

		if (right)
			t->right |= 1u << t->n_columns;
		t->n_columns++;
		rest = span_skip(rest, title.n + 1);
		table_put(t, span_skip(title, right));
	}
}

void table_deinit(struct table *t)
{
	text_deinit(&t->cells);
}

/* Characters, each taken for one place. */
static size_t width_of(struct span s)
{
	size_t n = 0;

	while (s.n) {
		s = span_skip(s, MAX(span_utf8_length(s), 1u));
		n++;
	}
	return n;
}

/* At most so many characters. */
static struct span cut_to(struct span s, size_t columns)
{
	struct span rest = s;

	while (rest.n && columns--)
		rest = span_skip(rest, MAX(span_utf8_length(rest), 1u));
	return span_first(s, s.n - rest.n);
}

void table_put(struct table *t, struct span cell)
{
	struct text shown;

	text_init(&shown);
	text_put_shown(&shown, cell);
	if (width_of(text_span(&shown)) > CELL_COLUMNS_MAX) {
		text_put_span(&t->cells, cut_to(text_span(&shown), CELL_COLUMNS_MAX - 3));
		text_put_literal(&t->cells, "...");
	} else {
		text_put_span(&t->cells, text_span(&shown));
	}
	text_put_char(&t->cells, '\0');
	t->n_cells++;
	text_deinit(&shown);
}

void table_put_u64(struct table *t, uint64_t v)
{
	table_printf(t, "%llu", (unsigned long long)v);
}

void table_printf(struct table *t, const char *format, ...)
{
	char block[CELL_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(block, sizeof(block), format, args);
	va_end(args);
	table_put(t, span_of_string(block));
}

static struct span next_cell(struct span *rest)
{
	struct span cell = span_first(*rest, span_find(*rest, '\0'));

	*rest = span_skip(*rest, cell.n + 1);
	return cell;
}

static void put_blanks(struct text *out, size_t n)
{
	while (n--)
		text_put_char(out, ' ');
}

void table_write(const struct table *t, struct text *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };
	struct span rest = text_span(&t->cells);

	if (t->cells.cut || t->n_cells <= t->n_columns) {
		out->cut |= t->cells.cut;
		return;
	}
	for (unsigned i = 0; i < t->n_cells; i++) {
		size_t *width = &widths[i % t->n_columns];
		size_t cell = width_of(next_cell(&rest));

		*width = MAX(*width, cell);
	}
	rest = text_span(&t->cells);
	for (unsigned i = 0; i < t->n_cells; i++) {
		unsigned column = i % t->n_columns;
		bool last = column + 1 == t->n_columns;
		struct span cell = next_cell(&rest);
		size_t blanks = widths[column] - width_of(cell);

		if (t->right >> column & 1)
			put_blanks(out, blanks);
		text_put_span(out, cell);
		if (!last && !(t->right >> column & 1))
			put_blanks(out, blanks);
		text_put_string(out, last ? "\n" : "  ");
	}
}
