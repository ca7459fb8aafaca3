/*
 * 72 decisions: how often and when a rule fires: exactly as written, and the same for the same seed and requests, at any
 * number of connections and workers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(decisions, .timeout = 240);

#define REQUESTS 3000u

/* The statuses of n requests one after the other: 'F' for 503, '.' for what the upstream said. */
static void expect_sequence(const char *rule, const char *fields, const char *sequence)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {%s, abort: 503}\n", rule);
	r.context = rule;
	client = rig_client(&r);
	for (size_t i = 0; sequence[i]; i++) {
		struct message answer;

		peer_printf(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
		message_read_answer(&answer, client, "GET");
		rig_check(&r, answer.status == (sequence[i] == 'F' ? 503 : 204), "request %zu got %u, wanted %s", i,
			answer.status, sequence);
		message_free(&answer);
	}
	rig_end(&r);
}

Test(decisions, after_first_every)
{
	expect_sequence("after: 3", "", "...FFFFF");
	expect_sequence("first: 2", "", "FF......");
	expect_sequence("every: 4", "", "...F...F...F");
	expect_sequence("after: 2, first: 3", "", "..FFF...");
	expect_sequence("after: 1, every: 2", "", "..F.F.F");
	expect_sequence("percentage: 100", "", "FFFF");
	expect_sequence("percentage: 0", "", "....");
}

Test(decisions, counts_are_kept_per_key)
{
	static const char *const keys[] = { "header:x-user", "cookie:user", "query:user" };
	struct rig r;

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		struct peer *client;

		rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {key: '%s', first: 2, abort: 503}\n", keys[k]);
		r.context = keys[k];
		client = rig_client(&r);
		/* Interleaved: each of three users sees two faults, then none. */
		for (int i = 0; i < 12; i++) {
			struct message answer;
			int user = i % 3;

			peer_printf(client,
				"GET /status/204?user=u%d HTTP/1.1\r\nHost: a\r\nX-User: u%d\r\nCookie: user=u%d\r\n\r\n", user,
				user, user);
			message_read_answer(&answer, client, "GET");
			expect_status(&answer, i < 6 ? 503 : 204);
			message_free(&answer);
		}
		rig_end(&r);
	}
}

/* Which requests of the crowd were faulted, as a text of 0 and 1. */
static void run_crowd(struct crowd *c, const char *rule, unsigned workers, unsigned seed)
{
	struct rig r;

	rig_start_with(&r, "seed: %u\nworkers: %u\nupstream: 'origin:'\nrules:\n  - {%s, abort: 503}\n", seed, workers, rule);
	r.context = rule;
	c->rig = &r;
	c->target = "/status/204";
	c->n_requests = REQUESTS;
	crowd_run(c);
	rig_check(&r, crowd_count(c, 503) + crowd_count(c, 204) == REQUESTS, "%u are neither 503 nor 204",
		REQUESTS - crowd_count(c, 503) - crowd_count(c, 204));
	rig_end(&r);
}

static const struct {
	unsigned connections;
	unsigned workers;
} scales[] = { { 1, 1 }, { 64, 1 }, { 1, 4 }, { 64, 4 } };

/* By the rule's own count: how many is the seed's alone. */
Test(decisions, same_number_at_any_scale)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		struct crowd c = { .n_connections = scales[i].connections };

		run_crowd(&c, "percentage: 10", scales[i].workers, 7);
		if (i == 0)
			n = crowd_count(&c, 503);
		cr_assert(crowd_count(&c, 503) == n, "%u of %u with %u connections and %u workers, else %u", crowd_count(&c, 503),
			REQUESTS, scales[i].connections, scales[i].workers, n);
		crowd_free(&c);
	}
	/* 300 wanted, standard deviation 16.4: this is more than six of them. */
	cr_assert(n > 195 && n < 405, "%u of %u", n, REQUESTS);
}

/* By a key: which requests is the seed's alone, whatever their order. */
Test(decisions, same_requests_at_any_scale)
{
	struct crowd first = { .n_connections = 1 };

	run_crowd(&first, "percentage: 25.5, key: 'header:x-id'", 1, 7);
	for (size_t i = 1; i < sizeof(scales) / sizeof(scales[0]); i++) {
		struct crowd c = { .n_connections = scales[i].connections };

		run_crowd(&c, "percentage: 25.5, key: 'header:x-id'", scales[i].workers, 7);
		cr_assert(memcmp(first.status, c.status, REQUESTS * sizeof(c.status[0])) == 0,
			"other requests with %u connections and %u workers", scales[i].connections, scales[i].workers);
		crowd_free(&c);
	}
	crowd_free(&first);
}

Test(decisions, another_seed_draws_other_requests)
{
	struct crowd a = { .n_connections = 8 };
	struct crowd b = { .n_connections = 8 };

	run_crowd(&a, "percentage: 50, key: 'header:x-id'", 1, 1);
	run_crowd(&b, "percentage: 50, key: 'header:x-id'", 1, 2);
	cr_assert(memcmp(a.status, b.status, REQUESTS * sizeof(a.status[0])) != 0, "the seed has no effect");
	crowd_free(&a);
	crowd_free(&b);
}

Test(decisions, even_sampling_is_exact)
{
	static const struct {
		const char *rule;
		unsigned n;
	} rows[] = {
		{ "percentage: 10, sampling: even", 300 },
		{ "percentage: 0.1, sampling: even", 3 },
		{ "percentage: 33, sampling: even", 990 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t s = 0; s < sizeof(scales) / sizeof(scales[0]); s += 3) {
			struct crowd c = { .n_connections = scales[s].connections };

			run_crowd(&c, rows[i].rule, scales[s].workers, 11);
			cr_assert(crowd_count(&c, 503) == rows[i].n, "%s: %u of %u", rows[i].rule, crowd_count(&c, 503),
				REQUESTS);
			crowd_free(&c);
		}
	}
}

/* "Fail twice, then succeed", asked by many at once: never a fault too many. */
Test(decisions, first_is_exact_under_load)
{
	struct crowd c = { .n_connections = 64 };

	run_crowd(&c, "first: 37", 4, 1);
	cr_assert(crowd_count(&c, 503) == 37, "%u faults", crowd_count(&c, 503));
	crowd_free(&c);
}

/* The log has what is needed to decide anew: the draw, the threshold, the occurrence. */
Test(decisions, are_in_the_log)
{
	struct rig r;
	struct peer *client;
	unsigned fired = 0;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {name: half, percentage: 50, abort: 503}\n");
	client = rig_client(&r);
	for (unsigned i = 0; i < 40; i++) {
		struct message answer;
		const char *line;

		peer_send(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n");
		message_read_answer(&answer, client, "GET");
		line = rig_log_line(&r, i);
		if (answer.status == 503) {
			const char *draw = rig_log_value(line, "draw");
			const char *threshold = rig_log_value(line, "threshold");
			const char *occurrence = rig_log_value(line, "occurrence");

			fired++;
			rig_check(&r, draw && threshold && occurrence, "the decision is not in the log: %s", line);
			rig_check(&r, strtod(threshold, NULL) == 50.0 && strtod(draw, NULL) < 50.0, "draw %s, threshold %s", draw,
				threshold);
			rig_check(&r, strtoul(occurrence, NULL, 10) == i + 1, "occurrence %s of request %u", occurrence, i + 1);
		} else {
			rig_check(&r, !rig_log_value(line, "rule"), "a rule that did not fire is in the log: %s", line);
		}
		message_free(&answer);
	}
	rig_check(&r, fired > 5 && fired < 35, "%u of 40", fired);
	rig_end(&r);
}
