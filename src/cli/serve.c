/*
 * serve: signals are blocked in every thread and taken one by one here, between two looks at the clock; no code runs in
 * a signal handler.
 */
#include "cli/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/console.h"
#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/plan_text.h"
#include "cli/status_line.h"
#include "cli/summary.h"
#include "cli/supervisor.h"

#define ERROR_BYTES 512

/* ---- loading ---- */

const char *serve_environment(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

int serve_load(const char *file, struct span source, const struct load_options *overrides, struct plan **plan)
{
	struct load_options options = overrides ? *overrides : (struct load_options){ 0 };
	struct diagnostics d = { 0 };
	struct text out;
	int rc;

	options.env = serve_environment;
	*plan = NULL;
	rc = load_plan(file, source, &options, plan, &d);
	text_init(&out);
	diagnostics_write(&d, file, source, output_wants_color(), &out);
	if (out.n)
		output_note(&out);
	text_deinit(&out);
	diagnostics_deinit(&d);
	if (rc < 0) {
		log_error("%s: %s", file, strerror(-rc));
		return EXIT_CODE_FAILED;
	}
	return rc == 0 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
}

int serve_load_file(const char *file, const struct load_options *overrides, struct text *wanted, struct plan **plan)
{
	struct text own;
	struct text *source = wanted ? wanted : &own;
	int rc;

	*plan = NULL;
	text_init(source);
	rc = load_read_file(file, source);
	if (rc == -EFBIG)
		log_error("%s: a rule file has %d bytes at most", file, LOAD_FILE_BYTES_MAX);
	else if (rc < 0)
		log_error("%s: %s", file, strerror(-rc));
	rc = rc < 0 ? EXIT_CODE_USAGE : serve_load(file, text_span(source), overrides, plan);
	if (!wanted)
		text_deinit(&own);
	return rc;
}

/* ---- starting ---- */

static void taken_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGUSR1);
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* 32 bits: enough to be different each time, and short enough to be typed. The plan is still ours alone. */
static int draw_seed(struct plan *plan)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -errno;
	plan->seed = seed;
	return 0;
}

static void put_address(struct text *out, struct server *server, const struct plan *plan, unsigned listener)
{
	if (plan->listeners[listener].address.kind != ENDPOINT_UNIX)
		text_put_string(out, plan_listener_is_tls(&plan->listeners[listener]) ? "https://" : "http://");
	server_listener_address(server, listener, out);
}

static void announce(struct server *server)
{
	struct plan *plan = server_plan_ref(server);
	unsigned rules = plan->rules.n;
	unsigned workers = server_workers(server);
	struct text out;

	text_init(&out);
	text_printf(&out, "brownout " BROWNOUT_VERSION ": %u rule%s, seed %" PRIu64 "%s, %u worker%s\n", rules,
		rules == 1 ? "" : "s", plan->seed, plan->seed_given ? "" : " (drawn)", workers, workers == 1 ? "" : "s");
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		text_put_literal(&out, "listening on ");
		put_address(&out, server, plan, i);
		text_put_char(&out, '\n');
	}
	for (unsigned i = 0; i < plan->n_upstreams; i++) {
		text_put_literal(&out, "upstream ");
		text_put_span(&out, plan->upstreams[i].name);
		text_put_literal(&out, " is ");
		plan_text_put_upstream(&out, &plan->upstreams[i]);
		text_put_char(&out, '\n');
	}
	output_note(&out);
	plan_unref(plan);
}

int serve_start(struct server **server, struct plan *plan, const struct serve_options *options)
{
	char error[ERROR_BYTES] = "";
	sigset_t set;
	int rc = 0;

	taken_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise_file_limit();
	supervisor_open();
	if (options->quiet)
		log_set_level(LOG_WARNING);
	if (!plan->seed_given)
		rc = draw_seed(plan);
	plan->rules.seed = plan->seed;
	console_limit_waits();
	log_keep(true);
	if (rc == 0)
		rc = server_start(server, plan, options->sink, error, sizeof(error));
	plan_unref(plan);
	if (rc < 0) {
		log_keep(false);
		log_error("%s", error[0] ? error : strerror(-rc));
		return EXIT_CODE_FAILED;
	}
	if (!options->quiet)
		announce(*server);
	return EXIT_CODE_OK;
}

