/*
 * resolver: with a source and a clock of our own for what it keeps and whom it tells, with the system's once.
 */
#include "net/resolver.h"

#include <criterion/criterion.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

TestSuite(resolver, .timeout = 120);

static struct loop *loop;
static struct resolver *resolver;

/* ---- a source of our own ---- */

static _Atomic int64_t now_ns;
static _Atomic unsigned begun, lookups;
static _Atomic int outcome; /* 0, or the code to fail with */
static _Atomic unsigned last_octet = 1;

/* Held while look-ups are not to end, but of this name. */
#define OPEN "open.test"
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int64_t fake_now_ns(void)
{
	return now_ns;
}

static int fake_resolve(struct address *list, unsigned max, unsigned *n, struct span host, uint16_t port)
{
	char text[32];

	cr_assert_geq(max, 2);
	begun++;
	if (!span_eq(host, SPAN(OPEN))) {
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	lookups++;
	*n = 0;
	if (outcome)
		return outcome;
	(void)snprintf(text, sizeof(text), "10.0.0.%u", last_octet);
	*n = 2;
	cr_assert_eq(address_from_numeric(&list[0], span_of_string(text), port), 0);
	cr_assert_eq(address_from_numeric(&list[1], SPAN("2001:db8::1"), port), 0);
	return 0;
}

static const struct resolver_source fake = { .resolve = fake_resolve, .now_ns = fake_now_ns, .threads = 1 };

static void start(void)
{
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(resolver_new_from(&resolver, &fake), 0);
}

static void finish(void)
{
	resolver_free(resolver);
	loop_free(loop);
}

/* ---- askers ---- */

static unsigned told;
static unsigned told_wanted;
static uint64_t told_tokens;
static struct resolver_answer told_answer;

static void on_answer(void *arg, uint64_t token, const struct resolver_answer *answer)
{
	cr_assert_eq(arg, &told_tokens);
	told_tokens += token;
	told_answer = *answer;
	if (++told == told_wanted)
		loop_stop(loop);
}

static int ask(const char *host, uint16_t port, uint64_t token, struct resolver_answer *answer)
{
	return resolver_ask(resolver, span_of_string(host), port, loop, on_answer, &told_tokens, token, answer);
}

static void run_until_told(unsigned wanted)
{
	told_wanted = wanted;
	if (told < wanted)
		loop_run(loop);
}

static void expect_address(const struct resolver_answer *answer, unsigned octet, uint16_t port)
{
	cr_assert_eq(answer->n, 2);
	cr_expect_eq(ntohl(answer->list[0].in.sin_addr.s_addr), 0x0a000000u + octet);
	cr_expect_eq(address_port(&answer->list[0]), port);
	cr_expect_eq(answer->list[1].sa.sa_family, AF_INET6);
	cr_expect_eq(address_port(&answer->list[1]), port);
}

/* Until the thread has ended so many look-ups and put their answers into the table. */
static void await_lookups(unsigned wanted, const char *host)
{
	struct resolver_answer answer;

	while (lookups < wanted)
		sched_yield();
	/* One that is new waits behind those: told, they are in the table. */
	cr_assert_eq(ask(host, 1, 0, &answer), 1);
	run_until_told(told + 1);
}

/* ---- tests ---- */

Test(resolver, numbers_need_no_lookup)
{
	struct resolver_answer answer;

	start();
	cr_assert_eq(ask("127.0.0.1", 80, 0, &answer), 0);
	cr_expect_eq(answer.n, 1);
	cr_expect(address_is_loopback(&answer.list[0]));
	cr_expect_eq(address_port(&answer.list[0]), 80);
	cr_assert_eq(ask("[::1]", 80, 0, &answer), 0);
	cr_expect_eq(answer.n, 1);
	cr_expect_eq(lookups, 0);
	finish();
}

Test(resolver, what_can_be_no_host_fails_at_once)
{
	static char too_long[256];
	const struct span hosts[] = { SPAN(""), SPAN("a\0b"), { too_long, sizeof(too_long) } };
	struct resolver_answer answer;

	memset(too_long, 'a', sizeof(too_long));
	start();
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		answer.n = 9;
		cr_assert_eq(resolver_ask(resolver, hosts[i], 1, loop, on_answer, &told_tokens, 0, &answer), 0);
		cr_expect_eq(answer.n, 0);
		cr_expect_eq(answer.error, -EAI_NONAME);
	}
	cr_expect_eq(lookups, 0);
	finish();
}

