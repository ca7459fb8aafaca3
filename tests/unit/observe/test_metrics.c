/*
 * metrics: both formats to the letter, label values that would break them, and which of the two a client prefers.
 */
#include "observe/metrics.h"

#include <criterion/criterion.h>

static struct text out;
static struct metrics m;

static void begin(bool openmetrics)
{
	text_clear(&out);
	metrics_begin(&m, &out, openmetrics);
}

static void start(void)
{
	text_init(&out);
	begin(false);
}

static void end(void)
{
	text_deinit(&out);
}

TestSuite(metrics, .init = start, .fini = end);

static void expect(const char *text)
{
	text_put_char(&out, '\0');
	cr_expect_str_eq(out.p, text, "it says:\n%s", out.p);
}

Test(metrics, counter_as_text)
{
	metrics_one(&m, METRIC_RECEIVED, UINT64_MAX);
	metrics_end(&m);
	expect("# HELP brownout_received_bytes_total bytes of requests read from clients\n"
	       "# TYPE brownout_received_bytes_total counter\n"
	       "brownout_received_bytes_total 18446744073709551615\n");
}

Test(metrics, counter_as_openmetrics)
{
	begin(true);
	metrics_one(&m, METRIC_RECEIVED, 0);
	metrics_end(&m);
	expect("# HELP brownout_received_bytes bytes of requests read from clients\n"
	       "# TYPE brownout_received_bytes counter\n"
	       "# UNIT brownout_received_bytes bytes\n"
	       "brownout_received_bytes_total 0\n"
	       "# EOF\n");
}

Test(metrics, info_in_both)
{
	struct span version = SPAN("1.2.3");

	metrics_family(&m, METRIC_BUILD);
	metrics_u64(&m, &version, 1);
	metrics_end(&m);
	expect("# HELP brownout_build_info the version that runs; the value is 1\n"
	       "# TYPE brownout_build_info gauge\n"
	       "brownout_build_info{version=\"1.2.3\"} 1\n");
	begin(true);
	metrics_family(&m, METRIC_BUILD);
	metrics_u64(&m, &version, 1);
	metrics_end(&m);
	expect("# HELP brownout_build the version that runs; the value is 1\n"
	       "# TYPE brownout_build info\n"
	       "brownout_build_info{version=\"1.2.3\"} 1\n"
	       "# EOF\n");
}

Test(metrics, labels_are_in_order_and_escaped)
{
	const struct span labels[] = { SPAN("a\"b"), SPAN("c\\d\ne"), SPAN_EMPTY };

	metrics_family(&m, METRIC_REQUESTS);
	text_clear(&out);
	metrics_u64(&m, labels, 7);
	expect("brownout_requests_total{listener=\"a\\\"b\",upstream=\"c\\\\d\\ne\",class=\"\"} 7\n");
}

Test(metrics, values)
{
	metrics_family(&m, METRIC_PROCESS_START_TIME);
	text_clear(&out);
	metrics_seconds(&m, NULL, 1500000000 * NS_PER_S + 1);
	expect("process_start_time_seconds 1500000000.000000001\n");
}

/* The number behind the line that begins so; -1 where there is none. */
static double value_of(const char *line)
{
	const char *at;

	text_put_char(&out, '\0');
	out.n--;
	at = strstr(out.p, line);
	return at ? strtod(at + strlen(line), NULL) : -1;
}

Test(metrics, histogram_adds_up)
{
	static struct histogram h;

	histogram_add(&h, 5);
	histogram_add(&h, 10000);
	histogram_add(&h, 10001);
	histogram_add(&h, 200 * NS_PER_S);
	histogram_add(&h, -1);
	metrics_one_histogram(&m, METRIC_DELAY, &h);
	cr_expect_eq(value_of("brownout_delay_seconds_bucket{le=\"1e-05\"} "), 2);
	cr_expect_eq(value_of("brownout_delay_seconds_bucket{le=\"2.5e-05\"} "), 3);
	cr_expect_eq(value_of("brownout_delay_seconds_bucket{le=\"100.0\"} "), 3);
	cr_expect_eq(value_of("brownout_delay_seconds_bucket{le=\"+Inf\"} "), 4);
	cr_expect_eq(value_of("brownout_delay_seconds_count "), 4);
	cr_expect(strstr(out.p, "brownout_delay_seconds_sum 200.000020006\n"), "%s", out.p);
}

