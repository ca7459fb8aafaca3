/*
 * limit_keys: the values of rate_limit.
 */
#ifndef BROWNOUT_CONFIG_LIMIT_KEYS_H
#define BROWNOUT_CONFIG_LIMIT_KEYS_H

#include "config/value.h"

extern const struct value_type value_limit_key; /* "client", "header:x-api-key"; into a struct fault_limit */
extern const struct value_type value_limit_hint; /* auto, date, none or a range; into a struct fault_limit */
extern const struct choice limit_keys_hints[];

/* A whole value: the key's field is a pointer to a struct fault_limit, which it makes. */
void limit_keys_decode(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* For struct key_map; base is a struct fault_limit. */
void limit_keys_finish(struct decode *d, const struct yaml_node *node, void *base);

#endif
