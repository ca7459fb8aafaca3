/*
 * 61 pool: which connections to an upstream are kept, for how long and for whom, and what is never used again.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(upstream_pool, .timeout = 60);


/* One exchange; the upstream peer that served it. */
static struct peer *exchange(struct rig *r, struct peer *client)
{
	struct message request, answer;
	struct peer *upstream = rig_exchange(r, client, GET("/"), OK_HI, &request, &answer);

	expect_body(&answer, "hi");
	message_free(&request);
	message_free(&answer);
	return upstream;
}

Test(upstream_pool, nothing_is_kept_where_keepalive_is_0)
{
	struct rig r;
	struct peer *client;

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', keepalive: 0}\n");
	client = rig_client(&r);
	for (int i = 0; i < 3; i++)
		peer_expect_end(exchange(&r, client));
	rig_check(&r, r.n_accepted == 3, "%u connections", r.n_accepted);
	rig_end(&r);
}

Test(upstream_pool, idle_connection_is_closed_in_time)
{
	struct rig r;
	struct peer *client;
	struct peer *upstream;
	long long since_ms;

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', keepalive_timeout: 300ms}\n");
	client = rig_client(&r);
	since_ms = now_ms();
	upstream = exchange(&r, client);
	peer_expect_end(upstream);
	rig_check(&r, now_ms() - since_ms >= 300, "closed after %lld ms", now_ms() - since_ms);
	rig_check(&r, exchange(&r, client) != upstream, "used again");
	rig_end(&r);
}

static unsigned count_open(struct peer *const *upstreams, unsigned n)
{
	unsigned open = 0;

	for (unsigned i = 0; i < n; i++) {
		peer_read(upstreams[i], 0);
		open += !upstreams[i]->ended && !upstreams[i]->was_reset;
	}
	return open;
}

static void wait_until_kept(struct rig *r, struct peer *const *upstreams, unsigned n, unsigned kept)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	while (count_open(upstreams, n) > kept) {
		rig_check(r, now_ms() < until_ms, "%u are kept", count_open(upstreams, n));
		sleep_ms(2);
	}
}

Test(upstream_pool, no_more_are_kept_than_allowed)
{
	enum { CLIENTS = 5, KEPT = 2 };
	struct rig r;
	struct peer *upstreams[CLIENTS];
	struct peer *clients[CLIENTS];
	struct message requests[CLIENTS];

	rig_start_with(&r, "upstreams:\n  default: {url: 'http://@upstream@', keepalive: %d}\n", KEPT);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = rig_client(&r);
		peer_send(clients[i], GET("/"));
		upstreams[i] = rig_request(&r, &requests[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct message answer;

		peer_send(upstreams[i], OK_HI);
		message_read_answer(&answer, clients[i], "GET");
		message_free(&answer);
		message_free(&requests[i]);
	}
	wait_until_kept(&r, upstreams, CLIENTS, KEPT);
	sleep_ms(100);
	rig_check(&r, count_open(upstreams, CLIENTS) == KEPT, "%u are kept", count_open(upstreams, CLIENTS));
	rig_end(&r);
}

/* The connections that a client's fault or departure left in the middle of something are not for the next one. */
/* The one that was used last: the others are not needed, and are closed when their time has come. */
Test(upstream_pool, the_newest_is_used_first)
{
	struct message request, answer;
	struct peer *clients[3], *upstreams[3];
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 3; i++) {
		clients[i] = rig_client(&r);
		peer_send(clients[i], GET("/"));
		upstreams[i] = rig_request(&r, &request);
		message_free(&request);
	}
	for (int i = 0; i < 3; i++) {
		peer_send(upstreams[i], OK_HI);
		message_read_answer(&answer, clients[i], "GET");
		message_free(&answer);
	}
	for (int i = 0; i < 3; i++) {
		rig_check(&r, rig_exchange(&r, clients[0], GET("/"), OK_HI, &request, &answer) == upstreams[2], "not the newest");
		free_both(&request, &answer);
	}
	rig_end(&r);
}

Test(upstream_pool, connection_with_half_an_answer_is_not_kept)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/half"));
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
	message_read_answer_head(&answer, client, "GET");
	peer_close(client);
	peer_expect_end(upstream);
	rig_check(&r, exchange(&r, rig_client(&r)) != upstream, "used again");
	message_free(&answer);
	rig_end(&r);
}

Test(upstream_pool, upstream_of_http_1_0)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, GET("/"), "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", &request, &answer);
	expect_line(&answer, "HTTP/1.1 200 OK");
	peer_expect_end(upstream);
	message_free(&request);
	message_free(&answer);
	exchange(&r, client);
	rig_end(&r);
}

