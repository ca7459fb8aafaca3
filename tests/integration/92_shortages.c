/*
 * 92 shortages: each allocation fails in turn, and system calls fail at random, while every kind of traffic is served. Nobody
 * waits for ever, the program neither ends nor leaks nor keeps silent about it, and once there is enough again the very next
 * request is answered.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/black_hole.h"
#include "shortage/trial.h"

TestSuite(shortages, .timeout = 240);

#define SOON "connect_timeout: 500ms, response_timeout: 500ms, idle_timeout: 500ms"

static const char rules[] =
	"admin: 127.0.0.1:0\n"
	"limits: {header_timeout: 500ms, idle_timeout: 500ms, drain: 2s}\n"
	"listeners:\n"
	"  - address: 127.0.0.1:0\n"
	"    routes:\n"
	"      - {match: {path: /embedded/**}, upstream: embedded}\n"
	"      - {match: {path: /named/**}, upstream: named}\n"
	"      - {match: {path: /new/**}, upstream: new}\n"
	"      - {upstream: default}\n"
	"upstreams:\n"
	"  embedded: {url: 'origin:', " SOON "}\n"
	"  named: {url: 'http://localhost:%u', keepalive: 0, " SOON "}\n"
	"  new: {url: 'http://127.0.0.1:%u', keepalive: 0, " SOON "}\n"
	"  default: {url: 'http://127.0.0.1:%u', " SOON "}\n"
	"rules:\n"
	"  - {name: abort, match: {path: /abort}, abort: {status: 503, body: {json: {a: b}}, retry_after: 2s}}\n"
	"  - {name: delay, match: {path: /delay}, delay: 3ms}\n"
	"  - {name: slow, match: {path: /slow}, phase: response, throttle: {download: 256KiB/s}}\n"
	"  - {name: drip, match: {path: /drip}, abort: 503, drip: {bytes: 100, every: 1ms}}\n"
	"  - {name: cut, match: {path: /cut}, phase: response, truncate: {after: 100}}\n"
	"  - {name: flip, match: {path: /flip}, phase: response, corrupt: {bytes: 3}}\n"
	"  - {name: edit, match: {path: /edit}, request: {headers: {add: {x-a: b}}}}\n"
	"  - {name: write, match: {path: /write}, phase: response, rewrite: {headers: {set: {x-a: b}}, body: tea}}\n"
	"  - {name: quota, match: {path: /quota}, rate_limit: {limit: 1, window: 1m, key: 'header:x-key'}}\n"
	"  - {name: keyed, match: {path: /keyed}, key: 'header:x-key', first: 1, abort: 429}\n"
	"  - {name: draws, match: {path: /draws}, outcomes: [{weight: 1, abort: 500}, {weight: 1, pass: true}]}\n";

static const struct traffic traffic[] = {
	{ "forwarded", ASK("GET", "/length", "", "") },
	{ "two requests", "GET /length HTTP/1.1\r\nHost: a\r\n\r\n" ASK("GET", "/length", "", "") },
	{ "HEAD", ASK("HEAD", "/length", "", "") },
	{ "chunked answer", ASK("GET", "/chunked", "", "") },
	{ "answer until close", ASK("GET", "/to-end", "", "") },
	{ "HTTP/1.0", "GET /chunked HTTP/1.0\r\nHost: a\r\n\r\n" },
	{ "interim answer", ASK("GET", "/hints", "", "") },
	{ "large answer", ASK("GET", "/large", "", "") },
	{ "body", ASK_WITH_BODY("/take") },
	{ "chunked body", ASK_IN_CHUNKS("/take") },
	{ "early answer", ASK_EARLY("/early") },
	{ "embedded upstream", ASK("GET", "/embedded/bytes/20000", "", "") },
	{ "embedded upstream, body", ASK_WITH_BODY("/embedded/a") },
	{ "upstream with a name", ASK("GET", "/named/a", "", "") },
	{ "new connection to the upstream", ASK("GET", "/new/a", "", "") },
	{ "abort", ASK("GET", "/abort", "", "") },
	{ "delay", ASK("GET", "/delay", "", "") },
	{ "throttle", ASK("GET", "/slow", "", "") },
	{ "drip", ASK("GET", "/drip", "", "") },
	{ "truncate", ASK("GET", "/cut", "", "") },
	{ "corrupt", ASK("GET", "/flip", "", "") },
	{ "edited request", ASK("GET", "/edit", "", "") },
	{ "rewrite", ASK("GET", "/write", "", "") },
	{ "quota", ASK("GET", "/quota", "X-Key: 1\r\n", "") },
	{ "key", ASK("GET", "/keyed", "X-Key: 2\r\n", "") },
	{ "outcomes", ASK("GET", "/draws", "", "") },
	{ "refused", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
	{ "large head", NULL },
	{ "tunnel", ASK_UPGRADE("/ws") },
	{ "admin: status", ASK("GET", "/v1/status", "", "") },
	{ "admin: totals", ASK("GET", "/v1/totals", "", "") },
	{ "admin: history", ASK("GET", "/v1/history", "", "") },
	{ "admin: recent", ASK("GET", "/v1/recent?limit=3", "", "") },
	{ "admin: exchanges", ASK("GET", "/v1/exchanges", "", "") },
	{ "admin: rules", ASK("GET", "/v1/rules", "", "") },
	{ "admin: config", ASK("GET", "/v1/config", "", "") },
	{ "admin: metrics", ASK("GET", "/metrics", "", "") },
	{ "admin: page", ASK("GET", "/", "", "") },
	{ "admin: not found", ASK("GET", "/v1/nothing", "", "") },
	{ "admin: bad JSON", ASK("PATCH", "/v1/rules/abort", "Content-Type: application/json\r\nContent-Length: 1\r\n",
		"{") },
};

/* The rules, with an upstream's port. */
static const char *rules_for(unsigned port)
{
	static char yaml[sizeof(rules) + 64];

	snprintf(yaml, sizeof(yaml), rules, port, port, port);
	return yaml;
}

