/*
 * 90 examples: every rule file in config/ works as it stands, against the embedded upstream, and gives the faults that it
 * promises.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(examples, .timeout = 60);

/* The files that a test below is about: a new one needs a test here. */
static const char *const known[] = { "quickstart.yaml", "gateway-timeout.yaml", "rate-limit.yaml", "flaky-checkout.yaml",
	"slow-search.yaml" };

static const char *config_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/config/%s", getenv("BROWNOUT_SOURCE"), name);
	return path;
}

static void start_example(struct rig *r, const char *name)
{
	static const char *const variables[] = { "UPSTREAM=origin:", "LISTEN=127.0.0.1:0", NULL };

	*r = (struct rig){ 0 };
	for (unsigned i = 0; i < RIG_UPSTREAMS; i++)
		r->upstream_fds[i] = -1;
	r->context = name;
	program_open(&r->program);
	/* A seed of the test's own: some of the files leave it to chance. */
	program_start(&r->program, (const char *const[]){ "run", config_path(name), "--seed", "1", "--access",
		program_path(&r->program, "access.log"), "--log-format", "json", NULL }, variables);
	rig_check(r, program_wait_listening(&r->program, 1), "%s does not listen", name);
}

/* Status of the answer to a request for this with these fields. */
static unsigned ask(struct rig *r, struct peer *client, const char *line, const char *fields)
{
	struct message answer;
	char method[16];
	unsigned status;

	snprintf(method, sizeof(method), "%.*s", (int)strcspn(line, " "), line);
	peer_printf(client, "%s HTTP/1.1\r\nHost: a\r\n%s\r\n", line, fields);
	message_read_answer(&answer, client, method);
	status = answer.status;
	rig_check(r, (status == 200) == !message_field(&answer, "x-brownout") || strstr(message_list(&answer, "x-brownout"),
		"delay"),
		"%u and X-Brownout \"%s\"", status, message_list(&answer, "x-brownout"));
	message_free(&answer);
	return status;
}

