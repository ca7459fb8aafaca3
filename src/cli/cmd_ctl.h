/*
 * cmd_ctl: `brownout ctl`: asks a running brownout, by its admin listener, how it does, and steers it.
 */
#ifndef BROWNOUT_CLI_CMD_CTL_H
#define BROWNOUT_CLI_CMD_CTL_H

#include "base/base.h"

/*
 * argv[0] is "ctl". Returns the exit code: 0; 2 for wrong usage, or what was refused; 125 where nobody answers or a worker is
 * stuck.
 */
int cmd_ctl(int argc, char **argv) MUST_USE;

/* The name of verb number i, NULL past the last: for completions. */
const char *cmd_ctl_verb(size_t i);

#endif