static void start(struct trial *t)
{
	trial_open(t, traffic, sizeof(traffic) / sizeof(traffic[0]));
	t->unmet = 1U << SHORTAGE_getaddrinfo | 1U << SHORTAGE_pipe2;
	trial_start(t, rules_for(t->responder.port));
}

/* ---- memory ---- */

static void lack_allocations(uint32_t more)
{
	struct trial t;

	start(&t);
	trial_of_allocations(&t, more);
	trial_finish(&t, "memory is out");
}

Test(shortages, of_one_allocation)
{
	lack_allocations(0);
}

Test(shortages, of_some_allocations_in_a_row)
{
	lack_allocations(3);
}

Test(shortages, of_all_memory_for_a_while)
{
	lack_allocations(1000000);
}

static void lack_at_reloads(uint32_t more)
{
	struct trial t;

	start(&t);
	trial_of_reloads(&t, more);
	trial_finish(&t, NULL);
}

Test(shortages, of_one_allocation_of_a_reload)
{
	lack_at_reloads(0);
}

Test(shortages, of_many_allocations_of_a_reload)
{
	lack_at_reloads(200);
}

Test(shortages, of_one_allocation_at_the_start)
{
	trial_of_starts(rules_for(1), 0);
}

Test(shortages, of_all_memory_at_the_start)
{
	trial_of_starts(rules_for(1), 1000000);
}

/* ---- system calls ---- */

Test(shortages, of_one_kind_of_call)
{
	struct trial t;

	start(&t);
	trial_of_each_call(&t);
	trial_finish(&t, NULL);
}

Test(shortages, of_all_kinds_of_calls)
{
	struct trial t;

	start(&t);
	trial_of_all_calls(&t);
	trial_finish(&t, NULL);
}

/* The name is asked for when the first request needs it, and again when its failure is old enough. */
Test(shortages, of_the_name_service)
{
	const struct traffic named = { "named", ASK("GET", "/named/a", "", "") };
	long long until_ms = now_ms() + 4 * PATIENCE_MS;
	struct trial t;
	struct outcome o;

	start(&t);
	atomic_store(&t.shortage->per_10000[SHORTAGE_getaddrinfo], 10000);
	o = trial_talk(&t, &named);
	rig_check(&t.rig, o.status == 502, "status %u", o.status);
	trial_end_shortage(&t);
	while (o.status != 200 && now_ms() < until_ms)
		o = trial_talk(&t, &named);
	rig_check(&t.rig, o.status == 200, "status %u", o.status);
	trial_finish(&t, NULL);
}

/*
 * The first of the name's addresses is silent: the next one is tried while there is time, and by the requests that follow at once
 * (the quickest of them tells: one alone may be slow because the machine is).
 */
Test(shortages, of_answers_at_one_of_two_addresses)
{
	const struct traffic named = { "named", ASK("GET", "/named/a", "", "") };
	long long quickest_ms = PATIENCE_MS;
	struct black_hole hole;
	struct trial t;

	start(&t);
	black_hole_open(&hole, "127.0.0.9", t.responder.port);
	atomic_store(&t.shortage->also_at, inet_addr("127.0.0.9"));
	for (unsigned i = 0; i < 4; i++) {
		long long from_ms = now_ms();
		struct outcome o = trial_talk(&t, &named);

		rig_check(&t.rig, o.status == 200, "request %u: status %u after %lld ms", i, o.status, now_ms() - from_ms);
		rig_check(&t.rig, i > 0 || now_ms() - from_ms >= 249, "the other address was asked first");
		if (i > 0 && now_ms() - from_ms < quickest_ms)
			quickest_ms = now_ms() - from_ms;
	}
	rig_check(&t.rig, quickest_ms < 200, "they wait for the silent one, %lld ms each", quickest_ms);
	black_hole_close(&hole);
	trial_finish(&t, NULL);
}

/* ---- descriptors ---- */

/* The kernel gives out the lowest numbers first. */
static rlim_t count_descriptors(const struct program *p)
{
	char path[64];
	rlim_t n = 0;

	for (;; n++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)p->pid, (unsigned)n);
		if (access(path, F_OK) < 0)
			return n;
	}
}

/* One is left for the client, none for the upstream: it is told so, and the next one is served when there are more. */
Test(shortages, of_a_descriptor_for_the_upstream)
{
	const struct traffic new = { "new", ASK("GET", "/new/a", "", "") };
	struct rlimit before, limit;
	struct trial t;
	struct outcome o = { .status = 0 };

	start(&t);
	rig_check(&t.rig, prlimit(t.rig.program.pid, RLIMIT_NOFILE, NULL, &before) == 0, "prlimit");
	limit = before;
	for (limit.rlim_cur = count_descriptors(&t.rig.program); limit.rlim_cur < 200 && o.status == 0; limit.rlim_cur++) {
		rig_check(&t.rig, prlimit(t.rig.program.pid, RLIMIT_NOFILE, &limit, NULL) == 0, "prlimit");
		o = trial_talk(&t, &new);
		rig_check(&t.rig, !o.hung, "neither answered nor closed with %u", (unsigned)limit.rlim_cur);
	}
	rig_check(&t.rig, o.status == 503, "status %u", o.status);
	rig_check(&t.rig, prlimit(t.rig.program.pid, RLIMIT_NOFILE, &before, NULL) == 0, "prlimit");
	o = trial_talk(&t, &new);
	rig_check(&t.rig, o.status == 200, "status %u", o.status);
	trial_finish(&t, "no connection to upstream new: Too many open files");
}
