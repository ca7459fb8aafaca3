/* source_edit: what changes, and that all else stays byte by byte. */
#include "config/source_edit.h"

#include "support.h"

static const char *const result_names[] = { "done", "refused", "impossible", "no rule" };

/* Compares with the expected text, or with "!RESULT". */
static void expect_result(int rc, struct text *out, const char *expected, const char *what)
{
	if (expected[0] == '!')
		cr_expect(rc >= 0 && rc < 4 && strcmp(result_names[rc], expected + 1) == 0, "%s: result %d, %s", what, rc,
			expected);
	else
		cr_expect(rc == SOURCE_EDIT_DONE && span_eq(text_span(out), span_of_string(expected)),
			"%s: result %d\n--- is\n%.*s--- expected\n%s---", what, rc, SPAN_ARG(text_span(out)), expected);
	text_deinit(out);
}

static void expect_merge(const char *source, unsigned place, const char *name, const char *patch, const char *expected)
{
	const struct source_rule rule = { place, span_of_string(name) };
	struct diagnostics d = { 0 };
	struct text out;
	int rc;

	text_init(&out);
	rc = source_edit_merge(span_of_string(source), &rule, span_of_string(patch), &out, NULL, &d);
	expect_result(rc, &out, expected, patch);
	diagnostics_deinit(&d);
}

static void expect_put(const char *source, unsigned place, const char *name, const char *text, bool insert, const char *expected)
{
	const struct source_rule rule = { place, span_of_string(name) };
	struct diagnostics d = { 0 };
	struct text out;
	int rc;

	text_init(&out);
	if (insert)
		rc = source_edit_insert(span_of_string(source), &rule, span_of_string(text), &out, NULL, &d);
	else
		rc = source_edit_replace(span_of_string(source), &rule, span_of_string(text), &out, NULL, &d);
	expect_result(rc, &out, expected, text);
	diagnostics_deinit(&d);
}

static void expect_remove(const char *source, unsigned place, const char *name, const char *expected)
{
	const struct source_rule rule = { place, span_of_string(name) };
	struct text out;
	int rc;

	text_init(&out);
	rc = source_edit_remove(span_of_string(source), &rule, &out);
	expect_result(rc, &out, expected, name);
}

#define HEAD "# the file\nupstream: origin   # here\nrules:\n"
#define ONE "  # about one\n  - name: one # its name\n    abort: 503\n    percentage: 10   # of all\n"
#define TWO "  - {name: two, delay: 1s, match: {path: /a}}\n"
#define TAIL "\n# the end\nlog: {access: off}\n"
#define WITH_BODY "rules:\n- abort: # why\n    status: 503 # this\n    body: |\n      a\n      b\n  percentage: 5\n"
#define FILE_ HEAD ONE TWO TAIL

Test(source_edit, scalars_in_their_place)
{
	expect_merge(FILE_, 0, "one", "{\"percentage\": 25}",
		HEAD "  # about one\n  - name: one # its name\n    abort: 503\n    percentage: 25   # of all\n" TWO TAIL);
	expect_merge(FILE_, 0, "one", "{\"enabled\": false}", HEAD ONE "    enabled: false\n" TWO TAIL);
	expect_merge(FILE_, 0, "one", "{\"percentage\": null}",
		HEAD "  # about one\n  - name: one # its name\n    abort: 503\n" TWO TAIL);
	expect_merge(FILE_, 0, "one", "{}", FILE_);
	expect_merge(FILE_, 0, "one", "{\"percentage\": 10}", FILE_);
	expect_merge(FILE_, 0, "one", "{\"percentage\": null, \"abort\": null, \"delay\": \"1s\"}",
		HEAD "  # about one\n  - name: one # its name\n    delay: 1s\n" TWO TAIL);
	expect_merge(FILE_, 0, "one", "{\"name\": \"uno\"}",
		HEAD "  # about one\n  - name: uno # its name\n    abort: 503\n    percentage: 10   # of all\n" TWO TAIL);
	/* The first key goes: the next one comes up to the dash. */
	expect_merge(FILE_, 0, "one", "{\"name\": null}",
		HEAD "  # about one\n  - abort: 503\n    percentage: 10   # of all\n" TWO TAIL);
}

