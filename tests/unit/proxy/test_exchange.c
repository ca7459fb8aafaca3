/*
 * exchange: the table of states and edges, and the bookkeeping: what is counted when, and that all of it is undone.
 */
#include "proxy/exchange.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/decision.h"
#include "proxy/worker.h"

#define FIELDS_MAX 16

static struct worker w;
static struct traffic_counts traffic;
static struct client c;
static struct plan plan;
static struct plan_listener plan_listener = { .name = { "default", 7 } };
static struct plan_upstream plan_upstream = { .name = { "backend", 7 } };
static struct generation shared_generation = { .number = 1, .plan = &plan };
static struct worker_generation generation = { .shared = &shared_generation, .plan = &plan, .users = 1 };
static struct worker_listener listener = { .generation = &generation };
static struct rule rules[3];
static struct http_field fields[FIELDS_MAX];

static void start(void)
{
	cr_assert_eq(loop_new(&w.loop), 0);
	blocks_init(&w.blocks);
	plan = (struct plan){ .log_query = true, .log_headers = true, .listeners = &plan_listener, .n_listeners = 1,
		.limits.max_headers = FIELDS_MAX,
		.upstreams = &plan_upstream, .n_upstreams = 1, .rules = { .v = rules, .n = ARRAY_LEN(rules) } };
	w.traffic = &traffic;
	w.number = 3;
	w.request.fields = (struct http_fields){ .v = fields, .cap = FIELDS_MAX };
	w.ring = ring_new(8);
	cr_assert_not_null(w.ring);
	c = (struct client){ .worker = &w, .listener = &listener, .port = 4242 };
	peer_init(&c.peer);
	exchange_init(&c.ex);
	exchange_open(&c);
}

static void end(void)
{
	loop_free(w.loop);
	blocks_deinit(&w.blocks);
	ring_free(w.ring);
}

TestSuite(exchange, .init = start, .fini = end, .timeout = 60);

/* ---- states and edges ---- */

static const struct {
	enum exchange_state from;
	enum exchange_state to;
} edges[] = {
#define EDGE(a, b) { EXCHANGE_##a, EXCHANGE_##b },
#include "proxy/exchange.def"
#undef EDGE
};

static bool is_edge(unsigned from, unsigned to)
{
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		if (edges[i].from == from && edges[i].to == to)
			return true;
	}
	return false;
}

Test(exchange, every_state_has_a_name_of_its_own)
{
	static const char *const names[EXCHANGE_STATE_COUNT] = {
		[EXCHANGE_IDLE] = "idle", [EXCHANGE_HEAD] = "head", [EXCHANGE_HOLD] = "hold", [EXCHANGE_RESOLVE] = "resolve",
		[EXCHANGE_PLACE] = "place", [EXCHANGE_CONNECT] = "connect", [EXCHANGE_FORWARD] = "forward",
		[EXCHANGE_HOLD_ANSWER] = "hold_answer", [EXCHANGE_RELAY] = "relay", [EXCHANGE_TUNNEL] = "tunnel",
		[EXCHANGE_REPLY] = "reply", [EXCHANGE_DRAIN] = "drain", [EXCHANGE_LINGER] = "linger", [EXCHANGE_DONE] = "done",
	};

	for (unsigned s = 0; s < EXCHANGE_STATE_COUNT; s++) {
		cr_assert_not_null(names[s], "state %u has no name here", s);
		cr_expect_str_eq(exchange_state_name((enum exchange_state)s), names[s]);
	}
}

Test(exchange, every_edge_is_accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		c.ex.state = (uint8_t)edges[i].from;
		exchange_set_state(&c, edges[i].to);
		cr_expect_eq(c.ex.state, edges[i].to, "%s to %s", exchange_state_name(edges[i].from),
			exchange_state_name(edges[i].to));
	}
}

