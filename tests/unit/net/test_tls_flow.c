/*
 * tls: what readiness says after each kind of transfer and of end, and that what the socket does not take at once is neither lost
 * nor doubled.
 */
#include "net/tls.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "tls_server.h"

#define BULK (1024 * 1024)
/* One record on the wire: content, header, and what protects it (RFC 5246 section 6.2.3). */
#define RECORD_MAX (16384 + 5 + 2048)

static char text[BULK], received[BULK];

/* A text that differs from itself moved by any power of two. */
static void fill_text(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + (i >> 8) * 13 + (i >> 16) * 29);
}

TestSuite(tls_flow, .timeout = 60, .init = fill_text);

/* ---- much data ---- */

/* The kernel takes little at a time: most of what is written waits on this side. */
static void narrow(void)
{
	const int little = 8192, window = 65536;

	cr_assert_eq(setsockopt(owner.conn.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	cr_assert_eq(setsockopt(server.fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)), 0);
}

/* Writes on from `sent` until no more is taken, each time at most `step` bytes: what was taken then, in all. */
static size_t write_on(size_t sent, size_t step)
{
	while (sent < BULK && owner.conn.ready & CONN_WRITABLE) {
		size_t wanted = MIN(step, BULK - sent);
		ssize_t n = conn_write(&owner.conn, text + sent, wanted);

		if (n == -EAGAIN)
			break;
		cr_assert_gt(n, 0);
		sent += (size_t)n;
		cr_assert((size_t)n == wanted || tls_kept(owner.conn.tls), "a short count only where the socket is full");
		cr_assert_eq(!(owner.conn.ready & CONN_WRITABLE), tls_kept(owner.conn.tls) > 0);
		cr_assert_leq(tls_kept(owner.conn.tls), RECORD_MAX);
	}
	return sent;
}

/* Writes until something is kept. What was taken. */
static size_t fill_up(void)
{
	size_t sent;

	narrow();
	sent = write_on(0, BULK);
	cr_assert_lt(sent, BULK);
	cr_assert_gt(tls_kept(owner.conn.tls), 0);
	cr_expect_geq(conn_unsent(&owner.conn), tls_kept(owner.conn.tls));
	return sent;
}

/* The server gets the first n bytes of the text; this side does nothing but to take edges. */
static void check_server_gets(size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = server_read_next(received + got, BULK - got);

		cr_assert_gt(r, 0);
		got += (size_t)r;
	}
	cr_assert_eq(got, n);
	cr_assert_arr_eq(received, text, n);
}

static void check_bulk(int version)
{
	static char down[BULK];
	size_t sent = 0, up = 0, got = 0;
	unsigned partial = 0;

	stand(version);
	narrow();
	server.pace = 3000;
	server_write(&server, text, BULK);
	while (up < BULK || got < BULK) {
		ssize_t n;

		sent = write_on(sent, BULK);
		partial += sent < BULK && tls_kept(owner.conn.tls);
		while (owner.conn.ready & CONN_READABLE) {
			n = conn_read(&owner.conn, down + got, BULK - got);
			cr_assert(n > 0 || n == -EAGAIN || (n == 0 && got == BULK));
			if (n <= 0)
				break;
			got += (size_t)n;
		}
		while ((n = server_read(&server, received + up, BULK - up)) > 0)
			up += (size_t)n;
		take_edges();
	}
	cr_expect_gt(partial, 0);
	cr_expect_arr_eq(received, text, BULK);
	cr_expect_arr_eq(down, text, BULK);
	cr_expect_eq(owner.conn.written, server.took);
	cr_expect_eq(tls_kept(owner.conn.tls), 0);
	finish();
}

Test(tls_flow, much_both_ways_to_a_slow_reader)
{
	check_bulk(TLS1_3_VERSION);
}

Test(tls_flow, much_both_ways_to_a_slow_reader_in_1_2)
{
	check_bulk(TLS1_2_VERSION);
}

