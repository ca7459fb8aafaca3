/*
 * 80 process: how the program is told to stop, rotates its logs and ends, and what it says meanwhile.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(process, .timeout = 90);

/* ---- stopping ---- */

static void stop_at(int signal_number)
{
	struct rig r;
	struct message request, answer;
	struct peer *busy;
	struct peer *idle;
	struct peer *upstream;
	int fd;

	rig_start(&r);
	idle = rig_client(&r);
	rig_exchange(&r, idle, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	busy = rig_client(&r);
	peer_send(busy, GET("/busy"));
	upstream = rig_request(&r, &request);
	program_signal(&r.program, signal_number);
	/* Kept connections end at once, new ones are refused, the open exchange goes on. */
	peer_expect_fin(idle);
	fd = rig_connect(r.program.listeners[0]);
	rig_check(&r, fd < 0, "still accepts");
	peer_expect_silence(busy, 50);
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, busy, "GET");
	expect_body(&answer, "hi");
	expect_field(&answer, "connection", "close");
	peer_expect_fin(busy);
	free_both(&request, &answer);
	rig_expect_exit(&r, 0);
}

Test(process, sigterm_lets_open_exchanges_finish)
{
	stop_at(SIGTERM);
}

Test(process, sigint_does_the_same)
{
	stop_at(SIGINT);
}

Test(process, second_signal_stops_at_once)
{
	struct rig r;
	struct message request;
	struct peer *busy;

	/* Longer than an end is waited for. */
	rig_start_with(&r, "limits: {drain: 60s}\n");
	busy = rig_client(&r);
	peer_send(busy, GET("/busy"));
	rig_request(&r, &request);
	program_signal(&r.program, SIGTERM);
	rig_wait_said(&r, "stopping; "); /* two at once would be one */
	peer_expect_silence(busy, 100);
	program_signal(&r.program, SIGTERM);
	peer_expect_end(busy);
	message_free(&request);
	rig_expect_exit(&r, 0);
}

Test(process, waiting_for_open_exchanges_has_a_limit)
{
	struct rig r;
	struct message request;
	struct peer *busy;
	long long since_ms;

	rig_start_with(&r, "limits: {drain: 300ms}\n");
	busy = rig_client(&r);
	peer_send(busy, GET("/busy"));
	rig_request(&r, &request);
	since_ms = now_ms();
	program_signal(&r.program, SIGTERM);
	peer_expect_end(busy);
	rig_check(&r, now_ms() - since_ms >= 300, "cut after %lld ms", now_ms() - since_ms);
	message_free(&request);
	rig_expect_exit(&r, 0);
}

Test(process, held_delays_do_not_hold_up_the_stop_for_ever)
{
	struct rig r;
	struct peer *held;

	rig_start_with(&r, "limits: {drain: 200ms}\nrules:\n  - delay: 60s\n");
	held = rig_client(&r);
	peer_send(held, GET("/"));
	peer_expect_silence(held, 50);
	program_signal(&r.program, SIGTERM);
	peer_expect_end(held);
	rig_expect_exit(&r, 0);
}

/* A tunnel is an open exchange too. */
Test(process, tunnels_are_cut_when_the_time_is_over)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start_with(&r, "limits: {drain: 1500ms}\n");
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", &request, &answer);
	expect_status(&answer, 101);
	program_signal(&r.program, SIGTERM);
	peer_send(client, "still open");
	peer_expect(upstream, "still open");
	peer_expect_end(client);
	peer_expect_end(upstream);
	free_both(&request, &answer);
	rig_expect_exit(&r, 0);
}

/* Until the listener is closed: from then on the worker knows that it is to stop. */
static void wait_refused(struct rig *r)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	int fd;

	while ((fd = rig_connect(r->program.listeners[0])) >= 0) {
		close(fd);
		rig_check(r, now_ms() < until_ms, "it goes on listening");
		sleep_ms(2);
	}
}

/* Requests that were sent before the answer told of the end: either answered or plainly not. */
Test(process, stop_within_a_pipeline)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/1") GET("/2") GET("/3"));
	program_signal(&r.program, SIGTERM);
	wait_refused(&r);
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	expect_field(&answer, "connection", "close");
	peer_expect_fin(client);
	rig_expect_upstream_silence(&r, 50);
	message_free(&answer);
	rig_expect_exit(&r, 0);
}

/* ---- logs ---- */

