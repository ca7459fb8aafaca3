/*
 * key_rows: what the tables in keys*.c are written with, and the maps that one of them has for the others.
 */
#ifndef BROWNOUT_CONFIG_KEY_ROWS_H
#define BROWNOUT_CONFIG_KEY_ROWS_H

#include "config/keys.h"

#define SIZE_OF(type, member) sizeof(((struct type *)NULL)->member)
#define FIELD(type, member) .offset = offsetof(struct type, member), .size = SIZE_OF(type, member)
#define LIST(type, member, count)                                                                                               \
	.offset = offsetof(struct type, member), .size = sizeof(*((struct type *)NULL)->member),                                \
	.count_offset = offsetof(struct type, count)
#define KEYS(table) .keys = (table), .n_keys = ARRAY_LEN(table)

#define DAY_NS ((uint64_t)NS_PER_S * 86400)
#define COUNT_MAX UINT64_C(1000000000000)
#define OUTCOMES_MAX 1000
#define SEQUENCE_MAX 1000

/* keys_match.c */
extern const struct key_map keys_path, keys_pattern, keys_status_class, keys_match, keys_route_match;
/* keys_fault.c */
extern const struct key_map keys_abort, keys_body, keys_retry_after, keys_delay, keys_normal, keys_lognormal, keys_pareto;
extern const struct key_map keys_hang, keys_throttle, keys_drip, keys_truncate, keys_corrupt;
extern const struct key_map keys_rewrite, keys_request, keys_edit_headers, keys_hints, keys_rate_limit;
/* keys_rule.c */
extern const struct key_map keys_rule, keys_ramp, keys_burst, keys_outcome, keys_step;
/* keys_expect.c */
extern const struct key_map keys_expect, keys_expect_retry_after, keys_expect_attempts, keys_expect_amplification,
	keys_expect_retry_budget, keys_expect_backoff, keys_expect_jitter, keys_expect_herd,
	keys_expect_unsafe_retries, keys_expect_idempotency_key, keys_expect_pointless_retries, keys_expect_hedging,
	keys_expect_give_up, keys_expect_client_timeout, keys_expect_circuit_breaker, keys_expect_recovery,
	keys_expect_aftermath, keys_expect_connections, keys_expect_quota, keys_expect_handling, keys_expect_yield,
	keys_observe, keys_fingerprint;

#endif
