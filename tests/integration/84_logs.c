/*
 * 84 logs: rotation under load loses no line; a log that takes no more, or whose reader has stopped, costs lines, which are
 * counted and said, and neither a request nor the end of the program waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(logs, .timeout = 120);

#define BATCHES 8u
#define REQUESTS 8000u /* what a ring holds: however slow this machine, nothing is dropped before it is written */

static void run_crowd(struct rig *r, unsigned n)
{
	struct crowd c = { .rig = r, .target = "/status/204", .n_connections = 8, .n_requests = n };

	crowd_run(&c);
	rig_check(r, crowd_count(&c, 204) == n, "%u of %u were answered", crowd_count(&c, 204), n);
	crowd_free(&c);
}

/* ---- rotation ---- */

struct rotation {
	struct rig *rig;
	_Atomic bool stop;
	_Atomic unsigned n; /* so many times */
};

/* access.log becomes access.1, access.2 and so on, and so does the trace, as fast as they are opened anew. */
static void *rotate(void *arg)
{
	struct rotation *t = arg;
	const char *dir = t->rig->program.dir;
	static const char *const names[] = { "access", "trace" };

	while (!atomic_load(&t->stop)) {
		char from[2][160], to[160];

		atomic_fetch_add(&t->n, 1);
		for (unsigned i = 0; i < 2; i++) {
			snprintf(from[i], sizeof(from[i]), "%s/%s.log", dir, names[i]);
			snprintf(to, sizeof(to), "%s/%s.%u", dir, names[i], t->n);
			if (rename(from[i], to) != 0)
				return NULL;
		}
		program_signal(&t->rig->program, SIGUSR1);
		for (unsigned i = 0; i < 2; i++) {
			long long until_ms = now_ms() + PATIENCE_MS;

			while (access(from[i], F_OK) != 0) {
				if (now_ms() > until_ms)
					return NULL;
				sleep_ms(1);
			}
		}
	}
	return t;
}

/* Marks the exchanges that whole lines of this file tell of; how many lines there are of them. */
static unsigned count_exchanges(struct rig *r, const char *name, unsigned char *seen)
{
	struct bytes text = { 0 };
	unsigned n = 0;

	rig_check(r, bytes_read_file(&text, program_path(&r->program, name)), "%s is not there", name);
	for (const char *line = bytes_text(&text); *line;) {
		size_t length = strcspn(line, "\n");
		const char *id = strstr(line, "\"id\":\"");

		rig_check(r, line[0] == '{' && line[length] == '\n' && line[length - 1] == '}', "%s: cut: %.*s", name,
			(int)length, line);
		if (id && id < line + length) {
			unsigned long number = strtoul(id + 6, NULL, 16);

			rig_check(r, number >= 1 && number <= REQUESTS && !seen[number - 1], "%s: exchange %lu", name, number);
			seen[number - 1] = 1;
			n++;
		}
		line += length + 1;
	}
	bytes_free(&text);
	return n;
}

Test(logs, rotation_under_load_loses_no_line)
{
	static unsigned char seen[2][REQUESTS];
	struct rotation t = { 0 };
	unsigned lines[2] = { 0 };
	pthread_t thread;
	struct rig r;
	void *went_well;

	rig_start_with(&r, "upstream: 'origin:'\nrules:\n  - {percentage: 50, delay: 1ms}\n"
			   "log: {access: '@dir@/access.log', format: json, trace: '@dir@/trace.log'}\n");
	t.rig = &r;
	cr_assert_eq(pthread_create(&thread, NULL, rotate, &t), 0);
	/* However slow rotating is here, some happen while requests are served. */
	for (unsigned i = 1; i <= BATCHES; i++) {
		long long until_ms = now_ms() + 2 * PATIENCE_MS;

		run_crowd(&r, REQUESTS / BATCHES);
		while (atomic_load(&t.n) < i && now_ms() < until_ms)
			sleep_ms(1);
	}
	atomic_store(&t.stop, true);
	pthread_join(thread, &went_well);
	rig_check(&r, went_well != NULL, "a file is not opened anew");
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, 2 * PATIENCE_MS), "it does not end");
	for (unsigned i = 0; i <= t.n; i++) {
		char name[40];

		snprintf(name, sizeof(name), i ? "access.%u" : "access.log", i);
		lines[0] += count_exchanges(&r, name, seen[0]);
		snprintf(name, sizeof(name), i ? "trace.%u" : "trace.log", i);
		lines[1] += count_exchanges(&r, name, seen[1]);
	}
	rig_check(&r, lines[0] == REQUESTS && lines[1] == REQUESTS, "%u lines of access, %u of trace", lines[0], lines[1]);
	rig_check(&r, t.n >= BATCHES, "it was rotated only %u times", t.n);
	rig_expect_exit(&r, 0);
}

