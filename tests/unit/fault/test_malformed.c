/*
 * malformed: each kind, byte for byte; and our own strict reader refuses each.
 */
#include "fault/malformed.h"

#include <criterion/criterion.h>

#include "http/message.h"

TestSuite(malformed, .timeout = 60);

#define START "HTTP/1.1 200 OK\r\n"

/* With the NUL that one of them has. */
#define BYTES(literal) { literal, sizeof(literal) - 1 }

static const struct {
	const char *what;
	enum fault_malformed kind;
	const char *right;
	struct span wrong;
} heads[] = {
	{ "nothing", MALFORMED_NONE, START "A: b\r\n\r\n", BYTES(START "A: b\r\n\r\n") },
	{ "status line", MALFORMED_STATUS_LINE, "HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n",
		BYTES("HTTP/1.1 5xx Service Unavailable\r\nA: b\r\n\r\n") },
	{ "status line without a reason", MALFORMED_STATUS_LINE, "HTTP/1.1 200 \r\n\r\n", BYTES("HTTP/1.1 2xx \r\n\r\n") },
	{ "header", MALFORMED_HEADER, START "A: b\r\n\r\n",
		BYTES(START "A: b\r\nX-Brownout-Without-Colon\r\nX-Brownout-Nul: a\0b\r\n\r\n") },
	{ "header where there was none", MALFORMED_HEADER, START "\r\n",
		BYTES(START "X-Brownout-Without-Colon\r\nX-Brownout-Nul: a\0b\r\n\r\n") },
	{ "length", MALFORMED_CONTENT_LENGTH, START "A: b\r\ncontent-length: 5\r\nC: d\r\n\r\n",
		BYTES(START "A: b\r\nC: d\r\nContent-Length: many\r\n\r\n") },
	{ "length of a chunked message", MALFORMED_CONTENT_LENGTH, START "Transfer-Encoding: chunked\r\nC: d\r\n\r\n",
		BYTES(START "C: d\r\nContent-Length: many\r\n\r\n") },
	{ "length where there was none", MALFORMED_CONTENT_LENGTH, START "\r\n", BYTES(START "Content-Length: many\r\n\r\n") },
	{ "chunk of a chunked message", MALFORMED_CHUNK, START "Transfer-Encoding: chunked\r\nC: d\r\n\r\n",
		BYTES(START "C: d\r\nTransfer-Encoding: chunked\r\n\r\n") },
	{ "chunk of a message with a length", MALFORMED_CHUNK, START "C: d\r\nContent-Length: 5\r\n\r\n",
		BYTES(START "C: d\r\nTransfer-Encoding: chunked\r\n\r\n") },
	{ "early end", MALFORMED_EARLY_EOF, START "CONTENT-LENGTH:\t 5 \r\nA: b\r\n\r\n",
		BYTES(START "A: b\r\nContent-Length: 1029\r\n\r\n") },
	{ "early end of nothing", MALFORMED_EARLY_EOF, START "Content-Length: 0\r\n\r\n",
		BYTES(START "Content-Length: 1024\r\n\r\n") },
	{ "early end of very much", MALFORMED_EARLY_EOF, START "Content-Length: 18446744073709551000\r\n\r\n",
		BYTES(START "Content-Length: 18446744073709551615\r\n\r\n") },
	{ "early end of a chunked message", MALFORMED_EARLY_EOF, START "Transfer-Encoding: chunked\r\n\r\n",
		BYTES(START "Content-Length: 1099511627776\r\n\r\n") },
	{ "early end: a longer name is another field", MALFORMED_EARLY_EOF,
		START "Content-Lengths: 1\r\nX-Content-Length: 2\r\n\r\n",
		BYTES(START "Content-Lengths: 1\r\nX-Content-Length: 2\r\nContent-Length: 1099511627776\r\n\r\n") },
	{ "no head", MALFORMED_HTTP09, START "A: b\r\n\r\n", BYTES("") },
};

Test(malformed, is_wrong_in_one_way_byte_for_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct text head;

		text_init(&head);
		text_put_string(&head, heads[i].right);
		fault_malform_head(&head, heads[i].kind);
		cr_expect_not(head.cut);
		cr_expect(span_eq(text_span(&head), heads[i].wrong), "%s:\n%.*s\nnot\n%.*s", heads[i].what, (int)head.n, head.p,
			SPAN_ARG(heads[i].wrong));
		text_deinit(&head);
	}
}

/* What does not fit is said, and what is no head is left alone. */
Test(malformed, has_bounds)
{
	char block[24];
	struct text head;

	text_init_fixed(&head, block, sizeof(block));
	text_put_literal(&head, START "\r\n");
	fault_malform_head(&head, MALFORMED_HEADER);
	cr_expect(head.cut);
	for (int kind = MALFORMED_NONE; kind < MALFORMED_COUNT; kind++) {
		text_clear(&head);
		fault_malform_head(&head, (enum fault_malformed)kind);
		cr_expect_eq(head.n, 0);
	}
}

static bool refused(const char *p, size_t n)
{
	char bytes[256];
	struct http_field v[8];
	struct http_response r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
	enum http_error error;

	cr_assert_leq(n, sizeof(bytes));
	memcpy(bytes, p, n);
	return http_response_parse(&r, bytes, n, HTTP_METHOD_GET, &error) == HTTP_PARSE_ERROR;
}

Test(malformed, heads_are_refused_by_a_strict_reader)
{
	const enum fault_malformed kinds[] = { MALFORMED_STATUS_LINE, MALFORMED_HEADER, MALFORMED_CONTENT_LENGTH };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct text head;

		text_init(&head);
		text_put_literal(&head, START "Content-Length: 2\r\n\r\n");
		cr_expect_not(refused(head.p, head.n));
		fault_malform_head(&head, kinds[i]);
		cr_expect(refused(head.p, head.n), "kind %d", kinds[i]);
		text_deinit(&head);
	}
}

Test(malformed, chunk_has_a_size_that_is_none)
{
	struct span line = fault_malformed_chunk();

	cr_expect(span_eq(line, SPAN("many\r\n")));
}
