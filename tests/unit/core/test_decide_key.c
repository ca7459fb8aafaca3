/*
 * Keys: what is hashed for each kind, that counts are each key's own, and that neither the order in which requests come
 * nor the number of threads changes what happens to them.
 */
#include "core/decide.h"

#include <pthread.h>

#include "core/random.h"
#include "fake.h"

Test(decide_key, counts_are_per_key)
{
	struct fake_field user[3][2] = { { { "x-user", "a" } }, { { "x-user", "b" } }, { { NULL, NULL } } };
	struct facts f = fake_facts("/");
	struct fake_bench b = fake_open(1);

	b.rule->key = RULE_KEY_HEADER;
	b.rule->key_name = fake_own("x-user");
	b.rule->after = 1;
	b.rule->first = 2;
	fake_seal(&b);
	f.field = fake_field_get;
	for (unsigned i = 0; i < ARRAY_LEN(user); i++) {
		f.field_source = user[i];
		cr_expect_str_eq(fake_outcomes(&b, &f, 5), "-FF--", "user %u", i);
	}
	cr_assert_eq(b.states.v[0]->matched, 15, "of all keys");
	cr_assert_eq(keytable_size(b.states.common->keys), 3);
	fake_close(&b);
}

/* The key hash of the only rule, with key kind and name as given. */
static uint64_t key_hash(enum rule_key key, const char *name, const struct facts *f)
{
	struct ruleset set = { .seed = 5 };
	struct rule r = { .key = key, .key_name = span_of_string(name) };

	return decide_key_hash(&set, &r, f);
}

Test(decide_key, key_of_cookies)
{
	static const struct {
		struct fake_field fields[3];
		const char *value;
	} table[] = {
		{ { { "cookie", "sid=abc" } }, "abc" },
		{ { { "cookie", "a=1; sid=abc; b=2" } }, "abc" },
		{ { { "cookie", "a=1;sid=abc" } }, "abc" },
		{ { { "cookie", "a=1" }, { "cookie", "sid=abc" } }, "abc" },
		{ { { "cookie", "sid=abc; sid=def" } }, "abc" },
		{ { { "cookie", "sid=a=b" } }, "a=b" },
		{ { { "cookie", "sid=\"q\"" } }, "\"q\"" },
		{ { { "cookie", " sid = abc " } }, "abc" },
		{ { { "cookie", "sid=" } }, "" },
		{ { { "cookie", "sid" } }, "" },
		{ { { "cookie", "SID=abc" } }, "" },
		{ { { "cookie", "xsid=abc; sidx=def" } }, "" },
		{ { { "cookie", ";;;=;" } }, "" },
		{ { { "cookie", "" } }, "" },
		{ { { "x", "sid=abc" } }, "" },
		{ { { NULL, NULL } }, "" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct facts f = fake_facts("/");

		f.field = fake_field_get;
		f.field_source = table[i].fields;
		cr_expect_eq(key_hash(RULE_KEY_COOKIE, "sid", &f), random_hash(5, span_of_string(table[i].value)), "row %u", i);
	}
}

Test(decide_key, key_of_query_header_and_client)
{
	static const struct fake_field fields[] = { { "x-user", "first" }, { "x-user", "second" }, { NULL, NULL } };
	struct facts f = fake_facts("/");

	f.query = SPAN("a=1&id=x%20y&id=z");
	f.field = fake_field_get;
	f.field_source = fields;
	f.client[15] = 9;
	cr_assert_eq(key_hash(RULE_KEY_ORDINAL, "", &f), 0);
	cr_assert_eq(key_hash(RULE_KEY_QUERY, "id", &f), random_hash(5, SPAN("x y")));
	cr_assert_eq(key_hash(RULE_KEY_QUERY, "none", &f), random_hash(5, SPAN("")));
	cr_assert_eq(key_hash(RULE_KEY_HEADER, "x-user", &f), random_hash(5, SPAN("first")));
	cr_assert_eq(key_hash(RULE_KEY_HEADER, "x-none", &f), random_hash(5, SPAN("")));
	cr_assert_eq(key_hash(RULE_KEY_CLIENT, "", &f), random_hash(5, SPAN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09")));
}

Test(decide_key, fingerprint_is_method_host_and_target)
{
	static char long_host[2][600];
	struct facts base = fake_facts("/a");
	struct facts f = base;
	uint64_t hash = key_hash(RULE_KEY_FINGERPRINT, "", &base);

	f.host = SPAN("SHOP.Test");
	cr_assert_eq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "the host has no case");
	f.client[15] = 7;
	f.path = SPAN("/other");
	cr_assert_eq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "the target counts, not what was made of it");
	f = base;
	f.method = SPAN("PUT");
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash);
	f = base;
	f.target = SPAN("/A");
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash);
	f = base;
	f.host = SPAN("shop.tes");
	f.target = SPAN("t/a");
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "the parts do not run into each other");

	memset(long_host[0], 'x', sizeof(long_host[0]));
	memset(long_host[1], 'X', sizeof(long_host[1]));
	f.host = span_of(long_host[0], sizeof(long_host[0]));
	hash = key_hash(RULE_KEY_FINGERPRINT, "", &f);
	f.host = span_of(long_host[1], sizeof(long_host[1]));
	cr_assert_eq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash);
	long_host[1][599] = 'y';
	cr_assert_neq(key_hash(RULE_KEY_FINGERPRINT, "", &f), hash, "all of a long host counts");
}