Test(process, sigusr1_opens_the_log_anew)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct bytes old = { 0 };

	rig_start(&r);
	client = rig_client(&r);
	rig_exchange(&r, client, GET("/before"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	rig_log_line(&r, 0);
	rename(program_path(&r.program, "access.log"), program_path(&r.program, "access.log.1"));
	program_signal(&r.program, SIGUSR1);
	for (long long until_ms = now_ms() + PATIENCE_MS; access(program_path(&r.program, "access.log"), F_OK) != 0; sleep_ms(2))
		rig_check(&r, now_ms() < until_ms, "it is not opened anew");
	rig_exchange(&r, client, GET("/after"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, 0), "target"), "/after") == 0, "the new log begins with %s",
		rig_log_line(&r, 0));
	bytes_read_file(&old, program_path(&r.program, "access.log.1"));
	rig_check(&r, strstr(bytes_text(&old), "/before") && !strstr(bytes_text(&old), "/after"), "the old log has\n%s",
		bytes_text(&old));
	bytes_free(&old);
	rig_end(&r);
}

Test(process, text_log)
{
	struct rig r;
	struct message request, answer;
	const char *line;

	rig_start_with(&r, "log: {access: '@dir@/access.log', format: text}\n");
	rig_exchange(&r, rig_client(&r), GET("/a?b=c"), OK_HI, &request, &answer);
	line = rig_log_line(&r, 0);
	rig_check(&r, strstr(line, "GET /a?b=c") && strstr(line, " 200 ") && strstr(line, "127.0.0.1"), "the log says %s", line);
	rig_check(&r, strstr(line, "upstream_status=200") && strstr(line, "close=complete"), "the log says %s", line);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(process, log_of_a_full_exchange)
{
	struct rig r;
	struct message request, answer;
	const char *line;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r), "POST /p HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\n\r\nbody", OK_HI, &request,
		&answer);
	line = rig_log_line(&r, 0);
	rig_check(&r, strcmp(rig_log_value(line, "method"), "POST") == 0, "%s", line);
	rig_check(&r, strcmp(rig_log_value(line, "target"), "/p") == 0, "%s", line);
	rig_check(&r, strcmp(rig_log_value(line, "host"), "shop.test") == 0, "%s", line);
	rig_check(&r, strcmp(rig_log_value(line, "status"), "200") == 0, "%s", line);
	rig_check(&r, strcmp(rig_log_value(line, "upstream_status"), "200") == 0, "%s", line);
	rig_check(&r, strcmp(rig_log_value(line, "client"), "127.0.0.1") == 0, "%s", line);
	rig_check(&r, strcmp(rig_log_value(line, "bytes_in"), "60") == 0, "bytes_in: %s", line);
	rig_check(&r, rig_log_value(line, "request_time") && rig_log_value(line, "upstream_time"), "%s", line);
	free_both(&request, &answer);
	rig_end(&r);
}

/* ---- what it says about itself ---- */

static void expect_said(struct rig *r, const struct bytes *said, const char *words)
{
	rig_check(r, strstr(bytes_text(said), words), "\"%s\" is not in:\n%s", words, bytes_text(said));
}

Test(process, summary_tells_real_failures_from_injected_ones)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct bytes said;

	rig_start_with(&r, "rules:\n  - {name: broken, match: {path: /abort}, abort: 503}\n"
			   "  - {name: slow, match: {path: /slow}, delay: 20ms}\n");
	client = rig_client(&r);
	for (int i = 0; i < 3; i++) {
		peer_send(client, GET("/abort"));
		message_read_answer(&answer, client, "GET");
		message_free(&answer);
	}
	rig_exchange(&r, client, GET("/slow"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	peer_send(client, GET("/fails"));
	peer_close(rig_request(&r, &request));
	message_free(&request);
	peer_send(client, GET("/fails"));
	peer_close(rig_request(&r, &request));
	message_read_answer(&answer, client, "GET");
	message_free(&answer);
	message_free(&request);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, PATIENCE_MS), "does not end");
	said = program_stderr(&r.program);
	expect_said(&r, &said, "abort 3");
	expect_said(&r, &said, "delay 1");
	expect_said(&r, &said, "broken");
	expect_said(&r, &said, "connection_terminated");
	expect_said(&r, &said, "p99");
	bytes_free(&said);
	rig_expect_exit(&r, 0);
}

Test(process, drawn_seed_is_said_and_differs)
{
	unsigned long long seeds[2];

	for (int i = 0; i < 2; i++) {
		struct rig r;
		struct bytes said;
		const char *at;

		rig_start_with(&r, "# seed:\nrules: []\n");
		/* The harness gives a seed where the text has none: here through the file alone. */
		program_signal(&r.program, SIGTERM);
		rig_check(&r, program_wait(&r.program, PATIENCE_MS), "does not end");
		program_write_file(&r.program, "seedless.yaml", "listen: 127.0.0.1:0\nupstream: 'origin:'\nlog: {access: off}\n");
		program_start(&r.program, (const char *const[]){ "run", program_path(&r.program, "seedless.yaml"), NULL }, NULL);
		rig_check(&r, program_wait_listening(&r.program, 1), "does not listen");
		said = program_stderr(&r.program);
		at = strstr(bytes_text(&said), "seed ");
		rig_check(&r, at, "the seed is not said:\n%s", bytes_text(&said));
		seeds[i] = strtoull(at + 5, NULL, 10);
		bytes_free(&said);
		rig_end(&r);
	}
	cr_assert(seeds[0] != seeds[1], "drawn twice: %llu", seeds[0]);
}

