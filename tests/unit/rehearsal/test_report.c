/*
 * Reports: the whole text for people; numbers and their units; what is left out. That the forms for machines are what they claim
 * to be is for their readers to say: check_reports.
 */
#include <criterion/criterion.h>

#include "rehearsal/report.h"
#include "rehearsal/report_value.h"
#include "verdicts.h"

static void expect_text(const struct verdict *v, bool color, const char *wanted)
{
	struct text out;

	text_init(&out);
	report_write_text(v, color, &out);
	cr_expect(span_eq(text_span(&out), span_of_string(wanted)), "got:\n%.*s\nwanted:\n%s", SPAN_ARG(text_span(&out)), wanted);
	text_deinit(&out);
}

Test(report, what_failed_comes_first_with_its_evidence)
{
	struct verdict v;

	verdicts_bad(&v);
	expect_text(&v, false,
		"verdict: FAIL (2 failed, 1 warning, 1 inconclusive, 1 passed)   seed 18446744073709551615   rules,1:%.yaml   "
		"41.2 s\n"
		"      traffic           412 requests (208 logical), 204 retries, 96 faults, 4 clients, 1 given up\n"
		" FAIL retry_after       61 of 80 follow-ups kept the wait (76.2 %) [honoured 76.2 %, wanted >= 100 %]\n"
		"         100000000012 -> 100000000015  +512 ms  GET /a|b?<x>&]]>\"'`#*_\\  1.62 s before 2 s  (127.0.0.1)\n"
		"         100000000012 -> 100000000015  +512 ms  GET /?[31m???\xef\xbf\xbf?::error::x%0A # TO" "DO  ...  "
		"(127.0.0.1)\n"
		"         and 17 more\n"
		" FAIL duplicates        executed twice: 3   POST /charge [duplicates 3, wanted <= 0]\n"
		" WARN herd              38 of 40 retries inside 120 ms [peak_share 95 %, wanted < 80 %]\n"
		"  ??  circuit_breaker   baseline 2.1/s is below 5/s [opens_within, wanted <= 20]\n"
		"  ok  attempts          at most 4\n"
		"  --  backoff           exponential: each wait x1.97 of the one before\n"
		"      policy            looks like exponential 0.5 s x2, x0.75..1 jitter, 3 attempts\n"
		"      not identifiable  what comes next comes as soon as a retry would: name a header that tells "
		"logical requests apart (observe: logical_key)\n"
		"      reproduce         brownout run rules.yaml --seed 42 -- npm test 'a \"b\" c'\n");
}

Test(report, good_and_nothing)
{
	struct verdict v;

	verdicts_good(&v);
	expect_text(&v, true,
		"verdict: \x1b[32mPASS\x1b[0m (1 passed)   rules.yaml   0.0 s\n"
		"      traffic           2 requests (1 logical), 1 retry, 1 fault, 1 client\n"
		" \x1b[32m ok \x1b[0m attempts          at most 2\n");
	v.run.unjudged = true;
	expect_text(&v, false,
		"verdict: NOT JUDGED (nothing is expected)   rules.yaml   0.0 s\n"
		"      traffic           2 requests (1 logical), 1 retry, 1 fault, 1 client\n"
		"  ok  attempts          at most 2\n");
	verdicts_nothing(&v);
	v.run.live = true;
	expect_text(&v, false,
		"verdict so far: PASS (nothing was judged)   0.0 s\n"
		"      traffic           0 requests (0 logical), 0 retries, 0 faults, 0 clients\n");
}

Test(report, what_is_unsure_is_explained_once)
{
	struct verdict v;

	verdicts_good(&v);
	(void)snprintf(v.checks[CHECK_ATTEMPTS].text, sizeof(v.checks[CHECK_ATTEMPTS].text), "at most 2; " VERDICT_UNSURE);
	(void)snprintf(v.checks[CHECK_JITTER].text, sizeof(v.checks[CHECK_JITTER].text), VERDICT_UNSURE);
	v.checks[CHECK_JITTER].status = CHECK_INCONCLUSIVE;
	expect_text(&v, false,
		"verdict: PASS (1 inconclusive, 1 passed)   rules.yaml   0.0 s\n"
		"      traffic           2 requests (1 logical), 1 retry, 1 fault, 1 client\n"
		"  ??  jitter            not identifiable\n"
		"  ok  attempts          at most 2; not identifiable\n"
		"      not identifiable  what comes next comes as soon as a retry would: name a header that tells "
		"logical requests apart (observe: logical_key)\n");
}

Test(report, numbers_say_no_more_than_they_know)
{
	static const struct {
		enum expect_unit unit;
		double value;
		const char *text;
	} rows[] = {
		{ EXPECT_UNIT_COUNT, 4, "4" }, { EXPECT_UNIT_COUNT, 2.5, "2.5" }, { EXPECT_UNIT_COUNT, 0, "0" },
		{ EXPECT_UNIT_FACTOR, 1.97, "1.97" }, { EXPECT_UNIT_FACTOR, 2, "2" },
		{ EXPECT_UNIT_SHARE, 1, "100 %" }, { EXPECT_UNIT_SHARE, 0.9996, "99.9 %" }, { EXPECT_UNIT_SHARE, 0.29, "29 %" },
		{ EXPECT_UNIT_SHARE, 0, "0 %" },
		{ EXPECT_UNIT_TIME, 250e6, "250 ms" }, { EXPECT_UNIT_TIME, 1.5e6, "1.5 ms" },
		{ EXPECT_UNIT_TIME, 1.5e9, "1.50 s" },
		{ EXPECT_UNIT_TIME, 120e9, "120 s" }, { EXPECT_UNIT_FLAG, 1, "yes" }, { EXPECT_UNIT_FLAG, 0, "no" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char block[64];
		struct text t;

		text_init_fixed(&t, block, sizeof(block));
		report_put_value(&t, rows[i].unit, rows[i].value);
		cr_expect(span_eq(text_span(&t), span_of_string(rows[i].text)), "%.*s is not %s", SPAN_ARG(text_span(&t)),
			rows[i].text);
	}
}

Test(report, inconclusive_comes_to_what_was_asked)
{
	struct verdict v = { .inconclusive = EXPECT_INCONCLUSIVE_FAIL };

	cr_expect_eq(report_comes_to(&v, CHECK_INCONCLUSIVE), CHECK_FAIL);
	cr_expect_eq(report_comes_to(&v, CHECK_PASS), CHECK_PASS);
	v.inconclusive = EXPECT_INCONCLUSIVE_WARN;
	cr_expect_eq(report_comes_to(&v, CHECK_INCONCLUSIVE), CHECK_WARN);
	v.inconclusive = EXPECT_INCONCLUSIVE_PASS;
	cr_expect_eq(report_comes_to(&v, CHECK_INCONCLUSIVE), CHECK_PASS);
	cr_expect_eq(report_comes_to(&v, CHECK_FAIL), CHECK_FAIL);
}

Test(report, the_reference_has_every_check_and_limit)
{
	struct text out;

	text_init(&out);
	report_write_reference(&out);
	text_put_char(&out, '\0');
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		cr_expect(strstr(out.p, check_name((enum check_id)i)));
		cr_expect(strstr(out.p, check_help((enum check_id)i)));
	}
	for (unsigned i = 0; i < EXPECT_COUNT; i++)
		cr_expect(strstr(out.p, expect_key_name((enum expect_key)i)));
	cr_expect(strstr(out.p,
			  "  retry_after.honoured                   >= 100 %        >= 100 %        >= 100 %        >= 100 %\n"),
		"%s", out.p);
	text_deinit(&out);
}
