/*
 * origin: the server over its real socket, with a blocking client.
 */
#include "origin/origin.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_BYTES 64

static struct origin *origin;
static struct address address;

static void start(void)
{
	cr_assert_eq(origin_start(&origin, &address), 0);
}

static void stop(void)
{
	origin_stop(origin);
}

TestSuite(origin, .init = start, .fini = stop, .timeout = 30);

static int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(connect(fd, &address.sa, address.n), 0);
	return fd;
}

static void put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		cr_assert_gt(sent, 0);
		p += sent;
		n -= (size_t)sent;
	}
}

static void ask(int fd, const char *s)
{
	put(fd, s, strlen(s));
}

/* Reads up to and with `end`; NUL-terminated, in a block of its own that the next call takes again. */
static const char *read_until(int fd, const char *end)
{
	static char block[200000];
	size_t n = 0;

	do {
		ssize_t got = recv(fd, block + n, 1, 0);

		cr_assert_eq(got, 1, "the connection ended after: %.*s", (int)n, block);
		block[++n] = '\0';
		cr_assert_lt(n, sizeof(block) - 1);
	} while (n < strlen(end) || strcmp(block + n - strlen(end), end) != 0);
	return block;
}

static void expect_end(int fd)
{
	char c;

	cr_expect_leq(recv(fd, &c, 1, 0), 0, "a byte more than expected");
	close(fd);
}

static void expect_begins(const char *s, const char *start_of_it)
{
	cr_expect_eq(strncmp(s, start_of_it, strlen(start_of_it)), 0, "%s", s);
}

Test(origin, has_a_name_in_the_abstract_space)
{
	cr_expect_eq(address.sa.sa_family, AF_UNIX);
	cr_expect_eq(address.un.sun_path[0], '\0');
	cr_expect(memmem(&address, address.n, "brownout-origin-", 16));
}

Test(origin, keeps_a_connection_and_answers_in_order)
{
	int fd = dial();

	ask(fd, "GET /status/503 HTTP/1.1\r\nHost: a\r\n\r\n"
		"HEAD /bytes/100 HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /delay/5ms HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /status/404 HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /status/204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	expect_begins(read_until(fd, "Unavailable\n"), "HTTP/1.1 503 ");
	expect_begins(read_until(fd, "\r\n\r\n"), "HTTP/1.1 200 ");
	expect_begins(read_until(fd, "waited 5ms\n"), "HTTP/1.1 200 ");
	expect_begins(read_until(fd, "404 Not Found\n"), "HTTP/1.1 404 ");
	expect_begins(read_until(fd, "\r\n\r\n"), "HTTP/1.1 204 ");
	expect_end(fd);
}

Test(origin, takes_bytes_one_by_one)
{
	const char *raw = "\r\nPOST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n";
	int fd = dial();

	for (size_t i = 0; raw[i]; i++)
		put(fd, raw + i, 1);
	expect_begins(read_until(fd, "\"body\": \"abc\"\n}\n"), "HTTP/1.1 200 ");
	ask(fd, "GET /status/200 HTTP/1.0\r\n\r\n");
	(void)read_until(fd, "200 OK\n");
	expect_end(fd);
}

Test(origin, asks_for_a_body_that_waits)
{
	int fd = dial();

	ask(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	expect_begins(read_until(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
	ask(fd, "hi");
	expect_begins(read_until(fd, "\"body\": \"hi\"\n}\n"), "HTTP/1.1 200 ");
	close(fd);
}

Test(origin, refuses_what_is_malformed_and_closes)
{
	static const struct {
		const char *raw;
		const char *status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET / HTTP/1.1\r\nHost: a\n\r\n", "HTTP/1.1 400 " },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 " },
		{ "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "HTTP/1.1 501 " },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 " },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 400 " },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = dial();

		ask(fd, cases[i].raw);
		expect_begins(read_until(fd, "\r\n\r\n"), cases[i].status);
		(void)read_until(fd, "\n");
		expect_end(fd);
	}
}

Test(origin, refuses_a_head_without_end)
{
	static char filler[70000];
	int fd = dial();

	memset(filler, 'x', sizeof(filler));
	ask(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	put(fd, filler, sizeof(filler));
	expect_begins(read_until(fd, "\r\n\r\n"), "HTTP/1.1 431 ");
	close(fd);
}

struct upload {
	int fd;
	size_t pieces;
};

static void *upload(void *arg)
{
	static char piece[1 << 20];
	struct upload *u = arg;

	for (size_t i = 0; i < u->pieces; i++)
		put(u->fd, piece, sizeof(piece));
	return NULL;
}

Test(origin, counts_a_large_body)
{
	struct upload u = { .fd = dial(), .pieces = 64 };
	pthread_t thread;

	ask(u.fd, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n");
	cr_assert_eq(pthread_create(&thread, NULL, upload, &u), 0);
	(void)read_until(u.fd, "\"body_bytes\": 67108864,");
	pthread_join(thread, NULL);
	close(u.fd);
}

/* Content without chunks: each byte is where the position says. */
Test(origin, sends_as_many_bytes_as_asked_for)
{
	static char block[100000];
	size_t total = 0;
	int fd = dial();

	ask(fd, "GET /bytes/10000001 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	(void)read_until(fd, "\r\n\r\n");
	for (;;) {
		ssize_t n = recv(fd, block, sizeof(block), 0);

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++, total++)
			cr_assert_eq(block[i] == '\n', total % LINE_BYTES == LINE_BYTES - 1, "at %zu", total);
	}
	cr_expect_eq(total, 10000001);
	close(fd);
}

Test(origin, sends_chunks)
{
	int fd = dial();
	const char *body;

	ask(fd, "GET /bytes/16386?chunked=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	(void)read_until(fd, "\r\n\r\n4000\r\n");
	body = read_until(fd, "\r\n0\r\n\r\n");
	cr_expect_eq(strlen(body), 16384 + strlen("\r\n2\r\n01\r\n0\r\n\r\n"));
	cr_expect_str_eq(body + 16384, "\r\n2\r\n01\r\n0\r\n\r\n");
	ask(fd, "GET /bytes/0?chunked=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	(void)read_until(fd, "\r\n\r\n0\r\n\r\n");
	close(fd);
}

Test(origin, drips)
{
	int fd = dial();

	ask(fd, "GET /drip?bytes=5&every=1ms HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	expect_begins(read_until(fd, "\r\n\r\n"), "HTTP/1.1 200 ");
	cr_expect_str_eq(read_until(fd, "4"), "01234");
	expect_end(fd);
}

/* Nobody reads: the server stops making bytes, serves others, and notices that the client has gone. */
Test(origin, is_not_held_up_by_those_who_do_not_read)
{
	int slow = dial();
	int waits = dial();
	int fd = dial();

	ask(slow, "GET /bytes/1GiB HTTP/1.1\r\nHost: a\r\n\r\n");
	ask(waits, "GET /delay/1h HTTP/1.1\r\nHost: a\r\n\r\n");
	ask(fd, "GET /status/200 HTTP/1.1\r\nHost: a\r\n\r\n");
	(void)read_until(fd, "200 OK\n");
	close(slow);
	close(waits);
	ask(fd, "GET /status/201 HTTP/1.1\r\nHost: a\r\n\r\n");
	(void)read_until(fd, "201 Created\n");
	close(fd);
}

Test(origin, many_connections)
{
	int fds[200];

	for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = dial();
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
		ask(fds[i], "GET /delay/1ms HTTP/1.1\r\nHost: a\r\n\r\n");
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		(void)read_until(fds[i], "waited 1ms\n");
		close(fds[i]);
	}
}
