/*
 * trial: see trial.h.
 */
#include "shortage/trial.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness/ask.h"

/* ---- beginning and end ---- */

void trial_open(struct trial *t, const struct traffic *traffic, size_t n_traffic)
{
	*t = (struct trial){ .traffic = traffic, .n_traffic = n_traffic };
	responder_start(&t->responder);
}

void trial_start(struct trial *t, const char *yaml)
{
	char path[64];

	t->yaml = yaml;
	t->shortage = shortage_share(path);
	rig_start_with(&t->rig, "%s", yaml);
	rig_check(&t->rig, program_wait_admin(&t->rig.program), "the program has no admin listener");
	unlink(path);
}

static bool has_said(const struct program *p, const char *text)
{
	struct bytes said = program_stderr(p);
	bool has = strstr(bytes_text(&said), text);

	bytes_free(&said);
	return has;
}

void trial_finish(struct trial *t, const char *says)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	trial_expect_served(t);
	free(ask_until(&t->rig, "/v1/totals", "\"active\":0,"));
	free(ask_until(&t->rig, "/v1/totals", "\"held\":0,"));
	t->rig.context = "at the end";
	while (says && !has_said(&t->rig.program, says)) {
		rig_check(&t->rig, now_ms() < until_ms, "the program does not say \"%s\"", says);
		sleep_ms(10);
	}
	rig_end(&t->rig);
	responder_stop(&t->responder);
	munmap(t->shortage, sizeof(*t->shortage));
}

void trial_lack_memory(struct trial *t, uint32_t at, uint32_t more)
{
	atomic_store(&t->shortage->allocations, 0);
	atomic_store(&t->shortage->allocations_failed, 0);
	atomic_store(&t->shortage->fail_more, more);
	atomic_store(&t->shortage->fail_at, at);
}

uint32_t trial_end_shortage(struct trial *t)
{
	atomic_store(&t->shortage->fail_at, 0);
	for (int i = 0; i < SHORTAGE_CALL_COUNT; i++)
		atomic_store(&t->shortage->per_10000[i], 0);
	return atomic_load(&t->shortage->allocations_failed);
}

/* ---- traffic ---- */

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

