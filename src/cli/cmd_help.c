/*
 * cmd_help: the list of commands and the topics. What a topic says comes from the tables that the program works by, where there
 * is one; the rest is here.
 */
#include "cli/cmd_help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/man_page.h"
#include "cli/output.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/suggest.h"
#include "fault/gateway.h"
#include "observe/collector.h"
#include "observe/metrics.h"
#include "observe/trace.h"
#include "rehearsal/report.h"

#define FAULT_COLUMN 14
#define MALFORMED_COLUMN 16
#define COLUMNS_DEFAULT 100
#define COLUMNS_MIN 60
#define COLUMNS_MAX 130

static unsigned output_columns(void)
{
	struct winsize size;
	unsigned columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;

	return columns ? MIN(MAX(columns, COLUMNS_MIN), COLUMNS_MAX) : COLUMNS_DEFAULT;
}

/* ---- topics ---- */

static void write_rules(struct text *out)
{
	load_write_reference(out, output_columns());
}

/* A key of the rule file: what the loader does not take is not described. NULL where there is none. */
static const struct key *find_key(const char *map, const char *name)
{
	for (unsigned i = 0; i < keys_all_n; i++) {
		if (strcmp(keys_all[i]->name, map) == 0)
			return decode_find_key(keys_all[i], span_of_string(name));
	}
	return NULL;
}

static void write_malformed(struct text *out)
{
#define MALFORMED(id, name, what) text_printf(out, "  %*s%-*s %s\n", FAULT_COLUMN, "", MALFORMED_COLUMN, (name), (what));
#include "core/malformed.def"
#undef MALFORMED
}

static void write_faults(struct text *out)
{
	text_put_literal(out,
		"What a rule can do to a request. A rule acts on the requests that its match describes, or on a share\n"
		"of them (percentage), or on some by count (after, first, every).\n"
		"\n");
	for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
		enum fault_kind kind = (enum fault_kind)i;
		const struct key *key = find_key("rule", fault_kind_name(kind));

		if (!key)
			continue;
		text_printf(out, "  %-*s%s %s\n", FAULT_COLUMN - 2, fault_kind_name(kind), FAULT_TERMINAL & 1u << i ? "*" : " ",
			fault_kind_text(kind));
		if (key->example)
			text_printf(out, "  %*s%s\n", FAULT_COLUMN, "", key->example);
		if (kind == FAULT_MALFORMED)
			write_malformed(out);
	}
	text_put_literal(out,
		"\n"
		"Rules are read from top to bottom, and the faults of all that fire act together. Those with * end the list.\n"
		"\n"
		"phase: request (the default) acts before the upstream is touched. phase: response acts once the upstream has\n"
		"answered, so that its side effects have happened; only there may match have a status.\n"
		"\n"
		"A faulted answer carries X-Brownout with the rule's name (fault_header: false leaves it out).\n"
		"Which requests are faulted depends on seed, rule, key and count alone: the same seed and the same\n"
		"requests give the same faults. brownout help rules describes every key.\n");
}

static void write_profiles(struct text *out)
{
	text_put_literal(out,
		"Answers in the manner of well-known gateways, for abort: {as: NAME}. Names, case and order of the fields,\n"
		"type and kind of the content, and whether the connection stays open are the gateway's; pages are ours.\n"
		"With timeout: true the answer comes when the gateway itself would have given up. What is not known for sure\n"
		"is said.\n"
		"\n");
	gateway_write_reference(out);
}

static void write_trace(struct text *out)
{
	text_put_literal(out,
		"log: {trace: FILE} in the rule file, or --trace, records what was decided, and from what, and what the judge\n"
		"of clients needs to know of each exchange: JSON Lines, written off the event loops. A member is left out\n"
		"where there is nothing to say. Moments of an exchange count from its start.\n");
	trace_write_reference(out);
	text_put_literal(out,
		"\n"
		"Hashes, draws and ids are hexadecimal texts, the seed is a decimal one: most readers of JSON keep 53 bits.\n"
		"A hash tells whether two values are the same, and gives away one that can be guessed; log: {headers: false}\n"
		"and log: {query: false} keep those of headers and query, and the client's name, from being made out.\n"
		"\n"
		"  brownout judge trace.jsonl --rules rules.yaml      the verdict on the clients again, as it was given live\n"
		"  brownout judge one.jsonl two.jsonl                 that on the clients of several replicas\n"
		"  brownout replay trace.jsonl --rules rules.yaml     makes every decision again\n"
		"  brownout replay trace.jsonl --against other.jsonl  compares the decisions of two runs\n");
}

