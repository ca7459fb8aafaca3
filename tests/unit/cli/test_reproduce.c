/*
 * reproduce: words as a shell reads them, and variables that are set, not set, hidden.
 */
#include "cli/reproduce.h"

#include <criterion/criterion.h>

static void expect(struct text *out, const char *expected)
{
	cr_expect(span_eq(text_span(out), span_of_string(expected)), "got: %.*s", SPAN_ARG(text_span(out)));
	text_deinit(out);
}

static void expect_variables(struct plan_variable *v, unsigned n, const char *expected)
{
	const struct plan_variables all = { .v = v, .n = n };
	struct text out;

	text_init(&out);
	reproduce_put_variables(&all, &out);
	expect(&out, expected);
}

Test(reproduce, variables)
{
	struct plan_variable v[] = {
		{ .name = SPAN("A"), .value = SPAN("http://h:1/"), .is_set = true },
		{ .name = SPAN("B"), .value = SPAN("a'b $c"), .is_set = true },
		{ .name = SPAN("C"), .is_set = true },
		{ .name = SPAN("TOKEN"), .is_set = true, .hidden = true },
		{ .name = SPAN("D") },
		{ .name = SPAN("E") },
	};

	expect_variables(v, 0, "");
	expect_variables(v, 1, "A=http://h:1/ ");
	expect_variables(v, 4, "A=http://h:1/ B='a'\\''b $c' C='' TOKEN=\"${TOKEN:?}\" ");
	expect_variables(v + 4, 2, "env -u D -u E ");
	expect_variables(v + 3, 2, "env -u D TOKEN=\"${TOKEN:?}\" ");
}

Test(reproduce, words)
{
	static char words[][12] = { "run", "a b.yaml", "", "it's", "x=$y", "--", "sh", "-c", "a;b" };
	char *argv[ARRAY_LEN(words)];
	const uint64_t seed = 7;
	struct text out;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = words[i];
	text_init(&out);
	reproduce_put_command(9, argv, argv + 6, &seed, &out);
	expect(&out, "brownout run 'a b.yaml' '' 'it'\\''s' 'x=$y' --seed 7 -- sh -c 'a;b'");
	text_init(&out);
	reproduce_put_command(2, argv, NULL, &seed, &out);
	expect(&out, "brownout run 'a b.yaml' --seed 7");
	text_init(&out);
	reproduce_put_command(1, argv, NULL, NULL, &out);
	expect(&out, "brownout run");
}

/* In one line, whatever it is. */
Test(reproduce, words_of_several_lines)
{
	static char script[] = "-a 'b' \"$c\"\n\t100% \\n \x01\xff\xc3\xa4";
	char *argv[] = { script };
	struct text out;

	text_init(&out);
	reproduce_put_command(1, argv, NULL, NULL, &out);
	expect(&out, "brownout \"$(printf '\\055a '\\''b'\\'' \"$c\"\\n\\011100%% \\\\n \\001\\377\\303\\244')\"");
}

Test(reproduce, words_of_other_languages)
{
	static char word[] = "\xc3\xa4";
	char *argv[] = { word };
	struct text out;

	text_init(&out);
	reproduce_put_command(1, argv, NULL, NULL, &out);
	expect(&out, "brownout '\xc3\xa4'");
}
