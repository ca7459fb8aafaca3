/*
 * json: where commas and line ends go, and what must be escaped. A key and its value are two calls; `after_key` keeps
 * the comma away from between them.
 */
#include "base/json.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DOUBLE_TEXT_BYTES 40

void json_init(struct json *j, struct text *out, unsigned indent)
{
	*j = (struct json){ .out = out, .indent = indent };
}

static void put_line_end(struct json *j)
{
	if (j->indent == 0)
		return;
	text_put_char(j->out, '\n');
	for (unsigned i = 0; i < j->depth * j->indent; i++)
		text_put_char(j->out, ' ');
}

/* What stands between the last value and the next one, or the next key. */
static void put_separator(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth == 0)
		return;
	if (j->has_member[j->depth - 1])
		text_put_char(j->out, ',');
	j->has_member[j->depth - 1] = true;
	put_line_end(j);
}

static void begin(struct json *j, char bracket)
{
	assert(j->depth < JSON_DEPTH_MAX);
	put_separator(j);
	text_put_char(j->out, bracket);
	j->has_member[j->depth++] = false;
}

static void end(struct json *j, char bracket)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	if (j->has_member[j->depth])
		put_line_end(j);
	text_put_char(j->out, bracket);
}

void json_begin_object(struct json *j)
{
	begin(j, '{');
}

void json_end_object(struct json *j)
{
	end(j, '}');
}

void json_begin_array(struct json *j)
{
	begin(j, '[');
}

void json_end_array(struct json *j)
{
	end(j, ']');
}

/* Is one of the eight bytes at p no ASCII, a control, a quote or a backslash? */
static bool has_special_8(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t v, quote, backslash;

	memcpy(&v, p, sizeof(v));
	quote = v ^ ones * '"';
	backslash = v ^ ones * '\\';
	/* Of each byte the highest bit: set in it, or borrowed by taking away more than it has. */
	return ((v | (v - ones * 0x20) | (quote - ones) | (backslash - ones)) & ones * 0x80) != 0;
}

/* Bytes at the start of s that stand for themselves in a JSON string. */
static size_t plain_length(struct span s)
{
	size_t i = 0;

	while (i + 8 <= s.n && !has_special_8(s.p + i))
		i += 8;
	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned n = 1;

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		if (c >= 0x80)
			n = span_utf8_length(span_skip(s, i));
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

/* One byte that does not stand for itself. */
static void put_escaped(struct text *out, char c)
{
	switch (c) {
	case '"': text_put_literal(out, "\\\""); break;
	case '\\': text_put_literal(out, "\\\\"); break;
	case '\b': text_put_literal(out, "\\b"); break;
	case '\f': text_put_literal(out, "\\f"); break;
	case '\n': text_put_literal(out, "\\n"); break;
	case '\r': text_put_literal(out, "\\r"); break;
	case '\t': text_put_literal(out, "\\t"); break;
	default:
		if ((unsigned char)c < 0x20) {
			text_put_literal(out, "\\u");
			text_put_hex(out, (unsigned char)c, 4);
		} else {
			text_put_literal(out, "\xef\xbf\xbd"); /* U+FFFD: the byte is no UTF-8 */
		}
	}
}

static void put_quoted(struct text *out, struct span s)
{
	text_put_char(out, '"');
	while (s.n) {
		size_t n = plain_length(s);

		text_put(out, s.p, n);
		s = span_skip(s, n);
		if (s.n) {
			put_escaped(out, s.p[0]);
			s = span_skip(s, 1);
		}
	}
	text_put_char(out, '"');
}

void json_key_span(struct json *j, struct span key)
{
	assert(!j->after_key);
	put_separator(j);
	put_quoted(j->out, key);
	text_put_char(j->out, ':');
	if (j->indent)
		text_put_char(j->out, ' ');
	j->after_key = true;
}

void json_key(struct json *j, const char *key)
{
	json_key_span(j, span_of_string(key));
}

void json_span(struct json *j, struct span s)
{
	put_separator(j);
	put_quoted(j->out, s);
}

void json_c_string(struct json *j, const char *s)
{
	json_span(j, span_of_string(s));
}

void json_u64(struct json *j, uint64_t v)
{
	put_separator(j);
	text_put_u64(j->out, v);
}

void json_i64(struct json *j, int64_t v)
{
	put_separator(j);
	text_put_i64(j->out, v);
}

/* Puts what printf wrote, with the point JSON wants in place of the locale's. */
static void put_with_point(struct text *out, const char *digits)
{
	struct span s = span_of_string(digits);
	struct span point = span_of_string(localeconv()->decimal_point);

	for (; s.n; s = span_skip(s, 1)) {
		if (point.n && span_starts_with(s, point)) {
			text_put_char(out, '.');
			s = span_skip(s, point.n - 1);
		} else {
			text_put_char(out, s.p[0]);
		}
	}
}

void json_double(struct json *j, double v)
{
	char digits[DOUBLE_TEXT_BYTES];

	if (!isfinite(v)) {
		json_none(j);
		return;
	}
	/* 17 digits always read back the same; fewer do for most numbers that people write. */
	for (int precision = 15; precision <= 17; precision++) {
		double back;

		(void)snprintf(digits, sizeof(digits), "%.*g", precision, v);
		back = strtod(digits, NULL);
		if (memcmp(&back, &v, sizeof(v)) == 0)
			break;
	}
	put_separator(j);
	put_with_point(j->out, digits);
}

void json_bool(struct json *j, bool v)
{
	put_separator(j);
	text_put_string(j->out, v ? "true" : "false");
}

void json_none(struct json *j)
{
	put_separator(j);
	text_put_literal(j->out, "null");
}

void json_raw(struct json *j, struct span s)
{
	put_separator(j);
	text_put_span(j->out, s);
}

void json_member_span(struct json *j, const char *key, struct span s)
{
	json_key(j, key);
	json_span(j, s);
}

void json_member_string(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	json_c_string(j, s);
}

void json_member_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_u64(j, v);
}

void json_member_i64(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_i64(j, v);
}

void json_member_hex(struct json *j, const char *key, uint64_t v)
{
	char digits[16];
	struct text t;

	text_init_fixed(&t, digits, sizeof(digits));
	text_put_hex(&t, v, 1);
	json_member_span(j, key, text_span(&t));
}

void json_member_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}
