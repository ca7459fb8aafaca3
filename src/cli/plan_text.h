/*
 * plan_text: what a loaded rule file amounts to, in lines for people: who listens, where it leads to, and of each rule when it
 * acts and what it does, the share of each of its outcomes reckoned out. Looks at the plan alone.
 */
#ifndef BROWNOUT_CLI_PLAN_TEXT_H
#define BROWNOUT_CLI_PLAN_TEXT_H

#include "base/text.h"
#include "config/plan.h"

/* Indented lines. Names are as the loader has let them in: nothing in them needs quoting. */
void plan_text_write(struct text *out, const struct plan *plan);

/* "http://127.0.0.1:9000/prefix", "unix:/path", "the embedded upstream" */
void plan_text_put_upstream(struct text *out, const struct plan_upstream *u);

#endif
