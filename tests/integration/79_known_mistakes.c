/*
 * 79 known mistakes: what other programs of this kind were seen to get wrong, and no other file here looks at: percentages
 * beside their mark, a fault that an open connection does not notice, places lost with a client, repeated fields merged,
 * content where none may be, waits that do not count down, statuses found bad too late, upstreams asked when they should not.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(known_mistakes, .timeout = 240);

#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define N_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- percentages ---- */

#define REQUESTS 10000u

/* How many of REQUESTS the rule hits. */
static unsigned hits_of(const char *rule, unsigned seed)
{
	struct crowd c = { .n_connections = 32, .n_requests = REQUESTS, .target = "/status/204" };
	unsigned hits;
	struct rig r;

	rig_start_with(&r, "seed: %u\nworkers: 2\nupstream: 'origin:'\nrules:\n  - {%s, abort: 503}\n", seed, rule);
	r.context = rule;
	c.rig = &r;
	crowd_run(&c);
	hits = crowd_count(&c, 503);
	rig_check(&r, hits + crowd_count(&c, 204) == REQUESTS, "some are neither 503 nor 204");
	crowd_free(&c);
	rig_end(&r);
	return hits;
}

Test(known_mistakes, percentage_0_never_fires_and_100_always)
{
	cr_assert_eq(hits_of("percentage: 0", 1), 0);
	cr_assert_eq(hits_of("percentage: 100", 1), REQUESTS);
}

/* The chance that at most k of n draws of chance p hit: the sum of the binomial distribution, from its logarithms. */
static double binomial_at_most(unsigned k, unsigned n, double p)
{
	double sum = 0;

	for (unsigned i = 0; i <= k; i++)
		sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p));
	return sum;
}

/* What lies outside has a chance of one in a million on each side. */
Test(known_mistakes, one_percent_stays_within_its_binomial_bound)
{
	static const char *const rules[] = { "percentage: 1", "percentage: 1, key: 'header:x-id'" };

	for (size_t i = 0; i < N_OF(rules); i++) {
		for (unsigned seed = 1; seed <= 2; seed++) {
			unsigned hits = hits_of(rules[i], seed);
			double at_most = binomial_at_most(hits, REQUESTS, 0.01);
			double fewer = hits ? binomial_at_most(hits - 1, REQUESTS, 0.01) : 0;

			cr_assert(at_most > 1e-6 && 1 - fewer > 1e-6, "%s, seed %u: %u of %u", rules[i], seed, hits, REQUESTS);
		}
	}
}

/* ---- connections that are kept, places that are held ---- */

/* A rule comes on and goes off, again and again: the open connections of both sides notice at the next request, and stay open. */
Test(known_mistakes, kept_connection_meets_a_rule_at_its_next_request)
{
	unsigned before = 0, during = 0, status = 0;
	struct peer *client;
	struct rig r;
	long long until;

	rig_start_with(&r, "rules:\n  - {start_after: 2s, duration: 700ms, period: 3s, abort: 503}\n");
	client = rig_client(&r);
	until = now_ms() + 3 * PATIENCE_MS;
	while (!during || status != 200) {
		struct message request, answer;

		peer_send(client, GET("/"));
		/* Whichever side speaks: an upstream gets the request, or the client its answer. */
		while (!peer_rest_n(client) && !rig_try_request(&r, &request)) {
			rig_check(&r, now_ms() < until, "%u before the rule, %u with it, and no end", before, during);
			(void)peer_read(client, 1);
		}
		if (!peer_rest_n(client)) {
			peer_send(request.peer, OK_HI);
			message_free(&request);
		}
		message_read_answer(&answer, client, "GET");
		status = answer.status;
		message_free(&answer);
		rig_check(&r, status == 503 || status == 200, "status %u", status);
		during += status == 503;
		before += status == 200 && !during;
		sleep_ms(20);
	}
	rig_check(&r, before > 0, "the rule was on from the start");
	rig_check(&r, r.n_clients == 1 && r.n_accepted == 1, "%u connections to the upstream", r.n_accepted);
	rig_end(&r);
}

