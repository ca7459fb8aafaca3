/*
 * run_verdict: see rehearsal/judge.h for what is judged, reports for where it goes.
 */
#include "cli/run_verdict.h"

#include <errno.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/reproduce.h"
#include "rehearsal/report.h"

static bool is_required(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->rules.n; i++) {
		if (plan->rules.v[i].required)
			return true;
	}
	return false;
}

static bool is_report_wanted(const struct reports_flags *f)
{
	return f->json || f->junit || f->tap || f->markdown || f->github;
}

int run_verdict_init(struct run_verdict *v, const struct plan *plan, const struct run_flags *flags, int argc, char **argv)
{
	int rc;

	*v = (struct run_verdict){
		.flags = flags,
		.argc = argc,
		.argv = argv,
		.rules_line = plan->expect_line,
		.seed_drawn = !plan->seed_given,
		.decides = plan->has_expect || is_required(plan),
		.end = JUDGE_END_STOPPED,
		.child_exit = -1,
	};
	text_init(&v->variables);
	if (!flags->command && !v->decides && !is_report_wanted(&flags->reports))
		return EXIT_CODE_OK;
	rc = reports_open(&v->reports, &flags->reports, flags->serve.quiet);
	if (rc != EXIT_CODE_OK)
		return rc;
	v->rehearsal = live_rehearsal_new(plan);
	if (v->rehearsal) {
		v->more_variables = plan->variables.more;
		reproduce_put_variables(&plan->variables, &v->variables);
		return EXIT_CODE_OK;
	}
	log_error("no memory to judge the clients");
	reports_close(&v->reports);
	return EXIT_CODE_FAILED;
}

void run_verdict_deinit(struct run_verdict *v)
{
	live_rehearsal_free(v->rehearsal);
	text_deinit(&v->variables);
	reports_close(&v->reports);
}

void run_verdict_note(struct run_verdict *v, const struct child_result *result)
{
	v->end = result->end == CHILD_OUT_OF_TIME ? JUDGE_END_TIME_LIMIT : JUDGE_END_CLIENT_LEFT;
	if (result->end == CHILD_EXITED)
		v->child_exit = result->number;
}

static void tell_run(const struct run_verdict *v, struct verdict *verdict)
{
	struct verdict_run *run = &verdict->run;

	run->rules_file = v->flags->file;
	run->rules_line = v->rules_line;
	run->command = (const char *const *)v->flags->command;
	run->child_exit = -1;
	if (!v->decides)
		verdict_expect_nothing(verdict);
}

/* In the admin's thread, while the server runs. */
static int write_so_far(void *arg, struct text *out)
{
	struct run_verdict *v = arg;
	struct verdict verdict;
	int rc = live_rehearsal_so_far(v->rehearsal, v->server, &verdict);

	if (rc < 0)
		return rc;
	tell_run(v, &verdict);
	report_write_json(&verdict, out);
	verdict_deinit(&verdict);
	return out->cut ? -ENOMEM : 0;
}

void run_verdict_show(struct run_verdict *v, struct server *server, struct admin *admin)
{
	v->server = server;
	if (v->rehearsal)
		admin_set_verdict(admin, write_so_far, v);
}

static int write_verdict(struct run_verdict *v, struct verdict *verdict)
{
	struct text reproduce;
	int rc;

	text_init(&reproduce);
	text_put_span(&reproduce, text_span(&v->variables));
	reproduce_put_command(v->argc, v->argv, v->flags->command, v->seed_drawn ? &verdict->run.seed : NULL, &reproduce);
	if (v->more_variables)
		text_put_literal(&reproduce, " # and with more variables, as in the environment of this run");
	text_put_char(&reproduce, '\0');
	tell_run(v, verdict);
	verdict->run.child_exit = v->child_exit;
	verdict->run.reproduce = reproduce.cut || v->variables.cut ? NULL : reproduce.p;
	rc = reports_write(&v->reports, verdict);
	text_deinit(&reproduce);
	return rc == EXIT_CODE_OK && v->decides ? reports_exit_code(verdict) : rc;
}

static enum trace_end trace_end(enum judge_end end)
{
	switch (end) {
	case JUDGE_END_CLIENT_LEFT: return TRACE_END_COMMAND_ENDED;
	case JUDGE_END_TIME_LIMIT: return TRACE_END_TIME_LIMIT;
	case JUDGE_END_SO_FAR:
	case JUDGE_END_STOPPED:
		break;
	}
	return TRACE_END_STOPPED;
}

/* Once the server has stopped. */
static int give(void *arg, struct server *server)
{
	struct run_verdict *v = arg;
	struct verdict verdict;
	int rc;

	if (v->flags->command && v->end == JUDGE_END_STOPPED) /* it was never run */
		return EXIT_CODE_OK;
	server_set_end(server, trace_end(v->end));
	if (live_rehearsal_finish(v->rehearsal, server, v->end, &verdict) < 0) {
		log_error("no memory for the verdict");
		return EXIT_CODE_FAILED;
	}
	rc = write_verdict(v, &verdict);
	verdict_deinit(&verdict);
	return rc;
}

void run_verdict_attach(struct run_verdict *v, struct serve_options *options)
{
	if (!v->rehearsal)
		return;
	options->sink = live_rehearsal_sink(v->rehearsal);
	options->at_end = give;
	options->at_end_arg = v;
}
