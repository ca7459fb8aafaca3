/*
 * output: whole texts to standard output or standard error.
 */
#ifndef BROWNOUT_CLI_OUTPUT_H
#define BROWNOUT_CLI_OUTPUT_H

#include "base/text.h"

/* Writes all of it to standard output and frees it. EXIT_CODE_OK; EXIT_CODE_FAILED after one line on standard error. */
int output_write(struct text *t) MUST_USE;
/* All of it to any descriptor. 0 or -errno. */
int output_to(int fd, struct span s);
/* Standard error is a terminal, and NO_COLOR is not set. */
bool output_wants_color(void);
/* To standard error, a status line lifted; what cannot be written is lost. Frees it. */
void output_note(struct text *t);

#endif
