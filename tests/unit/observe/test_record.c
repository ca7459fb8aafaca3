/*
 * record: the text block takes what fits, the target is cut first, and says so.
 */
#include "observe/record.h"

#include <criterion/criterion.h>

static char filler[RECORD_TEXT_BYTES + 100];

static struct span of(unsigned n)
{
	memset(filler, 'x', sizeof(filler));
	return span_of(filler, n);
}

Test(record, text_comes_back)
{
	static struct record r;

	record_set_text(&r, SPAN("GET"), SPAN("a.test"), SPAN("/x?y"));
	cr_expect(span_eq(record_method(&r), SPAN("GET")));
	cr_expect(span_eq(record_host(&r), SPAN("a.test")));
	cr_expect(span_eq(record_target(&r), SPAN("/x?y")));
	cr_expect_not(r.text_cut);
	record_set_text(&r, SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY);
	cr_expect_eq(record_method(&r).n + record_host(&r).n + record_target(&r).n, 0);
	cr_expect_not(r.text_cut);
}

Test(record, what_does_not_fit_is_cut_from_the_end)
{
	static const struct {
		unsigned method, host, target;
		unsigned kept_method, kept_host, kept_target;
		bool cut;
	} cases[] = {
		{ 3, 9, RECORD_TEXT_BYTES - 12, 3, 9, RECORD_TEXT_BYTES - 12, false },
		{ 3, 9, RECORD_TEXT_BYTES - 11, 3, 9, RECORD_TEXT_BYTES - 12, true },
		{ 3, RECORD_TEXT_BYTES + 1, 5, 3, RECORD_TEXT_BYTES - 3, 0, true },
		{ RECORD_TEXT_BYTES + 50, 1, 1, RECORD_TEXT_BYTES, 0, 0, true },
		{ RECORD_TEXT_BYTES, 0, 0, RECORD_TEXT_BYTES, 0, 0, false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		static struct record r;

		record_set_text(&r, of(cases[i].method), of(cases[i].host), of(cases[i].target));
		cr_expect_eq(record_method(&r).n, cases[i].kept_method, "case %u", i);
		cr_expect_eq(record_host(&r).n, cases[i].kept_host, "case %u", i);
		cr_expect_eq(record_target(&r).n, cases[i].kept_target, "case %u", i);
		cr_expect_eq(r.text_cut, cases[i].cut, "case %u", i);
	}
}
