/*
 * Patterns by table, globs against a plain recursive matcher, limits of regular expressions, covering against matching.
 */
#include "core/pattern.h"

#include "fake.h"

#define NC PATTERN_NOCASE
#define SEG PATTERN_SEGMENTS

Test(pattern, matches)
{
	static const struct {
		enum pattern_kind kind;
		unsigned flags;
		const char *text;
		const char *value;
		bool matches;
	} table[] = {
		{ PATTERN_PRESENT, 0, "", "", true },
		{ PATTERN_PRESENT, 0, "", "x", true },
		{ PATTERN_ABSENT, 0, "", "x", false },
		{ PATTERN_EXACT, 0, "acme", "acme", true },
		{ PATTERN_EXACT, 0, "acme", "Acme", false },
		{ PATTERN_EXACT, 0, "acme", "acmee", false },
		{ PATTERN_EXACT, 0, "", "", true },
		{ PATTERN_EXACT, NC, "Acme", "aCME", true },
		{ PATTERN_EXACT, 0, "a*b", "a*b", true },
		{ PATTERN_EXACT, 0, "a*b", "axb", false },

		{ PATTERN_PREFIX, SEG, "/a", "/a", true },
		{ PATTERN_PREFIX, SEG, "/a", "/a/", true },
		{ PATTERN_PREFIX, SEG, "/a", "/a/b", true },
		{ PATTERN_PREFIX, SEG, "/a", "/ab", false },
		{ PATTERN_PREFIX, SEG, "/a", "/", false },
		{ PATTERN_PREFIX, SEG, "/a/", "/a", false },
		{ PATTERN_PREFIX, SEG, "/a/", "/a/", true },
		{ PATTERN_PREFIX, SEG, "/a/", "/a/b", true },
		{ PATTERN_PREFIX, SEG, "/", "/anything", true },
		{ PATTERN_PREFIX, SEG, "/", "*", false },
		{ PATTERN_PREFIX, SEG | NC, "/API", "/api/x", true },

		{ PATTERN_GLOB, SEG, "/checkout/**", "/checkout/", true },
		{ PATTERN_GLOB, SEG, "/checkout/**", "/checkout/cart/1", true },
		{ PATTERN_GLOB, SEG, "/checkout/**", "/checkout", false },
		{ PATTERN_GLOB, SEG, "/checkout/**", "/checkouts/x", false },
		{ PATTERN_GLOB, SEG, "/users/*/orders", "/users/7/orders", true },
		{ PATTERN_GLOB, SEG, "/users/*/orders", "/users//orders", true },
		{ PATTERN_GLOB, SEG, "/users/*/orders", "/users/7/8/orders", false },
		{ PATTERN_GLOB, SEG, "/users/**/orders", "/users/7/8/orders", true },
		{ PATTERN_GLOB, SEG, "/users/**/orders", "/users/orders", false },
		{ PATTERN_GLOB, SEG, "/*.css", "/site.css", true },
		{ PATTERN_GLOB, SEG, "/*.css", "/a/site.css", false },
		{ PATTERN_GLOB, SEG, "**.css", "/a/site.css", true },
		{ PATTERN_GLOB, SEG, "/v?/x", "/v1/x", true },
		{ PATTERN_GLOB, SEG, "/v?x", "/v/x", false },
		{ PATTERN_GLOB, SEG, "/v?/x", "/v/x", false },
		{ PATTERN_GLOB, SEG, "/**/a*b/**", "/x/y/ab/", true },
		{ PATTERN_GLOB, SEG, "/**/a*b/**", "/x/a1/2b/", false },
		{ PATTERN_GLOB, SEG, "/a***b", "/a/x/b", true },
		{ PATTERN_GLOB, SEG, "/a*a", "/a", false },
		{ PATTERN_GLOB, SEG, "/exact", "/exact", true },
		{ PATTERN_GLOB, SEG, "/exact", "/exact/", false },
		{ PATTERN_GLOB, SEG, "*", "", true },
		{ PATTERN_GLOB, SEG, "?", "", false },
		{ PATTERN_GLOB, 0, "", "", true },
		{ PATTERN_GLOB, 0, "", "x", false },
		{ PATTERN_GLOB, 0, "*", "a/b", true },
		{ PATTERN_GLOB, 0, "a?c", "a/c", true },
		{ PATTERN_GLOB, 0, "*a*b*", "xxaxxbxx", true },
		{ PATTERN_GLOB, 0, "*a*b*", "xxbxxaxx", false },
		{ PATTERN_GLOB, NC, "*.Shop.TEST", "api.shop.test", true },
		{ PATTERN_GLOB, NC, "*.shop.test", "api.SHOP.test", true },
		{ PATTERN_GLOB, NC, "*.shop.test", "shop.test", false },
		{ PATTERN_GLOB, NC, "a*C*e", "AbcdE", true },

		{ PATTERN_REGEX, 0, "^/v[12]/", "/v1/x", true },
		{ PATTERN_REGEX, 0, "^/v[12]/", "/v3/x", false },
		{ PATTERN_REGEX, 0, "b", "abc", true },
		{ PATTERN_REGEX, 0, "ABC", "abc", false },
		{ PATTERN_REGEX, NC, "ABC", "xabcx", true },
		{ PATTERN_REGEX, 0, "^$", "", true },
		{ PATTERN_REGEX, 0, "a$", "a\n", false },
		{ PATTERN_REGEX, 0, "^.$", "\xff", true },
		{ PATTERN_REGEX, 0, "(.)\\1", "xaay", true },
	};
	struct pattern_scratch *scratch = pattern_scratch_new();

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct pattern p = fake_pattern(table[i].kind, table[i].flags, table[i].text);

		cr_expect_eq(pattern_matches(&p, span_of_string(table[i].value), scratch), table[i].matches, "%d %s %s",
			table[i].kind, table[i].text, table[i].value);
		pattern_deinit(&p);
	}
	cr_assert_eq(pattern_scratch_limit_hits(scratch), 0);
	pattern_scratch_free(scratch);
}