Test(tls_flow, what_is_kept_goes_out_by_itself)
{
	char more[4];
	size_t sent;

	stand(0);
	sent = fill_up();
	cr_expect_eq(conn_write(&owner.conn, "more", 4), -EAGAIN);
	cr_expect_not(owner.conn.ready & CONN_WRITABLE);
	check_server_gets(sent);
	wait_for(CONN_WRITABLE);
	cr_expect_eq(tls_kept(owner.conn.tls), 0);
	cr_expect_eq(conn_write(&owner.conn, "more", 4), 4);
	cr_expect_eq(server_read_next(more, sizeof(more)), 4);
	cr_expect_arr_eq(more, "more", 4);
	finish();
}

/* OpenSSL by itself wants a write that it could not end to be repeated just as it was. */
Test(tls_flow, a_write_is_tried_again_with_another_length)
{
	size_t sent = 0, got = 0, step = BULK;

	stand(0);
	narrow();
	server.pace = 3000;
	while (got < BULK) {
		ssize_t n;

		sent = write_on(sent, step);
		step = step * 31 % 40009 + 1;
		while ((n = server_read(&server, received + got, BULK - got)) > 0)
			got += (size_t)n;
		/* Without regard to readiness: there may be room already, and the edge is still to come. */
		n = sent < BULK ? conn_write(&owner.conn, text + sent, MIN(step, BULK - sent)) : 0;
		cr_assert(n >= 0 || n == -EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		cr_assert_eq(!(owner.conn.ready & CONN_WRITABLE), tls_kept(owner.conn.tls) > 0);
		take_edges();
	}
	cr_expect_arr_eq(received, text, BULK);
	cr_expect_eq(server_read(&server, received, 1), -EAGAIN);
	finish();
}

Test(tls_flow, writev)
{
	static char words[] = "abcde";
	const struct iovec parts[] = { { words, 2 }, { NULL, 0 }, { words + 2, 3 } };
	const struct iovec nothing[] = { { NULL, 0 } };
	const struct iovec too_much[] = { { text, 1 }, { text + 1, 40000 }, { text + 40001, BULK - 40001 } };
	size_t got = 0;
	ssize_t n;

	stand(0);
	cr_expect_eq(conn_writev(&owner.conn, parts, 3), 5);
	while (got < 5) {
		n = server_read_next(received + got, 16);
		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	cr_expect_eq(got, 5);
	cr_expect_arr_eq(received, "abcde", 5);
	cr_expect_eq(conn_writev(&owner.conn, nothing, 1), 0);
	cr_expect_eq(conn_write(&owner.conn, NULL, 0), 0);
	cr_expect(owner.conn.ready & CONN_WRITABLE);

	narrow();
	n = conn_writev(&owner.conn, too_much, 3);
	cr_assert_gt(n, 0);
	cr_assert_lt(n, BULK);
	cr_expect_not(owner.conn.ready & CONN_WRITABLE);
	cr_expect_eq(conn_writev(&owner.conn, too_much, 3), -EAGAIN);
	check_server_gets((size_t)n);
	finish();
}

/* ---- reading ---- */

static void check_records(int version)
{
	char buf[16];

	stand(version);
	server_write(&server, "one", 3);
	server_write(&server, "second", 6);
	server_write(&server, "three", 5);
	server_step(&server);
	cr_assert_eq(read_next(buf, sizeof(buf)), 3);
	cr_expect_arr_eq(buf, "one", 3);
	cr_expect(owner.conn.ready & CONN_READABLE, "the second has no edge of its own");
	cr_expect_eq(conn_read(&owner.conn, buf, 0), 0);
	cr_expect_not(owner.conn.ready & CONN_EOF);
	cr_expect_eq(conn_read(&owner.conn, buf, 2), 2, "a part of a record");
	cr_expect(owner.conn.ready & CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf + 2, sizeof(buf) - 2), 4);
	cr_expect_arr_eq(buf, "second", 6);
	conn_rest(&owner.conn);
	cr_expect(owner.conn.ready & CONN_READABLE, "a short read says nothing of what is behind it");
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 5);
	cr_expect_arr_eq(buf, "three", 5);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	cr_expect_not(owner.conn.ready & (CONN_READABLE | CONN_EOF | CONN_FAILED | CONN_HANGUP));

	server_says("late");
	cr_expect_eq(read_next(buf, sizeof(buf)), 4);
	finish();
}

