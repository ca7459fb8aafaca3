/*
 * fault_keys: the values of abort.
 */
#ifndef BROWNOUT_CONFIG_FAULT_KEYS_H
#define BROWNOUT_CONFIG_FAULT_KEYS_H

#include "config/value.h"

extern const struct value_type value_status; /* a final code; a uint16_t */
extern const struct value_type value_reason; /* a struct span */
extern const struct value_type value_field; /* the value of a header field; a struct span */
extern const struct value_type value_wait; /* of retry_after: a duration or a range of them */
extern const struct choice fault_keys_hints[]; /* words that are no wait: lie */
extern const struct choice fault_keys_lies[];

/* Whole values. The key's list of struct fault_field. */
void fault_keys_decode_headers(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* base is a struct fault_abort. */
void fault_keys_decode_retry_after(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void fault_keys_decode_date(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void fault_keys_decode_lie(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

/* False where the scalar is not the name of a field that a rule may give (said). */
bool fault_keys_check_field_name(struct decode *d, const struct yaml_node *node);
/* Appends a field to the answer. Copies both. */
void fault_keys_add_field(struct decode *d, struct fault_abort *a, struct span name, struct span value);
/* The value of the first field of that name, without case; false where there is none. */
bool fault_keys_find_field(const struct fault_abort *a, struct span name, struct span *value);

#endif
