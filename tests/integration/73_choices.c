/*
 * 73 choices: which of several faults, in which turn, when and how many at most: exactly as written, at any scale, and given
 * back when a client leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/ask.h"
#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(choices, .timeout = 240);

#define REQUESTS 3000u

static unsigned ask_with(struct peer *client, const char *fields)
{
	struct message answer;
	unsigned status;

	peer_printf(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	message_read_answer(&answer, client, "GET");
	status = answer.status;
	message_free(&answer);
	return status;
}

static void run_crowd(struct crowd *c, const char *rule, unsigned workers)
{
	struct rig r;

	rig_start_with(&r, "seed: 7\nworkers: %u\nupstream: 'origin:'\nrules:\n  - %s\n", workers, rule);
	r.context = rule;
	c->rig = &r;
	c->target = "/status/204";
	c->n_requests = REQUESTS;
	crowd_run(c);
	rig_end(&r);
}

/* ---- outcomes, sequences ------------------------------------------------------------------------------------------- */

Test(choices, outcomes_are_the_seeds_at_any_scale)
{
	static const char rule[] = "{key: 'header:x-id', outcomes: [{weight: 3, abort: 503}, {weight: 1, abort: 429}, "
				   "{weight: 6, pass: true}]}\n  - {abort: 500}";
	struct crowd one = { .n_connections = 1 }, many = { .n_connections = 64 };

	run_crowd(&one, rule, 1);
	run_crowd(&many, rule, 4);
	cr_assert_arr_eq(one.status, many.status, REQUESTS * sizeof(one.status[0]));
	/* 900, 300 and 1800 are expected, deviations 25, 16 and 27; a pass ends the list, so that nobody gets 500. */
	cr_assert(crowd_count(&one, 503) > 750 && crowd_count(&one, 503) < 1050, "%u", crowd_count(&one, 503));
	cr_assert(crowd_count(&one, 429) > 200 && crowd_count(&one, 429) < 400, "%u", crowd_count(&one, 429));
	cr_assert_eq(crowd_count(&one, 503) + crowd_count(&one, 429) + crowd_count(&one, 204), REQUESTS);
	crowd_free(&one);
	crowd_free(&many);
}