/* ---- waiting ---- */

/* The signal that came before the time was over; 0 where none did. */
static int next_signal(int64_t wait_ns)
{
	struct timespec wait = { .tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S };
	sigset_t set;
	int signal;

	taken_signals(&set);
	signal = sigtimedwait(&set, NULL, &wait);
	return signal > 0 ? signal : 0;
}

static void begin_drain(struct server *server)
{
	struct server_snapshot *snapshot = malloc(sizeof(*snapshot));
	struct plan *plan = server_plan_ref(server);
	int64_t drain_ns = plan->limits.drain_ns;

	plan_unref(plan);
	server_drain(server);
	if (!snapshot)
		return;
	server_snapshot(server, snapshot);
	if (!server_is_done(server) && snapshot->total.active > 0)
		log_info("stopping; exchanges still open: %" PRId64 ", for %" PRId64 " s at most; a second signal cuts them",
			(int64_t)snapshot->total.active, drain_ns / NS_PER_S);
	free(snapshot);
}

static void reload(struct server *server, struct live_file *live)
{
	struct text report;
	int r;

	supervisor_reloading();
	if (!live) {
		log_warning("there is no file to be read again; nothing has changed");
		supervisor_ready(server, true);
		return;
	}
	text_init(&report);
	r = live_file_reload(live, &report);
	if (report.n)
		output_note(&report); /* deinits it */
	else
		text_deinit(&report);
	if (r == 0)
		log_info("%s was read again and is served, generation %" PRIu64, live_file_name(live), server_generation(server));
	else
		log_warning("%s: nothing has changed", live_file_name(live));
	supervisor_ready(server, r != 0);
}

/* Whether to watch the file is for the rules in force to say. */
static void look_at_file(struct serve_care *care, struct live_file *live, int64_t now_ns)
{
	uint64_t now = server_generation(care->server);
	bool begins = false;
	struct plan *plan;
	int r = 0;

	if (now != care->generation) {
		care->generation = now;
		plan = server_plan_ref(care->server);
		if (!plan->watch) {
			watch_deinit(&care->watch);
		} else if (!care->watch.path && live_file_is_file(live)) {
			r = watch_init(&care->watch, live_file_name(live));
			begins = r == 0;
		}
		plan_unref(plan);
	}
	if (r < 0)
		log_warning("watch: %s cannot be watched: %s", live_file_name(live), strerror(-r));
	/* It may have changed between its being read and its being watched. */
	if (watch_changed(&care->watch, now_ns) || (begins && !live_file_is_read(live)))
		reload(care->server, live);
}

void serve_care_init(struct serve_care *care, struct server *server, const struct serve_options *options)
{
	*care = (struct serve_care){ .server = server, .options = options };
	supervisor_ready(server, false);
}

void serve_care_deinit(struct serve_care *care)
{
	watch_deinit(&care->watch);
}

int64_t serve_care_look(struct serve_care *care, int64_t now_ns)
{
	if (care->options->live && !server_is_draining(care->server))
		look_at_file(care, care->options->live, now_ns);
	server_tidy(care->server);
	log_care_look(&care->logs, care->server, now_ns);
	return MIN(now_ns + STATUS_LINE_EVERY_NS, supervisor_look(care->server, now_ns));
}

/* True where the server is to be stopped now. */
static bool take_signal(struct server *server, const struct serve_options *options, int signal, bool *draining)
{
	switch (signal) {
	case SIGTERM:
	case SIGINT:
		if (*draining)
			return true;
		*draining = true;
		supervisor_stopping();
		begin_drain(server);
		return false;
	case SIGUSR1:
		server_reopen_logs(server);
		return false;
	case SIGHUP:
		reload(server, options->live);
		return false;
	default:
		return false;
	}
}

