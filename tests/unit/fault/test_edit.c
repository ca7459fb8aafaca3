/*
 * edit: heads before and after, byte for byte, as the writers of heads send them.
 */
#include "fault/edit.h"

#include <criterion/criterion.h>

#include "http/write.h"

TestSuite(edit, .timeout = 60);

#define LINES_MAX 4
#define EDITS_MAX 3

/* An edit in literals. */
struct asked {
	unsigned status;
	const char *set[LINES_MAX][2];
	const char *add[LINES_MAX][2];
	const char *remove[LINES_MAX];
	const char *body;
	const char *type;
	const char *path;
};

struct built {
	struct fault_edit edit;
	struct fault_field set[LINES_MAX], add[LINES_MAX];
	struct span remove[LINES_MAX];
};

static unsigned build_lines(struct fault_field *fields, const char *const (*lines)[2])
{
	unsigned n = 0;

	for (; n < LINES_MAX && lines[n][0]; n++)
		fields[n] = (struct fault_field){ span_of_string(lines[n][0]), span_of_string(lines[n][1]) };
	return n;
}

static void build(struct built *b, const struct asked *a)
{
	b->edit = (struct fault_edit){
		.is_set = true, .status = (uint16_t)a->status, .set = b->set, .add = b->add, .remove = b->remove,
		.has_body = a->body != NULL, .body = span_of_string(a->body), .content_type = span_of_string(a->type),
		.path = span_of_string(a->path),
	};
	b->edit.n_set = build_lines(b->set, a->set);
	b->edit.n_add = build_lines(b->add, a->add);
	for (; b->edit.n_remove < LINES_MAX && a->remove[b->edit.n_remove]; b->edit.n_remove++)
		b->remove[b->edit.n_remove] = span_of_string(a->remove[b->edit.n_remove]);
}

struct edits {
	struct built built[EDITS_MAX];
	const struct fault_edit *v[EDITS_MAX];
};

static void build_all(struct edits *e, const struct asked *asked, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		build(&e->built[i], &asked[i]);
		e->v[i] = &e->built[i].edit;
	}
}

static void expect_bytes(const char *what, struct span got, const char *want)
{
	cr_expect(span_eq(got, span_of_string(want)), "%s:\n%.*s\nnot\n%s", what, SPAN_ARG(got), want);
}

/* ---- requests ---- */

#define ASK "GET /shop/a?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nCookie: c=1\r\nX-A: 1\r\nCOOKIE: d=2\r\n"

