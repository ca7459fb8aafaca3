/*
 * access: whole lines, compared byte by byte, and what hostile bytes may not do to them.
 */
#include "observe/collector.h"

#include <criterion/criterion.h>

typedef void (*write_fn)(struct access_memory *, struct text *, const struct record *);

static struct rule rule = { .name = { "flaky checkout", 14 } };

static struct record plain(void)
{
	struct record r = {
		.id = 0x1000000000002a,
		.wall_ns = INT64_C(1790942400123) * NS_PER_MS,
		.first_ns = 5 * NS_PER_S,
		.head_ns = 5 * NS_PER_S + 1000,
		.upstream_sent_ns = 5 * NS_PER_S + 20000,
		.upstream_head_ns = 5 * NS_PER_S + 320000,
		.answer_ns = 5 * NS_PER_S + 330000,
		.end_ns = 5 * NS_PER_S + 412000,
		.bytes_in = 80,
		.bytes_out = 187,
		.upstream_name = "default",
		.listener_name = "public",
		.client = { [10] = 0xff, 0xff, 127, 0, 0, 1 },
		.client_port = 51234,
		.status = 200,
		.upstream_status = 200,
		.close = CLOSE_COMPLETE,
		.minor = 1,
		.reused = true,
	};

	record_set_text(&r, SPAN("GET"), SPAN("a.test"), SPAN("/x?y=1"));
	return r;
}

static struct record faulted(void)
{
	struct record r = plain();

	r.rule = &rule;
	r.fault = FAULT_ABORT;
	r.status = 503;
	r.upstream_status = 0;
	r.upstream_sent_ns = r.upstream_head_ns = 0;
	r.upstream_name = NULL;
	r.reused = false;
	r.delay_ns = 250 * NS_PER_MS;
	r.delay_actual_ns = 250 * NS_PER_MS + 70000;
	r.end_ns = 5 * NS_PER_S + 251 * NS_PER_MS;
	r.decision = (struct decision){ .occurrence = 8, .draw = UINT64_C(1) << 60, .threshold = UINT64_C(1844674407370955161) };
	return r;
}

static void expect_line(write_fn write, const struct record *r, const char *expected)
{
	struct access_memory memory = { 0 };
	struct text out;

	text_init(&out);
	write(&memory, &out, r);
	cr_expect(span_eq(text_span(&out), span_of_string(expected)), "got:\n%.*sexpected:\n%s", SPAN_ARG(text_span(&out)),
		expected);
	text_deinit(&out);
}

static void expect_part(write_fn write, const struct record *r, const char *part, bool there)
{
	struct access_memory memory = { 0 };
	struct text out;

	text_init(&out);
	write(&memory, &out, r);
	text_put_char(&out, '\0');
	cr_expect_eq(strstr(out.p, part) != NULL, there, "%s %s in:\n%s", part, there ? "is not" : "is", out.p);
	text_deinit(&out);
}

Test(access, text_of_a_forwarded_request)
{
	struct record r = plain();

	expect_line(access_write_text, &r,
		"127.0.0.1:51234 [2026-10-02T12:00:00.123Z] \"GET /x?y=1 HTTP/1.1\" 200 187 request_time=0.000412 host=a.test "
		"upstream=default upstream_status=200 upstream_time=0.000300 close=complete id=1000000000002a\n");
}

Test(access, text_of_a_faulted_request)
{
	struct record r = faulted();

	expect_line(access_write_text, &r,
		"127.0.0.1:51234 [2026-10-02T12:00:00.123Z] \"GET /x?y=1 HTTP/1.1\" 503 187 request_time=0.251000 host=a.test "
		"rule=\"flaky checkout\" fault=abort phase=request delay=0.250000 delay_actual=0.250070 draw=6.250000 "
		"threshold=10.000000 close=complete id=1000000000002a\n");
}

