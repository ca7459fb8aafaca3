/*
 * errors: each reason to refuse a message, by bytes that have it. Every row of errors.def must be hit, and each case is
 * also fed in all pieces: a prefix never gives another error than the whole.
 */
#include "http/chunked.h"
#include "support.h"

enum kind { REQUEST, RESPONSE, CHUNKED, OVERFLOW, CONNECT };

#define GET "GET / HTTP/1.1\r\n"
#define HOST GET "Host: a\r\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define EIGHT_FIELDS "a:1\r\na:2\r\na:3\r\na:4\r\na:5\r\na:6\r\na:7\r\na:8\r\n"
#define OK200 "HTTP/1.1 200 OK\r\n"

#define ROW(kind, bytes, error)                                                                                                  \
	{                                                                                                                        \
		kind, bytes, sizeof(bytes) - 1, HTTP_ERROR_##error                                                               \
	}

static const struct refused {
	enum kind kind;
	const char *bytes;
	size_t n;
	enum http_error error;
} refused[] = {
	/* line ends */
	ROW(REQUEST, "\nGET / HTTP/1.1\r\n", BARE_LF),
	ROW(REQUEST, "GET / HTTP/1.1\nHost: a\r\n\r\n", BARE_LF),
	ROW(REQUEST, "GET\n/\nHTTP/1.1\r\n\r\n", BARE_LF),
	ROW(REQUEST, HOST "A: b\nC: d\r\n\r\n", BARE_LF),
	ROW(REQUEST, HOST "A\nC: d\r\n\r\n", BARE_LF),
	ROW(REQUEST, HOST "\n", BARE_LF),
	ROW(REQUEST, "\rGET / HTTP/1.1\r\n", BARE_CR),
	ROW(REQUEST, "GET / HTTP/1.1\rHost: a\r\n\r\n", BARE_CR),
	ROW(REQUEST, "GET /\r HTTP/1.1\r\n", BARE_CR),
	ROW(REQUEST, HOST "A: b\rC: d\r\n\r\n", BARE_CR),
	ROW(REQUEST, HOST "A: b\r\r\n\r\n", BARE_CR),
	ROW(REQUEST, HOST "\rA: b\r\n\r\n", BARE_CR),
	ROW(RESPONSE, "HTTP/1.1 200 OK\nA: b\r\n\r\n", BARE_LF),
	ROW(RESPONSE, "HTTP/1.1 200\n", BARE_LF),
	ROW(RESPONSE, "HTTP/1.1\n", BARE_LF),
	ROW(RESPONSE, OK200 "A: b\n\n", BARE_LF),
	ROW(RESPONSE, OK200 "A: b\rc\r\n\r\n", BARE_CR),
	/* request line */
	ROW(REQUEST, "\r\n\r\nGET / HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, " GET / HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET /\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET  / HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET /  HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET / HTTP/1.1 \r\n", REQUEST_LINE),
	ROW(REQUEST, "GET\t/ HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET /\tHTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET / b HTTP/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "G:ET / HTTP/1.1\r\n", METHOD),
	ROW(REQUEST, "\x16\x03\x01\x02\x00\x01\x00", METHOD),
	ROW(REQUEST, "G\xc3\x89T / HTTP/1.1\r\n", METHOD),
	ROW(REQUEST, HUNDRED " / HTTP/1.1\r\n", METHOD_TOO_LONG),
	ROW(REQUEST, TEN TEN TEN TEN TEN TEN "12345 / HTTP/1.1\r\n", METHOD_TOO_LONG),
	/* target */
	ROW(REQUEST, "GET /a#b HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET /\x01 HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET /\x7f HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET /\0 HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET /\xc3\xa9 HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET index.html HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET * HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "OPTIONS ** HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET a:80 HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET ftp://a/ HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http:/a/ HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http:// HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http:///x HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http://:80/x HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http://u@a/x HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http://u:p@a/x HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "GET http://a|b/x HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "CONNECT a HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "CONNECT a: HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "CONNECT :80 HTTP/1.1\r\n", TARGET),
	ROW(REQUEST, "CONNECT /x HTTP/1.1\r\n", TARGET),
	ROW(OVERFLOW, "GET /" HUNDRED, TARGET_TOO_LONG),
	ROW(OVERFLOW, "\r\nGET /" HUNDRED, TARGET_TOO_LONG),
	/* version */
	ROW(REQUEST, "GET / http/1.1\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET / HTTP/1\r\n", VERSION),
	ROW(REQUEST, "GET / HTTP/1.\r\n", VERSION),
	ROW(REQUEST, "GET / HTTP/1,1\r\n", VERSION),
	ROW(REQUEST, "GET / HTTP/0.9\r\n", VERSION),
	ROW(REQUEST, "GET / HTTP/1.10\r\n", REQUEST_LINE),
	ROW(REQUEST, "GET / HTTP/2.0\r\n", VERSION_UNSUPPORTED),
	ROW(REQUEST, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION_UNSUPPORTED),
	ROW(RESPONSE, "HTTP/x.1 200 OK\r\n", VERSION),
	ROW(RESPONSE, "HTTP/2.0 200 OK\r\n", VERSION_UNSUPPORTED),
	/* status line */
	ROW(RESPONSE, "ICY 200 OK\r\n", STATUS_LINE),
	ROW(RESPONSE, "<html>", STATUS_LINE),
	ROW(RESPONSE, "\r\nHTTP/1.1 200 OK\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1  200 OK\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1 20 OK\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1 2000 OK\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1 200OK\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1 200 O\0K\r\n", STATUS_LINE),
	ROW(RESPONSE, "HTTP/1.1 000 OK\r\n", STATUS_CODE),
	ROW(RESPONSE, "HTTP/1.1 099 OK\r\n", STATUS_CODE),
	ROW(RESPONSE, "HTTP/1.1 600 OK\r\n", STATUS_CODE),
	ROW(RESPONSE, "HTTP/1.1 999 OK\r\n", STATUS_CODE),
	/* field lines */
	ROW(REQUEST, HOST ": x\r\n\r\n", FIELD_NAME),
	ROW(REQUEST, HOST "a b: x\r\n\r\n", FIELD_NAME),
	ROW(REQUEST, HOST "a\0b: x\r\n\r\n", FIELD_NAME),
	ROW(REQUEST, HOST "\xc3\xa9: x\r\n\r\n", FIELD_NAME),
	ROW(REQUEST, HOST "a(b): x\r\n\r\n", FIELD_NAME),
	ROW(REQUEST, HOST "ab\r\n\r\n", FIELD_NO_COLON),
	ROW(REQUEST, HOST "ab \r\n\r\n", FIELD_NO_COLON),
	ROW(REQUEST, HOST "a : x\r\n\r\n", FIELD_SPACE_BEFORE_COLON),
	ROW(REQUEST, HOST "a\t: x\r\n\r\n", FIELD_SPACE_BEFORE_COLON),
	ROW(REQUEST, HOST "a: x\0y\r\n\r\n", FIELD_VALUE),
	ROW(REQUEST, HOST "a: x\x08y\r\n\r\n", FIELD_VALUE),
	ROW(REQUEST, HOST "a: x\x7fy\r\n\r\n", FIELD_VALUE),
	ROW(REQUEST, HOST "a: " TEN TEN "\x0b\r\n\r\n", FIELD_VALUE),
	ROW(RESPONSE, OK200 "a: x\x1fy\r\n\r\n", FIELD_VALUE),
	ROW(RESPONSE, OK200 "a: x\r\n y\0\r\n\r\n", FIELD_VALUE),
	ROW(REQUEST, HOST "A: b\r\n c\r\n\r\n", OBS_FOLD),
	ROW(REQUEST, HOST "A: b\r\n\tc\r\n\r\n", OBS_FOLD),
	ROW(REQUEST, GET " Host: a\r\n\r\n", LEADING_SPACE),
	ROW(REQUEST, GET "\r\n", HOST_MISSING),
	ROW(RESPONSE, OK200 "\tA: b\r\n\r\n", LEADING_SPACE),
	ROW(OVERFLOW, "GET / HTTP/1.1\r\n" HUNDRED, HEAD_TOO_LARGE),
	ROW(REQUEST, HOST EIGHT_FIELDS EIGHT_FIELDS EIGHT_FIELDS EIGHT_FIELDS "\r\n", TOO_MANY_FIELDS),
	ROW(REQUEST, HOST "Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,0,1,2,3,4,5,6\r\n\r\n",
		TOO_MANY_FIELDS),
	/* Host */
	ROW(REQUEST, "GET http://a/ HTTP/1.1\r\n\r\n", HOST_MISSING),
	ROW(REQUEST, HOST "Host: a\r\n\r\n", HOST_REPEATED),
	ROW(REQUEST, HOST "host: b\r\nA: 1\r\n\r\n", HOST_REPEATED),
	ROW(REQUEST, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", HOST_REPEATED),
	ROW(REQUEST, GET "Host: a b\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, GET "Host: u@a\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, GET "Host: a/b\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, GET "Host: a:b\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, GET "Host: a:65536\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, GET "Host: [::1\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, GET "Host: \xc3\xa9\r\n\r\n", HOST_INVALID),
	ROW(REQUEST, "GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", HOST_INVALID),
	/* length and coding */
	ROW(REQUEST, HOST "Content-Length: \r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: +1\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: -1\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: 0x1\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: 1 1\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: 1,\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: ,1\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: 9223372036854775808\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: 18446744073709551617\r\n\r\n", LENGTH_INVALID),
	ROW(RESPONSE, OK200 "Content-Length: 1\r\n 2\r\n\r\n", LENGTH_INVALID),
	ROW(RESPONSE, "HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n", LENGTH_INVALID),
	ROW(REQUEST, HOST "Content-Length: 1, 2\r\n\r\n", LENGTH_CONFLICT),
	ROW(REQUEST, HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", LENGTH_CONFLICT),
	ROW(RESPONSE, OK200 "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", LENGTH_CONFLICT),
	ROW(REQUEST, HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", LENGTH_AND_CODING),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n", LENGTH_AND_CODING),
	ROW(REQUEST, HOST "Transfer-Encoding:\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: gzip\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: identity\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: xchunked\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked;a=b\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked,\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: ,chunked\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: chun\xc3\xa9ked\r\n\r\n", CODING_INVALID),
	ROW(RESPONSE, OK200 "Transfer-Encoding: chunked, chunked\r\n\r\n", CODING_INVALID),
	ROW(REQUEST, HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", CODING_UNSUPPORTED),
	ROW(REQUEST, HOST "Transfer-Encoding: gzip;q=1\r\nTransfer-Encoding: chunked\r\n\r\n", CODING_UNSUPPORTED),
	ROW(RESPONSE, OK200 "Transfer-Encoding: gzip\r\n\r\n", CODING_UNSUPPORTED),
	ROW(RESPONSE, OK200 "Transfer-Encoding: gzip, chunked\r\n\r\n", CODING_UNSUPPORTED),
	ROW(REQUEST, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", CODING_IN_HTTP_1_0),
	ROW(RESPONSE, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CODING_IN_HTTP_1_0),
	/* the rest of a head */
	ROW(REQUEST, HOST "Expect: 200-ok\r\n\r\n", EXPECTATION),
	ROW(REQUEST, HOST "Expect: 100-continue\r\nExpect: x\r\n\r\n", EXPECTATION),
	ROW(REQUEST, HOST "Expect:\r\n\r\n", EXPECTATION),
	ROW(REQUEST, HOST "Max-Forwards: 1\r\nMax-Forwards: 2\r\n\r\n", REPEATED_FIELD),
	ROW(REQUEST, HOST "TE: a\r\nTE: b\r\nMax-Forwards: 1\r\nMax-Forwards: 2\r\nVia: a\r\nVia: b\r\n\r\n", REPEATED_FIELD),
	ROW(CONNECT, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", CONNECT),
	/* chunks */
	ROW(CHUNKED, "x\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "\r\n", CHUNK_SIZE),
	ROW(CHUNKED, " 5\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "+5\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "-1\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "0x5\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "5_0\r\n", CHUNK_SIZE),
	ROW(CHUNKED, ";a\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "8000000000000000\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "ffffffffffffffff0\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "00000000000000005\r\n", CHUNK_SIZE),
	ROW(CHUNKED, "5\n", BARE_LF),
	ROW(CHUNKED, "5;a\n", BARE_LF),
	ROW(CHUNKED, "5;a=\"\n", BARE_LF),
	ROW(CHUNKED, "5\rhello\r\n", BARE_CR),
	ROW(CHUNKED, "5\r\r\n", BARE_CR),
	ROW(CHUNKED, "5 \r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5\t\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5 a\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5; \r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;;a\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a \r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a b\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=b=c\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=b c\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=b =c\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=\"b\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=\"b\\\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=\"b\"c\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a=\"b\"=\"c\"\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5;a\0\r\n", CHUNK_EXTENSION),
	ROW(CHUNKED, "5\r\nhello5\r\n", CHUNK_END),
	ROW(CHUNKED, "5\r\nhello\n", CHUNK_END),
	ROW(CHUNKED, "5\r\nhello\r5\r\n", CHUNK_END),
	ROW(CHUNKED, "5\r\nhello!\r\n", CHUNK_END),
	ROW(CHUNKED, "0\r\nabc\r\n", TRAILER),
	ROW(CHUNKED, "0\r\n a: b\r\n", TRAILER),
	ROW(CHUNKED, "0\r\na: b\r\n c\r\n\r\n", TRAILER),
	ROW(CHUNKED, "0\r\na : b\r\n\r\n", TRAILER),
	ROW(CHUNKED, "0\r\na: b\n\r\n", TRAILER),
	ROW(CHUNKED, "0\r\n\n", TRAILER),
	ROW(CHUNKED, "0\r\n\rx", TRAILER),
	ROW(CHUNKED, "0\r\na: b\0\r\n\r\n", TRAILER),
	ROW(CHUNKED, "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", TRAILER),
};

/* What the first n bytes give, and *error. */
static int outcome(const struct refused *t, size_t n, enum http_error *error)
{
	struct http_field v[FIELDS_MAX];
	struct http_request request;
	struct http_response response;
	struct http_chunked chunked;
	struct http_chunk ev;
	size_t at = 0;

	*error = HTTP_ERROR_NONE;
	switch (t->kind) {
	case REQUEST:
		return request_of_bytes(&request, v, t->bytes, n, error);
	case RESPONSE:
		return response_of_bytes(&response, v, t->bytes, n, HTTP_METHOD_GET, error);
	case CHUNKED:
		http_chunked_init(&chunked);
		for (;;) {
			size_t used;
			enum http_chunk_event event = http_chunked_next(&chunked, t->bytes + at, n - at, &used, &ev);

			at += used;
			if (event == HTTP_CHUNK_ERROR)
				*error = ev.error;
			if (event == HTTP_CHUNK_MORE)
				return HTTP_PARSE_MORE;
			if (event == HTTP_CHUNK_END || event == HTTP_CHUNK_ERROR)
				return event == HTTP_CHUNK_END ? HTTP_PARSE_OK : HTTP_PARSE_ERROR;
		}
	case OVERFLOW:
		*error = n == t->n ? http_head_overflow(t->bytes, n) : HTTP_ERROR_NONE;
		return n == t->n ? HTTP_PARSE_ERROR : HTTP_PARSE_MORE;
	case CONNECT: /* well formed; refused by the one who asked for it to be read */
		if (request_of_bytes(&request, v, t->bytes, n, error) == HTTP_PARSE_OK &&
			request.method_id == HTTP_METHOD_CONNECT)
			*error = HTTP_ERROR_CONNECT;
		return *error ? HTTP_PARSE_ERROR : HTTP_PARSE_MORE;
	}
	return -1;
}

Test(errors, each_case_is_refused_for_its_reason)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		enum http_error error;
		int rc = outcome(&refused[i], refused[i].n, &error);

		cr_expect_eq(rc, HTTP_PARSE_ERROR, "case %zu: %s: not refused", i, refused[i].bytes);
		cr_expect_eq(error, refused[i].error, "case %zu: %s: %s, not %s", i, refused[i].bytes, http_error_name(error),
			http_error_name(refused[i].error));
	}
}

Test(errors, a_prefix_is_incomplete_or_refused_for_the_same_reason)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		for (size_t n = 0; n < refused[i].n; n++) {
			enum http_error error;
			int rc = outcome(&refused[i], n, &error);

			cr_expect(rc == HTTP_PARSE_MORE || (rc == HTTP_PARSE_ERROR && error == refused[i].error),
				"case %zu: %s, first %zu bytes: %d %s", i, refused[i].bytes, n, rc, http_error_name(error));
		}
	}
}

Test(errors, every_reason_has_a_case)
{
	bool hit[HTTP_ERROR_COUNT] = { [HTTP_ERROR_NONE] = true };

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		hit[refused[i].error] = true;
	for (int e = 0; e < HTTP_ERROR_COUNT; e++)
		cr_expect(hit[e], "%s", http_error_name((enum http_error)e));
}

Test(errors, names_statuses_and_texts)
{
	cr_expect_str_eq(http_error_name(HTTP_ERROR_BARE_LF), "bare_lf");
	cr_expect_str_eq(http_error_name(HTTP_ERROR_FIELD_SPACE_BEFORE_COLON), "field_space_before_colon");
	cr_expect_str_eq(http_error_name(HTTP_ERROR_CODING_IN_HTTP_1_0), "coding_in_http_1_0");
	cr_expect_eq(http_error_status(HTTP_ERROR_BARE_LF), 400);
	cr_expect_eq(http_error_status(HTTP_ERROR_TARGET_TOO_LONG), 414);
	cr_expect_eq(http_error_status(HTTP_ERROR_VERSION_UNSUPPORTED), 505);
	cr_expect_str_eq(http_error_text(HTTP_ERROR_BARE_LF), "a line ends in a bare LF");
	for (int e = 1; e < HTTP_ERROR_COUNT; e++) {
		unsigned status = http_error_status((enum http_error)e);

		cr_expect(status >= 400 && status <= 505, "%s: %u", http_error_name((enum http_error)e), status);
		cr_expect_eq(strspn(http_error_name((enum http_error)e), "abcdefghijklmnopqrstuvwxyz0123456789_"),
			strlen(http_error_name((enum http_error)e)));
	}
}
