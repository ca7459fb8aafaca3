/*
 * trace: what is written can be read back; what is not a line of a trace is refused, and by name.
 */
#include "observe/trace.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

static struct rule rules[2] = {
	{ .name = { "one-in-ten", 10 }, .text_hash = UINT64_C(0x9f86d081884c7d65) },
	{ .name = { "caf\xc3\xa9 \"x\"", 9 }, .phase = RULE_PHASE_RESPONSE },
};
static const struct ruleset set = { .seed = UINT64_MAX, .v = rules, .n = 2 };

static struct record_decisions decisions = {
	.n = 2,
	.v = {
		{ .rule = 0, .outcome = DECISION_NOT_DRAWN, .phase = RULE_PHASE_REQUEST, .occurrence = 11,
			.draw = UINT64_C(0xfedcba9876543210), .threshold = UINT64_C(0x1999999999999999), .since_ns = 1200345678 },
		{ .rule = 1, .outcome = DECISION_FIRED, .phase = RULE_PHASE_RESPONSE, .key_hash = UINT64_MAX, .occurrence = 1,
			.threshold = UINT64_MAX, .since_ns = -5, .choice = 3, .early = true },
	},
};

static void fill(struct record *r)
{
	*r = (struct record){
		.id = UINT64_C(0x1000000000001),
		.wall_ns = INT64_C(1769903999999) * NS_PER_MS,
		.status = 503,
		.upstream_status = 200,
		.close = CLOSE_COMPLETE,
		.decisions = &decisions,
	};
	record_set_text(r, SPAN("GET"), SPAN("a.test"), SPAN("/x?\"y\x01"));
}

static void expect(struct text *out, const char *expected)
{
	cr_expect(span_eq(text_span(out), span_of_string(expected)), "got:\n%.*s\nexpected:\n%s", SPAN_ARG(text_span(out)),
		expected);
	text_deinit(out);
}

/* ---- the reference ---- */

enum line {
#define LINE(id, help) LINE_##id,
#define TRACE_MEMBER(line, kind, name, help)
#define MEMBER(kind, name, help)
#include "observe/trace.def"
#undef LINE
#undef TRACE_MEMBER
#undef MEMBER
};

static const struct {
	enum line line;
	const char *name;
} members[] = {
#define LINE(id, help)
#define TRACE_MEMBER(line, kind, name, help) { LINE_##line, #name },
#define MEMBER(kind, name, help) { LINE_EXCHANGE, #name },
#include "observe/trace.def"
#undef LINE
#undef TRACE_MEMBER
#undef MEMBER
};

/* An object of that kind has the members that the table lists for it, in its order, and no other. */
static void expect_members(enum line line, json_t *object)
{
	unsigned i = 0;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		while (i < ARRAY_LEN(members) && members[i].line != line)
			i++;
		cr_assert_lt(i, ARRAY_LEN(members), "%s is in no table", key);
		cr_expect_str_eq(key, members[i].name);
		i++;
	}
	while (i < ARRAY_LEN(members) && members[i].line != line)
		i++;
	cr_expect_eq(i, ARRAY_LEN(members), "%s was not written", i < ARRAY_LEN(members) ? members[i].name : "");
}

static json_t *parsed(struct text *line)
{
	json_t *object = json_loadb(line->p, line->n, JSON_DISABLE_EOF_CHECK, NULL);

	cr_assert_not_null(object, "%.*s", SPAN_ARG(text_span(line)));
	text_clear(line);
	return object;
}

