/*
 * byte_keys: the values of the faults that hold, slow or cut the bytes of an answer.
 */
#ifndef BROWNOUT_CONFIG_BYTE_KEYS_H
#define BROWNOUT_CONFIG_BYTE_KEYS_H

#include "config/value.h"

extern const struct value_type value_rate; /* "64KiB/s"; bytes per second into a uint64_t */
extern const struct value_type value_cut; /* "1KiB" or "50%"; into a struct fault_truncate */

/* For struct key_map; base is a struct fault_throttle, a struct fault_drip. */
void byte_keys_finish_throttle(struct decode *d, const struct yaml_node *node, void *base);
void byte_keys_finish_drip(struct decode *d, const struct yaml_node *node, void *base);

#endif