/* ---- confined ---- */

/* The value of a line of /proc/PID/status, or of that of one of its threads; valid until the next call. */
static const char *status_of_thread(const struct rig *r, const char *thread, const char *name)
{
	static char line[256];
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s/status", r->program.pid, thread);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			fclose(file);
			return line + strlen(name) + 2;
		}
	}
	if (file)
		fclose(file);
	return "";
}

/* Of the process: its first thread. */
static const char *status_of(const struct rig *r, const char *name)
{
	return status_of_thread(r, ".", name);
}

Test(process, takes_no_new_privileges_in_any_thread)
{
	const struct dirent *entry;
	unsigned n = 0;
	char path[64];
	struct rig r;
	DIR *threads;

	rig_start(&r);
	snprintf(path, sizeof(path), "/proc/%d/task", r.program.pid);
	threads = opendir(path);
	cr_assert_not_null(threads);
	while ((entry = readdir(threads))) {
		char thread[280];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(thread, sizeof(thread), "task/%s", entry->d_name);
		cr_expect_eq(*status_of_thread(&r, thread, "NoNewPrivs"), '1', "%s", thread);
		n++;
	}
	closedir(threads);
	rig_check(&r, n > 1, "%u threads", n);
	rig_end(&r);
}

Test(process, becomes_another_user_once_its_sockets_are_open)
{
	struct peer *client;
	struct message request, answer;
	struct rig r;

	if (geteuid() != 0)
		return;
	rig_start_with(&r, "user: nobody\n");
	for (unsigned i = 0; i < 1000 && strtoul(status_of(&r, "Uid"), NULL, 10) == 0; i++)
		sleep_ms(2);
	cr_expect_eq(strtoul(status_of(&r, "Uid"), NULL, 10), 65534);
	client = rig_client(&r);
	(void)rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	expect_status(&answer, 200);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(process, says_that_there_is_no_such_user)
{
	struct program p;
	struct bytes said;

	program_open(&p);
	program_write_file(&p, "rules.yaml", "listen: 127.0.0.1:0\nupstream: 'origin:'\nuser: no-such-user\n");
	cr_expect_eq(program_run(&p, (const char *const[]){ "run", program_path(&p, "rules.yaml"), NULL }, NULL), 125);
	said = program_stderr(&p);
	cr_expect(strstr(bytes_text(&said), "user: no-such-user: there is no such user or group"), "%s", bytes_text(&said));
	cr_expect_null(strstr(bytes_text(&said), "listening on"), "it was said after it served: %s", bytes_text(&said));
	bytes_free(&said);
	program_close(&p);
}

/* All that serving does must be possible in it: forwarding, resolving a name, reading rules again, a log opened anew. */
Test(process, serves_within_a_sandbox)
{
	struct peer *client;
	struct message request, answer;
	struct bytes help;
	struct rig r;

	/* The leak detector needs other system calls than serving does. */
	if (program_is_sanitized())
		return;
	program_open(&r.program);
	program_write_file(&r.program, "try.yaml", "listen: 127.0.0.1:0\nupstream: 'origin:'\nsandbox: true\n");
	program_start(&r.program, (const char *const[]){ "run", program_path(&r.program, "try.yaml"), NULL }, NULL);
	(void)program_wait(&r.program, 500);
	help = program_stderr(&r.program);
	if (strstr(bytes_text(&help), "built without libseccomp")) {
		bytes_free(&help);
		program_close(&r.program);
		return;
	}
	bytes_free(&help);
	program_close(&r.program);
	rig_start_with(&r, "sandbox: true\nwatch: true\nadmin: 127.0.0.1:0\n"
			   "upstreams: {default: {url: 'http://localhost:@port@'}}\n");
	for (unsigned i = 0; i < 1000 && *status_of(&r, "Seccomp") != '2'; i++)
		sleep_ms(2);
	cr_expect_eq(*status_of(&r, "Seccomp"), '2');
	client = rig_client(&r);
	(void)rig_exchange(&r, client, GET("/"), OK_HI, &request, &answer);
	expect_status(&answer, 200);
	free_both(&request, &answer);
	program_signal(&r.program, SIGUSR1);
	rig_check(&r, rig_reload_with(&r, "sandbox: true\nadmin: 127.0.0.1:0\nupstream: 'origin:'\nlisteners:\n"
			"  - {name: default, address: '127.0.0.1:0'}\n  - {name: two, address: 'unix:@dir@/two.sock'}\n"),
		"refused");
	peer_send(client, GET("/status/204"));
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 204);
	message_free(&answer);
	rig_end(&r);
}
