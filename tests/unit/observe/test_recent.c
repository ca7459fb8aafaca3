/* recent: what is kept, what is chosen, and that nothing of it points to what has gone. */
#include "observe/recent.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct record plain(const char *target)
{
	struct record r = { .status = 200, .close = CLOSE_COMPLETE, .upstream_name = "web", .listener_name = "public" };

	record_set_text(&r, SPAN("GET"), SPAN("a"), span_of_string(target));
	return r;
}

static void add(struct recent *recent, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct record r = plain("/plain");

		recent_add(recent, &r);
	}
}

static void add_failure(struct recent *recent)
{
	struct record r = plain("/failure");

	r.failure = PROXY_ERROR_CONNECTION_REFUSED;
	recent_add(recent, &r);
}

/* The rule is gone before anybody reads. */
static void add_faulted(struct recent *recent, const char *name)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	char *upstream = span_dup(SPAN("short-lived"));
	struct record r = plain("/faulted");

	rule->name = span_of_string(span_dup(span_of_string(name)));
	r.rule = rule;
	r.upstream_name = upstream;
	r.fault = FAULT_ABORT;
	r.decision = (struct decision){ .occurrence = 1, .threshold = UINT64_C(1) << 62 };
	recent_add(recent, &r);
	memset((char *)(uintptr_t)rule->name.p, 'x', rule->name.n);
	free((char *)(uintptr_t)rule->name.p);
	memset(rule, 0xff, sizeof(*rule));
	free(rule);
	memset(upstream, 'x', strlen(upstream));
	free(upstream);
}

struct got {
	unsigned n;
	uint64_t seq[RECENT_MAX];
	char last[2048];
};

static void take(void *arg, uint64_t seq, struct span json)
{
	struct got *got = arg;
	char tail[40];

	got->seq[got->n++] = seq;
	(void)snprintf(tail, sizeof(tail), ",\"seq\":%llu}", (unsigned long long)seq);
	cr_assert(json.n > strlen(tail) && json.n < sizeof(got->last));
	cr_expect(memcmp(json.p + json.n - strlen(tail), tail, strlen(tail)) == 0, "%.*s", SPAN_ARG(json));
	(void)snprintf(got->last, sizeof(got->last), "%.*s", SPAN_ARG(json));
}

static uint64_t get(struct recent *recent, struct recent_query q, struct got *got)
{
	*got = (struct got){ .n = 0 };
	return recent_read(recent, &q, take, got);
}

Test(recent, newest_last)
{
	struct recent *recent = recent_new();
	struct got *got = malloc(sizeof(*got));

	cr_expect_eq(get(recent, (struct recent_query){ .max = 10 }, got), 0);
	cr_expect_eq(got->n, 0);
	add(recent, 5);
	cr_expect_eq(recent_last(recent), 5);
	cr_expect_eq(get(recent, (struct recent_query){ .max = 3 }, got), 5);
	cr_expect(got->n == 3 && got->seq[0] == 3 && got->seq[2] == 5);
	cr_expect(strstr(got->last, "\"target\":\"/plain\"") && strstr(got->last, "\"upstream\":\"web\""), "%s", got->last);
	cr_expect_eq(get(recent, (struct recent_query){ .max = 10, .since = 4 }, got), 5);
	cr_expect(got->n == 1 && got->seq[0] == 5);
	cr_expect_eq(get(recent, (struct recent_query){ .max = 10, .since = 5 }, got), 5);
	cr_expect_eq(got->n, 0);
	cr_expect_eq(get(recent, (struct recent_query){ .max = 10, .since = UINT64_MAX }, got), 5);
	cr_expect_eq(got->n, 0);
	add(recent, RECENT_MAX + 7);
	cr_expect_eq(get(recent, (struct recent_query){ .max = RECENT_MAX }, got), RECENT_MAX + 12);
	cr_expect(got->n == RECENT_MAX && got->seq[0] == 13 && got->seq[RECENT_MAX - 1] == RECENT_MAX + 12);
	free(got);
	recent_free(recent);
}

