/*
 * peer: who owns the scratch, what is read when, and what is kept of a write that did not go whole.
 */
#include "rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

static struct rig rig;

static void start(void)
{
	rig_init(&rig, (struct rig_options){ .tcp = false, .send_buffer = 4096 });
}

static void end(void)
{
	rig_deinit(&rig);
}

TestSuite(peer, .init = start, .fini = end, .timeout = 60);

static void send_to(struct rig_end *e, const char *s)
{
	cr_assert_eq(send(e->far, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
	rig_edges(&rig);
}

static void expect_bytes(struct rig_end *e, const char *want)
{
	cr_expect(span_eq(peer_bytes(&e->peer), span_of_string(want)), "%.*s, not %s", SPAN_ARG(peer_bytes(&e->peer)), want);
}

Test(peer, reads_into_the_scratch_and_holds_no_block)
{
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_WAIT);
	send_to(&rig.from, "hello");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	expect_bytes(&rig.from, "hello");
	cr_expect_eq((const void *)peer_bytes(&rig.from.peer).p, (const void *)rig.w.scratch);
	cr_expect_eq(rig_blocks_used(&rig), 0);
	/* While something is unused nothing is read. */
	send_to(&rig.from, " world");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	expect_bytes(&rig.from, "hello");
	peer_consume(&rig.w, &rig.from.peer, 5);
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	expect_bytes(&rig.from, " world");
}

Test(peer, next_reader_of_the_scratch_saves_what_the_last_one_left)
{
	send_to(&rig.from, "one two");
	send_to(&rig.to, "three");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	peer_consume(&rig.w, &rig.from.peer, 4);
	cr_expect_eq(peer_fetch(&rig.w, &rig.to.peer), PEER_BYTES);
	expect_bytes(&rig.from, "two");
	expect_bytes(&rig.to, "three");
	cr_expect_eq(rig_blocks_used(&rig), 1);
	/* And back. */
	peer_consume(&rig.w, &rig.from.peer, 3);
	send_to(&rig.from, "four");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	expect_bytes(&rig.to, "three");
	expect_bytes(&rig.from, "four");
}

/* Nothing of the scratch may be believed once another has read into it: neither is a request parsed from it. */
Test(peer, reading_forgets_the_parsed_request)
{
	const struct client *somebody = (const struct client *)(const void *)&rig;

	send_to(&rig.from, "one");
	send_to(&rig.to, "two");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	rig.w.parsed_for = somebody;
	cr_expect_eq(peer_fetch(&rig.w, &rig.to.peer), PEER_BYTES);
	cr_expect_null(rig.w.parsed_for);
	rig.w.parsed_for = somebody;
	cr_expect_eq(peer_settle(&rig.w, &rig.to.peer), 0);
	cr_expect_null(rig.w.parsed_for);
	/* With nothing to save the scratch stays as it is until it is read into. */
	rig.w.parsed_for = somebody;
	cr_expect_eq(peer_settle(&rig.w, &rig.to.peer), 0);
	cr_expect_eq(rig.w.parsed_for, somebody);
	rig.w.parsed_for = NULL;
}

Test(peer, a_closed_peer_owns_nothing)
{
	send_to(&rig.from, "one");
	send_to(&rig.to, "two");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	peer_deinit(&rig.w, &rig.from.peer, CONN_END_CLOSE);
	cr_expect_null(rig.w.scratch_owner);
	cr_expect_eq(peer_bytes(&rig.from.peer).n, 0);
	cr_expect_eq(peer_fetch(&rig.w, &rig.to.peer), PEER_BYTES);
	cr_expect_eq(rig_blocks_used(&rig), 0);
	peer_deinit(&rig.w, &rig.from.peer, CONN_END_CLOSE);
}

Test(peer, fetch_more_reads_behind_what_is_there_up_to_a_bound)
{
	send_to(&rig.from, "abc");
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 3), PEER_FULL);
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 10), PEER_WAIT);
	send_to(&rig.from, "defghijklm");
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 10), PEER_BYTES);
	expect_bytes(&rig.from, "abcdefghij");
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 10), PEER_FULL);
	cr_expect(rig.from.peer.conn.ready & CONN_READABLE, "three bytes are still there");
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 100), PEER_BYTES);
	expect_bytes(&rig.from, "abcdefghijklm");
	rig_feed_end(&rig);
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 100), PEER_EOF);
	expect_bytes(&rig.from, "abcdefghijklm");
}

