/*
 * decide_key: from a request to the hash of what a rule counts by: client, fingerprint, or one value out of a field, a
 * cookie or the query. What is absent counts as empty. No state, no allocation.
 */
#include "core/decide_key.h"

#include "core/random.h"

/* The value of a cookie in one Cookie field (RFC 6265 section 4.2.1): pairs apart by ';', values as they are. */
static bool cookie_find(struct span field, struct span name, struct span *value)
{
	while (field.n) {
		struct span pair = span_first(field, span_find(field, ';'));
		size_t equals = span_find(pair, '=');

		field = span_skip(field, pair.n + 1);
		if (equals < pair.n && span_eq(span_trim(span_first(pair, equals)), name)) {
			*value = span_trim(span_skip(pair, equals + 1));
			return true;
		}
	}
	return false;
}

static struct span cookie_value(const struct facts *f, struct span name)
{
	struct span field;
	struct span value = SPAN_EMPTY;

	for (unsigned nth = 0; facts_field(f, SPAN("cookie"), nth, &field); nth++) {
		if (cookie_find(field, name, &value))
			break;
	}
	return value;
}

/* Chained: where one part ends is part of the hash. The host counts without case. */
static uint64_t fingerprint(uint64_t seed, const struct facts *f)
{
	uint64_t h = random_hash(seed, f->method);
	struct span host = f->host;
	char lower[256];

	do {
		size_t n = MIN(host.n, sizeof(lower));

		for (size_t i = 0; i < n; i++)
			lower[i] = ascii_lower(host.p[i]);
		h = random_hash(h, span_of(lower, n));
		host = span_skip(host, n);
	} while (host.n);
	return random_hash(h, f->target);
}

static uint64_t client_hash(uint64_t seed, const struct facts *f)
{
	return random_hash(seed, span_of((const char *)f->client, sizeof(f->client)));
}

static uint64_t field_hash(uint64_t seed, const struct facts *f, struct span name)
{
	struct span value = SPAN_EMPTY;

	(void)facts_field(f, name, 0, &value);
	return random_hash(seed, value);
}

static uint64_t query_hash(uint64_t seed, const struct facts *f, struct span name)
{
	char decoded[MATCH_QUERY_VALUE_BYTES_MAX];
	struct span value = SPAN_EMPTY;

	(void)match_query_value(f->query, name, decoded, sizeof(decoded), &value);
	return random_hash(seed, value);
}

uint64_t decide_key_hash(const struct ruleset *set, const struct rule *r, const struct facts *f)
{
	switch (r->key) {
	case RULE_KEY_ORDINAL:
		return 0;
	case RULE_KEY_CLIENT:
		return client_hash(set->seed, f);
	case RULE_KEY_FINGERPRINT:
		return fingerprint(set->seed, f);
	case RULE_KEY_HEADER:
		return field_hash(set->seed, f, r->key_name);
	case RULE_KEY_COOKIE:
		return random_hash(set->seed, cookie_value(f, r->key_name));
	case RULE_KEY_QUERY:
		return query_hash(set->seed, f, r->key_name);
	}
	return 0;
}

uint64_t decide_key_limit_hash(const struct ruleset *set, const struct fault_limit *limit, const struct facts *f)
{
	switch (limit->key) {
	case LIMIT_KEY_ALL:
		return 0;
	case LIMIT_KEY_CLIENT:
		return client_hash(set->seed, f);
	case LIMIT_KEY_PATH:
		return random_hash(set->seed, f->path);
	case LIMIT_KEY_HEADER:
		return field_hash(set->seed, f, limit->key_name);
	case LIMIT_KEY_COOKIE:
		return random_hash(set->seed, cookie_value(f, limit->key_name));
	case LIMIT_KEY_QUERY:
		return query_hash(set->seed, f, limit->key_name);
	}
	return 0;
}

uint64_t decide_key_told_hash(const struct ruleset *set, const struct rule *r, uint64_t key_hash, const struct facts *f)
{
	if (r->faults.limit)
		return decide_key_limit_hash(set, r->faults.limit, f);
	return r->key == RULE_KEY_ORDINAL ? client_hash(set->seed, f) : key_hash;
}
