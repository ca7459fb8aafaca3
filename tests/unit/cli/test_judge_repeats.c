/*
 * A repeat tells a judge what a whole record of the same exchange would.
 */
#include <criterion/criterion.h>

#include "cli/judge_repeats.h"

#define BASE_NS (INT64_C(1790000000) * NS_PER_S)

static struct record record_of(const struct witness *w, uint64_t id, int64_t first_ns)
{
	struct record r = { .id = id, .wall_ns = BASE_NS + first_ns, .first_ns = first_ns, .end_ns = first_ns + 7 * NS_PER_MS,
		.upstream_sent_ns = first_ns + NS_PER_MS, .client_port = 4711, .likeness = 64, .status = 200,
		.upstream_status = 200, .close = CLOSE_COMPLETE, .witness = w };

	memcpy(r.client, (uint8_t[16]){ [10] = 0xff, 0xff, 192, 0, 2, 1 }, sizeof(r.client));
	record_set_text(&r, SPAN("POST"), SPAN("a.test"), SPAN("/items?x=1"));
	return r;
}

static struct witness witness_of(int64_t first_ns, uint64_t connection)
{
	struct witness w = { .last_ns = first_ns + 1500 * NS_PER_US, .answer_ns = first_ns + 6 * NS_PER_MS, .fingerprint = 77,
		.body_hash = 5, .credentials = 6, .connection = connection, .connections = (uint16_t)(connection * 3),
		.keeps = true };

	hints_init(&w.hints);
	return w;
}

/* As the judge gets it without repeats. */
static void feed_whole(const struct record *r, struct judge_exchange *to, struct trace_exchange *e)
{
	trace_exchange_init(e);
	trace_exchange_of(e, r);
	judge_feed_exchange(to, e, BASE_NS);
	to->id = r->id;
}

Test(judge_repeats, tell_what_a_whole_record_tells)
{
	struct judge_repeats s = { 0 };
	const struct witness first = witness_of(NS_PER_S, 1), later = witness_of(3 * NS_PER_S + 500, 2);
	const struct record a = record_of(&first, UINT64_C(3) << 48 | 1, NS_PER_S);
	const struct record b = record_of(&later, UINT64_C(3) << 48 | 9, 3 * NS_PER_S + 500);
	struct record repeat;
	struct trace_exchange e;
	struct judge_exchange whole, got;
	struct judge_request request;

	feed_whole(&a, &whole, &e);
	judge_repeats_learn(&s, &a, &e);
	feed_whole(&b, &whole, &e);
	judge_request_of(&request, &whole);
	/* Nothing but what a repeat has is there. */
	memset(&repeat, 0xa5, sizeof(repeat));
	record_init_repeat(&repeat);
	repeat.id = b.id;
	repeat.wall_ns = b.wall_ns;
	repeat.first_ns = b.first_ns;
	repeat.end_ns = b.end_ns;
	repeat.repeat = (struct repeat){ later.last_ns, later.answer_ns, later.connection, later.connections };
	repeat.client_port = b.client_port;
	repeat.likeness = b.likeness;
	cr_assert(judge_repeats_feed(&s, &repeat, BASE_NS, &got));

#define SAME(member) cr_expect_eq(got.member, whole.member, #member ": %lld, not %lld", (long long)got.member, \
	(long long)whole.member)
	SAME(id); SAME(wall_ns); SAME(first_ns); SAME(last_ns); SAME(hdr_ns); SAME(end_ns); SAME(abort_ns);
	SAME(fingerprint); SAME(body_hash); SAME(logical_id); SAME(maybe_id); SAME(idempotency_key); SAME(credentials);
	SAME(connection); SAME(attempt); SAME(attempt_max); SAME(deadline_ns); SAME(status); SAME(upstream_status); SAME(rule);
	SAME(n_fired); SAME(delay_ns); SAME(wait_ns); SAME(hint); SAME(forwarded); SAME(complete); SAME(keeps); SAME(expect);
	SAME(early_data); SAME(quota_ns); SAME(closes); SAME(after_close_ns); SAME(connections); SAME(redirect);
#undef SAME
	cr_expect(span_eq(got.client, SPAN("192.0.2.1")));
	cr_expect(span_eq(got.method, SPAN("POST")));
	cr_expect(span_eq(got.host, SPAN("a.test")));
	cr_expect(span_eq(got.target, SPAN("/items?x=1")));
	cr_assert_not_null(got.request);
	cr_expect_eq(got.request->kind, request.kind);
	cr_expect_eq(got.request->loose, request.loose);
	cr_expect_eq(got.request->client, request.client);
	cr_expect_eq(got.request->path, request.path);
	cr_expect_eq(got.request->host, request.host);
	cr_expect_eq(got.request->unsafe, request.unsafe);
	cr_expect_str_eq(got.request->request_text, request.request_text);
	cr_expect_str_eq(got.request->client_text, request.client_text);
	judge_repeats_deinit(&s);
}

/* Each worker has likenesses of its own, and one may take the number of another. */
Test(judge_repeats, are_of_the_last_that_had_their_number)
{
	struct judge_repeats s = { 0 };
	const struct witness w = witness_of(NS_PER_S, 1);
	struct record a = record_of(&w, 1, NS_PER_S), repeat = a;
	struct trace_exchange e;
	struct judge_exchange got;

	repeat.is_repeat = true;
	cr_expect_not(judge_repeats_feed(&s, &repeat, 0, &got), "nothing is known yet");
	feed_whole(&a, &got, &e);
	judge_repeats_learn(&s, &a, &e);
	record_set_text(&a, SPAN("GET"), SPAN("b.test"), SPAN("/other"));
	feed_whole(&a, &got, &e);
	judge_repeats_learn(&s, &a, &e);
	cr_assert(judge_repeats_feed(&s, &repeat, 0, &got));
	cr_expect(span_eq(got.target, SPAN("/other")));
	cr_expect_not(got.request->unsafe);
	repeat.likeness = 1;
	cr_expect_not(judge_repeats_feed(&s, &repeat, 0, &got), "another number");
	repeat.likeness = 64;
	repeat.id = UINT64_C(1) << 48;
	cr_expect_not(judge_repeats_feed(&s, &repeat, 0, &got), "another worker");
	judge_repeats_deinit(&s);
}
