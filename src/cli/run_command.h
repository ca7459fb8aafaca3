/*
 * run_command: `brownout run ... -- COMMAND` once the proxy serves: the command with the variables that lead it there, its end,
 * and the end of what it left open.
 */
#ifndef BROWNOUT_CLI_RUN_COMMAND_H
#define BROWNOUT_CLI_RUN_COMMAND_H

#include "admin/admin.h"
#include "cli/child.h"
#include "cli/serve.h"

/*
 * The child is prepared; argv ends with NULL; limit_ns is 0 where there is none. Returns with the server drained. 0: *result is
 * set. Otherwise an exit code, after one line on standard error: the command could not be run.
 */
int run_command(struct child *child, char *const *argv, int64_t limit_ns, struct server *server,
	const struct serve_options *options, const struct admin *admin, struct child_result *result) MUST_USE;

/* The exit code that says how it ended. */
int run_command_exit_code(const struct child_result *result);

#endif
