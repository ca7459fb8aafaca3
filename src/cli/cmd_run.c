/*
 * cmd_run: flags, then the plan, then the server until it ends. Nothing is started before all of it was checked.
 */
#include "cli/cmd_run.h"

#include <unistd.h>

#include "base/clock.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/run_flags.h"

/* What the flags' own rules are called in messages. */
#define FLAGS_FILE "(command line)"

static int load_file(const struct run_flags *f, struct plan **plan)
{
	const struct load_options overrides = { .listen = f->listen, .upstream = f->upstream };

	return serve_load_file(f->file, &overrides, plan);
}

static int load_flags(const struct run_flags *f, struct plan **plan)
{
	struct text source;
	int rc;

	text_init(&source);
	run_flags_write_rules(f, &source);
	rc = serve_load(FLAGS_FILE, text_span(&source), NULL, plan);
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

int cmd_run(int argc, char **argv)
{
	int64_t start_ns = clock_mono_ns();
	struct run_flags flags;
	struct server *server;
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
	rc = serve_start(&server, plan, &flags.serve);
	if (rc != EXIT_CODE_OK)
		return rc;
	(void)serve_wait(server, &flags.serve, 0);
	return serve_finish(server, start_ns, &flags.serve);
}
