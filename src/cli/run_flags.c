/*
 * run_flags: one table of options, one switch over its rows. What a value means is the loader's matter; here only is
 * said which flags go together.
 */
#include "cli/run_flags.h"

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "config/plan.h"
#include "config/units.h"

/* OPTION(id, "name", letter, argument, help) */
#define RUN_OPTIONS(X)                                                                                                          \
	X(UPSTREAM, "upstream", 'u', "URL", "forward to URL (http://, https://, unix:, or origin)")                  \
	X(LISTEN, "listen", 'l', "ADDRESS", "listen on host:port or unix:/path (default 127.0.0.1:8080, port 0: a free one)")   \
	X(ABORT, "abort", 0, "STATUS", "without FILE: answer with STATUS")                                                      \
	X(DELAY, "delay", 0, "TIME", "without FILE: delay by TIME: 250ms, or 100ms..2s")                                        \
	X(PERCENTAGE, "percentage", 'p', "P", "without FILE: of P % of the requests, 0 to 100")                                 \
	X(PATH, "path", 0, "GLOB", "without FILE: of paths that match GLOB: /api/**")                                           \
	X(EXPECT, "expect", 0, EXPECT_PROFILE_CHOICES, "without FILE: judge the clients by this profile")                       \
	X(ADMIN, "admin", 0, "[=ADDRESS]", "dashboard, metrics and API at ADDRESS (default 127.0.0.1:9901)")                    \
	X(SEED, "seed", 's', "N", "seed of all random decisions (default: drawn)")                                              \
	X(WORKERS, "workers", 'w', "N", "event-loop threads (default: as many as it has processors to use)")                    \
	X(ACCESS, "access", 0, "DEST", "access log to stderr, stdout, a file, or off")                                          \
	X(LOG_FORMAT, "log-format", 0, "text|json", "how its lines look")                                                       \
	X(TRACE, "trace", 0, "DEST", "every decision of the rules to DEST, for brownout replay")                                \
	X(SUMMARY, "summary", 0, "text|json|off", "the last word: text on standard error, json on standard output")             \
	X(TIME_LIMIT, "time-limit", 0, "TIME", "of COMMAND: then its processes get SIGTERM, 5 s later SIGKILL")                 \
	REPORTS_OPTIONS(X)                                                                                                      \
	X(QUIET, "quiet", 'q', NULL, "say only what goes wrong")

enum {
#define X(id, name, letter, argument, help) RUN_##id,
	RUN_OPTIONS(X)
#undef X
};

static const struct option_row rows[] = {
#define X(id, name, letter, argument, help) { name, letter, argument, help },
	RUN_OPTIONS(X)
#undef X
};

const struct option_table cmd_run_options = { rows, ARRAY_LEN(rows) };

void run_flags_write_help(struct text *out)
{
	text_put_literal(out, "Usage: brownout run [FILE] [OPTION]... [-- COMMAND [ARGUMENT]...]\n"
			      "\n"
			      "Serves the rule file FILE (- is standard input), or, without one, forwards to the\n"
			      "upstream of -u and injects what --abort and --delay say. SIGTERM and SIGINT end it\n"
			      "once the open exchanges are through, a second one at once; SIGUSR1 opens the logs\n"
			      "anew. At the end a summary is written.\n"
			      "\n"
			      "With COMMAND it serves while the command runs, which finds it by BROWNOUT_URL (the\n"
			      "first listener) and BROWNOUT_<NAME>_URL (each), says how the command's clients\n"
			      "behaved, and ends with the command's exit code, or with 3 where the command went\n"
			      "well and an expectation of the rule file failed. Signals go on to the command.\n"
			      "\n");
	options_write_help(rows, ARRAY_LEN(rows), out);
	text_put_literal(out, "\n"
			      "  brownout run rules.yaml\n"
			      "  brownout run -u http://localhost:9000 --abort 503 --percentage 10\n"
			      "  brownout run rules.yaml -- npm test\n"
			      "  brownout run -u http://localhost:9000 --abort 503 -p 10 --expect sre -- npm test\n"
			      "\n"
			      "See brownout help rules for the rule file.\n");
}

/* ---- parsing ---- */

static bool take_summary(struct run_flags *f, const char *value)
{
	static const char *const names[] = {
		[SERVE_SUMMARY_TEXT] = "text",
		[SERVE_SUMMARY_JSON] = "json",
		[SERVE_SUMMARY_OFF] = "off",
	};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			f->serve.summary = (enum serve_summary)i;
			return true;
		}
	}
	log_error("run: --summary %.40s: text, json or off is wanted", value);
	return false;
}

static bool take_log_format(struct run_flags *f, const char *value)
{
	f->log_format = value;
	if (strcmp(value, "text") == 0 || strcmp(value, "json") == 0)
		return true;
	log_error("run: --log-format %.40s: text or json is wanted", value);
	return false;
}

static bool take_file(struct run_flags *f, const char *value)
{
	if (f->admin && !*f->admin && strchr(value, ':'))
		log_error("run: %.200s is no rule file; did you mean --admin=%.200s?", value, value);
	else if (f->file)
		log_error("run: one rule file at most: %.200s and %.200s are two", f->file, value);
	else if (!*value)
		log_error("run: the name of the rule file is empty");
	else
		f->file = value;
	return f->file == value;
}

static bool take_time_limit(struct run_flags *f, const char *value)
{
	char block[80];
	struct text hint;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_duration(span_of_string(value), &f->time_limit_ns, &hint) == 0 && f->time_limit_ns > 0)
		return true;
	log_error("run: --time-limit %.40s: a duration such as 90s or 10m is wanted%s%.*s%s", value, hint.n ? " (" : "",
		SPAN_ARG(text_span(&hint)), hint.n ? ")" : "");
	return false;
}

