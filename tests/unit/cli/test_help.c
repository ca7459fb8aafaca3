/*
 * help: topics that are made from tables have a row for each of what the program has.
 */
#include "cli/cmd_help.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/exit_code.h"
#include "config/keys.h"

/* What a topic says; NUL-terminated, the caller's to free. */
static struct text say(const char *topic)
{
	char help[] = "help";
	char *argv[] = { help, (char *)(uintptr_t)topic };
	FILE *said = tmpfile();
	int saved = dup(STDOUT_FILENO);
	struct text out;
	int c;

	cr_assert(said && saved >= 0);
	dup2(fileno(said), STDOUT_FILENO);
	cr_expect_eq(cmd_help(2, argv), EXIT_CODE_OK, "%s", topic);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(said);
	text_init(&out);
	while ((c = getc(said)) != EOF)
		text_put_char(&out, (char)c);
	text_put_char(&out, '\0');
	fclose(said);
	return out;
}

static const struct key_map *rule_map(void)
{
	for (unsigned i = 0; i < keys_all_n; i++) {
		if (strcmp(keys_all[i]->name, "rule") == 0)
			return keys_all[i];
	}
	return NULL;
}

Test(help, faults_are_those_that_a_rule_can_have)
{
	struct text out = say("faults");

	for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
		struct span name = span_of_string(fault_kind_name((enum fault_kind)i));
		bool there = decode_find_key(rule_map(), name) != NULL;

		cr_expect_eq(strstr(out.p, fault_kind_text((enum fault_kind)i)) != NULL, there, "%.*s", SPAN_ARG(name));
	}
	cr_expect(strstr(out.p, "\n  abort       * answers with a status"), "%s", out.p);
	cr_expect(strstr(out.p, "\n  delay         waits, then goes on\n                delay: 250ms\n"), "%s", out.p);
	text_deinit(&out);
}

Test(help, every_topic_says_something)
{
	static const char *const topics[] = { "rules", "faults", "profiles", "verdict", "log", "trace", "metrics", "origin",
		"exit-codes" };

	for (unsigned i = 0; i < ARRAY_LEN(topics); i++) {
		struct text out = say(topics[i]);

		cr_expect_gt(out.n, 200, "%s", topics[i]);
		/* One that is not in the table would be taken for a command. */
		cr_expect_null(strstr(out.p, "Usage:"), "%s", topics[i]);
		text_deinit(&out);
	}
}

Test(help, exit_codes_of_a_command_are_told)
{
	struct text out = say("exit-codes");

	cr_expect(strstr(out.p, "128 + n where signal n ended it"), "%s", out.p);
	text_deinit(&out);
}
