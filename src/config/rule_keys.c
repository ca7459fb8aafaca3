/*
 * rule_keys: checking and copying. See keys for what the words mean.
 */
#include "config/rule_keys.h"

#include "config/suggest.h"
#include "core/random.h"

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

static const struct rule_keys_word rule_key_words[] = {
	{ "ordinal", RULE_KEY_ORDINAL, false },
	{ "client", RULE_KEY_CLIENT, false },
	{ "fingerprint", RULE_KEY_FINGERPRINT, false },
	{ "header", RULE_KEY_HEADER, true },
	{ "cookie", RULE_KEY_COOKIE, true },
	{ "query", RULE_KEY_QUERY, true },
};

static void refuse_word(struct decode *d, const struct yaml_node *node, const struct rule_keys_word *words, size_t n,
	const char *phrase, struct span word)
{
	char block[DECODE_SUGGESTION_BYTES];
	struct suggestion s;

	suggest_begin(&s, word);
	for (size_t i = 0; i < n; i++)
		suggest_offer(&s, span_of_string(words[i].word));
	decode_error(d, node, "\"%.*s\" is not %s%s", DECODE_SHOWN(node->text), phrase,
		decode_suggestion(s.best, block, sizeof(block)));
}

const struct rule_keys_word *rule_keys_parse(struct decode *d, const struct yaml_node *node, const struct rule_keys_word *words,
	size_t n, const char *phrase, struct span *name)
{
	size_t colon = span_find(node->text, ':');
	struct span word = span_first(node->text, colon);
	size_t i = 0;

	*name = span_skip(node->text, colon + 1);
	while (i < n && !span_eq(word, span_of_string(words[i].word)))
		i++;
	if (i == n) {
		refuse_word(d, node, words, n, phrase, word);
		return NULL;
	}
	if (!words[i].named && colon < node->text.n) {
		decode_error(d, node, "\"%.*s\" takes no name (write %.*s)", SPAN_ARG(word), SPAN_ARG(word));
		return NULL;
	}
	/* A query parameter may be called anything. */
	if (words[i].named && (name->n == 0 || (!span_eq(word, SPAN("query")) && !value_is_token(*name)))) {
		decode_error(d, node, "\"%.*s\" needs a name (write %.*s:NAME)", DECODE_SHOWN(node->text), SPAN_ARG(word));
		return NULL;
	}
	return &words[i];
}

static void decode_rule_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	const struct rule_keys_word *word;
	struct rule *r = field;
	struct span name;

	word = rule_keys_parse(d, node, rule_key_words, ARRAY_LEN(rule_key_words), value_rule_key.phrase, &name);
	if (!word)
		return;
	r->key = (enum rule_key)word->value;
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

/* ---- bursts ---- */

/* A draw is below it with the chance of a percentage, which lies there still. */
static uint64_t threshold_of(uint64_t percentage)
{
	if (percentage >= RULE_PERCENTAGE_ALL)
		return UINT64_MAX;
	return random_threshold((uint32_t)percentage, RULE_PERCENTAGE_ALL);
}

void rule_keys_finish_burst(struct decode *d, const struct yaml_node *node, void *base)
{
	struct rule_schedule *s = base;

	(void)d;
	(void)node;
	s->burst = true;
	s->burst_enter = threshold_of(s->burst_enter);
	s->burst_leave = threshold_of(s->burst_leave);
}

/* ---- sequences ---- */

static void decode_step(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct fault_set *set = field;

	if (span_eq(node->text, SPAN("pass")))
		set->pass = true;
	else
		decode_map(d, key->map, node, field);
}

static void schema_step(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "const", "pass");
}

const struct value_type value_step = { "pass", "a status, pass", decode_step, schema_step };
