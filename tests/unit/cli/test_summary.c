/*
 * summary: the whole text and the whole JSON of one made-up run, and of one in which nothing happened.
 */
#include "cli/summary.h"

#include <criterion/criterion.h>

#include "http/message.h"

static struct server_rule_count rules[] = {
	{ .name = "flaky checkout", .matched = 1000, .fired = 102 },
	{ .name = "caf\xc3\xa9" },
	{ .name = "a-rule-with-a-name-that-is-far-too-long-to-be-shown", .matched = 3, .fired = 3 },
};

static void fill(struct summary *s)
{
	*s = (struct summary){ .rules = rules, .n_rules = ARRAY_LEN(rules), .seed = 42, .elapsed_ns = 12345 * NS_PER_MS };
	counter_add(&s->total, COUNTER_CONNECTIONS, 64);
	counter_add(&s->total, COUNTER_REQUESTS, 1003);
	counter_add(&s->total, COUNTER_RESPONSES_2XX, 898);
	counter_add(&s->total, COUNTER_RESPONSES_5XX, 105);
	counter_bump(&s->total.faults[FAULT_ABORT], 102);
	counter_bump(&s->total.faults[FAULT_DELAY], 2);
	counter_add(&s->total, COUNTER_CLIENTS_LEFT, 4);
	counter_bump(&s->total.failures[PROXY_ERROR_CONNECTION_REFUSED], 2);
	counter_bump(&s->total.failures[PROXY_ERROR_HTTP_RESPONSE_TIMEOUT], 1);
	counter_bump(&s->total.rejects[HTTP_ERROR_BARE_LF], 5);
	histogram_add(&s->total.delay_error, 1000);
	histogram_add(&s->total.delay_error, 250000);
}

static void expect(void (*write)(const struct summary *, struct text *), const struct summary *s, const char *expected)
{
	struct text out;

	text_init(&out);
	write(s, &out);
	cr_expect(span_eq(text_span(&out), span_of_string(expected)), "got:\n%.*s\nexpected:\n%s", SPAN_ARG(text_span(&out)),
		expected);
	text_deinit(&out);
}

Test(summary, text)
{
	static struct summary s;

	fill(&s);
	expect(summary_write_text, &s,
		"brownout ran 12.3 s, seed 42\n"
		"  requests            1003 on 64 connections\n"
		"  answers             2xx 898, 5xx 105\n"
		"  faults              104: abort 102, delay 2\n"
		"  delay error         p50 0.001 ms, p99 0.250 ms, max 0.250 ms of 2 delays, 0 early\n"
		"  upstream failures   3: connection_refused 2, http_response_timeout 1\n"
		"  upstream violations 0\n"
		"  refused requests    5: bare_lf 5\n"
		"  clients that left   4\n"
		"  rule                                         matched       fired     share\n"
		"  flaky checkout                                  1000         102   10.20 %\n"
		"  caf\xc3\xa9                                               0           0         -\n"
		"  a-rule-with-a-name-that-is-far-too-long-           3           3  100.00 %\n");
}

Test(summary, text_of_an_idle_run)
{
	static struct summary s = { .seed = 7, .seed_drawn = true };

	expect(summary_write_text, &s,
		"brownout ran 0.0 s, seed 7 (drawn)\n"
		"  requests            0 on 0 connections\n"
		"  answers             none\n"
		"  faults              0\n"
		"  upstream failures   0\n"
		"  upstream violations 0\n"
		"  refused requests    0\n"
		"  clients that left   0\n");
}

Test(summary, columns_that_say_nothing_are_left_out)
{
	static struct server_rule_count counted[] = {
		{ .name = "quota", .matched = 200, .fired = 50, .refused = 7 },
		{ .name = "trial", .matched = 40, .dry = 10 },
	};
	static struct summary s = { .rules = counted, .n_rules = ARRAY_LEN(counted) };
	struct text out;

	text_init(&out);
	summary_write_text(&s, &out);
	text_put_char(&out, '\0');
	cr_expect(strstr(out.p, "  rule      matched       fired     dry run     refused     share\n"
				"  quota         200          50           0           7   25.00 %\n"
				"  trial          40           0          10           0    0.00 %\n"),
		"%s", out.p);
	counted[1].dry = 0;
	counted[0].refused = 0;
	counted[1].early = 1;
	text_clear(&out);
	summary_write_text(&s, &out);
	text_put_char(&out, '\0');
	cr_expect(strstr(out.p, "  rule      matched       fired       early     share\n"
				"  quota         200          50           0   25.00 %\n"
				"  trial          40           0           1    0.00 %\n"),
		"%s", out.p);
	text_deinit(&out);
}

Test(summary, losses_are_said)
{
	static struct summary s = { .log_lost = 3, .keys_forgotten = 12 };
	struct text out;

	counter_add(&s.total, COUNTER_CONNECTIONS_REFUSED, 8);
	text_init(&out);
	summary_write_text(&s, &out);
	text_put_char(&out, '\0');
	cr_expect(strstr(out.p, "  logs                0 records dropped (too slow), 3 lines not written (the file failed)\n"),
		"%s", out.p);
	cr_expect(strstr(out.p, "  keys forgotten      12: more than can be kept; these began anew\n"), "%s", out.p);
	cr_expect(strstr(out.p, "  over the limit      8 connections refused\n"), "%s", out.p);
	text_deinit(&out);
}

Test(summary, json)
{
	static struct summary s;
	struct text out;
	static const char *const parts[] = {
		"{\n  \"elapsed\": 12.345000000,\n  \"seed\": 42,\n  \"seed_drawn\": false,\n  \"connections\": 64,\n",
		"  \"requests\": 1003,\n",
		"  \"faults_by_kind\": {\n    \"abort\": 102,\n    \"delay\": 2\n  },\n",
		"  \"keys_forgotten\": 0,\n",
		"  \"upstream_failures_by_type\": {\n    \"connection_refused\": 2,\n    \"http_response_timeout\": 1\n  },\n",
		"  \"violations_by_kind\": {},\n",
		"  \"requests_rejected_by_reason\": {\n    \"bare_lf\": 5\n  },\n",
		("    \"count\": 2,\n    \"early\": 0,\n"
		 "    \"p50\": 0.000001023,\n    \"p99\": 0.000250000,\n    \"max\": 0.000250000\n"),
		"    {\n      \"name\": \"flaky checkout\",\n      \"matched\": 1000,\n      \"fired\": 102,\n",
		"\n  ]\n}\n",
	};

	fill(&s);
	text_init(&out);
	summary_write_json(&s, &out);
	text_put_char(&out, '\0');
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		cr_expect(strstr(out.p, parts[i]), "%s\nis not in\n%s", parts[i], out.p);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		cr_expect(strstr(out.p, counter_name((enum counter)i)), "%s is missing", counter_name((enum counter)i));
	text_deinit(&out);
}