Test(pattern, glob_without_wildcards_is_exact)
{
	struct pattern p = fake_pattern(PATTERN_GLOB, SEG, "/a/b");

	cr_assert_eq(p.kind, PATTERN_EXACT);
	pattern_deinit(&p);
}

/* What the bytes mean, tried one way after the other. */
static bool glob_is(const char *g, const char *v, bool segments)
{
	if (g[0] == '*') {
		bool deep = g[1] == '*' || !segments;
		const char *rest = g;

		while (*rest == '*')
			rest++;
		if (glob_is(rest, v, segments))
			return true;
		return *v && (deep || *v != '/') && glob_is(g, v + 1, segments);
	}
	if (!*g || !*v)
		return *g == *v;
	if (g[0] == '?' ? segments && *v == '/' : g[0] != *v)
		return false;
	return glob_is(g + 1, v + 1, segments);
}

Test(pattern, glob_equals_plain_matcher)
{
	uint64_t random = 20;
	unsigned n_matches = 0;

	for (unsigned i = 0; i < 100000; i++) {
		unsigned flags = i & 1 ? SEG : 0;
		char text[10];
		char value[12];
		struct pattern p;
		bool matches;

		fake_text(&random, "a/**?", 8, text);
		fake_text(&random, "aab/", 10, value);
		p = fake_pattern(PATTERN_GLOB, flags, text);
		matches = pattern_matches(&p, span_of_string(value), NULL);
		cr_assert_eq(matches, glob_is(text, value, flags), "%s on %s, flags %u", text, value, flags);
		n_matches += matches;
		pattern_deinit(&p);
	}
	cr_assert_gt(n_matches, 10000, "the generator must make cases of both kinds");
	cr_assert_lt(n_matches, 90000);
}

/* A matcher that tries each way through would not end within the age of the universe. */
Test(pattern, glob_is_not_exponential, .timeout = 20)
{
	static char value[20001];
	struct pattern p = fake_pattern(PATTERN_GLOB, SEG, "/**a**a*a**a*a**a*a**a*a**a*a**a*a**a*a**a*?c/");

	memset(value, 'a', sizeof(value) - 1);
	value[0] = '/';
	cr_assert_not(pattern_matches(&p, span_of_string(value), NULL));
	pattern_deinit(&p);
}

