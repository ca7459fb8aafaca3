/*
 * cmd_judge: `brownout judge`: the verdict on the clients, from recorded traces.
 */
#ifndef BROWNOUT_CLI_CMD_JUDGE_H
#define BROWNOUT_CLI_CMD_JUDGE_H

#include "base/base.h"

/*
 * argv[0] is "judge". The same traces give the same bytes. Returns the exit code: 0; 3 where an expectation failed; 4
 * where it could not be judged and that must fail; 2 for a file that is no trace, or wrong usage; 125.
 */
int cmd_judge(int argc, char **argv) MUST_USE;

#endif
