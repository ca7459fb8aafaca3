/*
 * relay: backpressure, bounded memory, bodies that are thrown away, and one scratch for many peers.
 */
#include "rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/ioctl.h>

TestSuite(relay_flow, .timeout = 120);

#define SMALL_BUFFER 4096
/* One read, and what frames it. */
#define HELD_BYTES_MAX (WORKER_SCRATCH_BYTES + 1024)

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static struct text random_bytes(size_t n, uint64_t seed)
{
	struct text t;
	char *at;

	text_init(&t);
	at = text_reserve(&t, n);
	cr_assert_not_null(at);
	for (size_t i = 0; i < n; i++)
		at[i] = (char)next_random(&seed);
	t.n = n;
	return t;
}

static int unread(const struct rig *rig)
{
	int n;

	cr_assert_eq(ioctl(rig->from.peer.conn.fd, FIONREAD, &n), 0);
	return n;
}

static void expect_bounded(const struct rig *rig)
{
	cr_assert_leq(rig->to.peer.out.n, HELD_BYTES_MAX, "%u bytes wait", rig->to.peer.out.n);
	cr_assert_leq(rig->from.peer.in.n, HELD_BYTES_MAX, "%u bytes are unused", rig->from.peer.in.n);
	cr_assert_leq(rig_blocks_used(rig), 2);
}

static const struct corruptor seen;

/* A target that takes nothing stops the reading; nothing is read until all that waits is gone. */
Test(relay_flow, waits_for_the_target)
{
	enum { N = 400000 };
	struct text body = random_bytes(N, 1);
	struct span none = SPAN_EMPTY;
	enum http_error error;
	struct relay r;
	struct rig rig;
	size_t fed;
	int before;

	rig_init(&rig, (struct rig_options){ .tcp = false, .send_buffer = SMALL_BUFFER });
	relay_init(&r, HTTP_BODY_LENGTH, N, false);
	r.corruptor = &seen; /* so that the bytes come by here */
	fed = rig_feed_some(&rig, text_span(&body));
	cr_assert_gt(fed, 100000);
	cr_expect_eq(rig_run(&rig, &r, &none, &error), RELAY_WAIT_WRITE);
	cr_expect_gt(rig.to.peer.out.n, 0);
	expect_bounded(&rig);
	before = unread(&rig);
	cr_expect_gt(before, 0);
	for (unsigned i = 0; i < 10; i++) {
		cr_expect_eq(relay_run(&rig.w, &r, &rig.from.peer, &rig.to.peer, &none, &error), RELAY_WAIT_WRITE);
		rig_edges(&rig);
	}
	cr_expect_eq(unread(&rig), before, "read on while its target was full");
	cr_expect_eq(rig.to.peer.conn.ready & CONN_WRITABLE, 0);

	/* The edge that ends the wait comes by itself. */
	rig.to.wakeups = 0;
	cr_expect_gt(rig_take(&rig, SIZE_MAX), 0);
	cr_expect_gt(rig.to.wakeups, 0);
	cr_expect(rig.to.peer.conn.ready & CONN_WRITABLE);
	while (rig.got.n < N) {
		fed += rig_feed_some(&rig, span_skip(text_span(&body), fed));
		if (rig_run_through(&rig, &r, &none, &error) == RELAY_DONE)
			break;
	}
	cr_expect(span_eq(text_span(&rig.got), text_span(&body)));
	cr_expect_eq(r.content_bytes, N);
	text_deinit(&body);
	rig_deinit(&rig);
}

/* ---- bytes that nobody sees ---- */

/* Bounded by the pipe; nothing of it lies in user memory, and all of it comes out as it was. */
Test(relay_flow, a_long_body_passes_through_a_pipe)
{
	enum { N = 3000000 };
	struct text body = random_bytes(N, 7);
	struct span none = SPAN_EMPTY;
	enum http_error error;
	unsigned waits = 0;
	struct relay r;
	struct rig rig;
	size_t fed = 0;

	rig_init(&rig, (struct rig_options){ .tcp = true, .send_buffer = SMALL_BUFFER });
	relay_init(&r, HTTP_BODY_LENGTH, N, false);
	for (;;) {
		enum relay_result result;

		fed += rig_feed_some(&rig, span_skip(text_span(&body), fed));
		result = rig_run(&rig, &r, &none, &error);
		cr_assert_eq(rig_blocks_used(&rig), 0);
		if (result == RELAY_DONE)
			break;
		if (result == RELAY_WAIT_WRITE) {
			cr_assert(!r.pipe || r.pipe->held <= PIPE_BYTES);
			waits += r.pipe && r.pipe->held > 0;
		} else {
			cr_assert_eq(result, RELAY_WAIT_READ);
		}
		rig_take(&rig, 100000);
	}
	cr_expect_gt(waits, 0, "its target never was full");
	while (rig_take(&rig, SIZE_MAX) > 0 || rig.got.n < N)
		;
	cr_expect(span_eq(text_span(&rig.got), text_span(&body)));
	cr_expect_eq(r.content_bytes, N);
	cr_expect_null(r.pipe);
	cr_expect_geq(rig.w.pipes.n_empty, 1, "the pipe is kept for the next");
	text_deinit(&body);
	rig_deinit(&rig);
}