Test(trace, the_reference_has_every_member)
{
	static const struct witness witness = { .last_ns = 6, .answer_ns = 6, .fingerprint = 1, .body_hash = 2, .logical_id = 3,
		.maybe_id = 4, .idempotency_key = 5, .credentials = 6, .connection = 7, .deadline_ns = NS_PER_S, .attempt = 2,
		.attempt_max = 9, .keeps = true, .expect = true, .early_data = true, .closes = true, .after_close_ns = 1,
		.connections = 1, .redirect = 8, .client_n = 2, .client = "me",
		.hints = { .wait_ns = 0, .kind = HINT_RETRY_AFTER, .quota_ns = 0 } };
	static struct record_decisions one = { .n = 1, .lost = 1, .v = { { .early = true, .occurrence = 1 } } };
	static struct record r;
	json_t *object;
	struct text out;

	fill(&r);
	r.end_ns = 7;
	r.upstream_sent_ns = 6;
	r.delay_ns = NS_PER_S;
	r.rule = &rules[0];
	r.decision.asked = true;
	r.decisions = &one;
	r.witness = &witness;
	r.first_ns = NS_PER_S;
	text_init(&out);
	trace_write_header(&out, &set, 1);
	object = parsed(&out);
	expect_members(LINE_HEADER, object);
	json_decref(object);
	trace_write_rule(&out, &rules[0]);
	object = parsed(&out);
	expect_members(LINE_RULE, object);
	json_decref(object);
	trace_write_exchange(&out, &set, &r);
	object = parsed(&out);
	expect_members(LINE_EXCHANGE, object);
	expect_members(LINE_DECISION, json_array_get(json_object_get(object, "decisions"), 0));
	json_decref(object);
	trace_write_end(&out, TRACE_END_STOPPED);
	object = parsed(&out);
	expect_members(LINE_CLOSING, object);
	json_decref(object);

	trace_write_reference(&out);
	text_put_char(&out, '\0');
	for (unsigned i = 0; i < ARRAY_LEN(members); i++) {
		char row[40];

		(void)snprintf(row, sizeof(row), "\n  %s ", members[i].name);
		cr_expect(strstr(out.p, row), "%s", members[i].name);
	}
	text_deinit(&out);
}

/* ---- lines ---- */

Test(trace, header_and_rules)
{
	struct text out;

	text_init(&out);
	trace_write_header(&out, &set, UINT64_C(0x5d41402abc4b2a76));
	trace_write_rule(&out, &rules[0]);
	trace_write_rule(&out, &rules[1]);
	expect(&out, "{\"trace\":1,\"seed\":\"18446744073709551615\",\"rules\":2,\"run\":\"5d41402abc4b2a76\"}\n"
		     "{\"rule\":\"one-in-ten\",\"text\":\"9f86d081884c7d65\"}\n"
		     "{\"rule\":\"caf\xc3\xa9 \\\"x\\\"\",\"text\":\"0\"}\n");
}

Test(trace, exchange)
{
	static struct record r;
	struct text out;

	fill(&r);
	text_init(&out);
	trace_write_exchange(&out, &set, &r);
	expect(&out, "{\"id\":\"1000000000001\",\"time\":\"2026-01-31T23:59:59.999Z\",\"method\":\"GET\","
		     "\"target\":\"/x?\\\"y\\u0001\",\"status\":503,\"upstream_status\":200,\"close\":\"complete\","
		     "\"host\":\"a.test\",\"start\":1769903999999000,\"decisions\":["
		     "{\"rule\":\"one-in-ten\",\"phase\":\"request\",\"key\":\"0\",\"occurrence\":11,"
		     "\"draw\":\"fedcba9876543210\","
		     "\"threshold\":\"1999999999999999\",\"outcome\":\"not_drawn\",\"choice\":0,\"since\":1200345678},"
		     "{\"rule\":\"caf\xc3\xa9 \\\"x\\\"\",\"phase\":\"response\",\"key\":\"ffffffffffffffff\",\"occurrence\":1,"
		     "\"draw\":\"0\",\"threshold\":\"ffffffffffffffff\",\"outcome\":\"fired\",\"choice\":3,\"since\":-5,"
		     "\"early\":true}]}\n");
}

Test(trace, exchange_of_which_little_is_known)
{
	static struct record r = { .id = 7 };
	struct text out;

	text_init(&out);
	trace_write_exchange(&out, &set, &r);
	expect(&out, "{\"id\":\"7\",\"time\":\"1970-01-01T00:00:00.000Z\",\"decisions\":[]}\n");
}

