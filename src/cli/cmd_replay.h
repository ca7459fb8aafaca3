/*
 * cmd_replay: `brownout replay`: whether recorded decisions are those that the rules give, or those of another trace.
 */
#ifndef BROWNOUT_CLI_CMD_REPLAY_H
#define BROWNOUT_CLI_CMD_REPLAY_H

#include "base/base.h"

/* argv[0] is "replay". Exit code 0: all equal; 3: some differ; 2: wrong usage, or a file that is none; 125. */
int cmd_replay(int argc, char **argv) MUST_USE;

#endif
