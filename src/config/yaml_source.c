/*
 * yaml_source: one pass over the bytes.
 */
#include "config/yaml_source.h"

#include <errno.h>

static void add_error(const struct yaml_tree *tree, struct diagnostics *d, size_t at, const char *text)
{
	unsigned line, column;

	yaml_tree_place(tree, (uint32_t)at, &line, &column);
	diagnostics_add(d, DIAGNOSTIC_ERROR, line, column, "%s", text);
}

/* The table of lines; -ENOMEM. */
static int index_lines(struct yaml_tree *tree, struct arena *arena)
{
	struct span s = tree->source;
	unsigned n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	tree->lines = arena_alloc(arena, n * sizeof(*tree->lines));
	if (!tree->lines)
		return -ENOMEM;
	tree->n_lines = 1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			tree->lines[tree->n_lines++] = (uint32_t)i + 1;
	}
	return 0;
}

void yaml_tree_place(const struct yaml_tree *tree, uint32_t at, unsigned *line, unsigned *column)
{
	unsigned low = 0, high = tree->n_lines;

	while (high - low > 1) {
		unsigned middle = low + (high - low) / 2;

		if (tree->lines[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	*line = low + 1;
	*column = at - tree->lines[low] + 1;
}

/* What YAML 1.1 calls printable (5.1), on a character of n bytes at p. */
static bool is_printable(const unsigned char *p, unsigned n)
{
	if (n == 1)
		return (p[0] >= 0x20 && p[0] < 0x7f) || p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
	if (n == 2 && p[0] == 0xc2)
		return p[1] >= 0xa0 || p[1] == 0x85;
	if (n == 3 && p[0] == 0xef)
		return !(p[1] == 0xbb && p[2] == 0xbf) && !(p[1] == 0xbf && p[2] >= 0xbe);
	return true;
}

/* 1 (and said) where some character is not to be. */
static int check_characters(struct yaml_tree *tree, struct diagnostics *d)
{
	struct span rest = tree->source;

	while (rest.n) {
		const unsigned char *p = (const unsigned char *)rest.p;
		unsigned n = span_utf8_length(rest);
		size_t at = tree->source.n - rest.n;
		unsigned line, column;

		if (n && is_printable(p, n)) {
			rest = span_skip(rest, n);
			continue;
		}
		yaml_tree_place(tree, (uint32_t)at, &line, &column);
		if (n == 0)
			diagnostics_add(d, DIAGNOSTIC_ERROR, line, column, "byte 0x%02x is not UTF-8; save the file as UTF-8",
				p[0]);
		else if (n == 1)
			diagnostics_add(d, DIAGNOSTIC_ERROR, line, column,
				"control character 0x%02x; write it as an escape in double quotes", p[0]);
		else
			diagnostics_add(d, DIAGNOSTIC_ERROR, line, column, "a character that YAML does not allow");
		return 1;
	}
	return 0;
}

/* Cuts the first line off *rest. */
static struct span next_line(struct span *rest)
{
	struct span line = span_first(*rest, span_find(*rest, '\n'));

	*rest = span_skip(*rest, line.n + 1);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool is_blank_line(struct span line)
{
	line = span_trim(line);
	return line.n == 0 || line.p[0] == '#';
}

/* Directives (%TAG, %YAML) buy nothing here, and checking many of them costs libyaml quadratic time. */
static int check_directives(struct yaml_tree *tree, struct diagnostics *d)
{
	struct span rest = tree->source;

	while (rest.n) {
		struct span line = next_line(&rest);

		if (is_blank_line(line))
			continue;
		if (line.p[0] != '%')
			return 0;
		add_error(tree, d, (size_t)(line.p - tree->source.p), "YAML directives (%) are not supported; delete this line");
		return 1;
	}
	return 0;
}

int yaml_source_check(struct yaml_tree *tree, struct arena *arena, struct diagnostics *d)
{
	int rc;

	if (tree->source.n > YAML_BYTES_MAX) {
		diagnostics_add(d, DIAGNOSTIC_ERROR, 0, 0, "the file has more than %zu bytes", YAML_BYTES_MAX);
		return 1;
	}
	rc = index_lines(tree, arena);
	if (rc == 0)
		rc = check_characters(tree, d);
	if (rc == 0)
		rc = check_directives(tree, d);
	return rc;
}

uint32_t yaml_cursor_seek(struct yaml_cursor *c, size_t index)
{
	while (c->index > index && c->byte > 0) {
		c->byte--;
		c->index -= ((unsigned char)c->source.p[c->byte] & 0xc0) != 0x80;
	}
	while (c->index < index && c->byte < c->source.n) {
		unsigned n = span_utf8_length(span_skip(c->source, c->byte));

		c->byte += MAX(n, 1u);
		c->index++;
	}
	return (uint32_t)c->byte;
}

struct span yaml_source_skip_blank(struct span rest)
{
	while (rest.n) {
		struct span at = rest;
		struct span line = next_line(&rest);

		if (!is_blank_line(line) && !span_eq(span_trim(line), SPAN("...")))
			return at;
	}
	return SPAN_EMPTY;
}
