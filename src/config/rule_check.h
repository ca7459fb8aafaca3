/*
 * rule_check: whether the parts of a rule fit together, and its answer can be sent at all. What a code demands and
 * nobody gave is filled in where that is safe.
 */
#ifndef BROWNOUT_CONFIG_RULE_CHECK_H
#define BROWNOUT_CONFIG_RULE_CHECK_H

#include "config/decode.h"

/* For struct key_map: base is a struct fault_abort, a struct rule. */
void rule_check_abort(struct decode *d, const struct yaml_node *node, void *base);
void rule_check_rule(struct decode *d, const struct yaml_node *node, void *base);

#endif
