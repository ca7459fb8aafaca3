/*
 * topology_keys: the values of what is not a rule: addresses, URLs, and the short forms `listen` and `upstream`.
 */
#ifndef BROWNOUT_CONFIG_TOPOLOGY_KEYS_H
#define BROWNOUT_CONFIG_TOPOLOGY_KEYS_H

#include "config/value.h"

extern const struct value_type value_address; /* a struct endpoint */
extern const struct value_type value_url; /* into a struct plan_upstream */

/* Whole values; base is the plan. */
void topology_keys_decode_seed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void topology_keys_decode_upstream(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void topology_keys_decode_listen(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* What is wrong with a token of the admin listener, behind "a token"; NULL: nothing. */
const char *topology_keys_token_problem(struct span token) PURE;

/* A file's content, which must be PEM, into a struct span of base. */
void topology_keys_decode_pem(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

/* For struct key_map; base is a struct plan_upstream, a struct plan_tls. */
void topology_keys_finish_upstream(struct decode *d, const struct yaml_node *node, void *base);
void topology_keys_finish_tls(struct decode *d, const struct yaml_node *node, void *base);
/* For struct key_map; base is a struct plan_admin. */
void topology_keys_finish_admin(struct decode *d, const struct yaml_node *node, void *base);

#endif
