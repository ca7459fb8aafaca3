/*
 * run_verdict: what `run` says of the clients when it ends: the judge beside the server, the reports, and the exit code.
 */
#ifndef BROWNOUT_CLI_RUN_VERDICT_H
#define BROWNOUT_CLI_RUN_VERDICT_H

#include "admin/admin.h"
#include "cli/child.h"
#include "cli/live_rehearsal.h"
#include "cli/run_flags.h"

struct run_verdict {
	struct live_rehearsal *rehearsal; /* NULL: nothing is judged, and nothing below is set */
	struct reports reports;
	struct server *server; /* once it is shown */
	const struct run_flags *flags;
	int argc;
	char **argv;
	struct text variables; /* that the rules at the start use; reproduce_put_variables */
	bool more_variables;
	unsigned rules_line;
	bool seed_drawn; /* neither the file nor a flag gives it */
	bool decides; /* the file expects something: the verdict makes the exit code */
	enum judge_end end;
	int child_exit; /* -1: none, or it was killed */
};

/*
 * Before the server starts. A verdict is given where a command is run, where the file expects something, and where a report was
 * asked for. argv is that of `run`. An exit code, after one line on standard error.
 */
int run_verdict_init(struct run_verdict *v, const struct plan *plan, const struct run_flags *flags, int argc, char **argv)
	MUST_USE;
void run_verdict_deinit(struct run_verdict *v);
/* So that the admin listener (NULL: none) tells the verdict so far. The server outlives it. */
void run_verdict_show(struct run_verdict *v, struct server *server, struct admin *admin);
/* So that every exchange is seen, and the verdict given at the end. */
void run_verdict_attach(struct run_verdict *v, struct serve_options *options);

/* The command has ended. */
void run_verdict_note(struct run_verdict *v, const struct child_result *result);
#endif
