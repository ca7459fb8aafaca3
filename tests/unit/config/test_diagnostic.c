/* diagnostic: how it looks, in which order, and what never reaches the terminal. */
#include "config/diagnostic.h"

#include "support.h"

static void expect_text(struct diagnostics *d, const char *source, bool color, const char *expected)
{
	struct text out;

	text_init(&out);
	diagnostics_write(d, "rules.yaml", span_of_string(source), color, &out);
	expect_span(text_span(&out), expected);
	text_deinit(&out);
	diagnostics_deinit(d);
}

Test(diagnostic, line_and_caret)
{
	struct diagnostics d = { 0 };

	diagnostics_add(&d, DIAGNOSTIC_ERROR, 2, 8, "rules[2].%s: wrong", "delay");
	expect_text(&d, "a: b\ndelay: ten\nc: d\n", false,
		"rules.yaml:2:8: error: rules[2].delay: wrong\n  delay: ten\n         ^\n");
	diagnostics_add(&d, DIAGNOSTIC_WARNING, 1, 5, "odd");
	expect_text(&d, "a: b", false, "rules.yaml:1:5: warning: odd\n  a: b\n      ^\n");
	diagnostics_add(&d, DIAGNOSTIC_NOTE, 0, 0, "of the whole file");
	expect_text(&d, "a: b", false, "rules.yaml: note: of the whole file\n");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 1, "x");
	expect_text(&d, "", false, "rules.yaml:1:1: error: x\n  \n  ^\n");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 9, 9, "past the end");
	expect_text(&d, "a\r\nb\r\n", false, "rules.yaml:9:9: error: past the end\n  \n  ^\n");
}

Test(diagnostic, caret_stands_under_its_character)
{
	struct diagnostics d = { 0 };

	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 4, "tabs");
	expect_text(&d, "\ta\tb", false, "rules.yaml:1:4: error: tabs\n  \ta\tb\n  \t \t^\n");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 7, "bytes");
	expect_text(&d, "\xc3\xa9\xe2\x82\xac:x", false, "rules.yaml:1:7: error: bytes\n  \xc3\xa9\xe2\x82\xac:x\n     ^\n");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 4, "mark");
	expect_text(&d, "\xef\xbb\xbf" "a: b", false, "rules.yaml:1:4: error: mark\n  a: b\n     ^\n");
}

Test(diagnostic, nothing_that_a_terminal_obeys)
{
	struct diagnostics d = { 0 };

	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 1, "\"\033[2J\x7f\xff\xc2\x9b\xc3\xa9\n\" is not");
	expect_text(&d, "\033]0;x\007\xfe", false, "rules.yaml:1:1: error: \"?[2J???\xc3\xa9?\" is not\n  ?]0;x??\n  ^\n");
}

Test(diagnostic, long_lines_are_cut_around_the_caret)
{
	struct diagnostics d = { 0 };
	char source[1001];
	struct text out;
	size_t n = 0;

	memset(source, 'a', 1000);
	source[500] = 'X';
	source[1000] = '\0';
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 501, "here");
	text_init(&out);
	diagnostics_write(&d, "f", span_of_string(source), false, &out);
	for (struct span rest = text_span(&out); rest.n; rest = span_skip(rest, span_find(rest, '\n') + 1)) {
		struct span line = span_first(rest, span_find(rest, '\n'));

		cr_expect_lt(line.n, 130);
		if (n++ == 1)
			cr_expect(memmem(line.p, line.n, "aXa", 3) && span_starts_with(line, SPAN("  ...a")));
	}
	cr_expect_eq(n, 3);
	/* The caret stands under the X. */
	cr_expect_eq(span_find(span_skip(text_span(&out), span_find(text_span(&out), '\n') + 1), 'X'),
		out.n - 2 - (size_t)((const char *)memrchr(out.p, '\n', out.n - 1) - out.p) - 1);
	text_deinit(&out);
	diagnostics_deinit(&d);
}

Test(diagnostic, color)
{
	struct diagnostics d = { 0 };

	diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 1, "x");
	expect_text(&d, "a", true, "rules.yaml:1:1: \033[1;31merror:\033[0m x\n  a\n  \033[1;32m^\033[0m\n");
}

Test(diagnostic, sorted_by_place_with_notes_behind_their_errors)
{
	struct diagnostics d = { 0 };

	diagnostics_add(&d, DIAGNOSTIC_ERROR, 5, 1, "five");
	diagnostics_add_to_last(&d, 1, 1, "of five");
	diagnostics_add(&d, DIAGNOSTIC_WARNING, 2, 9, "two, nine");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 2, 3, "two, three");
	diagnostics_add(&d, DIAGNOSTIC_ERROR, 2, 3, "two, three, again");
	diagnostics_sort(&d);
	cr_expect_str_eq(d.v[0].message, "two, three");
	cr_expect_str_eq(d.v[1].message, "two, three, again");
	cr_expect_str_eq(d.v[2].message, "two, nine");
	cr_expect_str_eq(d.v[3].message, "five");
	cr_expect_str_eq(d.v[4].message, "of five");
	cr_expect_eq(d.n_errors, 3);
	cr_expect_eq(d.n_warnings, 1);
	diagnostics_deinit(&d);
}

Test(diagnostic, bounded_and_warnings_leave_room_for_errors)
{
	struct diagnostics d = { 0 };

	for (unsigned i = 0; i < 200; i++)
		diagnostics_add(&d, DIAGNOSTIC_WARNING, i + 1, 1, "w");
	cr_expect_eq(d.n, DIAGNOSTICS_MILD_MAX);
	cr_expect(d.cut);
	for (unsigned i = 0; i < 200; i++)
		diagnostics_add(&d, DIAGNOSTIC_ERROR, i + 1, 1, "e");
	cr_expect_eq(d.n, DIAGNOSTICS_MAX);
	cr_expect_eq(d.n_errors, 200);
	cr_expect_eq(d.n_warnings, 200);
	diagnostics_deinit(&d);
	diagnostics_add_to_last(&d, 1, 1, "of nothing");
	cr_expect_eq(d.n, 0);
}

/* What is shown may end up in a log. */
Test(diagnostic, tokens_are_not_shown)
{
	static const struct {
		const char *line;
		const char *shown;
	} cases[] = {
		{ "token: abc", "token: ***" },
		{ "admin: {token: \"a b\", address: x}", "admin: {token: *****, address: x}" },
		{ "{\"token\":\"abc\"}", "{\"token\":*****}" },
		{ "token : 'abc', token: de", "token : *****, token: **" },
		{ "token: ${T}", "token: ${T}" },
		{ "tokens are: fine", "tokens are: fine" },
		{ "token", "token" },
		{ "token:", "token:" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diagnostics d = { 0 };
		struct text expected;

		text_init(&expected);
		text_printf(&expected, "rules.yaml:1:1: error: x\n  %s\n  ^\n%c", cases[i].shown, 0);
		diagnostics_add(&d, DIAGNOSTIC_ERROR, 1, 1, "x");
		expect_text(&d, cases[i].line, false, expected.p);
		text_deinit(&expected);
	}
}
