/*
 * relay: how a body goes in and how it comes out: every pair of framings, whole and split at every byte.
 */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(relay, .timeout = 60);

#define HEAD "HTTP/1.1 200 OK\r\n\r\n"

static const struct {
	const char *what;
	enum http_body body;
	uint64_t length;
	bool chunk_out;
	const char *in;
	bool in_ends;
	const char *content; /* what comes out, without chunk framing */
	const char *trailers;
	const char *left; /* what the relay must not touch */
} bodies[] = {
	{ "no body", HTTP_BODY_NONE, 0, false, "GET /next", false, "", "", "GET /next" },
	{ "length 0", HTTP_BODY_LENGTH, 0, false, "GET /next", false, "", "", "GET /next" },
	{ "a length", HTTP_BODY_LENGTH, 5, false, "hello", false, "hello", "", "" },
	{ "a length, then the next message", HTTP_BODY_LENGTH, 5, false, "helloGET /next", false, "hello", "", "GET /next" },
	{ "a length, then the end of the stream", HTTP_BODY_LENGTH, 5, false, "hello", true, "hello", "", "" },
	{ "until close", HTTP_BODY_UNTIL_CLOSE, 0, false, "hello", true, "hello", "", "" },
	{ "until close, nothing", HTTP_BODY_UNTIL_CLOSE, 0, false, "", true, "", "", "" },
	{ "until close to chunked", HTTP_BODY_UNTIL_CLOSE, 0, true, "hello", true, "hello", "", "" },
	{ "until close to chunked, nothing", HTTP_BODY_UNTIL_CLOSE, 0, true, "", true, "", "", "" },
	{ "chunked to chunked", HTTP_BODY_CHUNKED, 0, true,
		"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", false, "hello world", "", "" },
	{ "chunked to until close", HTTP_BODY_CHUNKED, 0, false,
		"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", false, "hello world", "", "" },
	{ "chunked, nothing", HTTP_BODY_CHUNKED, 0, true, "0\r\n\r\n", false, "", "", "" },
	{ "chunked to until close, nothing", HTTP_BODY_CHUNKED, 0, false, "0\r\n\r\n", false, "", "", "" },
	{ "chunked, then the next message", HTTP_BODY_CHUNKED, 0, true, "1\r\na\r\n0\r\n\r\n1\r\nb\r\n0\r\n\r\n", false, "a", "",
		"1\r\nb\r\n0\r\n\r\n" },
	{ "extensions go", HTTP_BODY_CHUNKED, 0, true, "1;a=\"b\\\"\";c\r\nx\r\n0;d\r\n\r\n", false, "x", "", "" },
	{ "sizes are ours", HTTP_BODY_CHUNKED, 0, true,
		"00000A\r\n0123456789\r\n000\r\n\r\n", false, "0123456789", "", "" },
	{ "trailers pass as they came", HTTP_BODY_CHUNKED, 0, true,
		"1\r\nx\r\n0\r\nX-Sum:  1 \r\nb:\r\nX-Sum: 2\r\n\r\nGET /", false,
		"x", "X-Sum:  1 \r\nb:\r\nX-Sum: 2\r\n", "GET /" },
	{ "trailers without content", HTTP_BODY_CHUNKED, 0, true, "0\r\nX-Sum: 1\r\n\r\n", false, "", "X-Sum: 1\r\n", "" },
	{ "trailers that must not be", HTTP_BODY_CHUNKED, 0, true,
		"0\r\nContent-Length: 3\r\nX: 1\r\nTransfer-Encoding: chunked\r\nhost: b\r\n\r\n", false, "", "X: 1\r\n", "" },
	{ "trailers have no place where the far side is not chunked", HTTP_BODY_CHUNKED, 0, false,
		"1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n", false, "x", "", "" },
	{ "bytes that look like framing", HTTP_BODY_CHUNKED, 0, true, "9\r\n0\r\n\r\n5\r\n-\r\n0\r\n\r\n", false,
		"0\r\n\r\n5\r\n-", "", "" },
};

