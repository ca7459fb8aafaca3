/*
 * 65 reload: another rule file is served without a request being lost; what did not change goes on; a file with an error changes
 * nothing; what an exchange has begun with it keeps.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(reload, .timeout = 120);

static void expect_said(struct rig *r, const char *text)
{
	struct bytes said = program_stderr(&r->program);
	bool found = strstr(bytes_text(&said), text) != NULL;

	bytes_free(&said);
	rig_check(r, found, "it does not say: %s", text);
}

Test(reload, new_rules_act_on_the_next_request)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {abort: 503}\n");
	client = rig_client(&r);
	expect_get(client, "/status/204", 503);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n  - {abort: 429}\n"), "refused");
	expect_get(client, "/status/204", 429);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\n"), "refused");
	expect_get(client, "/status/204", 204);
	rig_end(&r);
}

Test(reload, a_file_with_an_error_changes_nothing_and_says_where)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {abort: 503}\n");
	client = rig_client(&r);
	rig_check(&r, !rig_reload_with(&r, "upstream: 'origin:'\nrules:\n  - {abort: 429}\n  - {abort: 99}\n"), "served");
	expect_said(&r, "rules.yaml:4:13: error: rules[1].abort: \"99\" is not a final status code");
	expect_get(client, "/status/204", 503);
	rig_check(&r, !rig_reload_with(&r, "upstream: 'origin:'\nrules: [\n"), "served");
	expect_get(client, "/status/204", 503);
	rig_check(&r, unlink(program_path(&r.program, "rules.yaml")) == 0, "unlink");
	program_signal(&r.program, SIGHUP);
	rig_check(&r, rig_wait_reloads(&r, 0, 3), "it says nothing");
	expect_said(&r, "rules.yaml: No such file or directory");
	expect_get(client, "/status/204", 503);
	rig_end(&r);
}

/* The request is with the upstream when the rules of phase response change. */
Test(reload, an_exchange_keeps_the_rules_that_it_began_with)
{
	struct rig r;
	struct peer *client, *up;
	struct message answer;

	rig_start_with(&r, "rules:\n  - {name: old, phase: response, rewrite: {headers: {set: {x-set: old}}}}\n");
	client = rig_client(&r);
	up = rig_reach(&r, client, GET("/"));
	rig_check(&r, rig_reload_with(&r, "rules:\n  - {name: new, phase: response, abort: 500}\n"), "refused");
	peer_send(up, OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	expect_field(&answer, "x-set", "old");
	message_free(&answer);
	up = rig_reach(&r, client, GET("/"));
	peer_send(up, OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 500);
	message_free(&answer);
	rig_end(&r);
}

Test(reload, a_delay_that_runs_runs_on)
{
	struct rig r;
	struct peer *client, *other;
	struct message answer;
	const char *line;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {name: slow, match: {path: /slow}, delay: 600ms, abort: 502}\n");
	client = rig_client(&r);
	other = rig_client(&r);
	peer_send(client, GET("/slow"));
	peer_expect_silence(client, 50);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nlimits: {max_headers: 300, max_header_bytes: 128KiB}\n"),
		"refused");
	expect_get(other, "/status/204", 204);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 502);
	message_free(&answer);
	line = rig_log_line(&r, 1);
	cr_expect_str_eq(rig_log_value(strstr(line, "/slow") ? line : rig_log_line(&r, 0), "rule"), "slow");
	rig_end(&r);
}

/* ---- counts ---- */

#define TWICE "  - {name: twice, match: {path: /status/204}, first: 2, abort: 503%s}\n"

Test(reload, a_rule_that_did_not_change_goes_on_counting)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n" TWICE, "");
	client = rig_client(&r);
	expect_get(client, "/status/204", 503);
	rig_check(&r,
		rig_reload_with(&r, "upstream: 'origin:'\nrules:\n  - {name: x, match: {path: /y}, abort: 500}\n" TWICE, ""),
		"refused");
	expect_get(client, "/status/204", 503);
	expect_get(client, "/status/204", 204);
	/* Switched off and on again, it is the same rule. */
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n" TWICE, ", enabled: false"), "refused");
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n" TWICE, ", enabled: true"), "refused");
	expect_get(client, "/status/204", 204);
	/* With another text it is another. */
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n" TWICE, ", delay: 1ms"), "refused");
	expect_get(client, "/status/204", 503);
	expect_get(client, "/status/204", 503);
	expect_get(client, "/status/204", 204);
	rig_end(&r);
}

#define QUOTA "  - {name: quota, rate_limit: {limit: 3, window: 24h, key: 'header:x-key'%s}}\n"

