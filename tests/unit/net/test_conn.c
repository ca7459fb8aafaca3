/*
 * conn: on real sockets, unix and TCP on loopback: what readiness says after each kind of transfer and of end.
 */
#include "net/conn.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "net/address.h"
#include "net/listener.h"
#include "sockets.h"

TestSuite(conn, .timeout = 60);

static struct loop *loop;

/* The owner of a connection: it waits until bits are there. */
struct owner {
	struct conn conn;
	struct task task;
	unsigned wakeups;
	uint8_t wanted;
};

static struct owner owner;
static int peer; /* the other end, blocking */

static void run_owner(struct task *task)
{
	struct owner *o = container_of(task, struct owner, task);

	o->wakeups++;
	if (o->wanted && (o->conn.ready & o->wanted) == o->wanted)
		loop_stop(loop);
}

static void wait_for(struct owner *o, uint8_t bits)
{
	if ((o->conn.ready & bits) == bits)
		return;
	o->wanted = bits;
	loop_run(loop);
	o->wanted = 0;
}

static void stop_posted(void *arg)
{
	loop_stop(arg);
}

/* Runs the loop until the edges that are there now have been taken. */
static void take_edges(void)
{
	cr_assert_eq(loop_post(loop, stop_posted, loop), 0);
	loop_run(loop);
}

static void own(struct owner *o, int fd, uint8_t ready)
{
	conn_init(&o->conn);
	cr_assert_not(conn_is_open(&o->conn));
	task_init(&o->task, run_owner);
	cr_assert_eq(conn_open(&o->conn, loop, fd, &o->task, ready), 0);
	cr_assert(conn_is_open(&o->conn));
}

static void start(void (*make_pair)(int fds[2]))
{
	int fds[2];

	cr_assert_eq(loop_new(&loop), 0);
	if (!make_pair)
		return;
	make_pair(fds);
	peer = fds[1];
	own(&owner, fds[0], 0);
	wait_for(&owner, CONN_WRITABLE);
}

static void finish(void)
{
	conn_close(&owner.conn, CONN_END_CLOSE);
	cr_expect_not(conn_is_open(&owner.conn));
	conn_close(&owner.conn, CONN_END_CLOSE);
	if (peer >= 0)
		close(peer);
	task_cancel(&owner.task);
	loop_free(loop);
}

static void peer_sends(const char *bytes)
{
	cr_assert_eq(send(peer, bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
}

static void peer_closes(void)
{
	close(peer);
	peer = -1;
}

static void peer_resets(void)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	cr_assert_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	peer_closes();
}

/* ---- reading ---- */

static void check_reading(void (*make_pair)(int fds[2]))
{
	char buf[16];

	start(make_pair);
	cr_expect_not(owner.conn.ready & CONN_READABLE);
	peer_sends("hello");
	wait_for(&owner, CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, 5), 5);
	cr_expect(owner.conn.ready & CONN_READABLE, "a full read may have left something");
	cr_expect_eq(conn_read(&owner.conn, buf, 5), -EAGAIN);
	cr_expect_not(owner.conn.ready & CONN_READABLE);

	peer_sends("abc");
	wait_for(&owner, CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 3);
	cr_expect_arr_eq(buf, "abc", 3);
	cr_expect(owner.conn.ready & CONN_READABLE, "a reset may stand behind the bytes");
	conn_rest(&owner.conn);
	cr_expect_not(owner.conn.ready & CONN_READABLE, "a short read has emptied the socket");

	peer_sends("d");
	wait_for(&owner, CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, 0), 0);
	cr_expect_not(owner.conn.ready & CONN_EOF);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 1);
	cr_expect_not(owner.conn.ready & (CONN_HANGUP | CONN_EOF | CONN_FAILED));
	finish();
}

Test(conn, reading_unix)
{
	check_reading(unix_pair);
}

Test(conn, reading_tcp)
{
	check_reading(tcp_pair);
}

Test(conn, an_edge_wakes_also_where_the_bit_is_set)
{
	unsigned before;

	start(unix_pair);
	peer_sends("a");
	wait_for(&owner, CONN_READABLE);
	before = owner.wakeups;
	peer_sends("b");
	take_edges();
	cr_expect_gt(owner.wakeups, before);
	finish();
}

