/*
 * edit_keys: the values of rewrite, request and early_hints: changes to heads and bodies that pass.
 */
#ifndef BROWNOUT_CONFIG_EDIT_KEYS_H
#define BROWNOUT_CONFIG_EDIT_KEYS_H

#include "config/value.h"

extern const struct value_type value_field_name; /* in lower case; a struct span */
extern const struct value_type value_target_path; /* an absolute path without a query; a struct span */

/* For struct key_map; base is a struct fault_edit, a struct fault_hints. */
void edit_keys_finish_rewrite(struct decode *d, const struct yaml_node *node, void *base);
void edit_keys_finish_request(struct decode *d, const struct yaml_node *node, void *base);
void edit_keys_finish_hints(struct decode *d, const struct yaml_node *node, void *base);

#endif
