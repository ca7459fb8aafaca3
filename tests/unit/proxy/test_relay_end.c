/*
 * relay: bodies that end where they may not: cut short, reset, malformed, or with nobody left to take them.
 */
#include "rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(relay_end, .timeout = 60);

#define HEAD "HTTP/1.1 200 OK\r\n\r\n"

static const struct {
	const char *what;
	enum http_body body;
	const char *in;
} cut_bodies[] = {
	{ "a length, before its first byte", HTTP_BODY_LENGTH, "" },
	{ "a length, before its last byte", HTTP_BODY_LENGTH, "1234" },
	{ "chunked, before its first byte", HTTP_BODY_CHUNKED, "" },
	{ "chunked, in a size", HTTP_BODY_CHUNKED, "1" },
	{ "chunked, in the line end of a size", HTTP_BODY_CHUNKED, "1\r" },
	{ "chunked, before data", HTTP_BODY_CHUNKED, "1\r\n" },
	{ "chunked, in data", HTTP_BODY_CHUNKED, "5\r\nabcd" },
	{ "chunked, behind data", HTTP_BODY_CHUNKED, "1\r\na" },
	{ "chunked, behind a chunk", HTTP_BODY_CHUNKED, "1\r\na\r\n" },
	{ "chunked, in the last chunk", HTTP_BODY_CHUNKED, "1\r\na\r\n0\r\n" },
	{ "chunked, in the last line end", HTTP_BODY_CHUNKED, "1\r\na\r\n0\r\n\r" },
	{ "chunked, in a trailer", HTTP_BODY_CHUNKED, "0\r\nA: 1" },
	{ "chunked, behind a trailer", HTTP_BODY_CHUNKED, "0\r\nA: 1\r\n" },
};

/* The far side must never see an end that was not there. */
Test(relay_end, early_end_is_told_and_never_made_whole)
{
	for (size_t i = 0; i < ARRAY_LEN(cut_bodies); i++) {
		struct span head = SPAN(HEAD);
		enum http_error error;
		struct relay r;
		struct rig rig;

		rig_init(&rig, (struct rig_options){ .tcp = false });
		relay_init(&r, cut_bodies[i].body, 5, cut_bodies[i].body == HTTP_BODY_CHUNKED);
		rig_feed(&rig, span_of_string(cut_bodies[i].in));
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_WAIT_READ, "%s", cut_bodies[i].what);
		rig_feed_end(&rig);
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_SOURCE_END, "%s", cut_bodies[i].what);
		cr_expect_not(r.done, "%s", cut_bodies[i].what);
		cr_expect_neq(memcmp(rig.got.p + rig.got.n - 4, "\r\n\r\n", 4) == 0 && rig.got.n > sizeof(HEAD) - 1, true,
			"%s: an end came out", cut_bodies[i].what);
		rig_deinit(&rig);
	}
}

/* What came before the reset is passed on; then it is told apart from an end. */
Test(relay_end, reset_is_told)
{
	static const enum http_body kinds[] = { HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct span head = SPAN(HEAD);
		enum http_error error;
		struct relay r;
		struct rig rig;

		rig_init(&rig, (struct rig_options){ .tcp = true });
		relay_init(&r, kinds[i], 1000, false);
		rig_feed(&rig, SPAN("5\r\nhello\r\n"));
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_WAIT_READ);
		rig_feed_reset(&rig);
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_SOURCE_FAILED, "kind %d", kinds[i]);
		cr_expect_eq(rig.from.peer.conn.error, ECONNRESET);
		cr_expect_not(r.done);
		rig_deinit(&rig);
	}
}

/*
 * The bytes and the reset behind them may show as one edge. Nothing else will come then: whoever takes the bytes must find
 * the reset as well.
 */
Test(relay_end, reset_right_behind_bytes_is_told)
{
	static const enum http_body kinds[] = { HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct span head = SPAN(HEAD);
		enum http_error error;
		struct relay r;
		struct rig rig;

		rig_init(&rig, (struct rig_options){ .tcp = true });
		relay_init(&r, kinds[i], 1000, false);
		cr_assert_eq(send(rig.from.far, "5\r\nhello\r\n", 10, MSG_NOSIGNAL), 10);
		rig_feed_reset(&rig);
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_SOURCE_FAILED, "kind %d", kinds[i]);
		cr_expect_not(r.done);
		rig_deinit(&rig);
	}
}

