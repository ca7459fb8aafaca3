/*
 * cmd_help: `brownout help [TOPIC [KEY]]`.
 */
#ifndef BROWNOUT_CLI_CMD_HELP_H
#define BROWNOUT_CLI_CMD_HELP_H

#include "base/text.h"

int cmd_help(int argc, char **argv) MUST_USE;

/* The name of topic number i; NULL past the last. Its text. */
const char *help_topic(size_t i);
void help_write_topic(struct text *out, size_t i);

/* The list of commands, for those who gave none or a wrong one as well. */
void help_write_usage(struct text *out);

#endif
