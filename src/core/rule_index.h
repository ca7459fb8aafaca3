/*
 * rule_index: from a path to the rules that may match it, without asking each. A rule whose paths are all exact, or begin
 * with literal segments, is listed under the hashes of those; any other rule is listed for every path. What is found is a
 * superset: the rule's whole match is still checked. Immutable once made.
 */
#ifndef BROWNOUT_CORE_RULE_INDEX_H
#define BROWNOUT_CORE_RULE_INDEX_H

#include "core/rule.h"

/* Of the enabled rules of both phases. NULL where memory is out. */
struct rule_index *rule_index_new(const struct rule *rules, unsigned n) MUST_USE;
void rule_index_free(struct rule_index *index);

/* Adds the lists that this path leads to; at most as many as the cursor holds. */
void rule_index_find(const struct rule_index *index, struct span path, enum rule_phase phase, struct rule_cursor *cursor);
/* Some rule of this phase is in the index. */
bool rule_index_has_phase(const struct rule_index *index, enum rule_phase phase);

#endif
