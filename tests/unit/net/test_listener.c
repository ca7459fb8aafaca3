/*
 * listener: binding, the bound on accepts, what happens when descriptors run out, and unix sockets left behind.
 */
#include "net/listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "sockets.h"

TestSuite(listener, .timeout = 60);

static struct loop *loop;
static struct address at;
static unsigned accepts_wanted;
static unsigned accepts;
static unsigned accepts_at_marker;
static struct task marker;

static void run_marker(struct task *task)
{
	(void)task;
	accepts_at_marker = accepts;
}

static void take(struct listener *listener, int fd, const struct address *peer)
{
	(void)listener;
	if (at.sa.sa_family == AF_INET) {
		cr_assert(address_is_loopback(peer));
		cr_assert_neq(address_port(peer), 0);
	} else {
		cr_assert_eq(peer->sa.sa_family, AF_UNIX);
	}
	close(fd);
	if (accepts++ == 0)
		loop_queue(loop, &marker);
	if (accepts == accepts_wanted)
		loop_stop(loop);
}

static void start(struct listener *l, const struct address *want)
{
	int fd;

	cr_assert_eq(loop_new(&loop), 0);
	task_init(&marker, run_marker);
	cr_assert_eq(listener_bind(want, &fd, &at), 0);
	cr_assert_eq(listener_init(l, loop, fd, take), 0);
	cr_assert(listener_is_open(l));
}

static void finish(struct listener *l)
{
	listener_deinit(l);
	cr_expect_not(listener_is_open(l));
	cr_expect_not(heap_has(&l->resume.node), "the loop still holds its timer");
	cr_expect_not(list_is_linked(&l->task.node), "the loop still holds its task");
	listener_deinit(l);
	loop_free(loop);
}

/* ---- accepting ---- */

Test(listener, accepts_a_bounded_number_at_a_time)
{
	enum { CALLERS = 3 * LISTENER_ACCEPTS_PER_WAKEUP + 7 };
	static int fds[CALLERS];
	struct address want = any_port();
	struct listener l;

	start(&l, &want);
	cr_expect_neq(address_port(&at), 0);
	for (unsigned i = 0; i < CALLERS; i++)
		fds[i] = connected(&at);
	accepts_wanted = CALLERS;
	loop_run(loop);
	cr_expect_eq(accepts, CALLERS);
	cr_expect_eq(l.accepted, CALLERS);
	cr_expect_eq(accepts_at_marker, LISTENER_ACCEPTS_PER_WAKEUP, "others must get their turn: %u", accepts_at_marker);
	cr_expect_eq(l.pauses, 0);
	for (unsigned i = 0; i < CALLERS; i++)
		close(fds[i]);
	finish(&l);
}

static void stop_timer(struct timer *timer)
{
	(void)timer;
	loop_stop(loop);
}

static void run_for(int64_t ns)
{
	struct timer timer;

	timer_init(&timer, stop_timer);
	cr_assert_eq(timer_set(loop, &timer, clock_mono_ns() + ns), 0);
	loop_run(loop);
	timer_deinit(loop, &timer);
}

static void set_descriptor_limit(rlim_t limit)
{
	struct rlimit r;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = limit;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
}

Test(listener, pauses_where_descriptors_run_out)
{
	enum { CALLERS = 12 };
	struct address want = any_port();
	struct rlimit before;
	int64_t start_ns, elapsed_ns;
	int fds[CALLERS];
	struct listener l;
	uint64_t refused;
	char c;

	start(&l, &want);
	for (unsigned i = 0; i < CALLERS; i++)
		fds[i] = connected(&at);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* No number is free: those below the highest are all taken by dups. */
	while (dup(0) < fds[CALLERS - 1])
		;
	set_descriptor_limit((rlim_t)fds[CALLERS - 1] + 1);

	start_ns = clock_mono_ns();
	run_for(LISTENER_PAUSE_NS * 5 / 2);
	elapsed_ns = clock_mono_ns() - start_ns;
	refused = l.pauses;
	cr_expect_eq(accepts, 0);
	cr_expect_geq(refused, 1);
	cr_expect_leq(refused, (uint64_t)(elapsed_ns / LISTENER_PAUSE_NS) + 1, "%llu pauses", (unsigned long long)refused);
	cr_expect_leq(recv(fds[0], &c, 1, 0), 0, "the first in the queue is refused, not left hanging");
	cr_expect_eq(recv(fds[CALLERS - 1], &c, 1, MSG_DONTWAIT), -1);
	cr_expect_eq(errno, EAGAIN, "the last still waits");

	set_descriptor_limit(before.rlim_cur);
	accepts_wanted = CALLERS - (unsigned)refused;
	loop_run(loop);
	cr_expect_eq(accepts, accepts_wanted);
	cr_expect_eq(l.accepted, accepts_wanted);
	finish(&l);
}

