/*
 * rule_keys: names, the key that a rule counts by, when it acts and in what order.
 */
#ifndef BROWNOUT_CONFIG_RULE_KEYS_H
#define BROWNOUT_CONFIG_RULE_KEYS_H

#include "config/value.h"

#define RULE_KEYS_NAME_BYTES_MAX 64

extern const struct value_type value_name; /* of a rule, listener or upstream; a struct span */
extern const struct value_type value_rule_key; /* "client", "header:x-user-id"; into a struct rule */

extern const struct value_type value_step; /* one place of a sequence: a status, or pass; into a struct fault_set */

/* What requests are told apart by: a word, some with a name behind a colon. */
struct rule_keys_word {
	const char *word;
	unsigned value;
	bool named;
};
/* The word of the scalar and its name, which points into it; NULL where it is none (said). */
const struct rule_keys_word *rule_keys_parse(struct decode *d, const struct yaml_node *node, const struct rule_keys_word *words,
	size_t n, const char *phrase, struct span *name);

/* A name that is a key of the file. */
bool rule_keys_decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name);
/* A whole value; base is a struct rule. */
void rule_keys_decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* For struct key_map; base is a struct rule_schedule, whose burst_enter and burst_leave are percentages still. */
void rule_keys_finish_burst(struct decode *d, const struct yaml_node *node, void *base);

#endif
