/*
 * 63 odd bodies: answers whose framing is strange or whose body ends too early (RFC 9112 sections 6 to 8): what can be read in
 * one way only arrives whole, what cannot is a 502, and what was cut on the way is cut for the client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/odd.h"

TestSuite(odd_bodies, .timeout = 120);

#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH(value) OK "Content-Length: " value "\r\n\r\n"
#define CODING(value) OK "Transfer-Encoding: " value "\r\n\r\n"
#define CHUNKED CODING("chunked")
#define OUT_CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* The answer stands still between its head and its body, and the rest, and the end, come meanwhile. */
#define HELD "fault_header: false\nrules:\n  - {phase: response, delay: 10ms}\n"

#define HI(name, head) PASSES(name, head "hi", ODD_STAYS, true, LENGTH("2"), "hi")
#define BAD_LENGTH(name, fields) FAILS(name, OK fields "\r\n\r\nhi", ODD_STAYS, "http_protocol_error")

static const struct odd lengths[] = {
	HI("list of the same length", LENGTH("2, 2")),
	HI("list without spaces", LENGTH("2,2,2")),
	HI("same length twice", OK "Content-Length: 2\r\ncontent-length: 2\r\n\r\n"),
	HI("same length, written otherwise", OK "Content-Length: 2\r\nContent-Length: 02\r\n\r\n"),
	HI("leading zeros", LENGTH("0000000000000000000000002")),
	PASSES("white space around", OK "Content-Length: \t 2 \t\r\n\r\nhi", ODD_STAYS, true,
		OK "Content-Length: \t 2 \t\r\n\r\n", "hi"),
	PASSES("length and bytes behind it", LENGTH("2") "hi there", ODD_STAYS, false, LENGTH("2"), "hi"),
	PASSES("0 and bytes behind it", LENGTH("0") "hi", ODD_STAYS, false, LENGTH("0"), ""),
	PASSES("00", LENGTH("00"), ODD_STAYS, true, LENGTH("0"), ""),
	PASSES("whole, then FIN", LENGTH("2") "hi", ODD_FIN, false, LENGTH("2"), "hi"),
	PASSES("whole, then RST", LENGTH("2") "hi", ODD_RST, false, LENGTH("2"), "hi"),
	PASSES("until close, then FIN", OK "\r\nhi", ODD_FIN, false, OUT_CHUNKED, "hi"),
	PASSES("until close, empty", OK "\r\n", ODD_FIN, false, OUT_CHUNKED, ""),
	PASSES("until close, with keep-alive", OK "Connection: keep-alive\r\n\r\nhi", ODD_FIN, false, OUT_CHUNKED, "hi"),
	PASSES("until close, of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", ODD_FIN, false, OUT_CHUNKED, "hi"),
	PASSES("until close, looks like an answer", OK "\r\n" LENGTH("2") "hi", ODD_FIN, false, OUT_CHUNKED,
		LENGTH("2") "hi"),
	BAD_LENGTH("empty", "Content-Length:"),
	BAD_LENGTH("a space", "Content-Length: "),
	BAD_LENGTH("plus", "Content-Length: +2"),
	BAD_LENGTH("minus 0", "Content-Length: -0"),
	BAD_LENGTH("two numbers", "Content-Length: 2 2"),
	BAD_LENGTH("semicolon", "Content-Length: 2;"),
	BAD_LENGTH("hexadecimal", "Content-Length: 0x2"),
	BAD_LENGTH("fraction", "Content-Length: 2.0"),
	BAD_LENGTH("exponent", "Content-Length: 2e0"),
	BAD_LENGTH("underscore", "Content-Length: 0_2"),
	BAD_LENGTH("quoted", "Content-Length: \"2\""),
	BAD_LENGTH("unit", "Content-Length: 2 bytes"),
	BAD_LENGTH("Arabic digit", "Content-Length: \xd9\xa2"),
	BAD_LENGTH("NUL behind it", "Content-Length: 2\0"),
	BAD_LENGTH("vertical tab before it", "Content-Length: \x0b" "2"),
	BAD_LENGTH("comma behind it", "Content-Length: 2,"),
	BAD_LENGTH("comma before it", "Content-Length: ,2"),
	BAD_LENGTH("2 in 64 bits", "Content-Length: 18446744073709551618"),
	BAD_LENGTH("2 in 32 bits, as a list", "Content-Length: 2, 4294967298"),
	BAD_LENGTH("2^63", "Content-Length: 9223372036854775808"),
	BAD_LENGTH("60 digits", "Content-Length: 200000000000000000000000000000000000000000000000000000000000"),
	BAD_LENGTH("another one in a list", "Content-Length: 2, 3"),
	BAD_LENGTH("another one in a second field", "Content-Length: 2\r\nX-A: b\r\nContent-Length: 3"),
	BAD_LENGTH("no number in a second field", "Content-Length: 2\r\nContent-Length: x"),
	BAD_LENGTH("empty second field", "Content-Length: 2\r\nContent-Length:"),
};
ODD_TESTS(odd_bodies, lengths, NULL)
ODD_TEST(odd_bodies, lengths, _held, ODD_WHOLE, HELD)