Test(tls_flow, records_behind_the_first_have_no_edge)
{
	check_records(TLS1_3_VERSION);
}

Test(tls_flow, records_behind_the_first_have_no_edge_in_1_2)
{
	check_records(TLS1_2_VERSION);
}

Test(tls_flow, half_a_record_is_nothing_yet)
{
	char buf[16];
	ssize_t n;

	stand(0);
	/* The server's tickets are not to stand before it. */
	wait_for(CONN_READABLE);
	cr_assert_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	server_write(&server, "whole", 5);
	server.pace = 7;
	server_step(&server);
	wait_for(CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	cr_expect_not(owner.conn.ready & CONN_READABLE);
	do {
		server_step(&server);
		take_edges();
		n = owner.conn.ready & CONN_READABLE ? conn_read(&owner.conn, buf, sizeof(buf)) : -EAGAIN;
	} while (n == -EAGAIN);
	cr_expect_eq(n, 5);
	cr_expect_arr_eq(buf, "whole", 5);
	finish();
}

Test(tls_flow, tickets_are_no_content)
{
	char buf[16];

	stand(TLS1_3_VERSION);
	cr_assert_eq(BIO_pending(server.out), 0, "the tickets are sent");
	wait_for(CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	cr_expect_not(owner.conn.ready & (CONN_READABLE | CONN_EOF | CONN_FAILED));
	check_exchange();
	finish();
}

/* The keys of both sides change, which makes the client write within a read. */
Test(tls_flow, new_keys_are_no_content)
{
	char buf[16];

	stand(TLS1_3_VERSION);
	cr_assert_eq(SSL_key_update(server.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	cr_assert_eq(SSL_do_handshake(server.ssl), 1);
	server_step(&server);
	while (owner.conn.ready & CONN_READABLE)
		cr_assert_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	check_exchange();
	check_exchange();
	finish();
}

/* ---- ends ---- */

static void check_farewell(int version)
{
	char buf[16];

	stand(version);
	server_says("last");
	server_shutdown(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), 4);
	cr_expect_eq(read_next(buf, sizeof(buf)), 0);
	cr_expect(owner.conn.ready & CONN_EOF);
	cr_expect_not(owner.conn.ready & (CONN_READABLE | CONN_FAILED));
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 0);
	finish();
}

Test(tls_flow, a_farewell_is_the_end)
{
	check_farewell(TLS1_3_VERSION);
}

Test(tls_flow, a_farewell_is_the_end_in_1_2)
{
	check_farewell(TLS1_2_VERSION);
}

Test(tls_flow, whoever_has_said_farewell_still_listens)
{
	char buf[16];

	stand(TLS1_3_VERSION);
	server_shutdown(&server);
	cr_assert_eq(shutdown(server.fd, SHUT_WR), 0);
	cr_expect_eq(read_next(buf, sizeof(buf)), 0);
	cr_expect_eq(conn_write(&owner.conn, "late", 4), 4);
	cr_expect_eq(server_read_next(buf, sizeof(buf)), 4);
	finish();
}

/* Somebody on the way may have cut it off. */
Test(tls_flow, an_end_without_a_farewell_is_a_failure)
{
	char buf[16];

	stand(0);
	server_says("part");
	server_close(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), 4);
	cr_expect_eq(read_next(buf, sizeof(buf)), -ECONNRESET);
	cr_expect(owner.conn.ready & CONN_FAILED);
	cr_expect(owner.conn.ready & CONN_EOF);
	cr_expect_eq(owner.conn.error, ECONNRESET);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -ECONNRESET);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -ECONNRESET);
	finish();
}

