/*
 * report_value: what the reports have in common: numbers with their units, limits, which checks are shown and in what order.
 */
#ifndef BROWNOUT_REHEARSAL_REPORT_VALUE_H
#define BROWNOUT_REHEARSAL_REPORT_VALUE_H

#include "base/text.h"
#include "rehearsal/verdict.h"

/* "76.3 %", "1.97", "1.62 s", "250 ms", "4", "yes" */
void report_put_value(struct text *out, enum expect_unit unit, double value);
/* ">= 100 %", of a flag "yes" */
void report_put_limit(struct text *out, enum expect_key key, const struct expect_limit *limit);
/* "honoured 76.3 %, wanted >= 100 %" of each limit of the check that does not hold or could not be judged; nothing where none. */
void report_put_limits(struct text *out, const struct check *c);
/* "100000000012 -> 100000000015", the exchange alone where there is one */
void report_put_exchanges(struct text *out, const struct evidence *e);
/* "+512 ms", "at 1.204 s" */
void report_put_times(struct text *out, const struct evidence *e);
/* "2 failed, 1 warning, 9 passed, 1 inconclusive": what there is of them */
void report_put_counts(struct text *out, const struct verdict *v);
/* "FAIL", "PASS, with warnings" */
const char *report_verdict_word(const struct verdict *v);
/* What follows the verdict in each report: "412 requests (208 logical), 96 faults, 4 clients" */
void report_put_traffic(struct text *out, const struct verdict *v);

/* Something was asked of it. */
bool report_is_asked(const struct check *c);
/* It was asked, or something was measured. */
bool report_is_shown(const struct check *c);

/* Enough for CHECK_COUNT: the checks that are shown, the worst first, then in the order of checks.def. */
unsigned report_order(const struct verdict *v, const struct check *order[CHECK_COUNT]);

#endif