Test(recent, notable_ones_are_not_washed_away)
{
	struct recent *recent = recent_new();
	struct got *got = malloc(sizeof(*got));

	add_faulted(recent, "one");
	add(recent, 3000);
	add_failure(recent);
	add_faulted(recent, "two");
	add(recent, 10);
	(void)get(recent, (struct recent_query){ .max = 10, .choice = RECENT_NOTABLE }, got);
	cr_expect(got->n == 3 && got->seq[0] == 1 && got->seq[1] == 3002 && got->seq[2] == 3003);
	cr_expect(strstr(got->last, "\"rule\":\"two\"") && strstr(got->last, "\"upstream\":\"short-lived\""), "%s", got->last);
	cr_expect(strstr(got->last, "\"threshold\":25.000000"), "%s", got->last);
	(void)get(recent, (struct recent_query){ .max = 10, .choice = RECENT_NOTABLE, .rule = SPAN("one") }, got);
	cr_expect(got->n == 1 && got->seq[0] == 1);
	(void)get(recent, (struct recent_query){ .max = 10, .choice = RECENT_NOTABLE, .rule = SPAN("on") }, got);
	cr_expect_eq(got->n, 0);
	/* Of five since 3000 both notable ones and the newest three. */
	(void)get(recent, (struct recent_query){ .max = 5, .since = 3000, .choice = RECENT_NOTABLE_FIRST }, got);
	cr_expect(got->n == 5 && got->seq[0] == 3002 && got->seq[1] == 3003 && got->seq[2] == 3011 && got->seq[4] == 3013);
	(void)get(recent, (struct recent_query){ .max = 1, .since = 3000, .choice = RECENT_NOTABLE_FIRST }, got);
	cr_expect(got->n == 1 && got->seq[0] == 3003);
	/* No exchange twice. */
	(void)get(recent, (struct recent_query){ .max = RECENT_MAX, .since = 3000, .choice = RECENT_NOTABLE_FIRST }, got);
	cr_expect_eq(got->n, 13);
	(void)get(recent, (struct recent_query){ .max = 0, .choice = RECENT_NOTABLE_FIRST }, got);
	cr_expect_eq(got->n, 0);
	free(got);
	recent_free(recent);
}

/* Whatever did not go as it would have without rules and failures. */
Test(recent, what_is_notable)
{
	const struct {
		struct record r;
		bool notable;
	} cases[] = {
		{ { .status = 200 }, false },
		{ { .status = 500 }, false }, /* the upstream's own */
		{ { .fault = FAULT_THROTTLE }, true },
		{ { .also_delay = true }, true },
		{ { .failure = PROXY_ERROR_DNS_ERROR }, true },
		{ { .reject = "host_missing" }, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct recent *recent = recent_new();
		struct got *got = malloc(sizeof(*got));

		recent_add(recent, &cases[i].r);
		(void)get(recent, (struct recent_query){ .max = 1, .choice = RECENT_NOTABLE }, got);
		cr_expect_eq(got->n, cases[i].notable, "case %zu", i);
		free(got);
		recent_free(recent);
	}
}

static void *write_many(void *arg)
{
	for (unsigned i = 0; i < 200; i++) {
		add(arg, 20);
		add_faulted(arg, "busy");
	}
	return NULL;
}

/* Each number comes once, and in order, whoever writes meanwhile. */
Test(recent, while_it_is_written)
{
	struct recent *recent = recent_new();
	struct got *got = malloc(sizeof(*got));
	uint64_t since = 0;
	pthread_t writer;

	cr_assert_eq(pthread_create(&writer, NULL, write_many, recent), 0);
	while (since < 200 * 21) {
		uint64_t last = get(recent, (struct recent_query){ .max = RECENT_MAX, .since = since }, got);

		for (unsigned i = 0; i < got->n; i++)
			cr_assert(got->seq[i] > since && got->seq[i] <= last && (i == 0 || got->seq[i] == got->seq[i - 1] + 1));
		since = last;
	}
	(void)pthread_join(writer, NULL);
	free(got);
	recent_free(recent);
}