struct outcome trial_talk(struct trial *t, const struct traffic *traffic)
{
	const struct timeval patience = { 2 * PATIENCE_MS / 1000, 0 };
	bool admin = strncmp(traffic->name, "admin", 5) == 0;
	int fd = rig_connect(admin ? t->rig.program.admin : t->rig.program.listeners[0]);
	struct outcome o = { .status = 0 };
	char *made = traffic->sent ? NULL : large_head();
	const char *sent = traffic->sent ? traffic->sent : made;

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

void trial_expect_served(struct trial *t)
{
	struct outcome o = trial_talk(t, &t->traffic[0]);

	/* Its upstream is in this process, and has little time: not always enough on a busy machine. */
	for (int i = 0; i < 3 && o.status == 504; i++)
		o = trial_talk(t, &t->traffic[0]);
	rig_check(&t->rig, !program_wait(&t->rig.program, 0), "the program has ended, with %d", t->rig.program.code);
	rig_check(&t->rig, o.status == 200 && o.n > 2000, "the next request got %u and %zu bytes", o.status, o.n);
}

/* ---- turns ---- */

/* What one test may take for its turns. SHORTAGE_SECONDS in the environment gives it more. */
static long long budget_ms(void)
{
	const char *seconds = getenv("SHORTAGE_SECONDS");

	return seconds ? strtol(seconds, NULL, 10) * 1000 : 5000;
}

/* From 1 to total: each of them where there is time, or else in larger steps, so that the turns are spread over all. */
struct turns {
	uint32_t n; /* 0: none so far */
	uint32_t total;
	uint32_t taken;
	long long from_ms;
	long long budget_ms;
};

static struct turns turns_of(uint32_t total, long long budget_ms)
{
	return (struct turns){ .total = total, .from_ms = now_ms(), .budget_ms = budget_ms };
}

static bool turns_next(struct turns *t)
{
	long long spent_ms = now_ms() - t->from_ms + 1;
	long long left = (t->budget_ms - spent_ms) * t->taken / spent_ms; /* turns, at the pace so far */
	long long step = 1;

	if (t->taken)
		step = left > 0 ? (t->total - t->n) / left : t->total - t->n;
	t->n += step > 1 ? (uint32_t)step : 1;
	t->taken++;
	return t->n <= t->total;
}

/* ---- memory ---- */

/* One kind of traffic while allocation number `at`, and `more` behind it, fail. How many it has had. */
static uint32_t try_once(struct trial *t, const struct traffic *traffic, uint32_t at, uint32_t more)
{
	static char context[96];
	struct outcome o;
	uint32_t n;

	snprintf(context, sizeof(context), "%s, allocation %u and %u more", traffic->name, at, more);
	t->rig.context = context;
	trial_lack_memory(t, at, more);
	o = trial_talk(t, traffic);
	n = atomic_load(&t->shortage->allocations);
	trial_end_shortage(t);
	rig_check(&t->rig, !o.hung, "neither answered nor closed");
	trial_expect_served(t);
	return n;
}

void trial_of_allocations(struct trial *t, uint32_t more)
{
	const long long each_ms = 2 * budget_ms() / (long long)t->n_traffic;

	for (size_t i = 0; i < t->n_traffic; i++) {
		struct turns turns = turns_of(try_once(t, &t->traffic[i], 0, 0), each_ms);

		while (turns_next(&turns))
			try_once(t, &t->traffic[i], turns.n, more);
	}
}

/* How many allocations a reload has. */
static uint32_t count_reload(struct trial *t)
{
	trial_lack_memory(t, 0, 0);
	rig_check(&t->rig, rig_reload_with(&t->rig, "%s", t->yaml), "not served");
	return atomic_load(&t->shortage->allocations);
}

/* Served or not, the program says which, and has rules that work. */
void trial_of_reloads(struct trial *t, uint32_t more)
{
	static char context[64];
	struct turns turns = turns_of(count_reload(t), budget_ms());

	while (turns_next(&turns)) {
		snprintf(context, sizeof(context), "reload, allocation %u and %u more", turns.n, more);
		t->rig.context = context;
		trial_lack_memory(t, turns.n, more);
		(void)rig_reload_with(&t->rig, "%s", t->yaml);
		trial_end_shortage(t);
		trial_expect_served(t);
	}
	rig_check(&t->rig, rig_reload_with(&t->rig, "%s", t->yaml), "not served");
}

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
static void start_short(struct trial *t, uint32_t n, uint32_t more)
{
	struct program *p = &t->rig.program;
	struct bytes said;

	trial_lack_memory(t, n, more);
	program_start(p, (const char *const[]){ "run", program_path(p, "rules.yaml"), NULL }, NULL);
	/* Also the stop must do without. */
	if (says_something(p))
		program_signal(p, SIGTERM);
	cr_assert(program_wait(p, 2 * PATIENCE_MS), "allocation %u: it does not end", n);
	trial_end_shortage(t);
	said = program_stderr(p);
	cr_assert(p->code == 0 || p->code == 125 || p->code == 2, "allocation %u: exit code %d\n%s", n, p->code,
		bytes_text(&said));
	cr_assert(strstr(bytes_text(&said), "error") || p->code == 0, "allocation %u: no word of what went wrong\n%s", n,
		bytes_text(&said));
	cr_assert(!program_has_report(p), "allocation %u\n%s", n, bytes_text(&said));
	bytes_free(&said);
}

void trial_of_starts(const char *yaml, uint32_t more)
{
	struct trial t = { .yaml = yaml };
	struct turns turns;
	char path[64];

	t.shortage = shortage_share(path);
	program_open(&t.rig.program);
	program_write_file(&t.rig.program, "rules.yaml", yaml);
	start_short(&t, 0, 0);
	for (turns = turns_of(atomic_load(&t.shortage->allocations), budget_ms()); turns_next(&turns);)
		start_short(&t, turns.n, more);
	unlink(path);
	program_close(&t.rig.program);
	munmap(t.shortage, sizeof(*t.shortage));
}

/* ---- system calls ---- */

struct client_thread {
	pthread_t thread;
	struct trial *trial;
	size_t first;
	size_t n;
	unsigned n_hung;
};

static void *ask_all(void *arg)
{
	struct client_thread *c = arg;

	for (size_t i = 0; i < c->n; i++)
		c->n_hung += trial_talk(c->trial, &c->trial->traffic[(c->first + i) % c->trial->n_traffic]).hung;
	return NULL;
}

/* All kinds of traffic from some clients at once, n of each. */
static void ask_by_many(struct trial *t, size_t n)
{
	struct client_thread clients[4];
	unsigned n_hung = 0;

	for (size_t i = 0; i < 4; i++) {
		clients[i] = (struct client_thread){ .trial = t, .first = i * t->n_traffic / 4, .n = n };
		if (pthread_create(&clients[i].thread, NULL, ask_all, &clients[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(clients[i].thread, NULL);
		n_hung += clients[i].n_hung;
	}
	rig_check(&t->rig, n_hung == 0, "%u were neither answered nor closed", n_hung);
}

static const char *const call_names[] = {
#define CALL(name) #name,
	SHORTAGE_CALLS(CALL)
#undef CALL
};

void trial_of_each_call(struct trial *t)
{
	for (int i = 0; i < SHORTAGE_CALL_COUNT; i++) {
		t->rig.context = call_names[i];
		atomic_store(&t->shortage->seed, i);
		/* So often that most requests meet it; there are few files to open. */
		atomic_store(&t->shortage->per_10000[i], i == SHORTAGE_open ? 10000 : 2000);
		program_signal(&t->rig.program, SIGUSR1); /* logs are opened anew */
		program_signal(&t->rig.program, SIGHUP);
		ask_by_many(t, 2 * t->n_traffic);
		rig_check(&t->rig, atomic_load(&t->shortage->calls_failed[i]) || t->unmet & 1U << i,
			"none has failed");
		trial_end_shortage(t);
		trial_expect_served(t);
	}
}

void trial_of_all_calls(struct trial *t)
{
	static char context[32];

	for (unsigned seed = 1; seed <= 12; seed++) {
		snprintf(context, sizeof(context), "seed %u", seed);
		t->rig.context = context;
		atomic_store(&t->shortage->seed, seed);
		for (int i = 0; i < SHORTAGE_CALL_COUNT; i++)
			atomic_store(&t->shortage->per_10000[i], 20 << seed % 4);
		ask_by_many(t, t->n_traffic);
		trial_end_shortage(t);
		trial_expect_served(t);
	}
}
