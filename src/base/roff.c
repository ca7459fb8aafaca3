/*
 * roff: escapes of groff_char(7), which mandoc knows too.
 */
#include "base/roff.h"

#define LINE_COLUMNS 72 /* of a paragraph; escapes may make a line a little longer */

static const char *escape_of(char c)
{
	switch (c) {
	case '\\': return "\\e";
	case '-': return "\\-";
	case '\'': return "\\(aq";
	case '`': return "\\(ga";
	case '^': return "\\(ha";
	case '~': return "\\(ti";
	case '"': return "\\(dq";
	default: return NULL;
	}
}

void roff_put(struct text *out, struct span s)
{
	/* A dot at the begin of a line would make it a macro; a quote never gets there. */
	if (s.n && s.p[0] == '.' && (out->n == 0 || out->p[out->n - 1] == '\n'))
		text_put_literal(out, "\\&");
	for (size_t i = 0; i < s.n; i++) {
		const char *escape = escape_of(s.p[i]);

		if (escape)
			text_put_string(out, escape);
		else
			text_put_char(out, s.p[i]);
	}
}

void roff_put_string(struct text *out, const char *s)
{
	roff_put(out, span_of_string(s));
}

void roff_put_bold(struct text *out, struct span s)
{
	text_put_literal(out, "\\fB");
	roff_put(out, s);
	text_put_literal(out, "\\fR");
}

void roff_put_paragraph(struct text *out, const char *s)
{
	struct span rest = span_of_string(s);
	size_t line_start = out->n;

	while (rest.n) {
		struct span word = span_first(rest, span_find(rest, ' '));

		if (out->n > line_start && out->n - line_start + 1 + word.n > LINE_COLUMNS) {
			text_put_char(out, '\n');
			line_start = out->n;
		}
		if (out->n > line_start)
			text_put_char(out, ' ');
		roff_put(out, word);
		rest = span_skip(rest, word.n + 1);
	}
	text_put_char(out, '\n');
}

void roff_put_lines(struct text *out, struct span s)
{
	text_put_literal(out, ".EX\n");
	while (s.n) {
		struct span line = span_first(s, span_find(s, '\n'));

		roff_put(out, line);
		text_put_char(out, '\n');
		s = span_skip(s, line.n + 1);
	}
	text_put_literal(out, ".EE\n");
}
