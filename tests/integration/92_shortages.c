/*
 * 92 shortages: each allocation fails in turn, and system calls fail at random, while every kind of traffic is served. Nobody
 * waits for ever, the program neither ends nor leaks nor keeps silent about it, and once there is enough again the very next
 * request is answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/ask.h"
#include "harness/black_hole.h"
#include "harness/responder.h"
#include "harness/rig.h"
#include "shortage/shortage.h"

TestSuite(shortages, .timeout = 240);

/*
 * What one test may take for its turns; where that is too short, it goes through them in larger steps. SHORTAGE_SECONDS in the
 * environment gives it more.
 */
static long long budget_ms(void)
{
	const char *seconds = getenv("SHORTAGE_SECONDS");

	return seconds ? strtol(seconds, NULL, 10) * 1000 : 5000;
}

static struct shortage *shortage;
static struct responder responder;

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

/* ---- a program that can be let run short ---- */

static void start(struct rig *r)
{
	char path[64];

	shortage = shortage_share(path);
	responder_start(&responder);
	rig_start_with(r, rules, responder.port, responder.port, responder.port);
	rig_check(r, program_wait_admin(&r->program), "the program has no admin listener");
	unlink(path);
}

static void lack_memory(uint32_t at, uint32_t more)
{
	atomic_store(&shortage->allocations, 0);
	atomic_store(&shortage->allocations_failed, 0);
	atomic_store(&shortage->fail_more, more);
	atomic_store(&shortage->fail_at, at);
}

/* From now on there is enough of all; how many allocations have failed. */
static uint32_t end_shortage(void)
{
	atomic_store(&shortage->fail_at, 0);
	for (int i = 0; i < SHORTAGE_CALL_COUNT; i++)
		atomic_store(&shortage->per_10000[i], 0);
	return atomic_load(&shortage->allocations_failed);
}

/* ---- traffic ---- */

#define ASK(method, path, fields, body) method " " path " HTTP/1.1\r\nHost: a\r\n" fields "Connection: close\r\n\r\n" body

static const struct traffic {
	const char *name;
	const char *sent; /* to the listener; with "admin" for a name, to the admin listener */
} traffic[] = {
	{ "forwarded", ASK("GET", "/length", "", "") },
	{ "two requests", "GET /length HTTP/1.1\r\nHost: a\r\n\r\n" ASK("GET", "/length", "", "") },
	{ "HEAD", ASK("HEAD", "/length", "", "") },
	{ "chunked answer", ASK("GET", "/chunked", "", "") },
	{ "answer until close", ASK("GET", "/to-end", "", "") },
	{ "HTTP/1.0", "GET /chunked HTTP/1.0\r\nHost: a\r\n\r\n" },
	{ "interim answer", ASK("GET", "/hints", "", "") },
	{ "large answer", ASK("GET", "/large", "", "") },
	{ "body", ASK("POST", "/take", "Content-Length: 10\r\n", "0123456789") },
	{ "chunked body", ASK("POST", "/take", "Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n0\r\nX-T: t\r\n\r\n") },
	{ "early answer", ASK("POST", "/early", "Content-Length: 100000\r\n", "0123456789") },
	{ "embedded upstream", ASK("GET", "/embedded/bytes/20000", "", "") },
	{ "embedded upstream, body", ASK("POST", "/embedded/a", "Content-Length: 10\r\n", "0123456789") },
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
	{ "tunnel", "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" },
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
#define N_TRAFFIC (sizeof(traffic) / sizeof(traffic[0]))

/* What came of one connection. */
struct outcome {
	unsigned status; /* of the first answer; 0: none */
	size_t n;
	bool hung;
};

static void read_to_end(int fd, struct outcome *o)
{
	static _Thread_local char block[65536];
	ssize_t n;

	while ((n = recv(fd, block, sizeof(block), 0)) > 0) {
		if (!o->n && n > 12)
			o->status = (unsigned)strtoul(block + 9, NULL, 10);
		o->n += (size_t)n;
		/* The tunnel stands: something through it, and its end. */
		if (o->status == 101 && o->n == (size_t)n) {
			(void)!send(fd, "through", 7, MSG_NOSIGNAL);
			shutdown(fd, SHUT_WR);
		}
	}
	o->hung = n < 0 && errno != ECONNRESET && errno != EPIPE;
}

static char *large_head(void)
{
	struct bytes b = { 0 };

	bytes_printf(&b, "GET /length HTTP/1.1\r\nHost: a\r\n");
	bytes_repeat(&b, "X-Long: 0123456789012345678901234567890123456789\r\n", 150);
	bytes_printf(&b, "Connection: close\r\n\r\n");
	return b.p;
}

static struct outcome talk(struct rig *r, const struct traffic *t)
{
	const struct timeval patience = { 2 * PATIENCE_MS / 1000, 0 };
	bool admin = strncmp(t->name, "admin", 5) == 0;
	int fd = rig_connect(admin ? r->program.admin : r->program.listeners[0]);
	struct outcome o = { .status = 0 };
	char *made = t->sent ? NULL : large_head();
	const char *sent = t->sent ? t->sent : made;

	if (fd < 0) {
		o.hung = true;
		return o;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)!send(fd, sent, strlen(sent), MSG_NOSIGNAL);
	read_to_end(fd, &o);
	close(fd);
	free(made);
	return o;
}

/* ---- after it ---- */

static void expect_served(struct rig *r)
{
	struct outcome o = talk(r, &traffic[0]);

	/* Its upstream is in this process, and has little time: not always enough on a busy machine. */
	for (int i = 0; i < 3 && o.status == 504; i++)
		o = talk(r, &traffic[0]);
	rig_check(r, !program_wait(&r->program, 0), "the program has ended, with %d", r->program.code);
	rig_check(r, o.status == 200 && o.n > 2000, "the next request got %u and %zu bytes", o.status, o.n);
}

static bool has_said(const struct program *p, const char *text)
{
	struct bytes said = program_stderr(p);
	bool has = strstr(bytes_text(&said), text);

	bytes_free(&said);
	return has;
}

/* All that was begun has ended, and where memory ran out the program has said so. */
static void finish(struct rig *r, const char *says)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	expect_served(r);
	free(ask_until(r, "/v1/totals", "\"active\":0,"));
	free(ask_until(r, "/v1/totals", "\"held\":0,"));
	r->context = "at the end";
	while (says && !has_said(&r->program, says)) {
		rig_check(r, now_ms() < until_ms, "the program does not say \"%s\"", says);
		sleep_ms(10);
	}
	rig_end(r);
	responder_stop(&responder);
	munmap(shortage, sizeof(*shortage));
}

