/*
 * 62 odd heads: answers whose head is strange (RFC 9112 sections 2 to 5, RFC 9110 sections 5, 7, 15): what the RFC lets pass
 * arrives exactly, all else is a 502 that says why, and the upstream's connection ends with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/odd.h"

TestSuite(odd_heads, .timeout = 120);

#define HI "Content-Length: 2\r\n\r\nhi"
#define HI_HEAD "Content-Length: 2\r\n\r\n"
#define LINE(name, line, seen) PASSES(name, line "\r\n" HI, ODD_STAYS, true, seen "\r\n" HI_HEAD, "hi")
#define NO_HTTP(name, sent) FAILS(name, sent, ODD_STAYS, "http_protocol_error")
#define BAD_LINE(name, line) NO_HTTP(name, line "\r\n" HI)
#define CODE(line) LINE(line, "HTTP/1.1 " line, "HTTP/1.1 " line)

static const struct odd status_lines[] = {
	LINE("no reason", "HTTP/1.1 200 ", "HTTP/1.1 200 "),
	LINE("neither reason nor space", "HTTP/1.1 200", "HTTP/1.1 200 "),
	LINE("reason that begins with a space", "HTTP/1.1 200  OK", "HTTP/1.1 200  OK"),
	LINE("reason of a tab", "HTTP/1.1 200 \t", "HTTP/1.1 200 \t"),
	LINE("reason in UTF-8", "HTTP/1.1 200 gr\xc3\xbc\xc3\x9f dich", "HTTP/1.1 200 gr\xc3\xbc\xc3\x9f dich"),
	LINE("reason of obs-text", "HTTP/1.1 200 \x80\xff", "HTTP/1.1 200 \x80\xff"),
	LINE("reason like a status line", "HTTP/1.1 200 HTTP/1.1 500 No", "HTTP/1.1 200 HTTP/1.1 500 No"),
	LINE("higher minor version", "HTTP/1.2 200 OK", "HTTP/1.1 200 OK"),
	LINE("highest minor version", "HTTP/1.9 200 OK", "HTTP/1.1 200 OK"),
	BAD_LINE("NUL in the reason", "HTTP/1.1 200 O\0K"),
	BAD_LINE("control byte in the reason", "HTTP/1.1 200 O\x01K"),
	BAD_LINE("DEL in the reason", "HTTP/1.1 200 O\x7fK"),
	BAD_LINE("bare CR in the reason", "HTTP/1.1 200 O\rK"),
	BAD_LINE("bare CR before the line end", "HTTP/1.1 200 OK\r"),
	BAD_LINE("tab behind the code", "HTTP/1.1 200\tOK"),
	BAD_LINE("reason at the code", "HTTP/1.1 200OK"),
	BAD_LINE("comma behind the code", "HTTP/1.1 200, OK"),
	BAD_LINE("two spaces before the code", "HTTP/1.1  200 OK"),
	BAD_LINE("tab before the code", "HTTP/1.1\t200 OK"),
	BAD_LINE("no space before the code", "HTTP/1.1200 OK"),
	BAD_LINE("no code", "HTTP/1.1 "),
	BAD_LINE("reason for a code", "HTTP/1.1 OK"),
	BAD_LINE("only the version", "HTTP/1.1"),
	BAD_LINE("space at the start", " HTTP/1.1 200 OK"),
	BAD_LINE("byte order mark at the start", "\xef\xbb\xbfHTTP/1.1 200 OK"),
	NO_HTTP("empty line at the start", "\r\nHTTP/1.1 200 OK\r\n" HI),
	NO_HTTP("empty lines only", "\r\n\r\n"),
	NO_HTTP("bare LF behind the status line", "HTTP/1.1 200 OK\n" HI),
	NO_HTTP("bare LF for every line end", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"),
	NO_HTTP("bare LF as the empty line", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi"),
	NO_HTTP("LF CR for every line end", "HTTP/1.1 200 OK\n\rContent-Length: 2\n\r\n\rhi"),
	BAD_LINE("version 0.9", "HTTP/0.9 200 OK"),
	BAD_LINE("version 1", "HTTP/1 200 OK"),
	BAD_LINE("version 1.", "HTTP/1. 200 OK"),
	BAD_LINE("version 1.10", "HTTP/1.10 200 OK"),
	BAD_LINE("version 01.1", "HTTP/01.1 200 OK"),
	BAD_LINE("version 1.1.1", "HTTP/1.1.1 200 OK"),
	BAD_LINE("version 1,1", "HTTP/1,1 200 OK"),
	BAD_LINE("version -1.1", "HTTP/-1.1 200 OK"),
	BAD_LINE("version 2", "HTTP/2 200 OK"),
	BAD_LINE("version 3.0", "HTTP/3.0 200 OK"),
	BAD_LINE("space within the version", "HTTP/ 1.1 200 OK"),
	BAD_LINE("backslash in the version", "HTTP\\1.1 200 OK"),
	BAD_LINE("HTTPS for HTTP", "HTTPS/1.1 200 OK"),
	BAD_LINE("Http for HTTP", "Http/1.1 200 OK"),
	BAD_LINE("status line of a gateway script", "Status: 200 OK"),
	BAD_LINE("code without version", "200 OK"),
	NO_HTTP("request for an answer", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
};
ODD_TESTS(odd_heads, status_lines, NULL)

/* RFC 9110 section 15: 100 to 599, known or not, mean something; nothing else does. */
static const struct odd codes[] = {
	CODE("200 OK"),
	CODE("207 Multi-Status"),
	CODE("226 IM Used"),
	CODE("299 Odd"),
	CODE("300 Choose"),
	CODE("306 Unused"),
	CODE("399 Odd"),
	CODE("400 Bad"),
	CODE("401 No challenge"),
	CODE("418 I'm a teapot"),
	CODE("425 Too Early"),
	CODE("499 Odd"),
	CODE("500 Odd"),
	CODE("520 Odd"),
	CODE("529 Odd"),
	CODE("599 Odd"),
	BAD_LINE("000", "HTTP/1.1 000 Odd"),
	BAD_LINE("001", "HTTP/1.1 001 Odd"),
	BAD_LINE("099", "HTTP/1.1 099 Odd"),
	BAD_LINE("600", "HTTP/1.1 600 Odd"),
	BAD_LINE("601", "HTTP/1.1 601 Odd"),
	BAD_LINE("666", "HTTP/1.1 666 Odd"),
	BAD_LINE("999", "HTTP/1.1 999 Odd"),
	BAD_LINE("1000", "HTTP/1.1 1000 Odd"),
	BAD_LINE("0200", "HTTP/1.1 0200 Odd"),
	BAD_LINE("2", "HTTP/1.1 2 Odd"),
	BAD_LINE("20", "HTTP/1.1 20 Odd"),
	BAD_LINE("20 and a space", "HTTP/1.1 20  Odd"),
	BAD_LINE("+20", "HTTP/1.1 +20 Odd"),
	BAD_LINE("-20", "HTTP/1.1 -20 Odd"),
	BAD_LINE("2e2", "HTTP/1.1 2e2 Odd"),
	BAD_LINE("20O", "HTTP/1.1 20O Odd"),
	BAD_LINE("200.1", "HTTP/1.1 200.1 Odd"),
	BAD_LINE("4294967496, which is 200 in 32 bits", "HTTP/1.1 4294967496 Odd"),
	BAD_LINE("Arabic digits", "HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 Odd"),
};
ODD_TESTS(odd_heads, codes, NULL)

