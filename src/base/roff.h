/*
 * roff: text as the man(7) macros want it. What stands in it can neither be taken for a macro nor lose a character: signs that
 * typesetters turn into others (- ' ` ^ ~) stay what they are, so that examples can be copied.
 */
#ifndef BROWNOUT_BASE_ROFF_H
#define BROWNOUT_BASE_ROFF_H

#include "base/text.h"

/* Within a line, or at its begin; s has no LF. */
void roff_put(struct text *out, struct span s);
void roff_put_string(struct text *out, const char *s);
/* In bold. */
void roff_put_bold(struct text *out, struct span s);
/* Words that the reader's program breaks into lines, with the LF at their end; here the lines are short enough to be read. */
void roff_put_paragraph(struct text *out, const char *s);
/* Lines as they stand, in a fixed font. */
void roff_put_lines(struct text *out, struct span s);

#endif