#define ABC(name, head) PASSES(name, head "3\r\nabc\r\n0\r\n\r\n", ODD_STAYS, true, OUT_CHUNKED, "abc")
#define BAD_CODING(name, fields)                                                                                                \
	FAILS(name, OK fields "\r\n\r\n3\r\nabc\r\n0\r\n\r\n", ODD_STAYS, "http_response_transfer_coding")

static const struct odd codings[] = {
	ABC("capital letters", CODING("CHUNKED")),
	ABC("mixed letters", CODING("cHunKed")),
	ABC("white space around", CODING("\t chunked \t")),
	ABC("space before the colon", OK "Transfer-Encoding : chunked\r\n\r\n"),
	ABC("folded", OK "Transfer-Encoding:\r\n chunked\r\n\r\n"),
	ABC("named by Connection", OK "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n"),
	PASSES("coding and length", OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		ODD_STAYS, false,
		OUT_CHUNKED, "abc"),
	PASSES("coding and a length of 0", OK "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		ODD_STAYS, false, OUT_CHUNKED, "abc"),
	PASSES("field with a similar name", OK "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi", ODD_STAYS, true,
		OK "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\n", "hi"),
	BAD_CODING("identity", "Transfer-Encoding: identity"),
	BAD_CODING("gzip", "Transfer-Encoding: gzip"),
	BAD_CODING("chunked before gzip", "Transfer-Encoding: chunked, gzip"),
	BAD_CODING("chunked twice", "Transfer-Encoding: chunked, chunked"),
	BAD_CODING("chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
	BAD_CODING("gzip in a field before", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
	BAD_CODING("identity in a field behind", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
	BAD_CODING("empty", "Transfer-Encoding:"),
	BAD_CODING("comma before chunked", "Transfer-Encoding: ,chunked"),
	BAD_CODING("comma behind chunked", "Transfer-Encoding: chunked,"),
	BAD_CODING("nearly chunked", "Transfer-Encoding: xchunked"),
	BAD_CODING("chunked and more", "Transfer-Encoding: chunkedx"),
	BAD_CODING("chunked with a parameter", "Transfer-Encoding: chunked;q=1"),
	BAD_CODING("quoted", "Transfer-Encoding: \"chunked\""),
	BAD_CODING("two words", "Transfer-Encoding: chunked chunked"),
	BAD_CODING("colon", "Transfer-Encoding: :chunked"),
	BAD_CODING("gzip with a length", "Transfer-Encoding: gzip\r\nContent-Length: 13"),
	FAILS("vertical tab before chunked", OK "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n", ODD_STAYS,
		"http_protocol_error"),
	FAILS("NUL behind chunked", OK "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n", ODD_STAYS, "http_protocol_error"),
	FAILS("bare LF before the field", OK "X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ODD_STAYS,
		"http_protocol_error"),
	FAILS("coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ODD_STAYS,
		"http_protocol_error"),
	FAILS("coding and a false length", OK "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ODD_STAYS,
		"http_protocol_error"),
	FAILS("coding and two lengths", OK "Content-Length: 1, 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ODD_STAYS,
		"http_protocol_error"),
};
ODD_TESTS(odd_bodies, codings, NULL)

#define BODY(name, chunks, content) PASSES(name, CHUNKED chunks, ODD_STAYS, true, OUT_CHUNKED, content)
#define BROKEN(name, chunks, content) LATE(name, CHUNKED chunks, ODD_STAYS, content, "http_response_transfer_coding")

/* Broken behind n bytes of content: what was passed on by then stays, and no last chunk follows. */
static const struct odd chunks[] = {
	BODY("empty", "0\r\n\r\n", ""),
	BODY("size in capital letters", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
	BODY("leading zeros", "0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"),
	BODY("many zeros for the last one", "3\r\nabc\r\n0000000000000000\r\n\r\n", "abc"),
	BODY("chunks of one byte", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
	BODY("data that looks like a last chunk", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
	BODY("extensions", "3;a;b=c;d=\"e;\\\"\"\r\nabc\r\n0;last=1\r\n\r\n", "abc"),
	BODY("trailers", "3\r\nabc\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n", "abc|X-A: 1|X-B: 2"),
	BODY("trailers of an empty body", "0\r\nX-A: 1\r\n\r\n", "|X-A: 1"),
	BODY("trailers that may not be",
		"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: a\r\nX-A: 1\r\n\r\n", "|X-A: 1"),
	PASSES("bytes behind the end", CHUNKED "3\r\nabc\r\n0\r\n\r\nmore", ODD_STAYS, false, OUT_CHUNKED, "abc"),
	PASSES("line end behind the end", CHUNKED "3\r\nabc\r\n0\r\n\r\n\r\n", ODD_STAYS, false, OUT_CHUNKED, "abc"),
	PASSES("whole, then FIN", CHUNKED "3\r\nabc\r\n0\r\n\r\n", ODD_FIN, false, OUT_CHUNKED, "abc"),
	PASSES("whole, then RST", CHUNKED "3\r\nabc\r\n0\r\n\r\n", ODD_RST, false, OUT_CHUNKED, "abc"),
	BROKEN("no size", "\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("size in letters", "xyz\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("size below 0", "-3\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("size with a plus", "+3\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("size with 0x", "0x3\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("space before a size", " 3\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("space behind a size", "3 \r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("NUL behind a size", "3\0\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("size of 17 digits", "00000000000000003\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("3 in 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("2^63", "8000000000000000\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("bare LF behind a size", "3\nabc\r\n0\r\n\r\n", ""),
	BROKEN("bare CR behind a size", "3\rabc\r\n0\r\n\r\n", ""),
	BROKEN("content without chunks", "hello", ""),
	BROKEN("an answer for a chunk", OK "\r\n", ""),
	BROKEN("more data than the size", "3\r\nabcd\r\n0\r\n\r\n", "abc"),
	BROKEN("less data than the size", "3\r\nab\r\n0\r\n\r\n", "ab\r"),
	BROKEN("no line end behind data", "3\r\nabc0\r\n\r\n", "abc"),
	BROKEN("bare LF behind data", "3\r\nabc\n0\r\n\r\n", "abc"),
	BROKEN("bare CR behind data", "3\r\nabc\r0\r\n\r\n", "abc"),
	BROKEN("empty line behind a chunk", "3\r\nabc\r\n\r\n0\r\n\r\n", "abc"),
	BROKEN("no number behind a chunk", "3\r\nabc\r\nzz\r\n", "abc"),
	BROKEN("bare LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("NUL in an extension", "3;a\0b\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("open quotes in an extension", "3;a=\"b\r\nabc\r\n0\r\n\r\n", ""),
	BROKEN("bare LF behind the last size", "3\r\nabc\r\n0\n\r\n", "abc"),
	BROKEN("bare LF as the last line", "3\r\nabc\r\n0\r\n\n", "abc"),
	BROKEN("trailer without a colon", "3\r\nabc\r\n0\r\nX-A\r\n\r\n", "abc"),
	BROKEN("trailer without a name", "3\r\nabc\r\n0\r\n: b\r\n\r\n", "abc"),
	BROKEN("folded trailer", "3\r\nabc\r\n0\r\nX-A: b\r\n c\r\n\r\n", "abc"),
	BROKEN("bare LF behind a trailer", "3\r\nabc\r\n0\r\nX-A: b\n\r\n", "abc"),
	BROKEN("NUL in a trailer", "3\r\nabc\r\n0\r\nX-A: \0\r\n\r\n", "abc"),
	BROKEN("answer for a trailer", "3\r\nabc\r\n0\r\n" OK "\r\n", "abc"),
};
ODD_TESTS(odd_bodies, chunks, NULL)
ODD_TEST(odd_bodies, chunks, _held, ODD_WHOLE, HELD)

#define FIN_IN(name, bytes, content) LATE(name ", FIN", bytes, ODD_FIN, content, "http_response_incomplete")
#define RST_IN(name, bytes, content) LATE(name ", RST", bytes, ODD_RST, content, "connection_terminated")
#define ENDS_IN(name, bytes, content) FIN_IN(name, bytes, content), RST_IN(name, bytes, content)

/* The end of the connection at each point of a body: nothing of it may look whole. */
static const struct odd cut_bodies[] = {
	ENDS_IN("before a byte of the length", LENGTH("3"), ""),
	ENDS_IN("within the length", LENGTH("3") "ab", "ab"),
	ENDS_IN("within the largest length", LENGTH("9223372036854775807") "abc", "abc"),
	ENDS_IN("before a chunk", CHUNKED, ""),
	ENDS_IN("within a size", CHUNKED "1", ""),
	ENDS_IN("behind a size", CHUNKED "3\r\n", ""),
	ENDS_IN("within an extension", CHUNKED "3;a", ""),
	ENDS_IN("within data", CHUNKED "3\r\nab", "ab"),
	ENDS_IN("within the largest chunk", CHUNKED "7fffffffffffffff\r\nabc", "abc"),
	ENDS_IN("behind data", CHUNKED "3\r\nabc", "abc"),
	ENDS_IN("within the line end of data", CHUNKED "3\r\nabc\r", "abc"),
	ENDS_IN("behind a chunk", CHUNKED "3\r\nabc\r\n", "abc"),
	ENDS_IN("within the last size", CHUNKED "3\r\nabc\r\n0", "abc"),
	ENDS_IN("within the line end of the last size", CHUNKED "3\r\nabc\r\n0\r", "abc"),
	ENDS_IN("behind the last size", CHUNKED "3\r\nabc\r\n0\r\n", "abc"),
	ENDS_IN("within the last line", CHUNKED "3\r\nabc\r\n0\r\n\r", "abc"),
	ENDS_IN("within a trailer", CHUNKED "3\r\nabc\r\n0\r\nX-A: ", "abc"),
	ENDS_IN("behind a trailer", CHUNKED "3\r\nabc\r\n0\r\nX-A: b\r\n", "abc"),
	RST_IN("until close", OK "\r\nabc", "abc"),
	RST_IN("until close, before a byte", OK "\r\n", ""),
	RST_IN("until close, of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nabc", "abc"),
};
ODD_TESTS(odd_bodies, cut_bodies, NULL)
ODD_TEST(odd_bodies, cut_bodies, _held, ODD_WHOLE, HELD)

/* RFC 9112 section 6.3: no content, whatever the fields say, and what comes all the same belongs to nobody. */
#define TO_HEAD "HEAD /odd HTTP/1.1\r\nHost: a\r\n\r\n"
#define CONDITIONAL "GET /odd HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\"\r\n\r\n"
#define NO_CONTENT "HTTP/1.1 204 No Content\r\n"
#define NOT_MODIFIED "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n"
#define RESET_CONTENT "HTTP/1.1 205 Reset Content\r\n"

static const struct odd bodyless[] = {
	PASSES_TO("HEAD with content", TO_HEAD, LENGTH("2") "hi", ODD_STAYS, false, LENGTH("2"), ""),
	PASSES_TO("HEAD with chunks", TO_HEAD, CHUNKED "0\r\n\r\n", ODD_STAYS, false, OK "\r\n", ""),
	PASSES_TO("HEAD with an answer behind", TO_HEAD, LENGTH("2") LENGTH("2") "hi", ODD_STAYS, false, LENGTH("2"), ""),
	PASSES_TO("HEAD with content until close", TO_HEAD, OK "\r\nhi", ODD_FIN, false, OK "\r\n", ""),
	PASSES_TO("HEAD, then FIN", TO_HEAD, LENGTH("2"), ODD_FIN, false, LENGTH("2"), ""),
	PASSES_TO("HEAD with 204", TO_HEAD, NO_CONTENT "\r\n", ODD_STAYS, true, NO_CONTENT "\r\n", ""),
	PASSES("204 with content", NO_CONTENT "Content-Length: 2\r\n\r\nhi", ODD_STAYS, false, NO_CONTENT "\r\n", ""),
	PASSES("204 with chunks", NO_CONTENT "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ODD_STAYS, false,
		NO_CONTENT "\r\n", ""),
	PASSES("204 with content and no field", NO_CONTENT "\r\nhi", ODD_STAYS, false, NO_CONTENT "\r\n", ""),
	PASSES("204 with a length and nothing behind", NO_CONTENT "Content-Length: 2\r\n\r\n", ODD_STAYS, false,
		NO_CONTENT "\r\n", ""),
	PASSES("204, then RST", NO_CONTENT "\r\n", ODD_RST, false, NO_CONTENT "\r\n", ""),
	PASSES_TO("304 with content", CONDITIONAL, NOT_MODIFIED "Content-Length: 2\r\n\r\nhi", ODD_STAYS, false,
		NOT_MODIFIED "Content-Length: 2\r\n\r\n", ""),
	PASSES_TO("304 with chunks", CONDITIONAL, NOT_MODIFIED "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ODD_STAYS,
		false,
		NOT_MODIFIED "\r\n", ""),
	PASSES("304 unasked", NOT_MODIFIED "\r\n", ODD_STAYS, true, NOT_MODIFIED "\r\n", ""),
	PASSES("205 of length 0", RESET_CONTENT "Content-Length: 0\r\n\r\n", ODD_STAYS, true,
		RESET_CONTENT "Content-Length: 0\r\n\r\n",
		""),
	FAILS("204 with a false length", NO_CONTENT "Content-Length: x\r\n\r\n", ODD_STAYS, "http_protocol_error"),
	FAILS("304 with two lengths", NOT_MODIFIED "Content-Length: 1, 2\r\n\r\n", ODD_STAYS, "http_protocol_error"),
	{ "HEAD with a false length", TO_HEAD, ODD_BYTES(LENGTH("x")), ODD_STAYS, ODD_FAILS, false, NULL, NULL,
		"http_protocol_error" },
};
ODD_TESTS(odd_bodies, bodyless, NULL)
ODD_TEST(odd_bodies, bodyless, _held, ODD_WHOLE, HELD)

/* ---- bodies too large for a table ---- */

static void play_made(const struct odd *row)
{
	struct rig r;
	unsigned line = 0;

	rig_start(&r);
	for (int way = ODD_WHOLE; way <= ODD_OLD_CLIENT; way++) {
		if (way != ODD_BYTEWISE)
			odd_play(&r, row, (enum odd_way)way, &line);
	}
	rig_end(&r);
}

/* One byte a chunk: many more chunks than one read or one write takes. */
Test(odd_bodies, many_small_chunks)
{
	struct bytes sent = { 0 };
	struct bytes content = { 0 };

	bytes_printf(&sent, CHUNKED);
	bytes_repeat(&sent, "1;x\r\na\r\n", 3000);
	bytes_repeat(&content, "a", 3000);
	bytes_printf(&sent, "0\r\n\r\n");
	play_made(&(struct odd){ "3000 chunks", NULL, sent.p, sent.n, ODD_STAYS, ODD_PASSES, true, OUT_CHUNKED, content.p,
		NULL });
	play_made(&(struct odd){ "3000 chunks without the last", NULL, sent.p, sent.n - 5, ODD_FIN, ODD_LATE, false, NULL,
		content.p,
		"http_response_incomplete" });
	bytes_free(&sent);
	bytes_free(&content);
}

Test(odd_bodies, too_many_extensions)
{
	struct bytes sent = { 0 };
	struct bytes content = { 0 };

	bytes_printf(&sent, CHUNKED);
	bytes_repeat(&sent, "1;abcdefghij=klmnopqrst\r\na\r\n", 2000);
	bytes_repeat(&content, "a", 2000);
	bytes_printf(&sent, "0\r\n\r\n");
	play_made(&(struct odd){ "45 KiB of extensions", NULL, sent.p, sent.n, ODD_RST, ODD_LATE, false, NULL, content.p,
		"http_response_transfer_coding" });
	bytes_free(&sent);
	bytes_free(&content);
}

Test(odd_bodies, too_many_trailers)
{
	static const char *const trailers[] = { "X-A: b\r\n", "X-Long: " };

	for (int i = 0; i < 2; i++) {
		struct bytes sent = { 0 };

		bytes_printf(&sent, CHUNKED "3\r\nabc\r\n0\r\n%s", trailers[i]);
		bytes_repeat(&sent, i ? "v" : trailers[0], i ? 20000 : 3000);
		bytes_printf(&sent, "\r\n\r\n");
		play_made(&(struct odd){ trailers[i], NULL, sent.p, sent.n, ODD_STAYS, ODD_LATE, false, NULL, "abc",
			"http_response_transfer_coding" });
		bytes_free(&sent);
	}
}
