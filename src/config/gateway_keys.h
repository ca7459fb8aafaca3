/*
 * gateway_keys: answers in the manner of a gateway, after its own timeout.
 */
#ifndef BROWNOUT_CONFIG_GATEWAY_KEYS_H
#define BROWNOUT_CONFIG_GATEWAY_KEYS_H

#include "config/value.h"

extern const struct choice gateway_keys_names[]; /* what fault_abort.profile holds */
extern const struct value_type value_scale; /* key->min to key->max millionths; into an int64_t */

/* A whole value: is only checked. gateway_keys_finish looks at it. */
void gateway_keys_decode_timeout(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* What the gateway's own timeout makes of hold_ns, which is a scale still, and of a status that is not given. */
void gateway_keys_finish(struct decode *d, const struct yaml_node *node, struct fault_abort *a);

#endif