Test(choices, sequences_take_turns_per_key)
{
	static const struct {
		const char *rule;
		unsigned statuses[7];
	} rows[] = {
		{ "{key: 'header:x-user', sequence: [503, 429, pass]}", { 503, 429, 204, 503, 429, 204, 503 } },
		{ "{key: 'header:x-user', sequence: [503, 429], then: pass}", { 503, 429, 204, 204, 204, 204, 204 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig r;
		struct peer *client;

		rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - %s\n", rows[i].rule);
		r.context = rows[i].rule;
		client = rig_client(&r);
		for (unsigned n = 0; n < 14; n++) {
			unsigned status = ask_with(client, n % 2 ? "X-User: a\r\n" : "X-User: b\r\n");

			rig_check(&r, status == rows[i].statuses[n / 2], "request %u got %u", n, status);
		}
		rig_end(&r);
	}
}

/* ---- ceilings ------------------------------------------------------------------------------------------------------ */

Test(choices, max_faults_is_exact_under_load)
{
	struct crowd c = { .n_connections = 64 };

	run_crowd(&c, "{abort: 503, max_faults: 123}", 4);
	cr_assert_eq(crowd_count(&c, 503), 123, "%u", crowd_count(&c, 503));
	cr_assert_eq(crowd_count(&c, 204), REQUESTS - 123);
	crowd_free(&c);
	c = (struct crowd){ .n_connections = 64 };
	run_crowd(&c, "{abort: 503}\nsafety: {max_faults: 77}", 4);
	cr_assert_eq(crowd_count(&c, 503), 77, "%u", crowd_count(&c, 503));
	crowd_free(&c);
}

Test(choices, a_client_that_leaves_gives_its_place_back)
{
	struct rig r;
	struct peer *held[2];
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nadmin: 127.0.0.1:0\n"
			   "rules:\n  - {match: {path: /hang}, hang: {max: 60s}, max_active_faults: 2}\n"
			   "  - {match: {path: /hang}, abort: 503}\n");
	rig_check(&r, program_wait_admin(&r.program), "no admin listener");
	client = rig_client(&r);
	for (unsigned i = 0; i < 2; i++) {
		held[i] = rig_client(&r);
		peer_send(held[i], GET("/hang"));
	}
	free(ask_until(&r, "/v1/totals", "\"held\":2,"));
	for (unsigned round = 0; round < 3; round++) {
		expect_get(client, "/hang", 503);
		peer_close(held[round % 2]);
		(void)rig_log_line(&r, 2 * round + 1); /* it is over */
		held[round % 2] = rig_client(&r);
		peer_send(held[round % 2], GET("/hang"));
		free(ask_until(&r, "/v1/totals", "\"held\":2,"));
	}
	peer_close(held[0]);
	peer_close(held[1]);
	rig_end(&r);
}

#define RULES_A_PHASE 16 /* as many as can act in one */

/*
 * Of both phases together: an exchange holds a place for each of its rules until it ends, so that nobody else gets one of them,
 * and then gives back every one.
 */
Test(choices, every_place_of_many_rules_is_held_until_the_exchange_ends)
{
	char rules[RULES_A_PHASE * 2 * 80] = "";
	struct message request, answer;
	struct peer *held, *client;
	struct rig r;
	const char *line;

	for (unsigned i = 0; i < RULES_A_PHASE * 2 - 1; i++) {
		size_t n = strlen(rules);

		snprintf(rules + n, sizeof(rules) - n, "  - {phase: %s, max_active_faults: 1, delay: 1ms}\n",
			i < RULES_A_PHASE ? "request" : "response");
	}
	rig_start_with(&r, "rules:\n%s  - {phase: response, match: {path: /hang}, hang: {max: 60s}}\n", rules);
	held = rig_client(&r);
	client = rig_client(&r);
	peer_send(held, GET("/hang"));
	/* Once another answer has come this one has been decided upon: there is one worker, and it was there first. */
	peer_send(rig_request(&r, &request), OK_HI);
	message_free(&request);
	rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	line = rig_log_line(&r, 0);
	rig_check(&r, !rig_log_value(line, "rule") && !rig_log_value(line, "delay"), "a place was free: %s", line);
	peer_close(held);
	(void)rig_log_line(&r, 1);
	rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	line = rig_log_line(&r, 2);
	rig_check(&r, rig_log_value(line, "delay") && strcmp(rig_log_value(line, "delay"), "0.031000") == 0,
		"a place was not given back: %s", line);
	rig_end(&r);
}

Test(choices, a_dry_run_lets_everything_pass)
{
	struct crowd c = { .n_connections = 8 };

	run_crowd(&c, "{abort: 503, dry_run: true}", 2);
	cr_assert_eq(crowd_count(&c, 204), REQUESTS);
	crowd_free(&c);
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

Test(choices, windows_open_and_close)
{
	static const struct {
		const char *rule;
		unsigned at_once;
		unsigned later; /* 2.4 s after the start */
	} rows[] = {
		{ "{abort: 503, start_after: 2s}", 204, 503 },
		{ "{abort: 503, duration: 2s}", 503, 204 },
		{ "{abort: 503, ttl: 2s}", 503, 204 },
		{ "{abort: 503, start_after: 2s, duration: 10s, period: 20s}", 204, 503 },
		{ "{abort: 503}\nsafety: {stop_after: 2s}", 503, 204 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig r;
		struct peer *client;
		unsigned status;

		rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - %s\n", rows[i].rule);
		r.context = rows[i].rule;
		client = rig_client(&r);
		status = ask_with(client, "");
		rig_check(&r, status == rows[i].at_once, "%u at once", status);
		sleep_ms(2400);
		status = ask_with(client, "");
		rig_check(&r, status == rows[i].later, "%u later", status);
		rig_end(&r);
	}
}

Test(choices, who_comes_back_early_is_refused_again)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r,
		"upstream: 'origin:'\nrules:\n  - {first: 1, abort: {status: 503, retry_after: 3s, enforce: true}}\n");
	client = rig_client(&r);
	rig_check(&r, ask_with(client, "") == 503, "the first is refused");
	rig_check(&r, ask_with(client, "") == 503, "so is who does not wait");
	sleep_ms(1000);
	rig_check(&r, ask_with(client, "") == 503, "or not long enough");
	sleep_ms(2200);
	rig_check(&r, ask_with(client, "") == 204, "the wait was not prolonged");
	rig_end(&r);
}
