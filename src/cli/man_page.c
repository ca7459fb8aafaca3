/*
 * man_page: sections in the order of man-pages(7). What the tables do not say (signals, variables) is here.
 */
#include "cli/man_page.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/roff.h"
#include "cli/cmd_help.h"
#include "cli/commands.h"
#include "cli/ctl.h"
#include "cli/exit_code.h"
#include "config/load.h"

struct pair {
	const char *name;
	const char *text;
};

static const struct pair exit_codes[] = {
#define EXIT_CODE(id, number, meaning) { #number, meaning },
#include "cli/exit_code.def"
#undef EXIT_CODE
};

static const struct pair verbs[] = { /* of ctl */
#define VERB(name, arguments, least, most, help) { #name " " arguments, help },
	CTL_VERBS(VERB)
#undef VERB
};

static const struct pair signals[] = {
	{ "SIGTERM, SIGINT", "Stops accepting and lets open exchanges end, for limits.drain at most; a second one ends them at "
		"once." },
	{ "SIGHUP", "Reads the rule file again. A file with an error changes nothing." },
	{ "SIGINT, SIGTERM, SIGHUP, SIGQUIT", "While run -- COMMAND runs the command they go on to its process group." },
	{ "SIGUSR1", "Opens the access log and the trace anew, for rotation." },
};

static const struct pair variables[] = {
	{ "BROWNOUT_ADMIN", "Where brownout ctl finds the admin listener." },
	{ "BROWNOUT_TOKEN", "The token of the admin listener: that ctl shows, and that run --admin asks for." },
	{ "NO_COLOR", "Where it is set and not empty, nothing on a terminal is coloured." },
	{ "NOTIFY_SOCKET, WATCHDOG_USEC", "Set by systemd(1): brownout tells when it is ready, reloads and stops, and pats the "
		"watchdog while every worker comes round." },
	{ "GITHUB_ACTIONS, GITHUB_STEP_SUMMARY", "Set by GitHub Actions: a verdict is written as annotations and into the "
		"summary of the step too." },
	{ "BROWNOUT_URL, BROWNOUT_<NAME>_URL, BROWNOUT_ADMIN, BROWNOUT_SEED", "Set by brownout for the command of run: the first "
		"listener, each by its name, the admin listener, the seed." },
	{ "any other", "Stands in the rule file as ${NAME} or ${NAME:-default}." },
};

static void put_section(struct text *out, const char *title)
{
	text_printf(out, ".SH %s\n", title);
}

static void put_pairs(struct text *out, const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_put_literal(out, ".TP\n");
		roff_put_bold(out, span_of_string(pairs[i].name));
		text_put_char(out, '\n');
		roff_put_paragraph(out, pairs[i].text);
	}
}

/* As of SOURCE_DATE_EPOCH (reproducible-builds.org), so that the same source makes the same page. */
static void put_head(struct text *out, const char *title, unsigned section, const char *name, const char *summary)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t now = (time_t)(clock_wall_ns() / NS_PER_S);
	char date[sizeof("9999-12-31")] = "";
	uint64_t told;
	struct tm tm;

	if (epoch && span_to_u64(span_of_string(epoch), &told) == 0)
		now = (time_t)told;
	if (gmtime_r(&now, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	text_printf(out, ".TH %s %u %s \"brownout " BROWNOUT_VERSION "\"\n", title, section, date);
	put_section(out, "NAME");
	roff_put_string(out, name);
	text_put_literal(out, " \\- ");
	roff_put_string(out, summary);
	text_put_char(out, '\n');
}

/* ---- brownout(1) ---- */

static void put_usage(struct text *out, const struct command *command)
{
	roff_put_bold(out, SPAN("brownout "));
	roff_put_bold(out, span_of_string(command->name));
	if (command->arguments[0]) {
		text_put_char(out, ' ');
		roff_put_string(out, command->arguments);
	}
	text_put_char(out, '\n');
}

static void put_synopsis(struct text *out)
{
	const struct command *command;

	put_section(out, "SYNOPSIS");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		if (i)
			text_put_literal(out, ".br\n");
		put_usage(out, command);
	}
}