Test(relay_flow, an_early_end_comes_after_what_the_pipe_holds)
{
	enum { N = 200000 };
	struct text body = random_bytes(N / 2, 8);
	struct span none = SPAN_EMPTY;
	enum relay_result result;
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = true });
	relay_init(&r, HTTP_BODY_LENGTH, N, false);
	rig_feed(&rig, text_span(&body));
	rig_feed_end(&rig);
	do
		result = rig_run_through(&rig, &r, &none, &error);
	while (result == RELAY_WAIT_READ);
	cr_expect_eq(result, RELAY_SOURCE_END);
	while (rig.got.n < body.n)
		rig_take(&rig, SIZE_MAX);
	cr_expect(span_eq(text_span(&rig.got), text_span(&body)));
	text_deinit(&body);
	rig_deinit(&rig);
}

/* What a pipe still holds when its relay ends must not come out in the next one. */
Test(relay_flow, a_pipe_that_holds_bytes_is_not_used_again)
{
	enum { N = 3000000 };
	struct text body = random_bytes(N, 9);
	struct span none = SPAN_EMPTY;
	enum http_error error;
	struct relay r;
	struct rig rig;
	size_t fed = 0;

	rig_init(&rig, (struct rig_options){ .tcp = true, .send_buffer = SMALL_BUFFER });
	relay_init(&r, HTTP_BODY_LENGTH, N, false);
	while (rig_run(&rig, &r, &none, &error) != RELAY_WAIT_WRITE)
		fed += rig_feed_some(&rig, span_skip(text_span(&body), fed));
	cr_assert_not_null(r.pipe);
	cr_assert_gt(r.pipe->held, 0);
	relay_release(&rig.w, &r);
	cr_expect_null(r.pipe);
	cr_expect_eq(rig.w.pipes.n_empty, 0);
	text_deinit(&body);
	rig_deinit(&rig);
}

/* The end of the input is not the end: what waits must be taken as well. */
Test(relay_flow, is_done_when_all_was_taken)
{
	enum { N = 50000 };
	struct text body = random_bytes(N, 2);
	struct span none = SPAN_EMPTY;
	enum http_error error;
	struct relay r;
	struct rig rig;

	rig_init(&rig, (struct rig_options){ .tcp = false, .send_buffer = SMALL_BUFFER });
	relay_init(&r, HTTP_BODY_LENGTH, N, true);
	rig_feed(&rig, text_span(&body));
	cr_expect_eq(rig_run(&rig, &r, &none, &error), RELAY_WAIT_WRITE);
	cr_expect(r.done, "all has come in");
	cr_expect_eq(rig_run(&rig, &r, &none, &error), RELAY_WAIT_WRITE);
	cr_expect_eq(rig_run_through(&rig, &r, &none, &error), RELAY_DONE);
	cr_expect_eq(rig.to.peer.out.n, 0);
	text_deinit(&body);
	rig_deinit(&rig);
}

/* A body in chunks of random sizes, as the source would frame it. */
static struct text chunked(struct span content, uint64_t *state)
{
	struct text t;

	text_init(&t);
	for (struct span rest = content; rest.n;) {
		size_t size = 1 + next_random(state) % (next_random(state) % 4 ? 200 : 60000);
		size_t n = MIN(rest.n, size);

		text_put_hex(&t, n, 1);
		text_put_literal(&t, "\r\n");
		text_put_span(&t, span_first(rest, n));
		text_put_literal(&t, "\r\n");
		rest = span_skip(rest, n);
	}
	text_put_literal(&t, "0\r\nSum: 1\r\n\r\n");
	return t;
}

