/*
 * plan_check: what concerns the file as a whole, after all keys are decoded: names, what is there by default, what comes
 * from the command line, rules that can never act.
 */
#ifndef BROWNOUT_CONFIG_PLAN_CHECK_H
#define BROWNOUT_CONFIG_PLAN_CHECK_H

#include "config/load.h"

struct decode;
struct yaml_node;

/* root: the file's mapping, or an empty scalar at its begin. Errors go to d. */
void plan_check(struct decode *d, const struct yaml_node *root, const struct load_options *options);

#endif
