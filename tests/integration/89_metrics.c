/*
 * 89 metrics: what /metrics says is what has happened, to the last request; it goes on over a reload, stays bounded whatever the
 * rule file names, and tells of evidence that was lost.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(metrics, .timeout = 120);

#define ADMIN "admin: 127.0.0.1:0\n"

/* The whole text; the caller's to free. */
static struct message scrape(struct peer *admin, const char *accept)
{
	struct message answer;

	peer_printf(admin, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n%s\r\n", accept);
	message_read_answer(&answer, admin, "GET");
	expect_status(&answer, 200);
	return answer;
}

/* The value of the sample that is called so, labels and all; -1 where there is none. */
static double value_in(const struct message *m, const char *sample)
{
	const char *at = bytes_text(&m->body);
	size_t n = strlen(sample);

	while ((at = strstr(at, sample))) {
		if ((at == bytes_text(&m->body) || at[-1] == '\n') && at[n] == ' ')
			return strtod(at + n, NULL);
		at += n;
	}
	return -1;
}

static double value_of(struct peer *admin, const char *sample)
{
	struct message m = scrape(admin, "");
	double value = value_in(&m, sample);

	message_free(&m);
	return value;
}

/* An answer may be read before its request is counted: waits. */
static void expect_value(struct rig *r, struct peer *admin, const char *sample, double wanted)
{
	long long until = now_ms() + PATIENCE_MS;
	double value;

	while ((value = value_of(admin, sample)) != wanted && now_ms() < until)
		sleep_ms(2);
	rig_check(r, value == wanted, "%s is %g, not %g", sample, value, wanted);
}

struct sample {
	const char *name;
	double value;
};

static void expect_values(struct rig *r, struct peer *admin, const struct sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect_value(r, admin, samples[i].name, samples[i].value);
}

#define EXPECT_VALUES(r, admin, ...)                                                                                            \
	expect_values((r), (admin), (const struct sample[]){ __VA_ARGS__ },                                                     \
		sizeof((const struct sample[]){ __VA_ARGS__ }) / sizeof(struct sample))

static unsigned count_lines(const struct message *m, const char *begin)
{
	const char *at = bytes_text(&m->body);
	unsigned n = 0;

	for (; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		n += strncmp(at, begin, strlen(begin)) == 0;
	return n;
}

#define REQUESTS(listener, upstream, class)                                                                                     \
	"brownout_requests_total{listener=\"" listener "\",upstream=\"" upstream "\",class=\"" class "\"}"

/* ---- requests ---- */

Test(metrics, requests_by_listener_upstream_and_class)
{
	struct rig r;
	struct peer *admin, *a, *b, *broken;

	rig_start_n(&r, 2,
		ADMIN "listeners:\n"
		      "  - name: one\n"
		      "    address: 127.0.0.1:0\n"
		      "    routes: [{match: {path: /status/**}, upstream: own}, {match: {path: /dead}, upstream: dead}]\n"
		      "  - {name: two, address: 127.0.0.1:0, routes: [{upstream: own}]}\n"
		      "upstreams: {own: {url: 'origin:'}, dead: {url: 'unix:@dir@/nobody.sock'}}\n");
	admin = rig_admin(&r);
	a = rig_client_to(&r, 0);
	b = rig_client_to(&r, 1);
	/* All that can be is there from the start. */
	cr_expect_eq(value_of(admin, REQUESTS("one", "dead", "5xx")), 0);
	cr_expect_eq(value_of(admin, REQUESTS("one", "(none)", "4xx")), 0);
	cr_expect_eq(value_of(admin, REQUESTS("two", "own", "none")), 0);
	cr_expect_eq(value_of(admin, REQUESTS("(other)", "(other)", "2xx")), 0);
	cr_expect_eq(value_of(admin, REQUESTS("two", "dead", "2xx")), -1, "no route leads there");
	for (unsigned i = 0; i < 3; i++)
		expect_get(a, "/status/204", 204);
	expect_get(a, "/status/301", 301);
	expect_get(a, "/elsewhere", 404);
	expect_get(a, "/dead", 502);
	for (unsigned i = 0; i < 2; i++)
		expect_get(b, "/status/503", 503);
	broken = rig_client_to(&r, 1);
	peer_send(broken, "GET / HTTP/1.1\r\nHost : a\r\n\r\n");
	peer_expect(broken, "HTTP/1.1 400 Bad Request\r\n");
	EXPECT_VALUES(&r, admin,
		{ REQUESTS("one", "own", "2xx"), 3 },
		{ REQUESTS("one", "own", "3xx"), 1 },
		{ REQUESTS("one", "(none)", "4xx"), 1 },
		{ REQUESTS("one", "dead", "5xx"), 1 },
		{ REQUESTS("two", "own", "5xx"), 2 },
		{ REQUESTS("two", "(none)", "4xx"), 1 },
		{ "brownout_requests_rejected_total{reason=\"field_space_before_colon\"}", 1 },
		{ "brownout_upstream_failures_total{type=\"connection_refused\"}", 1 },
		{ "brownout_closes_total{reason=\"upstream_failed\"}", 1 },
		{ "brownout_closes_total{reason=\"bad_request\"}", 1 },
		{ "brownout_request_time_seconds_count", 9 },
		{ "brownout_upstream_time_seconds_count", 6 },
		{ "brownout_connections_accepted_total", 3 });
	rig_end(&r);
}

Test(metrics, what_is_open_now)
{
	struct rig r;
	struct peer *admin, *client, *upstream;

	rig_start_with(&r, ADMIN "rules:\n  - {name: held, match: {path: /held}, hang: {max: 60s}}\n");
	admin = rig_admin(&r);
	client = rig_client(&r);
	expect_value(&r, admin, "brownout_connections", 1);
	upstream = rig_reach(&r, client, GET("/"));
	expect_value(&r, admin, "brownout_requests_active", 1);
	expect_value(&r, admin, "brownout_upstream_connections", 1);
	expect_value(&r, admin, "brownout_upstream_connections_idle", 0);
	peer_send(upstream, OK_HI);
	EXPECT_VALUES(&r, admin,
		{ "brownout_requests_active", 0 },
		{ "brownout_upstream_connections", 1 },
		{ "brownout_upstream_connections_idle", 1 },
		{ "brownout_upstream_pool_connections{upstream=\"default\"}", 1 });
	peer_close(upstream);
	expect_value(&r, admin, "brownout_upstream_connections", 0);
	expect_value(&r, admin, "brownout_upstream_connections_idle", 0);
	expect_value(&r, admin, "brownout_upstream_pool_connections{upstream=\"default\"}", 0);
	peer_send(client, GET("/held"));
	expect_value(&r, admin, "brownout_requests_held", 1);
	expect_value(&r, admin, "brownout_rule_active{rule=\"held\"}", 1);
	peer_close(client);
	EXPECT_VALUES(&r, admin,
		{ "brownout_requests_held", 0 },
		{ "brownout_rule_active{rule=\"held\"}", 0 },
		{ "brownout_connections", 0 },
		{ "brownout_closes_total{reason=\"client_left\"}", 1 });
	cr_expect_gt(value_of(admin, "process_open_fds"), 5);
	cr_expect_geq(value_of(admin, "process_max_fds"), value_of(admin, "process_open_fds"));
	cr_expect_gt(value_of(admin, "process_resident_memory_bytes"), 100000);
	rig_end(&r);
}

/* ---- faults ---- */

Test(metrics, rules_and_their_faults)
{
	struct rig r;
	struct peer *admin, *client;

	rig_start_with(&r,
		ADMIN "upstream: 'origin:'\n"
		      "rules:\n"
		      "  - {name: turns, match: {path: /turns}, sequence: [503, {delay: 1ms}, 502]}\n"
		      "  - {name: dry, match: {path: /dry}, dry_run: true, abort: 500}\n"
		      "  - {name: few, match: {path: /few}, max_faults: 2, abort: 500}\n"
		      "  - {name: off, match: {path: /few}, enabled: false, abort: 500}\n"
		      "  - {name: slow, match: {path: /slow}, delay: 30ms}\n");
	admin = rig_admin(&r);
	client = rig_client(&r);
	for (unsigned i = 0; i < 2; i++) {
		expect_get(client, "/turns", 503);
		expect_get(client, "/turns", 200);
		expect_get(client, "/turns", 502);
		expect_get(client, "/slow", 200);
		expect_get(client, "/dry", 200);
		expect_get(client, "/few", 500);
	}
	expect_get(client, "/few", 200);
	expect_value(&r, admin, "brownout_rule_faults_total{rule=\"turns\",fault=\"abort\"}", 4);
	expect_value(&r, admin, "brownout_rule_faults_total{rule=\"turns\",fault=\"delay\"}", 2);
	expect_value(&r, admin, "brownout_rule_faults_total{rule=\"slow\",fault=\"delay\"}", 2);
	cr_expect_eq(value_of(admin, "brownout_rule_faults_total{rule=\"slow\",fault=\"abort\"}"), -1);
	EXPECT_VALUES(&r, admin,
		{ "brownout_faults_total{fault=\"abort\"}", 6 },
		{ "brownout_faults_total{fault=\"delay\"}", 4 },
		{ "brownout_rule_matched_total{rule=\"turns\"}", 6 },
		{ "brownout_rule_fired_total{rule=\"turns\"}", 6 },
		{ "brownout_rule_dry_run_total{rule=\"dry\"}", 2 },
		{ "brownout_rule_fired_total{rule=\"dry\"}", 0 },
		{ "brownout_rule_fired_total{rule=\"few\"}", 2 },
		{ "brownout_rule_refused_total{rule=\"few\"}", 1 },
		{ "brownout_rule_enabled{rule=\"few\"}", 1 },
		{ "brownout_rule_enabled{rule=\"off\"}", 0 });
	/* What was intended is known exactly. */
	EXPECT_VALUES(&r, admin,
		{ "brownout_delay_seconds_sum", 0.062 },
		{ "brownout_delay_seconds_bucket{le=\"0.0005\"}", 0 },
		{ "brownout_delay_seconds_bucket{le=\"0.001\"}", 2 },
		{ "brownout_delay_seconds_bucket{le=\"0.025\"}", 2 },
		{ "brownout_delay_seconds_bucket{le=\"0.05\"}", 4 },
		{ "brownout_delay_error_seconds_count", 4 },
		{ "brownout_delays_early_total", 0 });
	rig_end(&r);
}

/* Those that nothing has waited for are none: HEAD has no body. */
Test(metrics, delays_of_the_body)
{
	struct message answer;
	struct rig r;
	struct peer *admin, *client;

	rig_start_with(&r,
		ADMIN "upstream: 'origin:'\n"
		      "rules:\n"
		      "  - {match: {path: /late}, delay: {fixed: 30ms, at: body}}\n"
		      "  - {match: {path: /both}, delay: {fixed: 2ms, at: body}, abort: 503}\n");
	admin = rig_admin(&r);
	client = rig_client(&r);
	for (unsigned i = 0; i < 2; i++) {
		expect_get(client, "/late", 200);
		expect_get(client, "/both", 503);
		peer_send(client, "HEAD /both HTTP/1.1\r\nHost: a\r\n\r\n");
		message_read_answer(&answer, client, "HEAD");
		message_free(&answer);
	}
	EXPECT_VALUES(&r, admin,
		{ "brownout_delay_seconds_count", 4 },
		{ "brownout_delay_seconds_sum", 0.064 },
		{ "brownout_delay_error_seconds_count", 4 },
		{ "brownout_delays_early_total", 0 });
	rig_end(&r);
}

/* ---- reload, the switch ---- */

static const char other_places[] = "listeners:\n"
				   "  - name: default\n"
				   "    address: 127.0.0.1:0\n"
				   "    routes: [{match: {path: /b}, upstream: b}, {upstream: a}]\n"
				   "upstreams: {b: {url: 'origin:'}, a: {url: 'origin:'}}\n"
				   "rules:\n"
				   "  - {name: new, match: {path: /n}, abort: 500}\n"
				   "  - {name: x, match: {path: /x}, abort: 503}\n";

Test(metrics, go_on_over_a_reload)
{
	struct rig r;
	struct peer *admin, *client;

	rig_start_with(&r, ADMIN "upstreams: {a: {url: 'origin:'}}\nrules:\n  - {name: x, match: {path: /x}, abort: 503}\n");
	admin = rig_admin(&r);
	client = rig_client(&r);
	expect_get(client, "/x", 503);
	expect_get(client, "/y", 200);
	expect_value(&r, admin, "brownout_config_generation", 1);
	/* The names have other places now. */
	rig_check(&r, rig_reload_with(&r, ADMIN "%s", other_places), "refused");
	client = rig_client(&r);
	expect_value(&r, admin, "brownout_config_generation", 2);
	expect_get(client, "/x", 503);
	expect_get(client, "/y", 200);
	expect_get(client, "/b", 200);
	EXPECT_VALUES(&r, admin,
		{ REQUESTS("default", "a", "2xx"), 2 },
		{ REQUESTS("default", "a", "5xx"), 2 },
		{ REQUESTS("default", "b", "2xx"), 1 },
		{ "brownout_rule_fired_total{rule=\"x\"}", 2 },
		{ "brownout_rule_fired_total{rule=\"new\"}", 0 },
		{ "brownout_config_file_refused", 0 });
	rig_check(&r, !rig_reload_with(&r, ADMIN "rules:\n  - {abort: 99}\n"), "taken");
	expect_value(&r, admin, "brownout_config_file_refused", 1);
	expect_value(&r, admin, "brownout_config_generation", 2);
	rig_check(&r, rig_reload_with(&r, ADMIN "%s", other_places), "refused");
	expect_value(&r, admin, "brownout_config_file_refused", 0);
	rig_end(&r);
}

Test(metrics, tell_of_a_disarm)
{
	struct rig r;
	struct peer *admin;
	struct message answer;

	rig_start_with(&r, ADMIN "rules:\n  - {abort: 503}\n");
	admin = rig_admin(&r);
	expect_value(&r, admin, "brownout_armed", 1);
	peer_send(admin, "POST /v1/disarm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
	message_read_answer(&answer, admin, "POST");
	expect_status(&answer, 200);
	message_free(&answer);
	expect_value(&r, admin, "brownout_armed", 0);
	rig_end(&r);
}

/* ---- bounds ---- */

Test(metrics, are_bounded_whatever_the_file_names)
{
	struct bytes file = { 0 };
	struct rig r;
	struct peer *admin, *client;
	struct message m;

	bytes_printf(&file, ADMIN "listeners:\n  - name: l\n    address: 127.0.0.1:0\n    routes:\n");
	for (unsigned i = 0; i < 300; i++)
		bytes_printf(&file, "      - {match: {path: /u%u}, upstream: u%u}\n", i, i);
	bytes_printf(&file, "upstreams:\n");
	for (unsigned i = 0; i < 300; i++)
		bytes_printf(&file, "  u%u: {url: 'origin:'}\n", i);
	bytes_printf(&file, "rules:\n");
	for (unsigned i = 0; i < 1010; i++)
		bytes_printf(&file, "  - {name: r%u, match: {path: /r%u}, abort: 503}\n", i, i);
	rig_start_with(&r, "%s", bytes_text(&file));
	bytes_free(&file);
	admin = rig_admin(&r);
	client = rig_client(&r);
	expect_get(client, "/u0", 200);
	expect_get(client, "/u299", 200);
	expect_get(client, "/u298", 200);
	expect_value(&r, admin, REQUESTS("l", "u0", "2xx"), 1);
	expect_value(&r, admin, REQUESTS("(other)", "(other)", "2xx"), 2);
	expect_value(&r, admin, "brownout_upstream_pool_connections{upstream=\"(other)\"}", 2);
	m = scrape(admin, "");
	cr_expect_eq(count_lines(&m, "brownout_requests_total{"), 256 * 6);
	cr_expect_eq(count_lines(&m, "brownout_upstream_pool_connections{"), 256);
	cr_expect_eq(count_lines(&m, "brownout_rule_matched_total{"), 1001);
	cr_expect_eq(value_in(&m, "brownout_rule_enabled{rule=\"(other)\"}"), 10);
	cr_expect_eq(value_in(&m, "brownout_rule_matched_total{rule=\"r1000\"}"), -1);
	cr_expect_eq(value_in(&m, "brownout_rule_matched_total{rule=\"r999\"}"), 0);
	message_free(&m);
	rig_end(&r);
}

/* ---- evidence that was lost ---- */

Test(metrics, a_full_disk_is_told)
{
	struct rig r;
	struct peer *admin, *client;

	rig_start_with(&r, ADMIN "upstream: 'origin:'\nlog: {access: /dev/full}\n");
	admin = rig_admin(&r);
	client = rig_client(&r);
	for (unsigned i = 0; i < 5; i++)
		expect_get(client, "/", 200);
	expect_value(&r, admin, "brownout_log_lines_lost_total", 5);
	rig_end(&r);
}

/*
 * A reader of the log that has stopped reading. It is waited for a while; what comes then is dropped, or lost where the requests
 * take longer than that while: all but what the pipe holds. No request waits, and the program's end does not either.
 */
Test(metrics, a_stuck_log_is_told_and_slows_nothing)
{
	enum { PIPE_LINES_MAX = 65536 / 100 };
	const unsigned n = 12000, together = 100; /* more than a ring holds */
	char path[] = "/tmp/brownout-metrics-XXXXXX", fifo[64];
	struct rig r;
	struct peer *admin, *client;
	struct message answer;
	double missing = 0;
	int reader;

	cr_assert(mkdtemp(path) != NULL);
	snprintf(fifo, sizeof(fifo), "%s/log", path);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(reader, 0);
	rig_start_with(&r, ADMIN "upstream: 'origin:'\nrules:\n  - {abort: 204}\nlog: {access: '%s', format: json}\n", fifo);
	admin = rig_admin(&r);
	client = rig_client(&r);
	for (unsigned i = 0; i < n; i += together) {
		for (unsigned k = 0; k < together; k++)
			peer_send(client, GET("/"));
		for (unsigned k = 0; k < together; k++) {
			message_read_answer(&answer, client, "GET");
			expect_status(&answer, 204);
			message_free(&answer);
		}
	}
	expect_value(&r, admin, REQUESTS("default", "default", "2xx"), n);
	for (long long until = now_ms() + PATIENCE_MS; missing < n - PIPE_LINES_MAX && now_ms() < until; sleep_ms(10)) {
		missing = value_of(admin, "brownout_log_records_dropped_total") +
			value_of(admin, "brownout_log_lines_lost_total");
	}
	cr_expect(missing >= n - PIPE_LINES_MAX && missing <= n, "%g of %u are told of as missing", missing, n);
	rig_end(&r);
	close(reader);
	unlink(fifo);
	rmdir(path);
}

/* ---- formats ---- */

Test(metrics, format_by_accept)
{
	struct rig r;
	struct peer *admin;
	struct message m;

	rig_start_with(&r, ADMIN);
	admin = rig_admin(&r);
	m = scrape(admin, "");
	expect_field(&m, "content-type", "text/plain; version=0.0.4; charset=utf-8");
	cr_expect(!strstr(bytes_text(&m.body), "# EOF"));
	message_free(&m);
	m = scrape(admin, "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n");
	expect_field(&m, "content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
	cr_expect_str_eq(bytes_text(&m.body) + m.body.n - 6, "# EOF\n");
	message_free(&m);
	peer_send(admin, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
	message_read_answer(&m, admin, "POST");
	expect_status(&m, 405);
	message_free(&m);
	admin = rig_admin(&r);
	peer_send(admin, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
	message_read_answer(&m, admin, "HEAD");
	expect_status(&m, 200);
	message_free(&m);
	rig_end(&r);
}
