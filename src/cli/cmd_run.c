/*
 * cmd_run: flags, then the plan, then the server until it ends. Nothing is started before all of it was checked.
 */
#include "cli/cmd_run.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/run_flags.h"
#include "cli/serve_admin.h"

/* What the flags' own rules are called in messages. */
#define FLAGS_FILE "(command line)"
/* The token of --admin, where the file has none; brownout ctl sends it too. */
#define TOKEN_VARIABLE "BROWNOUT_TOKEN"

static int load_file(const struct run_flags *f, struct plan **plan)
{
	const struct load_options overrides = {
		.listen = f->listen,
		.upstream = f->upstream,
		.admin = f->admin,
		.admin_token = getenv(TOKEN_VARIABLE),
	};

	return serve_load_file(f->file, &overrides, plan);
}

static int load_flags(const struct run_flags *f, struct plan **plan)
{
	const struct load_options overrides = { .admin = f->admin, .admin_token = getenv(TOKEN_VARIABLE) };
	struct text source;
	int rc;

	text_init(&source);
	run_flags_write_rules(f, &source);
	rc = serve_load(FLAGS_FILE, text_span(&source), &overrides, plan);
	text_deinit(&source);
	return rc;
}

/* What was given as a flag wins over the file. The plan is still ours alone. */
static void override(struct plan *plan, const struct run_flags *f)
{
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

/* Takes the plan's reference over. */
static int serve_plan(struct plan *plan, const struct serve_options *options, int64_t start_ns)
{
	struct server *server;
	struct admin *admin;
	int rc = serve_admin_open(&admin, plan);
	int rc_finish;

	if (rc != EXIT_CODE_OK) {
		plan_unref(plan);
		return rc;
	}
	rc = serve_start(&server, plan, options);
	if (rc != EXIT_CODE_OK) {
		admin_free(admin);
		return rc;
	}
	rc = serve_admin_start(admin, server, options);
	if (rc == EXIT_CODE_OK)
		(void)serve_wait(server, options, 0);
	admin_free(admin);
	rc_finish = serve_finish(server, start_ns, options);
	return rc == EXIT_CODE_OK ? rc_finish : rc;
}

int cmd_run(int argc, char **argv)
{
	int64_t start_ns = clock_mono_ns();
	struct run_flags flags;
	struct plan *plan;
	int rc = run_flags_parse(&flags, argc, argv);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (flags.help)
		return print_help();
	rc = flags.file ? load_file(&flags, &plan) : load_flags(&flags, &plan);
	if (rc != EXIT_CODE_OK)
		return rc;
	override(plan, &flags);
	/* Lines on standard output would run into the status line. */
	if ((span_eq(plan->log_access, SPAN("stdout")) || span_eq(plan->log_trace, SPAN("stdout"))) && isatty(STDOUT_FILENO))
		flags.serve.status_line = false;
	return serve_plan(plan, &flags.serve, start_ns);
}