static void check_garbage(const char *bytes, size_t n)
{
	char buf[16];

	stand(0);
	server_says("good");
	server_write_raw(&server, bytes, n);
	server_step(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), 4);
	cr_expect_eq(read_next(buf, sizeof(buf)), -EPROTO);
	cr_expect(owner.conn.ready & CONN_FAILED);
	cr_expect_not(owner.conn.ready & CONN_EOF);
	cr_expect_eq(owner.conn.error, EPROTO);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EPROTO);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -EPROTO);
	finish();
}

Test(tls_flow, what_is_no_record_is_a_failure)
{
	check_garbage("HTTP/1.1 200 OK\r\n\r\n", 19);
}

Test(tls_flow, a_record_that_nobody_has_protected_is_a_failure)
{
	check_garbage("\x17\x03\x03\x00\x20zyxwvutsrqponmlkjihgfedcba987654", 37);
}

Test(tls_flow, a_reset_is_seen_by_a_read)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	char buf[16];

	stand(0);
	cr_assert_eq(setsockopt(server.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	server_close(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), -ECONNRESET);
	cr_expect(owner.conn.ready & CONN_FAILED);
	cr_expect_eq(owner.conn.error, ECONNRESET);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -ECONNRESET);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -ECONNRESET);
	cr_expect(conn_probe(&owner.conn));
	finish();
}

/* A server that answers early and closes: the request cannot be written on, but the answer is there. */
Test(tls_flow, what_came_before_a_failed_write_can_be_read)
{
	char buf[16];
	ssize_t n;

	stand(0);
	cr_assert_neq(signal(SIGPIPE, SIG_DFL), SIG_ERR);
	cr_assert_eq(conn_write(&owner.conn, "unread", 6), 6);
	server_write(&server, "answer", 6);
	cr_assert_geq(SSL_shutdown(server.ssl), 0);
	server_give(&server); /* not a step: that would read */
	wait_for(CONN_READABLE);
	server_close(&server); /* with unread bytes: a reset */
	do
		n = conn_write(&owner.conn, "x", 1);
	while (n >= 0);
	cr_expect(owner.conn.ready & CONN_BROKEN);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), n);
	cr_expect_eq(read_next(buf, sizeof(buf)), 6);
	cr_expect_arr_eq(buf, "answer", 6);
	cr_expect_eq(read_next(buf, sizeof(buf)), 0, "the farewell is there as well");
	finish();
}

Test(tls_flow, a_failure_to_send_what_was_kept_is_seen)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	stand(0);
	(void)fill_up();
	cr_assert_eq(setsockopt(server.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	server_close(&server);
	wait_for(CONN_BROKEN);
	cr_expect_eq(owner.conn.error, ECONNRESET);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -ECONNRESET);
	cr_expect_eq(tls_kept(owner.conn.tls), 0, "it will not go any more");
	finish();
}

/* Farewell, then the end of the stream, and nothing else. */
static void check_server_sees_the_end(void)
{
	char buf[16];

	cr_expect_eq(server_read_next(buf, sizeof(buf)), 0);
	while (!server.ended) {
		take_edges();
		server_step(&server);
		cr_assert_not(server.reset);
	}
	cr_expect_eq(BIO_pending(server.in), 0);
}

Test(tls_flow, a_half_close_says_farewell)
{
	char buf[16];

	stand(0);
	cr_assert_eq(conn_write(&owner.conn, "last", 4), 4);
	conn_shutdown_write(&owner.conn);
	cr_assert_eq(server_read_next(buf, sizeof(buf)), 4);
	check_server_sees_the_end();
	cr_expect_lt(conn_write(&owner.conn, "x", 1), 0);
	server_says("answer");
	cr_expect_eq(read_next(buf, sizeof(buf)), 6, "it still listens");
	finish();
}