/* The relay is done: what came out, what is left of the source, and what was counted. */
static void expect_outcome(struct rig *rig, const struct relay *r, size_t i, const char *how)
{
	struct span out = text_span(&rig->got);
	struct text content, trailers;

	text_init(&content);
	text_init(&trailers);
	cr_assert(span_starts_with(out, SPAN(HEAD)), "%s, %s: no head before the body", bodies[i].what, how);
	out = span_skip(out, sizeof(HEAD) - 1);
	if (bodies[i].chunk_out)
		cr_expect_eq(rig_unchunk(out, &content, &trailers), out.n, "%s, %s: bytes behind the end", bodies[i].what, how);
	else
		text_put_span(&content, out);
	cr_expect(span_eq(text_span(&content), span_of_string(bodies[i].content)), "%s, %s: content is %.*s", bodies[i].what, how,
		SPAN_ARG(text_span(&content)));
	cr_expect(span_eq(text_span(&trailers), span_of_string(bodies[i].trailers)), "%s, %s: trailers are %.*s", bodies[i].what,
		how, SPAN_ARG(text_span(&trailers)));
	cr_expect_eq(r->content_bytes, strlen(bodies[i].content), "%s, %s: counted %u", bodies[i].what, how,
		(unsigned)r->content_bytes);
	text_deinit(&content);
	text_deinit(&trailers);
}

static void expect_left(struct rig *rig, size_t i, const char *how)
{
	struct span want = span_of_string(bodies[i].left);
	struct span left;

	while (peer_bytes(&rig->from.peer).n < want.n)
		cr_assert_eq(peer_fetch_more(&rig->w, &rig->from.peer, want.n), PEER_BYTES, "%s, %s: the rest is gone",
			bodies[i].what, how);
	left = peer_bytes(&rig->from.peer);
	cr_expect(span_eq(left, want), "%s, %s: left is %.*s", bodies[i].what, how, SPAN_ARG(left));
}

/*
 * The body in two parts: the second comes when all of the first has been dealt with. between: what a task does at its end.
 */
static void relay_split(size_t i, size_t at, bool settle_between)
{
	struct span in = span_of_string(bodies[i].in);
	struct span head = SPAN(HEAD);
	enum http_error error = HTTP_ERROR_NONE;
	enum relay_result result;
	struct relay r;
	struct rig rig;
	char how[32];

	(void)snprintf(how, sizeof(how), "split at %zu", at);
	rig_init(&rig, (struct rig_options){ .tcp = false });
	relay_init(&r, bodies[i].body, bodies[i].length, bodies[i].chunk_out);
	rig_feed(&rig, span_first(in, at));
	result = rig_run_through(&rig, &r, &head, &error);
	cr_expect_eq(head.n, 0, "%s, %s: the head waits", bodies[i].what, how);
	if (settle_between) {
		cr_assert_eq(peer_settle(&rig.w, &rig.from.peer), 0);
		memset(rig.w.scratch, '!', WORKER_SCRATCH_BYTES);
	}
	if (result != RELAY_DONE) {
		cr_expect_eq(result, RELAY_WAIT_READ, "%s, %s: %d", bodies[i].what, how, result);
		rig_feed(&rig, span_skip(in, at));
		if (bodies[i].in_ends)
			rig_feed_end(&rig);
		result = rig_run_through(&rig, &r, &head, &error);
	} else {
		rig_feed(&rig, span_skip(in, at));
	}
	cr_expect_eq(result, RELAY_DONE, "%s, %s: %d", bodies[i].what, how, result);
	expect_outcome(&rig, &r, i, how);
	expect_left(&rig, i, how);
	/* Done stays done, and costs nothing. */
	cr_expect_eq(rig_run(&rig, &r, &head, &error), RELAY_DONE);
	cr_expect_eq(rig_take(&rig, SIZE_MAX), 0, "%s, %s: more came behind the end", bodies[i].what, how);
	rig_deinit(&rig);
}

Test(relay, passes_every_body_split_anywhere)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		for (size_t at = 0; at <= strlen(bodies[i].in); at++) {
			relay_split(i, at, false);
			relay_split(i, at, true);
		}
	}
}

