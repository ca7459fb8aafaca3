/*
 * 93 hostile clients: many that say nothing, that are slow, that ask without end or leave at once. The others go on being
 * served, what the hostile ones cost is bounded, and it is given back when they are gone.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/ask.h"
#include "harness/crowd.h"
#include "harness/responder.h"
#include "harness/rig.h"

TestSuite(hostile_clients, .timeout = 120);

#define HOSTS_MAX 4000

static struct responder responder;
static int hosts[HOSTS_MAX];
static unsigned n_hosts;

/* ---- the program, with as many descriptors as there may be ---- */

static void start(struct rig *r, const char *more)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	n_hosts = limit.rlim_cur > 2 * HOSTS_MAX ? HOSTS_MAX : (unsigned)limit.rlim_cur / 4;
	responder_start(&responder);
	rig_start_with(r, "upstreams:\n  default: {url: 'http://127.0.0.1:%u'}\nadmin: 127.0.0.1:0\n%s", responder.port, more);
	rig_check(r, program_wait_admin(&r->program), "no admin listener");
}

static long total(struct rig *r, const char *key)
{
	char quoted[32];
	char *totals = ask(r, "GET", "/v1/totals", NULL, NULL, 200);
	const char *at;
	long value;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(totals, quoted);
	value = at ? strtol(at + strlen(quoted), NULL, 10) : -1;
	free(totals);
	return value;
}

/* Others are answered, all of them. */
static void expect_others_served(struct rig *r)
{
	struct crowd c = { .rig = r, .target = "/length", .n_connections = 8, .n_requests = 800 };

	crowd_run(&c);
	rig_check(r, crowd_count(&c, 200) == 800 && c.n_broken == 0, "%u of 800 were served", crowd_count(&c, 200));
	crowd_free(&c);
}

static int connect_host(struct rig *r)
{
	int fd = rig_connect(r->program.listeners[0]);

	rig_check(r, fd >= 0, "connect: %s", strerror(errno));
	return fd;
}

static void say(int fd, const char *p, size_t n)
{
	(void)!send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* So many connections, each having said this. */
static void come(struct rig *r, unsigned n, const char *said)
{
	for (unsigned i = 0; i < n; i++) {
		hosts[i] = connect_host(r);
		say(hosts[i], said, strlen(said));
	}
}

static void reset(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void leave(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i % 2)
			reset(hosts[i]);
		else
			close(hosts[i]);
	}
}

static void wait_for(struct rig *r, const char *key, long most)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	while (total(r, key) > most) {
		rig_check(r, now_ms() < until_ms, "%s is %ld", key, total(r, key));
		sleep_ms(20);
	}
}

/* All is given back; sanitizers keep freed memory, so that theirs is not judged. */
static void finish(struct rig *r, long before_kib, long more_kib)
{
	wait_for(r, "connections", 0);
	wait_for(r, "active", 0);
	expect_others_served(r);
	rig_check(r, program_is_sanitized() || program_rss_kib(&r->program) <= before_kib + more_kib, "%ld KiB, %ld before",
		program_rss_kib(&r->program), before_kib);
	rig_end(r);
	responder_stop(&responder);
}

/* Resident memory once the program has served a little. */
static long warm_up(struct rig *r)
{
	expect_others_served(r);
	return program_rss_kib(&r->program);
}

/* ---- many that wait ---- */

static const struct {
	const char *name;
	const char *said;
	long bytes_each; /* of the program's memory, at most */
} waiting[] = {
	{ "that say nothing", "", 1536 },
	{ "with half a head", "GET / HTTP/1.1\r\nHost: a\r\nX-A: ", 2048 },
	{ "with an empty line", "\r\n", 2048 },
	{ "that are kept", GET("/length"), 1536 },
	{ "that are delayed", GET("/delayed"), 3072 },
	{ "with half a body", "PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf", 2048 },
};

