/*
 * pages: the manual pages and the completions leave no command, option, topic, key or exit code of the tables out.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/roff.h"
#include "cli/cmd_ctl.h"
#include "cli/cmd_help.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/man_page.h"
#include "config/keys.h"

static struct text page;

static void end(void)
{
	text_deinit(&page);
}

TestSuite(pages, .fini = end);

/* NUL-terminated, so that it can be searched. */
static void write_page(void (*write)(struct text *out))
{
	text_init(&page);
	write(&page);
	text_put_char(&page, '\0');
	cr_assert_not(page.cut);
}

static void expect_roff(const char *before, const char *name)
{
	struct text wanted;

	text_init(&wanted);
	text_put_string(&wanted, before);
	roff_put_string(&wanted, name);
	text_put_char(&wanted, '\0');
	cr_expect(strstr(page.p, wanted.p), "no %s", wanted.p);
	text_deinit(&wanted);
}

Test(pages, every_command_and_option_is_in_the_manual)
{
	const struct command *command;

	write_page(man_page_write);
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		expect_roff(".SS \\fBbrownout \\fR\\fB", command->name);
		for (unsigned k = 0; k < command->options->n; k++)
			expect_roff("\\fB\\-\\-", command->options->rows[k].name);
	}
	for (size_t i = 0; cmd_ctl_verb(i); i++)
		expect_roff(".TP\n\\fB", cmd_ctl_verb(i));
	cr_expect(strstr(page.p, "\n.SH TRACE\n.EX\nlog: {trace: FILE}"), "a topic is missing:\n%s", page.p);
	cr_expect(strstr(page.p, "\\fB125\\fR\nbrownout itself failed"), "%s", page.p);
}

Test(pages, every_key_is_in_the_manual_of_rules)
{
	write_page(man_page_write_rules);
	for (unsigned i = 0; i < keys_all_n; i++) {
		for (unsigned k = 0; k < keys_all[i]->n_keys && !keys_all[i]->like; k++) {
			expect_roff(".TP\n\\fB", keys_all[i]->keys[k].name);
			expect_roff("\n\\fB", keys_all[i]->keys[k].example);
		}
	}
}

Test(pages, the_date_can_be_told)
{
	setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
	write_page(man_page_write);
	cr_expect(strncmp(page.p, ".TH BROWNOUT 1 2001-09-09 \"brownout ", 36) == 0, "%.60s", page.p);
}

Test(pages, every_command_and_option_is_completed)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	for (size_t s = 0; s < ARRAY_LEN(shells); s++) {
		const struct command *command;
		const char *topic;

		text_init(&page);
		cr_assert_eq(completion_write(&page, shells[s]), 0);
		text_put_char(&page, '\0');
		for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
			cr_expect(strstr(page.p, command->name), "%s: %s", shells[s], command->name);
			for (unsigned k = 0; k < command->options->n; k++)
				cr_expect(strstr(page.p, command->options->rows[k].name), "%s: %s", shells[s],
					command->options->rows[k].name);
		}
		for (size_t i = 0; (topic = help_topic(i)) != NULL; i++)
			cr_expect(strstr(page.p, topic), "%s: %s", shells[s], topic);
		text_deinit(&page);
	}
	text_init(&page);
	cr_expect_eq(completion_write(&page, "csh"), 1);
	cr_expect_eq(page.n, 0);
}