/* Feeds and takes in random portions; now and then the task ends and the scratch is another's. */
static void relay_at_random(uint64_t seed, bool chunk_in, bool chunk_out)
{
	uint64_t state = seed;
	struct text content = random_bytes(next_random(&state) % 600000, seed);
	struct text in = chunk_in ? chunked(text_span(&content), &state) : random_bytes(content.n, seed);
	struct text got, trailers;
	struct span none = SPAN_EMPTY;
	enum relay_result result = RELAY_MORE;
	enum http_error error;
	struct relay r;
	struct rig rig;
	size_t fed = 0;

	text_init(&got);
	text_init(&trailers);
	rig_init(&rig, (struct rig_options){ .tcp = false, .send_buffer = seed % 2 ? SMALL_BUFFER : 0 });
	relay_init(&r, chunk_in ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH, content.n, chunk_out);
	for (unsigned i = 0; result != RELAY_DONE; i++) {
		cr_assert_lt(i, 200000, "seed %u: no end", (unsigned)seed);
		fed += rig_feed_some(&rig, span_first(span_skip(text_span(&in), fed), next_random(&state) % 70000));
		for (unsigned rounds = (unsigned)(next_random(&state) % 5); rounds > 0 && result != RELAY_DONE; rounds--) {
			result = relay_run(&rig.w, &r, &rig.from.peer, &rig.to.peer, &none, &error);
			cr_assert(result <= RELAY_WAIT_WRITE, "seed %u: %d", (unsigned)seed, result);
			expect_bounded(&rig);
		}
		if (next_random(&state) % 2) {
			cr_assert_eq(peer_settle(&rig.w, &rig.from.peer), 0);
			memset(rig.w.scratch, '?', WORKER_SCRATCH_BYTES);
		}
		(void)rig_take(&rig, next_random(&state) % 40000);
	}
	(void)rig_take(&rig, SIZE_MAX);
	if (chunk_out)
		cr_expect_eq(rig_unchunk(text_span(&rig.got), &got, &trailers), rig.got.n);
	else
		text_put_span(&got, text_span(&rig.got));
	cr_expect(span_eq(text_span(&got), text_span(&content)), "seed %u: other content", (unsigned)seed);
	cr_expect_eq(r.content_bytes, content.n);
	text_deinit(&content);
	text_deinit(&in);
	text_deinit(&got);
	text_deinit(&trailers);
	rig_deinit(&rig);
}

Test(relay_flow, passes_any_body_at_any_pace)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		relay_at_random(seed, true, true);
		relay_at_random(seed, true, false);
		relay_at_random(seed, false, false);
		relay_at_random(seed, false, true);
	}
}

/* ---- thrown away ---- */

static const struct {
	const char *what;
	enum http_body body;
	const char *in;
	bool in_ends;
	uint64_t content_bytes;
	const char *left;
} discarded[] = {
	{ "a length", HTTP_BODY_LENGTH, "helloGET /next", false, 5, "GET /next" },
	{ "chunked", HTTP_BODY_CHUNKED, "3\r\nabc\r\n0\r\nX: 1\r\n\r\nGET /next", false, 3, "GET /next" },
	{ "all until close", HTTP_BODY_UNTIL_CLOSE, "anything", true, 8, "" },
};

/* As a client is drained: both ends of the relay are the one peer. */
Test(relay_flow, discards)
{
	for (size_t i = 0; i < ARRAY_LEN(discarded); i++) {
		struct span none = SPAN_EMPTY;
		enum relay_result result;
		enum http_error error;
		struct relay r;
		struct rig rig;
		char byte;

		rig_init(&rig, (struct rig_options){ .tcp = false });
		relay_init(&r, discarded[i].body, 5, false);
		r.discard = true;
		rig_feed(&rig, span_of_string(discarded[i].in));
		if (discarded[i].in_ends)
			rig_feed_end(&rig);
		do {
			result = relay_run(&rig.w, &r, &rig.from.peer, &rig.from.peer, &none, &error);
		} while (result == RELAY_MORE);
		cr_expect_eq(result, RELAY_DONE, "%s: %d", discarded[i].what, result);
		cr_expect_eq(r.content_bytes, discarded[i].content_bytes, "%s", discarded[i].what);
		cr_expect(span_eq(peer_bytes(&rig.from.peer), span_of_string(discarded[i].left)), "%s: left is %.*s",
			discarded[i].what, SPAN_ARG(peer_bytes(&rig.from.peer)));
		cr_expect_lt(recv(rig.from.far, &byte, 1, 0), 0, "%s: something was sent back", discarded[i].what);
		rig_deinit(&rig);
	}
}
