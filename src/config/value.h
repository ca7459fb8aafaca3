/*
 * value: the kinds of scalars that are not of one key only.
 */
#ifndef BROWNOUT_CONFIG_VALUE_H
#define BROWNOUT_CONFIG_VALUE_H

#include "base/json.h"
#include "config/decode.h"

extern const struct value_type value_bool; /* true or false; into a bool */
extern const struct value_type value_count; /* key->min to key->max, or one of key->choices; into an unsigned integer */
extern const struct value_type value_duration; /* key->min to key->max nanoseconds, or one of key->choices; into an int64_t */
extern const struct value_type value_size; /* bytes; into an unsigned integer */
extern const struct value_type value_percentage; /* 0 to 100; into a uint32_t of RULE_PERCENTAGE_ALL */
extern const struct value_type value_choice; /* one of key->choices; into an unsigned integer or enum */
extern const struct value_type value_text; /* any text, not empty; into a struct span */
extern const struct value_type value_destination; /* of a log: stderr, stdout, off or a file; into a struct span */

/* A schema of strings that match the pattern (NULL: all). ${VAR} fits everywhere and need not be in it. */
void value_schema_string(struct json *j, const char *pattern);
/* For types whose schema is any string. */
void value_schema_text(struct json *j, const struct key *key);

/* True for a field or method name (RFC 9110 section 5.6.2). */
bool value_is_token(struct span s) PURE;
/* True where each byte may stand in a field value: no control character but a tab (RFC 9110 section 5.5). */
bool value_is_field_content(struct span s) PURE;

/* Says that the scalar is not `phrase`, with the hint if there is one. */
void value_refuse(struct decode *d, const struct yaml_node *node, const char *phrase, const struct text *hint);

#endif
