/*
 * decide_key: the hash of what a rule, or its quota, counts by for one request. Pure.
 */
#ifndef BROWNOUT_CORE_DECIDE_KEY_H
#define BROWNOUT_CORE_DECIDE_KEY_H

#include "core/rule.h"

/* The key hash of this rule for these facts (0 for ordinal; an absent header, cookie or parameter hashes as empty). */
uint64_t decide_key_hash(const struct ruleset *set, const struct rule *r, const struct facts *f);
/* The same of a quota (0 for one quota for all). */
uint64_t decide_key_limit_hash(const struct ruleset *set, const struct fault_limit *limit, const struct facts *f);
/* Whom a wait was told to: the key of the quota, that of the rule, or the client where the rule counts all alike. */
uint64_t decide_key_told_hash(const struct ruleset *set, const struct rule *r, uint64_t key_hash, const struct facts *f);

#endif
