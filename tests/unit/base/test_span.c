/*
 * span: tables of inputs and what must come out, each span in a block of exactly its size so that the sanitizer sees a
 * read past its end.
 */
#include "base/span.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* A copy without a byte to spare. */
static struct span tight(struct span s)
{
	char *p = malloc(s.n ? s.n : 1);

	cr_assert_not_null(p);
	if (s.n)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

static void tight_free(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

Test(span, eq_and_nocase)
{
	const struct {
		struct span a, b;
		bool eq, nocase;
	} rows[] = {
		{ SPAN(""), SPAN_EMPTY, true, true },
		{ SPAN("a"), SPAN(""), false, false },
		{ SPAN("Host"), SPAN("Host"), true, true },
		{ SPAN("Host"), SPAN("hOST"), false, true },
		{ SPAN("Host"), SPAN("Hos"), false, false },
		{ SPAN("a\0b"), SPAN("a\0c"), false, false },
		{ SPAN("@[`{"), SPAN("`{@["), false, false }, /* neighbours of the letters, 32 apart */
		{ SPAN("\xc4"), SPAN("\xe4"), false, false }, /* no letter to HTTP */
		{ SPAN("K"), SPAN("\xe2\x84\xaa"), false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span a = tight(rows[i].a), b = tight(rows[i].b);

		cr_expect_eq(span_eq(a, b), rows[i].eq, "row %zu", i);
		cr_expect_eq(span_eq_nocase(a, b), rows[i].nocase, "row %zu", i);
		cr_expect_eq(span_eq_nocase(b, a), rows[i].nocase, "row %zu, turned", i);
		tight_free(a);
		tight_free(b);
	}
}

Test(span, parts)
{
	struct span s = SPAN("abc");

	cr_expect(span_eq(span_skip(s, 1), SPAN("bc")));
	cr_expect(span_eq(span_skip(s, 3), SPAN("")));
	cr_expect(span_eq(span_skip(s, 9), SPAN("")));
	cr_expect_eq(span_skip(s, 9).p, s.p + 3);
	cr_expect_null(span_skip(SPAN_EMPTY, 1).p);
	cr_expect(span_eq(span_first(s, 2), SPAN("ab")));
	cr_expect(span_eq(span_first(s, 9), s));
	cr_expect(span_starts_with(s, SPAN("ab")));
	cr_expect(span_starts_with(s, SPAN_EMPTY));
	cr_expect_not(span_starts_with(s, SPAN("abcd")));
	cr_expect_not(span_starts_with(s, SPAN("b")));
	cr_expect_eq(span_find(s, 'c'), 2);
	cr_expect_eq(span_find(s, 'x'), 3);
	cr_expect_eq(span_find(SPAN_EMPTY, 'x'), 0);
	cr_expect_eq(span_find(SPAN("a\0b"), '\0'), 1);
	cr_expect_eq(span_of_string(NULL).n, 0);
	cr_expect(span_eq(span_of_string("xyz"), SPAN("xyz")));
}

Test(span, trim)
{
	const struct {
		struct span in, out;
	} rows[] = {
		{ SPAN(""), SPAN("") },
		{ SPAN(" \t "), SPAN("") },
		{ SPAN("a"), SPAN("a") },
		{ SPAN(" \ta b\t "), SPAN("a b") },
		{ SPAN("\na\r"), SPAN("\na\r") }, /* OWS is SP and HTAB only */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span s = tight(rows[i].in);

		cr_expect(span_eq(span_trim(s), rows[i].out), "row %zu", i);
		tight_free(s);
	}
}

Test(span, elements)
{
	const struct {
		struct span in;
		const char *elements[6];
	} rows[] = {
		{ SPAN_EMPTY, { NULL } },
		{ SPAN(""), { "" } },
		{ SPAN("a"), { "a" } },
		{ SPAN("a,"), { "a", "" } },
		{ SPAN(",a"), { "", "a" } },
		{ SPAN(" a , ,\tb c\t"), { "a", "", "b c" } },
		{ SPAN("a=\"x,y\",b"), { "a=\"x,y\"", "b" } },
		{ SPAN("\"a\\\",b\",c"), { "\"a\\\",b\"", "c" } },
		{ SPAN("a\\,b"), { "a\\", "b" } }, /* a backslash means something in quotes only */
		{ SPAN("\"open,b"), { "\"open,b" } },
		{ SPAN("\"open\\"), { "\"open\\" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span whole = rows[i].in.p ? tight(rows[i].in) : SPAN_EMPTY;
		struct span rest = whole, element;
		size_t n = 0;

		while (span_next_element(&rest, &element)) {
			cr_assert_lt(n, ARRAY_LEN(rows[i].elements));
			cr_assert_not_null(rows[i].elements[n], "row %zu has too many", i);
			cr_expect(span_eq(element, span_of_string(rows[i].elements[n])), "row %zu, element %zu", i, n);
			n++;
		}
		cr_expect(n == ARRAY_LEN(rows[i].elements) || !rows[i].elements[n], "row %zu ends after %zu", i, n);
		cr_expect_not(span_next_element(&rest, &element), "row %zu goes on", i);
		if (whole.p)
			tight_free(whole);
	}
}

Test(span, to_u64)
{
	const struct {
		struct span in;
		int rc;
		uint64_t value;
	} rows[] = {
		{ SPAN("0"), 0, 0 },
		{ SPAN("007"), 0, 7 },
		{ SPAN("18446744073709551615"), 0, UINT64_MAX },
		{ SPAN("00000000000000000000018446744073709551615"), 0, UINT64_MAX },
		{ SPAN("18446744073709551616"), 1, 0 },
		{ SPAN("18446744073709551620"), 1, 0 },
		{ SPAN("99999999999999999999"), 1, 0 },
		{ SPAN(""), 1, 0 },
		{ SPAN("+1"), 1, 0 },
		{ SPAN("-1"), 1, 0 },
		{ SPAN(" 1"), 1, 0 },
		{ SPAN("1 "), 1, 0 },
		{ SPAN("0x1"), 1, 0 },
		{ SPAN("1\0"), 1, 0 },
		{ SPAN("1e3"), 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span s = tight(rows[i].in);
		uint64_t value = 4711;

		cr_expect_eq(span_to_u64(s, &value), rows[i].rc, "row %zu", i);
		cr_expect_eq(value, rows[i].rc ? 4711 : rows[i].value, "row %zu", i);
		tight_free(s);
	}
}

Test(span, utf8_length)
{
	const struct {
		struct span in;
		unsigned n;
	} rows[] = {
		{ SPAN(""), 0 },
		{ SPAN("\0"), 1 },
		{ SPAN("a\xff"), 1 },
		{ SPAN("\x7f"), 1 },
		{ SPAN("\x80"), 0 }, /* a following byte alone */
		{ SPAN("\xc0\x80"), 0 }, /* overlong */
		{ SPAN("\xc1\xbf"), 0 },
		{ SPAN("\xc2\x80"), 2 },
		{ SPAN("\xdf\xbf"), 2 },
		{ SPAN("\xc2"), 0 },
		{ SPAN("\xc2" "a"), 0 },
		{ SPAN("\xe0\x9f\xbf"), 0 }, /* overlong */
		{ SPAN("\xe0\xa0\x80"), 3 },
		{ SPAN("\xed\x9f\xbf"), 3 },
		{ SPAN("\xed\xa0\x80"), 0 }, /* a surrogate */
		{ SPAN("\xed\xbf\xbf"), 0 },
		{ SPAN("\xee\x80\x80"), 3 },
		{ SPAN("\xef\xbf\xbf"), 3 },
		{ SPAN("\xe2\x82"), 0 },
		{ SPAN("\xe2\x82" "a"), 0 },
		{ SPAN("\xf0\x8f\xbf\xbf"), 0 }, /* overlong */
		{ SPAN("\xf0\x90\x80\x80"), 4 },
		{ SPAN("\xf4\x8f\xbf\xbf"), 4 },
		{ SPAN("\xf4\x90\x80\x80"), 0 }, /* above U+10FFFF */
		{ SPAN("\xf5\x80\x80\x80"), 0 },
		{ SPAN("\xf0\x90\x80"), 0 },
		{ SPAN("\xff"), 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span s = tight(rows[i].in);

		cr_expect_eq(span_utf8_length(s), rows[i].n, "row %zu: %u", i, span_utf8_length(s));
		tight_free(s);
	}
}

Test(span, dup)
{
	char *copy = span_dup(SPAN("a\0b"));

	cr_assert_not_null(copy);
	cr_expect_eq(memcmp(copy, "a\0b\0", 4), 0);
	free(copy);
	copy = span_dup(SPAN_EMPTY);
	cr_assert_not_null(copy);
	cr_expect_eq(copy[0], '\0');
	free(copy);
}
