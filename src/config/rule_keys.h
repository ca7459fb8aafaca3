/*
 * rule_keys: the values of a rule that are not its match: key, names, abort, delay.
 */
#ifndef BROWNOUT_CONFIG_RULE_KEYS_H
#define BROWNOUT_CONFIG_RULE_KEYS_H

#include "config/value.h"

#define RULE_NAME_BYTES_MAX 64

extern const struct value_type value_name; /* of a rule, listener or upstream; a struct span */
extern const struct value_type value_rule_key; /* "client", "header:x-user-id"; into a struct rule */
extern const struct value_type value_status; /* a final code; a uint16_t */
extern const struct value_type value_reason; /* a struct span */
extern const struct value_type value_field; /* the value of a header field; a struct span */
extern const struct value_type value_duration_range; /* "100ms..2s" */
extern const struct value_type value_any; /* what body: {json: } takes */

bool rule_decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name);

/* Whole values; base is a struct rule, */
void rule_decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* a struct fault_abort, */
void abort_decode_headers(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void abort_decode_body(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void abort_decode_json(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* a struct fault_delay. */
void delay_decode_fixed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void delay_decode_uniform(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

/* Appends a field to the answer. Copies both. */
void abort_add_field(struct decode *d, struct fault_abort *a, struct span name, struct span value);
/* The value of the first field of that name, without case; false where there is none. */
bool abort_find_field(const struct fault_abort *a, struct span name, struct span *value);

#endif