Test(examples, each_is_valid_and_has_a_test)
{
	DIR *dir = opendir(config_path(""));
	struct dirent *entry;
	struct program p;
	unsigned n = 0;

	cr_assert(dir != NULL);
	program_open(&p);
	while ((entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');
		bool is_known = false;
		struct bytes said;
		int code;

		if (!end || strcmp(end, ".yaml") != 0)
			continue;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= strcmp(entry->d_name, known[i]) == 0;
		cr_assert(is_known, "config/%s has no test", entry->d_name);
		code = program_run(&p, (const char *const[]){ "check", config_path(entry->d_name), NULL }, NULL);
		said = program_stderr(&p);
		cr_assert(code == 0 && said.n == 0, "config/%s: exit code %d, %s", entry->d_name, code, bytes_text(&said));
		bytes_free(&said);
		n++;
	}
	closedir(dir);
	program_close(&p);
	cr_assert(n == sizeof(known) / sizeof(known[0]), "%u files", n);
}

Test(examples, quickstart)
{
	struct rig r;
	struct peer *client;
	unsigned faults = 0;

	start_example(&r, "quickstart.yaml");
	client = rig_client(&r);
	for (int i = 0; i < 300; i++) {
		unsigned status = ask(&r, client, "GET /", "");

		rig_check(&r, status == 200 || status == 503, "status %u", status);
		faults += status == 503;
	}
	/* One in ten. */
	rig_check(&r, faults > 10 && faults < 60, "%u of 300", faults);
	for (int i = 0; i < 50; i++)
		rig_check(&r, ask(&r, client, "GET /healthz", "") == 200, "the health check is not spared");
	rig_end(&r);
}

Test(examples, gateway_timeout)
{
	struct rig r;
	struct peer *client;
	long long since_ms;

	start_example(&r, "gateway-timeout.yaml");
	client = rig_client(&r);
	since_ms = now_ms();
	rig_check(&r, ask(&r, client, "GET /reports/today", "") == 504, "no 504");
	rig_check(&r, now_ms() - since_ms >= 1999, "after %lld ms", now_ms() - since_ms);
	rig_check(&r, ask(&r, client, "GET /healthz", "") == 200, "the health check is not spared");
	rig_end(&r);
}

Test(examples, rate_limit)
{
	struct rig r;
	struct peer *client;

	start_example(&r, "rate-limit.yaml");
	client = rig_client(&r);
	for (int i = 0; i < 17; i++) {
		unsigned status = ask(&r, client, "GET /api/items", "X-Api-Key: a\r\n");

		rig_check(&r, status == (i < 5 || i >= 15 ? 200 : 429), "request %d got %u", i, status);
	}
	rig_check(&r, ask(&r, client, "GET /api/items", "X-Api-Key: b\r\n") == 200, "the keys share a count");
	for (int i = 1; i <= 8; i++)
		rig_check(&r, ask(&r, client, "GET /api/items", "") == (i % 4 ? 200 : 429), "request %d without a key", i);
	rig_end(&r);
}

Test(examples, flaky_checkout)
{
	struct rig r;
	struct peer *client;

	start_example(&r, "flaky-checkout.yaml");
	client = rig_client(&r);
	for (int user = 1; user < 4; user++) {
		for (int i = 0; i < 4; i++) {
			char fields[64];
			unsigned status;

			snprintf(fields, sizeof(fields), "X-User-Id: %d\r\nContent-Length: 0\r\n", user);
			status = ask(&r, client, "POST /checkout/cart", fields);
			rig_check(&r, status == (i < 2 ? 503 : 200), "user %d, request %d: %u", user, i, status);
		}
	}
	rig_check(&r, ask(&r, client, "POST /checkout/cart", "X-User-Id: 9\r\nX-Vip: 1\r\nContent-Length: 0\r\n") == 200,
		"a VIP failed");
	rig_end(&r);
}

Test(examples, slow_search)
{
	struct rig r;
	struct peer *client;

	start_example(&r, "slow-search.yaml");
	client = rig_client(&r);
	for (unsigned i = 0; i < 4; i++) {
		long long since_ms = now_ms();

		rig_check(&r, ask(&r, client, "GET /search?q=lamp", "") == 200, "not 200");
		rig_check(&r, now_ms() - since_ms >= 199, "after %lld ms", now_ms() - since_ms);
		rig_check(&r, strtod(rig_log_value(rig_log_line(&r, i), "delay"), NULL) >= 0.2, "delay in %s", rig_log_line(&r,
			i));
	}
	rig_check(&r, ask(&r, client, "GET /other", "") == 200, "not 200");
	rig_check(&r, !rig_log_value(rig_log_line(&r, 4), "delay"), "another path was delayed");
	rig_end(&r);
}

/* ---- config/faults ---- */

/* What the first request for a path of an example gets; status 0: no answer that can be read. */
static const struct {
	const char *file;
	const char *path;
	unsigned status;
} firsts[] = {
	{ "faults/abort.yaml", "/account/me", 401 },
	{ "faults/abort.yaml", "/shop/basket", 503 },
	{ "faults/abort.yaml", "/odd", 429 },
	{ "faults/connection.yaml", "/close", 0 },
	{ "faults/connection.yaml", "/reset", 0 },
	{ "faults/connection.yaml", "/lost", 0 },
	{ "faults/corrupt.yaml", "/data", 200 },
	{ "faults/delay.yaml", "/fixed", 200 },
	{ "faults/delay.yaml", "/samples", 200 },
	{ "faults/delay.yaml", "/body", 200 },
	{ "faults/gateway.yaml", "/nginx/a", 502 },
	{ "faults/gateway.yaml", "/alb/a", 504 },
	{ "faults/early-hints.yaml", "/page", 103 },
	{ "faults/hang.yaml", "/report/today", 0 },
	{ "faults/malformed.yaml", "/status-line", 0 },
	{ "faults/malformed.yaml", "/http09", 0 },
	{ "faults/outcomes.yaml", "/retry", 503 },
	{ "faults/rate-limit.yaml", "/api/items", 200 },
	{ "faults/request.yaml", "/v2/items", 200 },
	{ "faults/rewrite.yaml", "/orders", 500 },
	{ "faults/rewrite.yaml", "/items", 200 },
	{ "faults/schedule.yaml", "/window", 503 },
	{ "faults/schedule.yaml", "/dry", 200 },
	{ "faults/throttle.yaml", "/drops", 200 },
	{ "faults/truncate.yaml", "/cut", 200 },
};

#define N_FIRSTS (sizeof(firsts) / sizeof(firsts[0]))

/* The status of the first line, as far as there is one in a second and a half. */
static unsigned first_status(struct rig *r, const char *path)
{
	struct peer *client = rig_client(r);
	unsigned status = 0;

	peer_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	while (!strchr(peer_rest(client), '\n') && peer_read(client, 1500))
		;
	if (sscanf(peer_rest(client), "HTTP/1.1 %3u ", &status) != 1 || status < 100)
		status = 0;
	peer_close(client);
	return status;
}

Test(examples, first_answers_of_the_faults)
{
	for (size_t i = 0; i < N_FIRSTS;) {
		const char *file = firsts[i].file;
		struct rig r;

		start_example(&r, file);
		for (; i < N_FIRSTS && strcmp(firsts[i].file, file) == 0; i++) {
			unsigned status = first_status(&r, firsts[i].path);

			rig_check(&r, status == firsts[i].status, "%s: %u, not %u", firsts[i].path, status, firsts[i].status);
		}
		rig_end(&r);
	}
}

Test(examples, each_fault_is_valid_and_has_a_test)
{
	DIR *dir = opendir(config_path("faults"));
	struct dirent *entry;
	struct program p;

	cr_assert(dir != NULL);
	program_open(&p);
	while ((entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');
		bool is_known = false;
		char name[300];
		struct bytes said;

		if (!end || strcmp(end, ".yaml") != 0)
			continue;
		snprintf(name, sizeof(name), "faults/%s", entry->d_name);
		for (size_t i = 0; i < N_FIRSTS; i++)
			is_known |= strcmp(firsts[i].file, name) == 0;
		cr_assert(is_known, "config/%s has no test", name);
		cr_assert_eq(program_run(&p, (const char *const[]){ "check", config_path(name), NULL }, NULL), 0, "%s", name);
		said = program_stderr(&p);
		cr_assert_eq(said.n, 0, "config/%s: %s", name, bytes_text(&said));
		bytes_free(&said);
	}
	closedir(dir);
	program_close(&p);
}
