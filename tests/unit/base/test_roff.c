/*
 * roff: nothing of a text is taken for a command, and no sign turns into another.
 */
#include "base/roff.h"

#include <criterion/criterion.h>

static struct text out;

static void expect(const char *expected)
{
	cr_expect(span_eq(text_span(&out), span_of_string(expected)), "got:\n%.*s\nexpected:\n%s", SPAN_ARG(text_span(&out)),
		expected);
	text_deinit(&out);
}

Test(roff, signs_are_kept)
{
	static const struct {
		const char *text;
		const char *roff;
	} rows[] = {
		{ "plain text 1.5", "plain text 1.5" },
		{ "--name", "\\-\\-name" },
		{ "a\\b", "a\\eb" },
		{ "it's `x` ^ ~ \"q\"", "it\\(aqs \\(gax\\(ga \\(ha \\(ti \\(dqq\\(dq" },
		{ ".hidden", "\\&.hidden" },
		{ "'quoted", "\\(aqquoted" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		text_init(&out);
		roff_put_string(&out, rows[i].text);
		expect(rows[i].roff);
	}
}

Test(roff, a_dot_within_a_line_is_a_dot)
{
	text_init(&out);
	roff_put_bold(&out, SPAN("a"));
	roff_put_string(&out, ".b");
	expect("\\fBa\\fR.b");
}

Test(roff, lines)
{
	text_init(&out);
	roff_put_lines(&out, SPAN("one\n\n.two - \\\nthree"));
	expect(".EX\none\n\n\\&.two \\- \\e\nthree\n.EE\n");
}

Test(roff, a_paragraph_is_broken_at_blanks)
{
	text_init(&out);
	text_put_literal(&out, ".PP\n");
	roff_put_paragraph(&out, "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 01234 .x 0123456789");
	expect(".PP\n0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 01234\n\\&.x 0123456789\n");
}
