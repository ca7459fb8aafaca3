/*
 * A repeat tells a judge what a whole record of the same exchange would.
 */
#include <criterion/criterion.h>

#include "cli/judge_repeats.h"
#include "rehearsal/order.h"

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

static struct record repeat_of(const struct record *r, const struct witness *w)
{
	struct record repeat;

	/* Nothing but what a repeat has is there. */
	memset(&repeat, 0xa5, sizeof(repeat));
	record_init_repeat(&repeat);
	repeat.id = r->id;
	repeat.wall_ns = r->wall_ns;
	repeat.first_ns = r->first_ns;
	repeat.end_ns = r->end_ns;
	repeat.repeat = (struct repeat){ w->last_ns, w->answer_ns, w->connection };
	repeat.connections = w->connections;
	repeat.client_port = r->client_port;
	repeat.likeness = r->likeness;
	return repeat;
}

Test(judge_repeats, tell_what_a_whole_record_tells)
{
	struct live_judge *judge = live_judge_new(&(struct judge_options){ .n_rules = 0 });
	struct judge_repeats s;
	const struct witness first = witness_of(NS_PER_S, 1), later = witness_of(3 * NS_PER_S + 500, 2);
	const struct record a = record_of(&first, UINT64_C(3) << 48 | 1, NS_PER_S);
	const struct record b = record_of(&later, UINT64_C(3) << 48 | 9, 3 * NS_PER_S + 500);
	const struct record repeat = repeat_of(&b, &later);
	struct trace_exchange e;
	struct judge_exchange whole;
	struct judge_repeat got;
	struct order o;
	struct event event;
	const struct event *told;

	judge_repeats_init(&s);
	feed_whole(&a, &whole, &e);
	judge_repeats_learn(&s, judge, &a, &whole);
	feed_whole(&b, &whole, &e);
	event_of(&event, &whole);
	cr_assert(event.plain);
	cr_assert(judge_repeats_feed(&s, &repeat, BASE_NS, &got));
	cr_expect_eq(got.wall_ns, whole.wall_ns);
	order_init(&o);
	cr_assert(order_add_repeat(&o, &got));
	told = order_take(&o, true);
	cr_assert_not_null(told);

#define SAME(member) cr_expect_eq(told->member, event.member, #member ": %lld, not %lld", (long long)told->member, \
	(long long)event.member)
	SAME(id); SAME(first_ns); SAME(last_ns); SAME(hdr_ns); SAME(end_ns); SAME(kind); SAME(loose); SAME(client); SAME(path);
	SAME(host); SAME(place); SAME(redirect); SAME(body_hash); SAME(logical_id); SAME(maybe_id); SAME(idempotency_key);
	SAME(credentials); SAME(connection); SAME(deadline_ns); SAME(delay_ns); SAME(wait_ns); SAME(quota_ns);
	SAME(after_close_ns); SAME(connections); SAME(rule); SAME(source); SAME(attempt); SAME(attempt_max); SAME(status);
	SAME(flags); SAME(outcome); SAME(hint); SAME(plain);
#undef SAME
	cr_expect_str_eq(told->request_text, "POST /items?x=1");
	cr_expect_str_eq(told->request_text, event.request_text);
	cr_expect_str_eq(told->client_text, "192.0.2.1");
	cr_expect_str_eq(told->client_text, event.client_text);
	order_deinit(&o);
	live_judge_free(judge);
	judge_repeats_deinit(&s);
}

/* Each worker has likenesses of its own, and one may take the number of another. */
Test(judge_repeats, are_of_the_last_that_had_their_number)
{
	struct live_judge *judge = live_judge_new(&(struct judge_options){ .n_rules = 0 });
	struct judge_repeats s;
	const struct witness w = witness_of(NS_PER_S, 1);
	struct record a = record_of(&w, 1, NS_PER_S), repeat = repeat_of(&a, &w);
	struct trace_exchange e;
	struct judge_exchange whole;
	struct judge_repeat got;
	struct order o;

	judge_repeats_init(&s);
	order_init(&o);
	cr_expect_not(judge_repeats_feed(&s, &repeat, 0, &got), "nothing is known yet");
	feed_whole(&a, &whole, &e);
	judge_repeats_learn(&s, judge, &a, &whole);
	cr_assert(judge_repeats_feed(&s, &repeat, 0, &got));
	cr_assert(order_add_repeat(&o, &got));
	record_set_text(&a, SPAN("GET"), SPAN("b.test"), SPAN("/other"));
	feed_whole(&a, &whole, &e);
	judge_repeats_learn(&s, judge, &a, &whole);
	cr_assert(judge_repeats_feed(&s, &repeat, 0, &got));
	got.id = 2;
	cr_assert(order_add_repeat(&o, &got));
	/* One that waits is still what it was. */
	cr_expect_str_eq(order_take(&o, true)->request_text, "POST /items?x=1");
	cr_expect_str_eq(order_take(&o, true)->request_text, "GET /other");
	repeat.likeness = 1;
	cr_expect_not(judge_repeats_feed(&s, &repeat, 0, &got), "another number");
	repeat.likeness = 64;
	repeat.id = UINT64_C(1) << 48;
	cr_expect_not(judge_repeats_feed(&s, &repeat, 0, &got), "another worker");
	live_judge_free(judge);
	judge_repeats_deinit(&s);
	order_deinit(&o); /* the last to keep what waits in it */
}