Test(exchange, no_edge_stands_twice)
{
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		for (size_t j = 0; j < i; j++)
			cr_expect(edges[i].from != edges[j].from || edges[i].to != edges[j].to, "edge %zu is edge %zu", i, j);
	}
}

Test(exchange, what_is_done_stays_done, .signal = SIGABRT)
{
	c.ex.state = EXCHANGE_DONE;
	exchange_set_state(&c, EXCHANGE_IDLE);
}

/* Each in a process of its own, since it ends there. */
Test(exchange, every_other_edge_is_refused)
{
	for (unsigned from = 0; from < EXCHANGE_STATE_COUNT; from++) {
		for (unsigned to = 0; to < EXCHANGE_STATE_COUNT; to++) {
			int status;
			pid_t pid;

			if (is_edge(from, to))
				continue;
			pid = fork();
			cr_assert_geq(pid, 0);
			if (pid == 0) {
				(void)signal(SIGABRT, SIG_DFL);
				(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
				c.ex.state = (uint8_t)from;
				exchange_set_state(&c, (enum exchange_state)to);
				_exit(0);
			}
			cr_assert_eq(waitpid(pid, &status, 0), pid);
			cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s to %s passed",
				exchange_state_name((enum exchange_state)from), exchange_state_name((enum exchange_state)to));
		}
	}
}

/* Marks what can be reached over the edges, forwards from `from` or backwards. */
static void mark(unsigned from, bool forwards, bool *reached)
{
	if (reached[from])
		return;
	reached[from] = true;
	for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
		if ((forwards ? edges[i].from : edges[i].to) == from)
			mark(forwards ? edges[i].to : edges[i].from, forwards, reached);
	}
}

Test(exchange, every_state_can_be_reached_and_left)
{
	bool reached[EXCHANGE_STATE_COUNT] = { false };
	bool ends[EXCHANGE_STATE_COUNT] = { false };

	mark(EXCHANGE_IDLE, true, reached);
	mark(EXCHANGE_DONE, false, ends);
	for (unsigned s = 0; s < EXCHANGE_STATE_COUNT; s++) {
		cr_expect(reached[s], "%s is never reached", exchange_state_name((enum exchange_state)s));
		cr_expect(ends[s], "%s never ends", exchange_state_name((enum exchange_state)s));
		/* A client may go at any moment. */
		cr_expect(s == EXCHANGE_DONE || is_edge(s, EXCHANGE_DONE), "%s cannot be closed",
			exchange_state_name((enum exchange_state)s));
	}
}

Test(exchange, held_counts_those_that_wait_for_a_delay)
{
	c.ex.state = EXCHANGE_HEAD;
	exchange_set_state(&c, EXCHANGE_HOLD);
	cr_expect_eq(w.counters.held, 1);
	exchange_set_state(&c, EXCHANGE_FORWARD);
	cr_expect_eq(w.counters.held, 0);
	exchange_set_state(&c, EXCHANGE_HOLD_ANSWER);
	cr_expect_eq(w.counters.held, 1);
	exchange_set_state(&c, EXCHANGE_DONE);
	cr_expect_eq(w.counters.held, 0);
}

/* An answer of the resolver must not find an exchange that has gone on. */
Test(exchange, leaving_resolve_leaves_the_list)
{
	struct list waiting;

	list_init(&waiting);
	c.ex.state = EXCHANGE_HEAD;
	exchange_set_state(&c, EXCHANGE_RESOLVE);
	list_push_back(&waiting, &c.ex.resolving);
	exchange_set_state(&c, EXCHANGE_CONNECT);
	cr_expect(list_is_empty(&waiting));
	cr_expect_not(list_is_linked(&c.ex.resolving));

	list_push_back(&waiting, &c.ex.resolving);
	exchange_finish(&c, CLOSE_CLIENT_LEFT);
	cr_expect(list_is_empty(&waiting));
}

/* ---- bookkeeping ---- */

