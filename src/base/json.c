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

#include "base/raw.h"

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

/* Is one of the eight bytes no ASCII, a control, a quote or a backslash? */
static inline bool has_special(uint64_t v)
{
	return raw_found(v | raw_find_below(v, 0x20) | raw_find_byte(v, '"') | raw_find_byte(v, '\\'));
}

/* Bytes at the start of s that stand for themselves in a JSON string. */
static size_t plain_length(struct span s)
{
	size_t i = 0;

	while (i + 8 <= s.n && !has_special(raw_load_8(s.p + i)))
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

#define ESCAPED_BYTES 6

/* One byte that does not stand for itself. */
static char *put_escaped(char *to, char c)
{
	switch (c) {
	case '"': return RAW_PUT_LITERAL(to, "\\\"");
	case '\\': return RAW_PUT_LITERAL(to, "\\\\");
	case '\b': return RAW_PUT_LITERAL(to, "\\b");
	case '\f': return RAW_PUT_LITERAL(to, "\\f");
	case '\n': return RAW_PUT_LITERAL(to, "\\n");
	case '\r': return RAW_PUT_LITERAL(to, "\\r");
	case '\t': return RAW_PUT_LITERAL(to, "\\t");
	default: break;
	}
	if ((unsigned char)c >= 0x20)
		return RAW_PUT_LITERAL(to, "\xef\xbf\xbd"); /* U+FFFD: the byte is no UTF-8 */
	to = RAW_PUT_LITERAL(to, "\\u00");
	to = raw_put_char(to, (char)('0' + (c >> 4)));
	return raw_put_char(to, "0123456789abcdef"[c & 15]);
}

/* Takes what stands for itself at the start of *rest away from it. */
static struct span take_plain(struct span *rest)
{
	struct span plain = span_first(*rest, plain_length(*rest));

	*rest = span_skip(*rest, plain.n);
	return plain;
}

static void put_quoted(struct text *out, struct span s)
{
	text_put_char(out, '"');
	while (s.n) {
		char escaped[ESCAPED_BYTES];

		text_put_span(out, take_plain(&s));
		if (s.n)
			text_put(out, escaped, (size_t)(put_escaped(escaped, s.p[0]) - escaped));
		s = span_skip(s, 1);
	}
	text_put_char(out, '"');
}

char *json_put_quoted(char *to, struct span s)
{
	*to++ = '"';
	if (LIKELY(raw_copy_unless(to, s, has_special))) {
		to += s.n;
		return raw_put_char(to, '"');
	}
	while (s.n) {
		to = raw_put_span(to, take_plain(&s));
		if (s.n)
			to = put_escaped(to, s.p[0]);
		s = span_skip(s, 1);
	}
	return raw_put_char(to, '"');
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