/* It had no occurrence, and nothing was drawn: not 0, but nothing. */
Test(access, what_was_asked_for_was_not_drawn)
{
	struct record r = faulted();

	r.decision = (struct decision){ .asked = true };
	expect_line(access_write_text, &r,
		"127.0.0.1:51234 [2026-10-02T12:00:00.123Z] \"GET /x?y=1 HTTP/1.1\" 503 187 request_time=0.251000 host=a.test "
		"rule=\"flaky checkout\" fault=abort phase=request delay=0.250000 delay_actual=0.250070 asked=true "
		"close=complete id=1000000000002a\n");
	expect_part(access_write_json, &r, "\"asked\":true", true);
	expect_part(access_write_json, &r, "\"occurrence\":", false);
	expect_part(access_write_json, &r, "\"draw\":", false);
	r.decision.asked = false; /* found no room among those that were kept */
	expect_part(access_write_text, &r, "draw=", false);
}

Test(access, json_of_a_forwarded_request)
{
	struct record r = plain();

	expect_line(access_write_json, &r,
		"{\"time\":\"2026-10-02T12:00:00.123Z\",\"client\":\"127.0.0.1\",\"client_port\":51234,\"method\":\"GET\","
		"\"target\":\"/x?y=1\",\"http_minor\":1,\"status\":200,\"bytes_out\":187,\"bytes_in\":80,"
		"\"request_time\":0.000412,\"head_time\":0.000001,\"answer_time\":0.000330,\"host\":\"a.test\","
		"\"listener\":\"public\",\"upstream\":\"default\",\"upstream_status\":200,\"upstream_time\":0.000300,"
		"\"upstream_reused\":true,\"close\":\"complete\",\"id\":\"1000000000002a\"}\n");
}

Test(access, json_of_a_faulted_request)
{
	struct record r = faulted();

	r.decision.phase = RULE_PHASE_RESPONSE;
	r.decision.key_hash = 0xdeadbeefcafef00d;
	expect_line(access_write_json, &r,
		"{\"time\":\"2026-10-02T12:00:00.123Z\",\"client\":\"127.0.0.1\",\"client_port\":51234,\"method\":\"GET\","
		"\"target\":\"/x?y=1\",\"http_minor\":1,\"status\":503,\"bytes_out\":187,\"bytes_in\":80,"
		"\"request_time\":0.251000,\"head_time\":0.000001,\"answer_time\":0.000330,\"host\":\"a.test\","
		"\"listener\":\"public\",\"rule\":\"flaky checkout\",\"fault\":\"abort\",\"phase\":\"response\","
		"\"delay\":0.250000,\"delay_actual\":0.250070,\"key\":\"deadbeefcafef00d\",\"occurrence\":8,"
		"\"draw\":6.250000,\"threshold\":10.000000,\"close\":\"complete\",\"id\":\"1000000000002a\"}\n");
}

Test(access, a_refused_request_without_a_line)
{
	struct record r = {
		.client_port = 9,
		.client = { [15] = 1 },
		.reject = "bare_lf",
		.close = CLOSE_BAD_REQUEST,
		.status = 400,
	};

	expect_line(access_write_text, &r,
		"[::1]:9 [1970-01-01T00:00:00.000Z] \"-\" 400 0 request_time=0.000000 reject=bare_lf close=bad_request id=0\n");
	r.status = 0;
	r.client[15] = 0;
	r.client_port = 0;
	expect_line(access_write_text, &r,
		"unix [1970-01-01T00:00:00.000Z] \"-\" - 0 request_time=0.000000 reject=bare_lf close=bad_request id=0\n");
}

Test(access, hostile_bytes_stay_inside_their_quotes)
{
	struct record r = plain();

	record_set_text(&r, SPAN("GET"), SPAN("a b\"=\x1b[2J"), SPAN("/\"\\\n\r\x7f\xff\xc2\x9b\xc3\xa9"));
	expect_part(access_write_text, &r, "\"GET /\\\"\\\\\\x0a\\x0d\\x7f\\xff\\xc2\\x9b\xc3\xa9 HTTP/1.1\"", true);
	expect_part(access_write_text, &r, " host=\"a b\\\"=\\x1b[2J\" ", true);
	expect_part(access_write_json, &r, "\"target\":\"/\\\"\\\\\\n\\r", true);
	expect_part(access_write_json, &r, "\xff", false);
	expect_part(access_write_json, &r, "\x1b", false);
}

Test(access, says_where_text_was_cut)
{
	static char huge[RECORD_TEXT_BYTES];
	struct record r = plain();

	memset(huge, 'x', sizeof(huge));
	record_set_text(&r, SPAN("GET"), SPAN("a"), span_of(huge, sizeof(huge)));
	expect_part(access_write_text, &r, "x... HTTP/1.1\"", true);
	expect_part(access_write_json, &r, "\"text_cut\":true", true);
}

