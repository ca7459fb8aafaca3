/*
 * text: numbers against what they must look like, and what happens at the end of the room.
 */
#include "base/text.h"

#include <criterion/criterion.h>

#define EXPECT_TEXT(t, literal) \
	cr_expect(span_eq(text_span(t), SPAN(literal)), "got \"%.*s\", not \"%s\"", SPAN_ARG(text_span(t)), (literal))

Test(text, numbers)
{
	struct text t;

	text_init(&t);
	text_put_u64(&t, 0);
	text_put_char(&t, ' ');
	text_put_u64(&t, UINT64_MAX);
	text_put_char(&t, ' ');
	text_put_i64(&t, INT64_MIN);
	text_put_char(&t, ' ');
	text_put_i64(&t, -1);
	text_put_char(&t, ' ');
	text_put_i64(&t, INT64_MAX);
	EXPECT_TEXT(&t, "0 18446744073709551615 -9223372036854775808 -1 9223372036854775807");
	text_clear(&t);
	text_put_hex(&t, 0, 0);
	text_put_char(&t, ' ');
	text_put_hex(&t, 0xbeef, 1);
	text_put_char(&t, ' ');
	text_put_hex(&t, 0xbeef, 6);
	text_put_char(&t, ' ');
	text_put_hex(&t, UINT64_MAX, 99);
	EXPECT_TEXT(&t, "0 beef 00beef ffffffffffffffff");
	text_deinit(&t);
}

Test(text, seconds)
{
	static const struct {
		int64_t ns;
		unsigned decimals;
		const char *out;
	} rows[] = {
		{ 0, 0, "0" },
		{ 0, 3, "0.000" },
		{ 1250 * NS_PER_MS, 3, "1.250" },
		{ 1250 * NS_PER_MS, 0, "1" },
		{ 1999999999, 3, "1.999" }, /* truncated, not rounded */
		{ 1, 9, "0.000000001" },
		{ 1, 8, "0.00000000" },
		{ -1250 * NS_PER_MS, 2, "-1.25" },
		{ INT64_MAX, 9, "9223372036.854775807" },
		{ INT64_MIN, 9, "-9223372036.854775808" },
		{ 5, 12, "0.000000005" }, /* nine at most */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t;

		text_init(&t);
		text_put_seconds(&t, rows[i].ns, rows[i].decimals);
		cr_expect(span_eq(text_span(&t), span_of_string(rows[i].out)), "row %zu: %.*s", i, SPAN_ARG(text_span(&t)));
		text_deinit(&t);
	}
}

/* Nothing that drives a terminal gets out, and nothing that is no text. */
Test(text, shown)
{
	const struct {
		struct span s;
		const char *shown;
	} cases[] = {
		{ SPAN("a b\tc"), "a b\tc" },
		{ SPAN("a\nb\rc\x1b[2Jd\0e\x7f"), "a?b?c?[2Jd?e?" },
		{ SPAN("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80" },
		/* The first and the last of C1, and what comes behind. */
		{ SPAN("\xc2\x80\xc2\x9b" "2J\xc2\x9f\xc2\xa0"), "??2J?\xc2\xa0" },
		{ SPAN("\xff\xc3(\xe2\x82"), "?" "?(?" "?" },
		{ SPAN(""), "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct text t;

		text_init(&t);
		text_put_shown(&t, cases[i].s);
		cr_expect(span_eq(text_span(&t), span_of_string(cases[i].shown)), "case %zu: %.*s", i, SPAN_ARG(text_span(&t)));
		text_deinit(&t);
	}
}

Test(text, fixed_is_cut_at_the_first_that_does_not_fit)
{
	char block[4];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	text_put_literal(&t, "abcd");
	cr_expect_not(t.cut);
	text_put(&t, "", 0);
	cr_expect_not(t.cut);
	text_put_char(&t, 'e');
	cr_expect(t.cut);
	EXPECT_TEXT(&t, "abcd");

	text_clear(&t);
	text_put_literal(&t, "ab");
	text_put_literal(&t, "cde");
	cr_expect(t.cut);
	text_put_char(&t, 'f'); /* would fit, but leaves a hole */
	EXPECT_TEXT(&t, "ab");
	cr_expect_null(text_reserve(&t, 1));

	text_clear(&t);
	cr_expect_not_null(text_reserve(&t, 4));
	cr_expect_null(text_reserve(&t, 5));
	cr_expect(t.cut);
	text_deinit(&t);
}

Test(text, printf_needs_no_room_for_a_nul)
{
	char block[5];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	text_printf(&t, "%d-%s", 12, "ab");
	cr_expect_not(t.cut);
	EXPECT_TEXT(&t, "12-ab");
	text_printf(&t, "%s", "");
	cr_expect_not(t.cut);
	text_printf(&t, "%d", 1);
	cr_expect(t.cut);
	EXPECT_TEXT(&t, "12-ab");
}

Test(text, grows)
{
	struct text t;
	size_t wanted = 0;

	text_init(&t);
	cr_expect(span_eq(text_span(&t), SPAN_EMPTY));
	for (unsigned i = 0; i < 10000; i++) {
		text_put_u64(&t, i % 10);
		text_printf(&t, "%u", i % 10);
		wanted += 2;
	}
	cr_expect_not(t.cut);
	cr_assert_eq(t.n, wanted);
	for (size_t i = 0; i < t.n; i++)
		cr_assert_eq(t.p[i], (char)('0' + i / 2 % 10));
	cr_expect_null(text_reserve(&t, SIZE_MAX));
	cr_expect(t.cut);
	cr_expect_eq(t.n, wanted);
	text_deinit(&t);
	cr_expect_eq(t.n, 0);
	text_put_literal(&t, "again");
	EXPECT_TEXT(&t, "again");
	text_deinit(&t);
}

Test(text, reserve_then_add)
{
	struct text t;
	char *at;

	text_init(&t);
	text_put_literal(&t, "head:");
	at = text_reserve(&t, 1000);
	cr_assert_not_null(at);
	memset(at, 'x', 1000);
	t.n += 3;
	EXPECT_TEXT(&t, "head:xxx");
	text_deinit(&t);
}