Test(pattern, wrong_texts_are_refused_with_their_place)
{
	static char long_text[PATTERN_TEXT_BYTES_MAX + 2];
	struct pattern p;
	char error[128] = "";
	size_t offset = 0;

	cr_assert_eq(pattern_compile(&p, PATTERN_REGEX, 0, SPAN("ab(c"), error, sizeof(error), &offset), 1);
	cr_assert_eq(offset, 4);
	cr_assert_neq(error[0], '\0');
	cr_assert_null(p.text.p, "nothing is owned after a failure");
	/* Turning UTF mode on would make some values errors. */
	cr_assert_eq(pattern_compile(&p, PATTERN_REGEX, 0, SPAN("(*UTF)a"), error, sizeof(error), &offset), 1);

	memset(long_text, 'a', sizeof(long_text) - 1);
	cr_assert_eq(pattern_compile(&p, PATTERN_REGEX, 0, span_of_string(long_text), error, sizeof(error), &offset), 1);
	cr_assert_str_eq(error, "longer than 4096 bytes");
	cr_assert_eq(pattern_compile(&p, PATTERN_GLOB, 0, span_of_string(long_text), error, sizeof(error), &offset), 1);
	cr_assert_eq(pattern_compile(&p, PATTERN_EXACT, 0, span_of_string(long_text), error, sizeof(error), &offset), 0);
	pattern_deinit(&p);
}

Test(pattern, regex_runs_into_its_limits, .timeout = 20)
{
	static char value[PATTERN_REGEX_VALUE_BYTES_MAX + 2];
	struct pattern_scratch *scratch = pattern_scratch_new();
	struct pattern slow = fake_pattern(PATTERN_REGEX, 0, "^(a+)+$");
	struct pattern plain = fake_pattern(PATTERN_REGEX, 0, "a");

	memset(value, 'a', 40);
	value[40] = 'b';
	cr_assert_not(pattern_matches(&slow, span_of(value, 41), scratch));
	cr_assert_eq(pattern_scratch_limit_hits(scratch), 1);

	memset(value, 'a', sizeof(value) - 1);
	cr_assert(pattern_matches(&plain, span_of(value, PATTERN_REGEX_VALUE_BYTES_MAX), scratch));
	cr_assert_eq(pattern_scratch_limit_hits(scratch), 1);
	cr_assert_not(pattern_matches(&plain, span_of(value, PATTERN_REGEX_VALUE_BYTES_MAX + 1), scratch));
	cr_assert_eq(pattern_scratch_limit_hits(scratch), 2);

	pattern_deinit(&plain);
	plain = fake_pattern(PATTERN_REGEX, 0, "(*NO_JIT)a");
	cr_assert(plain.regex_is_slow);
	cr_assert_not(slow.regex_is_slow);
	cr_assert(pattern_matches(&plain, span_of(value, PATTERN_REGEX_VALUE_BYTES_MAX_SLOW), scratch));
	cr_assert_not(pattern_matches(&plain, span_of(value, PATTERN_REGEX_VALUE_BYTES_MAX_SLOW + 1), scratch));
	cr_assert_eq(pattern_scratch_limit_hits(scratch), 3);

	pattern_deinit(&slow);
	pattern_deinit(&plain);
	pattern_scratch_free(scratch);
}