Test(tls_flow, a_half_close_waits_for_what_is_kept)
{
	char buf[16];
	size_t sent;

	stand(0);
	sent = fill_up();
	conn_shutdown_write(&owner.conn);
	cr_expect_gt(tls_kept(owner.conn.tls), 0);
	check_server_gets(sent);
	check_server_sees_the_end();
	cr_expect_eq(tls_kept(owner.conn.tls), 0);
	server_says("answer");
	cr_expect_eq(read_next(buf, sizeof(buf)), 6);
	finish();
}

/* With unread bytes the kernel ends it by a reset, so the tickets are read first. */
Test(tls_flow, closing_says_farewell)
{
	char buf[16];

	stand(TLS1_3_VERSION);
	wait_for(CONN_READABLE);
	cr_assert_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	conn_close(&owner.conn, CONN_END_CLOSE);
	check_server_sees_the_end();
	finish();
}

Test(tls_flow, closing_says_farewell_in_1_2)
{
	stand(TLS1_2_VERSION);
	conn_close(&owner.conn, CONN_END_CLOSE);
	check_server_sees_the_end();
	finish();
}

/* What ends so is cut: no farewell may tell otherwise. */
Test(tls_flow, closing_resets_where_asked)
{
	char buf[16];

	stand(0);
	conn_close(&owner.conn, CONN_END_RESET);
	while (!server.reset) {
		server_step(&server);
		cr_assert_not(server.ended);
	}
	cr_expect_eq(server_read(&server, buf, sizeof(buf)), -EAGAIN);
	finish();
}

Test(tls_flow, a_connection_may_be_closed_at_any_time)
{
	start();
	verify_as("api.test");
	finish();

	start();
	serve(&(struct server_settings){ .own = &host });
	verify_as("api.test");
	cr_expect_eq(tls_handshake(&owner.conn), TLS_WAIT);
	finish();

	stand(0);
	(void)fill_up();
	finish();
}

/* Whoever asks for answers and takes none, with the kernel's buffers full. */
static void check_nothing_piles_up(int version, void (*ask)(void))
{
	size_t most = 0;
	char buf[16];

	stand(version);
	(void)fill_up();
	for (unsigned quiet = 0; quiet < 300; quiet++) {
		uint64_t before = owner.conn.written;

		(void)poll(NULL, 0, 1); /* the kernel's window goes on by timers: quiet is what has been quiet for some time */
		take_edges();
		(void)write_on(0, BULK);
		if (owner.conn.written != before)
			quiet = 0;
	}
	for (unsigned i = 0; i < 4000 && !(owner.conn.ready & (CONN_FAILED | CONN_BROKEN)); i++) {
		ask();
		while (BIO_pending(server.out)) {
			server_give(&server);
			take_edges();
			if (conn_read(&owner.conn, buf, sizeof(buf)) != -EAGAIN)
				break;
			most = MAX(most, tls_kept(owner.conn.tls));
		}
	}
	cr_expect(owner.conn.ready & (CONN_FAILED | CONN_BROKEN), "it goes on for ever");
	cr_expect_leq(most, 4 * 16384, "%zu", most);
	finish();
}

static void ask_for_keys(void)
{
	cr_assert_eq(SSL_key_update(server.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	cr_assert_eq(SSL_do_handshake(server.ssl), 1);
}

/* SSL_do_handshake of 1.2 sends the HelloRequest. */
static void ask_for_hello(void)
{
	cr_assert_eq(SSL_renegotiate(server.ssl), 1);
	(void)SSL_do_handshake(server.ssl);
}

Test(tls_flow, answers_to_new_keys_do_not_pile_up)
{
	check_nothing_piles_up(TLS1_3_VERSION, ask_for_keys);
}

Test(tls_flow, answers_to_hello_requests_do_not_pile_up)
{
	check_nothing_piles_up(TLS1_2_VERSION, ask_for_hello);
}
