/*
 * 91 clocks: the wall clock is set while requests are served, and the program stands still for a while. Waits are by the clock
 * that is never set; dates follow the one that is.
 */
#define _XOPEN_SOURCE 700 /* strptime */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/ask.h"
#include "harness/rig.h"
#include "shortage/shortage.h"

TestSuite(clocks, .timeout = 120);

#define DAY_S 86400LL
#define YEAR_S (365 * DAY_S)

static struct shortage *shared;
static unsigned n_asked; /* requests so far, each of which has a line in the access log */

static void set_clock(long long ahead_s)
{
	atomic_store(&shared->wall_ahead_ns, ahead_s * 1000000000);
}

/* What the program's wall clock says. */
static long long wall_s(void)
{
	return time(NULL) + atomic_load(&shared->wall_ahead_ns) / 1000000000;
}

static const char set_rules[] =
	"admin: 127.0.0.1:0\n"
	"upstreams: {default: {url: 'http://127.0.0.1:@port@', response_timeout: 60s}}\n"
	"rules:\n"
	"  - {name: late, match: {path: /late}, delay: 300ms}\n"
	"  - {name: told, match: {path: /told}, abort: {status: 503, retry_after: {date: 5s}}}\n"
	"  - {name: again, match: {path: /again}, abort: {status: 503, retry_after: 30m, enforce: true}, first: 1, key: client}\n"
	"  - {name: quota, match: {path: /quota}, "
	"rate_limit: {limit: 1, window: 1h, algorithm: fixed_window, headers: github}}\n";

static void start(struct rig *r, const char *rules, long long ahead_s)
{
	char path[64];

	shared = shortage_share(path);
	set_clock(ahead_s);
	rig_start_with(r, "%s", rules);
	rig_check(r, program_wait_admin(&r->program), "no admin listener");
	unlink(path);
}

static void finish(struct rig *r)
{
	rig_end(r);
	munmap(shared, sizeof(*shared));
}

/* Unix time of a field with a date. */
static long long date_of(struct rig *r, const struct message *m, const char *name)
{
	const char *value = message_field(m, name);
	struct tm tm = { 0 };

	rig_check(r, value && strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm), "%s: %s", name, value ? value : "none");
	return timegm(&tm);
}

static void ask_for(struct rig *r, struct message *answer, const char *path, unsigned status)
{
	struct peer *client = rig_client(r);

	peer_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
	message_read_answer(answer, client, "GET");
	expect_status(answer, status);
	peer_close(client);
	n_asked++;
}

/* ---- what waits while the clock is set ---- */

struct waiting {
	struct peer *late; /* for a delay */
	long long late_ms; /* asked at */
	struct peer *forwarded; /* for the upstream */
	struct peer *upstream;
};

static void begin_waiting(struct rig *r, struct waiting *w)
{
	struct message request;

	w->forwarded = rig_client(r);
	peer_send(w->forwarded, GET("/forwarded"));
	w->upstream = rig_request(r, &request);
	message_free(&request);
	w->late = rig_client(r);
	w->late_ms = now_ms();
	peer_send(w->late, GET("/late"));
}

static void end_waiting(struct rig *r, struct waiting *w)
{
	struct message request, answer;
	struct peer *upstream = rig_request(r, &request);

	rig_check(r, strcmp(request.target, "/late") == 0, "%s", request.target);
	rig_check(r, now_ms() - w->late_ms >= 300, "a delay of 300 ms ended after %lld ms", now_ms() - w->late_ms);
	peer_send(upstream, OK_HI);
	message_free(&request);
	message_read_answer(&answer, w->late, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	peer_expect_silence(w->forwarded, 1);
	peer_send(w->upstream, OK_HI);
	message_read_answer(&answer, w->forwarded, "GET");
	expect_status(&answer, 200);
	message_free(&answer);
	peer_close(w->late);
	peer_close(w->forwarded);
	peer_close(w->upstream);
	if (upstream != w->upstream)
		peer_close(upstream);
	n_asked += 2;
}

/* ---- what is said of the time ---- */

/* A wait that is told as a date is of that length by the Date beside it: at once, and not only when that is made anew. */
static void expect_told_wait(struct rig *r)
{
	struct message answer;
	long long wait_s;

	ask_for(r, &answer, "/told", 503);
	wait_s = date_of(r, &answer, "Retry-After") - date_of(r, &answer, "Date");
	rig_check(r, wait_s >= 5 && wait_s <= 7, "of 5 s %lld are told", wait_s);
	message_free(&answer);
}

/* The Date of answers is that of the clock, soon. */
static void expect_date(struct rig *r)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	struct message answer;
	long long off_s;

	for (;;) {
		ask_for(r, &answer, "/told", 503);
		off_s = wall_s() - date_of(r, &answer, "Date");
		message_free(&answer);
		if (off_s >= -1 && off_s <= 1)
			return;
		rig_check(r, now_ms() < until_ms, "the date is off by %lld s", off_s);
		sleep_ms(50);
	}
}