/* ---- memory ---- */

/* One kind of traffic while allocation number `at`, and `more` behind it, fail. False where there were not so many. */
static bool try_once(struct rig *r, const struct traffic *t, uint32_t at, uint32_t more)
{
	static char context[96];
	struct outcome o;
	uint32_t failed;

	snprintf(context, sizeof(context), "%s, allocation %u and %u more", t->name, at, more);
	r->context = context;
	lack_memory(at, more);
	o = talk(r, t);
	failed = end_shortage();
	rig_check(r, !o.hung, "neither answered nor closed");
	expect_served(r);
	return failed;
}

static void try_all(uint32_t more)
{
	struct rig r;

	start(&r);
	for (size_t i = 0; i < N_TRAFFIC; i++) {
		uint32_t at = 1;

		while (try_once(&r, &traffic[i], at, more) && at < 2000)
			at++;
	}
	finish(&r, "memory is out");
}

Test(shortages, of_one_allocation)
{
	try_all(0);
}

Test(shortages, of_some_allocations_in_a_row)
{
	try_all(3);
}

Test(shortages, of_all_memory_for_a_while)
{
	try_all(1000000);
}

/* A rule file is read again while allocation number n fails: served or not, the program says which, and has one that works. */
static void reload_short(struct rig *r, unsigned n, uint32_t more)
{
	static char context[64];

	snprintf(context, sizeof(context), "reload, allocation %u and %u more", n, more);
	r->context = context;
	lack_memory(n, more);
	(void)rig_reload_with(r, rules, responder.port, responder.port, responder.port);
	end_shortage();
}

/* How many allocations a reload has. */
static unsigned count_reload(struct rig *r)
{
	lack_memory(0, 0);
	rig_check(r, rig_reload_with(r, rules, responder.port, responder.port, responder.port), "not served");
	return atomic_load(&shortage->allocations);
}