static void check_half_close(void (*make_pair)(int fds[2]))
{
	char buf[16];

	start(make_pair);
	peer_sends("last");
	cr_assert_eq(shutdown(peer, SHUT_WR), 0);
	wait_for(&owner, CONN_READABLE | CONN_HANGUP);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 4);
	cr_expect(owner.conn.ready & CONN_READABLE, "the end of stream had its edge: a short read must not hide it");
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 0);
	cr_expect(owner.conn.ready & CONN_EOF);
	cr_expect_not(owner.conn.ready & (CONN_READABLE | CONN_FAILED));
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 0);
	cr_expect_not(conn_probe(&owner.conn), "it still listens");

	cr_expect_eq(conn_write(&owner.conn, "answer", 6), 6);
	cr_expect_eq(recv(peer, buf, sizeof(buf), 0), 6);
	conn_shutdown_write(&owner.conn);
	cr_expect_eq(recv(peer, buf, sizeof(buf), 0), 0);
	finish();
}

Test(conn, half_close_unix)
{
	check_half_close(unix_pair);
}

Test(conn, half_close_tcp)
{
	check_half_close(tcp_pair);
}

/* ---- writing ---- */

static void check_writing(void (*make_pair)(int fds[2]))
{
	static char block[65536];
	size_t sent = 0, received = 0;
	ssize_t n = 0;

	start(make_pair);
	cr_expect_eq(conn_write(&owner.conn, NULL, 0), 0);
	while (owner.conn.ready & CONN_WRITABLE) {
		n = conn_write(&owner.conn, block, sizeof(block));
		if (n > 0)
			sent += (size_t)n;
	}
	cr_expect(n == -EAGAIN || (n > 0 && n < (ssize_t)sizeof(block)));
	cr_expect_gt(sent, 0);
	cr_expect_eq(conn_write(&owner.conn, block, sizeof(block)), -EAGAIN);

	while (received < sent) {
		n = recv(peer, block, sizeof(block), 0);
		cr_assert_gt(n, 0);
		received += (size_t)n;
	}
	cr_expect_eq(received, sent);
	wait_for(&owner, CONN_WRITABLE);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), 1);
	finish();
}

Test(conn, writing_unix)
{
	check_writing(unix_pair);
}

Test(conn, writing_tcp)
{
	check_writing(tcp_pair);
}

Test(conn, writev)
{
	static char big[4 << 20], text[] = "abcde";
	const struct iovec parts[] = { { text, 2 }, { NULL, 0 }, { text + 2, 3 } };
	const struct iovec nothing[] = { { NULL, 0 } };
	const struct iovec too_much[] = { { text, 1 }, { big, sizeof(big) } };
	char buf[16];
	ssize_t n;

	start(unix_pair);
	cr_expect_eq(conn_writev(&owner.conn, parts, 3), 5);
	cr_expect_eq(recv(peer, buf, sizeof(buf), 0), 5);
	cr_expect_arr_eq(buf, "abcde", 5);
	cr_expect_eq(conn_writev(&owner.conn, nothing, 1), 0);
	cr_expect(owner.conn.ready & CONN_WRITABLE);
	n = conn_writev(&owner.conn, too_much, 2);
	cr_expect_gt(n, 0);
	cr_expect_lt(n, (ssize_t)sizeof(big));
	cr_expect_not(owner.conn.ready & CONN_WRITABLE);
	cr_expect_eq(conn_writev(&owner.conn, too_much, 2), -EAGAIN);
	finish();
}

Test(conn, writing_to_one_who_left_fails_without_a_signal)
{
	char buf[1];

	start(unix_pair);
	cr_assert_neq(signal(SIGPIPE, SIG_DFL), SIG_ERR);
	peer_closes();
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -EPIPE);
	cr_expect(owner.conn.ready & CONN_BROKEN);
	cr_expect_eq(owner.conn.error, EPIPE);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -EPIPE);
	cr_expect(conn_probe(&owner.conn));
	cr_expect_eq(conn_read(&owner.conn, buf, 1), 0);
	finish();
}