/* The places of a ceiling that delays hold are free when the clients go, long before the delays are over. */
Test(known_mistakes, client_that_leaves_a_delay_gives_its_place_back)
{
	struct message request, answer;
	struct peer *held[2], *client;
	struct rig r;
	unsigned ended = 0;

	rig_start_with(&r, "rules:\n  - {max_active_faults: 2, delay: 60s}\n");
	client = rig_client(&r);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 2; i++) {
			held[i] = rig_client(&r);
			peer_send(held[i], GET("/"));
			peer_expect_silence(held[i], 50);
		}
		rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer); /* no place is left: no delay */
		expect_body(&answer, "hi");
		free_both(&request, &answer);
		if (round % 2) {
			peer_reset(held[0]);
			peer_reset(held[1]);
		} else {
			peer_close(held[0]);
			peer_close(held[1]);
		}
		ended += 3;
		(void)rig_log_line(&r, ended - 1);
	}
	/* And no timer runs on: a stop waits for nobody. */
	rig_end(&r);
}

/* Nor is a body held for who is gone: neither before its first byte nor between two. */
Test(known_mistakes, client_that_leaves_a_held_body_gives_its_place_back)
{
	static const char *const faults[] = { "delay: {fixed: 60s, at: body}", "drip: {bytes: 1, every: 60s}" };

	for (size_t i = 0; i < 2 * N_OF(faults); i++) {
		struct peer *held;
		struct rig r;

		rig_start_with(&r, "rules:\n  - {max_active_faults: 1, %s}\n", faults[i / 2]);
		r.context = faults[i / 2];
		held = rig_client(&r);
		peer_send(rig_reach(&r, held, GET("/")), OK_HI);
		peer_expect(held, "H");
		if (i % 2)
			peer_reset(held);
		else
			peer_close(held);
		(void)rig_log_line(&r, 0); /* it is over */
		held = rig_client(&r);
		peer_send(rig_reach(&r, held, GET("/")), OK_HI);
		/* The place is free: this one is held too. */
		peer_expect(held, "H");
		sleep_ms(50);
		(void)peer_read(held, 50);
		rig_check(&r, !strstr(bytes_text(&held->in), "hi"), "it is not held");
		peer_close(held);
		rig_end(&r);
	}
}

/* ---- fields and content ---- */

#define COOKIES "Set-Cookie: a=1; Path=/\r\nset-cookie: b=2, c\r\nSet-Cookie: a=1; Path=/\r\n"

Test(known_mistakes, repeated_fields_survive_every_fault_of_phase_response)
{
	static const char *const faults[] = { "delay: 20ms", "delay: {fixed: 20ms, at: body}", "rewrite: {status: 500}",
		"rewrite: {body: other}", "rewrite: {headers: {set: {x-a: b}}}", "corrupt: 1", "truncate: 1",
		"throttle: {download: 64KiB/s}", "drip: {bytes: 64, every: 5ms}", "malformed: chunk" };

	for (size_t i = 0; i < N_OF(faults); i++) {
		static const char *const lines[] = { "\r\nSet-Cookie: a=1; Path=/\r\n", "\r\nset-cookie: b=2, c\r\n",
			"\r\nSet-Cookie: a=1; Path=/\r\n" };
		struct peer *client;
		const char *at;
		struct rig r;

		rig_start_with(&r, "rules:\n  - {phase: response, %s}\n", faults[i]);
		r.context = faults[i];
		client = rig_client(&r);
		peer_send(rig_reach(&r, client, GET("/")), "HTTP/1.1 200 OK\r\n" COOKIES "Content-Length: 2\r\n\r\nhi");
		while (!strstr(peer_rest(client), "\r\n\r\n"))
			rig_check(&r, peer_read(client, PATIENCE_MS), "no head came");
		at = peer_rest(client);
		for (size_t k = 0; k < N_OF(lines); k++) {
			at = strstr(at, lines[k]);
			rig_check(&r, at, "line %zu is lost, changed or out of order", k);
			at += strlen(lines[k]) - 2;
		}
		peer_close(client);
		rig_end(&r);
	}
}

