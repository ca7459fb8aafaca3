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

/* keys_match.c */
extern const struct key_map keys_path, keys_pattern, keys_status_class, keys_match, keys_route_match;
/* keys_fault.c */
extern const struct key_map keys_abort, keys_body, keys_delay;

#endif