/* As if the client had sent it: the bytes lie in a block of its own, or in `scratch`. */
static void begin(const char *head, bool in_block)
{
	struct span bytes = span_of_string(head);
	enum http_error error;

	if (in_block)
		cr_assert_eq(buffer_append(&w.blocks, &c.peer.in, bytes), 0);
	else
		c.peer.view = bytes;
	c.ex.state = EXCHANGE_HEAD;
	cr_assert_eq(http_request_parse(&w.request, peer_bytes(&c.peer).p, bytes.n, &error), HTTP_PARSE_OK);
	w.parsed_for = &c;
	cr_assert_eq(exchange_begin(&c, &w.request), 0);
}

static uint64_t counted(enum counter id)
{
	return w.counters.v[id];
}

/* The records that were written. */
static unsigned records(struct record *last)
{
	const struct record *r;
	unsigned n = 0;

	while ((r = ring_peek(w.ring))) {
		*last = *r;
		ring_release(w.ring);
		n++;
	}
	return n;
}

#define POST "POST /a?b HTTP/1.1\r\nHost: shop.test:81\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

static uint64_t sum_ns(const struct histogram *h)
{
	return histogram_count(h) == 1 ? atomic_load(&h->sum_ns) : UINT64_MAX;
}

static const bool places[] = { false, true };

Test(exchange, begin_takes_the_head_and_leaves_the_rest)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		exchange_init(&c.ex);
		exchange_open(&c);
		begin(POST "hello", places[i]);
		cr_expect(span_eq(peer_bytes(&c.peer), SPAN("hello")));
		cr_expect(span_eq(buffer_span(&c.ex.head), SPAN(POST)));
		cr_expect_eq(c.ex.method, HTTP_METHOD_POST);
		cr_expect_eq(c.ex.minor, 1);
		cr_expect(c.ex.keep_alive);
		cr_expect(c.ex.expect_continue);
		cr_expect_not(c.ex.upgrade);
		cr_expect_eq(c.ex.upload.body, HTTP_BODY_LENGTH);
		cr_expect_eq(c.ex.upload.left, 5);
		cr_expect_not(c.ex.upload.done);
		/* The parsed spans are good as long as what they point to. */
		cr_expect_eq(w.parsed_for == &c, !places[i]);
		cr_expect_eq(counted(COUNTER_REQUESTS), i + 1);
		cr_expect_eq(w.counters.active, 1);
		cr_expect_eq(c.ex.id, (UINT64_C(3) << 48) + i + 1);
		exchange_finish(&c, CLOSE_COMPLETE);
		cr_expect_eq(w.counters.active, 0);
		peer_consume(&w, &c.peer, 5);
	}
}

Test(exchange, is_finished_once)
{
	struct record r;

	begin(POST, true);
	c.ex.status = 204;
	c.ex.failure = PROXY_ERROR_CONNECTION_REFUSED;
	exchange_finish(&c, CLOSE_UPSTREAM_FAILED);
	exchange_finish(&c, CLOSE_CLIENT_LEFT);
	exchange_finish(&c, CLOSE_SHUTDOWN);
	cr_expect_eq(w.counters.active, 0);
	cr_expect_eq(w.counters.closes[CLOSE_UPSTREAM_FAILED], 1);
	cr_expect_eq(w.counters.closes[CLOSE_CLIENT_LEFT] + w.counters.closes[CLOSE_SHUTDOWN], 0);
	cr_expect_eq(counted(COUNTER_UPSTREAM_FAILURES), 1);
	cr_expect_eq(w.counters.failures[PROXY_ERROR_CONNECTION_REFUSED], 1);
	cr_expect_eq(traffic.v[TRAFFIC_OTHER][2], 1);
	cr_expect_eq(counted(COUNTER_CLIENTS_LEFT), 0);
	cr_expect_eq(records(&r), 1);
	cr_expect_null(c.ex.head.p);
	cr_expect_null(w.parsed_for);
}

