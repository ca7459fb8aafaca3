/*
 * cmd_replay: the arguments, the files, the report.
 */
#include "cli/cmd_replay.h"

#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/replay.h"
#include "cli/serve.h"

/* OPTION(id, "name", letter, argument, help) */
#define REPLAY_OPTIONS(X)                                                                                                       \
	X(RULES, "rules", 'r', "FILE", "decide again by the rules of FILE, and compare")                                        \
	X(SEED, "seed", 's', "N", "with --rules: by this seed, not by that of the trace")                                      \
	X(AGAINST, "against", 'a', "OTHER", "compare with the trace OTHER, whatever the order in either")

enum {
#define X(id, name, letter, argument, help) REPLAY_##id,
	REPLAY_OPTIONS(X)
#undef X
};

static const struct option_row rows[] = {
#define X(id, name, letter, argument, help) { name, letter, argument, help },
	REPLAY_OPTIONS(X)
#undef X
};

const struct option_table cmd_replay_options = { rows, ARRAY_LEN(rows) };

struct replay_flags {
	const char *trace; /* all live like argv; NULL: not given */
	const char *rules;
	const char *against;
	bool has_seed;
	uint64_t seed;
};

static int print_help(void)
{
	struct text out;

	text_init(&out);
	text_put_literal(&out, "Usage: brownout replay TRACE --rules FILE [--seed N]\n"
			       "       brownout replay TRACE --against OTHER\n"
			       "\n"
			       "A trace (log: {trace: FILE} in a rule file; - is standard input) says what each rule\n"
			       "decided for each request, and from what. Every decision is made again and compared, or the\n"
			       "decisions of two traces are: the same requests with the same seed lead to the same ones.\n"
			       "\n");
	options_write_help(rows, ARRAY_LEN(rows), &out);
	text_put_literal(&out, "\nExit code 0: all are equal; 3: some differ; 2: a file that is no trace, or wrong usage.\n");
	return output_write(&out);
}

/* ---- arguments ---- */

/* EXIT_CODE_OK, or EXIT_CODE_USAGE after one line on standard error. *help: asked for, nothing else counts. */
static int parse(struct replay_flags *f, int argc, char **argv, bool *help)
{
	struct options o;
	int row;

	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END) {
		switch (row) {
		case REPLAY_RULES: f->rules = o.value; break;
		case REPLAY_AGAINST: f->against = o.value; break;
		case REPLAY_SEED:
			f->has_seed = true;
			if (!options_number(&o, row, 0, UINT64_MAX, &f->seed))
				return EXIT_CODE_USAGE;
			break;
		case OPTIONS_ARGUMENT:
			if (f->trace)
				return options_refuse_argument(&o);
			f->trace = o.value;
			break;
		case OPTIONS_HELP: *help = true; return EXIT_CODE_OK;
		case OPTIONS_ERROR: return EXIT_CODE_USAGE;
		default: return options_refuse_argument(&o);
		}
	}
	return EXIT_CODE_OK;
}

static int check(const struct replay_flags *f)
{
	if (!f->trace)
		log_error("replay: a trace is needed; see brownout replay --help");
	else if (!f->rules == !f->against)
		log_error("replay: either --rules or --against is needed");
	else if (f->has_seed && !f->rules)
		log_error("replay: --seed goes with --rules");
	else
		return EXIT_CODE_OK;
	return EXIT_CODE_USAGE;
}

/* ---- the command ---- */

static int by_rules(const struct replay_flags *f, struct trace_file *trace, struct text *out)
{
	struct plan *plan;
	int rc = serve_load_file(f->rules, NULL, NULL, &plan);

	if (rc == EXIT_CODE_OK)
		rc = replay_by_rules(trace, &plan->rules, f->has_seed ? &f->seed : NULL, out);
	plan_unref(plan);
	return rc;
}

static int against(const struct replay_flags *f, struct trace_file *trace, struct text *out)
{
	struct trace_file other;
	int rc;

	if (!trace_file_open(&other, f->against))
		return EXIT_CODE_USAGE;
	rc = replay_against(trace, &other, out);
	trace_file_close(&other);
	return rc;
}

int cmd_replay(int argc, char **argv)
{
	struct replay_flags f = { .trace = NULL };
	struct trace_file trace;
	struct text out;
	bool help = false;
	int rc = parse(&f, argc, argv, &help);
	int written;

	if (help)
		return print_help();
	if (rc == EXIT_CODE_OK)
		rc = check(&f);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (!trace_file_open(&trace, f.trace))
		return EXIT_CODE_USAGE;
	text_init(&out);
	rc = f.rules ? by_rules(&f, &trace, &out) : against(&f, &trace, &out);
	trace_file_close(&trace);
	written = output_write(&out);
	return written == EXIT_CODE_OK ? rc : written;
}
