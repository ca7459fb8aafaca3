/*
 * status_line: the text, its width, its colours. That it is drawn in place is seen on a terminal only.
 */
#include "cli/status_line.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct counters total;

static void fill(void)
{
	counter_add(&total, COUNTER_REQUESTS, 1234);
	counter_bump(&total.faults[FAULT_ABORT], 10);
	counter_bump(&total.faults[FAULT_DELAY], 1);
	counter_bump(&total.faults[FAULT_PASS], 1);
	gauge_add(&total.active, 3);
	gauge_add(&total.held, 2);
	counter_add(&total, COUNTER_UPSTREAM_FAILURES, 1);
}

TestSuite(status_line, .init = fill);

static void expect(const struct status_line *s, int64_t now_ns, unsigned columns, const char *expected)
{
	struct text out;

	text_init(&out);
	status_line_write(s, &total, 0, now_ns, columns, &out);
	cr_expect(span_eq(text_span(&out), span_of_string(expected)), "got: %.*s", SPAN_ARG(text_span(&out)));
	text_deinit(&out);
}

Test(status_line, text)
{
	struct status_line s = { .rate = 56.4 };

	expect(&s, 0, 0, "1234 requests, 56/s, 12 faults, 3 active, 2 held, 1 errors, 0s");
}

Test(status_line, elapsed)
{
	struct status_line s = { .rate = 0, .start_ns = NS_PER_S };
	static const struct {
		int64_t seconds;
		const char *shown;
	} cases[] = { { 59, "59s" }, { 60, "1m00s" }, { 3599, "59m59s" }, { 3600, "1h00m" }, { 360000, "100h00m" } };

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		char expected[128];

		(void)snprintf(expected, sizeof(expected), "1234 requests, 0/s, 12 faults, 3 active, 2 held, 1 errors, %s",
			cases[i].shown);
		expect(&s, (cases[i].seconds + 1) * NS_PER_S, 0, expected);
	}
}

Test(status_line, is_cut_to_the_width)
{
	struct status_line s = { .rate = 0 };

	expect(&s, 0, 20, "1234 requests, 0/s, ");
	expect(&s, 0, 23, "1234 requests, 0/s, 12 ");
	expect(&s, 0, 1, "1");
}

Test(status_line, colours_take_no_width)
{
	struct status_line s = { .rate = 0, .color = true };

	expect(&s, 0, 0,
		"1234 requests, 0/s, \x1b[33m12 faults\x1b[0m, 3 active, 2 held, \x1b[31m1 errors\x1b[0m, 0s");
	expect(&s, 0, 22, "1234 requests, 0/s, \x1b[33m12\x1b[0m");
	expect(&s, 0, 20, "1234 requests, 0/s, ");
}

Test(status_line, nothing_wrong_has_no_colour)
{
	static struct counters none;
	struct status_line s = { .rate = 0, .color = true };
	struct text out;

	text_init(&out);
	status_line_write(&s, &none, 0, 0, 0, &out);
	cr_expect(span_eq(text_span(&out), SPAN("0 requests, 0/s, 0 faults, 0 active, 0 held, 0 errors, 0s")));
	text_deinit(&out);
}

Test(status_line, lines_that_were_lost)
{
	struct status_line s = { .rate = 0 };
	struct text out;

	text_init(&out);
	status_line_write(&s, &total, 7, 0, 0, &out);
	text_put_char(&out, '\0');
	cr_expect(strstr(out.p, "1 errors, 7 log lines lost, 0s"), "%s", out.p);
	text_deinit(&out);
}
