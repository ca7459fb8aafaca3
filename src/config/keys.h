/*
 * keys: every key of the rule file, in tables. The one source for the parser, the reference and the schema.
 */
#ifndef BROWNOUT_CONFIG_KEYS_H
#define BROWNOUT_CONFIG_KEYS_H

#include "config/decode.h"

/* The whole file; its struct is the plan. */
extern const struct key_map keys_file;

/* All maps, each once, in the order of the reference. */
extern const struct key_map *const keys_all[];
extern const unsigned keys_all_n;

/* The name of the listener and the upstream that `listen` and `upstream` make. */
#define KEYS_DEFAULT_NAME SPAN("default")

#endif