Test(peer, fetch_more_of_nothing_holds_no_block)
{
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 100), PEER_WAIT);
	cr_expect_eq(rig_blocks_used(&rig), 0);
	rig.from.peer.conn.ready |= CONN_READABLE; /* as after an edge that was somebody else's bytes */
	cr_expect_eq(peer_fetch_more(&rig.w, &rig.from.peer, 100), PEER_WAIT);
	cr_expect_eq(rig_blocks_used(&rig), 0);
	cr_expect_null(rig.from.peer.in.p);
}

Test(peer, tells_the_end_again_and_again)
{
	send_to(&rig.from, "last");
	rig_feed_end(&rig);
	cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_BYTES);
	peer_consume(&rig.w, &rig.from.peer, 4);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(peer_fetch(&rig.w, &rig.from.peer), PEER_EOF);
}

/* More than the socket takes: the rest of each part is kept, in order, and goes first the next time. */
Test(peer, keeps_what_did_not_go)
{
	static char big[100000], other[3000];
	struct iovec parts[3] = { { big, sizeof(big) }, { NULL, 0 }, { other, sizeof(other) } };
	size_t total = sizeof(big) + sizeof(other);

	memset(big, 'b', sizeof(big));
	memset(other, 'o', sizeof(other));
	cr_expect_eq(peer_send(&rig.w, &rig.to.peer, parts, 3), 1);
	cr_expect_gt(rig.to.peer.out.n, 0);
	cr_expect_lt(rig.to.peer.out.n, total);
	memset(big, '?', sizeof(big)); /* nothing leans on the caller's bytes any more */
	cr_expect_eq(peer_send_span(&rig.w, &rig.to.peer, SPAN("end")), 1);
	for (unsigned i = 0; rig.got.n < total + 3; i++) {
		cr_assert_lt(i, 1000);
		(void)rig_take(&rig, SIZE_MAX);
		cr_assert_geq(peer_flush(&rig.w, &rig.to.peer), 0);
	}
	cr_assert_eq(rig.got.n, total + 3);
	for (size_t i = 0; i < total; i++)
		cr_assert_eq(rig.got.p[i], i < sizeof(big) ? 'b' : 'o', "byte %zu", i);
	cr_expect_eq(memcmp(rig.got.p + total, "end", 3), 0);
	cr_expect_eq(rig_blocks_used(&rig), 0);
}

Test(peer, sending_to_nobody_fails_and_stays_failed)
{
	cr_assert_eq(close(rig.to.far), 0);
	rig.to.far = -1;
	rig_edges(&rig);
	cr_expect_eq(peer_send_span(&rig.w, &rig.to.peer, SPAN("x")), -EPIPE);
	cr_expect_eq(peer_send_span(&rig.w, &rig.to.peer, SPAN("x")), -EPIPE);
	cr_expect_eq(peer_flush(&rig.w, &rig.to.peer), -EPIPE);
	cr_expect_eq(peer_send_span(&rig.w, &rig.to.peer, SPAN_EMPTY), -EPIPE);
}

/*
 * An upstream may answer early and close: what it has said is still there to be read when it takes no more of the request.
 */
Test(peer, answer_can_be_read_after_sending_has_failed)
{
	send_to(&rig.to, "HTTP/1.1 413 Content Too Large\r\n\r\n");
	cr_assert_eq(close(rig.to.far), 0);
	rig.to.far = -1;
	rig_edges(&rig);
	cr_expect_lt(peer_send_span(&rig.w, &rig.to.peer, SPAN("the rest of the request")), 0);
	cr_expect_eq(peer_fetch(&rig.w, &rig.to.peer), PEER_BYTES);
	expect_bytes(&rig.to, "HTTP/1.1 413 Content Too Large\r\n\r\n");
}
