/*
 * completion: scripts that complete the command line in a shell, made from the tables of commands, options and topics.
 */
#ifndef BROWNOUT_CLI_COMPLETION_H
#define BROWNOUT_CLI_COMPLETION_H

#include "base/text.h"

/* "bash|zsh|fish", as an option's words. */
#define COMPLETION_SHELLS "bash|zsh|fish"

/* 1 where the shell is none of these; nothing is written then. */
int completion_write(struct text *out, const char *shell) MUST_USE;

#endif