/* The last line. */
static void expect_logged_time(struct rig *r)
{
	const char *value = rig_log_value(rig_log_line(r, n_asked - 1), "time");
	struct tm tm = { 0 };
	long long off_s;

	rig_check(r, value && strptime(value, "%Y-%m-%dT%H:%M:%S", &tm), "time: %s", value ? value : "none");
	off_s = wall_s() - timegm(&tm);
	rig_check(r, off_s >= -2 && off_s <= PATIENCE_MS / 1000, "the logged time is off by %lld s", off_s);
}

static void expect_admin_time(struct rig *r)
{
	char *totals = ask(r, "GET", "/v1/totals", NULL, NULL, 200);
	const char *at = strstr(totals, "\"time\":");
	double off_s;

	rig_check(r, at, "%s", totals);
	off_s = (double)wall_s() - strtod(at + strlen("\"time\":"), NULL);
	rig_check(r, off_s > -2 && off_s < PATIENCE_MS / 1000, "the time of totals is off by %.0f s", off_s);
	free(totals);
}

/* A quota is used up, and a told wait is not over, however late it has become. */
static void expect_counts_kept(struct rig *r)
{
	struct message answer;
	long long reset_s;

	ask_for(r, &answer, "/again", 503);
	message_free(&answer);
	ask_for(r, &answer, "/quota", 429);
	reset_s = strtoll(message_field(&answer, "X-RateLimit-Reset"), NULL, 10) - date_of(r, &answer, "Date");
	rig_check(r, reset_s > 3000 && reset_s <= 3601, "the window ends %lld s after the date", reset_s);
	message_free(&answer);
}

static void set_and_look(struct rig *r, const char *name, long long ahead_s)
{
	struct waiting waiting;

	r->context = name;
	begin_waiting(r, &waiting);
	expect_told_wait(r);
	set_clock(ahead_s);
	expect_told_wait(r);
	end_waiting(r, &waiting);
	expect_date(r);
	expect_told_wait(r);
	expect_counts_kept(r);
	expect_admin_time(r);
	expect_logged_time(r);
}

static void use_up(struct rig *r)
{
	struct message request, answer;

	rig_exchange(r, rig_client(r), GET("/quota"), OK_HI, &request, &answer);
	expect_status(&answer, 200);
	free_both(&request, &answer);
	n_asked++;
	ask_for(r, &answer, "/again", 503);
	message_free(&answer);
}

static void expect_metric(struct rig *r, const char *line)
{
	char *metrics = ask(r, "GET", "/metrics", NULL, NULL, 200);

	rig_check(r, strstr(metrics, line), "there is no %s in\n%s", line, metrics);
	free(metrics);
}

Test(clocks, are_set_while_requests_wait)
{
	struct rig r;

	start(&r, set_rules, 0);
	use_up(&r);
	set_and_look(&r, "an hour ahead", 3600);
	set_and_look(&r, "back", 0);
	set_and_look(&r, "a day back", -DAY_S);
	set_and_look(&r, "thirty years ahead", 30 * YEAR_S);
	set_and_look(&r, "to 1970", 5 - (long long)time(NULL));
	set_and_look(&r, "back again", 0);
	expect_metric(&r, "\nbrownout_delays_early_total 0\n");
	finish(&r);
}

/* A machine without a battery: its clock begins at 0, and somebody tells it the time later. */
Test(clocks, begin_in_1970)
{
	struct rig r;

	start(&r, set_rules, -(long long)time(NULL));
	use_up(&r);
	set_and_look(&r, "still in 1970", atomic_load(&shared->wall_ahead_ns) / 1000000000);
	set_and_look(&r, "now", 0);
	expect_metric(&r, "\nbrownout_delays_early_total 0\n");
	finish(&r);
}

/* The time of the last sample of the history that came after another; 0 where none has come. As text in `time`. */
static double last_sample(struct rig *r, const char *since, char time[32])
{
	char path[80];
	char *history, *at, *last = NULL;
	double last_s;

	(void)snprintf(path, sizeof(path), "/v1/history%s%s", since ? "?since=" : "", since ? since : "");
	history = ask(r, "GET", path, NULL, NULL, 200);
	for (at = history; (at = strstr(at, "\"time\":")) != NULL; last = at)
		at += strlen("\"time\":");
	last_s = last ? strtod(last, NULL) : 0;
	(void)snprintf(time, 32, "%.3f", last_s);
	free(history);
	return last_s;
}

static double wait_for_sample(struct rig *r, const char *since, char time[32])
{
	long long until_ms = now_ms() + PATIENCE_MS;
	double last_s;

	while ((last_s = last_sample(r, since, time)) == 0) {
		rig_check(r, now_ms() < until_ms, "no sample since %s", since ? since : "the start");
		sleep_ms(50);
	}
	return last_s;
}

