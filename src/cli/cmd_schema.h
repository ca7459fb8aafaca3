/*
 * cmd_schema: `brownout schema`: the JSON Schema of the rule file, for editors.
 */
#ifndef BROWNOUT_CLI_CMD_SCHEMA_H
#define BROWNOUT_CLI_CMD_SCHEMA_H

#include "base/base.h"

/* argv[0] is "schema". Returns the exit code: 0; 2 for wrong usage; 125 where it could not be written. */
int cmd_schema(int argc, char **argv) MUST_USE;

#endif