Test(reload, quotas_and_keys_go_on)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n" QUOTA, "");
	client = rig_client(&r);
	expect_get(client, "/status/204", 204);
	expect_get(client, "/status/204", 204);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n  - {match: {path: /z}, abort: 500}\n" QUOTA, ""),
		"refused");
	expect_get(client, "/status/204", 204);
	expect_get(client, "/status/204", 429);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n" QUOTA, ", cost: 1"), "refused");
	expect_get(client, "/status/204", 204);
	rig_end(&r);
}

Test(reload, a_ceiling_holds_over_both)
{
	struct rig r;
	struct peer *client, *held;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n"
			   "  - {name: h, match: {path: /hang}, max_active_faults: 1, hang: {max: 60s}}\n");
	client = rig_client(&r);
	held = rig_client(&r);
	peer_send(held, GET("/hang"));
	peer_expect_silence(held, 50);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nrules:\n  - {name: n, match: {path: /n}, abort: 500}\n"
			"  - {name: h, match: {path: /hang}, max_active_faults: 1, hang: {max: 60s}}\n"), "refused");
	expect_get(client, "/hang", 200);
	peer_close(held);
	(void)rig_log_line(&r, 1);
	held = rig_client(&r);
	peer_send(held, GET("/hang"));
	peer_expect_silence(held, 50);
	rig_end(&r);
}

/* ---- listeners and upstreams ---- */

#define ONE "listeners:\n  - {name: one, address: '127.0.0.1:0'}\n"
#define TWO "  - {name: two, address: 'unix:@dir@/two.sock'}\n"