/* Byte by byte, each dealt with before the next comes. */
Test(relay, passes_a_body_that_drips)
{
	static const char in[] = "3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nA: 1\r\nB: 2\r\n\r\n";
	struct span head = SPAN_EMPTY;
	struct text content, trailers;
	enum relay_result result = RELAY_WAIT_READ;
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = false });
	text_init(&content);
	text_init(&trailers);
	relay_init(&r, HTTP_BODY_CHUNKED, 0, true);
	for (size_t i = 0; i < sizeof(in) - 1; i++) {
		cr_assert_eq(result, RELAY_WAIT_READ, "over after %zu bytes", i);
		rig_feed(&rig, span_of(in + i, 1));
		result = rig_run_through(&rig, &r, &head, &error);
		cr_assert_eq(peer_settle(&rig.w, &rig.from.peer), 0);
	}
	cr_expect_eq(result, RELAY_DONE);
	cr_expect_eq(rig_unchunk(text_span(&rig.got), &content, &trailers), rig.got.n);
	cr_expect(span_eq(text_span(&content), SPAN("abc0123456789abcdef")));
	cr_expect(span_eq(text_span(&trailers), SPAN("A: 1\r\nB: 2\r\n")));
	text_deinit(&content);
	text_deinit(&trailers);
	rig_deinit(&rig);
}

/* More stretches of data in one read than one write takes. */
Test(relay, passes_many_small_chunks_of_one_read)
{
	enum { CHUNKS = 5000 };
	struct span head = SPAN(HEAD);
	struct text in, content, trailers;
	enum http_error error;
	struct relay r;
	struct rig rig;

	text_init(&in);
	text_init(&content);
	text_init(&trailers);
	for (unsigned i = 0; i < CHUNKS; i++)
		text_printf(&in, "1\r\n%c\r\n", (int)('a' + i % 26));
	text_put_literal(&in, "0\r\nEnd: 1\r\n\r\n");
	rig_init(&rig, (struct rig_options){ .tcp = false });
	relay_init(&r, HTTP_BODY_CHUNKED, 0, true);
	rig_feed(&rig, text_span(&in));
	cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_DONE);
	cr_assert(span_starts_with(text_span(&rig.got), SPAN(HEAD)));
	(void)rig_unchunk(span_skip(text_span(&rig.got), sizeof(HEAD) - 1), &content, &trailers);
	cr_assert_eq(content.n, CHUNKS);
	for (unsigned i = 0; i < CHUNKS; i++)
		cr_assert_eq(content.p[i], 'a' + i % 26, "byte %u", i);
	cr_expect(span_eq(text_span(&trailers), SPAN("End: 1\r\n")));
	cr_expect_lt(rig.got.n, in.n, "chunks of one read go out as fewer");
	text_deinit(&in);
	text_deinit(&content);
	text_deinit(&trailers);
	rig_deinit(&rig);
}

/* The head of an event stream must not wait for the first event. */
Test(relay, sends_a_head_before_there_is_a_body)
{
	struct span head = SPAN(HEAD);
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = false });
	relay_init(&r, HTTP_BODY_UNTIL_CLOSE, 0, true);
	cr_expect_eq(rig_run(&rig, &r, &head, &error), RELAY_WAIT_READ);
	cr_expect_eq(head.n, 0);
	cr_expect_eq(rig_take(&rig, SIZE_MAX), sizeof(HEAD) - 1);
	rig_feed(&rig, SPAN("x"));
	cr_expect_eq(rig_run(&rig, &r, &head, &error), RELAY_WAIT_READ);
	cr_expect_eq(rig_take(&rig, SIZE_MAX), 6, "a chunk of one byte goes out at once");
	rig_deinit(&rig);
}

/* What the target could not take before (an interim answer) goes first. */
Test(relay, keeps_the_order_with_what_waits)
{
	struct span head = SPAN(HEAD);
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = false });
	cr_assert_eq(buffer_append(&rig.w.blocks, &rig.to.peer.out, SPAN("HTTP/1.1 100 Continue\r\n\r\n")), 0);
	relay_init(&r, HTTP_BODY_LENGTH, 4, false);
	rig_feed(&rig, SPAN("body"));
	cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_DONE);
	cr_expect(span_eq(text_span(&rig.got), SPAN("HTTP/1.1 100 Continue\r\n\r\n" HEAD "body")));
	rig_deinit(&rig);
}

/* They may hold what Connection named for the other side only: none passes, and the end is there all the same. */
Test(relay, leaves_out_trailers_that_may_be_private)
{
	struct span head = SPAN(HEAD);
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = false });
	relay_init(&r, HTTP_BODY_CHUNKED, 0, true);
	r.drop_trailers = true;
	rig_feed(&rig, SPAN("1\r\nx\r\n0\r\nX-Secret: 1\r\nX-Sum: 2\r\n\r\n"));
	cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_DONE);
	cr_expect(span_eq(text_span(&rig.got), SPAN(HEAD "1\r\nx\r\n0\r\n\r\n")));
	rig_deinit(&rig);
}