/* Every member, once written and once read back. */
Test(trace, exchange_of_which_all_is_known)
{
	static const struct witness witness = {
		.last_ns = 2 * NS_PER_MS + 5000000000, .answer_ns = 5003000999, .fingerprint = 1, .body_hash = 2, .logical_id = 3,
		.maybe_id = 4, .idempotency_key = 5, .credentials = 6, .connection = UINT64_MAX, .deadline_ns = 7 * NS_PER_S,
		.attempt = 2, .attempt_max = 9, .expect = true, .early_data = true,
		.hints = { .wait_ns = 1500 * NS_PER_MS, .kind = HINT_RETRY_AFTER_MS, .quota_ns = 0 },
		.client_n = 3, .client = "me!",
	};
	static struct record r;
	static struct trace_line line;
	const struct trace_exchange *e = &line.exchange;
	char error[TRACE_ERROR_BYTES] = "";
	struct text out;

	fill(&r);
	r.first_ns = 5 * NS_PER_S;
	r.end_ns = r.first_ns + 4 * NS_PER_MS;
	r.upstream_sent_ns = 1;
	r.delay_ns = NS_PER_S;
	r.rule = &rules[1];
	r.witness = &witness;
	text_init(&out);
	trace_write_exchange(&out, &set, &r);
	cr_assert_eq(trace_read_line(text_span(&out), &line, error), 0, "%s", error);
	cr_expect(span_eq(e->method, SPAN("GET")) && span_eq(e->host, SPAN("a.test")) && span_eq(e->client, SPAN("me!")));
	cr_expect(span_eq(e->target, SPAN("/x?\"y\x01")) && span_eq(e->close, SPAN("complete")));
	cr_expect(span_eq(e->shaped_by, rules[1].name) && span_eq(e->hint, SPAN("retry-after-ms")));
	cr_expect_eq(e->status, 503);
	cr_expect_eq(e->upstream_status, 200);
	cr_expect_eq(e->start, INT64_C(1769903999999000));
	cr_expect_eq(e->at, 5000000);
	cr_expect_eq(e->last, 2000);
	cr_expect_eq(e->answer, 3000);
	cr_expect_eq(e->end, 4000);
	cr_expect_eq(e->delay, 1000000);
	cr_expect_eq(e->deadline, 7000000);
	cr_expect_eq(e->wait, 1500000);
	cr_expect_eq(e->quota, 0);
	cr_expect(e->fingerprint == 1 && e->body == 2 && e->logical == 3 && e->maybe == 4 && e->key == 5 && e->credentials == 6);
	cr_expect_neq(e->connection, 0);
	cr_expect(e->attempt == 2 && e->attempts == 9);
	cr_expect(e->forwarded && e->expect && e->early_data && !e->asked);
	trace_line_deinit(&line);
	text_deinit(&out);
}

Test(trace, members_of_the_wrong_kind_are_refused_by_name)
{
	static const struct {
		const char *member, *error;
	} wrong[] = {
		{ "\"at\":-1", "at is out of range" },
		{ "\"end\":9007199254740992", "end is out of range" },
		{ "\"status\":65536", "status is out of range" },
		{ "\"wait\":\"2\"", "wait is not a whole number" },
		{ "\"forwarded\":1", "forwarded is neither true nor false" },
		{ "\"key\":7", "key is not a text" },
		{ "\"key\":\"x\"", "key is not hexadecimal" },
		{ "\"client\":[]", "client is not a text" },
	};
	static struct trace_line line;

	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		char error[TRACE_ERROR_BYTES] = "";
		struct text text;

		text_init(&text);
		text_printf(&text, "{\"id\":\"1\",%s,\"decisions\":[]}", wrong[i].member);
		cr_expect_eq(trace_read_line(text_span(&text), &line, error), 1);
		cr_expect_str_eq(error, wrong[i].error);
		text_deinit(&text);
	}
}

Test(trace, what_was_asked_for_was_not_decided)
{
	struct record r = { .id = 7, .rule = &rules[0], .decision = { .asked = true } };
	struct text out;

	text_init(&out);
	trace_write_exchange(&out, &set, &r);
	expect(&out, "{\"id\":\"7\",\"time\":\"1970-01-01T00:00:00.000Z\",\"asked\":true,"
		"\"shaped_by\":\"one-in-ten\",\"decisions\":[]}\n");
}

