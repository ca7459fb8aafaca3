/*
 * 51 switches: what rules do to connections that are upgraded: those of phase response to the switch itself, faults of the
 * body to the bytes behind it.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(switches, .timeout = 60);

#define HANDSHAKE "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

/* The upstream has switched, and a rule of phase response has its own idea of what the client shall see. */
Test(switches, rules_of_phase_response_act_on_a_switch)
{
	static const struct {
		const char *rule;
		unsigned status; /* 0: none, a reset */
	} rows[] = {
		{ "match: {status: 101}, abort: 503", 503 },
		{ "match: {status: 1xx}, rewrite: {status: 500}", 500 },
		{ "connection: reset", 0 },
		{ "match: {status: 2xx}, abort: 503", 101 },
		{ "delay: 100ms", 101 },
		{ "rewrite: {headers: {set: {x-set: y}}}", 101 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message request, answer;
		struct peer *client, *upstream;
		struct rig r;
		long long from = now_ms();

		rig_start_with(&r, "rules:\n  - {phase: response, %s}\n", rows[i].rule);
		r.context = rows[i].rule;
		client = rig_client(&r);
		peer_send(client, HANDSHAKE);
		upstream = rig_request(&r, &request);
		peer_send(upstream, SWITCHING);
		message_free(&request);
		if (rows[i].status == 0) {
			peer_expect_reset(client);
			peer_expect_end(upstream);
			rig_end(&r);
			continue;
		}
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, rows[i].status);
		expect_field(&answer, "x-set", strstr(rows[i].rule, "x-set") ? "y" : NULL);
		rig_check(&r, !strstr(rows[i].rule, "delay") || now_ms() - from >= 100, "it came too early");
		message_free(&answer);
		/* No connection that has switched is used for another request. */
		if (rows[i].status == 101) {
			peer_send(client, "frame");
			peer_expect(upstream, "frame");
		} else {
			peer_expect_end(upstream);
			rig_expect_usable(&r, client);
		}
		rig_end(&r);
	}
}

/* What comes from the upstream is in the place of a body: it is cut off, or changed, like one. */
Test(switches, faults_of_the_body_act_in_a_tunnel)
{
	static const char *const rules[] = { "truncate: {after: 6}", "truncate: {after: 6, reset: true}", "corrupt: 1",
		"delay: {fixed: 100ms, at: body}" };

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct message request, answer;
		struct peer *client, *upstream;
		struct rig r;
		long long from;

		rig_start_with(&r, "rules:\n  - {%s}\n", rules[i]);
		r.context = rules[i];
		client = rig_client(&r);
		from = now_ms();
		peer_send(client, HANDSHAKE);
		upstream = rig_request(&r, &request);
		peer_send(upstream, SWITCHING);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, 101);
		free_both(&request, &answer);
		peer_send(client, "request");
		peer_expect(upstream, "request");
		peer_send(upstream, "0123");
		if (i < 2) {
			peer_expect(client, "0123");
			peer_send(upstream, "456789");
			peer_expect(client, "45");
			(i ? peer_expect_reset : peer_expect_fin)(client);
			peer_expect_end(upstream);
			expect_log(&r, 0, "close", i ? "fault_reset" : "fault_close");
		} else if (i == 2) {
			char *many = malloc(70000);

			memset(many, 'x', 70000);
			peer_send_n(upstream, many, 70000);
			(void)peer_take(client, 4);
			rig_check(&r, memcmp(peer_take(client, 70000), many, 70000) != 0, "nothing was changed");
			free(many);
		} else {
			peer_expect(client, "0123");
			rig_check(&r, now_ms() - from >= 100, "it came too early");
		}
		rig_end(&r);
	}
}
