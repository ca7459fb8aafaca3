/*
 * 66 service: what a service manager is told, datagram by datagram, and that its watchdog is patted only while every worker
 * comes round. The test is the manager: it has the socket that systemd would have.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(service, .timeout = 60);

struct manager {
	int fd;
	char path[64]; /* empty: an abstract name */
	char said[1024]; /* the last datagram */
};

static void manager_open(struct manager *m, bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[80];
	size_t n;

	snprintf(name, sizeof(name), "%s/brownout-manager-%d", abstract ? "@" : "/tmp", (int)getpid());
	n = strlen(name);
	memcpy(address.sun_path, name, n);
	if (abstract)
		address.sun_path[0] = '\0';
	snprintf(m->path, sizeof(m->path), "%s", abstract ? "" : name);
	(void)unlink(m->path); /* left by one that was killed */
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n += offsetof(struct sockaddr_un, sun_path) + !abstract;
	cr_assert(m->fd >= 0 && bind(m->fd, (struct sockaddr *)&address, (socklen_t)n) == 0, "%s", strerror(errno));
	setenv("NOTIFY_SOCKET", name, 1);
}

static void manager_close(struct manager *m)
{
	close(m->fd);
	if (*m->path)
		unlink(m->path);
}

/* The next datagram; false where none comes in this time. */
static bool manager_hear(struct manager *m, int timeout_ms)
{
	struct pollfd p = { .fd = m->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	n = recv(m->fd, m->said, sizeof(m->said) - 1, 0);
	cr_assert(n >= 0, "%s", strerror(errno));
	m->said[n] = '\0';
	return true;
}

/* Waits for a datagram that begins so, passing over others. */
static void manager_expect(struct rig *r, struct manager *m, const char *first_line)
{
	long long until_ms = now_ms() + 4 * PATIENCE_MS;

	while (now_ms() < until_ms) {
		if (manager_hear(m, 100) && strncmp(m->said, first_line, strlen(first_line)) == 0 &&
			m->said[strlen(first_line)] == '\n')
			return;
	}
	rig_fail(r, "the manager is not told %s", first_line);
}

static unsigned count_pats(struct manager *m, int ms)
{
	long long until_ms = now_ms() + ms;
	unsigned n = 0;

	while (now_ms() < until_ms)
		n += manager_hear(m, (int)(until_ms - now_ms())) && strcmp(m->said, "WATCHDOG=1\n") == 0;
	return n;
}

static void serve_and_stop(bool abstract)
{
	struct message request, answer;
	struct manager m;
	struct rig r;
	int fd;

	manager_open(&m, abstract);
	rig_start(&r);
	manager_expect(&r, &m, "READY=1");
	rig_check(&r, strstr(m.said, "STATUS=serving on 127.0.0.1:"), "%s", m.said);
	fd = rig_connect(r.program.listeners[0]);
	rig_check(&r, fd >= 0, "ready, and does not listen");
	close(fd);
	rig_exchange(&r, rig_client(&r), GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	program_signal(&r.program, SIGTERM);
	manager_expect(&r, &m, "STOPPING=1");
	rig_expect_exit(&r, 0);
	rig_check(&r, !manager_hear(&m, 0) || strncmp(m.said, "STOPPING", 8) != 0, "stops twice");
	manager_close(&m);
}

Test(service, is_ready_and_stops)
{
	serve_and_stop(false);
}

Test(service, tells_an_abstract_name_too)
{
	serve_and_stop(true);
}

/* Type=notify-reload wants a time that lies between the signal and the answer. */
Test(service, a_reload_begins_and_ends)
{
	struct timespec before, after;
	struct manager m;
	struct rig r;
	long long told;

	manager_open(&m, false);
	rig_start(&r);
	manager_expect(&r, &m, "READY=1");
	clock_gettime(CLOCK_MONOTONIC, &before);
	program_signal(&r.program, SIGHUP);
	manager_expect(&r, &m, "RELOADING=1");
	clock_gettime(CLOCK_MONOTONIC, &after);
	rig_check(&r, sscanf(m.said, "RELOADING=1\nMONOTONIC_USEC=%lld\n", &told) == 1, "%s", m.said);
	rig_check(&r, told >= before.tv_sec * 1000000LL + before.tv_nsec / 1000 &&
		told <= after.tv_sec * 1000000LL + after.tv_nsec / 1000, "told %lld", told);
	manager_expect(&r, &m, "READY=1");
	rig_check(&r, !strstr(m.said, "refused"), "%s", m.said);
	program_write_file(&r.program, "rules.yaml", "upstrem: http://127.0.0.1:9\n");
	program_signal(&r.program, SIGHUP);
	manager_expect(&r, &m, "RELOADING=1");
	manager_expect(&r, &m, "READY=1");
	rig_check(&r, strstr(m.said, "; the new rules were refused\n"), "%s", m.said);
	rig_end(&r);
	manager_close(&m);
}

/* The file is read again because it changed: that is a reload too. */
Test(service, a_watched_file_is_a_reload)
{
	struct manager m;
	struct rig r;

	manager_open(&m, false);
	rig_start_with(&r, "watch: true\n");
	manager_expect(&r, &m, "READY=1");
	program_write_file(&r.program, "rules.yaml", "upstrem: http://127.0.0.1:9\n");
	manager_expect(&r, &m, "RELOADING=1");
	manager_expect(&r, &m, "READY=1");
	rig_check(&r, strstr(m.said, "; the new rules were refused\n"), "%s", m.said);
	rig_end(&r);
	manager_close(&m);
}

Test(service, counts_are_told)
{
	struct message request, answer;
	struct manager m;
	struct rig r;

	manager_open(&m, false);
	rig_start_with(&r, "rules:\n  - {match: {path: /b}, abort: 503}\n");
	manager_expect(&r, &m, "READY=1");
	rig_exchange(&r, rig_client(&r), GET("/a"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	peer_send(rig_client(&r), GET("/b"));
	/* Told every few seconds where they have changed: before this, perhaps what was true in the middle of it. */
	manager_expect(&r, &m, "STATUS=2 requests, 1 faults, 0 active");
	rig_end(&r);
	manager_close(&m);
}

/* ---- the watchdog ---- */

#define WATCHDOG_MS 800

static void set_watchdog(const char *pid)
{
	char us[24];

	snprintf(us, sizeof(us), "%d000", WATCHDOG_MS);
	setenv("WATCHDOG_USEC", us, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
}

/* One worker of two stands still, as it would in an endless loop: then nobody is told that all is well. */
Test(service, a_worker_that_hangs_lets_the_watchdog_bite)
{
	struct manager m;
	struct rig r;
	unsigned pats = 0;
	pid_t worker;

	manager_open(&m, true); /* no file is left where the test is passed over */
	set_watchdog(NULL);
	rig_start_with(&r, "workers: 2\n");
	manager_expect(&r, &m, "READY=1");
	/* One such time alone may be short of some because the machine is busy. */
	for (unsigned i = 0; i < 5 && pats < 4; i++)
		pats = count_pats(&m, 2 * WATCHDOG_MS);
	rig_check(&r, pats >= 4, "%u pats in twice the watchdog's time", pats);
	worker = rig_hold_worker(&r, "worker 1");
	/* It may have come round a moment before, and the pat for that be late. */
	for (unsigned i = 0; i < 5 && pats > 0; i++)
		pats = count_pats(&m, 2 * WATCHDOG_MS);
	rig_check(&r, pats == 0, "%u pats while a worker hangs", pats);
	program_release_thread(worker);
	manager_expect(&r, &m, "WATCHDOG=1");
	rig_end(&r);
	manager_close(&m);
}

/* What was due meanwhile is not made up for. */
Test(service, after_standing_still_the_watchdog_is_patted_as_before)
{
	struct manager m;
	struct rig r;
	unsigned pats;

	manager_open(&m, false);
	set_watchdog(NULL);
	rig_start_with(&r, "workers: 2\n");
	manager_expect(&r, &m, "WATCHDOG=1");
	program_signal(&r.program, SIGSTOP);
	(void)count_pats(&m, WATCHDOG_MS / 2);
	rig_check(&r, count_pats(&m, 2 * WATCHDOG_MS) == 0, "patted while it stood still");
	program_signal(&r.program, SIGCONT);
	manager_expect(&r, &m, "WATCHDOG=1");
	pats = count_pats(&m, 2 * WATCHDOG_MS);
	rig_check(&r, pats >= 4 && pats <= 9, "%u pats in twice the watchdog's time", pats);
	rig_end(&r);
	manager_close(&m);
}

Test(service, the_watchdog_of_another_process_is_not_patted)
{
	struct manager m;
	struct rig r;

	manager_open(&m, false);
	set_watchdog("1");
	rig_start(&r);
	manager_expect(&r, &m, "READY=1");
	rig_check(&r, count_pats(&m, WATCHDOG_MS) == 0, "it is patted");
	rig_end(&r);
	manager_close(&m);
}

/* Nobody is there, or nothing that could be told: serving goes on. */
Test(service, without_a_manager_it_serves_all_the_same)
{
	static const char *const names[] = { "/nonexistent/manager", "@nobody-listens-here", "vsock:2:1234", "relative", "/", "@",
		"" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct message request, answer;
		struct rig r;

		setenv("NOTIFY_SOCKET", names[i], 1);
		set_watchdog(NULL);
		rig_start(&r);
		r.context = names[i];
		rig_exchange(&r, rig_client(&r), GET("/"), OK_HI, &request, &answer);
		expect_status(&answer, 200);
		free_both(&request, &answer);
		rig_end(&r);
	}
}
