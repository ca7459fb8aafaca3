/*
 * 74 trace: every decision is recorded, can be made again from the record, and is the same in every run with the same seed
 * and the same requests, at any number of connections and workers.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(trace, .timeout = 240);

#define REQUESTS 1000u

/*
 * Both phases, both ways of sampling, keyed and not, rules that end the list and one that does not. What is keyed stands before
 * what is not: which requests get to a rule behind an unkeyed one is a matter of their order.
 */
#define RULES                                                                                                                   \
	"rules:\n"                                                                                                              \
	"  - {name: late, key: 'header:x-id', percentage: 10, delay: 1ms}\n"                                                    \
	"  - name: one-of\n"                                                                                                    \
	"    key: header:x-id\n"                                                                                                \
	"    outcomes: [{weight: 1, abort: 504}, {weight: 9, delay: 1ms}, {weight: 1, pass: true}]\n"                           \
	"  - {name: quarter, key: 'header:x-id', percentage: 25.5, abort: 503}\n"                                               \
	"  - {name: bursts, burst: {enter: 5, leave: 20}, abort: 500}\n"                                                        \
	"  - {name: even, percentage: 30, sampling: even, after: 5, abort: 429}\n"                                              \
	"  - {name: third, every: 3, percentage: 50, phase: response, abort: 502}\n"

/* What depends on the time too, or on what else happens at that time. */
#define TIMED_RULES                                                                                                             \
	"rules:\n"                                                                                                              \
	"  - {name: window, start_after: 5ms, duration: 20ms, period: 60ms, percentage: 50, delay: 1ms}\n"                      \
	"  - {name: ramp, ramp: {from: 0, over: 100ms}, percentage: 60, delay: 1ms}\n"                                          \
	"  - {name: ceiling, max_active_faults: 2, delay: 2ms}\n"                                                               \
	"  - {name: trial, dry_run: true, percentage: 50, abort: 503}\n"                                                        \
	"  - {name: quotas, outcomes: [{weight: 1, rate_limit: {limit: 9, window: 24h}}, {weight: 3, delay: 1ms}]}\n"            \
	"  - {name: turns, key: client, sequence: [429, pass, 503]}\n"

/* A folder that outlives the runs, and in it the rules. */
static void open_folder(struct program *p)
{
	program_open(p);
	program_write_file(p, "rules.yaml", "upstream: origin\n" RULES);
	program_write_file(p, "timed.yaml", "upstream: origin\n" TIMED_RULES);
}

/* One run with its trace in that folder. */
static void record(const struct program *folder, const char *name, unsigned seed, unsigned connections, unsigned workers)
{
	struct crowd c = { .target = "/status/204", .n_connections = connections, .n_requests = REQUESTS };
	struct rig r;

	rig_start_with(&r, "seed: %u\nworkers: %u\nupstream: origin\nlog: {trace: '%s'}\n" RULES, seed, workers,
		program_path(folder, name));
	r.context = name;
	c.rig = &r;
	crowd_run(&c);
	rig_check(&r, c.n_broken == 0 && crowd_count(&c, 503) > 0 && crowd_count(&c, 429) > 0 && crowd_count(&c, 502) > 0,
		"not every rule has fired");
	crowd_free(&c);
	rig_end(&r);
}

/*
 * What the trace has of an answer is looked up while its bytes are there: also of one whose head came in parts and of which
 * nothing is left then, and of one that no upstream has given. (RateLimit and X-Runtime have names of the same length.)
 */