Test(hostile_clients, thousands_that_wait)
{
	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++) {
		struct rig r;
		long before_kib, held_kib;

		start(&r, "rules:\n  - {match: {path: /delayed}, delay: 100s}\n  - {match: {path: /refused}, delay: 100s}\n");
		r.context = waiting[i].name;
		before_kib = warm_up(&r);
		come(&r, n_hosts, waiting[i].said);
		expect_others_served(&r);
		held_kib = program_rss_kib(&r.program) - before_kib;
		rig_check(&r, program_is_sanitized() || held_kib * 1024 <= waiting[i].bytes_each * (long)n_hosts,
			"%ld KiB for %u connections", held_kib, n_hosts);
		rig_check(&r, total(&r, "connections") >= (long)n_hosts, "%ld connections", total(&r, "connections"));
		leave(n_hosts);
		finish(&r, before_kib, 3072);
	}
}

/* ---- slow ones ---- */

/* A byte now and then does not keep a head alive; each is told so, and the place is free. */
Test(hostile_clients, heads_that_drip)
{
	enum { SLOW = 500 };
	static bool is_told[SLOW];
	long long until_ms = now_ms() + 4 * PATIENCE_MS;
	struct rig r;
	long before_kib;
	unsigned told = 0;

	start(&r, "limits: {header_timeout: 1s}\n");
	before_kib = warm_up(&r);
	come(&r, SLOW, "GET / HTTP/1.1\r\nHost: a\r\nX-A: ");
	for (; told < SLOW && now_ms() < until_ms; sleep_ms(100)) {
		for (unsigned i = 0; i < SLOW; i++) {
			char answer[16] = { 0 };

			if (is_told[i])
				continue;
			is_told[i] = recv(hosts[i], answer, 12, MSG_DONTWAIT) == 12 && strcmp(answer, "HTTP/1.1 408") == 0;
			told += is_told[i];
			if (!is_told[i])
				say(hosts[i], "x", 1);
		}
	}
	rig_check(&r, told == SLOW, "%u of %d got a 408", told, SLOW);
	expect_others_served(&r);
	leave(SLOW);
	finish(&r, before_kib, 3072);
}

/* Large answers that nobody takes: held back at the upstream, not here; and not for ever. */
Test(hostile_clients, answers_that_are_not_taken)
{
	enum { SLOW = 100 };
	struct rig r;
	long before_kib, held_kib;

	start(&r, "limits: {idle_timeout: 2s}\n");
	before_kib = warm_up(&r);
	come(&r, SLOW, GET("/large"));
	expect_others_served(&r);
	held_kib = program_rss_kib(&r.program) - before_kib;
	rig_check(&r, program_is_sanitized() || held_kib <= SLOW * 160, "%ld KiB for %d of them", held_kib, SLOW);
	wait_for(&r, "active", 0);
	leave(SLOW);
	finish(&r, before_kib, 3072);
}

/* ---- without end ---- */

/* A head of a MiB, in one line or in a million: refused at its bound, whoever goes on sending. */
Test(hostile_clients, heads_without_end)
{
	static const char *const lines[] = { "vvvvvvvv", "a:\r\n", "\r\n", "a: b\r\n c\r\n", "X-A: b\r\n" };
	struct rig r;
	long before_kib;

	start(&r, "");
	before_kib = warm_up(&r);
	for (size_t i = 0; i < 4 * sizeof(lines) / sizeof(lines[0]); i++) {
		const char *line = lines[i / 4];
		struct bytes sent = { 0 };
		struct peer *client = rig_client(&r);
		struct message answer;

		r.context = line;
		bytes_printf(&sent, "GET / HTTP/1.1\r\nHost: a\r\n%s", strchr(line, '\n') ? "" : "X-A: ");
		while (sent.n < 1024 * 1024)
			bytes_repeat(&sent, line, 1000);
		peer_send_n(client, sent.p, sent.n);
		message_read_answer(&answer, client, "GET");
		/* Where the line is an empty one, the head had ended and what follows is refused. */
		while (answer.status == 200) {
			message_free(&answer);
			message_read_answer(&answer, client, "GET");
		}
		rig_check(&r, answer.status == 431 || answer.status == 400, "status %u", answer.status);
		message_free(&answer);
		bytes_free(&sent);
		peer_close(client);
	}
	expect_others_served(&r);
	finish(&r, before_kib, 3072);
}

