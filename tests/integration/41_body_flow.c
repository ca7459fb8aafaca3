/*
 * 41 body flow: bodies far larger than any buffer pass in both directions, unchanged, at the pace of the slower side, in
 * bounded memory.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(body_flow, .timeout = 180);

#define MIB (1024u * 1024u)
#define BODY_BYTES (64u * MIB)
/* What the program may hold above what it held before the body came. Sanitizers keep freed memory, so theirs is not judged. */
#define GROWTH_KIB_MAX 4096
#define BLOCK_BYTES (64u * 1024u)

/* A body on its way: written on one socket, read on another, each byte known by its place. */
struct flow {
	struct rig *r;
	struct peer *from;
	struct peer *to;
	size_t n;
	size_t sent;
	size_t received;
};

static char byte_at(size_t i)
{
	return (char)(i * 31 + (i >> 13));
}

/* Writes what goes; false where nothing went. */
static bool flow_send(struct flow *f)
{
	static char block[BLOCK_BYTES];
	size_t n = f->n - f->sent < BLOCK_BYTES ? f->n - f->sent : BLOCK_BYTES;
	ssize_t got;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		block[i] = byte_at(f->sent + i);
	got = send(f->from->fd, block, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	rig_check(f->r, got > 0 || errno == EAGAIN, "%s: send: %s after %zu bytes", f->from->name, strerror(errno), f->sent);
	if (got > 0)
		f->sent += (size_t)got;
	return got > 0;
}

static void check(struct flow *f, const char *p, size_t n)
{
	rig_check(f->r, f->received + n <= f->n, "%s got more bytes than were sent", f->to->name);
	for (size_t i = 0; i < n; i++) {
		if (p[i] != byte_at(f->received + i))
			rig_fail(f->r, "%s: byte %zu is wrong", f->to->name, f->received + i);
	}
	f->received += n;
}

static bool flow_receive(struct flow *f, size_t max)
{
	static char block[BLOCK_BYTES];
	ssize_t got;

	if (f->received == f->n)
		return false;
	if (peer_rest_n(f->to)) {
		check(f, peer_rest(f->to), peer_rest_n(f->to));
		f->to->taken = f->to->in.n;
		return true;
	}
	got = recv(f->to->fd, block, max < sizeof(block) ? max : sizeof(block), MSG_DONTWAIT);
	rig_check(f->r, got > 0 || (got < 0 && errno == EAGAIN), "%s: %s after %zu bytes", f->to->name,
		got == 0 ? "FIN" : strerror(errno), f->received);
	if (got > 0)
		check(f, block, (size_t)got);
	return got > 0;
}

static void flow_wait(struct flow *f)
{
	struct pollfd pollers[2] = {
		{ .fd = f->sent < f->n ? f->from->fd : -1, .events = POLLOUT },
		{ .fd = f->to->fd, .events = POLLIN },
	};

	rig_check(f->r, poll(pollers, 2, PATIENCE_MS) > 0, "stuck: %zu bytes sent, %zu received", f->sent, f->received);
}

/* Nobody reads: how much the sender gets rid of, and that memory does not grow with it. */
static void flow_stall(struct flow *f, long before_kib)
{
	long long quiet_since_ms = now_ms();
	long grown_kib;

	while (now_ms() - quiet_since_ms < 300) {
		if (flow_send(f))
			quiet_since_ms = now_ms();
		else
			sleep_ms(5);
		rig_check(f->r, f->sent < f->n, "all %zu bytes were taken though nobody read", f->n);
	}
	grown_kib = program_rss_kib(&f->r->program) - before_kib;
	rig_check(f->r, program_is_sanitized() || grown_kib < GROWTH_KIB_MAX, "%ld KiB held while nobody read", grown_kib);
}

static void flow_run(struct flow *f, long before_kib)
{
	long grown_kib;

	while (f->received < f->n) {
		bool moved = flow_send(f);

		moved |= flow_receive(f, BLOCK_BYTES);
		if (!moved)
			flow_wait(f);
	}
	grown_kib = program_rss_kib(&f->r->program) - before_kib;
	rig_check(f->r, program_is_sanitized() || grown_kib < GROWTH_KIB_MAX, "%ld KiB more than before the body", grown_kib);
}

/* A first exchange, so that what is allocated once is there. */
static long warm_up(struct rig *r, struct peer *client)
{
	struct message request, answer;

	rig_exchange(r, client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", &request,
		&answer);
	message_free(&request);
	message_free(&answer);
	return program_rss_kib(&r->program);
}

static void download(bool stall)
{
	struct rig r;
	struct message request, answer;
	struct flow f = { .r = &r, .n = BODY_BYTES };
	long before_kib;

	rig_start(&r);
	f.to = rig_client(&r);
	before_kib = warm_up(&r, f.to);
	peer_send(f.to, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	f.from = rig_request(&r, &request);
	peer_printf(f.from, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", BODY_BYTES);
	message_read_answer_head(&answer, f.to, "GET");
	if (stall)
		flow_stall(&f, before_kib);
	flow_run(&f, before_kib);
	message_free(&request);
	message_free(&answer);
	warm_up(&r, f.to);
	rig_end(&r);
}

static void upload(bool stall)
{
	struct rig r;
	struct message request, answer;
	struct flow f = { .r = &r, .n = BODY_BYTES };
	long before_kib;

	rig_start(&r);
	f.from = rig_client(&r);
	before_kib = warm_up(&r, f.from);
	peer_printf(f.from, "PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n", BODY_BYTES);
	f.to = rig_request_head(&r, &request);
	if (stall)
		flow_stall(&f, before_kib);
	flow_run(&f, before_kib);
	peer_send(f.to, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhave");
	message_read_answer(&answer, f.from, "PUT");
	expect_body(&answer, "have");
	message_free(&request);
	message_free(&answer);
	warm_up(&r, f.from);
	rig_end(&r);
}

Test(body_flow, download)
{
	download(false);
}

Test(body_flow, download_to_a_slow_reader)
{
	download(true);
}

Test(body_flow, upload)
{
	upload(false);
}

Test(body_flow, upload_to_a_slow_reader)
{
	upload(true);
}

/* Chunked, with chunks of many sizes: re-chunking is allowed, losing or repeating a byte is not. */
Test(body_flow, chunked_download)
{
	enum { CHUNKS = 600 };
	struct rig r;
	struct message answer;
	struct bytes body = { 0 };
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_send(upstream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	message_read_answer_head(&answer, client, "GET");
	for (unsigned i = 0; i < CHUNKS; i++) {
		struct bytes chunk = { 0 };
		size_t n = 1 + (i * i * 7) % 20000;

		bytes_printf(&chunk, i % 2 ? "%zx\r\n" : "%08zX\r\n", n);
		for (size_t j = 0; j < n; j++) {
			char c = byte_at(body.n);

			bytes_put(&chunk, &c, 1);
			bytes_put(&body, &c, 1);
		}
		bytes_put(&chunk, "\r\n", 2);
		peer_send_n(upstream, chunk.p, chunk.n);
		bytes_free(&chunk);
		while (peer_read(client, 0))
			continue;
	}
	peer_send(upstream, "0\r\n\r\n");
	message_read_body(&answer);
	rig_check(&r, answer.body.n == body.n && memcmp(answer.body.p, body.p, body.n) == 0, "%zu bytes of %zu, or others",
		answer.body.n, body.n);
	bytes_free(&body);
	message_free(&answer);
	rig_end(&r);
}

/* Where nobody takes the answer in time, the connection ends and the upstream's is released. */
Test(body_flow, client_that_does_not_read_is_cut_in_time)
{
	struct rig r;
	struct message request, answer;
	struct flow f = { .r = &r, .n = BODY_BYTES };

	rig_start_with(&r, "limits: {idle_timeout: 400ms}\n");
	f.to = rig_client(&r);
	peer_send(f.to, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	f.from = rig_request(&r, &request);
	peer_printf(f.from, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", BODY_BYTES);
	message_read_answer_head(&answer, f.to, "GET");
	while (f.sent < f.n) {
		struct pollfd poller = { .fd = f.from->fd, .events = POLLOUT };
		static const char block[4096];
		ssize_t got;

		rig_check(&r, poll(&poller, 1, PATIENCE_MS) > 0, "the upstream is held for ever");
		got = send(f.from->fd, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (got < 0 && errno != EAGAIN)
			break; /* released */
		f.sent += got > 0 ? (size_t)got : 0;
	}
	rig_check(&r, f.sent < f.n, "all was taken");
	rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, 0), "close"), "client_timeout") == 0, "the log says otherwise: %s",
		rig_log_line(&r, 0));
	message_free(&request);
	message_free(&answer);
	rig_end(&r);
}

/*
 * The client takes a little now and then, so little that for longer than the timeout nothing can be written: it is slow, and not
 * gone. False where this side took nothing for too long.
 */
static bool sip(struct rig *r)
{
	struct message request, answer;
	struct flow f = { .r = r, .n = BODY_BYTES };
	long long last_ms;
	bool is_slow = false;

	f.to = rig_client(r);
	peer_send(f.to, GET("/big"));
	f.from = rig_request(r, &request);
	peer_printf(f.from, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", BODY_BYTES);
	message_read_answer_head(&answer, f.to, "GET");
	while (flow_send(&f))
		continue;
	last_ms = now_ms();
	for (int i = 0; i < 50 && !is_slow; i++) {
		(void)flow_receive(&f, BLOCK_BYTES);
		last_ms = now_ms();
		sleep_ms(40);
		is_slow = now_ms() - last_ms >= 400;
	}
	if (!is_slow)
		flow_run(&f, program_rss_kib(&r->program));
	free_both(&request, &answer);
	peer_close(f.to);
	peer_close(f.from);
	return !is_slow;
}

Test(body_flow, client_that_reads_slowly_is_not_cut)
{
	bool sipped = false;
	struct rig r;

	rig_start_with(&r, "limits: {idle_timeout: 600ms}\n");
	for (int i = 0; i < 10 && !sipped; i++)
		sipped = sip(&r);
	rig_check(&r, sipped, "the machine is too slow for this");
	rig_end(&r);
}

/* Nothing of the client is read while the upstream takes nothing; that it is gone must be noticed all the same. */
Test(body_flow, client_that_resets_a_blocked_upload_is_noticed)
{
	enum { PIECE = 65536 };
	static char piece[PIECE];
	unsigned refused = 0;
	struct message request;
	struct peer *client;
	struct rig r;

	memset(piece, 'x', PIECE);
	rig_start_with(&r, "upstreams: {default: {url: 'http://@upstream@', idle_timeout: 60s}}\n");
	client = rig_client(&r);
	peer_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
	(void)rig_request_head(&r, &request);
	/* As much as the sockets and what lies between them hold. */
	while (refused < 20) {
		refused = peer_try_send_now(client, piece, PIECE) ? 0 : refused + 1;
		if (refused)
			sleep_ms(2);
	}
	peer_reset(client);
	cr_expect_str_eq(rig_log_value(rig_log_line(&r, 0), "close"), "client_left");
	message_free(&request);
	rig_end(&r);
}

/* ---- bodies that an injected answer does not wait for ---- */

#define CHUNKED_HEAD "POST /injected HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What is here of a chunked body is taken in; whoever has sent it whole keeps the connection, as with a length. */
Test(body_flow, whole_chunked_body_before_an_injected_answer)
{
	static const struct {
		const char *sent;
		bool kept;
	} rows[] = {
		{ CHUNKED_HEAD "5\r\nhello\r\n0\r\n\r\n", true },
		{ CHUNKED_HEAD "0\r\n\r\n", true },
		{ CHUNKED_HEAD "1;x=y\r\na\r\n2\r\nbc\r\n0\r\nX-Sum: 1\r\n\r\n", true },
		{ CHUNKED_HEAD, false },
		{ CHUNKED_HEAD "5\r\nhel", false },
		{ CHUNKED_HEAD "5\r\nhello\r\n0\r\nX-Sum: ", false },
		{ CHUNKED_HEAD "5\r\nhello!\r\n0\r\n\r\n", false }, /* broken: nobody knows where it ends */
		{ "POST /injected HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", false },
	};
	struct rig r;

	rig_start_with(&r, "rules:\n  - {match: {path: /injected}, abort: 503}\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message answer;

		r.context = rows[i].sent;
		peer_send(client, rows[i].sent);
		message_read_answer(&answer, client, "POST");
		expect_status(&answer, 503);
		expect_field(&answer, "connection", rows[i].kept ? NULL : "close");
		message_free(&answer);
		if (rows[i].kept)
			rig_expect_usable(&r, client);
		else
			peer_expect_fin(client);
	}
	rig_end(&r);
}

/* The next request stands right behind it: not a byte of it is taken for body. */
Test(body_flow, request_behind_a_chunked_body_that_nobody_reads)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start_with(&r, "rules:\n  - {match: {path: /injected}, abort: 503}\n");
	client = rig_client(&r);
	peer_send(client, CHUNKED_HEAD "5\r\nhello\r\n0\r\n\r\n" GET("/next"));
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 503);
	message_free(&answer);
	peer_send(rig_request(&r, &request), OK_HI);
	expect_line(&request, "GET /next HTTP/1.1");
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

/* No more is read for that than of a body with a length. */
Test(body_flow, long_chunked_body_before_an_injected_answer)
{
	char block[16384];
	struct rig r;
	struct message answer;
	struct peer *client;

	memset(block, 'x', sizeof(block));
	rig_start_with(&r, "rules:\n  - {match: {path: /injected}, delay: 300ms, abort: 503}\n");
	client = rig_client(&r);
	peer_send(client, CHUNKED_HEAD);
	for (int i = 0; i < 32; i++) {
		peer_send(client, "4000\r\n");
		peer_send_n(client, block, sizeof(block));
		peer_send(client, "\r\n");
	}
	peer_send(client, "0\r\n\r\n");
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 503);
	expect_field(&answer, "connection", "close");
	message_free(&answer);
	peer_expect_fin(client);
	rig_end(&r);
}
