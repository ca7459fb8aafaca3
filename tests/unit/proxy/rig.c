/*
 * rig: see rig.h.
 */
#include "rig.h"

#include <errno.h>
#include <stdlib.h>

#include "../net/sockets.h"

static void note_wakeup(struct task *task)
{
	container_of(task, struct rig_end, task)->wakeups++;
}

static void open_end(struct rig *rig, struct rig_end *end, struct rig_options options, int send_buffer)
{
	int fds[2];

	if (options.tcp)
		tcp_pair(fds);
	else
		unix_pair(fds);
	if (send_buffer)
		cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer)), 0);
	set_nonblocking(fds[1]);
	end->far = fds[1];
	peer_init(&end->peer);
	task_init(&end->task, note_wakeup);
	cr_assert_eq(conn_open(&end->peer.conn, rig->w.loop, fds[0], &end->task, 0), 0);
}

void rig_init(struct rig *rig, struct rig_options options)
{
	*rig = (struct rig){ .from.far = -1, .to.far = -1 };
	cr_assert_eq(loop_new(&rig->w.loop), 0);
	blocks_init(&rig->w.blocks);
	rig->w.scratch = malloc(WORKER_SCRATCH_BYTES);
	text_init_fixed(&rig->w.tail, malloc(HTTP_TRAILER_BYTES_MAX + 1024), HTTP_TRAILER_BYTES_MAX + 1024);
	cr_assert(rig->w.scratch && rig->w.tail.p);
	text_init(&rig->got);
	open_end(rig, &rig->from, options, 0);
	open_end(rig, &rig->to, options, options.send_buffer);
	rig_edges(rig);
}

static void close_far(struct rig_end *end)
{
	if (end->far >= 0)
		cr_assert_eq(close(end->far), 0);
	end->far = -1;
}

void rig_deinit(struct rig *rig)
{
	peer_deinit(&rig->w, &rig->from.peer, CONN_END_CLOSE);
	peer_deinit(&rig->w, &rig->to.peer, CONN_END_CLOSE);
	task_cancel(&rig->from.task);
	task_cancel(&rig->to.task);
	close_far(&rig->from);
	close_far(&rig->to);
	cr_expect_eq(rig_blocks_used(rig), 0, "blocks were kept");
	loop_free(rig->w.loop);
	blocks_deinit(&rig->w.blocks);
	pipes_deinit(&rig->w.pipes);
	free(rig->w.scratch);
	free(rig->w.tail.p);
	text_deinit(&rig->got);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

void rig_edges(struct rig *rig)
{
	cr_assert_eq(loop_post(rig->w.loop, stop, rig->w.loop), 0);
	loop_run(rig->w.loop);
}

size_t rig_feed_some(struct rig *rig, struct span s)
{
	size_t sent = 0;

	while (sent < s.n) {
		ssize_t n = send(rig->from.far, s.p + sent, s.n - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		cr_assert_gt(n, 0);
		sent += (size_t)n;
	}
	rig_edges(rig);
	return sent;
}

void rig_feed(struct rig *rig, struct span s)
{
	cr_assert_eq(rig_feed_some(rig, s), s.n, "the test feeds more than a socket holds");
}

void rig_feed_end(struct rig *rig)
{
	cr_assert_eq(shutdown(rig->from.far, SHUT_WR), 0);
	rig_edges(rig);
}

void rig_feed_reset(struct rig *rig)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	cr_assert_eq(setsockopt(rig->from.far, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close_far(&rig->from);
	rig_edges(rig);
}

size_t rig_take(struct rig *rig, size_t max)
{
	size_t taken = 0;

	while (taken < max) {
		size_t want = MIN(max - taken, 65536);
		char *at = text_reserve(&rig->got, want);
		ssize_t n;

		cr_assert_not_null(at);
		n = recv(rig->to.far, at, want, 0);
		if (n <= 0)
			break;
		rig->got.n += (size_t)n;
		taken += (size_t)n;
	}
	rig_edges(rig);
	return taken;
}

bool rig_ended(struct rig *rig)
{
	char byte;

	(void)rig_take(rig, SIZE_MAX);
	return recv(rig->to.far, &byte, 1, 0) == 0;
}

enum relay_result rig_run(struct rig *rig, struct relay *r, struct span *prefix, enum http_error *error)
{
	for (unsigned i = 0; i < 100000; i++) {
		enum relay_result result = relay_run(&rig->w, r, &rig->from.peer, &rig->to.peer, prefix, error);

		if (result != RELAY_MORE)
			return result;
	}
	cr_assert(false, "a relay that says MORE for ever");
	return RELAY_MORE;
}

enum relay_result rig_run_through(struct rig *rig, struct relay *r, struct span *prefix, enum http_error *error)
{
	enum relay_result result;

	do {
		result = rig_run(rig, r, prefix, error);
	} while (rig_take(rig, SIZE_MAX) && result == RELAY_WAIT_WRITE);
	return result;
}

unsigned rig_blocks_used(const struct rig *rig)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BLOCK_CLASSES; i++)
		n += rig->w.blocks.pool[i].n_used;
	return n;
}

static size_t line_of(struct span s)
{
	size_t n = span_find(s, '\r');

	cr_assert_lt(n + 1, s.n, "a line has no end");
	cr_assert_eq(s.p[n + 1], '\n');
	return n;
}

size_t rig_unchunk(struct span body, struct text *content, struct text *trailers)
{
	struct span rest = body;

	for (;;) {
		size_t line = line_of(rest);
		char digits[20] = "";
		char *end;
		size_t size;

		cr_assert(line > 0 && line < sizeof(digits));
		memcpy(digits, rest.p, line);
		size = strtoull(digits, &end, 16);
		cr_assert_eq(*end, '\0', "a chunk size is %s", digits);
		rest = span_skip(rest, line + 2);
		if (!size)
			break;
		cr_assert_geq(rest.n, size + 2);
		cr_assert_eq(memcmp(rest.p + size, "\r\n", 2), 0);
		text_put_span(content, span_first(rest, size));
		rest = span_skip(rest, size + 2);
	}
	for (size_t line; (line = line_of(rest)) > 0; rest = span_skip(rest, line + 2))
		text_put_span(trailers, span_first(rest, line + 2));
	return body.n - rest.n + 2;
}
