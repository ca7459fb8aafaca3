/*
 * log: what arrives on standard error, byte by byte: a pipe takes its place for the time of one call.
 */
#include "base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/console.h"
#include "base/text.h"

static int saved_stderr;
static int pipe_fds[2];
static char got[65536];

static void capture(void)
{
	saved_stderr = dup(STDERR_FILENO);
	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_geq(dup2(pipe_fds[1], STDERR_FILENO), 0);
}

/* What was written since capture, as a string. */
static const char *captured(void)
{
	ssize_t n;

	cr_assert_geq(dup2(saved_stderr, STDERR_FILENO), 0);
	close(saved_stderr);
	close(pipe_fds[1]);
	n = read(pipe_fds[0], got, sizeof(got) - 1);
	cr_assert_geq(n, 0);
	got[n] = '\0';
	close(pipe_fds[0]);
	return got;
}

Test(log, levels)
{
	capture();
	log_error("one %d", 1);
	log_warning("two");
	log_info("three");
	cr_expect_str_eq(captured(), "brownout: error: one 1\nbrownout: warning: two\nbrownout: info: three\n");

	log_set_level(LOG_ERROR);
	cr_expect_not(log_is_on(LOG_WARNING));
	capture();
	log_warning("not shown");
	cr_expect_str_eq(captured(), "");
}

Test(log, shows_what_could_forge_a_line_or_drive_a_terminal)
{
	capture();
	log_error("%s", "a\nbrownout: error: b\r\x1b[2J\x7f\t\xc2\x9b|\x9b|\xff|\xc3\xa9");
	cr_expect_str_eq(captured(), "brownout: error: a\\x0abrownout: error: b\\x0d\\x1b[2J\\x7f\\x09"
		"\\xc2\\x9b|\\x9b|\\xff|\xc3\xa9\n");
}

static void expect_bounded(char filler)
{
	static char big[10000];
	size_t n;

	memset(big, filler, sizeof(big) - 1);
	capture();
	log_error("%s", big);
	n = strlen(captured());
	cr_expect_leq(n, 2100);
	cr_expect_geq(n, 2000);
	cr_expect_str_eq(got + n - 4, "...\n");
	cr_expect_eq(strchr(got, '\n'), got + n - 1);
}

Test(log, long_lines_are_bounded)
{
	expect_bounded('a');
	expect_bounded('\x01'); /* four bytes each when shown */
	errno = EBADF;
	capture();
	log_error("x");
	cr_expect_eq(errno, EBADF);
	(void)captured();
}

Test(log, holds_back_repetitions)
{
	static struct log_limit limit;

	capture();
	for (unsigned i = 0; i < 5; i++)
		log_every(&limit, LOG_ERROR, "again %u", i);
	cr_expect_str_eq(captured(), "brownout: error: again 0\n");
	cr_expect_eq(limit.held_back, 4);
	limit.next_ns = 0;
	capture();
	log_every(&limit, LOG_ERROR, "later");
	log_every(&limit, LOG_ERROR, "later");
	cr_expect_str_eq(captured(), "brownout: error: later (and 4 more held back)\n");
	cr_expect_eq(limit.held_back, 1);
	log_set_level(LOG_ERROR);
	log_every(&limit, LOG_INFO, "not counted: it is off");
	cr_expect_eq(limit.held_back, 1);
}

static void lift_status_line(void *arg)
{
	++*(unsigned *)arg;
	cr_assert_eq(write(STDERR_FILENO, "^", 1), 1);
}

Test(log, hook_comes_before_each_line)
{
	unsigned calls = 0;

	console_set_hook(lift_status_line, &calls);
	capture();
	log_error("a");
	log_set_level(LOG_WARNING);
	log_info("b");
	console_hold();
	cr_assert_eq(write(STDERR_FILENO, "mine\n", 5), 5);
	console_release();
	console_set_hook(NULL, NULL);
	log_error("c");
	cr_expect_str_eq(captured(), "^brownout: error: a\n^mine\nbrownout: error: c\n");
	cr_expect_eq(calls, 2);
}

#define THREADS 4
#define LINES_EACH 50

static void *write_lines(void *arg)
{
	for (unsigned i = 0; i < LINES_EACH; i++)
		log_error("%s", (const char *)arg);
	return NULL;
}

Test(log, lines_of_threads_do_not_mix)
{
	static char texts[THREADS][13] = { "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd" };
	pthread_t threads[THREADS];
	unsigned lines = 0;
	struct span rest;

	capture();
	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, write_lines, texts[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (rest = span_of_string(captured()); rest.n; lines++) {
		struct span line = span_first(rest, span_find(rest, '\n'));
		struct span text = span_skip(line, strlen("brownout: error: "));

		rest = span_skip(rest, line.n + 1);
		cr_assert_eq(text.n, 12);
		for (size_t i = 0; i < text.n; i++)
			cr_assert_eq(text.p[i], text.p[0]);
	}
	cr_expect_eq(lines, THREADS * LINES_EACH);
}

/* ---- lines that are kept ---- */

static void in_a_thread(void *(*run)(void *arg), void *arg)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, run, arg), 0);
	pthread_join(thread, NULL);
}

static void *write_one(void *arg)
{
	log_error("%s", (const char *)arg);
	return NULL;
}

Test(log, other_threads_lines_wait_for_the_flush)
{
	static char theirs[] = "theirs", late[] = "late";

	log_keep(true);
	capture();
	in_a_thread(write_one, theirs);
	log_error("mine");
	log_flush();
	log_flush();
	cr_expect_str_eq(captured(), "brownout: error: mine\nbrownout: error: theirs\n");
	in_a_thread(write_one, late);
	capture();
	log_keep(false);
	in_a_thread(write_one, theirs);
	cr_expect_str_eq(captured(), "brownout: error: late\nbrownout: error: theirs\n");
}

static void *write_many(void *arg)
{
	for (unsigned i = 0; i < *(unsigned *)arg; i++)
		log_error("a line that takes its room: %040u", i);
	return NULL;
}

Test(log, what_finds_no_room_is_counted)
{
	unsigned n = 1000, whole = 0, lost = 0;
	const char *said;

	log_keep(true);
	in_a_thread(write_many, &n);
	capture();
	log_flush();
	said = captured();
	for (const char *at = said; (at = strstr(at, "takes its room")); at++)
		whole++;
	cr_expect_gt(whole, 100);
	said = strstr(said, "warning: ");
	cr_assert(said && sscanf(said, "warning: %u lines more than could be kept\n", &lost) == 1, "%s", got);
	cr_expect_eq(whole + lost, n);
}

/* A reader that has stopped costs a second, once; what it does not take is lost. */
Test(log, a_stuck_console_is_not_waited_for_again, .timeout = 30)
{
	int64_t start_ns;
	unsigned n = 3000;

	console_limit_waits();
	capture();
	start_ns = clock_mono_ns();
	(void)write_many(&n);
	cr_expect_lt(clock_mono_ns() - start_ns, 10 * NS_PER_S);
	cr_expect_not_null(strstr(captured(), "takes its room"));
}