Test(trace, the_longest_line_can_be_read)
{
	static struct record_decisions many = { .n = RECORD_DECISIONS_MAX, .lost = 9 };
	static char name[255], target[RECORD_TEXT_BYTES];
	static struct rule long_rule = { .name = { name, sizeof(name) } };
	static struct record r;
	static struct trace_line line;
	const struct ruleset one = { .v = &long_rule, .n = 1 };
	char error[TRACE_ERROR_BYTES] = "";
	struct text out;

	memset(name, 0x01, sizeof(name)); /* six bytes each, escaped */
	memset(target, 0x01, sizeof(target));
	fill(&r);
	r.decisions = &many;
	record_set_text(&r, SPAN("GET"), SPAN_EMPTY, span_of(target, sizeof(target)));
	for (unsigned i = 0; i < RECORD_DECISIONS_MAX; i++)
		many.v[i] = (struct decision){ .outcome = DECISION_NOT_DRAWN, .phase = RULE_PHASE_RESPONSE,
			.key_hash = UINT64_MAX, .occurrence = INT64_MAX, .draw = UINT64_MAX, .threshold = UINT64_MAX,
			.since_ns = INT64_MAX, .choice = UINT16_MAX };
	text_init(&out);
	trace_write_exchange(&out, &one, &r);
	cr_assert_leq(out.n, TRACE_LINE_BYTES_MAX);
	cr_assert_eq(trace_read_line(text_span(&out), &line, error), 0, "%s", error);
	cr_expect_eq(line.n_decisions, RECORD_DECISIONS_MAX);
	cr_expect_eq(line.decisions_lost, 9);
	cr_expect_eq(line.decisions[31].decision.since_ns, INT64_MAX);
	trace_line_deinit(&line);
	text_deinit(&out);
}

Test(trace, what_was_written_is_read)
{
	static struct record r;
	static struct trace_line line;
	char error[TRACE_ERROR_BYTES] = "";
	struct text out;

	fill(&r);
	text_init(&out);
	trace_write_header(&out, &set, 7);
	cr_assert_eq(trace_read_line(text_span(&out), &line, error), 0, "%s", error);
	cr_expect_eq(line.kind, TRACE_HEADER);
	cr_expect_eq(line.seed, UINT64_MAX);
	cr_expect_eq(line.n_rules, 2);
	cr_expect_eq(line.run, 7);
	trace_line_deinit(&line);

	text_clear(&out);
	trace_write_rule(&out, &rules[0]);
	cr_assert_eq(trace_read_line(text_span(&out), &line, error), 0, "%s", error);
	cr_expect_eq(line.kind, TRACE_RULE);
	cr_expect(span_eq(line.rule, rules[0].name));
	cr_expect_eq(line.text_hash, rules[0].text_hash);
	trace_line_deinit(&line);

	text_clear(&out);
	trace_write_exchange(&out, &set, &r);
	cr_assert_eq(trace_read_line(text_span(&out), &line, error), 0, "%s", error);
	cr_expect_eq(line.kind, TRACE_EXCHANGE);
	cr_expect(span_eq(line.id, SPAN("1000000000001")));
	cr_assert_eq(line.n_decisions, 2);
	cr_expect_eq(line.decisions_lost, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct decision read = line.decisions[i].decision;
		const struct decision *written = &decisions.v[i];

		cr_expect(span_eq(line.decisions[i].rule, rules[i].name));
		cr_expect_eq(read.phase, written->phase);
		cr_expect_eq(read.outcome, written->outcome);
		cr_expect_eq(read.key_hash, written->key_hash);
		cr_expect_eq(read.occurrence, written->occurrence);
		cr_expect_eq(read.draw, written->draw);
		cr_expect_eq(read.threshold, written->threshold);
		cr_expect_eq(read.since_ns, written->since_ns);
		cr_expect_eq(read.choice, written->choice);
		cr_expect_eq(read.early, written->early);
	}
	trace_line_deinit(&line);
	text_deinit(&out);
}

