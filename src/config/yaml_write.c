/*
 * yaml_write: a text is written plain only where nobody could read anything else; the set of bytes for that is narrower than
 * YAML's.
 */
#include "config/yaml_write.h"

#define FLOW_COLUMNS 72 /* a container that would be longer gets lines */

/* ---- scalars ---- */

static bool is_letter(char c)
{
	char lower = ascii_lower(c);

	return lower >= 'a' && lower <= 'z';
}

/* True where the first byte can begin nothing but a plain text. */
static bool begins_plain(struct span s)
{
	return is_letter(s.p[0]) || ascii_is_digit(s.p[0]) || strchr("./_$+^(", s.p[0]) ||
		(s.p[0] == '-' && s.n > 1 && ascii_is_digit(s.p[1]));
}

/* No byte that means something, also within brackets; no blank at the end or before what it would make a comment or a key. */
static bool is_made_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\0' || (!is_letter(c) && !ascii_is_digit(c) && !strchr("._/+$^()-:;=@~*%!&|<> '", c)))
			return false;
		if (c == ':' && (i + 1 == s.n || s.p[i + 1] == ' '))
			return false;
	}
	return s.p[s.n - 1] != ' ';
}

/* Words that some reader of YAML takes for something else than a text. */
static bool is_word(struct span s)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (span_eq_nocase(s, span_of_string(words[i])))
			return true;
	}
	return false;
}

/* Made of what numbers are made of (0x1f, 1e3, 1_000, 12:30): whether it is one depends on the reader. */
static bool is_numeric(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!strchr("0123456789abcdefxo.+-_:", ascii_lower(s.p[i])))
			return false;
	}
	return ascii_is_digit(s.p[0]) || (s.n > 1 && ascii_is_digit(s.p[1]));
}

static bool may_be_plain(const struct yaml_node *node)
{
	struct span s = node->text;

	if (s.n == 0 || !begins_plain(s) || !is_made_plain(s) || span_starts_with(s, SPAN("---")))
		return false;
	return node->plain || (!is_word(s) && !is_numeric(s));
}

/* Of n bytes at p; those that YAML does not let stand, or takes for the end of a line. */
static bool wants_escape(const unsigned char *p, unsigned n)
{
	if (n <= 1)
		return n == 0 || p[0] < 0x20 || p[0] == 0x7f;
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (n == 3 && p[0] == 0xe2)
		return p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9); /* U+2028, U+2029 */
	return n == 3 && p[0] == 0xef && ((p[1] == 0xbb && p[2] == 0xbf) || (p[1] == 0xbf && p[2] >= 0xbe));
}