Test(trace, answers_that_leave_nothing_behind)
{
	static const char *const parts[] = { "HTTP/1.1 200 OK\r\nX-Runtime: 1\r\n", "Content-Length: 0\r\n\r\n" };
	struct message answer;
	struct peer *client, *upstream;
	struct rig r;

	rig_start_with(&r, "log: {trace: '@dir@/trace.jsonl'}\n");
	client = rig_client(&r);
	for (int i = 0; i < 2; i++) {
		upstream = rig_reach(&r, client, GET("/"));
		peer_send(upstream, parts[0]);
		sleep_ms(20);
		peer_send(upstream, parts[1]);
		message_read_answer(&answer, client, "GET");
		expect_status(&answer, 200);
		message_free(&answer);
		peer_send(client, "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
		message_read_answer(&answer, client, "OPTIONS");
		expect_status(&answer, 200);
		message_free(&answer);
	}
	rig_end(&r);
}

/* brownout replay TRACE with these arguments ends with this code and says this. */
static void expect_replay(struct program *p, const char *trace, const char *option, const char *value, const char *seed,
	int code, const char *says)
{
	const char *const arguments[] = { "replay", program_path(p, trace), option, program_path(p, value),
		seed ? "--seed" : NULL, seed, NULL };
	int ended = program_run(p, arguments, NULL);
	struct bytes out = program_stdout(p);
	struct bytes err = program_stderr(p);

	cr_assert(ended == code, "%s %s %s: exit code %d\n%s%s", trace, option, value, ended, bytes_text(&out), bytes_text(&err));
	cr_assert(strstr(bytes_text(code == 2 ? &err : &out), says), "%s: no \"%s\" in\n%s%s", trace, says, bytes_text(&out),
		bytes_text(&err));
	cr_assert(!program_has_report(p), "%s", bytes_text(&err));
	bytes_free(&out);
	bytes_free(&err);
}

Test(trace, is_made_again_from_its_record)
{
	struct program p;

	open_folder(&p);
	record(&p, "a.jsonl", 7, 8, 2);
	expect_replay(&p, "a.jsonl", "--rules", "rules.yaml", NULL, 0, " in 1000 exchanges, 0 differ\n");
	expect_replay(&p, "a.jsonl", "--rules", "rules.yaml", "7", 0, " in 1000 exchanges, 0 differ\n");
	expect_replay(&p, "a.jsonl", "--rules", "rules.yaml", "8", 3, "  recomputed: ");
	program_close(&p);
}

Test(trace, times_and_ceilings_are_made_again)
{
	static const char *const outcomes[] = { "fired", "not_drawn", "outside", "refused", "dry_run", "passed" };
	struct crowd c = { .target = "/status/204", .n_connections = 16, .n_requests = REQUESTS };
	struct bytes text = { 0 };
	struct program p;
	struct rig r;

	open_folder(&p);
	rig_start_with(&r, "workers: 2\nupstream: origin\nlog: {trace: '%s'}\n" TIMED_RULES, program_path(&p, "a.jsonl"));
	c.rig = &r;
	crowd_run(&c);
	crowd_free(&c);
	rig_end(&r);
	cr_assert(bytes_read_file(&text, program_path(&p, "a.jsonl")));
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		char part[40];

		(void)snprintf(part, sizeof(part), "\"outcome\":\"%s\"", outcomes[i]);
		cr_assert(strstr(bytes_text(&text), part), "nothing was %s", outcomes[i]);
	}
	bytes_free(&text);
	expect_replay(&p, "a.jsonl", "--rules", "timed.yaml", NULL, 0, " in 1000 exchanges, 0 differ\n");
	program_close(&p);
}

Test(trace, is_the_same_at_any_scale)
{
	static const struct {
		unsigned connections;
		unsigned workers;
	} scales[] = { { 8, 1 }, { 64, 1 }, { 1, 2 }, { 64, 2 }, { 8, 4 }, { 64, 4 } };
	struct program p;

	open_folder(&p);
	record(&p, "a.jsonl", 7, 1, 1);
	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "b%zu.jsonl", i);
		record(&p, name, 7, scales[i].connections, scales[i].workers);
		expect_replay(&p, "a.jsonl", "--against", name, NULL, 0, " decisions, 0 differ, 0 only in ");
	}
	record(&p, "c.jsonl", 8, 8, 1);
	expect_replay(&p, "a.jsonl", "--against", "c.jsonl", NULL, 3, "the seeds differ: 7 and 8\n");
	program_close(&p);
}

