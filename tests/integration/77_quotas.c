/*
 * 77 quotas: never one more than the limit, at any scale; per key; places of concurrency are given back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/ask.h"
#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(quotas, .timeout = 240);

#define REQUESTS 3000u

/* A window that the test does not outlive. */
Test(quotas, exact_under_load)
{
	static const char *const algorithms[] = { "token_bucket", "fixed_window", "sliding_window" };

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		struct crowd c = { .n_connections = 64, .n_requests = REQUESTS, .target = "/status/204" };
		struct rig r;

		rig_start_with(&r, "workers: 4\nupstream: 'origin:'\nrules:\n  - {rate_limit: {limit: 123, window: 24h, "
				   "algorithm: %s}}\n", algorithms[i]);
		r.context = algorithms[i];
		c.rig = &r;
		crowd_run(&c);
		rig_check(&r, crowd_count(&c, 204) == 123, "%u passed", crowd_count(&c, 204));
		rig_check(&r, crowd_count(&c, 429) == REQUESTS - 123, "%u were refused", crowd_count(&c, 429));
		crowd_free(&c);
		rig_end(&r);
	}
}

/* Each has its turn a third of the time, and its own quota, whatever the other lets pass. */
Test(quotas, of_the_places_of_a_sequence_are_apart_and_exact)
{
	struct crowd c = { .n_connections = 64, .n_requests = REQUESTS, .target = "/status/204" };
	struct rig r;

	rig_start_with(&r, "workers: 4\nupstream: 'origin:'\nrules:\n"
			   "  - sequence:\n"
			   "    - {rate_limit: {limit: 20, window: 24h}}\n"
			   "    - {rate_limit: {limit: 70, window: 24h, algorithm: fixed_window, status: 503}}\n"
			   "    - pass\n");
	c.rig = &r;
	crowd_run(&c);
	rig_check(&r, crowd_count(&c, 429) == REQUESTS / 3 - 20, "%u of 429", crowd_count(&c, 429));
	rig_check(&r, crowd_count(&c, 503) == REQUESTS / 3 - 70, "%u of 503", crowd_count(&c, 503));
	rig_check(&r, crowd_count(&c, 204) == REQUESTS / 3 + 90, "%u passed", crowd_count(&c, 204));
	crowd_free(&c);
	rig_end(&r);
}

/* One request in two is drawn for the quota; what it lets pass, and what it refuses, tell of it. */
Test(quotas, of_an_outcome)
{
	unsigned passed = 0, refused = 0, others = 0;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n"
			   "  - outcomes:\n"
			   "    - {weight: 1, rate_limit: {limit: 5, window: 24h, headers: legacy}}\n"
			   "    - {weight: 1, abort: 503}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < 40; i++) {
		struct message answer;

		peer_send(client, GET("/status/204"));
		message_read_answer(&answer, client, "GET");
		if (answer.status != 503)
			expect_field(&answer, "ratelimit-limit", "5");
		passed += answer.status == 204;
		refused += answer.status == 429;
		others += answer.status == 503;
		rig_check(&r, answer.status != 429 || passed == 5, "refused after %u", passed);
		message_free(&answer);
	}
	rig_check(&r, passed == 5 && refused > 0 && others > 0 && passed + refused + others == 40, "%u, %u, %u", passed,
		refused, others);
	rig_end(&r);
}

/* Of the quota that another request was asked by nothing is told; that one may be of rules that are not there any more. */
Test(quotas, are_told_of_to_those_that_were_asked)
{
	static const char rules[] = "upstream: 'origin:'\nrules:\n"
		"  - {match: {path: '/status/204'}, rate_limit: {limit: 5, window: 24h, headers: legacy}}\n"
		"  - {match: {path: '/none'}, abort: 500}\n";
	struct message answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "%s", rules);
	client = rig_client(&r);
	for (unsigned i = 0; i < 6; i++) {
		peer_printf(client, "GET /status/20%u HTTP/1.1\r\nHost: a\r\n\r\n", i % 2 ? 0u : 4u);
		message_read_answer(&answer, client, "GET");
		expect_field(&answer, "ratelimit-limit", i % 2 ? NULL : "5");
		message_free(&answer);
		if (i % 2 == 0)
			rig_check(&r, rig_reload_with(&r, "%s", rules), "refused");
	}
	rig_end(&r);
}

Test(quotas, are_per_key)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {rate_limit: {limit: 2, window: 24h, key: 'header:x-api-key'}}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < 12; i++) {
		struct message answer;

		peer_printf(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\nX-Api-Key: k%u\r\n\r\n", i % 3);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, i < 6 ? 204 : 429);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(quotas, places_come_back_when_an_exchange_ends_and_when_a_client_leaves)
{
	struct rig r;
	struct peer *client, *held;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {rate_limit: {limit: 1, algorithm: concurrency}}\n"
			   "  - {match: {path: /hang}, hang: {max: 60s}}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < 6; i += 3) {
		expect_get(client, "/status/204", 204);
		(void)rig_log_line(&r, i);
		held = rig_client(&r);
		peer_send(held, "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n");
		peer_expect_silence(held, 50);
		expect_get(client, "/status/204", 429);
		peer_close(held);
		(void)rig_log_line(&r, i + 2);
	}
	rig_end(&r);
}

Test(quotas, every_place_of_many_quotas_is_held_until_the_exchange_ends)
{
	struct rig r;
	struct peer *client, *held;

	rig_start_with(&r, "upstream: 'origin:'\nadmin: 127.0.0.1:0\nrules:\n"
			   "  - {match: {path: /hang}, rate_limit: {limit: 1, algorithm: concurrency}}\n"
			   "  - {match: {path: /hang}, rate_limit: {limit: 1, algorithm: concurrency}}\n"
			   "  - {rate_limit: {limit: 1, algorithm: concurrency}}\n"
			   "  - {match: {path: /hang}, hang: {max: 60s}}\n");
	client = rig_client(&r);
	held = rig_client(&r);
	peer_send(held, "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_check(&r, program_wait_admin(&r.program), "no admin listener");
	free(ask_until(&r, "/v1/totals", "\"held\":1,"));
	expect_get(client, "/status/204", 429);
	(void)rig_log_line(&r, 0);
	peer_close(held);
	(void)rig_log_line(&r, 1);
	expect_get(client, "/status/204", 204);
	rig_end(&r);
}
