/*
 * 87 admin events: the stream of what happens, as a reader sees it that is quick, slow, choosy or gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(admin_events, .timeout = 60);

#define ADMIN "admin: 127.0.0.1:0\n"
#define ASK_EVENTS "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* Up to a LF, without it; the caller's to free. */
static char *take_text_line(struct peer *client)
{
	struct bytes line = { 0 };

	for (;;) {
		const char *c = peer_take(client, 1);

		if (*c == '\n')
			break;
		bytes_put(&line, c, 1);
	}
	if (!line.p)
		return strdup("");
	return line.p;
}

/* One event, "NAME DATA"; the caller's to free. Comments and ids are passed over. */
static char *next_event(struct peer *client)
{
	char *name = NULL, *data = NULL, *event = NULL;

	while (!name || !data || !event) {
		char *line = take_text_line(client);

		if (strncmp(line, "event: ", 7) == 0)
			name = strdup(line + 7);
		else if (strncmp(line, "data: ", 6) == 0)
			data = strdup(line + 6);
		else if (!*line && name && data && asprintf(&event, "%s %s", name, data) < 0)
			abort();
		free(line);
	}
	free(name);
	free(data);
	return event;
}

static struct peer *listen_to_events(struct rig *r, const char *query)
{
	struct peer *client = rig_admin(r);
	struct message answer;

	peer_printf(client, "GET /v1/events%s HTTP/1.1\r\nHost: localhost\r\n\r\n", query);
	message_read_answer_head(&answer, client, "GET");
	expect_status(&answer, 200);
	expect_field(&answer, "content-type", "text/event-stream");
	message_free(&answer);
	return client;
}

/* The next event of this name; events of other names are passed over. */
static char *wait_for_event(struct peer *client, const char *name)
{
	for (;;) {
		char *event = next_event(client);

		if (strncmp(event, name, strlen(name)) == 0 && event[strlen(name)] == ' ')
			return event;
		free(event);
	}
}

#define SLOW_RULES "rules:\n  - {name: bad, match: {path: /bad}, abort: 503}\n"
#define EVENT_RULES ADMIN SLOW_RULES