static const struct {
	const char *what;
	const char *in;
	enum http_error error;
} malformed[] = {
	{ "no size", "x\r\n", HTTP_ERROR_CHUNK_SIZE },
	{ "a size beyond all numbers", "ffffffffffffffff\r\n", HTTP_ERROR_CHUNK_SIZE },
	{ "a bare LF", "1\na\r\n", HTTP_ERROR_BARE_LF },
	{ "no line end behind data", "1\r\nab", HTTP_ERROR_CHUNK_END },
	{ "data and then nonsense in one read", "3\r\nabc\r\nx", HTTP_ERROR_CHUNK_SIZE },
	{ "a broken extension", "1;=\r\na\r\n", HTTP_ERROR_CHUNK_EXTENSION },
	{ "a trailer without colon", "0\r\nabc\r\n\r\n", HTTP_ERROR_TRAILER },
};

/* Then the head can still be replaced by an answer that says what is wrong. */
Test(relay_end, malformed_before_anything_was_sent_leaves_the_head)
{
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct span head = SPAN(HEAD);
		enum http_error error = HTTP_ERROR_NONE;
		struct relay r;
		struct rig rig;

		rig_init(&rig, (struct rig_options){ .tcp = false });
		relay_init(&r, HTTP_BODY_CHUNKED, 0, true);
		rig_feed(&rig, span_of_string(malformed[i].in));
		/* As after a head that was read together with its body's begin. */
		cr_assert_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
		cr_expect_eq(rig_run(&rig, &r, &head, &error), RELAY_MALFORMED, "%s", malformed[i].what);
		cr_expect_eq(error, malformed[i].error, "%s: %s", malformed[i].what, http_error_name(error));
		cr_expect(span_eq(head, SPAN(HEAD)), "%s: the head is gone", malformed[i].what);
		cr_expect_eq(rig_take(&rig, SIZE_MAX), 0, "%s: something was sent", malformed[i].what);
		rig_deinit(&rig);
	}
}

Test(relay_end, malformed_later_is_told)
{
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct span head = SPAN(HEAD);
		enum http_error error = HTTP_ERROR_NONE;
		struct relay r;
		struct rig rig;

		rig_init(&rig, (struct rig_options){ .tcp = false });
		relay_init(&r, HTTP_BODY_CHUNKED, 0, true);
		rig_feed(&rig, SPAN("2\r\nok\r\n"));
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_WAIT_READ);
		rig_feed(&rig, span_of_string(malformed[i].in));
		cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_MALFORMED, "%s", malformed[i].what);
		cr_expect_eq(error, malformed[i].error, "%s: %s", malformed[i].what, http_error_name(error));
		cr_expect(span_eq(text_span(&rig.got), SPAN(HEAD "2\r\nok\r\n")), "%s: out came %.*s", malformed[i].what,
			SPAN_ARG(text_span(&rig.got)));
		rig_deinit(&rig);
	}
}

/* A trailer line that never ends is refused once it is beyond its bound, and no more than that is held. */
Test(relay_end, endless_trailer_is_refused)
{
	static char line[4096];
	struct span head = SPAN_EMPTY;
	enum relay_result result = RELAY_WAIT_READ;
	enum http_error error = HTTP_ERROR_NONE;
	size_t fed = 0;
	struct relay r;
	struct rig rig;

	memset(line, 'a', sizeof(line));
	rig_init(&rig, (struct rig_options){ .tcp = false });
	relay_init(&r, HTTP_BODY_CHUNKED, 0, true);
	rig_feed(&rig, SPAN("0\r\nX: "));
	while (result == RELAY_WAIT_READ && fed < 10 * HTTP_TRAILER_BYTES_MAX) {
		rig_feed(&rig, span_of(line, sizeof(line)));
		fed += sizeof(line);
		result = rig_run_through(&rig, &r, &head, &error);
		cr_expect_leq(rig.from.peer.in.n, HTTP_TRAILER_BYTES_MAX + 2048);
	}
	cr_expect_eq(result, RELAY_MALFORMED);
	cr_expect_eq(error, HTTP_ERROR_TRAILER);
	cr_expect_leq(fed, HTTP_TRAILER_BYTES_MAX + 2 * sizeof(line));
	rig_deinit(&rig);
}

Test(relay_end, target_that_is_gone_is_told)
{
	struct span head = SPAN(HEAD);
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = false });
	relay_init(&r, HTTP_BODY_LENGTH, 100, false);
	rig_feed(&rig, SPAN("hello"));
	cr_expect_eq(rig_run_through(&rig, &r, &head, &error), RELAY_WAIT_READ);
	cr_assert_eq(close(rig.to.far), 0);
	rig.to.far = -1;
	rig_edges(&rig);
	rig_feed(&rig, SPAN("hello"));
	cr_expect_eq(rig_run(&rig, &r, &head, &error), RELAY_TARGET_FAILED);
	rig_deinit(&rig);
}
