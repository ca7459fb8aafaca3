/* response: heads that are fine, and what they mean. What is refused stands in test_errors. */
#include "http/message.h"

#include "support.h"

#define OK200 "HTTP/1.1 200 OK\r\n"

static const struct {
	const char *head;
	enum http_method to;
	unsigned status;
	const char *reason;
	enum http_body body;
	uint64_t length;
	bool keep_alive;
} heads[] = {
	{ OK200 "Content-Length: 5\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 5, true },
	{ OK200 "Content-Length: 0\r\nConnection: close\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 0, false },
	{ OK200 "\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_UNTIL_CLOSE, 0, false },
	{ OK200 "Transfer-Encoding: chunked\r\n\r\n", HTTP_METHOD_POST, 200, "OK", HTTP_BODY_CHUNKED, 0, true },
	{ OK200 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_CHUNKED, 0,
		false },
	{ "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", HTTP_METHOD_GET, 200, "", HTTP_BODY_LENGTH, 1, true },
	{ "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", HTTP_METHOD_GET, 200, "", HTTP_BODY_LENGTH, 1, true },
	{ "HTTP/1.1 599 a\tb  \xc3\xa9\r\nContent-Length: 1\r\n\r\n", HTTP_METHOD_GET, 599, "a\tb  \xc3\xa9", HTTP_BODY_LENGTH, 1,
		true },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 1, false },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH,
		1, true },
	{ "HTTP/1.7 200 OK\r\nContent-Length: 1\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 1, true },
	/* no body, whatever the fields say */
	{ OK200 "Content-Length: 5\r\n\r\n", HTTP_METHOD_HEAD, 200, "OK", HTTP_BODY_NONE, 0, true },
	{ OK200 "Transfer-Encoding: chunked\r\n\r\n", HTTP_METHOD_HEAD, 200, "OK", HTTP_BODY_NONE, 0, true },
	{ OK200 "Transfer-Encoding: gzip\r\n\r\n", HTTP_METHOD_HEAD, 200, "OK", HTTP_BODY_NONE, 0, true },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", HTTP_METHOD_GET, 204, "No Content", HTTP_BODY_NONE, 0, false },
	{ "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_METHOD_GET, 204, "x", HTTP_BODY_NONE, 0, false },
	{ "HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", HTTP_METHOD_GET, 204, "x", HTTP_BODY_NONE, 0, true },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP_METHOD_GET, 304, "Not Modified", HTTP_BODY_NONE, 0,
		true },
	{ "HTTP/1.1 100 Continue\r\n\r\n", HTTP_METHOD_POST, 100, "Continue", HTTP_BODY_NONE, 0, true },
	{ "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", HTTP_METHOD_GET, 103, "Early Hints", HTTP_BODY_NONE, 0, true },
	{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", HTTP_METHOD_GET, 101,
		"Switching Protocols", HTTP_BODY_NONE, 0, true },
	/* repeated and odd, but sure */
	{ OK200 "Content-Length: 5\r\nContent-Length: 05\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 5, true },
	{ OK200 "Content-Length : 5\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 5, true },
	{ OK200 "Content-Length:\r\n 5\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 5, true },
	{ OK200 "Connection: x\r\n ,close\r\nContent-Length: 5\r\n\r\n", HTTP_METHOD_GET, 200, "OK", HTTP_BODY_LENGTH, 5, false },
};

static void expect_row(const struct http_response *r, size_t i, const char *how)
{
	cr_expect_eq(r->status, heads[i].status, "%s%s", heads[i].head, how);
	cr_expect(span_is(r->reason, heads[i].reason), "%s%s: %.*s", heads[i].head, how, SHOW(r->reason));
	cr_expect_eq(r->body, heads[i].body, "%s%s: %d", heads[i].head, how, (int)r->body);
	cr_expect_eq(r->body_length, heads[i].length, "%s%s", heads[i].head, how);
	cr_expect_eq(r->keep_alive, heads[i].keep_alive, "%s%s", heads[i].head, how);
	cr_expect_eq(r->head_n, strlen(heads[i].head), "%s%s", heads[i].head, how);
}

Test(response, meanings)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct http_field v[FIELDS_MAX];
		struct http_response r;

		response_must_parse(&r, v, heads[i].head, heads[i].to);
		expect_row(&r, i, "");
	}
}

/* The same block is parsed again as it fills: what the first tries have overwritten must not change the result. */
Test(response, any_split_gives_the_same_response)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		size_t n = strlen(heads[i].head);

		for (size_t split = 0; split < n; split++) {
			struct http_field v[FIELDS_MAX];
			struct http_response r = { .fields = { .v = v, .cap = FIELDS_MAX } };
			char *block = exact_copy(heads[i].head, n);
			size_t scanned = 0;
			enum http_error error;

			for (size_t have = split; have < n; have++) {
				cr_expect_eq(http_response_parse(&r, block, have, heads[i].to, &error), HTTP_PARSE_MORE,
					"%s: %zu bytes", heads[i].head, have);
				cr_expect(!http_head_is_due(block, have, &scanned), "%s: %zu bytes", heads[i].head, have);
			}
			cr_expect(http_head_is_due(block, n, &scanned), "%s", heads[i].head);
			cr_assert_eq(http_response_parse(&r, block, n, heads[i].to, &error), HTTP_PARSE_OK, "%s", heads[i].head);
			expect_row(&r, i, ", in pieces");
			free(block);
		}
	}
}

Test(response, folds_become_spaces)
{
	struct http_field v[FIELDS_MAX];
	struct http_response r;

	response_must_parse(&r, v, OK200 "A: b\r\n c\r\n\t\r\n  d \r\nE: f\r\nG:\r\n h\r\nI:\r\n \r\n\r\n", HTTP_METHOD_HEAD);
	cr_assert_eq(r.fields.n, 4);
	cr_expect(span_is(v[0].value, "b   c  \t    d"), "%.*s", SHOW(v[0].value));
	cr_expect(!v[0].rewritten);
	cr_expect_eq(v[0].line_end, v[1].name.p);
	cr_expect(span_is(v[1].value, "f"));
	cr_expect(span_is(v[2].value, "h"), "%.*s", SHOW(v[2].value));
	cr_expect(span_is(v[3].value, ""));
}

Test(response, space_before_a_colon_is_passed_over)
{
	struct http_field v[FIELDS_MAX];
	struct http_response r;

	response_must_parse(&r, v, OK200 "A \t: b\r\nC: d\r\n\r\n", HTTP_METHOD_HEAD);
	cr_expect(span_is(v[0].name, "A") && span_is(v[0].value, "b"));
	cr_expect(v[0].rewritten && !v[1].rewritten);
}

Test(response, dropped_lengths)
{
	static const struct {
		const char *head;
		bool drop;
	} rows[] = {
		{ OK200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true },
		{ "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", true },
		{ "HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n", true },
		{ "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", false },
		{ OK200 "Content-Length: 5\r\n\r\n", false },
		{ OK200 "Content-Length: 5\r\nConnection: content-length\r\n\r\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_field v[FIELDS_MAX];
		struct http_response r;

		response_must_parse(&r, v, rows[i].head, HTTP_METHOD_GET);
		cr_expect_eq(v[0].drop, rows[i].drop, "%s", rows[i].head);
	}
}
