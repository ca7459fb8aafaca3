/*
 * output: whole texts to standard output or standard error.
 */
#ifndef BROWNOUT_CLI_OUTPUT_H
#define BROWNOUT_CLI_OUTPUT_H

#include "base/text.h"

/* Writes all of it to standard output and frees it. EXIT_CODE_OK; EXIT_CODE_FAILED after one line on standard error. */
int output_write(struct text *t) MUST_USE;
/* To standard error, a status line lifted; what cannot be written is lost. Frees it. */
void output_note(struct text *t);

#endif