Test(listener, closes_while_it_pauses)
{
	struct address want = any_port();
	struct listener l;
	int caller;

	start(&l, &want);
	caller = connected(&at);
	while (dup(0) < caller)
		;
	set_descriptor_limit((rlim_t)caller + 1);
	while (!l.paused)
		run_for(NS_PER_MS);
	cr_assert(heap_has(&l.resume.node));
	loop_queue(loop, &l.task);
	finish(&l);
	close(caller);
}

Test(listener, refuses_nobody_after_it_was_closed)
{
	struct address want = any_port();
	struct listener l;
	int fd;

	start(&l, &want);
	fd = connected(&at);
	listener_deinit(&l);
	run_for(NS_PER_MS);
	cr_expect_eq(accepts, 0);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_expect_eq(connect(fd, &at.sa, at.n), -1);
	cr_expect_eq(errno, ECONNREFUSED);
	close(fd);
	loop_free(loop);
}

/* ---- binding ---- */

Test(listener, workers_share_a_port_but_a_probe_sees_it)
{
	struct address want = any_port(), first, second;
	int a, b, rc;

	cr_expect_eq(listener_probe(&want), 0);
	cr_assert_eq(listener_bind(&want, &a, &first), 0);
	cr_expect_eq(listener_probe(&first), -EADDRINUSE);
	rc = listener_bind(&first, &b, &second);
	cr_assert_eq(rc, 0, "%d", rc);
	cr_expect(address_eq(&first, &second));
	close(a);
	close(b);
	cr_expect_eq(listener_probe(&first), 0);
}

Test(listener, says_why_it_cannot_bind)
{
	struct address want, bound;
	int fd = -77;

	cr_assert_eq(address_from_numeric(&want, SPAN("192.0.2.1"), 0), 0); /* nobody's (RFC 5737) */
	cr_expect_eq(listener_bind(&want, &fd, &bound), -EADDRNOTAVAIL);
	cr_assert_eq(address_from_unix(&want, SPAN("/nonexistent/brownout.sock")), 0);
	cr_expect_eq(listener_bind(&want, &fd, &bound), -ENOENT);
	cr_expect_eq(fd, -77);
}

static char folder[] = "/tmp/brownout-unit-XXXXXX";
static char path[64];

static struct address in_folder(void)
{
	struct address a;

	cr_assert_not_null(mkdtemp(folder));
	cr_assert_gt(snprintf(path, sizeof(path), "%s/s", folder), 0);
	cr_assert_eq(address_from_unix(&a, span_of_string(path)), 0);
	return a;
}

static void remove_folder(void)
{
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(folder), 0);
}

Test(listener, a_stale_unix_socket_is_replaced_a_live_one_is_not)
{
	struct address want = in_folder(), bound;
	int a, b;

	cr_assert_eq(listener_bind(&want, &a, &bound), 0);
	cr_expect(address_eq(&want, &bound));
	cr_expect_eq(listener_bind(&want, &b, &bound), -EADDRINUSE);
	close(a);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert_eq(listener_bind(&want, &b, &bound), 0);
	close(connected(&want));
	close(b);
	remove_folder();
}

Test(listener, a_file_that_is_no_socket_is_left_alone)
{
	struct address want = in_folder(), bound;
	int fd = open(path, O_CREAT | O_WRONLY, 0600), listening;

	cr_assert_geq(fd, 0);
	close(fd);
	cr_expect_eq(listener_bind(&want, &listening, &bound), -EADDRINUSE);
	cr_expect_eq(access(path, F_OK), 0);
	remove_folder();
}

Test(listener, two_may_share_a_unix_socket)
{
	enum { CALLERS = 20 };
	struct address want = in_folder();
	struct listener a, b;
	int fds[CALLERS], copy;

	start(&a, &want);
	copy = dup(a.fd);
	cr_assert_geq(copy, 0);
	cr_assert_eq(listener_init(&b, loop, copy, take), 0);
	for (unsigned i = 0; i < CALLERS; i++)
		fds[i] = connected(&want);
	accepts_wanted = CALLERS;
	loop_run(loop);
	cr_expect_eq(a.accepted + b.accepted, CALLERS);

	listener_deinit(&a);
	accepts = 0;
	accepts_wanted = 1;
	close(connected(&want));
	loop_run(loop);
	for (unsigned i = 0; i < CALLERS; i++)
		close(fds[i]);
	finish(&b);
	remove_folder();
}