Test(source_edit, in_braces)
{
	expect_merge(FILE_, 1, "two", "{\"delay\": \"2s\"}", HEAD ONE "  - {name: two, delay: 2s, match: {path: /a}}\n" TAIL);
	expect_merge(FILE_, 1, "two", "{\"enabled\": false}",
		HEAD ONE "  - {name: two, delay: 1s, match: {path: /a}, enabled: false}\n" TAIL);
	expect_merge(FILE_, 1, "two", "{\"match\": {\"method\": [\"GET\"]}}",
		HEAD ONE "  - {name: two, delay: 1s, match: {path: /a, method: [GET]}}\n" TAIL);
	expect_merge(FILE_, 1, "two", "{\"match\": null}", HEAD ONE "  - {name: two, delay: 1s}\n" TAIL);
	expect_merge(FILE_, 1, "two", "{\"match\": null, \"delay\": null, \"abort\": 503}",
		HEAD ONE "  - {name: two, abort: 503}\n" TAIL);
	expect_merge(FILE_, 1, "two", "{\"name\": null, \"delay\": null}", HEAD ONE "  - {match: {path: /a}}\n" TAIL);
	expect_merge(FILE_, 1, "two", "{\"match\": {\"path\": null}}", HEAD ONE "  - {name: two, delay: 1s, match: {}}\n" TAIL);
	expect_merge("{\"rules\": [\n  {\"name\": \"a\",\n   \"abort\": 503}\n]}\n", 0, "a", "{\"enabled\": false}",
		"{\"rules\": [\n  {\"name\": \"a\",\n   \"abort\": 503, enabled: false}\n]}\n");
}

Test(source_edit, containers)
{
	expect_merge(HEAD ONE, 0, "one", "{\"abort\": {\"status\": 429, \"retry_after\": \"2s\"}}",
		HEAD "  # about one\n  - name: one # its name\n    abort: {status: 429, retry_after: 2s}\n"
		     "    percentage: 10   # of all\n");
	expect_merge(HEAD ONE, 0, "one", "{\"match\": {\"headers\": {\"x-a\": \"1\"}, \"path\": \"/v1/**\"}}",
		HEAD ONE "    match:\n      headers: {x-a: \"1\"}\n      path: /v1/**\n");
	expect_merge(WITH_BODY, 0, "rule-1", "{\"abort\": {\"status\": 504}}",
		"rules:\n- abort: # why\n    status: 504 # this\n    body: |\n      a\n      b\n  percentage: 5\n");
	expect_merge(WITH_BODY, 0, "rule-1", "{\"abort\": {\"body\": \"one line\"}}",
		"rules:\n- abort: # why\n    status: 503 # this\n    body: one line\n  percentage: 5\n");
	expect_merge("rules:\n- abort:\n    status: 503\n    body: x\n", 0, "rule-1", "{\"abort\": {\"body\": \"a\\nb\\n\"}}",
		"rules:\n- abort:\n    status: 503\n    body: |\n      a\n      b\n");
	expect_merge("rules:\n- abort:\n    status: 503\n    body: x\n", 0, "rule-1", "{\"abort\": {\"body\": null}}",
		"rules:\n- abort:\n    status: 503\n");
	/* From nothing to something and back. */
	expect_merge("rules:\n- abort: 503\n  match:\n  percentage: 5\n", 0, "rule-1", "{\"match\": {\"path\": \"/x\"}}",
		"rules:\n- abort: 503\n  match: {path: /x}\n  percentage: 5\n");
}