static void put_option(struct text *out, const struct option_row *row)
{
	text_put_literal(out, ".TP\n");
	if (row->letter)
		text_printf(out, "\\fB\\-%c\\fR, ", row->letter);
	text_put_literal(out, "\\fB\\-\\-");
	roff_put_string(out, row->name);
	text_put_literal(out, "\\fR");
	if (row->argument) {
		text_put_string(out, row->argument[0] == '[' ? "\\fI" : " \\fI");
		roff_put_string(out, row->argument);
		text_put_literal(out, "\\fR");
	}
	text_put_char(out, '\n');
	roff_put_paragraph(out, row->help);
}

static void put_commands(struct text *out)
{
	static const struct option_row help = { "help", 'h', NULL, "what the command does, and its options" };
	const struct command *command;

	put_section(out, "COMMANDS");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		text_put_literal(out, ".SS ");
		put_usage(out, command);
		roff_put_paragraph(out, command->summary);
		if (strcmp(command->name, "ctl") == 0)
			put_pairs(out, verbs, ARRAY_LEN(verbs));
		for (unsigned k = 0; k < command->options->n; k++)
			put_option(out, &command->options->rows[k]);
		put_option(out, &help);
	}
}

/* Topics as they stand, but those that have a section or a page of their own. */
static void put_topics(struct text *out)
{
	static const char *const others[] = { "rules", "exit-codes" };
	const char *topic;

	for (size_t i = 0; (topic = help_topic(i)) != NULL; i++) {
		struct text title, lines;
		bool skip = false;

		for (size_t k = 0; k < ARRAY_LEN(others); k++)
			skip |= strcmp(topic, others[k]) == 0;
		if (skip)
			continue;
		text_init(&title);
		for (const char *p = topic; *p; p++)
			text_put_char(&title, (char)(*p >= 'a' && *p <= 'z' ? *p - ('a' - 'A') : *p));
		text_put_literal(out, ".SH ");
		roff_put(out, text_span(&title));
		text_put_char(out, '\n');
		text_deinit(&title);
		text_init(&lines);
		help_write_topic(&lines, i);
		roff_put_lines(out, text_span(&lines));
		out->cut |= lines.cut;
		text_deinit(&lines);
	}
}

void man_page_write(struct text *out)
{
	put_head(out, "BROWNOUT", 1, "brownout", "HTTP reverse proxy that fails on purpose");
	put_synopsis(out);
	put_section(out, "DESCRIPTION");
	roff_put_paragraph(out,
		"brownout stands between a client and an upstream, forwards traffic, and where a rule of its YAML file says "
		"so it answers with a chosen status, delays, throttles, cuts, resets or rewrites. What it injected, it tells: "
		"in a header, in the log, in a summary, each with the name of the rule; and the same seed gives the same "
		"faults again.");
	text_put_literal(out, ".PP\n");
	roff_put_paragraph(out, "The rule file is described in brownout-rules(5).");
	put_commands(out);
	put_topics(out);
	put_section(out, "EXIT STATUS");
	put_pairs(out, exit_codes, ARRAY_LEN(exit_codes));
	text_put_literal(out, ".PP\n");
	roff_put_paragraph(out, EXIT_CODES_OF_COMMAND);
	put_section(out, "SIGNALS");
	put_pairs(out, signals, ARRAY_LEN(signals));
	put_section(out, "ENVIRONMENT");
	put_pairs(out, variables, ARRAY_LEN(variables));
	put_section(out, "EXAMPLES");
	roff_put_lines(out, SPAN("brownout demo\n"
				 "brownout run rules.yaml\n"
				 "brownout run -u http://localhost:9000 --abort 503 --percentage 10\n"
				 "brownout check rules.yaml\n"));
	put_section(out, "SEE ALSO");
	text_put_literal(out, ".BR brownout\\-rules (5)\n");
}

/* ---- brownout-rules(5) ---- */

void man_page_write_rules(struct text *out)
{
	put_head(out, "BROWNOUT\\-RULES", 5, "brownout-rules", "the rule file of brownout");
	put_section(out, "SYNOPSIS");
	roff_put_lines(out, SPAN("upstream: http://127.0.0.1:9000\n"
				 "rules:\n"
				 "  - abort: 503\n"
				 "    percentage: 10\n"));
	put_section(out, "DESCRIPTION");
	roff_put_paragraph(out,
		"Each section is a mapping of the file, each entry one of its keys: what it takes, what holds where it is not "
		"given, what it means, and an example.");
	load_write_manual(out);
	put_section(out, "SEE ALSO");
	text_put_literal(out, ".BR brownout (1)\n");
}