Test(known_mistakes, abort_keeps_nothing_that_described_the_real_content)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nETag: \"e\"\r\nLast-Modified: m\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n"
		"2\r\nhi\r\n0\r\n\r\n",
	};
	static const char *const gone[] = { "content-encoding", "etag", "last-modified", "transfer-encoding" };
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "rules:\n  - {phase: response, abort: {status: 503, body: other}}\n");
	client = rig_client(&r);
	for (size_t i = 0; i < N_OF(answers); i++) {
		struct message request, answer;

		rig_exchange(&r, client, GET("/"), answers[i], &request, &answer);
		for (size_t k = 0; k < N_OF(gone); k++)
			expect_field(&answer, gone[k], NULL);
		expect_field(&answer, "content-length", "5");
		expect_body(&answer, "other");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

/* On one connection: a byte too many would be the begin of the next answer. */
Test(known_mistakes, no_content_where_none_may_be)
{
	static const struct {
		const char *asked;
		const char *method;
		unsigned status;
	} rows[] = {
		{ HEAD("/503"), "HEAD", 503 },
		{ HEAD("/nginx"), "HEAD", 502 },
		{ HEAD("/problem"), "HEAD", 500 },
		{ GET("/204"), "GET", 204 },
		{ HEAD("/204"), "HEAD", 204 },
		{ GET("/205"), "GET", 205 },
		{ "GET /304 HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"e\"\r\n\r\n", "GET", 304 },
		{ "HEAD /304 HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"e\"\r\n\r\n", "HEAD", 304 },
	};
	static const char *const phases[] = { "request", "response" };

	for (size_t p = 0; p < N_OF(phases); p++) {
		struct bytes yaml = { 0 };
		struct peer *client;
		struct rig r;

		bytes_printf(&yaml,
			"upstream: 'origin:'\n"
			"rules:\n"
			"  - {phase: @phase@, match: {path: /503}, abort: {status: 503, body: content}}\n"
			"  - {phase: @phase@, match: {path: /nginx}, abort: {status: 502, as: nginx}}\n"
			"  - {phase: @phase@, match: {path: /problem}, abort: {status: 500, body: problem}}\n"
			"  - {phase: @phase@, match: {path: /204}, abort: 204}\n"
			"  - {phase: @phase@, match: {path: /205}, abort: 205}\n"
			"  - phase: @phase@\n"
			"    match: {path: /304, method: [GET, HEAD], headers: {if-none-match: {present: true}}}\n"
			"    abort: 304\n");
		bytes_replace(&yaml, "@phase@", phases[p]);
		rig_start_with(&r, "%s", yaml.p);
		bytes_free(&yaml);
		client = rig_client(&r);
		for (size_t i = 0; i < N_OF(rows); i++) {
			struct message answer;

			r.context = rows[i].asked;
			peer_send(client, rows[i].asked);
			message_read_answer(&answer, client, rows[i].method);
			expect_status(&answer, rows[i].status);
			rig_check(&r, answer.body.n == 0, "%zu bytes of content", answer.body.n);
			if (rows[i].status == 204)
				expect_field(&answer, "content-length", NULL);
			message_free(&answer);
		}
		peer_expect_silence(client, 50);
		rig_end(&r);
	}
}

/* ---- waits ---- */

/* What is told never grows while it is waited for, and is what is left of the first wait; the second is not a new one. */
Test(known_mistakes, told_wait_counts_down)
{
	long told = 5;
	struct peer *client;
	struct bytes said;
	struct rig r;
	long long since, told_ms = 0;
	unsigned matched, fired, counted, early = 0;
	const char *row;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n"
			   "  - {name: limit, first: 1, abort: {status: 429, retry_after: 4s, enforce: true}}\n");
	client = rig_client(&r);
	since = now_ms();
	for (;;) {
		struct message answer;
		const char *hint;
		long long asked_ms = now_ms(), gone_ms;
		long left;

		peer_send(client, GET("/status/204"));
		message_read_answer(&answer, client, "GET");
		gone_ms = now_ms() - since;
		told_ms = told_ms ? told_ms : now_ms();
		if (answer.status == 204) {
			message_free(&answer);
			break;
		}
		expect_status(&answer, 429);
		hint = message_field(&answer, "retry-after");
		rig_check(&r, hint, "no wait is told after %lld ms", gone_ms);
		left = strtol(hint, NULL, 10);
		message_free(&answer);
		rig_check(&r, left >= 1 && left <= told && left <= 4, "%ld after %ld", left, told);
		/* Never less than what is left: 4 s began when the first answer was made, after `since`. */
		rig_check(&r, left * 1000 >= 4000 - gone_ms, "%ld s are told after %lld ms", left, gone_ms);
		/* Nor a second more, counted from when that answer had come. */
		rig_check(&r, left * 1000 <= 4000 - (asked_ms - told_ms) + 1000, "%ld s are told after %lld ms", left, gone_ms);
		early += told != 5;
		told = left;
		rig_check(&r, gone_ms < 2 * 4000, "it never ends");
		sleep_ms(300);
	}
	rig_check(&r, now_ms() - since >= 4000, "it ended after %lld ms", now_ms() - since);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, PATIENCE_MS), "does not end");
	said = program_stderr(&r.program);
	row = strstr(bytes_text(&said), "\n  limit ");
	rig_check(&r, row && strstr(bytes_text(&said), " early ") &&
		sscanf(row, " limit %u %u %u", &matched, &fired, &counted) == 3,
		"early returns are not counted:\n%s", bytes_text(&said));
	rig_check(&r, counted == early && fired == early + 1 && matched == early + 2, "%u were early, %u are counted", early,
		counted);
	bytes_free(&said);
	rig_expect_exit(&r, 0);
}