/* The folder of the log is gone: what is open goes on being written, and somebody is told. */
Test(logs, a_file_that_cannot_be_opened_anew_goes_on)
{
	struct bytes text = { 0 };
	char from[160], to[160];
	unsigned lines = 0;
	struct rig r;

	rig_start_with(&r, "upstream: 'origin:'\nlog: {access: '@dir@/access.log', format: json}\n");
	run_crowd(&r, 10);
	snprintf(from, sizeof(from), "%s/access.log", r.program.dir);
	snprintf(to, sizeof(to), "%s/moved", r.program.dir);
	cr_assert(rename(from, to) == 0 && mkdir(from, 0700) == 0);
	program_signal(&r.program, SIGUSR1);
	rig_wait_said(&r, "a log cannot be opened anew, and the file that is open goes on: Is a directory\n");
	run_crowd(&r, 10);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, 2 * PATIENCE_MS), "it does not end");
	cr_assert(bytes_read_file(&text, to));
	for (const char *p = bytes_text(&text); (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	rig_check(&r, lines == 20, "%u lines", lines);
	bytes_free(&text);
	rmdir(from);
	rig_expect_exit(&r, 0);
}

/* ---- what takes no more ---- */

static void limit_files(struct rig *r, rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	rig_check(r, prlimit(r->program.pid, RLIMIT_FSIZE, &limit, NULL) == 0, "%s", strerror(errno));
}

/* As on a disk that is full, and then is not. A line that was cut is ended, and the next one stands alone. */
Test(logs, a_full_disk_slows_nothing_and_is_said)
{
	struct bytes text = { 0 }, said;
	unsigned whole = 0, cut = 0, lost = 0;
	struct rig r;

	rig_start_with(&r, "upstream: 'origin:'\nlog: {access: '@dir@/access.log', format: json}\n");
	limit_files(&r, 20000);
	run_crowd(&r, 1000);
	rig_wait_said(&r, " lines are lost so far\n");
	limit_files(&r, RLIM_INFINITY);
	run_crowd(&r, 50);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, 2 * PATIENCE_MS), "it does not end");
	cr_assert(bytes_read_file(&text, program_path(&r.program, "access.log")));
	for (const char *line = bytes_text(&text); *line; line += strcspn(line, "\n") + 1) {
		size_t n = strcspn(line, "\n");

		rig_check(&r, line[n] == '\n' && line[0] == '{', "not a line: %.40s", line);
		whole += line[n - 1] == '}';
		cut += line[n - 1] != '}';
	}
	said = program_stderr(&r.program);
	cr_assert(strstr(bytes_text(&said), "records dropped (too slow), "), "%s", bytes_text(&said));
	cr_assert_eq(sscanf(strstr(bytes_text(&said), "records dropped"), "records dropped (too slow), %u lines", &lost), 1);
	rig_check(&r, cut <= 1 && whole >= 50 && whole + lost == 1050, "%u whole, %u cut, %u lost", whole, cut, lost);
	bytes_free(&said);
	bytes_free(&text);
	rig_expect_exit(&r, 0);
}

/* ---- a console that nobody reads ---- */

struct reader {
	struct rig *rig;
	int fd;
};

/* Passes on what the harness waits for, and then reads no more. */
static void *read_the_beginning(void *arg)
{
	struct reader *reader = arg;
	struct pollfd p = { .fd = reader->fd, .events = POLLIN };
	char got[4096], path[100];
	size_t n = 0;
	int to;

	while (n < sizeof(got) - 1 && !memmem(got, n, "\nupstream default is ", 21) && poll(&p, 1, 2 * PATIENCE_MS) == 1) {
		ssize_t more = read(reader->fd, got + n, sizeof(got) - 1 - n);

		if (more <= 0)
			break;
		n += (size_t)more;
	}
	snprintf(path, sizeof(path), "%s/stderr", reader->rig->program.dir);
	to = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (to >= 0) {
		(void)!write(to, got, n);
		close(to);
	}
	return NULL;
}

/* Its standard error is a pipe that is full: its own lines and the access log go there. */
Test(logs, a_console_that_nobody_reads_holds_nothing)
{
	char dir[] = "/tmp/brownout-logs-XXXXXX", fifo[60], script[60], text[300];
	struct reader reader;
	pthread_t thread;
	struct rig r;
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(script, sizeof(script), "%s/brownout", dir);
	snprintf(text, sizeof(text), "#!/bin/sh\nexec '%s' \"$@\" 2>'%s'\n", getenv("BROWNOUT_BIN"), fifo);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
	reader = (struct reader){ &r, open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
	cr_assert_geq(reader.fd, 0);
	setenv("BROWNOUT_BIN", script, 1);
	cr_assert_eq(pthread_create(&thread, NULL, read_the_beginning, &reader), 0);
	rig_start_with(&r, "upstream: 'origin:'\nlog: {access: stderr, format: json}\n");
	pthread_join(thread, NULL);
	run_crowd(&r, REQUESTS);
	program_signal(&r.program, SIGUSR1);
	program_signal(&r.program, SIGHUP);
	run_crowd(&r, 10);
	rig_end(&r);
	close(reader.fd);
	unlink(fifo);
	unlink(script);
	rmdir(dir);
}

Test(logs, a_query_that_may_hold_secrets_is_left_out)
{
	struct message request, answer;
	struct bytes trace = { 0 };
	struct peer *client;
	struct rig r;

	rig_start_with(&r, "log: {access: @dir@/access.log, trace: @dir@/trace.jsonl, format: json, query: false}\n");
	client = rig_client(&r);
	(void)rig_exchange(&r, client, GET("/a?token=secret"), OK_HI, &request, &answer);
	cr_expect_str_eq(request.target, "/a?token=secret", "the upstream needs it");
	cr_expect_str_eq(rig_log_value(rig_log_line(&r, 0), "target"), "/a");
	free_both(&request, &answer);
	peer_close(client);
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, 2 * PATIENCE_MS), "it does not end");
	cr_assert(bytes_read_file(&trace, program_path(&r.program, "trace.jsonl")));
	cr_expect(strstr(bytes_text(&trace), "\"target\":\"/a\""), "%s", bytes_text(&trace));
	cr_expect_not(strstr(bytes_text(&trace), "secret"));
	bytes_free(&trace);
	rig_expect_exit(&r, 0);
}