static void reload_with(uint32_t more)
{
	long long until_ms = now_ms() + budget_ms();
	struct rig r;
	unsigned total;
	unsigned step = 1;

	start(&r);
	total = count_reload(&r);
	for (unsigned n = 1; n <= total; n += step) {
		long long before_ms = now_ms();

		reload_short(&r, n, more);
		expect_served(&r);
		/* As many as there is time for, spread over all. */
		if (n > 20 && (until_ms - now_ms()) < (now_ms() - before_ms) * (total - n) / step)
			step++;
	}
	rig_check(&r, rig_reload_with(&r, rules, responder.port, responder.port, responder.port),
		"not served");
	finish(&r, NULL);
}

Test(shortages, of_one_allocation_of_a_reload)
{
	reload_with(0);
}

Test(shortages, of_many_allocations_of_a_reload)
{
	reload_with(200);
}

/* ---- system calls ---- */

struct client_thread {
	pthread_t thread;
	struct rig *rig;
	unsigned first;
	unsigned n;
	unsigned n_hung;
};

static void *ask_all(void *arg)
{
	struct client_thread *t = arg;

	for (unsigned i = 0; i < t->n; i++)
		t->n_hung += talk(t->rig, &traffic[(t->first + i) % N_TRAFFIC]).hung;
	return NULL;
}

/* All kinds of traffic from some clients at once, rounds of it. */
static void ask_by_many(struct rig *r, unsigned n)
{
	struct client_thread threads[4];
	unsigned n_hung = 0;

	for (unsigned i = 0; i < 4; i++) {
		threads[i] = (struct client_thread){ .rig = r, .first = i * (unsigned)N_TRAFFIC / 4, .n = n };
		if (pthread_create(&threads[i].thread, NULL, ask_all, &threads[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i].thread, NULL);
		n_hung += threads[i].n_hung;
	}
	rig_check(r, n_hung == 0, "%u were neither answered nor closed", n_hung);
}

static const char *const call_names[] = {
#define CALL(name) #name,
	SHORTAGE_CALLS(CALL)
#undef CALL
};

/* One kind of call after the other, so often that most requests meet it. */
Test(shortages, of_one_kind_of_call)
{
	struct rig r;

	start(&r);
	for (int i = 0; i < SHORTAGE_CALL_COUNT; i++) {
		r.context = call_names[i];
		atomic_store(&shortage->seed, i);
		/* There are few files to open. */
		atomic_store(&shortage->per_10000[i], i == SHORTAGE_open ? 10000 : 2000);
		program_signal(&r.program, SIGUSR1); /* logs are opened anew */
		program_signal(&r.program, SIGHUP);
		ask_by_many(&r, 2 * (unsigned)N_TRAFFIC);
		rig_check(&r, atomic_load(&shortage->calls_failed[i]) || i == SHORTAGE_getaddrinfo || i == SHORTAGE_pipe2,
			"none has failed");
		end_shortage();
		expect_served(&r);
	}
	finish(&r, NULL);
}

Test(shortages, of_all_kinds_of_calls)
{
	static char context[32];
	struct rig r;

	start(&r);
	for (unsigned seed = 1; seed <= 12; seed++) {
		snprintf(context, sizeof(context), "seed %u", seed);
		r.context = context;
		atomic_store(&shortage->seed, seed);
		for (int i = 0; i < SHORTAGE_CALL_COUNT; i++)
			atomic_store(&shortage->per_10000[i], 20 << seed % 4);
		ask_by_many(&r, (unsigned)N_TRAFFIC);
		end_shortage();
		expect_served(&r);
	}
	finish(&r, NULL);
}

/* The name is asked for when the first request needs it, and again when its failure is old enough. */
Test(shortages, of_the_name_service)
{
	const struct traffic named = { "named", ASK("GET", "/named/a", "", "") };
	long long until_ms = now_ms() + 4 * PATIENCE_MS;
	struct rig r;
	struct outcome o;

	start(&r);
	atomic_store(&shortage->per_10000[SHORTAGE_getaddrinfo], 10000);
	o = talk(&r, &named);
	rig_check(&r, o.status == 502, "status %u", o.status);
	end_shortage();
	while (o.status != 200 && now_ms() < until_ms)
		o = talk(&r, &named);
	rig_check(&r, o.status == 200, "status %u", o.status);
	finish(&r, NULL);
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
	struct rig r;

	start(&r);
	black_hole_open(&hole, "127.0.0.9", responder.port);
	atomic_store(&shortage->also_at, inet_addr("127.0.0.9"));
	for (unsigned i = 0; i < 4; i++) {
		long long from_ms = now_ms();
		struct outcome o = talk(&r, &named);

		rig_check(&r, o.status == 200, "request %u: status %u after %lld ms", i, o.status, now_ms() - from_ms);
		rig_check(&r, i > 0 || now_ms() - from_ms >= 249, "the other address was asked first");
		if (i > 0 && now_ms() - from_ms < quickest_ms)
			quickest_ms = now_ms() - from_ms;
	}
	rig_check(&r, quickest_ms < 200, "they wait for the silent one, %lld ms each", quickest_ms);
	black_hole_close(&hole);
	finish(&r, NULL);
}

/* ---- at the start ---- */

/* That it listens, or that there is no memory to say so. False where it has ended. */
static bool says_something(struct program *p)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	while (!program_wait(p, 2) && now_ms() < until_ms) {
		if (has_said(p, "listening on ") || has_said(p, "memory is out"))
			return true;
	}
	return false;
}