Test(access, a_rule_that_always_fires_shows_no_draw)
{
	struct record r = faulted();

	r.decision.threshold = UINT64_MAX;
	expect_part(access_write_text, &r, "draw=", false);
	expect_part(access_write_text, &r, "threshold=", false);
}

Test(access, even_sampling_draws_places)
{
	static struct rule even = { .name = { "e", 1 }, .sampling = RULE_SAMPLING_EVEN, .even_block = 1000, .even_fires = 25 };
	struct record r = faulted();

	r.rule = &even;
	r.decision.draw = 24;
	r.decision.threshold = 25;
	expect_part(access_write_text, &r, "draw=2.400000 threshold=2.500000", true);
}

Test(access, outcomes_draw_a_place_among_their_weights)
{
	static struct rule chosen = { .name = { "o", 1 }, .n_outcomes = 3, .outcomes_total = 8 };
	struct record r = faulted();

	r.rule = &chosen;
	r.decision.draw = 5;
	r.decision.threshold = 8;
	r.decision.choice = 2;
	expect_part(access_write_text, &r, " draw=62.500000 choice=2 ", true);
	expect_part(access_write_json, &r, "\"draw\":62.500000,\"choice\":2,", true);
	r.decision.draw = UINT64_MAX - 2;
	r.decision.threshold = UINT64_MAX - 1;
	expect_part(access_write_text, &r, " draw=99.999999 choice=2 ", true);
	r.decision.threshold = 0; /* nothing was drawn */
	expect_part(access_write_text, &r, " draw=", false);
}

Test(access, nothing_was_drawn_for_who_came_back_early)
{
	struct record r = faulted();

	r.decision.early = true;
	expect_part(access_write_text, &r, " draw=", false);
	expect_part(access_write_text, &r, " threshold=", false);
}

/* Below and at the threshold of a percentage that 2^64 does not divide by. */
Test(access, draws_compare_as_shown)
{
	struct record r = faulted();

	r.decision.threshold = UINT64_C(6148914691236517205) / 10; /* 3.333... % cut to 3.333333 */
	r.decision.draw = r.decision.threshold - 1;
	expect_part(access_write_text, &r, "draw=3.333333 threshold=3.333334", true);
	r.decision.threshold = UINT64_C(1844674407370955161); /* 10 % */
	r.decision.draw = r.decision.threshold - 1;
	expect_part(access_write_text, &r, "draw=9.999999 threshold=10.000000", true);
	r.decision.draw = r.decision.threshold + 1;
	expect_part(access_write_text, &r, "draw=10.000000 threshold=10.000000", true);
	r.decision.draw = UINT64_MAX;
	expect_part(access_write_text, &r, "draw=99.999999 ", true);
	r.decision.draw = 0;
	r.decision.threshold = 0;
	expect_part(access_write_text, &r, "draw=0.000000 threshold=0.000000", true);
}

Test(access, dates)
{
	static const struct {
		int64_t unix_s;
		const char *shown;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ -5, "1970-01-01T00:00:00.000Z" },
		{ 951782399, "2000-02-28T23:59:59.000Z" },
		{ 951782400, "2000-02-29T00:00:00.000Z" },
		{ 951868800, "2000-03-01T00:00:00.000Z" },
		{ 1735689599, "2024-12-31T23:59:59.000Z" },
		{ 4107542400, "2100-03-01T00:00:00.000Z" },
		{ 4107542399, "2100-02-28T23:59:59.000Z" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct record r = plain();

		r.wall_ns = cases[i].unix_s * NS_PER_S;
		expect_part(access_write_text, &r, cases[i].shown, true);
	}
}

Test(access, the_reference_names_every_field)
{
	static const char *const names[] = {
#define ACCESS(place, kind, name, present, value, help) #name,
#include "observe/access.def"
#undef ACCESS
	};
	struct text out;

	text_init(&out);
	access_write_reference(&out);
	text_put_char(&out, '\0');
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		cr_expect(strstr(out.p, names[i]), "%s is missing", names[i]);
	text_deinit(&out);
}
