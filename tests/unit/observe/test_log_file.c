/*
 * log_file: a reader that has stopped costs lines, which are counted, and no time; what comes through is whole lines.
 */
#include "observe/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/clock.h"

TestSuite(log_file, .timeout = 60);

#define LINE "line %07u of a log that is long enough to fill a pipe\n"
#define LINE_BYTES (sizeof("line 1234567 of a log that is long enough to fill a pipe\n") - 1)

static char got[1 << 20]; /* all that was read */
static size_t got_n;

static void put_lines(struct log_file *f, unsigned n)
{
	static unsigned number;

	for (unsigned i = 0; i < n; i++) {
		text_printf(log_file_begin_line(f), LINE, number++);
		log_file_end_line(f);
		if (log_file_is_full(f))
			log_file_write(f);
	}
	log_file_write(f);
}

static void read_all(int fd)
{
	ssize_t n;

	while (got_n < sizeof(got) - 1 && (n = read(fd, got + got_n, sizeof(got) - 1 - got_n)) > 0)
		got_n += (size_t)n;
}

/* Whole lines, which ascend; *cut is how many others there are. */
static unsigned count_whole(unsigned *cut)
{
	unsigned whole = 0;
	long last = -1;

	*cut = 0;
	for (char *line = got, *end; (end = memchr(line, '\n', got_n - (size_t)(line - got))); line = end + 1) {
		long at = strtol(line + 5, NULL, 10);

		cr_assert_eq(strncmp(line, "line ", 5), 0, "a line begins with %.20s", line);
		cr_expect_gt(at, last);
		last = at;
		if ((size_t)(end + 1 - line) == LINE_BYTES)
			whole++;
		else
			++*cut;
	}
	return whole;
}

/* f writes to a pipe, which nobody has read yet. */
static void check_stuck(struct log_file *f, int reader)
{
	int64_t start_ns = clock_mono_ns();
	unsigned before, cut;

	put_lines(f, 50000);
	cr_expect_lt(clock_mono_ns() - start_ns, 10 * NS_PER_S, "it waits again and again");
	cr_expect_gt(f->lost, 0);
	before = 50000 - (unsigned)f->lost;
	read_all(reader);
	cr_expect_eq(count_whole(&cut), before);
	/* There is room again; the line that was under way is ended, not continued. */
	put_lines(f, 10);
	cr_expect_eq(f->lost, 50000 - before);
	read_all(reader);
	cr_expect_eq(count_whole(&cut), before + 10);
	cr_expect_leq(cut, 1);
}

Test(log_file, a_fifo_whose_reader_has_stopped)
{
	char dir[] = "/tmp/brownout-unit-XXXXXX", path[64];
	struct log_file f;
	int reader;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(log_file_open(&f, path), -ENXIO, "nobody reads it");
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(reader, 0);
	cr_assert_eq(log_file_open(&f, path), 0);
	check_stuck(&f, reader);
	log_file_close(&f);
	close(reader);
	unlink(path);
	rmdir(dir);
}

Test(log_file, a_standard_output_whose_reader_has_stopped)
{
	int kept = dup(STDOUT_FILENO);
	struct log_file f;
	int fds[2];

	cr_assert_geq(kept, 0);
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	cr_assert_eq(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
	cr_assert_eq(log_file_open(&f, "stdout"), 0);
	check_stuck(&f, fds[0]);
	log_file_close(&f);
	cr_assert_eq(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	close(kept);
	close(fds[0]);
	close(fds[1]);
}
