/*
 * admin_json: jansson says whether it is JSON; what it is as YAML is found byte by byte.
 */
#include "admin/admin_json.h"

#include "http/bytes.h"

json_t *admin_json_object(struct span body, struct admin_answer *a)
{
	json_error_t error;
	json_t *root;

	/* Behind a number jansson passes over it. */
	if (span_find(body, '\0') < body.n) {
		admin_answer_error(a, 400, "the body is no JSON: it has a NUL");
		return NULL;
	}
	root = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(root))
		return root;
	if (root)
		admin_answer_error(a, 400, "the body is no JSON object");
	else
		admin_answer_error(a, 400, "the body is no JSON: line %d, column %d: %s", error.line, error.column, error.text);
	json_decref(root);
	return NULL;
}

/* ---- as YAML ---- */

/* Of "XXXX". */
static uint32_t hex4(const char *p)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value = value << 4 | http_hex_values[(unsigned char)p[i]];
	return value;
}

static void put_utf8(struct text *out, uint32_t code)
{
	text_put_char(out, (char)(0xf0 | code >> 18));
	text_put_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
	text_put_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	text_put_char(out, (char)(0x80 | (code & 0x3f)));
}

/* The escape that s begins with; returns how many bytes of s it is. JSON has been checked: it is whole. */
static size_t put_escape(struct text *out, struct span s)
{
	uint32_t high = s.p[1] == 'u' ? hex4(s.p + 2) : 0;

	if (high >= 0xd800 && high < 0xdc00) {
		put_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (hex4(s.p + 8) - 0xdc00));
		return 12;
	}
	if (s.p[1] == '/') {
		text_put_char(out, '/');
		return 2;
	}
	text_put_span(out, span_first(s, s.p[1] == 'u' ? 6 : 2));
	return s.p[1] == 'u' ? 6 : 2;
}

/* The character that s begins with; returns its bytes. */
static size_t put_character(struct text *out, struct span s)
{
	static const struct {
		struct span raw;
		const char *escape;
	} special[] = {
		{ { "\x7f", 1 }, "\\x7f" },
		{ { "\xe2\x80\xa8", 3 }, "\\u2028" },
		{ { "\xe2\x80\xa9", 3 }, "\\u2029" },
		{ { "\xef\xbb\xbf", 3 }, "\\ufeff" },
		{ { "\xef\xbf\xbe", 3 }, "\\ufffe" },
		{ { "\xef\xbf\xbf", 3 }, "\\uffff" },
	};
	unsigned n = MAX(span_utf8_length(s), 1u);

	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (span_starts_with(s, special[i].raw)) {
			text_put_string(out, special[i].escape);
			return n;
		}
	}
	if (n == 2 && (unsigned char)s.p[0] == 0xc2 && (unsigned char)s.p[1] < 0xa0) {
		text_put_literal(out, "\\x");
		text_put_hex(out, (unsigned char)s.p[1], 2);
	} else {
		text_put(out, s.p, n);
	}
	return n;
}

/* What stands between texts: YAML wants a key and its ":" on one line, and a blank behind that. */
static void put_mark(struct text *out, char c)
{
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return;
	text_put_char(out, c);
	if (c == ':' || c == ',')
		text_put_char(out, ' ');
}

void admin_json_to_yaml(struct span rest, struct text *out)
{
	bool in_text = false;

	while (rest.n) {
		size_t n = 1;

		if (in_text && rest.p[0] == '\\')
			n = put_escape(out, rest);
		else if (in_text && rest.p[0] != '"')
			n = put_character(out, rest);
		else
			put_mark(out, rest.p[0]);
		if (rest.p[0] == '"')
			in_text = !in_text;
		rest = span_skip(rest, n);
	}
}