Test(trace, ends_are_read_as_they_were_written)
{
	for (unsigned i = TRACE_END_UNKNOWN + 1; i < TRACE_END_COUNT; i++) {
		static struct trace_line line;
		char error[TRACE_ERROR_BYTES] = "";
		struct text out;

		text_init(&out);
		trace_write_end(&out, (enum trace_end)i);
		cr_assert_eq(trace_read_line(text_span(&out), &line, error), 0, "%s", error);
		cr_expect_eq(line.kind, TRACE_CLOSING);
		cr_expect_eq(line.end, i);
		trace_line_deinit(&line);
		text_deinit(&out);
	}
}

Test(trace, every_outcome_has_a_name_of_its_own)
{
	for (unsigned i = DECISION_FIRED; i <= DECISION_PASSED; i++) {
		cr_expect_str_neq(trace_outcome_name((enum decision_outcome)i), "unknown");
		for (unsigned k = DECISION_FIRED; k < i; k++)
			cr_expect_str_neq(trace_outcome_name((enum decision_outcome)i),
				trace_outcome_name((enum decision_outcome)k));
	}
}

#define D(rule, phase, key, occurrence, draw, outcome, choice)                                                                  \
	"{\"id\":\"1\",\"decisions\":[{\"rule\":" rule ",\"phase\":" phase ",\"key\":" key                                       \
	",\"occurrence\":" occurrence ",\"draw\":" draw ",\"threshold\":\"1\",\"outcome\":" outcome                              \
	",\"choice\":" choice ",\"since\":0}]}"
#define GOOD(text) text, ""