/* It serves and ends well, or says why it does not. */
static void start_short(struct program *p, unsigned n, uint32_t more)
{
	struct bytes said;

	lack_memory(n, more);
	program_start(p, (const char *const[]){ "run", program_path(p, "rules.yaml"), NULL }, NULL);
	/* Also the stop must do without. */
	if (says_something(p))
		program_signal(p, SIGTERM);
	cr_assert(program_wait(p, 2 * PATIENCE_MS), "allocation %u: it does not end", n);
	end_shortage();
	said = program_stderr(p);
	cr_assert(p->code == 0 || p->code == 125 || p->code == 2, "allocation %u: exit code %d\n%s", n, p->code,
		bytes_text(&said));
	cr_assert(strstr(bytes_text(&said), "error") || p->code == 0, "allocation %u: no word of what went wrong\n%s", n,
		bytes_text(&said));
	cr_assert(!program_has_report(p), "allocation %u\n%s", n, bytes_text(&said));
	bytes_free(&said);
}

static void start_with(uint32_t more)
{
	long long until_ms = now_ms() + budget_ms();
	struct bytes yaml = { 0 };
	struct program p;
	char path[64];
	unsigned total;
	unsigned step = 1;

	shortage = shortage_share(path);
	program_open(&p);
	bytes_printf(&yaml, rules, 1U, 1U, 1U);
	program_write_file(&p, "rules.yaml", bytes_text(&yaml));
	bytes_free(&yaml);
	start_short(&p, 0, 0);
	total = atomic_load(&shortage->allocations);
	for (unsigned n = 1; n <= total; n += step) {
		long long before_ms = now_ms();

		start_short(&p, n, more);
		if (n > 20 && until_ms - now_ms() < (now_ms() - before_ms) * (total - n) / step)
			step++;
	}
	unlink(path);
	program_close(&p);
}

Test(shortages, of_one_allocation_at_the_start)
{
	start_with(0);
}

Test(shortages, of_all_memory_at_the_start)
{
	start_with(1000000);
}

/* ---- descriptors ---- */

/* The kernel gives out the lowest numbers first. */
static rlim_t count_descriptors(const struct rig *r)
{
	char path[64];
	rlim_t n = 0;

	for (;; n++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)r->program.pid, (unsigned)n);
		if (access(path, F_OK) < 0)
			return n;
	}
}

/* One is left for the client, none for the upstream: it is told so, and the next one is served when there are more. */
Test(shortages, of_a_descriptor_for_the_upstream)
{
	const struct traffic new = { "new", ASK("GET", "/new/a", "", "") };
	struct rlimit before, limit;
	struct rig r;
	struct outcome o = { .status = 0 };

	start(&r);
	rig_check(&r, prlimit(r.program.pid, RLIMIT_NOFILE, NULL, &before) == 0, "prlimit");
	limit = before;
	for (limit.rlim_cur = count_descriptors(&r); limit.rlim_cur < 200 && o.status == 0; limit.rlim_cur++) {
		rig_check(&r, prlimit(r.program.pid, RLIMIT_NOFILE, &limit, NULL) == 0, "prlimit");
		o = talk(&r, &new);
		rig_check(&r, !o.hung, "neither answered nor closed with %u", (unsigned)limit.rlim_cur);
	}
	rig_check(&r, o.status == 503, "status %u", o.status);
	rig_check(&r, prlimit(r.program.pid, RLIMIT_NOFILE, &before, NULL) == 0, "prlimit");
	o = talk(&r, &new);
	rig_check(&r, o.status == 200, "status %u", o.status);
	finish(&r, "no connection to upstream new: Too many open files");
}