Test(exchange, its_times_are_counted)
{
	struct record r;

	c.ex.first_ns = loop_now_ns(w.loop);
	begin(POST, true);
	c.ex.status = 200;
	c.ex.upstream_sent_ns = 1000;
	c.ex.upstream_head_ns = 251000;
	exchange_finish(&c, CLOSE_COMPLETE);
	cr_expect_eq(records(&r), 1);
	cr_expect_eq(sum_ns(&w.counters.request_time), (uint64_t)(r.end_ns - r.first_ns));
	cr_expect_eq(sum_ns(&w.counters.upstream_time), 250000);
	/* A tunnel's time is no answer's. */
	exchange_init(&c.ex);
	exchange_open(&c);
	begin(POST, true);
	c.ex.status = 101;
	exchange_finish(&c, CLOSE_TUNNEL_END);
	cr_expect_eq(histogram_count(&w.counters.request_time), 1);
	cr_expect_eq(histogram_count(&w.counters.upstream_time), 1);
}

Test(exchange, one_that_never_began_ends_without_a_trace)
{
	struct record r;

	exchange_finish(&c, CLOSE_COMPLETE);
	cr_expect_eq(w.counters.active, 0);
	cr_expect_eq(w.counters.closes[CLOSE_COMPLETE], 0);
	cr_expect_eq(records(&r), 0);
}

Test(exchange, refused_request_is_counted_as_one)
{
	struct record r;

	c.ex.state = EXCHANGE_HEAD;
	exchange_begin_rejected(&c, HTTP_ERROR_BARE_LF);
	cr_expect_eq(counted(COUNTER_REQUESTS), 1);
	cr_expect_eq(counted(COUNTER_REQUESTS_REJECTED), 1);
	cr_expect_eq(w.counters.rejects[HTTP_ERROR_BARE_LF], 1);
	cr_expect_not(c.ex.keep_alive);
	c.ex.status = 400;
	exchange_finish(&c, CLOSE_BAD_REQUEST);
	cr_expect_eq(traffic.v[TRAFFIC_OTHER][4], 1);
	cr_assert_eq(records(&r), 1);
	cr_expect_str_eq(r.reject, "bare_lf");
	cr_expect_null(r.upstream_name);
	cr_expect_eq(record_method(&r).n + record_host(&r).n + record_target(&r).n, 0);
}

Test(exchange, record_says_what_happened)
{
	struct record r;

	begin(POST "hello", true);
	c.ex.upstream = 0;
	c.ex.upload.content_bytes = 5;
	c.ex.download.content_bytes = 1000;
	c.ex.head_wire_bytes = 100;
	c.ex.status = 200;
	c.ex.upstream_status = 201;
	exchange_finish(&c, CLOSE_COMPLETE);
	cr_assert_eq(records(&r), 1);
	cr_expect(span_eq(record_method(&r), SPAN("POST")));
	cr_expect(span_eq(record_host(&r), SPAN("shop.test:81")));
	cr_expect(span_eq(record_target(&r), SPAN("/a?b")));
	cr_expect_eq(r.bytes_in, sizeof(POST) - 1 + 5);
	cr_expect_eq(r.bytes_out, 1100);
	cr_expect_eq(r.status, 200);
	cr_expect_eq(r.upstream_status, 201);
	cr_expect_str_eq(r.upstream_name, "backend");
	cr_expect_str_eq(r.listener_name, "default");
	cr_expect_eq(r.client_port, 4242);
	cr_expect_eq(r.close, CLOSE_COMPLETE);
	cr_expect_eq(counted(COUNTER_BYTES_IN), r.bytes_in);
	cr_expect_eq(counted(COUNTER_BYTES_OUT), r.bytes_out);
	buffer_clear(&w.blocks, &c.peer.in);
}

