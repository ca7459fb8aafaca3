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
		{ 3, RECORD_TEXT_BYTES, 0, 3, RECORD_TEXT_BYTES - 3, 0, true },
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

Test(record, decisions_of_both_phases_find_room)
{
	static struct fault_plan plan = { .n_decisions = DECISIONS_MAX, .n_decisions_lost = 3 };
	static struct record_decisions d, copy;

	for (unsigned i = 0; i < DECISIONS_MAX; i++)
		plan.decisions[i].occurrence = i + 1;
	record_decisions_init(&d);
	record_decisions_add(&d, &plan);
	cr_expect_eq(d.n, DECISIONS_MAX);
	cr_expect_eq(d.lost, 3);
	plan.n_decisions_lost = 0;
	record_decisions_add(&d, &plan);
	cr_expect_eq(d.n, RECORD_DECISIONS_MAX);
	cr_expect_eq(d.lost, 3);
	cr_expect_eq(d.v[DECISIONS_MAX].occurrence, 1);
	/* A third phase there is not; what does not fit is counted. */
	plan.n_decisions = 2;
	record_decisions_add(&d, &plan);
	cr_expect_eq(d.n, RECORD_DECISIONS_MAX);
	cr_expect_eq(d.lost, 5);

	d.n = 4;
	memset(&copy, 0xee, sizeof(copy));
	record_decisions_copy(&copy, &d);
	cr_expect_eq(copy.n, 4);
	cr_expect_eq(copy.lost, 5);
	cr_expect_eq(copy.v[3].occurrence, 4);
	cr_expect_eq(copy.v[4].occurrence, UINT64_C(0xeeeeeeeeeeeeeeee), "only what there is was copied");
}
