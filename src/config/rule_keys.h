/*
 * rule_keys: names, and the key that a rule counts by.
 */
#ifndef BROWNOUT_CONFIG_RULE_KEYS_H
#define BROWNOUT_CONFIG_RULE_KEYS_H

#include "config/value.h"

#define RULE_KEYS_NAME_BYTES_MAX 64

extern const struct value_type value_name; /* of a rule, listener or upstream; a struct span */
extern const struct value_type value_rule_key; /* "client", "header:x-user-id"; into a struct rule */

/* A name that is a key of the file. */
bool rule_keys_decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name);
/* A whole value; base is a struct rule. */
void rule_keys_decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

#endif