static void put_escape(struct text *out, const unsigned char *p, unsigned n)
{
	uint32_t code = p[0];

	if (n == 2)
		code = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	else if (n == 3)
		code = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	if (code == '\n' || code == '\t' || code == '\r') {
		text_put_char(out, '\\');
		text_put_char(out, code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
	} else {
		text_put_string(out, code < 0x100 ? "\\x" : "\\u");
		text_put_hex(out, code, code < 0x100 ? 2 : 4);
	}
}

static void put_quoted(struct text *out, struct span s)
{
	text_put_char(out, '"');
	while (s.n) {
		unsigned n = span_utf8_length(s);

		if (wants_escape((const unsigned char *)s.p, n)) {
			put_escape(out, (const unsigned char *)s.p, n);
		} else {
			if (s.p[0] == '"' || s.p[0] == '\\')
				text_put_char(out, '\\');
			text_put(out, s.p, n);
		}
		s = span_skip(s, MAX(n, 1u));
	}
	text_put_char(out, '"');
}

void yaml_write_scalar(struct text *out, const struct yaml_node *node)
{
	if (yaml_node_is_null(node))
		text_put_literal(out, "null");
	else if (may_be_plain(node))
		text_put_span(out, node->text);
	else
		put_quoted(out, node->text);
}

/* ---- texts of several lines ---- */

/* What | shows as it is: the first line tells where all begin, and only LF ends them. */
static bool may_be_literal(struct span s)
{
	bool ends_twice = s.n >= 2 && s.p[s.n - 1] == '\n' && s.p[s.n - 2] == '\n';

	if (s.n < 2 || s.p[0] == '\n' || s.p[0] == ' ' || ends_twice || span_find(s, '\n') >= s.n - 1)
		return false;
	while (s.n) {
		unsigned n = span_utf8_length(s);

		if (s.p[0] != '\n' && wants_escape((const unsigned char *)s.p, n))
			return false;
		s = span_skip(s, MAX(n, 1u));
	}
	return true;
}

static void put_indent(struct text *out, unsigned column)
{
	text_put_char(out, '\n');
	for (unsigned i = 0; i < column; i++)
		text_put_char(out, ' ');
}

static void put_literal(struct text *out, struct span s, unsigned column)
{
	bool ends = s.p[s.n - 1] == '\n';

	text_put_string(out, ends ? "|" : "|-");
	if (ends)
		s.n--;
	while (s.n) {
		struct span line = span_first(s, span_find(s, '\n'));

		if (line.n)
			put_indent(out, column);
		else
			text_put_char(out, '\n');
		text_put_span(out, line);
		s = span_skip(s, line.n + 1);
	}
}

/* ---- containers ---- */

static bool is_small(const struct yaml_node *node)
{
	struct text flow;
	bool small;

	if (node->n == 0)
		return true;
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		if (item->value->kind != YAML_SCALAR && item->value->n > 0)
			return false;
	}
	text_init(&flow);
	yaml_write_flow(&flow, node);
	small = flow.n <= FLOW_COLUMNS;
	text_deinit(&flow);
	return small;
}

void yaml_write_flow(struct text *out, const struct yaml_node *node)
{
	bool mapping = node->kind == YAML_MAPPING;

	if (node->kind == YAML_SCALAR) {
		yaml_write_scalar(out, node);
		return;
	}
	text_put_char(out, mapping ? '{' : '[');
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		if (item != node->items)
			text_put_literal(out, ", ");
		if (mapping) {
			yaml_write_scalar(out, item->key);
			text_put_literal(out, ": ");
		}
		yaml_write_flow(out, item->value);
	}
	text_put_char(out, mapping ? '}' : ']');
}

/* The entries, the first where the text is, the others below it in this column. */
static void write_lines(struct text *out, const struct yaml_node *node, unsigned column)
{
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		if (item != node->items)
			put_indent(out, column);
		if (node->kind == YAML_MAPPING) {
			yaml_write_entry(out, item, column);
		} else {
			text_put_literal(out, "- ");
			yaml_write_item(out, item->value, column + YAML_INDENT);
		}
	}
}

void yaml_write_behind_key(struct text *out, const struct yaml_node *node, unsigned column)
{
	if (node->kind == YAML_SCALAR && may_be_literal(node->text)) {
		text_put_char(out, ' ');
		put_literal(out, node->text, column + YAML_INDENT);
	} else if (node->kind == YAML_SCALAR || is_small(node)) {
		text_put_char(out, ' ');
		yaml_write_flow(out, node);
	} else {
		put_indent(out, column + YAML_INDENT);
		write_lines(out, node, column + YAML_INDENT);
	}
}

void yaml_write_item(struct text *out, const struct yaml_node *node, unsigned column)
{
	if (node->kind == YAML_SCALAR && may_be_literal(node->text))
		put_literal(out, node->text, column);
	else if (node->kind == YAML_SCALAR || node->n == 0 || (node->kind == YAML_SEQUENCE && is_small(node)))
		yaml_write_flow(out, node);
	else
		write_lines(out, node, column);
}

void yaml_write_entry(struct text *out, const struct yaml_item *item, unsigned column)
{
	yaml_write_scalar(out, item->key);
	text_put_char(out, ':');
	yaml_write_behind_key(out, item->value, column);
}
