/*
 * cmd_version: `brownout version`.
 */
#ifndef BROWNOUT_CLI_CMD_VERSION_H
#define BROWNOUT_CLI_CMD_VERSION_H

#include "base/base.h"

int cmd_version(int argc, char **argv) MUST_USE;

#endif