static const struct {
	const char *what;
	const char *received;
	unsigned n;
	struct asked asked[EDITS_MAX];
	const char *host; /* NULL: as it is */
	const char *sent;
} requests[] = {
	{ "no edit", ASK "\r\n", 0, { { 0 } }, NULL, ASK "\r\n" },
	{ "an edit of nothing", ASK "\r\n", 1, { { 0 } }, NULL, ASK "\r\n" },
	{ "remove takes all lines, in any case", ASK "\r\n", 1, { { .remove = { "cookie" } } }, NULL,
		"GET /shop/a?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nX-A: 1\r\n\r\n" },
	{ "remove of what is not there", ASK "\r\n", 1, { { .remove = { "cook", "cookies", "" } } }, NULL, ASK "\r\n" },
	{ "set takes the place of all lines", ASK "\r\n", 1, { { .set = { { "Cookie", "e=3" } } } }, NULL,
		"GET /shop/a?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nX-A: 1\r\nCookie: e=3\r\n\r\n" },
	{ "set of what is not there", ASK "\r\n", 1, { { .set = { { "x-b", "2" } } } }, NULL, ASK "x-b: 2\r\n\r\n" },
	{ "set to nothing", ASK "\r\n", 1, { { .set = { { "x-a", "" } } } }, NULL,
		"GET /shop/a?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nCookie: c=1\r\nCOOKIE: d=2\r\nx-a: \r\n\r\n" },
	{ "add keeps what is there", ASK "\r\n", 1, { { .add = { { "X-A", "2" }, { "X-A", "3" } } } }, NULL,
		ASK "X-A: 2\r\nX-A: 3\r\n\r\n" },
	{ "set and add of one name", ASK "\r\n", 1, { { .set = { { "X-A", "2" } }, .add = { { "x-a", "3" } } } }, NULL,
		"GET /shop/a?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nCookie: c=1\r\nCOOKIE: d=2\r\nX-A: 2\r\nx-a: 3\r\n\r\n" },
	{ "the path, the query stays", ASK "\r\n", 1, { { .path = "/other" } }, NULL,
		"GET /other?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nCookie: c=1\r\nX-A: 1\r\nCOOKIE: d=2\r\n\r\n" },
	{ "the last path", ASK "\r\n", 3, { { .path = "/other" }, { .path = "/last" }, { 0 } }, NULL,
		"GET /last?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nCookie: c=1\r\nX-A: 1\r\nCOOKIE: d=2\r\n\r\n" },
	{ "the path of an absolute target", "GET http://up/a?b HTTP/1.1\r\nHost: up\r\n\r\n", 1, { { .path = "/c" } }, NULL,
		"GET /c?b HTTP/1.1\r\nHost: up\r\n\r\n" },
	{ "an asterisk has no path", "OPTIONS * HTTP/1.1\r\nHost: up\r\n\r\n", 1, { { .path = "/c" } }, NULL,
		"OPTIONS * HTTP/1.1\r\nHost: up\r\n\r\n" },
	{ "Host is told apart", ASK "\r\n", 2, { { .set = { { "host", "other:1" } }, .remove = { "host" } }, { 0 } }, "other:1",
		ASK "\r\n" },
	{ "the last Host", ASK "\r\n", 2, { { .set = { { "Host", "a" } } }, { .add = { { "Host", "b" } } } }, "b", ASK "\r\n" },
	{ "framing stands", "POST / HTTP/1.1\r\nHost: up\r\nContent-Length: 3\r\nMax-Forwards: 2\r\nExpect: 100-continue\r\n\r\n",
		1,
		{ { .set = { { "Content-Length", "4" }, { "Transfer-Encoding", "chunked" }, { "Connection", "close" },
			    { "Upgrade", "h2c" } },
			.add = { { "TE", "gzip" }, { "Keep-Alive", "9" }, { "Trailer", "X-T" }, { "Proxy-Connection", "a" } },
			.remove = { "content-length", "max-forwards", "expect", "host" } } }, NULL,
		"POST / HTTP/1.1\r\nHost: up\r\nContent-Length: 3\r\nMax-Forwards: 2\r\nExpect: 100-continue\r\n\r\n" },
	{ "a later edit takes what an earlier one has set", ASK "\r\n", 3,
		{ { .set = { { "X-N", "1" } }, .add = { { "X-M", "1" } } }, { .remove = { "x-n" } }, { .set = { { "X-M",
			"2" } } } },
		NULL, ASK "X-M: 2\r\n\r\n" },
	{ "a later edit sets what an earlier one has removed", ASK "\r\n", 2,
		{ { .remove = { "x-a" } }, { .add = { { "X-A", "9" } } } }, NULL,
		"GET /shop/a?x=1 HTTP/1.1\r\nHost: up\r\nAccept: a\r\nCookie: c=1\r\nCOOKIE: d=2\r\nX-A: 9\r\n\r\n" },
	{ "edits add up", ASK "\r\n", 2, { { .add = { { "X-N", "1" } } }, { .add = { { "X-N", "2" } } } }, NULL,
		ASK "X-N: 1\r\nX-N: 2\r\n\r\n" },
};

Test(edit, of_a_request_is_what_was_asked_for)
{
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct http_field v[16];
		struct http_request r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
		struct http_forward_request how = { .max_forwards = -1 };
		struct span host = SPAN_EMPTY;
		struct text extra, out;
		struct edits e;
		enum http_error error;

		cr_assert_eq(http_request_parse(&r, requests[i].received, strlen(requests[i].received), &error), HTTP_PARSE_OK);
		build_all(&e, requests[i].asked, requests[i].n);
		text_init(&extra);
		text_init(&out);
		fault_edit_request(e.v, requests[i].n, &r, &extra, &host);
		how.extra = text_span(&extra);
		http_write_request_head(&out, &r, &how);
		expect_bytes(requests[i].what, text_span(&out), requests[i].sent);
		expect_bytes(requests[i].what, host, requests[i].host ? requests[i].host : "");
		text_deinit(&extra);
		text_deinit(&out);
	}
}

/* ---- responses ---- */

#define COOKIES "Set-Cookie: a=1\r\nset-cookie: b=2\r\n"
#define GET HTTP_METHOD_GET
#define HEAD HTTP_METHOD_HEAD
#define ABOUT_5                                                                                                                 \
	"Content-Type: text/x\r\nContent-Encoding: gzip\r\nETag: \"e\"\r\nLast-Modified: m\r\nAccept-Ranges: bytes\r\n"         \
	"Content-MD5: 5\r\nDigest: d\r\nContent-Digest: d\r\nRepr-Digest: d\r\nContent-Length: 5\r\n"

