/*
 * rule_keys: checking and copying. See keys for what the words mean.
 */
#include "config/rule_keys.h"

#include "config/suggest.h"

/* ---- names ---- */

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || ascii_is_digit(c) || (c && strchr("._-/:", c));
}

/* They appear in header fields, logs and variables, so they are made of what needs quoting nowhere. */
bool rule_keys_decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name)
{
	char clean[RULE_KEYS_NAME_BYTES_MAX];
	struct text t;
	size_t n_wrong = 0;

	text_init_fixed(&t, clean, sizeof(clean));
	for (size_t i = 0; i < node->text.n && i < sizeof(clean); i++) {
		char c = node->text.p[i];

		n_wrong += !is_name_char(c);
		text_put_char(&t, is_name_char(c) ? c : '-');
	}
	if (node->text.n > RULE_KEYS_NAME_BYTES_MAX) {
		decode_error(d, node, "a name has at most %d bytes", RULE_KEYS_NAME_BYTES_MAX);
		return false;
	}
	if (n_wrong || node->text.n == 0) {
		decode_error(d, node, "\"%.*s\" is not a name: letters, digits and ._-/: (write %.*s)", DECODE_SHOWN(node->text),
			SPAN_ARG(t.n ? text_span(&t) : SPAN("a-name")));
		return false;
	}
	*name = decode_copy(d, key->heap, node->text);
	return true;
}

static void decode_name(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	(void)rule_keys_decode_name(d, key, node, field);
}

static void schema_name(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[A-Za-z0-9._/:-]{1,64}$");
}

const struct value_type value_name = { "name", "a name", decode_name, schema_name };

/* ---- key ---- */

static const struct {
	const char *word;
	enum rule_key key;
	bool named;
} rule_key_words[] = {
	{ "ordinal", RULE_KEY_ORDINAL, false },
	{ "client", RULE_KEY_CLIENT, false },
	{ "fingerprint", RULE_KEY_FINGERPRINT, false },
	{ "header", RULE_KEY_HEADER, true },
	{ "cookie", RULE_KEY_COOKIE, true },
	{ "query", RULE_KEY_QUERY, true },
};

static void refuse_rule_key(struct decode *d, const struct yaml_node *node, struct span word)
{
	char block[DECODE_SUGGESTION_BYTES];
	struct suggestion s;

	suggest_begin(&s, word);
	for (size_t i = 0; i < ARRAY_LEN(rule_key_words); i++)
		suggest_offer(&s, span_of_string(rule_key_words[i].word));
	decode_error(d, node, "\"%.*s\" is not %s%s", DECODE_SHOWN(node->text), value_rule_key.phrase,
		decode_suggestion(s.best, block, sizeof(block)));
}

static void decode_rule_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct rule *r = field;
	size_t colon = span_find(node->text, ':');
	struct span word = span_first(node->text, colon), name = span_skip(node->text, colon + 1);
	size_t i = 0;

	while (i < ARRAY_LEN(rule_key_words) && !span_eq(word, span_of_string(rule_key_words[i].word)))
		i++;
	if (i == ARRAY_LEN(rule_key_words)) {
		refuse_rule_key(d, node, word);
		return;
	}
	if (!rule_key_words[i].named && colon < node->text.n) {
		decode_error(d, node, "\"%.*s\" takes no name (write %.*s)", SPAN_ARG(word), SPAN_ARG(word));
		return;
	}
	if (rule_key_words[i].named && (name.n == 0 || (rule_key_words[i].key != RULE_KEY_QUERY && !value_is_token(name)))) {
		decode_error(d, node, "\"%.*s\" needs a name (write %.*s:NAME)", DECODE_SHOWN(node->text), SPAN_ARG(word));
		return;
	}
	r->key = rule_key_words[i].key;
	r->key_name = r->key == RULE_KEY_HEADER ? decode_lower(d, key->heap, name) : decode_copy(d, key->heap, name);
}

static void schema_rule_key(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^(ordinal|client|fingerprint|(header|cookie|query):.+)$");
}

const struct value_type value_rule_key = { "key",
	"one of ordinal, client, fingerprint, header:NAME, cookie:NAME, query:NAME", decode_rule_key, schema_rule_key };

void rule_keys_decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	if (decode_is_scalar(d, node, key->type->phrase))
		decode_rule_key(d, key, node, base);
}