/* The writer quotes what has to be, and no more. */
Test(source_edit, quotes)
{
	static const char *const cases[][2] = {
		{ "\"/v1/**\"", "/v1/**" }, { "\"100ms..2s\"", "100ms..2s" }, { "\"503\"", "\"503\"" }, { "503", "503" },
		{ "\"true\"", "\"true\"" }, { "true", "true" }, { "\"\"", "\"\"" }, { "\"*\"", "\"*\"" },
		{ "\"a: b\"", "\"a: b\"" },
		{ "\"a #b\"", "\"a #b\"" }, { "\"a:b\"", "a:b" }, { "\" a\"", "\" a\"" }, { "\"a \"", "\"a \"" },
		{ "\"a\\tb\"", "\"a\\tb\"" }, { "\"a\\\\b\"", "\"a\\\\b\"" }, { "\"a\\\"b\"", "\"a\\\"b\"" },
		{ "\"null\"", "\"null\"" },
		{ "\"${X}\"", "\"${X}\"" }, { "\"\xc3\xa9\"", "\"\xc3\xa9\"" }, { "\"\xe2\x80\xa8\"", "\"\\u2028\"" },
		{ "\"-\"", "\"-\"" }, { "\"- a\"", "\"- a\"" }, { "\"no\"", "\"no\"" }, { "\"[a]\"", "\"[a]\"" },
		{ "1.5", "1.5" },
		{ "\"\\u007f\"", "\"\\x7f\"" }, { "[\"a\", 1]", "[a, 1]" }, { "{\"b\": {}}", "{b: {}}" }, { "[]", "[]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char patch[100], expected[200];

		(void)snprintf(patch, sizeof(patch), "{\"k\": %s}", cases[i][0]);
		(void)snprintf(expected, sizeof(expected), "rules:\n- abort: 503\n  k: %s\n", cases[i][1]);
		expect_merge("rules:\n- abort: 503\n", 0, "rule-1", patch, expected);
	}
}

Test(source_edit, replace)
{
	/* YAML stands there as it was given, with its comments. */
	expect_put(FILE_, 0, "one", "# new\nabort: 504 # gone\nmatch:\n  path: /b\n", false,
		HEAD "  # about one\n  - name: one\n    # new\n    abort: 504 # gone\n    match:\n      path: /b\n" TWO TAIL);
	expect_put(FILE_, 1, "two", "name: two\nabort: 504\n", false, HEAD ONE "  - name: two\n    abort: 504\n" TAIL);
	/* JSON is written as the file is. */
	expect_put(FILE_, 0, "one", "{\"name\": \"one\", \"abort\": 504}", false,
		HEAD "  # about one\n  - name: one # its name\n    abort: 504\n" TWO TAIL);
	expect_put(FILE_, 1, "two", "{\"abort\": 504}", false, HEAD ONE "  - {name: two, abort: 504}\n" TAIL);
	expect_put(FILE_, 0, "one", "[1]", false, "!refused");
	expect_put(FILE_, 0, "one", "{name: two, abort: 503}", false, "!refused");
	expect_put(FILE_, 0, "one", "{name: [one], abort: 503}", false, "!refused");
	expect_put(FILE_, 0, "new", "{name: one, abort: 503}", true, "!refused");
	expect_put(FILE_, 0, "one", "a: [", false, "!refused");
	expect_put(FILE_, 0, "one", "", false, "!refused");
	expect_put(FILE_, 0, "one", "abort: 1\nabort: 2\n", false, "!refused");
	expect_put(FILE_, 0, "other", "abort: 1\n", false, "!no rule");
	expect_put(FILE_, 2, "two", "abort: 1\n", false, "!no rule");
}

Test(source_edit, insert)
{
	expect_put(FILE_, 9, "new", "abort: 504\n", true, HEAD ONE TWO "  - name: new\n    abort: 504\n" TAIL);
	expect_put(FILE_, 0, "new", "{\"abort\": 504}", true, HEAD "  - name: new\n    abort: 504\n" ONE TWO TAIL);
	expect_put(FILE_, 1, "new", "abort: {status: 504} # x\n", true,
		HEAD ONE "  - name: new\n    abort: {status: 504} # x\n" TWO TAIL);
	expect_put("rules:\n- abort: 1\n  # percentage: 5\n# a\n- abort: 2\n", 1, "new", "abort: 504\n", true,
		"rules:\n- abort: 1\n  # percentage: 5\n- name: new\n  abort: 504\n# a\n- abort: 2\n");
	expect_put("upstream: origin\n", 0, "new", "abort: 504\n", true,
		"upstream: origin\nrules:\n  - name: new\n    abort: 504\n");
	expect_put("upstream: origin", 0, "new", "abort: 504\n", true,
		"upstream: origin\nrules:\n  - name: new\n    abort: 504\n");
	expect_put("upstream: origin\nrules: []  # none\nlog: {}\n", 0, "new", "abort: 504\n", true,
		"upstream: origin\nrules:\n  - name: new\n    abort: 504  # none\nlog: {}\n");
	expect_put("rules:\n# none\nlog: {}\n", 0, "new", "abort: 504\n", true,
		"rules:\n  - name: new\n    abort: 504\n# none\nlog: {}\n");
	expect_put("{\"rules\": []}\n", 0, "new", "{\"abort\": 504}", true, "{\"rules\": [{name: new, abort: 504}]}\n");
	expect_put("{\"upstream\": \"origin\"}\n", 0, "new", "abort: 504", true,
		"{\"upstream\": \"origin\", rules: [{name: new, abort: 504}]}\n");
	expect_put("{\"rules\": [\n  {\"abort\": 1},\n  {\"abort\": 2}\n]}\n", 9, "new", "{\"abort\": 504}", true,
		"{\"rules\": [\n  {\"abort\": 1},\n  {\"abort\": 2},\n  {name: new, abort: 504}\n]}\n");
	expect_put("{\"rules\": [\n  {\"abort\": 1},\n  {\"abort\": 2}\n]}\n", 1, "new", "{\"abort\": 504}", true,
		"{\"rules\": [\n  {\"abort\": 1},\n  {name: new, abort: 504},\n  {\"abort\": 2}\n]}\n");
	expect_put("rules:\n- abort: 1", 9, "new", "abort: 504", true, "rules:\n- abort: 1\n- name: new\n  abort: 504\n");
	/* An anchor of the text could be one of the file's: it is written without. */
	expect_put("rules:\n- abort: 1\n", 9, "new", "abort: &a 504\nx: *a\n", true,
		"rules:\n- abort: 1\n- name: new\n  abort: 504\n  x: 504\n");
}

Test(source_edit, remove)
{
	/* What is said right above it goes with it, but not what is said of the rule before, nor what stands apart. */
	expect_remove(FILE_, 0, "one", HEAD TWO TAIL);
	expect_remove("rules:\n- abort: 1\n  # percentage: 5\n- abort: 2\n", 1, "rule-2",
		"rules:\n- abort: 1\n  # percentage: 5\n");
	expect_remove("rules:\n- abort: 1\n  # percentage: 5\n# a\n# b\n- abort: 2\n", 1, "rule-2",
		"rules:\n- abort: 1\n  # percentage: 5\n");
	expect_remove("rules:\n# all\n\n# a\n- abort: 1\n- abort: 2\n", 0, "rule-1", "rules:\n# all\n\n- abort: 2\n");
	expect_remove(FILE_, 1, "two", HEAD ONE TAIL);
	expect_remove("rules: # all\n  # one\n  - abort: 1 # x\n  # end\nlog: {}\n", 0, "rule-1",
		"rules: [] # all\n  # end\nlog: {}\n");
	expect_remove("rules: [{abort: 1}, {abort: 2}, {abort: 3}]\n", 0, "rule-1", "rules: [{abort: 2}, {abort: 3}]\n");
	expect_remove("rules: [{abort: 1}, {abort: 2}, {abort: 3}]\n", 2, "rule-3", "rules: [{abort: 1}, {abort: 2}]\n");
	expect_remove("rules: [{abort: 1}]\n", 0, "rule-1", "rules: []\n");
	expect_remove("rules: [{abort: 1}]\n", 1, "rule-2", "!no rule");
	expect_remove("upstream: origin\n", 0, "rule-1", "!no rule");
	expect_remove("rules:\n- abort:\n    body: |\n      a\n\n- delay: 1s\n", 0, "rule-1", "rules:\n\n- delay: 1s\n");
}

/* A rule that others refer to is not changed behind their backs. */
Test(source_edit, aliases)
{
	expect_merge("rules:\n- &r {name: a, abort: 1}\n- {delay: 1s, x: *r}\n", 0, "a", "{\"abort\": 2}", "!impossible");
	expect_remove("rules:\n- &r {name: a, abort: 1}\n- {delay: 1s, x: *r}\n", 0, "a", "!impossible");
	expect_merge("x: &r {name: a, abort: 1}\nrules:\n- *r\n- delay: 1s\n", 0, "a", "{\"abort\": 2}",
		"x: &r {name: a, abort: 1}\nrules:\n- name: a\n  abort: 2\n- delay: 1s\n");
	expect_merge("x: &m {path: /a}\nrules:\n- abort: 1\n  match: *m\n", 0, "rule-1", "{\"match\": {\"path\": \"/b\"}}",
		"x: &m {path: /a}\nrules:\n- abort: 1\n  match: {path: /b}\n");
	expect_remove("x: &r [{abort: 1}]\nrules: *r\n", 0, "rule-1", "!impossible");
	/* What is only named, and nowhere used. */
	expect_merge("rules:\n- &r\n  name: a\n  abort: 1\n", 0, "a", "{\"abort\": 2}", "rules:\n- &r\n  name: a\n  abort: 2\n");
}

/* Ways of writing that are seldom seen. */
Test(source_edit, odd_files)
{
	expect_merge("\xef\xbb\xbfrules:\n- abort: 1\n", 0, "rule-1", "{\"abort\": 2}", "\xef\xbb\xbfrules:\n- abort: 2\n");
	expect_merge("rules:\r\n- abort: 1\r\n  delay: 1s\r\n", 0, "rule-1", "{\"abort\": 2}",
		"rules:\r\n- abort: 2\r\n  delay: 1s\r\n");
	expect_merge("---\nrules:\n-\n  abort: 1\n...\n", 0, "rule-1", "{\"abort\": 2, \"delay\": \"1s\"}",
		"---\nrules:\n-\n  abort: 2\n  delay: 1s\n...\n");
	expect_merge("\"rules\":\n- \"abort\": 'x'\n", 0, "rule-1", "{\"abort\": 2}", "\"rules\":\n- \"abort\": 2\n");
	expect_merge("rules:\n- ? abort\n  : 1\n", 0, "rule-1", "{\"abort\": 2}", "rules:\n- ? abort\n  : 2\n");
	expect_merge("rules:\n- abort: 1\n", 0, "rule-1", "{\"name\": \"${X}\"}", "rules:\n- abort: 1\n  name: \"${X}\"\n");
	expect_merge("rules:\n- name: ${X}\n  abort: 1\n", 0, "whatever", "{\"abort\": 2}", "rules:\n- name: ${X}\n  abort: 2\n");
	expect_merge("rules: abort\n", 0, "rule-1", "{\"abort\": 2}", "!impossible");
	expect_merge("- abort: 1\n", 0, "rule-1", "{\"abort\": 2}", "!impossible");
	expect_merge("rules: [", 0, "rule-1", "{\"abort\": 2}", "!impossible");
	expect_merge("", 0, "rule-1", "{\"abort\": 2}", "!no rule");
	expect_merge("rules:\n- abort: 1\n", 0, "rule-1", "[]", "!refused");
}

Test(source_edit, place_of_what_was_written)
{
	const struct source_rule rule = { 0, SPAN("one") };
	struct diagnostics d = { 0 };
	struct source_place at;
	struct text out;

	text_init(&out);
	cr_assert_eq(source_edit_merge(SPAN(FILE_), &rule, SPAN("{\"enabled\": false}"), &out, &at, &d), SOURCE_EDIT_DONE);
	cr_expect(at.line == 5 && at.lines == 4 && at.column == 5, "line %u, %u lines, column %u", at.line, at.lines, at.column);
	text_deinit(&out);
}

static void take_text(void *arg, unsigned place, struct span text)
{
	struct text *all = arg;

	text_printf(all, "%u<%.*s>", place, SPAN_ARG(text));
}

Test(source_edit, shown_as_it_stands)
{
	struct text all;

	text_init(&all);
	cr_assert_eq(source_edit_each(SPAN(FILE_), take_text, &all), 0);
	expect_span(text_span(&all),
		"0<name: one # its name\nabort: 503\npercentage: 10>1<{name: two, delay: 1s, match: {path: /a}}>");
	text_clear(&all);
	cr_assert_eq(source_edit_each(SPAN("rules:\n- match:\n    path: /a\n\n  # c\n  abort: 1\n"), take_text, &all), 0);
	expect_span(text_span(&all), "0<match:\n  path: /a\n\n# c\nabort: 1>");
	text_clear(&all);
	cr_assert_eq(source_edit_each(SPAN("upstream: origin\n"), take_text, &all), 0);
	cr_assert_eq(source_edit_each(SPAN("rules: {"), take_text, &all), 1);
	expect_span(text_span(&all), "");
	text_deinit(&all);
}