/* One work space for all clients of a worker: each finds its own request in it again. */
Test(exchange, request_is_parsed_again_where_another_took_its_place)
{
	struct client other = { .worker = &w, .listener = &listener };
	const struct http_request *r;

	begin(POST, true);
	r = exchange_request(&c);
	cr_expect(span_eq(r->target, SPAN("/a?b")));
	cr_expect_eq(w.parsed_for, &c);
	cr_expect(r->target.p > c.ex.head.p && r->target.p < c.ex.head.p + c.ex.head.cap, "parsed from the saved head");

	exchange_init(&other.ex);
	cr_assert_eq(buffer_append(&w.blocks, &other.ex.head, SPAN("GET /other HTTP/1.0\r\n\r\n")), 0);
	r = exchange_request(&other);
	cr_expect(span_eq(r->target, SPAN("/other")));
	r = exchange_request(&c);
	cr_expect(span_eq(r->target, SPAN("/a?b")));
	cr_expect(span_eq(r->host, SPAN("shop.test")));

	exchange_finish(&other, CLOSE_COMPLETE);
	cr_expect_eq(w.parsed_for, &c, "the end of another does not touch it");
	exchange_finish(&c, CLOSE_COMPLETE);
	cr_expect_null(w.parsed_for);
}

/* ---- which rule names it ---- */

static struct claim claim;

static void note(struct rule *rule, uint64_t occurrence)
{
	struct fault_plan decided = { .n_fired = 1, .end = -1, .n_decisions = 2 };
	uint16_t number = (uint16_t)(rule - rules);

	fault_set_seal(&rule->faults);
	decided.fired[0] = (struct fault_fired){ .rule = rule, .set = &rule->faults };
	decided.decisions[0] = (struct decision){ .rule = number, .outcome = DECISION_FIRED, .occurrence = occurrence };
	decided.decisions[1] = (struct decision){ .rule = number, .outcome = DECISION_NOT_DRAWN, .occurrence = 99 };
	if (fault_set_is_terminal(&rule->faults))
		decided.end = 0;
	if (rule->faults.delay.kind != DELAY_NONE) {
		decided.delay_ns = rule->faults.delay.a_ns;
		decided.delay_rule = rule;
	}
	c.ex.claim = &claim;
	fault_effect_take(&claim.effect, &decided);
	decision_note(&c, &decided);
}

static void expect_named(const struct rule *rule, enum fault_kind kind, uint64_t occurrence)
{
	cr_expect_eq(c.ex.rule, rule);
	cr_expect_eq(c.ex.fault, kind);
	cr_expect_eq(claim.decision.occurrence, occurrence);
}

Test(exchange, fault_that_ends_it_names_it_before_a_delay)
{
	rules[0].faults = (struct fault_set){ .delay = { .kind = DELAY_FIXED, .a_ns = 5 } };
	rules[1].faults = (struct fault_set){ .abort = { .status = 503 } };
	rules[2].faults = (struct fault_set){ .delay = { .kind = DELAY_FIXED, .a_ns = 5 } };
	c.ex.begun = true;
	note(&rules[0], 10);
	expect_named(&rules[0], FAULT_DELAY, 10);
	note(&rules[1], 11);
	expect_named(&rules[1], FAULT_ABORT, 11);
	/* It acted as well, and is counted, but does not take the name. */
	note(&rules[2], 12);
	expect_named(&rules[1], FAULT_ABORT, 11);
	cr_expect_eq(atomic_load(&w.counters.faults[FAULT_DELAY]), 2);
	cr_expect_eq(atomic_load(&w.counters.faults[FAULT_ABORT]), 1);
	cr_expect_eq(atomic_load(&w.counters.faults[FAULT_CONNECTION]), 0);
}

Test(exchange, fault_of_bytes_alone_names_it)
{
	rules[0].faults = (struct fault_set){ .corrupt = { .bytes = 3 }, .drip = { .bytes = 1, .every_ns = 1 } };
	c.ex.begun = true;
	note(&rules[0], 4);
	expect_named(&rules[0], FAULT_DRIP, 4);
	cr_expect_eq(atomic_load(&w.counters.faults[FAULT_CORRUPT]), 1);
}