static void write_verdict(struct text *out)
{
	text_put_literal(out,
		"What the clients are judged by, where the rule file has expect:, and by brownout judge. Each check passes,\n"
		"fails, warns, is inconclusive (there was too little to go by) or not applicable. Limits are those of the\n"
		"profiles; where there is none (-) it is measured all the same, and judged where the file sets a limit.\n"
		"\n");
	report_write_reference(out);
	text_put_literal(out,
		"\n"
		"A report has the seed, a hash of the rules, and the line that runs it again. Variables that the rule file\n"
		"uses stand in that line as they were where they are amounts or addresses; what may be a secret (by its name,\n"
		"or as it is used for headers, bodies, queries, tokens, or anything else) is named alone, for the shell to\n"
		"take from its own environment. The verdict so far is at /v1/verdict of the admin listener.\n");
}

static void write_log(struct text *out)
{
	text_put_literal(out,
		"The access log has one line per exchange, written off the event loops. log: {access: DEST, format: FORMAT}\n"
		"in the rule file or --access and --log-format say where to (stderr, stdout, a file, off) and how.\n"
		"SIGUSR1 opens a file anew, for rotation.\n"
		"\n"
		"  text   client:port [time] \"METHOD target HTTP/1.n\" status bytes_out name=value...\n"
		"  json   one object per line\n"
		"\n"
		"A field that does not apply is left out. Those with * are in the JSON log only.\n"
		"\n");
	access_write_reference(out);
	text_put_literal(out, "\nReasons in close:\n\n");
	for (unsigned i = CLOSE_NONE + 1; i < CLOSE_REASON_COUNT; i++)
		text_printf(out, "  %-18s  %s\n", close_reason_name((enum close_reason)i),
			close_reason_text((enum close_reason)i));
}

static void write_metrics(struct text *out)
{
	text_put_literal(out,
		"What /metrics of the admin listener tells, in the text format of Prometheus, or as OpenMetrics 1.0 where\n"
		"Accept prefers that. Histograms have buckets from 10 us to 100 s. Labels take a bounded number of values:\n"
		"upstreams, and pairs of listener and upstream, beyond the 255th and rules beyond the 1000th are (other);\n"
		"an upstream of (none) means that none was chosen.\n"
		"\n");
	metrics_write_reference(out);
}

static void write_origin(struct text *out)
{
	text_put_literal(out,
		"upstream: origin (or -u origin) is a small upstream inside of brownout, to try rules with nothing else\n"
		"running.\n"
		"\n"
		"  /status/N      an answer with status N, 200 to 599\n"
		"  /delay/T       200 after T (250ms, 2s; at most 1h)\n"
		"  /bytes/N       N bytes (64KiB, 10GiB); ?chunked=1 sends them in chunks\n"
		"  /drip          10 bytes, one every 100 ms; ?bytes=N&every=T\n"
		"  /headers       the fields of the request as JSON\n"
		"  anything else  the request as JSON\n");
}

static void write_exit_codes(struct text *out)
{
#define EXIT_CODE(id, number, meaning) text_printf(out, "  %3d  %s\n", (number), (meaning));
#include "cli/exit_code.def"
#undef EXIT_CODE
	text_put_literal(out, "\n" EXIT_CODES_OF_COMMAND "\n");
}

static const struct {
	const char *name;
	const char *summary;
	void (*write)(struct text *out);
} topics[] = {
	{ "rules", "every key of the rule file; help rules KEY: one of them", write_rules },
	{ "faults", "what a rule can do", write_faults },
	{ "profiles", "answers in the manner of known gateways", write_profiles },
	{ "verdict", "what clients are judged by", write_verdict },
	{ "log", "the fields of the access log", write_log },
	{ "trace", "what a trace of decisions has in it", write_trace },
	{ "metrics", "what /metrics tells", write_metrics },
	{ "origin", "the embedded upstream", write_origin },
	{ "exit-codes", "how brownout ends", write_exit_codes },
};

/* ---- the command ---- */

enum { HELP_MAN, HELP_COMPLETION };

static const struct option_row rows[] = {
	[HELP_MAN] = { "man", 0, NULL, "brownout(1), the manual page; of topic rules: brownout-rules(5)" },
	[HELP_COMPLETION] = { "completion", 0, COMPLETION_SHELLS, "a script that completes the command line" },
};

const struct option_table cmd_help_options = { rows, ARRAY_LEN(rows) };

const char *help_topic(size_t i)
{
	return i < ARRAY_LEN(topics) ? topics[i].name : NULL;
}

void help_write_topic(struct text *out, size_t i)
{
	topics[i].write(out);
}

