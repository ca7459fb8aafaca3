/*
 * man_page: the manual pages brownout(1) and brownout-rules(5), in the man(7) macros, made from the tables of commands, options,
 * topics, keys and exit codes. The date is that of SOURCE_DATE_EPOCH where it is set, else today.
 */
#ifndef BROWNOUT_CLI_MAN_PAGE_H
#define BROWNOUT_CLI_MAN_PAGE_H

#include "base/text.h"

void man_page_write(struct text *out);
void man_page_write_rules(struct text *out);

#endif