bool serve_wait(struct server *server, const struct serve_options *options, int64_t until_ns)
{
	struct server_snapshot *snapshot = malloc(sizeof(*snapshot));
	struct status_line line = { 0 };
	struct serve_care care;
	bool draining = false;
	int64_t now_ns = clock_mono_ns();

	/* As the first process of a container it gets orphans, and has no child of its own: the kernel is to reap them. */
	(void)signal(SIGCHLD, SIG_IGN);
	serve_care_init(&care, server, options);
	if (options->status_line && !options->quiet && snapshot)
		status_line_init(&line, now_ns);
	while (!(draining && server_is_done(server)) && (draining || until_ns == 0 || now_ns < until_ns)) {
		/* While draining the end is near; it is looked for more often. */
		int64_t wait_ns = draining ? STATUS_LINE_EVERY_NS / 25 : STATUS_LINE_EVERY_NS;

		wait_ns = MAX(MIN(wait_ns, serve_care_look(&care, now_ns) - now_ns), 0);
		if (until_ns)
			wait_ns = MAX(MIN(wait_ns, until_ns - now_ns), 0);
		if (take_signal(server, options, next_signal(wait_ns), &draining))
			break;
		now_ns = clock_mono_ns();
		if (line.on && now_ns - line.last_ns >= STATUS_LINE_EVERY_NS) {
			server_snapshot(server, snapshot);
			status_line_draw(&line, &snapshot->total, server_snapshot_lost(snapshot), now_ns);
		}
	}
	serve_care_deinit(&care);
	status_line_deinit(&line);
	free(snapshot);
	return !draining;
}

void serve_drain(struct server *server, const struct serve_options *options)
{
	bool draining = true;

	begin_drain(server);
	while (!server_is_done(server) && !take_signal(server, options, next_signal(STATUS_LINE_EVERY_NS / 25), &draining))
		;
}

/* ---- the end ---- */

/* -ENOMEM where memory is out. The rules are the caller's to free. */
static int take_summary(struct server *server, int64_t elapsed_ns, struct summary *s)
{
	struct server_snapshot *snapshot = malloc(sizeof(*snapshot));
	struct plan *plan = server_plan_ref(server);
	unsigned n = plan->rules.n;

	*s = (struct summary){ .n_rules = n, .elapsed_ns = elapsed_ns, .seed = plan->seed, .seed_drawn = !plan->seed_given };
	plan_unref(plan);
	s->rules = calloc(MAX(n, 1u), sizeof(*s->rules));
	if (!snapshot || !s->rules) {
		free(snapshot);
		free(s->rules);
		return -ENOMEM;
	}
	/* The workers have ended: no other plan comes. */
	(void)server_rules(server, s->rules, n);
	server_snapshot(server, snapshot);
	counters_sum(&s->total, &snapshot->total);
	s->log_lost = snapshot->log_lost;
	s->keys_forgotten = snapshot->keys_forgotten;
	free(snapshot);
	return 0;
}

static int write_summary(struct server *server, int64_t elapsed_ns, const struct serve_options *options)
{
	struct summary s;
	struct text out;
	int rc = EXIT_CODE_OK;

	if (options->summary == SERVE_SUMMARY_OFF || (options->quiet && options->summary == SERVE_SUMMARY_TEXT))
		return EXIT_CODE_OK;
	if (take_summary(server, elapsed_ns, &s) < 0) {
		log_error("no memory for the summary");
		return EXIT_CODE_FAILED;
	}
	text_init(&out);
	if (options->summary == SERVE_SUMMARY_JSON) {
		summary_write_json(&s, &out);
		rc = output_write(&out);
	} else {
		summary_write_text(&s, &out);
		output_note(&out);
	}
	free(s.rules);
	return rc;
}

/* What the worker has in hand is lost, and what it would still have told; what is known is told and written. */
static _Noreturn void leave_without(struct server *server, unsigned late)
{
	log_error("no sign of worker %u for %" PRId64 " s: its exchanges are lost, and the program ends without it", late,
		(int64_t)(SERVER_STOP_NS / NS_PER_S));
	server_flush_records(server);
	supervisor_close();
	_exit(EXIT_CODE_FAILED);
}

int serve_finish(struct server *server, int64_t start_ns, const struct serve_options *options)
{
	int rc, rc_end = EXIT_CODE_OK, stopped;
	unsigned late = 0;

	supervisor_stopping();
	stopped = server_stop(server, &late);
	log_keep(false);
	rc = write_summary(server, clock_mono_ns() - start_ns, options);
	if (options->at_end)
		rc_end = options->at_end(options->at_end_arg, server);
	if (stopped < 0)
		leave_without(server, late);
	server_free(server);
	supervisor_close();
	return rc == EXIT_CODE_OK ? rc_end : rc;
}
