/*
 * source_edit: changes one rule in the text of a rule file and leaves the rest of the text as it is, byte by byte, comments
 * included; of the rule, too, only what differs is written anew where that can be done. What comes out is read again and compared
 * with what was meant, so a text is either right or refused. Whether the rules make sense is for the loader to say.
 */
#ifndef BROWNOUT_CONFIG_SOURCE_EDIT_H
#define BROWNOUT_CONFIG_SOURCE_EDIT_H

#include "config/diagnostic.h"

/* How an edit ends. */
enum source_edit_result {
	SOURCE_EDIT_DONE = 0,
	SOURCE_EDIT_REFUSED = 1, /* what was given for the rule is none: d says why, with places in that text */
	SOURCE_EDIT_IMPOSSIBLE = 2, /* the file is written in a way (aliases, say) that does not let this rule be changed alone */
	SOURCE_EDIT_NO_RULE = 3, /* the file has no such rule in that place */
};

/* Which rule: by its place, from 0, and its name, to be sure; a rule without a name in the text is called rule-N, N from 1. */
struct source_rule {
	unsigned place;
	struct span name;
};

/* Where the rule stands in the new text: what the loader says of a line there is about that line of the rule. */
struct source_place {
	unsigned line; /* of its first line, from 1; 0: it is gone */
	unsigned lines;
	unsigned column; /* of its first byte, from 1 */
};

/*
 * Each appends the whole new text to out and returns an enum source_edit_result, or -ENOMEM. d: as for load_plan. `at` may be
 * NULL.
 */

/* The rule's keys are set as in this mapping, those with null removed, mappings within merged likewise (RFC 7396). */
int source_edit_merge(struct span source, const struct source_rule *rule, struct span patch, struct text *out,
	struct source_place *at, struct diagnostics *d) MUST_USE;
/* The rule is this mapping from now on; where that has no name it gets the rule's, and another one is refused. */
int source_edit_replace(struct span source, const struct source_rule *rule, struct span text, struct text *out,
	struct source_place *at, struct diagnostics *d) MUST_USE;
/* A new rule of that name, before the one that is in the place; behind all where there is none. */
int source_edit_insert(struct span source, const struct source_rule *rule, struct span text, struct text *out,
	struct source_place *at, struct diagnostics *d) MUST_USE;
int source_edit_remove(struct span source, const struct source_rule *rule, struct text *out) MUST_USE;

/* Calls fn with the text of each rule, its lines begun where the rule begins. -ENOMEM; 1 where the source is no rule file. */
int source_edit_each(struct span source, void (*fn)(void *arg, unsigned place, struct span text), void *arg) MUST_USE;

#endif