Test(pattern, covers)
{
	static const struct {
		enum pattern_kind a_kind;
		unsigned a_flags;
		const char *a;
		enum pattern_kind b_kind;
		unsigned b_flags;
		const char *b;
		bool covers;
	} table[] = {
		{ PATTERN_PRESENT, 0, "", PATTERN_REGEX, 0, "x", true },
		{ PATTERN_PRESENT, 0, "", PATTERN_ABSENT, 0, "", false },
		{ PATTERN_ABSENT, 0, "", PATTERN_ABSENT, 0, "", true },
		{ PATTERN_ABSENT, 0, "", PATTERN_EXACT, 0, "x", false },
		{ PATTERN_EXACT, 0, "x", PATTERN_PRESENT, 0, "", false },
		{ PATTERN_EXACT, 0, "x", PATTERN_EXACT, 0, "x", true },
		{ PATTERN_EXACT, 0, "x", PATTERN_EXACT, 0, "y", false },
		{ PATTERN_EXACT, NC, "x", PATTERN_EXACT, 0, "X", true },
		{ PATTERN_EXACT, 0, "x", PATTERN_EXACT, NC, "x", false },
		{ PATTERN_PREFIX, SEG, "/a", PATTERN_PREFIX, SEG, "/a/b", true },
		{ PATTERN_PREFIX, SEG, "/a", PATTERN_PREFIX, SEG, "/a/", true },
		{ PATTERN_PREFIX, SEG, "/a/", PATTERN_PREFIX, SEG, "/a", false },
		{ PATTERN_PREFIX, SEG, "/a/b", PATTERN_PREFIX, SEG, "/a", false },
		{ PATTERN_PREFIX, SEG, "/a", PATTERN_EXACT, SEG, "/a/b/c", true },
		{ PATTERN_PREFIX, SEG, "/a", PATTERN_EXACT, SEG, "/ab", false },
		{ PATTERN_PREFIX, SEG, "/a", PATTERN_GLOB, SEG, "/a*", false },
		{ PATTERN_PREFIX, SEG, "/a", PATTERN_GLOB, SEG, "/a/*", true },
		{ PATTERN_PREFIX, SEG, "/a/", PATTERN_GLOB, SEG, "/a/**", true },
		{ PATTERN_PREFIX, SEG, "/", PATTERN_REGEX, SEG, "^/", false },
		{ PATTERN_GLOB, SEG, "/a/**", PATTERN_EXACT, SEG, "/a/b/c", true },
		{ PATTERN_GLOB, SEG, "/a/*", PATTERN_EXACT, SEG, "/a/b/c", false },
		{ PATTERN_GLOB, SEG, "/a/**", PATTERN_PREFIX, SEG, "/a/b", true },
		{ PATTERN_GLOB, SEG, "/a/**", PATTERN_PREFIX, SEG, "/a", false },
		{ PATTERN_GLOB, SEG, "/a/**", PATTERN_GLOB, SEG, "/a/*/c", true },
		{ PATTERN_GLOB, SEG, "/a/*", PATTERN_GLOB, SEG, "/a/?", false /* true, but not seen */ },
		{ PATTERN_GLOB, SEG, "/a/**", PATTERN_GLOB, SEG, "/*/b", false },
		{ PATTERN_GLOB, SEG, "**", PATTERN_REGEX, 0, "x", true },
		{ PATTERN_GLOB, NC, "*.test", PATTERN_EXACT, NC, "SHOP.test", true },
		{ PATTERN_GLOB, 0, "api*", PATTERN_GLOB, 0, "api.*.test", true },
		{ PATTERN_GLOB, 0, "*.test", PATTERN_GLOB, 0, "*.test", true },
		{ PATTERN_REGEX, 0, "^x", PATTERN_REGEX, 0, "^x", true },
		{ PATTERN_REGEX, 0, "^x", PATTERN_EXACT, 0, "x", false /* true, but not seen */ },
		{ PATTERN_REGEX, 0, "x", PATTERN_REGEX, NC, "x", false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct pattern a = fake_pattern(table[i].a_kind, table[i].a_flags, table[i].a);
		struct pattern b = fake_pattern(table[i].b_kind, table[i].b_flags, table[i].b);

		cr_expect_eq(pattern_covers(&a, &b), table[i].covers, "%s, %s", table[i].a, table[i].b);
		pattern_deinit(&a);
		pattern_deinit(&b);
	}
}

/* Where a is said to cover b, no value may be found that b matches and a does not. */
Test(pattern, covering_is_never_wrong)
{
	static const enum pattern_kind kinds[] = { PATTERN_PRESENT, PATTERN_EXACT, PATTERN_PREFIX, PATTERN_GLOB };
	uint64_t random = 21;
	unsigned n_proofs = 0;

	for (unsigned i = 0; i < 20000; i++) {
		char text[2][6];
		struct pattern p[2];

		for (unsigned k = 0; k < 2; k++) {
			fake_text(&random, "/aA**?", 5, text[k]);
			p[k] = fake_pattern(kinds[fake_below(&random, 4)], fake_below(&random, 4), text[k]);
		}
		for (unsigned k = 0; k < 100 && pattern_covers(&p[0], &p[1]); k++) {
			char value[7];

			fake_text(&random, "//aAb", 6, value);
			if (!pattern_matches(&p[1], span_of_string(value), NULL))
				continue;
			n_proofs++;
			cr_assert(pattern_matches(&p[0], span_of_string(value), NULL), "%d %u %s, %d %u %s: %s", p[0].kind,
				p[0].flags, text[0], p[1].kind, p[1].flags, text[1], value);
		}
		pattern_deinit(&p[0]);
		pattern_deinit(&p[1]);
	}
	cr_assert_gt(n_proofs, 10000);
}
