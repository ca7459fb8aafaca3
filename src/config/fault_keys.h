/*
 * fault_keys: the values of abort and delay.
 */
#ifndef BROWNOUT_CONFIG_FAULT_KEYS_H
#define BROWNOUT_CONFIG_FAULT_KEYS_H

#include "config/value.h"

extern const struct value_type value_status; /* a final code; a uint16_t */
extern const struct value_type value_reason; /* a struct span */
extern const struct value_type value_field; /* the value of a header field; a struct span */
extern const struct value_type value_duration_range; /* "100ms..2s" */

/* Whole values; base is a struct fault_abort, */
void fault_keys_decode_headers(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void fault_keys_decode_retry_after(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* a struct fault_delay. */
void fault_keys_decode_fixed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void fault_keys_decode_uniform(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

/* Appends a field to the answer. Copies both. */
void fault_keys_add_field(struct decode *d, struct fault_abort *a, struct span name, struct span value);
/* The value of the first field of that name, without case; false where there is none. */
bool fault_keys_find_field(const struct fault_abort *a, struct span name, struct span *value);

#endif