/* ---- order and threads --------------------------------------------------------------------------------------------- */

#define THREADS 4
#define PER_THREAD 25000
#define KEYS 50

static char key_texts[KEYS][4];

struct walker {
	struct fake_bench *bench;
	unsigned number;
	struct decision seen[PER_THREAD];
};

static void *walk(void *arg)
{
	struct walker *w = arg;
	uint64_t random = w->number + 1;

	for (unsigned i = 0; i < PER_THREAD; i++) {
		struct fake_field fields[] = { { "x-user", key_texts[fake_below(&random, KEYS)] }, { NULL, NULL } };
		struct facts f = fake_facts("/");

		f.field = fake_field_get;
		f.field_source = fields;
		w->seen[i] = fake_ask(w->bench, &f).decisions[0];
	}
	return NULL;
}

static int decision_compare(const void *left, const void *right)
{
	const struct decision *a = left;
	const struct decision *b = right;

	if (a->key_hash != b->key_hash)
		return a->key_hash < b->key_hash ? -1 : 1;
	return (a->occurrence > b->occurrence) - (a->occurrence < b->occurrence);
}

/*
 * Whatever the threads' order was: each key has the occurrences 1, 2, 3 ... once each, and what happened to each is
 * what its number alone says.
 */
static void assert_order_does_not_matter(enum rule_key key, enum rule_sampling sampling)
{
	static struct walker walkers[THREADS];
	static struct decision all[THREADS * PER_THREAD];
	struct fake_bench b = fake_open(42);
	pthread_t threads[THREADS];
	unsigned fired = 0;

	b.rule->percentage = 10 * FAKE_PERCENT;
	b.rule->sampling = sampling;
	b.rule->after = 10;
	b.rule->key = key;
	b.rule->key_name = fake_own("x-user");
	fake_seal(&b);
	for (unsigned i = 0; i < KEYS; i++)
		(void)snprintf(key_texts[i], sizeof(key_texts[i]), "%u", i);
	for (unsigned i = 0; i < THREADS; i++) {
		walkers[i].bench = &b;
		walkers[i].number = i;
		cr_assert_eq(pthread_create(&threads[i], NULL, walk, &walkers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		memcpy(all + i * PER_THREAD, walkers[i].seen, sizeof(walkers[i].seen));
	}
	qsort(all, ARRAY_LEN(all), sizeof(all[0]), decision_compare);
	for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
		bool same_key = i > 0 && all[i].key_hash == all[i - 1].key_hash;
		struct decision direct = decide_draw(&b.set, 0, all[i].key_hash, all[i].occurrence, 0);

		cr_assert_eq(all[i].occurrence, same_key ? all[i - 1].occurrence + 1 : 1);
		cr_assert(key != RULE_KEY_ORDINAL || all[i].key_hash == 0);
		cr_assert_eq(all[i].outcome, direct.outcome);
		cr_assert_eq(all[i].draw, direct.draw);
		fired += all[i].outcome == DECISION_FIRED;
	}
	cr_assert_eq(b.states.v[0]->matched, ARRAY_LEN(all));
	cr_assert_eq(b.states.v[0]->fired, fired);
	cr_assert(fired > 9000 && fired < 11000, "%u", fired);
	fake_close(&b);
}

Test(decide_key, order_does_not_matter_by_ordinal)
{
	assert_order_does_not_matter(RULE_KEY_ORDINAL, RULE_SAMPLING_INDEPENDENT);
	assert_order_does_not_matter(RULE_KEY_ORDINAL, RULE_SAMPLING_EVEN);
}

Test(decide_key, order_does_not_matter_by_key)
{
	assert_order_does_not_matter(RULE_KEY_HEADER, RULE_SAMPLING_INDEPENDENT);
	assert_order_does_not_matter(RULE_KEY_HEADER, RULE_SAMPLING_EVEN);
}
