/*
 * cmd_run: flags, then the plan, then the server until it ends, or until the command has ended. Nothing is started before
 * all of it was checked.
 */
#include "cli/cmd_run.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/run_command.h"
#include "cli/run_flags.h"
#include "cli/serve_admin.h"

/* What the flags' own rules are called in messages. */
#define FLAGS_FILE "(command line)"
/* The token of --admin, where the file has none; brownout ctl sends it too. */
#define TOKEN_VARIABLE "BROWNOUT_TOKEN"

static int load(const struct run_flags *f, const struct load_options *overrides, struct text *source, struct plan **plan)
{
	if (f->file)
		return serve_load_file(f->file, overrides, source, plan);
	text_init(source);
	run_flags_write_rules(f, source);
	return serve_load(FLAGS_FILE, text_span(source), overrides, plan);
}

/* What was given as a flag wins over the file. The plan is still ours alone. */
static void override(struct plan *plan, const void *arg)
{
	const struct run_flags *f = arg;

	if (f->has_seed) {
		plan->seed = f->seed;
		plan->seed_given = true;
	}
	if (f->has_workers)
		plan->workers = (uint32_t)f->workers;
	if (f->access)
		plan->log_access = span_of_string(f->access);
	if (f->trace)
		plan->log_trace = span_of_string(f->trace);
	if (f->log_format)
		plan->log_format = strcmp(f->log_format, "json") == 0 ? PLAN_LOG_JSON : PLAN_LOG_TEXT;
}

static int print_help(void)
{
	struct text out;

	text_init(&out);
	run_flags_write_help(&out);
	return output_write(&out);
}

/* Until it is told to end, or the command has ended. An exit code. */
static int wait(struct server *server, const struct admin *admin, const struct run_flags *f, const struct serve_options *options,
	struct child *child)
{
	struct child_result result;
	int rc;

	if (!f->command) {
		(void)serve_wait(server, options, 0);
		return EXIT_CODE_OK;
	}
	rc = run_command(child, f->command, f->time_limit_ns, server, options, admin, &result);
	return rc == 0 ? run_command_exit_code(&result) : rc;
}

/* Between the start and the end of the server. The admin listener is bound already. */
static int serve(struct server *server, struct admin *admin, const struct run_flags *f, const struct live_file_options *live,
	struct span source, struct child *child)
{
	struct serve_options options = f->serve;
	int rc;

	if (live_file_new(&options.live, server, live, source) < 0)
		log_error("no memory to keep the rules; they cannot be read again");
	rc = serve_admin_start(admin, server, &options);
	if (rc == EXIT_CODE_OK)
		rc = wait(server, admin, f, &options, child);
	admin_free(admin);
	live_file_free(options.live);
	return rc;
}

/* Takes the plan's reference over. */
static int run(struct run_flags *f, int64_t start_ns, const struct live_file_options *live, struct span source,
	struct plan *plan)
{
	struct server *server;
	struct child child;
	struct admin *admin;
	int rc, rc_finish;

	override(plan, f);
	/* Lines on standard output would run into the status line. */
	if ((span_eq(plan->log_access, SPAN("stdout")) || span_eq(plan->log_trace, SPAN("stdout"))) && isatty(STDOUT_FILENO))
		f->serve.status_line = false;
	rc = serve_admin_open(&admin, plan);
	if (rc != EXIT_CODE_OK) {
		plan_unref(plan);
		return rc;
	}
	if (f->command)
		child_prepare(&child);
	rc = serve_start(&server, plan, &f->serve);
	if (rc != EXIT_CODE_OK) {
		admin_free(admin);
		return rc;
	}
	rc = serve(server, admin, f, live, source, &child);
	rc_finish = serve_finish(server, start_ns, &f->serve);
	return rc == EXIT_CODE_OK ? rc_finish : rc;
}

int cmd_run(int argc, char **argv)
{
	int64_t start_ns = clock_mono_ns();
	struct live_file_options live = { .load.env = serve_environment, .adjust = override };
	struct run_flags flags;
	struct text source;
	struct plan *plan;
	int rc = run_flags_parse(&flags, argc, argv);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (flags.help)
		return print_help();
	live.name = flags.file ? flags.file : FLAGS_FILE;
	live.is_file = flags.file && strcmp(flags.file, "-") != 0;
	live.arg = &flags;
	live.load.admin = flags.admin;
	live.load.admin_token = getenv(TOKEN_VARIABLE);
	if (flags.file) {
		live.load.listen = flags.listen;
		live.load.upstream = flags.upstream;
	}
	rc = load(&flags, &live.load, &source, &plan);
	if (rc == EXIT_CODE_OK)
		rc = run(&flags, start_ns, &live, text_span(&source), plan);
	text_deinit(&source);
	return rc;
}