Test(resolver, answers_are_kept_for_their_time)
{
	struct resolver_answer answer;

	start();
	cr_assert_eq(ask("api.test", 80, 5, &answer), 1);
	run_until_told(1);
	cr_expect_eq(told_tokens, 5);
	expect_address(&told_answer, 1, 80);
	cr_assert_eq(ask("API.test", 443, 0, &answer), 0, "names know no case");
	expect_address(&answer, 1, 443);
	now_ns = RESOLVER_TTL_NS - 1;
	cr_assert_eq(ask("api.test", 80, 0, &answer), 0);
	cr_expect_eq(lookups, 1);
	finish();
}

Test(resolver, those_who_ask_meanwhile_share_one_lookup)
{
	struct resolver_answer answer;

	start();
	pthread_mutex_lock(&gate);
	for (unsigned i = 1; i <= 10; i++)
		cr_assert_eq(ask("api.test", 80, i, &answer), 1);
	pthread_mutex_unlock(&gate);
	run_until_told(10);
	cr_expect_eq(told_tokens, 55);
	cr_expect_eq(lookups, 1);
	finish();
}

Test(resolver, failures_are_kept_for_a_short_time)
{
	struct resolver_answer answer;

	start();
	outcome = -EAI_NONAME;
	cr_assert_eq(ask("gone.test", 80, 1, &answer), 1);
	run_until_told(1);
	cr_expect_eq(told_answer.n, 0);
	cr_expect_eq(told_answer.error, -EAI_NONAME);
	now_ns = RESOLVER_RETRY_NS - 1;
	cr_assert_eq(ask("gone.test", 80, 1, &answer), 0);
	cr_expect_eq(answer.n, 0);
	cr_expect_eq(answer.error, -EAI_NONAME);
	cr_expect_eq(lookups, 1);

	now_ns = RESOLVER_RETRY_NS;
	outcome = 0;
	cr_assert_eq(ask("gone.test", 80, 1, &answer), 1);
	run_until_told(2);
	expect_address(&told_answer, 1, 80);
	finish();
}

Test(resolver, an_old_answer_is_given_while_it_is_refreshed)
{
	struct resolver_answer answer;

	start();
	cr_assert_eq(ask("api.test", 80, 1, &answer), 1);
	run_until_told(1);
	now_ns = RESOLVER_TTL_NS;
	last_octet = 2;
	pthread_mutex_lock(&gate);
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	expect_address(&answer, 1, 80);
	pthread_mutex_unlock(&gate);
	await_lookups(2, "other.test");
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	expect_address(&answer, 2, 80);
	cr_expect_eq(lookups, 3);
	finish();
}

Test(resolver, an_old_answer_outlives_a_name_server_that_is_away_but_not_its_name)
{
	struct resolver_answer answer;

	start();
	cr_assert_eq(ask("api.test", 80, 1, &answer), 1);
	run_until_told(1);
	now_ns = RESOLVER_TTL_NS;
	outcome = -EAI_AGAIN;
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	await_lookups(2, "b.test");
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	expect_address(&answer, 1, 80);
	cr_expect_eq(lookups, 3, "the failure is kept as well: no look-up for each request");

	now_ns += RESOLVER_RETRY_NS;
	outcome = -EAI_NONAME;
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	await_lookups(4, "c.test");
	cr_assert_eq(ask("api.test", 80, 1, &answer), 0);
	cr_expect_eq(answer.n, 0);
	cr_expect_eq(answer.error, -EAI_NONAME);
	finish();
}

static int ask_numbered(unsigned i, struct resolver_answer *answer)
{
	char host[32];

	(void)snprintf(host, sizeof(host), "host-%u.test", i);
	return ask(host, 80, 0, answer);
}

Test(resolver, the_table_is_bounded)
{
	struct resolver_answer answer;

	start();
	pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < RESOLVER_NAMES_MAX; i++)
		cr_assert_eq(ask_numbered(i, &answer), 1);
	cr_assert_eq(ask("one-more.test", 80, 0, &answer), 0, "all are being looked up");
	cr_expect_eq(answer.n, 0);
	cr_expect_eq(answer.error, -EAI_AGAIN);
	pthread_mutex_unlock(&gate);
	run_until_told(RESOLVER_NAMES_MAX);

	/* The first is the least recently used but for this: */
	cr_assert_eq(ask_numbered(0, &answer), 0);
	cr_assert_eq(ask("one-more.test", 80, 0, &answer), 1);
	run_until_told(RESOLVER_NAMES_MAX + 1);
	cr_expect_eq(lookups, RESOLVER_NAMES_MAX + 1);
	cr_assert_eq(ask_numbered(0, &answer), 0, "kept");
	cr_assert_eq(ask_numbered(2, &answer), 0, "kept");
	cr_assert_eq(ask_numbered(1, &answer), 1, "made room");
	run_until_told(RESOLVER_NAMES_MAX + 2);
	finish();
}