/* Whatever its workers, the program never has more connections to the upstream than it may. */
Test(upstream_pool, ceiling_holds_over_all_workers)
{
	struct rig r;
	struct crowd c = { .rig = &r, .target = "/delay/20ms", .n_connections = 40, .n_requests = 600 };

	rig_start_with(&r, "workers: 4\nupstreams:\n  default: {url: 'origin:', max_connections: 8}\n");
	crowd_run(&c);
	rig_check(&r, crowd_count(&c, 200) + crowd_count(&c, 503) == 600, "%u got 200, %u 503", crowd_count(&c, 200),
		crowd_count(&c, 503));
	rig_check(&r, crowd_count(&c, 200) > 0 && crowd_count(&c, 503) > 0, "%u got 200, %u 503", crowd_count(&c, 200),
		crowd_count(&c, 503));
	crowd_free(&c);
	rig_end(&r);
}

/* More workers than connections: no worker may sit on kept ones that another one needs. */
Test(upstream_pool, ceiling_below_the_number_of_workers)
{
	struct rig r;
	struct crowd c = { .rig = &r, .target = "/status/200", .n_connections = 1, .n_requests = 50 };

	rig_start_with(&r, "workers: 4\nupstreams:\n  default: {url: 'origin:', max_connections: 1}\n");
	for (unsigned i = 1; i <= 10; i++) { /* each time on a new connection, which any worker may get */
		crowd_run(&c);
		rig_check(&r, crowd_count(&c, 200) == 50, "%u of 50 one after the other", crowd_count(&c, 200));
		crowd_free(&c);
		/* A worker gives its connection back a moment after the last answer: another must not ask before that. */
		(void)rig_log_line(&r, i * 50 - 1);
	}
	rig_end(&r);
}

/* Which worker has served an exchange stands in the first digits of its id. */
static unsigned worker_of(struct rig *r, unsigned line)
{
	return (unsigned)(strtoull(rig_log_value(rig_log_line(r, line), "id"), NULL, 16) >> 48);
}

/* As many requests at a time as there may be connections: none is refused because another worker keeps an idle one. */
Test(upstream_pool, place_is_given_up_to_a_worker_that_needs_it)
{
	struct peer *clients[2] = { NULL, NULL }; /* of the first worker */
	struct peer *upstreams[2];
	struct message request, answer;
	bool other_has_one = false;
	struct rig r;

	rig_start_with(&r, "workers: 2\nupstreams:\n  default: {url: 'http://@upstream@', max_connections: 2}\n");
	for (unsigned i = 0; !other_has_one || !clients[1]; i++) {
		struct peer *client = rig_client(&r);

		rig_check(&r, i < 40, "all connections go to one worker");
		exchange(&r, client);
		if (worker_of(&r, i))
			other_has_one = true;
		else
			clients[clients[0] != NULL] = client;
	}
	rig_check(&r, r.n_accepted == 2, "%u connections", r.n_accepted);
	for (int i = 0; i < 2; i++)
		peer_send(clients[i], GET("/both"));
	for (int i = 0; i < 2; i++) {
		upstreams[i] = rig_request(&r, &request);
		message_free(&request);
	}
	for (int i = 0; i < 2; i++)
		peer_send(upstreams[i], OK_HI);
	for (int i = 0; i < 2; i++) {
		message_read_answer(&answer, clients[i], "GET");
		expect_status(&answer, 200);
		message_free(&answer);
	}
	rig_check(&r, r.n_accepted == 3, "%u connections", r.n_accepted);
	rig_end(&r);
}

/* ---- clients that come, ask and are gone ---- */

/* Each asks and is gone before the program has seen either. None of it is the upstream's to bear. */
static void ask_and_leave(struct rig *r, struct peer *client, bool by_reset)
{
	program_stop(&r->program);
	if (!client)
		client = rig_client(r);
	peer_send(client, GET("/gone"));
	if (by_reset)
		peer_reset(client);
	else
		peer_close(client);
	program_signal(&r->program, SIGCONT);
}

Test(upstream_pool, of_a_client_that_is_gone_the_upstream_hears_nothing)
{
	struct peer *client, *kept;
	struct rig r;

	rig_start(&r);
	client = rig_client(&r);
	kept = exchange(&r, client);
	for (unsigned i = 1; i <= 3; i++) {
		ask_and_leave(&r, NULL, i == 2);
		expect_log(&r, i, "close", "client_left");
		rig_expect_upstream_silence(&r, 50);
	}
	rig_check(&r, exchange(&r, client) == kept, "another connection than the one that was kept");
	ask_and_leave(&r, client, false);
	expect_log(&r, 5, "close", "client_left");
	rig_expect_upstream_silence(&r, 50);
	rig_check(&r, exchange(&r, rig_client(&r)) == kept, "another connection than the one that was kept");
	rig_end(&r);
}

/* With limits.half_close the end of its stream is not its leaving. */
Test(upstream_pool, client_that_may_half_close_is_not_gone)
{
	struct message request, answer;
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "limits: {half_close: true}\n");
	program_stop(&r.program);
	client = rig_client(&r);
	peer_send(client, GET("/"));
	peer_shutdown(client);
	program_signal(&r.program, SIGCONT);
	peer_send(rig_request(&r, &request), OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}
