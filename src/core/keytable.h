/*
 * keytable: occurrences per key, for the rules that have one. Bounded: where it is full the key that was used longest ago
 * goes (counted). Sharded; each shard has a lock held for a few dozen instructions, which is the one lock of the hot
 * path, and only rules with a key take it: exactness per key across workers cannot be had without. The bound and the
 * order of use are each shard's own.
 */
#ifndef BROWNOUT_CORE_KEYTABLE_H
#define BROWNOUT_CORE_KEYTABLE_H

#include "base/base.h"

#define KEYTABLE_KEYS_DEFAULT 100000

struct keytable;

/* Room for max_keys keys (rounded up to the shards). NULL where memory is out. Memory grows with use up to the bound. */
struct keytable *keytable_new(uint32_t max_keys) MUST_USE;
void keytable_free(struct keytable *t);

/*
 * Adds one occurrence of the key of this rule and returns its number, from 1. Any thread. Where memory is out the table
 * stays as large as it is; a key for which there is no room at all starts anew each time. Both count as evictions.
 */
uint64_t keytable_count(struct keytable *t, uint64_t rule_name_hash, uint64_t key_hash);
uint64_t keytable_evictions(const struct keytable *t);
uint32_t keytable_size(struct keytable *t);

#endif
