/*
 * cmd_run: flags, then the plan, then the server until it ends, or until the command has ended. Nothing is started before
 * all of it was checked.
 */
#include "cli/cmd_run.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/confine.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/run_command.h"
#include "cli/run_flags.h"
#include "cli/run_verdict.h"
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

/* What one run has besides its server. */
struct run {
	struct run_flags flags;
	struct live_file_options live;
	struct text source;
	struct child child;
	struct run_verdict verdict;
};

static int confined(int r, const char *error)
{
	if (r < 0)
		log_error("%s", error);
	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static int confine_server(struct server *server)
{
	char error[CONFINE_ERROR_BYTES];
	struct plan *plan = server_plan_ref(server);
	int r = confine(plan, error);

	plan_unref(plan);
	return confined(r, error);
}

/* A command beside us may be one that needs more rights than we have. */
static int start_server(struct run *r, struct server **server, struct plan *plan)
{
	char error[CONFINE_ERROR_BYTES];
	int rc = r->flags.command ? EXIT_CODE_OK : confined(confine_begin(plan, error), error);

	if (rc == EXIT_CODE_OK)
		return serve_start(server, plan, &r->flags.serve);
	plan_unref(plan);
	return rc;
}

/* Until it is told to end, or the command has ended. An exit code. */
static int wait(struct run *r, struct server *server, const struct admin *admin, const struct serve_options *options)
{
	struct child_result result;
	int rc;

	if (!r->flags.command) {
		rc = confine_server(server);
		if (rc == EXIT_CODE_OK)
			(void)serve_wait(server, options, 0);
		return rc;
	}
	rc = run_command(&r->child, r->flags.command, r->flags.time_limit_ns, server, options, admin, &result);
	if (rc != 0)
		return rc;
	run_verdict_note(&r->verdict, &result);
	return run_command_exit_code(&result);
}

/* Between the start and the end of the server. The admin listener is bound already. */
static int serve(struct run *r, struct server *server, struct admin *admin)
{
	struct serve_options options = r->flags.serve;
	int rc;

	if (live_file_new(&options.live, server, &r->live, text_span(&r->source)) < 0)
		log_error("no memory to keep the rules; they cannot be read again");
	run_verdict_show(&r->verdict, server, admin);
	rc = serve_admin_start(admin, server, &options);
	if (rc == EXIT_CODE_OK)
		rc = wait(r, server, admin, &options);
	admin_free(admin);
	live_file_free(options.live);
	return rc;
}

/* Takes the plan's reference over. */
static int start_and_serve(struct run *r, struct plan *plan, int64_t start_ns)
{
	struct server *server;
	struct admin *admin;
	int rc = serve_admin_open(&admin, plan);
	int rc_finish;

	if (rc != EXIT_CODE_OK) {
		plan_unref(plan);
		return rc;
	}
	if (r->flags.command && (plan->user.n || plan->sandbox))
		log_warning("user and sandbox have no effect beside a command");
	if (r->flags.command)
		child_prepare(&r->child);
	rc = start_server(r, &server, plan);
	if (rc != EXIT_CODE_OK) {
		admin_free(admin);
		return rc;
	}
	rc = serve(r, server, admin);
	rc_finish = serve_finish(server, start_ns, &r->flags.serve);
	return rc == EXIT_CODE_OK ? rc_finish : rc;
}

/* Takes the plan's reference over. */
static int run(struct run *r, struct plan *plan, int64_t start_ns, int argc, char **argv)
{
	int rc;

	override(plan, &r->flags);
	/* Lines on standard output would run into the status line. */
	if ((span_eq(plan->log_access, SPAN("stdout")) || span_eq(plan->log_trace, SPAN("stdout"))) && isatty(STDOUT_FILENO))
		r->flags.serve.status_line = false;
	/* The verdict says how much there was of what. */
	if (r->flags.command && !r->flags.has_summary)
		r->flags.serve.summary = SERVE_SUMMARY_OFF;
	rc = run_verdict_init(&r->verdict, plan, &r->flags, argc, argv);
	if (rc != EXIT_CODE_OK) {
		plan_unref(plan);
		return rc;
	}
	run_verdict_attach(&r->verdict, &r->flags.serve);
	rc = start_and_serve(r, plan, start_ns);
	run_verdict_deinit(&r->verdict);
	return rc;
}

int cmd_run(int argc, char **argv)
{
	int64_t start_ns = clock_mono_ns();
	struct run r = { .live = { .load.env = serve_environment, .adjust = override } };
	struct live_file_options *live = &r.live;
	struct plan *plan;
	int rc = run_flags_parse(&r.flags, argc, argv);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (r.flags.help)
		return print_help();
	live->name = r.flags.file ? r.flags.file : FLAGS_FILE;
	live->is_file = r.flags.file && strcmp(r.flags.file, "-") != 0;
	live->arg = &r.flags;
	live->load.admin = r.flags.admin;
	live->load.admin_token = getenv(TOKEN_VARIABLE);
	if (r.flags.file) {
		live->load.listen = r.flags.listen;
		live->load.upstream = r.flags.upstream;
	}
	rc = load(&r.flags, &live->load, &r.source, &plan);
	if (rc == EXIT_CODE_OK)
		rc = run(&r, plan, start_ns, argc, argv);
	text_deinit(&r.source);
	return rc;
}
