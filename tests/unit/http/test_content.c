/* content: the same bytes in each framing, in pieces of each size. */
#include "http/content.h"

#include <stdio.h>

#include "support.h"

struct taken {
	char bytes[64];
	size_t n;
	size_t most; /* refuses more than this */
};

static bool take(void *arg, struct span piece)
{
	struct taken *t = arg;

	if (t->n + piece.n > t->most)
		return false;
	memcpy(t->bytes + t->n, piece.p, piece.n);
	t->n += piece.n;
	return true;
}

static const struct {
	const char *framing; /* the field */
	const char *body; /* and what follows it */
	enum http_content_state state; /* in the end */
	const char *content;
	const char *rest; /* of another message */
} cases[] = {
	{ "Content-Length: 5", "helloGET", HTTP_CONTENT_END, "hello", "GET" },
	{ "Content-Length: 0", "GET", HTTP_CONTENT_END, "", "GET" },
	{ "X-None: 1", "GET", HTTP_CONTENT_END, "", "GET" },
	{ "Content-Length: 6", "hello", HTTP_CONTENT_MORE, "hello", "" },
	{ "Transfer-Encoding: chunked", "2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\nGET", HTTP_CONTENT_END, "hello", "GET" },
	{ "Transfer-Encoding: chunked", "5\r\nhello\r\n", HTTP_CONTENT_MORE, "hello", "" },
	{ "Transfer-Encoding: chunked", "5\r\nhello\n", HTTP_CONTENT_ERROR, "hello", NULL },
	{ "Content-Length: 11", "hello world", HTTP_CONTENT_REFUSED, NULL, NULL },
	{ "Transfer-Encoding: chunked", "b\r\nhello world\r\n", HTTP_CONTENT_REFUSED, NULL, NULL },
};

static void try_pieces(size_t i, size_t piece)
{
	struct http_field fields[10];
	struct http_request r = { .fields = { .v = fields, .cap = 10 } };
	struct taken taken = { .most = 5 };
	struct http_content c;
	enum http_error error = HTTP_ERROR_NONE;
	enum http_content_state state = HTTP_CONTENT_MORE;
	size_t at = 0, have = 0, n = strlen(cases[i].body);
	char head[200];

	(void)snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", cases[i].framing);
	cr_assert_eq(http_request_parse(&r, head, strlen(head), &error), HTTP_PARSE_OK);
	http_content_begin(&c, &r);
	do {
		size_t used;

		have = MIN(have + piece, n);
		state = http_content_take(&c, cases[i].body + at, have - at, &used, take, &taken, &error);
		at += used;
	} while (state == HTTP_CONTENT_MORE && have < n);
	cr_expect_eq(state, cases[i].state, "%s by %zu: %d", cases[i].body, piece, state);
	cr_expect_eq(state == HTTP_CONTENT_ERROR, error != HTTP_ERROR_NONE);
	if (cases[i].content)
		cr_expect(taken.n == strlen(cases[i].content) && memcmp(taken.bytes, cases[i].content, taken.n) == 0, "%s by %zu",
			cases[i].body, piece);
	if (cases[i].rest)
		cr_expect_str_eq(cases[i].body + at, cases[i].rest);
}

Test(content, framings)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t piece = 1; piece < 40; piece++)
			try_pieces(i, piece);
	}
}