Test(admin_events, events_tell_what_happens)
{
	struct message request, answer;
	struct peer *client, *events;
	struct rig r;
	char *event;

	rig_start_with(&r, EVENT_RULES);
	events = listen_to_events(&r, "");
	event = next_event(events);
	rig_check(&r, strncmp(event, "totals {\"time\":", 15) == 0, "the first event is %s", event);
	free(event);
	event = next_event(events);
	rig_check(&r, strcmp(event, "generation {\"generation\":1}") == 0, "%s", event);
	free(event);
	event = next_event(events);
	rig_check(&r, strcmp(event, "armed {\"armed\":true}") == 0, "%s", event);
	free(event);
	client = rig_client(&r);
	rig_exchange(&r, client, GET("/good"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	event = wait_for_event(events, "exchange");
	rig_check(&r, strcmp(rig_log_value(event, "target"), "/good") == 0 && strcmp(rig_log_value(event, "seq"), "1") == 0, "%s",
		event);
	free(event);
	peer_send(client, GET("/bad"));
	message_read_answer(&answer, client, "GET");
	message_free(&answer);
	event = wait_for_event(events, "exchange");
	rig_check(&r, strcmp(rig_log_value(event, "rule"), "bad") == 0 && strcmp(rig_log_value(event, "seq"), "2") == 0, "%s",
		event);
	free(event);
	event = wait_for_event(events, "totals");
	rig_check(&r, strcmp(rig_log_value(event, "exchanges_skipped"), "0") == 0, "%s", event);
	free(event);
	event = wait_for_event(events, "sample");
	rig_check(&r, rig_log_value(event, "requests") != NULL, "%s", event);
	free(event);
	rig_end(&r);
}

/* Only what was faulted; from where on it was asked for; nothing at all. */
Test(admin_events, events_as_asked_for)
{
	struct peer *client, *faulted, *from, *none;
	struct message answer;
	struct rig r;
	char *event;

	rig_start_with(&r, EVENT_RULES "  - {name: other, abort: 504}\n");
	faulted = listen_to_events(&r, "?rule=bad");
	none = listen_to_events(&r, "?exchanges=0");
	client = rig_client(&r);
	for (int i = 0; i < 6; i++) {
		peer_send(client, i % 3 == 1 ? GET("/bad") : GET("/other"));
		message_read_answer(&answer, client, "GET");
		message_free(&answer);
	}
	for (int i = 0; i < 2; i++) {
		event = wait_for_event(faulted, "exchange");
		rig_check(&r, strcmp(rig_log_value(event, "target"), "/bad") == 0, "%s", event);
		free(event);
	}
	from = listen_to_events(&r, "?since=3");
	event = wait_for_event(from, "exchange");
	rig_check(&r, strcmp(rig_log_value(event, "seq"), "4") == 0, "%s", event);
	free(event);
	for (int totals = 0; totals < 2; free(event)) {
		event = next_event(none);
		rig_check(&r, strncmp(event, "exchange ", 9) != 0, "%s", event);
		totals += strncmp(event, "totals ", 7) == 0;
	}
	rig_end(&r);
}

static void ask_for_faults(struct peer *client, int n)
{
	struct message answer;

	for (int i = 0; i < n; i++) {
		peer_send(client, GET("/bad"));
		message_read_answer(&answer, client, "GET");
		message_free(&answer);
	}
}

/* Until so many have come to where they are told from. */
static void wait_for_exchanges(struct rig *r, unsigned long long n)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;
	struct peer *client = rig_admin(r);
	struct message answer;
	bool there = false;

	while (!there && now_ms() < until_ms) {
		peer_send(client, "GET /v1/recent?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
		message_read_answer(&answer, client, "GET");
		there = strtoull(rig_log_value(bytes_text(&answer.body), "next"), NULL, 10) == n;
		message_free(&answer);
		sleep_ms(there ? 0 : 10);
	}
	rig_check(r, there, "%llu exchanges are not told of", n);
}

/*
 * A reader that takes nothing costs a bounded amount of memory, and is told what it has missed. By a unix socket, of which the
 * kernel keeps little.
 */
Test(admin_events, events_of_a_slow_reader_are_left_out)
{
	struct peer *client, *slow;
	unsigned long long skipped = 0, seen = 0;
	struct rig r;
	long before;

	rig_start_with(&r, "admin: unix:@dir@/a.sock\n" SLOW_RULES);
	client = rig_client(&r);
	ask_for_faults(client, 9000); /* the worker's ring of records is in use then as a whole */
	wait_for_exchanges(&r, 9000);
	slow = listen_to_events(&r, "?exchanges=10000");
	before = program_rss_kib(&r.program);
	ask_for_faults(client, 40000);
	rig_check(&r, program_is_sanitized() || program_rss_kib(&r.program) - before < 1536, "%ld KiB, then %ld", before,
		program_rss_kib(&r.program));
	/* It reads again: what is there, then that something is not. */
	while (skipped == 0) {
		char *event = next_event(slow);

		if (strncmp(event, "exchange ", 9) == 0)
			seen++;
		else if (strncmp(event, "totals ", 7) == 0)
			skipped = strtoull(rig_log_value(event, "exchanges_skipped"), NULL, 10);
		free(event);
	}
	rig_check(&r, seen + skipped <= 40000, "%llu seen and %llu skipped", seen, skipped);
	rig_end(&r);
}

/* So many at a time; a reader that leaves makes room for another. */
Test(admin_events, streams_are_counted)
{
	struct peer *clients[33];
	struct message answer;
	struct rig r;

	rig_start_with(&r, ADMIN);
	for (int i = 0; i < 32; i++)
		clients[i] = listen_to_events(&r, "");
	clients[32] = rig_admin(&r);
	peer_send(clients[32], ASK_EVENTS);
	message_read_answer(&answer, clients[32], "GET");
	expect_status(&answer, 503);
	message_free(&answer);
	peer_close(clients[0]);
	peer_reset(clients[1]);
	for (int i = 0;; i++) {
		peer_send(clients[32], ASK_EVENTS);
		message_read_answer_head(&answer, clients[32], "GET");
		if (answer.status == 200)
			break;
		message_read_body(&answer);
		message_free(&answer);
		rig_check(&r, i < 500, "no room after two have left");
		sleep_ms(10);
	}
	message_free(&answer);
	free(next_event(clients[32]));
	rig_end(&r);
}