static bool take_command(struct run_flags *f, const struct options *o)
{
	f->command = o->argv + o->at;
	if (o->at < o->argc && *f->command[0])
		return true;
	log_error("run: a command is wanted behind --");
	return false;
}

/* False after one line on standard error. */
static bool take_option(struct run_flags *f, const struct options *o, int row)
{
	switch (row) {
	case RUN_UPSTREAM: f->upstream = o->value; return true;
	case RUN_LISTEN: f->listen = o->value; return true;
	case RUN_ABORT: f->abort = o->value; return true;
	case RUN_DELAY: f->delay = o->value; return true;
	case RUN_PERCENTAGE: f->percentage = o->value; return true;
	case RUN_PATH: f->path = o->value; return true;
	case RUN_EXPECT: f->expect = o->value; return true;
	case RUN_ACCESS: f->access = o->value; return true;
	case RUN_ADMIN: f->admin = o->value ? o->value : ""; return true;
	case RUN_TRACE: f->trace = o->value; return true;
	case RUN_LOG_FORMAT: return take_log_format(f, o->value);
	case RUN_SUMMARY: f->has_summary = true; return take_summary(f, o->value);
	case RUN_SEED: f->has_seed = true; return options_number(o, row, 0, UINT64_MAX, &f->seed);
	case RUN_WORKERS: f->has_workers = true; return options_number(o, row, 1, PLAN_WORKERS_MAX, &f->workers);
	case RUN_QUIET: f->serve.quiet = true; return true;
	case OPTIONS_HELP: f->help = true; return true;
	case OPTIONS_ARGUMENT: return take_file(f, o->value);
	case RUN_JSON: f->reports.json = o->value; return true;
	case RUN_JUNIT: f->reports.junit = o->value; return true;
	case RUN_TAP: f->reports.tap = o->value; return true;
	case RUN_SUMMARY_MD: f->reports.markdown = o->value; return true;
	case RUN_GITHUB: f->reports.github = true; return true;
	case RUN_TIME_LIMIT: return take_time_limit(f, o->value);
	case OPTIONS_REST: return take_command(f, o);
	default: return false; /* options_next has said why */
	}
}

/* The first of the flags that make a rule; NULL where none is given. */
static const char *rule_flag(const struct run_flags *f)
{
	return f->abort ? "--abort" : f->delay ? "--delay" : f->percentage ? "--percentage" : f->path ? "--path" : NULL;
}

static int check_together(const struct run_flags *f)
{
	if (f->file && rule_flag(f))
		log_error("run: %s makes a rule of its own and does not go with a rule file; write it into %s", rule_flag(f),
			f->file);
	else if (f->file && f->expect)
		log_error("run: --expect does not go with a rule file; write expect: into %s", f->file);
	else if (!f->file && !f->upstream)
		log_error("run: a rule file or an upstream (-u URL) is needed; see brownout run --help");
	else if (rule_flag(f) && !f->abort && !f->delay)
		log_error("run: %s says which requests, but no fault: add --abort or --delay", rule_flag(f));
	else if (f->time_limit_ns && !f->command)
		log_error("run: --time-limit is of a command, and none is given (-- COMMAND)");
	else if (f->access && f->trace && strcmp(f->access, f->trace) == 0 && strcmp(f->trace, "off") != 0)
		log_error("run: --access and --trace cannot both go to %.200s", f->trace);
	else if (f->access && !*f->access)
		log_error("run: --access: stderr, stdout, a file or off is wanted");
	else
		return EXIT_CODE_OK;
	return EXIT_CODE_USAGE;
}

int run_flags_parse(struct run_flags *f, int argc, char **argv)
{
	struct options o;
	int row;

	*f = (struct run_flags){ .serve.status_line = true };
	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while (!f->help && !f->command && (row = options_next(&o)) != OPTIONS_END) {
		if (!take_option(f, &o, row))
			return EXIT_CODE_USAGE;
	}
	return f->help ? EXIT_CODE_OK : check_together(f);
}

/* ---- as a rule file ---- */

/* Digits as they stand, anything else in quotes: the loader says what it thinks of it. */
static void put_value(struct json *j, const char *key, const char *value)
{
	struct span s = span_of_string(value);
	bool number = s.n > 0;

	for (size_t i = 0; i < s.n; i++)
		number = number && (ascii_is_digit(s.p[i]) || s.p[i] == '.');
	json_key(j, key);
	if (number)
		json_raw(j, s);
	else
		json_span(j, s);
}

static void put_delay(struct json *j, const char *value)
{
	if (!strstr(value, "..")) {
		put_value(j, "delay", value);
		return;
	}
	json_key(j, "delay");
	json_begin_object(j);
	json_member_string(j, "uniform", value);
	json_end_object(j);
}

void run_flags_write_rules(const struct run_flags *f, struct text *out)
{
	struct json j;

	json_init(&j, out, 2);
	json_begin_object(&j);
	if (f->listen)
		json_member_string(&j, "listen", f->listen);
	json_member_string(&j, "upstream", f->upstream);
	if (f->expect)
		json_member_string(&j, "expect", f->expect);
	json_key(&j, "rules");
	json_begin_array(&j);
	if (rule_flag(f)) {
		json_begin_object(&j);
		if (f->path) {
			json_key(&j, "match");
			json_begin_object(&j);
			json_member_string(&j, "path", f->path);
			json_end_object(&j);
		}
		if (f->percentage)
			put_value(&j, "percentage", f->percentage);
		if (f->delay)
			put_delay(&j, f->delay);
		if (f->abort)
			put_value(&j, "abort", f->abort);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	text_put_char(out, '\n');
}