/* Who asks for what is new gets it, whatever time it is. */
Test(clocks, set_back_do_not_end_the_history)
{
	char before[32], after[32], ahead[32], last[32];
	double before_s;
	struct rig r;

	start(&r, set_rules, 0);
	before_s = wait_for_sample(&r, NULL, before);
	set_clock(-3600);
	cr_expect_lt(wait_for_sample(&r, before, after), before_s);
	cr_expect_lt(wait_for_sample(&r, after, last), before_s);
	/* A time that no sample has, and that is still to come. */
	(void)snprintf(ahead, sizeof(ahead), "%.3f", before_s + 0.5);
	cr_expect_gt(last_sample(&r, ahead, last), 0);
	(void)last_sample(&r, NULL, after);
	set_clock(0);
	cr_expect_gt(wait_for_sample(&r, after, last), before_s);
	finish(&r);
}

/* ---- standing still ---- */

#define N_WAITING 20
#define STOPPED_MS 2500

static const char stop_rules[] =
	"admin: 127.0.0.1:0\n"
	"limits: {header_timeout: 2s}\n"
	"upstreams: {default: {url: 'http://127.0.0.1:@port@', response_timeout: 2s}}\n"
	"rules:\n"
	"  - {name: late, match: {path: /late}, delay: 2s, abort: 503}\n"
	"  - {name: hang, match: {path: /hang}, hang: {max: 2s}}\n"
	"  - {name: at-once, match: {path: /at-once}, abort: 503}\n";

/* What each of them says before or while the program stands still, and what comes of it. */
static const struct {
	const char *said;
	bool while_stopped;
	unsigned status; /* 0: the end without an answer */
} stopped[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\nX-A: ", false, 408 },
	{ GET("/forwarded"), false, 504 },
	{ GET("/late"), false, 503 },
	{ GET("/hang"), false, 0 },
	{ GET("/at-once"), true, 503 },
};
#define N_STOPPED (sizeof(stopped) / sizeof(stopped[0]))

static void expect_outcome(struct peer *p, unsigned status)
{
	struct message answer;

	if (!status) {
		peer_expect_end(p);
		return;
	}
	message_read_answer(&answer, p, "GET");
	expect_status(&answer, status);
	message_free(&answer);
	peer_close(p);
}

/* Until some wait. */
static void wait_held(struct rig *r)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	bool none = true;

	while (none) {
		char *totals = ask(r, "GET", "/v1/totals", NULL, NULL, 200);

		none = strstr(totals, "\"held\":0,");
		free(totals);
		rig_check(r, now_ms() < until_ms, "nothing is held");
	}
}

static long long cpu_ms(const struct program *p)
{
	struct timespec used = { 0 };
	clockid_t clock;

	cr_assert(clock_getcpuclockid(p->pid, &clock) == 0 && clock_gettime(clock, &used) == 0);
	return used.tv_sec * 1000LL + used.tv_nsec / 1000000;
}

/* As when its machine sleeps, or its container is frozen. All that came due meanwhile is due now, once. */
Test(clocks, go_on_while_the_program_stands_still)
{
	struct peer *peers[N_STOPPED][N_WAITING];
	char line[96];
	struct rig r;
	long long busy_ms;

	start(&r, stop_rules, 0);
	for (int later = 0; later <= 1; later++) {
		for (size_t i = 0; i < N_STOPPED; i++) {
			for (int k = 0; k < N_WAITING && stopped[i].while_stopped == later; k++) {
				peers[i][k] = rig_client(&r);
				peer_send(peers[i][k], stopped[i].said);
			}
		}
		if (!later) {
			wait_held(&r);
			program_signal(&r.program, SIGSTOP);
		}
	}
	sleep_ms(STOPPED_MS);
	program_signal(&r.program, SIGCONT);
	for (size_t i = 0; i < N_STOPPED; i++) {
		for (int k = 0; k < N_WAITING; k++)
			expect_outcome(peers[i][k], stopped[i].status);
	}
	free(ask_until(&r, "/v1/totals", "\"connections\":0,"));
	expect_metric(&r, "\nbrownout_requests_active 0\n");
	expect_metric(&r, "\nbrownout_requests_held 0\n");
	expect_metric(&r, "\nbrownout_delays_early_total 0\n");
	snprintf(line, sizeof(line), "\nbrownout_requests_begun_total %zu\n", N_STOPPED * N_WAITING);
	expect_metric(&r, line);
	snprintf(line, sizeof(line), "\nbrownout_requests_rejected_total{reason=\"head_timeout\"} %d\n", N_WAITING);
	expect_metric(&r, line);
	snprintf(line, sizeof(line), "\nbrownout_upstream_failures_total{type=\"http_response_timeout\"} %d\n", N_WAITING);
	expect_metric(&r, line);
	snprintf(line, sizeof(line), "\nbrownout_closes_total{reason=\"fault_close\"} %d\n", N_WAITING);
	expect_metric(&r, line);
	busy_ms = cpu_ms(&r.program);
	sleep_ms(500);
	busy_ms = cpu_ms(&r.program) - busy_ms;
	rig_check(&r, busy_ms < 100, "%lld ms of processor time in half a second with nothing to do", busy_ms);
	finish(&r);
}