/* An upstream that answers early and closes: the request cannot be written on, but the answer is there. */
Test(conn, what_came_before_a_failed_write_can_be_read)
{
	char buf[16];
	ssize_t n;

	start(tcp_pair);
	cr_assert_eq(conn_write(&owner.conn, "unread", 6), 6);
	peer_sends("answer");
	wait_for(&owner, CONN_READABLE);
	peer_closes(); /* with unread bytes: a reset */
	do
		n = conn_write(&owner.conn, "x", 1);
	while (n >= 0);
	cr_expect(owner.conn.ready & CONN_BROKEN);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 6);
	cr_expect_arr_eq(buf, "answer", 6);
	finish();
}

/* ---- ends ---- */

Test(conn, a_reset_is_seen_by_a_read)
{
	char buf[16];

	start(tcp_pair);
	peer_resets();
	wait_for(&owner, CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -ECONNRESET);
	cr_expect(owner.conn.ready & CONN_FAILED);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -ECONNRESET);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -ECONNRESET);
	cr_expect(conn_probe(&owner.conn));
	finish();
}

Test(conn, a_reset_is_seen_by_a_probe_without_reading)
{
	char buf[16];
	unsigned before;

	start(tcp_pair);
	peer_sends("pipelined");
	wait_for(&owner, CONN_READABLE);
	cr_expect_not(conn_probe(&owner.conn));
	cr_expect_not(owner.conn.ready & CONN_HANGUP);
	before = owner.wakeups;
	peer_resets();
	while (owner.wakeups == before)
		take_edges();
	cr_expect(conn_probe(&owner.conn));
	cr_expect(owner.conn.ready & CONN_HANGUP);
	cr_expect(owner.conn.ready & CONN_FAILED);
	cr_expect_eq(owner.conn.error, ECONNRESET);
	cr_expect(conn_probe(&owner.conn));
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -ECONNRESET, "the error is told once by the kernel, kept by us");
	finish();
}

Test(conn, a_probe_of_failure_sees_a_reset_and_no_half_close)
{
	unsigned before;

	start(tcp_pair);
	cr_expect_not(conn_probe_failure(&owner.conn));
	cr_assert_eq(shutdown(peer, SHUT_WR), 0);
	wait_for(&owner, CONN_HANGUP);
	cr_expect_not(conn_probe_failure(&owner.conn));
	before = owner.wakeups;
	peer_resets();
	while (owner.wakeups == before)
		take_edges();
	cr_expect(conn_probe_failure(&owner.conn));
	cr_expect_eq(owner.conn.error, EPIPE, "so the kernel calls a reset behind a FIN");
	cr_expect(conn_probe_failure(&owner.conn), "the kernel told of it once");
	finish();
}

Test(conn, a_probe_sees_a_half_close)
{
	char buf[16];

	start(tcp_pair);
	cr_assert_eq(shutdown(peer, SHUT_WR), 0);
	wait_for(&owner, CONN_HANGUP);
	owner.conn.ready = CONN_WRITABLE;
	cr_expect_not(conn_probe(&owner.conn));
	cr_expect(owner.conn.ready & CONN_HANGUP);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 0);
	finish();
}

Test(conn, closing_resets_where_asked)
{
	char buf[1];

	start(tcp_pair);
	conn_close(&owner.conn, CONN_END_RESET);
	cr_expect_eq(recv(peer, buf, 1, 0), -1);
	cr_expect_eq(errno, ECONNRESET);
	finish();
}

Test(conn, closing_ends_the_stream_where_asked)
{
	char buf[1];

	start(tcp_pair);
	conn_close(&owner.conn, CONN_END_CLOSE);
	cr_expect_eq(recv(peer, buf, 1, 0), 0);
	finish();
}

Test(conn, a_descriptor_number_used_again_has_its_own_edges)
{
	start(NULL);
	peer = -1;
	for (unsigned i = 0; i < 100; i++) {
		int fds[2];
		char c;

		unix_pair(fds);
		peer = fds[1];
		own(&owner, fds[0], 0);
		wait_for(&owner, CONN_WRITABLE);
		peer_sends("x");
		wait_for(&owner, CONN_READABLE);
		cr_assert_eq(conn_read(&owner.conn, &c, 1), 1);
		conn_close(&owner.conn, i % 2 ? CONN_END_RESET : CONN_END_CLOSE);
		peer_closes();
	}
	finish();
}

