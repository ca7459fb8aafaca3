/*
 * report: a verdict in the forms that people and machines read. Pure writers: plain values in, text out; the same verdict gives
 * the same bytes. What a client has sent (targets, names) may be in any of them and is written so that it is only ever data
 * there: no control byte reaches a terminal, no markup a page, no command a CI runner.
 *
 * Checks of which nothing was asked, and of which nothing was seen, are left out; the JSON has all.
 */
#ifndef BROWNOUT_REHEARSAL_REPORT_H
#define BROWNOUT_REHEARSAL_REPORT_H

#include "base/text.h"
#include "rehearsal/verdict.h"

/* For a terminal or a log: the verdict first, then what failed, each with its evidence; the line that reproduces it last. */
void report_write_text(const struct verdict *v, bool color, struct text *out);
/* One JSON object and a line end, as config/verdict.schema.json describes it. */
void report_write_json(const struct verdict *v, struct text *out);
/* JUnit XML: a suite for the rule file, a test case for each check. */
void report_write_junit(const struct verdict *v, struct text *out);
/* TAP version 14: a test point for each check. */
void report_write_tap(const struct verdict *v, struct text *out);
/* Workflow commands of GitHub Actions: an annotation of the rule file for each check that is not well, or one that all are. */
void report_write_github(const struct verdict *v, struct text *out);
/* Markdown, as GitHub's step summary shows it. */
void report_write_markdown(const struct verdict *v, struct text *out);

/* Every check, and what each profile asks of it, for `brownout help verdict`. */
void report_write_reference(struct text *out);

/* What an inconclusive check comes to, and with it the verdict: pass, warn or fail. */
enum check_status report_comes_to(const struct verdict *v, enum check_status status);

#endif
