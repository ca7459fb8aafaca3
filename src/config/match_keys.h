/*
 * match_keys: the values of `match`, and what `exclude` and routes share with it.
 */
#ifndef BROWNOUT_CONFIG_MATCH_KEYS_H
#define BROWNOUT_CONFIG_MATCH_KEYS_H

#include "config/value.h"

/* Patterns, into a struct pattern. */
extern const struct value_type value_path_glob;
extern const struct value_type value_path_prefix;
extern const struct value_type value_host_glob;
extern const struct value_type value_glob;
extern const struct value_type value_regex;
extern const struct value_type value_presence;
/* Others. */
extern const struct value_type value_method; /* a struct span */
extern const struct value_type value_network; /* a struct match_net */
extern const struct value_type value_listener_name; /* a uint16_t */
extern const struct value_type value_upstream_name; /* a uint16_t */
extern const struct value_type value_status_set; /* "503", "5xx", "500-599"; into a struct match */
extern const struct value_type value_status_class; /* "5xx"; into a struct match */

/* Whole values, base is a struct match. */
void match_keys_decode_status(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void match_keys_decode_any(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void match_keys_decode_not(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* Names of header fields: tokens, kept in lower case. */
bool match_keys_decode_field_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name);

/* The number of the name in the plan; false where there is none. */
bool match_keys_find_upstream(const struct plan *plan, struct span name, uint16_t *number);
bool match_keys_find_listener(const struct plan *plan, struct span name, uint16_t *number);

#endif