Test(conn, another_owner_takes_over)
{
	struct owner next = { .wanted = CONN_READABLE };
	unsigned before;

	start(unix_pair);
	take_edges();
	task_init(&next.task, run_owner);
	conn_set_task(&owner.conn, &next.task);
	before = owner.wakeups;
	peer_sends("x");
	while (!next.wakeups)
		take_edges();
	cr_expect_eq(owner.wakeups, before);
	finish();
}

/* ---- connecting ---- */

static struct address listening(void (*on_accept)(struct listener *, int, const struct address *), struct listener *l)
{
	struct address want = any_port(), at;
	int fd;

	cr_assert_eq(listener_bind(&want, &fd, &at), 0);
	cr_assert_eq(listener_init(l, loop, fd, on_accept), 0);
	return at;
}

static int accepted_fd = -1;

static void keep_accepted(struct listener *listener, int fd, const struct address *from)
{
	(void)listener;
	(void)from;
	accepted_fd = fd;
}

static int option_of(int fd, int name)
{
	int value = 0;
	socklen_t n = sizeof(value);

	cr_assert_eq(getsockopt(fd, IPPROTO_TCP, name, &value, &n), 0);
	return value;
}

/* What is written goes out at once, and what nobody takes does not pile up in the kernel. */
static bool has_options(int fd)
{
	return option_of(fd, TCP_NODELAY) && option_of(fd, TCP_NOTSENT_LOWAT) == CONN_UNSENT_BYTES;
}

Test(conn, connects)
{
	struct listener listener;
	struct address at;
	int fd;

	start(NULL);
	peer = -1;
	at = listening(keep_accepted, &listener);
	cr_assert_eq(conn_connect_start(&at, &fd), 0);
	own(&owner, fd, 0);
	wait_for(&owner, CONN_WRITABLE);
	cr_expect_eq(conn_connect_error(&owner.conn), 0);
	while (accepted_fd < 0)
		take_edges();
	cr_expect(has_options(fd));
	cr_expect(has_options(accepted_fd), "inherited from the listener");
	cr_expect_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	cr_expect_eq(fcntl(accepted_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	cr_expect(fcntl(accepted_fd, F_GETFL) & O_NONBLOCK);
	close(accepted_fd);
	listener_deinit(&listener);
	finish();
}

Test(conn, a_refused_connect_says_so)
{
	struct address at;
	int bound = tcp_listen(-1, &at); /* holds the port, but does not listen */
	int fd, rc;

	start(NULL);
	peer = -1;
	rc = conn_connect_start(&at, &fd);
	if (rc == 0) {
		own(&owner, fd, 0);
		wait_for(&owner, CONN_WRITABLE);
		cr_expect_eq(conn_connect_error(&owner.conn), ECONNREFUSED);
	} else {
		conn_init(&owner.conn);
		cr_expect_eq(rc, -ECONNREFUSED);
	}
	close(bound);
	finish();
}

Test(conn, a_connect_that_nobody_answers_is_in_progress)
{
	enum { CALLERS = 6 };
	struct address at;
	int full = tcp_listen(0, &at), fds[CALLERS];

	start(NULL);
	peer = -1;
	for (unsigned i = 0; i < CALLERS; i++)
		cr_assert_eq(conn_connect_start(&at, &fds[i]), 0);
	own(&owner, fds[CALLERS - 1], 0);
	take_edges();
	cr_expect_eq(conn_connect_error(&owner.conn), EINPROGRESS, "the queue of the listener is full");
	for (unsigned i = 0; i < CALLERS - 1; i++)
		close(fds[i]);
	close(full);
	finish();
}

Test(conn, unix_connect_fails_at_once)
{
	struct address a;
	int fd = -77;

	cr_assert_eq(address_from_unix(&a, SPAN("/nonexistent/brownout.sock")), 0);
	cr_expect_eq(conn_connect_start(&a, &fd), -ENOENT);
	cr_expect_eq(fd, -77);
}