Test(trace, a_rotated_file_stands_alone)
{
	struct program p;
	struct rig r;
	struct peer *client;
	struct bytes text = { 0 };

	open_folder(&p);
	rig_start_with(&r, "upstream: origin\nlog: {trace: '%s'}\n" RULES, program_path(&p, "a.jsonl"));
	client = rig_client(&r);
	for (unsigned i = 0; i < 20; i++) {
		struct message answer;

		if (i == 10) {
			cr_assert(rename(program_path(&p, "a.jsonl"), program_path(&p, "a.1.jsonl")) == 0);
			program_signal(&r.program, SIGUSR1);
			for (int waited = 0; access(program_path(&p, "a.jsonl"), F_OK) != 0; waited += 10) {
				rig_check(&r, waited < PATIENCE_MS, "the file is not opened anew");
				sleep_ms(10);
			}
		}
		peer_printf(client, "GET /status/204 HTTP/1.1\r\nHost: a\r\nX-Id: %u\r\n\r\n", i);
		message_read_answer(&answer, client, "GET");
		message_free(&answer);
	}
	rig_end(&r);
	expect_replay(&p, "a.1.jsonl", "--rules", "rules.yaml", NULL, 0, ", 0 differ\n");
	expect_replay(&p, "a.jsonl", "--rules", "rules.yaml", NULL, 0, ", 0 differ\n");
	cr_assert(bytes_read_file(&text, program_path(&p, "a.jsonl")) && strstr(bytes_text(&text), "{\"trace\":1,"), "%s",
		bytes_text(&text));
	bytes_free(&text);
	program_close(&p);
}

/* A body so large that it would not have to be looked at to be passed on. */
static void upload(struct rig *r, struct peer *client, char last)
{
	enum { BYTES = 200000 };
	char *body = malloc(BYTES);
	struct message request, answer;

	memset(body, 'x', BYTES);
	body[BYTES - 1] = last;
	peer_printf(client, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BYTES);
	rig_request_head(r, &request);
	peer_send_n(client, body, BYTES);
	message_read_body(&request);
	peer_send(request.peer, OK_HI);
	message_read_answer(&answer, client, "POST");
	free_both(&request, &answer);
	free(body);
}

Test(trace, a_large_body_is_told_from_another)
{
	struct bytes text = { 0 };
	struct peer *client;
	struct rig r;
	char *hashes[3];
	char *at;

	rig_start_with(&r, "log: {trace: '@dir@/trace.jsonl'}\n");
	client = rig_client(&r);
	upload(&r, client, 'a');
	upload(&r, client, 'a');
	upload(&r, client, 'b');
	program_signal(&r.program, SIGTERM);
	rig_check(&r, program_wait(&r.program, PATIENCE_MS), "it does not end");
	rig_check(&r, bytes_read_file(&text, program_path(&r.program, "trace.jsonl")), "no trace");
	at = text.p;
	for (int i = 0; i < 3; i++) {
		at = strstr(at, "\"body\":\"");
		rig_check(&r, at, "%d exchanges with a body: %s", i, bytes_text(&text));
		at += strlen("\"body\":\"");
		hashes[i] = strndup(at, strcspn(at, "\""));
	}
	rig_check(&r, strcmp(hashes[0], hashes[1]) == 0, "%s and %s are of the same", hashes[0], hashes[1]);
	rig_check(&r, strcmp(hashes[0], hashes[2]) != 0, "%s is of both", hashes[0]);
	for (int i = 0; i < 3; i++)
		free(hashes[i]);
	bytes_free(&text);
	rig_expect_exit(&r, 0);
}

Test(trace, what_is_no_trace_is_refused_with_its_line)
{
	struct program p;

	open_folder(&p);
	program_write_file(&p, "a.jsonl", "{\"trace\":1,\"seed\":\"1\",\"rules\":0}\n{\"id\":\"1\"}\n");
	program_write_file(&p, "b.jsonl", "{\"trace\":9,\"seed\":\"1\",\"rules\":0}\n");
	expect_replay(&p, "a.jsonl", "--rules", "rules.yaml", NULL, 2, "a.jsonl:2: decisions is missing\n");
	expect_replay(&p, "b.jsonl", "--rules", "rules.yaml", NULL, 2, "b.jsonl:1: a trace of version 9;");
	expect_replay(&p, "none.jsonl", "--rules", "rules.yaml", NULL, 2, "none.jsonl: No such file");
	expect_replay(&p, "rules.yaml", "--against", "a.jsonl", NULL, 2, "rules.yaml:1: no JSON: ");
	program_close(&p);
}
