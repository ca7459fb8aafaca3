/*
 * expect_keys: the values of `expect` and `observe`. A limit is a number with, or without, the comparison that it means
 * anyway, and what comes of it: "4", "<= 4", "99%", "0.15 warn", off.
 */
#ifndef BROWNOUT_CONFIG_EXPECT_KEYS_H
#define BROWNOUT_CONFIG_EXPECT_KEYS_H

#include "config/value.h"

/*
 * Limits, into a struct expect_limit of a struct expect: which row of expect.def it is follows from the offset of its key.
 * key->min to key->max are millionths, of durations nanoseconds.
 */
extern const struct value_type value_limit;
extern const struct value_type value_duration_limit;
extern const struct value_type value_wanted; /* true: fail where it is not so */
extern const struct value_type value_severity; /* pass, warn, fail */
extern const struct value_type value_limit_range; /* "1s..30s", both limits of client_timeout; into a struct expect */
extern const struct value_type value_number; /* into a double */

extern const struct value_type value_client_key; /* "address", "process", "header:NAME"; a struct observe_key */
extern const struct value_type value_logical_key; /* "header:NAME"; a struct observe_key */
extern const struct value_type value_observed_field; /* a struct span in lower case */
extern const struct value_type value_json_path; /* "$.a.b"; a struct span */

/* Whole value; base is a struct expect, which gets the limits of the profile. */
void expect_keys_decode_profile(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

/* After the rules have their names: the rules that `expect` (NULL: not given) names are there. */
void expect_keys_check(struct decode *d, const struct yaml_node *expect);

#endif