/* ---- statuses ---- */

/* Told with its line before anything is served: what is found only at an answer is found too late. */
Test(known_mistakes, bad_status_is_an_error_of_the_file)
{
	static const char *const rules[] = { "abort: 0", "abort: 99", "abort: 100", "abort: 101", "abort: 103", "abort: 199",
		"abort: 600", "abort: 999", "abort: 1000", "abort: -1", "abort: 200.5", "abort: 5e2", "abort: 0x1f7",
		"abort: 5xx", "abort: ''", "abort: '503 '", "abort: 4294967799", "abort: 18446744073709552119",
		"abort: {status: 101}", "abort: {as: nginx, status: 99}", "phase: response, abort: 100",
		"phase: response, rewrite: {status: 100}", "phase: response, rewrite: {status: 1000}",
		"phase: response, match: {status: 600}, abort: 503", "rate_limit: {limit: 1, window: 1s, status: 42}",
		"sequence: [503, 100]", "outcomes: [{weight: 1, abort: 999}]", "enabled: false, abort: 999",
		"percentage: 0, abort: 999" };
	struct program p;

	program_open(&p);
	for (size_t i = 0; i < N_OF(rules); i++) {
		char yaml[300];
		struct bytes said;
		int code;

		snprintf(yaml, sizeof(yaml), "listen: 127.0.0.1:0\nupstream: 'origin:'\nrules:\n  - abort: 503\n  - {%s}\n",
			rules[i]);
		program_write_file(&p, "rules.yaml", yaml);
		code = program_run(&p, (const char *const[]){ "run", program_path(&p, "rules.yaml"), NULL }, NULL);
		said = program_stderr(&p);
		cr_assert(code == 2, "%s: exit code %d\n%s", rules[i], code, bytes_text(&said));
		cr_assert(strstr(bytes_text(&said), "rules.yaml:5:"), "%s: no line is told:\n%s", rules[i], bytes_text(&said));
		cr_assert(!strstr(bytes_text(&said), "listening"), "%s: it listened", rules[i]);
		cr_assert(!program_has_report(&p), "%s: %s", rules[i], bytes_text(&said));
		bytes_free(&said);
	}
	program_close(&p);
}

/* ---- phases ---- */

/* Whatever ends an exchange: in phase request the upstream sees no connection, in phase response exactly one whole request. */
Test(known_mistakes, upstream_sees_nothing_or_exactly_one_request)
{
	static const char *const ends[] = { "abort: 503", "abort: {status: 502, as: nginx}",
		"abort: {status: 429, retry_after: 1s}", "connection: close", "connection: reset", "connection: refuse",
		"hang: {max: 100ms}", "outcomes: [{weight: 1, abort: 500}]", "sequence: [503]" };

	for (size_t i = 0; i < 2 * N_OF(ends); i++) {
		bool in_response = i % 2;
		struct message request;
		struct peer *client;
		struct rig r;

		rig_start_with(&r, "rules:\n  - {phase: %s, %s}\n", in_response ? "response" : "request", ends[i / 2]);
		r.context = ends[i / 2];
		client = rig_client(&r);
		peer_send(client, "POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n100");
		if (in_response) {
			peer_send(rig_request(&r, &request), "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\npaid");
			expect_line(&request, "POST /pay HTTP/1.1");
			expect_body(&request, "100");
			message_free(&request);
		}
		(void)rig_log_line(&r, 0); /* it is over */
		rig_expect_upstream_silence(&r, 30);
		rig_check(&r, r.n_accepted == (in_response ? 1 : 0), "%u connections to the upstream", r.n_accepted);
		if (in_response) {
			const char *status = rig_log_value(rig_log_line(&r, 0), "upstream_status");

			rig_check(&r, status && strcmp(status, "201") == 0, "its status is not in the log: %s",
				rig_log_line(&r, 0));
		}
		peer_close(client);
		rig_end(&r);
	}
}
