/*
 * test_answer: the bench finds the end of an answer, however its bytes are cut. Every error of the load generator rests
 * on this parser. Ends with 1 at the first difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

static const struct {
	const char *name;
	const char *wire;
	const char *after; /* bytes that are not the answer's */
	int status;	   /* 0: refused */
	uint64_t content_bytes;
} cases[] = {
	{"counted", "HTTP/1.1 200 OK\r\ncontent-LENGTH:  5\r\n\r\nhello", "HTTP", 200, 5},
	{"empty", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "x", 503, 0},
	{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n", "\r\n",
		200, 13},
	{"chunked, empty", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", 200, 0},
	{"trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n", "H", 200, 1},
	{"name inside a value", "HTTP/1.1 200 OK\r\nX: content-length: 9\r\nContent-Length: 1\r\n\r\na", "", 200, 1},
	{"no length", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "", 0, 0},
	{"interim", "HTTP/1.1 100 Continue\r\n\r\n", "", 0, 0},
	{"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "", 0, 0},
	{"no chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "", 0, 0},
	{"bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", 0, 0},
};

static void fail(const char *name, size_t cut, const char *what)
{
	fprintf(stderr, "%s, cut at %zu: %s\n", name, cut, what);
	exit(1);
}

/* Feeds wire in two pieces. Returns the bytes taken, or -1. */
static ssize_t feed_cut(struct answer *a, const char *wire, size_t n, size_t cut)
{
	ssize_t first;
	ssize_t second;

	answer_init(a);
	first = answer_feed(a, wire, cut);
	if (first != (ssize_t)cut)
		return first;
	second = answer_feed(a, wire + cut, n - cut);
	return second < 0 ? -1 : first + second;
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const size_t n = strlen(cases[i].wire);
		char wire[256];
		struct answer a;

		snprintf(wire, sizeof(wire), "%s%s", cases[i].wire, cases[i].after);
		for (size_t cut = 0; cut <= n; cut++) {
			const ssize_t taken = feed_cut(&a, wire, strlen(wire), cut);

			if (!cases[i].status) {
				if (taken != -1)
					fail(cases[i].name, cut, "taken for an answer");
				continue;
			}
			if (taken != (ssize_t)n)
				fail(cases[i].name, cut, "wrong end");
			if (a.state != ANSWER_DONE || a.status != cases[i].status || a.content_bytes != cases[i].content_bytes)
				fail(cases[i].name, cut, "wrong state, status or length");
		}
	}
	return 0;
}