static const struct {
	const char *what;
	const char *received;
	enum http_method to;
	unsigned n;
	struct asked asked[EDITS_MAX];
	const char *head;
	bool replaces;
	const char *content; /* of ours */
	enum http_body body;
	uint64_t length;
	bool names_date;
} responses[] = {
	{ "no edit", "HTTP/1.1 200 Fine\r\n" COOKIES ABOUT_5 "\r\n", GET, 0, { { 0 } },
		"HTTP/1.1 200 Fine\r\n" COOKIES ABOUT_5 "\r\n", false, "", HTTP_BODY_LENGTH, 5, false },
	{ "a status, its reason with it", "HTTP/1.1 200 Fine\r\n" COOKIES ABOUT_5 "\r\n", GET, 1, { { .status = 503 } },
		"HTTP/1.1 503 Service Unavailable\r\n" COOKIES ABOUT_5 "\r\n", false, "", HTTP_BODY_LENGTH, 5, false },
	{ "the same status, the reason becomes the canonical one", "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\n", GET, 1,
		{ { .status = 200 } }, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, "", HTTP_BODY_LENGTH, 5, false },
	{ "the last status", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 3,
		{ { .status = 503 }, { .status = 404 }, { 0 } }, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", false, "",
		HTTP_BODY_LENGTH, 5, false },
	{ "a status that demands a field", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 1, { { .status = 401 } },
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\nWWW-Authenticate: Basic realm=\"brownout\"\r\n\r\n", false, "",
		HTTP_BODY_LENGTH, 5, false },
	{ "the field was received", "HTTP/1.1 403 No\r\nwww-authenticate: X\r\nContent-Length: 0\r\n\r\n", GET, 1,
		{ { .status = 401 } }, "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: X\r\nContent-Length: 0\r\n\r\n", false, "",
		HTTP_BODY_LENGTH, 0, false },
	{ "the field is set", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", GET, 2,
		{ { .status = 401 }, { .set = { { "WWW-authenticate", "Y" } } } },
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-authenticate: Y\r\n\r\n", false, "", HTTP_BODY_LENGTH, 0,
		false },
	{ "the field is removed and filled", "HTTP/1.1 403 No\r\nwww-authenticate: X\r\nContent-Length: 0\r\n\r\n", GET, 1,
		{ { .status = 401, .remove = { "www-authenticate" } } },
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"brownout\"\r\n\r\n", false, "",
		HTTP_BODY_LENGTH, 0, false },

	{ "content takes the description of the old one with it", "HTTP/1.1 200 OK\r\n" COOKIES ABOUT_5 "Vary: a\r\n\r\n",
		GET, 1, { { .body = "new content" } },
		"HTTP/1.1 200 OK\r\n" COOKIES "Content-Type: text/x\r\nVary: a\r\nContent-Length: 11\r\n\r\n", true,
			"new content",
		HTTP_BODY_LENGTH, 11, false },
	{ "content of a type", "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\n", GET, 1,
		{ { .body = "{}", .type = "application/json" } },
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n", true, "{}", HTTP_BODY_LENGTH, 2,
		false },
	{ "a type by name counts more", "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\n", GET, 1,
		{ { .body = "{}", .type = "application/json", .set = { { "content-type", "text/y" } } } },
		"HTTP/1.1 200 OK\r\ncontent-type: text/y\r\nContent-Length: 2\r\n\r\n", true, "{}", HTTP_BODY_LENGTH, 2, false },
	{ "the type of later content", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 2,
		{ { .body = "a", .type = "text/a", .set = { { "X", "1" } } }, { .body = "bc", .type = "text/b" } },
		"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Type: text/b\r\nContent-Length: 2\r\n\r\n", true, "bc", HTTP_BODY_LENGTH, 2,
			false },
	{ "a description that is asked for stays", "HTTP/1.1 200 OK\r\n" ABOUT_5 "\r\n", GET, 1,
		{ { .body = "x", .set = { { "ETag", "\"n\"" } }, .add = { { "Content-Encoding", "br" } } } },
		"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nETag: \"n\"\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\n",
			true, "x",
		HTTP_BODY_LENGTH, 1, false },
	{ "empty content", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 1, { { .body = "" } },
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, "", HTTP_BODY_LENGTH, 0, false },
	{ "content for a chunked answer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nX-A: 1\r\n\r\n",
		GET, 1, { { .body = "abc" } }, "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n", true, "abc",
		HTTP_BODY_LENGTH, 3, false },
	{ "fields of a chunked answer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n", GET, 1,
		{ { .set = { { "X-A", "2" } } } }, "HTTP/1.1 200 OK\r\nX-A: 2\r\n\r\n", false, "", HTTP_BODY_CHUNKED, 0, false },
	{ "content until the connection ends", "HTTP/1.0 200 OK\r\n\r\n", GET, 1, { { .body = "abc" } },
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, "abc", HTTP_BODY_LENGTH, 3, false },
	{ "content of an answer to HEAD is told, not sent", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HEAD, 1,
		{ { .body = "abc" } }, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, "", HTTP_BODY_NONE, 0, false },
	{ "a status to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HEAD, 1, { { .status = 500 } },
		"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\n", false, "", HTTP_BODY_NONE, 0, false },

	{ "to 204 goes the content", "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n", GET, 1, { { .status = 204 } },
		"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n", true, "", HTTP_BODY_NONE, 0, false },
	{ "to 204, with content", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 1, { { .status = 204, .body = "x" } },
		"HTTP/1.1 204 No Content\r\n\r\n", true, "", HTTP_BODY_NONE, 0, false },
	{ "to 205", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 1, { { .status = 205 } },
		"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", true, "", HTTP_BODY_LENGTH, 0, false },
	{ "to 304", "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\n", GET, 1, { { .status = 304 } },
		"HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n", true, "", HTTP_BODY_NONE, 0, false },
	{ "from 204 its end is told", "HTTP/1.1 204 No Content\r\n\r\n", GET, 1, { { .status = 500 } },
		"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", false, "", HTTP_BODY_LENGTH, 0, false },
	{ "from 304, whose length is another's", "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", GET, 1,
		{ { .status = 200 } }, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "", HTTP_BODY_LENGTH, 0, false },
	{ "from 204 with content", "HTTP/1.1 204 No Content\r\n\r\n", GET, 1, { { .status = 200, .body = "ab" } },
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, "ab", HTTP_BODY_LENGTH, 2, false },
	{ "204 stays without content", "HTTP/1.1 204 No Content\r\n\r\n", GET, 1, { { .body = "ab" } },
		"HTTP/1.1 204 No Content\r\n\r\n", false, "", HTTP_BODY_NONE, 0, false },

	{ "a part that is none any more",
		"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\n",
		GET, 1, { { .body = "ab" } }, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, "ab", HTTP_BODY_LENGTH, 2,
		false },
	{ "a part as a failure", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\n",
		GET, 1, { { .status = 500 } }, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\n", false, "",
		HTTP_BODY_LENGTH, 5, false },
	{ "framing stands", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET, 1,
		{ { .set = { { "Content-Length", "4" }, { "Connection", "close" } }, .add = { { "Transfer-Encoding",
			"chunked" } },
			.remove = { "content-length" } } }, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, "",
		HTTP_BODY_LENGTH, 5, false },

	{ "one of repeated fields is named", "HTTP/1.1 200 OK\r\n" COOKIES "X-A: 1\r\nContent-Length: 0\r\n\r\n", GET, 1,
		{ { .set = { { "Set-Cookie", "c=3" } } } },
			"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 0\r\nSet-Cookie: c=3\r\n\r\n",
		false, "", HTTP_BODY_LENGTH, 0, false },
	{ "Date set", "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\n\r\n", GET, 1, { { .set = { { "date", "e" } } } },
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\ndate: e\r\n\r\n", false, "", HTTP_BODY_LENGTH, 0, true },
	{ "Date removed", "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\n\r\n", GET, 2, { { .remove = { "date" } }, { 0 } },
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "", HTTP_BODY_LENGTH, 0, true },
};

Test(edit, of_a_response_is_what_was_asked_for)
{
	for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
		struct http_field v[24];
		struct http_response r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
		struct http_forward_response how = { .connection = HTTP_CONNECTION_DEFAULT };
		struct fault_edited got;
		struct text extra, out;
		struct edits e;
		enum http_error error;
		char received[1024];
		size_t n = strlen(responses[i].received);

		cr_assert_lt(n, sizeof(received));
		memcpy(received, responses[i].received, n);
		cr_assert_eq(http_response_parse(&r, received, n, responses[i].to, &error), HTTP_PARSE_OK, "%s",
			responses[i].what);
		build_all(&e, responses[i].asked, responses[i].n);
		text_init(&extra);
		text_init(&out);
		got = fault_edit_response(e.v, responses[i].n, responses[i].to, &r, &extra);
		how.extra = text_span(&extra);
		http_write_response_head(&out, &r, &how);
		expect_bytes(responses[i].what, text_span(&out), responses[i].head);
		expect_bytes(responses[i].what, got.body, responses[i].content);
		cr_expect_eq(got.replaces, responses[i].replaces, "%s: replaces", responses[i].what);
		cr_expect_eq(got.names_date, responses[i].names_date, "%s: Date", responses[i].what);
		cr_expect_eq(r.body, responses[i].body, "%s: body %d", responses[i].what, r.body);
		if (r.body == HTTP_BODY_LENGTH)
			cr_expect_eq(r.body_length, responses[i].length, "%s: length", responses[i].what);
		text_deinit(&extra);
		text_deinit(&out);
	}
}