Test(metrics, sum_of_a_histogram_outgrows_signed_numbers)
{
	static struct histogram h;

	atomic_store(&h.sum_ns, UINT64_MAX);
	metrics_one_histogram(&m, METRIC_DELAY, &h);
	text_put_char(&out, '\0');
	cr_expect(strstr(out.p, "brownout_delay_seconds_sum 18446744073.709551615\n"), "%s", out.p);
}

Test(metrics, table_keeps_to_the_rules_of_both_formats)
{
	static const struct {
		const char *name, *type, *unit, *labels, *help;
	} rows[] = {
#define METRIC(id, name, type, unit, labels, help) { name, #type, unit, labels, help },
#include "observe/metrics.def"
#undef METRIC
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span name = span_of_string(rows[i].name), unit = span_of_string(rows[i].unit);

		cr_expect(span_starts_with(name, SPAN("brownout_")) || span_starts_with(name, SPAN("process_")), "%s",
			rows[i].name);
		if (unit.n) /* OpenMetrics: a unit is the end of the name */
			cr_expect(name.n > unit.n && span_eq(span_skip(name, name.n - unit.n), unit), "%s", rows[i].name);
		cr_expect_eq(strstr(rows[i].name, "_total"), NULL, "%s", rows[i].name);
		cr_expect_eq(strstr(rows[i].name, "_info"), NULL, "%s", rows[i].name);
		cr_expect_eq(strpbrk(rows[i].help, "\\\n"), NULL, "the help of %s needs escapes", rows[i].name);
		cr_expect_eq(strcspn(rows[i].labels, " "), strlen(rows[i].labels), "%s", rows[i].name);
		for (size_t k = 0; k < i; k++)
			cr_expect_str_neq(rows[k].name, rows[i].name);
	}
}

Test(metrics, reference_names_each)
{
	metrics_write_reference(&out);
	text_put_char(&out, '\0');
	cr_expect(strstr(out.p, "  brownout_requests_total  counter by listener, upstream, class\n"), "%s", out.p);
	cr_expect(strstr(out.p, "  brownout_build_info  info by version\n"));
	cr_expect(strstr(out.p, "  brownout_delay_seconds  histogram\n"));
}

Test(metrics, format_is_the_preferred_one)
{
	static const struct {
		const char *accept;
		bool openmetrics;
	} rows[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "text/plain", false },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", false },
		{ "application/openmetrics-text", true },
		{ "Application/OpenMetrics-Text ; Version=1.0.0", true },
		{ "application/openmetrics-text;version=0.0.1", false },
		{ "application/openmetrics-text;version=2.0.0,text/plain", false },
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
			true },
		{ "application/openmetrics-text;q=0.5,text/plain;q=0.6", false },
		{ "application/openmetrics-text;q=0.6,text/plain;q=0.599", true },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text;q=0.000", false },
		{ "application/openmetrics-text;q=0.001", true },
		{ "application/openmetrics-text;q=", false },
		{ "application/openmetrics-text;q=x", false },
		{ "application/openmetrics-text;q=1x", false },
		{ "application/openmetrics-text;q=9,text/plain;q=1", true },
		{ "application/openmetrics-text;;;", true },
		{ ";q=1,,;,=", false },
		{ "application/openmetrics-text;=", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(metrics_accepts_openmetrics(span_of_string(rows[i].accept)), rows[i].openmetrics, "%s",
			rows[i].accept ? rows[i].accept : "nothing");
	cr_expect(strstr(metrics_content_type(true), "application/openmetrics-text; version=1.0.0"));
	cr_expect(strstr(metrics_content_type(false), "text/plain; version=0.0.4"));
}
