/*
 * json: writes JSON (RFC 8259) into a text, one value after the other; commas and, where asked, indentation are put
 * by the writer. Bytes that are not UTF-8 are written as U+FFFD so that the result is always valid JSON.
 * The caller keeps begin and end calls balanced; depth is bounded to JSON_DEPTH_MAX (asserted). No name here is one of
 * jansson's, which is linked besides, for reading.
 */
#ifndef BROWNOUT_BASE_JSON_H
#define BROWNOUT_BASE_JSON_H

#include "base/text.h"

#define JSON_DEPTH_MAX 64

struct json {
	struct text *out;
	unsigned depth;
	unsigned indent; /* spaces per level; 0: all on one line */
	bool after_key;
	bool has_member[JSON_DEPTH_MAX];
};

void json_init(struct json *j, struct text *out, unsigned indent);

void json_begin_object(struct json *j);
void json_end_object(struct json *j);
void json_begin_array(struct json *j);
void json_end_array(struct json *j);
void json_key(struct json *j, const char *key);
void json_key_span(struct json *j, struct span key);

void json_span(struct json *j, struct span s);
void json_c_string(struct json *j, const char *s);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
/* Shortest text that reads back the same; NaN and infinities are written as null. */
void json_double(struct json *j, double v);
void json_bool(struct json *j, bool v);
void json_none(struct json *j);
/* A number or other JSON text that is already well formed, written as it is. */
void json_raw(struct json *j, struct span s);

/* At `to`, which has room for so many bytes: s in quotes, as json_span writes it. Where it ends. */
#define JSON_QUOTED_BYTES(n) (2 + 6 * (n))
char *json_put_quoted(char *to, struct span s);

/* key and value in one call. */
void json_member_span(struct json *j, const char *key, struct span s);
void json_member_string(struct json *j, const char *key, const char *s);
void json_member_u64(struct json *j, const char *key, uint64_t v);
void json_member_i64(struct json *j, const char *key, int64_t v);
/* As a text of hexadecimal digits: of a number most readers keep 53 bits. */
void json_member_hex(struct json *j, const char *key, uint64_t v);
void json_member_bool(struct json *j, const char *key, bool v);

#endif