Test(resolver, may_be_freed_while_others_wait)
{
	struct resolver_answer answer;

	start();
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(ask_numbered(i, &answer), 1);
	while (lookups < 3)
		sched_yield();
	finish();
	cr_expect_eq(told, 0);
}

/* ---- several look-ups at a time ---- */

static const struct resolver_source three = { .resolve = fake_resolve, .now_ns = fake_now_ns, .threads = 3 };

Test(resolver, names_whose_server_is_silent_hold_up_no_other)
{
	struct resolver_answer answer;

	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(resolver_new_from(&resolver, &three), 0);
	pthread_mutex_lock(&gate);
	cr_assert_eq(ask_numbered(1, &answer), 1);
	cr_assert_eq(ask_numbered(2, &answer), 1);
	cr_assert_eq(ask(OPEN, 80, 7, &answer), 1);
	run_until_told(1);
	cr_expect_eq(told_tokens, 7);
	pthread_mutex_unlock(&gate);
	run_until_told(3);
	finish();
}

Test(resolver, more_names_than_threads)
{
	struct resolver_answer answer;

	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(resolver_new_from(&resolver, &three), 0);
	for (unsigned i = 0; i < 500; i++)
		cr_assert_eq(ask_numbered(i, &answer), 1);
	run_until_told(500);
	cr_expect_eq(lookups, 500);
	finish();
}

Test(resolver, may_be_freed_while_a_lookup_does_not_end)
{
	struct resolver_answer answer;

	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(resolver_new_from(&resolver, &three), 0);
	pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_eq(ask_numbered(i, &answer), 1);
	while (begun < 3)
		sched_yield();
	finish();
	pthread_mutex_unlock(&gate);
	/* Those that ran end; what had not begun is not begun any more. */
	while (lookups < 3)
		sched_yield();
	cr_expect_eq(lookups, 3);
	cr_expect_eq(told, 0);
}

/* ---- many threads ---- */

#define THREADS 4
#define ASKS_EACH 500

struct asker {
	pthread_t thread;
	struct loop *loop;
	unsigned answered;
	bool failed;
};

static void on_asker_answer(void *arg, uint64_t token, const struct resolver_answer *answer)
{
	struct asker *a = arg;

	if (answer->n != 2 || address_port(&answer->list[0]) != token)
		a->failed = true;
	if (++a->answered == ASKS_EACH)
		loop_stop(a->loop);
}

static void *run_asker(void *arg)
{
	struct asker *a = arg;

	for (unsigned i = 1; i <= ASKS_EACH; i++) {
		struct resolver_answer answer;
		char host[32];
		int rc;

		(void)snprintf(host, sizeof(host), "host-%u.test", i % 50);
		rc = resolver_ask(resolver, span_of_string(host), (uint16_t)i, a->loop, on_asker_answer, a, i, &answer);
		if (rc == 0)
			on_asker_answer(a, i, &answer);
		else if (rc < 0)
			a->failed = true;
	}
	if (a->answered < ASKS_EACH)
		loop_run(a->loop);
	return NULL;
}

Test(resolver, each_asker_is_told_in_its_own_loop)
{
	static struct asker askers[THREADS];

	start();
	for (unsigned i = 0; i < THREADS; i++) {
		cr_assert_eq(loop_new(&askers[i].loop), 0);
		cr_assert_eq(pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(askers[i].thread, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		cr_expect_eq(askers[i].answered, ASKS_EACH);
		cr_expect_not(askers[i].failed);
	}
	cr_expect_eq(lookups, 50);
	for (unsigned i = 0; i < THREADS; i++)
		loop_free(askers[i].loop);
	finish();
}

/* ---- the system's ---- */

Test(resolver, asks_the_system)
{
	struct resolver_answer answer;

	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(resolver_new(&resolver), 0);
	cr_assert_eq(ask("localhost", 80, 1, &answer), 1);
	run_until_told(1);
	cr_assert_gt(told_answer.n, 0);
	for (unsigned i = 0; i < told_answer.n; i++) {
		cr_expect(address_is_loopback(&told_answer.list[i]));
		cr_expect_eq(address_port(&told_answer.list[i]), 80);
	}
	/* RFC 6761 section 6.4: there is no such name, whether a name server can be asked or not. */
	cr_assert_eq(ask("name.invalid", 80, 1, &answer), 1);
	run_until_told(2);
	cr_expect_eq(told_answer.n, 0);
	cr_expect_neq(told_answer.error, 0);
	cr_expect_gt(strlen(address_resolve_error(told_answer.error)), 0);
	finish();
}