/* Its answer is out, and it sends on: listened to for a while, so that it can read what it was told, but not to the end. */
Test(hostile_clients, body_without_end)
{
	enum { BOUND = 64 * 1024 * 1024 }; /* what is listened to, and what sockets hold */
	static char block[65536];
	struct pollfd poller = { .events = POLLOUT };
	struct message answer;
	struct peer *client;
	ssize_t sent = 0, got = 0;
	struct rig r;

	rig_start_with(&r, "rules:\n  - abort: 503\n");
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n");
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 503);
	expect_field(&answer, "connection", "close");
	poller.fd = client->fd;
	while (got >= 0 || errno == EAGAIN) {
		sent += got > 0 ? got : 0;
		rig_check(&r, sent <= BOUND, "it sends on after %zd bytes", sent);
		rig_check(&r, poll(&poller, 1, PATIENCE_MS) == 1, "held after %zd bytes", sent);
		got = send(client->fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	message_free(&answer);
	rig_end(&r);
}

/* Sends all of it, reading what comes, which is counted and thrown away. */
static size_t pump(struct rig *r, int fd, const char *p, size_t n)
{
	static char block[65536];
	long long until_ms = now_ms() + 4 * PATIENCE_MS;
	size_t got = 0;

	for (;;) {
		struct pollfd poller = { fd, (short)(POLLIN | (n ? POLLOUT : 0)), 0 };
		ssize_t sent, read;

		rig_check(r, now_ms() < until_ms, "%zu bytes are not taken", n);
		poll(&poller, 1, 100);
		sent = n ? send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		}
		read = recv(fd, block, sizeof(block), MSG_DONTWAIT);
		if (read == 0)
			return got;
		got += read > 0 ? (size_t)read : 0;
	}
}

/* One client asks a hundred thousand times without a pause: it gets its answers, and the others theirs meanwhile. */
Test(hostile_clients, endless_pipeline)
{
	enum { MANY = 100000 };
	struct bytes sent = { 0 };
	struct rig r;
	long before_kib;
	int fd;

	start(&r, "rules:\n  - {name: pipe, match: {path: /pipe}, abort: {status: 503, body: x}}\n");
	before_kib = warm_up(&r);
	bytes_repeat(&sent, GET("/pipe"), MANY - 1);
	bytes_printf(&sent, "GET /pipe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	/* First one that takes no answers: it is held back where they no longer fit. */
	fd = connect_host(&r);
	say(fd, sent.p, sent.n);
	expect_others_served(&r);
	rig_check(&r, program_is_sanitized() || program_rss_kib(&r.program) <= before_kib + 1024, "%ld KiB, %ld before",
		program_rss_kib(&r.program), before_kib);
	close(fd);
	fd = connect_host(&r);
	pump(&r, fd, sent.p, sent.n);
	close(fd);
	rig_check(&r, total(&r, "requests") >= MANY, "%ld requests", total(&r, "requests"));
	bytes_free(&sent);
	finish(&r, before_kib, 3072);
}

/* ---- storms ---- */

static const struct {
	const char *name;
	const char *said;
	bool resets;
} storms[] = {
	{ "connect and close", "", false },
	{ "connect and reset", "", true },
	{ "half a head and close", "GET / HT", false },
	{ "half a head and reset", "GET / HT", true },
	{ "request and close", GET("/length"), false },
	{ "request and reset", GET("/length"), true },
	{ "large answer and reset", GET("/large"), true },
	{ "half a body and reset", "PUT /take HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf", true },
	{ "delay and reset", GET("/delayed"), true },
	{ "abort and reset", GET("/aborted"), true },
};

Test(hostile_clients, storms)
{
	struct rig r;
	long before_kib;

	start(&r, "rules:\n  - {match: {path: /delayed}, delay: 100s}\n  - {match: {path: /aborted}, abort: 503}\n");
	before_kib = warm_up(&r);
	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		r.context = storms[i].name;
		for (int n = 0; n < 1000; n++) {
			int fd = connect_host(&r);

			say(fd, storms[i].said, strlen(storms[i].said));
			if (storms[i].resets)
				reset(fd);
			else
				close(fd);
		}
		expect_others_served(&r);
		wait_for(&r, "active", 0);
		wait_for(&r, "held", 0);
	}
	finish(&r, before_kib, 4096);
}
