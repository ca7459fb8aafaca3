/* suggest: distances by hand, and the words that people mistype. */
#include "config/suggest.h"

#include "support.h"

Test(suggest, distances)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{ "", "", 0 }, { "abc", "abc", 0 }, { "abc", "", 3 }, { "", "abc", 3 }, { "abc", "abd", 1 }, { "abc", "ab", 1 },
		{ "abc", "abcd", 1 }, { "abc", "acb", 1 }, { "ca", "abc", 3 }, { "upsteam", "upstream", 1 }, { "delya",
			"delay", 1 },
		{ "PHASE", "phase", 0 }, { "max-headers", "max_headers", 0 }, { "kitten", "sitting", 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct span a = span_of_string(cases[i].a), b = span_of_string(cases[i].b);

		cr_expect_eq(suggest_distance(a, b, 10), cases[i].distance, "%s, %s: %u", cases[i].a, cases[i].b,
			suggest_distance(a, b, 10));
		cr_expect_eq(suggest_distance(a, b, 10), suggest_distance(b, a, 10));
		cr_expect_eq(suggest_distance(a, b, 0), MIN(cases[i].distance, 1u));
	}
}

Test(suggest, words_too_long_are_far_apart)
{
	char word[SUGGEST_WORD_BYTES_MAX + 1];

	memset(word, 'a', sizeof(word));
	cr_expect_eq(suggest_distance(span_of(word, sizeof(word)), span_of(word, sizeof(word)), 3), 4);
	cr_expect_eq(suggest_distance(span_of(word, sizeof(word) - 1), span_of(word, sizeof(word) - 1), 3), 0);
}

Test(suggest, best_candidate)
{
	static const char *const words[] = { "match", "phase", "percentage", "sampling", "key", "abort", "after", "delay" };
	static const char *const cases[][2] = {
		{ "mach", "match" }, { "percent", "percentage" }, { "smapling", "sampling" }, { "kye", "key" }, { "abrot",
			"abort" },
		{ "x", "" }, { "latency", "" }, { "", "" }, { "toxicity", "" }, { "affter", "after" },
		{ "porcentagexx", "percentage" }, { "porcontagexx", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct suggestion s;

		suggest_begin(&s, span_of_string(cases[i][0]));
		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			suggest_offer(&s, span_of_string(words[k]));
		cr_expect(span_eq(s.best, span_of_string(cases[i][1])), "%s: %.*s", cases[i][0], SPAN_ARG(s.best));
	}
}