#define OK "HTTP/1.1 200 OK\r\n"
#define SWITCH_TO(protocol) "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " protocol "\r\nConnection: upgrade\r\n\r\n"
#define OFFERING "GET /odd HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
#define INTERIM(name, interim, seen) PASSES(name, interim OK HI, ODD_STAYS, true, seen OK HI_HEAD, "hi")
#define SWITCH_FAILS(name, request, sent)                                                                                       \
	{                                                                                                                       \
		name, request, ODD_BYTES(sent), ODD_STAYS, ODD_FAILS, false, NULL, NULL, "http_upgrade_failed"                   \
	}

/* RFC 9110 section 15.2: an interim answer goes on, has no content, and ends nothing. */
static const struct odd interims[] = {
	INTERIM("100 unasked", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
	INTERIM("100 twice", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
	INTERIM("104", "HTTP/1.1 104 Upload Resumption Supported\r\n\r\n",
		"HTTP/1.1 104 Upload Resumption Supported\r\n\r\n"),
	INTERIM("150", "HTTP/1.1 150 \r\n\r\n", "HTTP/1.1 150 \r\n\r\n"),
	INTERIM("199", "HTTP/1.1 199 Odd\r\nX-A: b\r\n\r\n", "HTTP/1.1 199 Odd\r\nX-A: b\r\n\r\n"),
	INTERIM("100 of HTTP/1.0", "HTTP/1.0 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
	INTERIM("interim with a length of 0", "HTTP/1.1 103 Odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 103 Odd\r\n\r\n"),
	INTERIM("interim with a length", "HTTP/1.1 103 Odd\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 103 Odd\r\n\r\n"),
	INTERIM("interim with a coding", "HTTP/1.1 103 Odd\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 103 Odd\r\n\r\n"),
	INTERIM("interim with fields of the connection",
		"HTTP/1.1 103 Odd\r\nKeep-Alive: a\r\nConnection: X-A\r\nX-A: b\r\n\r\n",
		"HTTP/1.1 103 Odd\r\n\r\n"),
	NO_HTTP("interim with a body", "HTTP/1.1 103 Odd\r\nContent-Length: 5\r\n\r\nhello" OK HI),
	NO_HTTP("interim with a chunked body", "HTTP/1.1 103 Odd\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" OK HI),
	NO_HTTP("interim with a false length", "HTTP/1.1 103 Odd\r\nContent-Length: x\r\n\r\n" OK HI),
	NO_HTTP("empty line behind an interim", "HTTP/1.1 100 Continue\r\n\r\n\r\n" OK HI),
	NO_HTTP("garbage behind an interim", "HTTP/1.1 100 Continue\r\n\r\ngarbage\r\n\r\n"),
	NO_HTTP("code 099 behind an interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 099 Odd\r\n\r\n"),
	FAILS("FIN behind an interim", "HTTP/1.1 100 Continue\r\n\r\n", ODD_FIN, "connection_terminated"),
	FAILS("RST behind an interim", "HTTP/1.1 100 Continue\r\n\r\n", ODD_RST, "connection_terminated"),
	FAILS("FIN within the head behind an interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2", ODD_FIN,
		"http_response_incomplete"),
	SWITCH_FAILS("101 unasked", NULL, SWITCH_TO("websocket")),
	SWITCH_FAILS("101 unasked, without a protocol", NULL, "HTTP/1.1 101 Odd\r\n\r\n"),
	SWITCH_FAILS("101 unasked, behind an interim", NULL, "HTTP/1.1 100 Continue\r\n\r\n" SWITCH_TO("websocket")),
	SWITCH_FAILS("101 unasked, with a length", NULL, "HTTP/1.1 101 Odd\r\n" HI),
	SWITCH_FAILS("101 without a protocol", OFFERING, "HTTP/1.1 101 Odd\r\n\r\n"),
	SWITCH_FAILS("101 with an empty protocol", OFFERING, SWITCH_TO("")),
	SWITCH_FAILS("101 to another protocol", OFFERING, SWITCH_TO("h2c")),
	SWITCH_FAILS("101 to a part of the protocol's name", OFFERING, SWITCH_TO("web")),
	PASSES_TO("200 for an upgrade", OFFERING, OK "Upgrade: websocket\r\n" HI, ODD_STAYS, true, OK HI_HEAD, "hi"),
};
ODD_TESTS(odd_heads, interims, NULL)

#define FIELD(name, line, seen) PASSES(name, OK line HI, ODD_STAYS, true, OK seen HI_HEAD, "hi")
#define BAD_FIELD(name, line) NO_HTTP(name, OK line HI)

static const struct odd fields[] = {
	FIELD("empty value", "X-A:\r\n", "X-A:\r\n"),
	FIELD("value of spaces", "X-A: \t \r\n", "X-A: \t \r\n"),
	FIELD("value without space before it", "X-A:b\r\n", "X-A:b\r\n"),
	FIELD("value of obs-text", "X-A: \x80\xff\r\n", "X-A: \x80\xff\r\n"),
	FIELD("name of all kinds of bytes", "!#$%&'*+-.^_`|~09azAZ: b\r\n", "!#$%&'*+-.^_`|~09azAZ: b\r\n"),
	FIELD("same field often", "Set-Cookie: a=1\r\nX-A: b\r\nset-cookie: b=2\r\nSET-COOKIE: c=3\r\n",
		"Set-Cookie: a=1\r\nX-A: b\r\nset-cookie: b=2\r\nSET-COOKIE: c=3\r\n"),
	FIELD("space before the colon", "X-A : b\r\n", "X-A: b\r\n"),
	FIELD("tabs before the colon", "X-A\t\t: b\r\n", "X-A: b\r\n"),
	PASSES("space before the colon of the length", OK "Content-Length : 2\r\n\r\nhi", ODD_STAYS, true, OK HI_HEAD, "hi"),
	FIELD("folded value", "X-A: b\r\n c\r\n", "X-A: b   c\r\n"),
	FIELD("value folded with a tab", "X-A: b\r\n\tc\r\n", "X-A: b  \tc\r\n"),
	FIELD("value folded often", "X-A: b\r\n c\r\n  d\r\n", "X-A: b   c    d\r\n"),
	FIELD("value folded to nothing", "X-A: b\r\n \r\n", "X-A: b   \r\n"),
	PASSES("folded length", OK "Content-Length:\r\n 2\r\n\r\nhi", ODD_STAYS, true, OK "Content-Length:   2\r\n\r\n",
		"hi"),
	FIELD("what Connection names", "Connection: X-A, x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n", "X-C: 3\r\n"),
	FIELD("fields of the connection",
		"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: h2c\r\nX-C: 3\r\n", "X-C: 3\r\n"),
	FIELD("length named by Connection", "Connection: Content-Length\r\n", ""),
	FIELD("empty list in Connection", "Connection: ,, ,\r\n", ""),
	FIELD("two dates", "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nDate: x\r\n",
		"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nDate: x\r\n"),
	PASSES("Connection: close without a close", OK "Connection: close\r\n" HI, ODD_STAYS, false, OK HI_HEAD, "hi"),
	PASSES("close among other options", OK "Connection: foo, CLOSE\r\n" HI, ODD_STAYS, false, OK HI_HEAD, "hi"),
	PASSES("close and keep-alive", OK "Connection: keep-alive, close\r\n" HI, ODD_STAYS, false, OK HI_HEAD, "hi"),
	PASSES("HTTP/1.0", "HTTP/1.0 200 OK\r\n" HI, ODD_STAYS, false, OK HI_HEAD, "hi"),
	PASSES("HTTP/1.0 that is kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" HI, ODD_STAYS, true, OK HI_HEAD,
		"hi"),
	BAD_FIELD("no colon", "X-A\r\n"),
	BAD_FIELD("no name", ": b\r\n"),
	BAD_FIELD("only a colon", ":\r\n"),
	BAD_FIELD("space for a name", " : b\r\n"),
	BAD_FIELD("space in a name", "X A: b\r\n"),
	BAD_FIELD("space before the first name", " X-A: b\r\n"),
	BAD_FIELD("tab before the first name", "\tX-A: b\r\n"),
	BAD_FIELD("parenthesis in a name", "X(A): b\r\n"),
	BAD_FIELD("quotes around a name", "\"X-A\": b\r\n"),
	BAD_FIELD("obs-text in a name", "X-\xc3\xa9: b\r\n"),
	BAD_FIELD("NUL in a name", "X-\0: b\r\n"),
	BAD_FIELD("control byte in a name", "X-\x01: b\r\n"),
	BAD_FIELD("CR in a name", "X-\rA: b\r\n"),
	BAD_FIELD("NUL in a value", "X-A: b\0c\r\n"),
	BAD_FIELD("NUL for a value", "X-A: \0\r\n"),
	BAD_FIELD("control byte in a value", "X-A: b\x01\r\n"),
	BAD_FIELD("escape in a value", "X-A: \x1b[31m\r\n"),
	BAD_FIELD("vertical tab before a value", "X-A:\x0b" "b\r\n"),
	BAD_FIELD("form feed behind a value", "X-A: b\x0c\r\n"),
	BAD_FIELD("DEL in a value", "X-A: b\x7f\r\n"),
	BAD_FIELD("bare LF behind a value", "X-A: b\n"),
	BAD_FIELD("bare LF within a value", "X-A: b\nX-B: c\r\n"),
	BAD_FIELD("bare CR behind a value", "X-A: b\rX-B: c\r\n"),
	BAD_FIELD("two CRs behind a value", "X-A: b\r\r\n"),
	BAD_FIELD("NUL in a folded line", "X-A: b\r\n \0\r\n"),
	BAD_FIELD("second status line", OK),
};
ODD_TESTS(odd_heads, fields, NULL)

/* What else may listen on a port that a rule file names by mistake. */
static const struct odd other_protocols[] = {
	NO_HTTP("SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
	NO_HTTP("SMTP", "220 mail.test ESMTP Postfix\r\n"),
	NO_HTTP("FTP in two lines", "220-Welcome\r\n220 Ready\r\n"),
	NO_HTTP("POP3", "+OK ready\r\n"),
	NO_HTTP("IMAP", "* OK [CAPABILITY IMAP4rev1] ready\r\n"),
	NO_HTTP("NNTP", "200 news.test ready\r\n"),
	NO_HTTP("Redis", "-ERR wrong number of arguments for 'get' command\r\n"),
	NO_HTTP("Memcached", "ERROR\r\n"),
	NO_HTTP("TLS alert", "\x15\x03\x01\0\x02\x02\x46"),
	NO_HTTP("TLS hello", "\x16\x03\x03\0\x2a\x02\0\0\x26\x03\x03"),
	NO_HTTP("MySQL", "\x4a\0\0\0\x0a" "8.0.36\0"),
	NO_HTTP("PostgreSQL", "E\0\0\0\x85SFATAL\0"),
	NO_HTTP("AMQP", "AMQP\0\0\x09\x01"),
	NO_HTTP("RTSP", "RTSP/1.0 200 OK\r\n" HI),
	NO_HTTP("SIP", "SIP/2.0 200 OK\r\n" HI),
	NO_HTTP("ICAP", "ICAP/1.0 200 OK\r\n" HI),
	NO_HTTP("Shoutcast", "ICY 200 OK\r\nicy-name: a\r\n\r\nmusic"),
	NO_HTTP("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	NO_HTTP("settings of HTTP/2", "\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0"),
	NO_HTTP("goodbye of HTTP/2", "\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01"),
	NO_HTTP("WebSocket frame", "\x81\x05hello"),
	NO_HTTP("gzip", "\x1f\x8b\x08\0\0\0\0\0\0\x03"),
	NO_HTTP("NUL bytes", "\0\0\0\0"),
	NO_HTTP("high bytes", "\xff\xff\xff\xff"),
	NO_HTTP("JSON", "{\"status\": 200}\r\n"),
	FAILS("HTTP/0.9", "<html>hello</html>", ODD_FIN, "http_protocol_error"),
	FAILS("HTTP/0.9 that begins like HTTP", "HTTP is fine\r\n", ODD_FIN, "http_protocol_error"),
	FAILS("half the word", "HTT", ODD_FIN, "http_response_incomplete"),
	FAILS("half the word, RST", "HTT", ODD_RST, "http_response_incomplete"),
};
ODD_TESTS(odd_heads, other_protocols, NULL)

/* What begins like a head, byte by byte, may go on like one until a line ends: only the whole of it shows what it is. */
static const struct odd nearly_heads[] = {
	NO_HTTP("HTTP in UTF-16", "H\0T\0T\0P\0/\0001\0.\0001\0"),
	NO_HTTP("bare CR for every line end", "HTTP/1.1 200 OK\rContent-Length: 2\r\rhi\r\n"),
};
ODD_TEST(odd_heads, nearly_heads, _at_once, ODD_AT_ONCE, NULL)
ODD_TEST(odd_heads, nearly_heads, _post, ODD_POST, NULL)

#define ENDS_IN(name, sent)                                                                                                     \
	FAILS(name ", FIN", sent, ODD_FIN, "http_response_incomplete"),                                                         \
		FAILS(name ", RST", sent, ODD_RST, "http_response_incomplete")

/* The end of the connection at each point of a head. */
static const struct odd cut_heads[] = {
	FAILS("RST before a byte", "", ODD_RST, "connection_terminated"),
	FAILS("FIN before a byte", "", ODD_FIN, "connection_terminated"),
	ENDS_IN("within the version", "HTTP/1."),
	ENDS_IN("behind the version", "HTTP/1.1 "),
	ENDS_IN("within the code", "HTTP/1.1 20"),
	ENDS_IN("behind the code", "HTTP/1.1 200"),
	ENDS_IN("within the reason", "HTTP/1.1 200 O"),
	ENDS_IN("behind the CR of the status line", "HTTP/1.1 200 OK\r"),
	ENDS_IN("behind the status line", OK),
	ENDS_IN("within a name", OK "Content-Le"),
	ENDS_IN("behind a colon", OK "Content-Length:"),
	ENDS_IN("within a value", OK "Content-Length: 2"),
	ENDS_IN("behind a CR", OK "Content-Length: 2\r"),
	ENDS_IN("behind a field", OK "Content-Length: 2\r\n"),
	ENDS_IN("within the empty line", OK "Content-Length: 2\r\n\r"),
};
ODD_TESTS(odd_heads, cut_heads, NULL)

/* ---- heads too large for a table ---- */

static void play_made(const char *name, const struct bytes *sent, enum odd_outcome outcome, bool kept, const char *error)
{
	const struct odd row = { name, NULL, sent->p, sent->n, ODD_STAYS, outcome, kept, NULL, "hi", error };
	struct rig r;
	unsigned line = 0;

	rig_start_with(&r, "limits: {max_header_bytes: 64KiB, max_headers: 100}\n");
	odd_play(&r, &row, ODD_WHOLE, &line);
	odd_play(&r, &row, ODD_AT_ONCE, &line);
	odd_play(&r, &row, ODD_POST, &line);
	rig_end(&r);
}

/* A field line repeated before a small answer. */
static void play_repeated(const char *name, const char *line, unsigned n, enum odd_outcome outcome, const char *error)
{
	struct bytes sent = { 0 };

	bytes_printf(&sent, OK);
	bytes_repeat(&sent, line, n);
	bytes_printf(&sent, HI);
	play_made(name, &sent, outcome, outcome == ODD_PASSES, error);
	bytes_free(&sent);
}

Test(odd_heads, as_many_fields_as_allowed)
{
	play_repeated("99 and the length", "X-A: b\r\n", 99, ODD_PASSES, NULL);
	play_repeated("99 empty ones and the length", "a:\r\n", 99, ODD_PASSES, NULL);
}

Test(odd_heads, too_many_fields)
{
	play_repeated("100 and the length", "X-A: b\r\n", 100, ODD_FAILS, "http_response_header_section_size");
	play_repeated("20000 empty ones", "a:\r\n", 20000, ODD_FAILS, "http_response_header_section_size");
	play_repeated("one folded 20000 times", " \r\n", 20000, ODD_FAILS, "http_protocol_error");
}

/* Each name in Connection costs a walk over the fields: their number is bounded as that of the fields. */
Test(odd_heads, too_many_options)
{
	struct bytes sent = { 0 };

	bytes_printf(&sent, OK "Connection: a");
	bytes_repeat(&sent, ",b", 30000);
	bytes_printf(&sent, "\r\n" HI);
	play_made("30000 options", &sent, ODD_FAILS, false, "http_response_header_section_size");
	bytes_free(&sent);
}

Test(odd_heads, large_values)
{
	static const struct {
		unsigned n;
		enum odd_outcome outcome;
	} sizes[] = { { 8000, ODD_PASSES }, { 65000, ODD_PASSES }, { 65536, ODD_FAILS }, { 70000, ODD_FAILS },
		{ 1000000, ODD_FAILS } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bytes sent = { 0 };

		bytes_printf(&sent, OK "X-Long: ");
		bytes_repeat(&sent, "v", sizes[i].n);
		bytes_printf(&sent, "\r\n" HI);
		play_made("a large value", &sent, sizes[i].outcome, sizes[i].outcome == ODD_PASSES,
			"http_response_header_section_size");
		bytes_free(&sent);
	}
}

Test(odd_heads, endless_lines)
{
	static const char *const beginnings[] = { "HTTP/1.1 200 ", OK, OK "X-A: b\r\n ", "HTTP/1.1 103 X\r\n" };

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		struct bytes sent = { 0 };

		bytes_printf(&sent, "%s", beginnings[i]);
		bytes_repeat(&sent, "n", 200000);
		play_made(beginnings[i], &sent, ODD_FAILS, false, "http_response_header_section_size");
		bytes_free(&sent);
	}
}

/* Interim answers are passed on, but not without end. */
Test(odd_heads, storm_of_interim_answers)
{
	static const struct {
		unsigned n;
		enum odd_outcome outcome;
	} storms[] = { { 100, ODD_PASSES }, { 101, ODD_FAILS }, { 20000, ODD_FAILS } };

	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		struct bytes sent = { 0 };

		bytes_repeat(&sent, "HTTP/1.1 102 Processing\r\n\r\n", storms[i].n);
		bytes_printf(&sent, OK HI);
		play_made("a storm", &sent, storms[i].outcome, storms[i].outcome == ODD_PASSES, "http_protocol_error");
		bytes_free(&sent);
	}
}
