/*
 * pipe: what goes in comes out, in its order; what the socket says is what conn_read and conn_write would say.
 */
#include "net/pipe.h"

#include <sys/resource.h>

#include "sockets.h"

static struct loop *loop;
static struct pipes pipes;
static struct conn from, to;
static int from_far, to_far;
static struct task task;

static void idle(struct task *t)
{
	(void)t;
}

static void start(void)
{
	int pair[2];

	cr_assert_eq(loop_new(&loop), 0);
	task_init(&task, idle);
	tcp_pair(pair);
	cr_assert_eq(conn_open(&from, loop, pair[0], &task, CONN_READABLE | CONN_WRITABLE), 0);
	from_far = pair[1];
	tcp_pair(pair);
	cr_assert_eq(conn_open(&to, loop, pair[0], &task, CONN_READABLE | CONN_WRITABLE), 0);
	to_far = pair[1];
}

static void end(void)
{
	conn_close(&from, CONN_END_CLOSE);
	conn_close(&to, CONN_END_CLOSE);
	task_cancel(&task);
	pipes_deinit(&pipes);
	loop_free(loop);
	close(from_far);
	close(to_far);
}

TestSuite(pipe, .init = start, .fini = end, .timeout = 30);

Test(pipe, what_goes_in_comes_out)
{
	struct pipe *p = pipes_get(&pipes);
	char got[16] = "";

	cr_assert_not_null(p);
	cr_assert_eq(write(from_far, "hello, world", 12), 12);
	cr_expect_eq(pipe_fill(p, &from, 5), 5);
	cr_expect_eq(p->held, 5);
	cr_expect_eq(pipe_drain(p, &to), 5);
	cr_expect_eq(p->held, 0);
	cr_expect_eq(to.written, 5);
	cr_expect_eq(pipe_fill(p, &from, 1000), 7);
	cr_expect_eq(from.ready & CONN_DRAINED, 0, "a short splice says nothing");
	cr_expect_eq(pipe_drain(p, &to), 7);
	cr_expect_eq(recv(to_far, got, 12, MSG_WAITALL), 12);
	cr_expect_str_eq(got, "hello, world");
	pipes_put(&pipes, p);
}

Test(pipe, tells_of_nothing_there_and_of_the_end)
{
	struct pipe *p = pipes_get(&pipes);

	cr_assert_not_null(p);
	cr_expect_eq(pipe_fill(p, &from, 100), -EAGAIN);
	cr_expect_eq(from.ready & CONN_READABLE, 0);
	close(from_far);
	from_far = -1;
	from.ready |= CONN_READABLE;
	cr_expect_eq(pipe_fill(p, &from, 100), 0);
	cr_expect(from.ready & CONN_EOF);
	cr_expect_eq(pipe_fill(p, &from, 100), 0, "the end stays the end");
	pipes_put(&pipes, p);
}

Test(pipe, tells_of_a_reset_on_either_side)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct pipe *p = pipes_get(&pipes);

	cr_assert_not_null(p);
	cr_assert_eq(write(from_far, "abc", 3), 3);
	cr_assert_eq(pipe_fill(p, &from, 3), 3);
	cr_assert_eq(setsockopt(from_far, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	cr_assert_eq(setsockopt(to_far, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(from_far);
	close(to_far);
	from_far = to_far = -1;
	cr_expect_lt(pipe_drain(p, &to), 0);
	cr_expect(to.ready & CONN_BROKEN);
	cr_expect_eq(p->held, 3, "it is still in the pipe");
	from.ready |= CONN_READABLE;
	cr_expect_eq(pipe_fill(p, &from, 3), -ECONNRESET);
	cr_expect(from.ready & CONN_FAILED);
	pipes_put(&pipes, p);
	cr_expect_eq(pipes.n_empty, 0, "it is not given out again");
}

Test(pipe, a_target_that_is_full_keeps_it_waiting)
{
	struct pipe *p = pipes_get(&pipes);
	static char bytes[65536];
	ssize_t n = 1;

	cr_assert_not_null(p);
	while (n > 0) {
		cr_assert_eq(write(from_far, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
		while (p->held < sizeof(bytes) && pipe_fill(p, &from, sizeof(bytes) - p->held) > 0)
			;
		from.ready |= CONN_READABLE;
		n = pipe_drain(p, &to);
	}
	cr_expect_eq(n, -EAGAIN);
	cr_expect_eq(to.ready & CONN_WRITABLE, 0);
	cr_expect_gt(p->held, 0);
	pipes_put(&pipes, p);
}

Test(pipe, empty_ones_are_kept_up_to_a_bound)
{
	struct pipe *all[PIPES_KEPT + 3];

	for (unsigned i = 0; i < PIPES_KEPT + 3; i++)
		cr_assert_not_null(all[i] = pipes_get(&pipes));
	for (unsigned i = 0; i < PIPES_KEPT + 3; i++)
		pipes_put(&pipes, all[i]);
	cr_expect_eq(pipes.n_empty, PIPES_KEPT);
	cr_expect_eq(pipes_get(&pipes), all[PIPES_KEPT - 1]);
	pipes_put(&pipes, all[PIPES_KEPT - 1]);
}

/* Whoever asks in each round does not pay for the attempt in each. */
Test(pipe, after_one_that_could_not_be_had_some_are_not_tried_for)
{
	struct rlimit limit, none;
	struct pipe *p;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_assert_null(pipes_get(&pipes));
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (unsigned i = 0; i < PIPE_PASSES; i++)
		cr_assert_null(pipes_get(&pipes));
	p = pipes_get(&pipes);
	cr_assert_not_null(p);
	cr_assert_geq(p->room, PIPE_ROOM_MIN);
	pipes_put(&pipes, p);
	pipes_deinit(&pipes);
}
