/*
 * delay_keys: the values of delay: a duration, or a distribution of them.
 */
#ifndef BROWNOUT_CONFIG_DELAY_KEYS_H
#define BROWNOUT_CONFIG_DELAY_KEYS_H

#include "config/value.h"

#define DELAY_KEYS_SAMPLES_MAX 100000

extern const struct value_type value_duration_range; /* "100ms..2s" */
extern const struct value_type value_shape; /* a number with decimals, key->min to key->max millionths; into a double */

/* Whole values; base is a struct fault_delay. */
void delay_keys_decode_fixed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void delay_keys_decode_uniform(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void delay_keys_decode_percentiles(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void delay_keys_decode_samples(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

/* For struct key_map; base is a struct fault_delay. */
void delay_keys_finish_normal(struct decode *d, const struct yaml_node *node, void *base);
void delay_keys_finish_lognormal(struct decode *d, const struct yaml_node *node, void *base);
void delay_keys_finish_pareto(struct decode *d, const struct yaml_node *node, void *base);
void delay_keys_finish(struct decode *d, const struct yaml_node *node, void *base);

#endif