void help_write_usage(struct text *out)
{
	const struct command *command;
	size_t width = 0;

	text_put_literal(out, "Usage: brownout COMMAND [ARGUMENT]...\n"
			      "\n"
			      "An HTTP reverse proxy that fails on purpose.\n"
			      "\n");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		width = MAX(width, strlen(command->arguments));
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		text_printf(out, "  %-7s %-*s  %s\n", command->name, (int)width, command->arguments, command->summary);
	text_put_literal(out, "\nTopics of help:\n\n");
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		text_printf(out, "  %-12s %s\n", topics[i].name, topics[i].summary);
	text_put_literal(out, "\nbrownout COMMAND --help says more about a command.\n\n");
	options_write_help(rows, ARRAY_LEN(rows), out);
}

static bool is_key(const char *name)
{
	struct suggestion meant;
	struct text out;
	bool is;

	text_init(&out);
	is = load_write_reference_of(&out, output_columns(), span_of_string(name), &meant) == 0;
	text_deinit(&out);
	return is;
}

static int unknown_topic(const char *name)
{
	const struct command *command;
	struct suggestion s;

	if (is_key(name)) {
		log_error("help: %.40s is a key of the rule file: brownout help rules %.40s", name, name);
		return EXIT_CODE_USAGE;
	}
	suggest_begin(&s, span_of_string(name));
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		suggest_offer(&s, span_of_string(topics[i].name));
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		suggest_offer(&s, span_of_string(command->name));
	if (s.best.n)
		log_error("help: there is no topic %.40s; did you mean %.*s?", name, SPAN_ARG(s.best));
	else
		log_error("help: there is no topic %.40s (see brownout help)", name);
	return EXIT_CODE_USAGE;
}

/* A topic's text, or what the command of that name says of itself. */
static int write_topic(char *name)
{
	static char help_option[] = "--help";
	const struct command *command = command_find(name);
	char *args[] = { name, help_option };
	struct text out;

	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		if (strcmp(name, topics[i].name) != 0)
			continue;
		text_init(&out);
		topics[i].write(&out);
		return output_write(&out);
	}
	return command ? command->run(ARRAY_LEN(args), args) : unknown_topic(name);
}

/* "abort" of "rules[].abort", as messages have it. */
static struct span last_name(struct span s)
{
	for (size_t dot = span_find(s, '.'); dot < s.n; dot = span_find(s, '.'))
		s = span_skip(s, dot + 1);
	return span_first(s, span_find(s, '['));
}

/* One key of the rule file. */
static int write_key(const char *topic, const char *key)
{
	struct suggestion meant;
	struct text out;

	if (strcmp(topic, "rules") != 0) {
		log_error("help: %.40s is one argument too many; keys are of topic rules", key);
		return EXIT_CODE_USAGE;
	}
	text_init(&out);
	if (load_write_reference_of(&out, output_columns(), last_name(span_of_string(key)), &meant) == 0)
		return output_write(&out);
	text_deinit(&out);
	if (meant.best.n)
		log_error("help: there is no key %.40s; did you mean %.*s?", key, SPAN_ARG(meant.best));
	else
		log_error("help: there is no key %.40s (see brownout help rules)", key);
	return EXIT_CODE_USAGE;
}

static int write_man(const char *topic)
{
	struct text out;

	if (topic && strcmp(topic, "rules") != 0) {
		log_error("help: there is a manual page of brownout and one of rules, none of %.40s", topic);
		return EXIT_CODE_USAGE;
	}
	text_init(&out);
	if (topic)
		man_page_write_rules(&out);
	else
		man_page_write(&out);
	return output_write(&out);
}

static int write_completion(const char *shell)
{
	struct text out;

	text_init(&out);
	if (completion_write(&out, shell) == 0)
		return output_write(&out);
	log_error("help: --completion %.40s: bash, zsh or fish is wanted", shell);
	return EXIT_CODE_USAGE;
}

int cmd_help(int argc, char **argv)
{
	const char *shell = NULL;
	char *topic = NULL, *key = NULL;
	bool man = false;
	struct options o;
	struct text out;
	int row;

	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END && row != OPTIONS_HELP) {
		if (row == OPTIONS_ERROR)
			return EXIT_CODE_USAGE;
		if (row == OPTIONS_REST || (row == OPTIONS_ARGUMENT && key))
			return options_refuse_argument(&o);
		if (row == HELP_MAN)
			man = true;
		else if (row == HELP_COMPLETION)
			shell = o.value;
		else if (topic)
			key = argv[o.at - 1];
		else
			topic = argv[o.at - 1];
	}
	if (shell && row != OPTIONS_HELP)
		return write_completion(shell);
	if (man && row != OPTIONS_HELP)
		return write_man(topic);
	if (key && row != OPTIONS_HELP)
		return write_key(topic, key);
	if (topic && row != OPTIONS_HELP)
		return write_topic(topic);
	text_init(&out);
	help_write_usage(&out);
	return output_write(&out);
}