Test(trace, what_is_none_is_refused)
{
	static const struct {
		const char *line;
		const char *error; /* part of it; "" where the line is good */
	} cases[] = {
		{ GOOD(D("\"a\"", "\"request\"", "\"0\"", "1", "\"0\"", "\"fired\"", "0")) },
		{ GOOD("{\"id\":\"1\",\"decisions\":[],\"later\":{\"x\":[1,2]}}") },
		{ GOOD("{\"id\":\"1\",\"decisions\":[]}\n") },
		{ D("7", "\"request\"", "\"0\"", "1", "\"0\"", "\"fired\"", "0"), "decision 1: rule is not a text" },
		{ D("\"a\"", "\"before\"", "\"0\"", "1", "\"0\"", "\"fired\"", "0"), "decision 1: phase is neither" },
		{ D("\"a\"", "\"request\"", "\"\"", "1", "\"0\"", "\"fired\"", "0"), "decision 1: key is not a word" },
		{ D("\"a\"", "\"request\"", "\"00000000000000001\"", "1", "\"0\"", "\"fired\"", "0"), "key is not a word" },
		{ D("\"a\"", "\"request\"", "\"0\"", "0", "\"0\"", "\"fired\"", "0"), "occurrence is out of range" },
		{ D("\"a\"", "\"request\"", "\"0\"", "1.5", "\"0\"", "\"fired\"", "0"), "occurrence is not a whole number" },
		{ D("\"a\"", "\"request\"", "\"0\"", "1", "\"0x1\"", "\"fired\"", "0"), "draw is not hexadecimal" },
		{ D("\"a\"", "\"request\"", "\"0\"", "1", "\"F\"", "\"fired\"", "0"), "draw is not hexadecimal" },
		{ D("\"a\"", "\"request\"", "\"0\"", "1", "\"0\"", "\"FIRED\"", "0"), "outcome is none that there is" },
		{ D("\"a\"", "\"request\"", "\"0\"", "1", "\"0\"", "\"fired\"", "65536"), "choice is out of range" },
		{ "{\"id\":\"1\",\"decisions\":[{\"rule\":\"a\",\"phase\":\"request\",\"key\":\"0\",\"occurrence\":1,"
			"\"draw\":\"0\",\"threshold\":\"1\",\"outcome\":\"fired\",\"choice\":0,\"since\":-9223372036854775808}]}",
			"since is out of range" },
		{ "{\"id\":\"1\",\"decisions\":[7]}", "decision 1: it is not an object" },
		{ "{\"id\":\"1\"}", "decisions is missing" },
		{ "{\"id\":\"1\",\"decisions\":{}}", "decisions is not a list" },
		{ "{\"id\":\"1\",\"decisions\":[],\"decisions_lost\":-1}", "decisions_lost is out of range" },
		{ "{\"id\":1,\"decisions\":[]}", "id is not a text" },
		{ "{\"decisions\":[]}", "id is missing" },
		{ GOOD("{\"trace\":1,\"seed\":\"0\",\"rules\":0}") },
		{ "{\"trace\":2,\"seed\":\"0\",\"rules\":0}", "a trace of version 2; this brownout reads version 1" },
		{ "{\"trace\":\"1\",\"seed\":\"0\",\"rules\":0}", "trace is not a whole number" },
		{ "{\"trace\":1,\"seed\":0,\"rules\":0}", "seed is not a text" },
		{ "{\"trace\":1,\"seed\":\"-1\",\"rules\":0}", "seed is not a whole number" },
		{ "{\"trace\":1,\"seed\":\"18446744073709551616\",\"rules\":0}", "seed is not a whole number" },
		{ "{\"trace\":1,\"seed\":\"0\",\"rules\":10001}", "rules is out of range" },
		{ "{\"trace\":1,\"seed\":\"0\"}", "rules is missing" },
		{ "{\"trace\":1,\"seed\":\"0\",\"rules\":0,\"run\":7}", "run is not a text" },
		{ "{\"rule\":\"a\"}", "text is missing" },
		{ GOOD("{\"end\":\"stopped\",\"later\":1}") },
		{ "{\"end\":\"unknown\"}", "end is none that there is" },
		{ "{\"end\":7}", "end is not a text" },
		{ "{\"rule\":null,\"text\":\"0\"}", "rule is not a text" },
		{ "[1]", "not an object" },
		{ "", "no JSON" },
		{ "\n", "no JSON" },
		{ "{\"id\":\"1\",\"decisions\":[]", "no JSON" },
		{ "{\"id\":\"1\",\"decisions\":[]} x", "no JSON" },
		{ "{\"id\":\"1\",\"id\":\"2\",\"decisions\":[]}", "no JSON" },
		{ "{\"id\":\"\xff\",\"decisions\":[]}", "no JSON" },
		{ "{\"id\":\"\\u0000\",\"decisions\":[]}", "no JSON" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		static struct trace_line line;
		char error[TRACE_ERROR_BYTES] = "";
		int rc = trace_read_line(span_of_string(cases[i].line), &line, error);

		cr_expect_eq(rc, *cases[i].error ? 1 : 0, "%s: %s", cases[i].line, error);
		cr_expect(strstr(error, cases[i].error), "%s: %s", cases[i].line, error);
		if (rc == 0)
			trace_line_deinit(&line);
	}
}

Test(trace, a_line_is_bounded)
{
	static struct trace_line line;
	static char long_line[TRACE_LINE_BYTES_MAX + 1];
	char error[TRACE_ERROR_BYTES] = "";

	memset(long_line, '[', sizeof(long_line));
	cr_expect_eq(trace_read_line(span_of(long_line, sizeof(long_line)), &line, error), 1);
	cr_expect_str_eq(error, "longer than 65536 bytes");
	/* As deep as it is long. */
	cr_expect_eq(trace_read_line(span_of(long_line, TRACE_LINE_BYTES_MAX), &line, error), 1);
	cr_expect(strstr(error, "no JSON"), "%s", error);
}

Test(trace, more_decisions_than_an_exchange_has_are_refused)
{
	static struct trace_line line;
	char error[TRACE_ERROR_BYTES] = "";
	struct text out;

	text_init(&out);
	text_put_literal(&out, "{\"id\":\"1\",\"decisions\":[0");
	for (unsigned i = 0; i < RECORD_DECISIONS_MAX; i++)
		text_put_literal(&out, ",0");
	text_put_literal(&out, "]}");
	cr_expect_eq(trace_read_line(text_span(&out), &line, error), 1);
	cr_expect(strstr(error, "more entries"), "%s", error);
	text_deinit(&out);
}
