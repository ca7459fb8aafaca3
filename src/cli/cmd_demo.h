/*
 * cmd_demo: `brownout demo`: the whole path in one process, to see what it does.
 */
#ifndef BROWNOUT_CLI_CMD_DEMO_H
#define BROWNOUT_CLI_CMD_DEMO_H

#include "base/base.h"

int cmd_demo(int argc, char **argv) MUST_USE;

#endif
