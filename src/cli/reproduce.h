/*
 * reproduce: the line that runs it again, for a shell. Values of the environment that may be secrets are never in it: such a
 * variable is named so that the shell takes it from its own environment, and stops with its name where it is not there.
 */
#ifndef BROWNOUT_CLI_REPRODUCE_H
#define BROWNOUT_CLI_REPRODUCE_H

#include "config/plan.h"

/* What stands before the command: the variables that the rule file uses, as they were; ends with a space, or is empty. */
void reproduce_put_variables(const struct plan_variables *variables, struct text *out);
/* `brownout` with its arguments, each one word. seed: NULL: it is among them, or in the file. */
void reproduce_put_command(int argc, char *const *argv, char *const *command, const uint64_t *seed, struct text *out);

#endif