Test(reload, a_listener_comes_and_goes)
{
	struct rig r;
	struct peer *client, *second, *busy, *up;
	struct message answer;
	struct stat info;

	rig_start_with(&r, ONE);
	rig_check(&r, rig_reload_with(&r, ONE TWO), "refused");
	rig_check(&r, program_wait_listening(&r.program, 2), "the second listener is not told of");
	client = rig_client(&r);
	second = rig_client_to(&r, 1);
	busy = rig_client_to(&r, 1);
	up = rig_reach(&r, second, GET("/"));
	peer_send(up, OK_HI);
	message_read_answer(&answer, second, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	up = rig_reach(&r, busy, GET("/busy"));
	rig_check(&r, rig_reload_with(&r, ONE), "refused");
	expect_said(&r, "no longer listening on unix:");
	/* The idle one is closed, the busy one gets its answer first. */
	peer_expect_fin(second);
	peer_send(up, OK_HI);
	message_read_answer(&answer, busy, "GET");
	expect_status(&answer, 200);
	expect_field(&answer, "connection", "close");
	peer_expect_fin(busy);
	message_free(&answer);
	cr_expect_eq(rig_connect(r.program.listeners[1]), -1);
	cr_expect(stat(program_path(&r.program, "two.sock"), &info) < 0 && errno == ENOENT);
	up = rig_reach(&r, client, GET("/"));
	peer_send(up, OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	rig_end(&r);
}

Test(reload, an_address_in_use_changes_nothing)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\n" ONE);
	client = rig_client(&r);
	rig_check(&r, !rig_reload_with(&r, "upstream: 'origin:'\n" ONE TWO "  - {name: three, address: '@upstream@'}\nrules:\n"
			"  - {abort: 503}\n"), "served");
	expect_said(&r, "cannot listen on 127.0.0.1:");
	expect_get(client, "/status/204", 204);
	cr_expect_neq(access(program_path(&r.program, "two.sock"), F_OK), 0, "what was bound before the error is undone");
	rig_end(&r);
}

Test(reload, another_upstream_takes_over)
{
	struct rig r;
	struct peer *client, *up;
	struct message request, answer;

	rig_start(&r);
	client = rig_client(&r);
	up = rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	rig_check(&r, rig_reload_with(&r, "upstream: http://@upstream2@\n"), "refused");
	/* Nobody will use the kept connection again. */
	peer_expect_fin(up);
	peer_send(client, GET("/second"));
	up = rig_accept_on(&r, 1);
	message_read_request(&request, up);
	peer_send(up, OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(reload, connections_to_an_upstream_that_stays_are_kept)
{
	struct rig r;
	struct peer *client, *first, *second;
	struct message request, answer;

	rig_start(&r);
	client = rig_client(&r);
	first = rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	rig_check(&r, rig_reload_with(&r, "upstreams: {default: {url: 'http://@upstream@', response_timeout: 7s}}\n"), "refused");
	second = rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	cr_expect_eq(first, second);
	rig_end(&r);
}

Test(reload, greater_and_smaller_limits_hold_at_once)
{
	static char head[40000];
	struct rig r;
	struct peer *client;
	struct message answer;

	memset(head, 'a', sizeof(head) - 1);
	rig_start_with(&r, "upstream: 'origin:'\nlimits: {max_header_bytes: 16KiB}\n");
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nlimits: {max_header_bytes: 64KiB}\n"), "refused");
	client = rig_client(&r);
	peer_printf(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", head);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 204);
	message_free(&answer);
	rig_check(&r, rig_reload_with(&r, "upstream: 'origin:'\nlimits: {max_header_bytes: 16KiB}\n"), "refused");
	client = rig_client(&r);
	peer_printf(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", head);
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 431);
	message_free(&answer);
	rig_end(&r);
}

/* ---- watch ---- */

Test(reload, a_changed_file_is_noticed)
{
	struct rig r;
	struct peer *client;
	FILE *file;

	rig_start_with(&r, "watch: true\nupstream: 'origin:'\nrules:\n  - {abort: 501}\n");
	client = rig_client(&r);
	expect_get(client, "/status/204", 501);
	/* As editors do: a new file in the place of the old. */
	rig_replace_rules(&r, "watch: true\nupstream: 'origin:'\nrules:\n  - {abort: 502}\n");
	rig_check(&r, rig_wait_reloads(&r, 1, 0), "a rename is not noticed");
	expect_get(client, "/status/204", 502);
	/* Written in place; half of it is an error, which changes nothing. */
	file = fopen(program_path(&r.program, "rules.yaml"), "a");
	rig_check(&r, file != NULL, "fopen");
	fputs("rules: [", file);
	fclose(file);
	rig_check(&r, rig_wait_reloads(&r, 1, 1), "a change in place is not noticed");
	expect_get(client, "/status/204", 502);
	rig_replace_rules(&r, "upstream: 'origin:'\nrules:\n  - {abort: 504}\n");
	rig_check(&r, rig_wait_reloads(&r, 2, 1), "after an error nothing is noticed");
	expect_get(client, "/status/204", 504);
	/* Not watched any more. */
	rig_replace_rules(&r, "watch: true\nupstream: 'origin:'\n");
	sleep_ms(600);
	expect_get(client, "/status/204", 504);
	rig_end(&r);
}

/* As a mounted ConfigMap: rules.yaml -> ..data/rules.yaml, ..data -> ..1, and ..data is swapped by a rename. */
Test(reload, a_swapped_link_on_the_way_is_noticed)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {abort: 501}\n");
	rig_check(&r, mkdir(program_path(&r.program, "..1"), 0700) == 0 && mkdir(program_path(&r.program, "..2"), 0700) == 0 &&
		symlink("..1", program_path(&r.program, "..data")) == 0, "no folders");
	rig_replace_rules(&r, "watch: true\nupstream: 'origin:'\nrules:\n  - {abort: 502}\n");
	rig_check(&r, rename(program_path(&r.program, "rules.yaml"), program_path(&r.program, "..1/rules.yaml")) == 0, "rename");
	rig_replace_rules(&r, "watch: true\nupstream: 'origin:'\nrules:\n  - {abort: 503}\n");
	rig_check(&r, rename(program_path(&r.program, "rules.yaml"), program_path(&r.program, "..2/rules.yaml")) == 0, "rename");
	rig_check(&r, symlink("..data/rules.yaml", program_path(&r.program, "rules.yaml")) == 0, "symlink");
	program_signal(&r.program, SIGHUP);
	rig_check(&r, rig_wait_reloads(&r, 1, 0), "not served");
	client = rig_client(&r);
	expect_get(client, "/status/204", 502);
	rig_check(&r, symlink("..2", program_path(&r.program, "..new")) == 0 &&
		rename(program_path(&r.program, "..new"), program_path(&r.program, "..data")) == 0, "swap");
	rig_check(&r, rig_wait_reloads(&r, 2, 0), "the swap is not noticed");
	expect_get(client, "/status/204", 503);
	rig_end(&r);
}

static void move(struct rig *r, const char *from, const char *to)
{
	rig_check(r, rename(program_path(&r->program, from), program_path(&r->program, to)) == 0, "rename %s to %s", from, to);
}

/* As a checkout or an unpacked archive: the folder of the file is another one under the same name. */
Test(reload, a_folder_in_the_place_of_another_is_noticed)
{
	static const char *const folders[] = { "x", "x/conf", "x/next", "x/last" };
	struct rig r;
	struct peer *client;

	/* A log would be written where the link lies. */
	rig_start_with(&r, "log: {access: 'off'}\nupstream: 'origin:'\n");
	for (unsigned i = 0; i < 4; i++)
		rig_check(&r, mkdir(program_path(&r.program, folders[i]), 0700) == 0, "mkdir %s", folders[i]);
	for (unsigned i = 1; i < 4; i++) {
		char to[32];

		snprintf(to, sizeof(to), "%s/rules.yaml", folders[i]);
		rig_replace_rules(&r, "watch: true\nlog: {access: 'off'}\nupstream: 'origin:'\nrules:\n  - {abort: %u}\n",
			500 + i);
		move(&r, "rules.yaml", to);
	}
	rig_check(&r, symlink("x/conf/rules.yaml", program_path(&r.program, "rules.yaml")) == 0, "symlink");
	program_signal(&r.program, SIGHUP);
	rig_check(&r, rig_wait_reloads(&r, 1, 0), "not served");
	client = rig_client(&r);
	expect_get(client, "/status/204", 501);
	for (unsigned i = 2; i < 4; i++) {
		move(&r, "x/conf", i == 2 ? "x/first" : "x/second");
		move(&r, folders[i], "x/conf");
		rig_check(&r, rig_wait_reloads(&r, i, 0), "folder %u is not noticed", i);
		expect_get(client, "/status/204", 500 + i);
	}
	rig_end(&r);
}

/* ---- under load ---- */

struct reloading {
	struct rig *rig;
	_Atomic bool stop;
	_Atomic unsigned n;
};

static void *reload_often(void *arg)
{
	struct reloading *l = arg;

	while (!l->stop) {
		bool more = l->n++ % 2;

		if (!rig_reload_with(l->rig, "workers: 3\nupstreams: {default: {url: 'http://@upstream3@', keepalive: %u}}\n"
			"listeners:\n  - {name: one, address: '127.0.0.1:0'}\n%srules:\n"
			"  - {name: tenth, percentage: 10, sampling: even, abort: 503}\n"
			"  - {name: other, match: {path: /n}, delay: %ums}\n",
			l->n % 7, more ? TWO : "", l->n))
			break;
	}
	return NULL;
}

Test(reload, no_request_is_lost_and_none_is_counted_twice)
{
	enum { RELOADS = 20 };
	struct crowd c = { .n_connections = 32, .n_requests = 20000, .target = "/status/204" };
	long long until_ms = now_ms() + 10 * PATIENCE_MS;
	struct reloading l = { 0 };
	pthread_t thread;
	struct rig behind, r;

	rig_start_with(&behind, "upstream: 'origin:'\n");
	rig_start_with(&r, "workers: 3\nupstream: http://%s\n" ONE "rules:\n"
			   "  - {name: tenth, percentage: 10, sampling: even, abort: 503}\n", behind.program.listeners[0]);
	c.rig = &r;
	l.rig = &r;
	snprintf(r.also, sizeof(r.also), "%s", behind.program.listeners[0]);
	rig_check(&r, pthread_create(&thread, NULL, reload_often, &l) == 0, "no thread");
	do {
		crowd_run(&c);
		rig_check(&r, crowd_count(&c, 503) == 2000 && crowd_count(&c, 204) == 18000, "%u faults, %u passed",
			crowd_count(&c, 503), crowd_count(&c, 204));
		crowd_free(&c);
	} while (l.n <= RELOADS && now_ms() < until_ms);
	l.stop = true;
	pthread_join(thread, NULL);
	rig_check(&r, l.n > RELOADS, "only %u reloads", l.n);
	rig_end(&r);
	rig_end(&behind);
}

/* They count against its ceiling, and could stand for none of the other workers' requests. */
Test(reload, connections_beyond_what_may_be_kept_are_closed)
{
	struct peer *client, *upstreams[2];
	struct message request, answer;
	struct rig r;

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', keepalive: 2}\n");
	for (unsigned i = 0; i < 2; i++)
		peer_send(rig_client(&r), GET("/"));
	for (unsigned i = 0; i < 2; i++) {
		upstreams[i] = rig_request(&r, &request);
		message_free(&request);
	}
	for (unsigned i = 0; i < 2; i++) {
		peer_send(upstreams[i], OK_HI);
		(void)rig_log_line(&r, i);
	}
	rig_check(&r, rig_reload_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', keepalive: 1}\n"), "refused");
	peer_expect_end(upstreams[0]);
	client = rig_client(&r);
	rig_check(&r, rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer) == upstreams[1], "a new one");
	free_both(&request, &answer);
	rig_end(&r);
}
