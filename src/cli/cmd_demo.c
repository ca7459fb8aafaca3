/*
 * cmd_demo: example rules between a small client and the embedded upstream. The client's requests go through the real
 * listener and the real data path; nothing is made up for show.
 */
#include "cli/cmd_demo.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/demo_client.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/serve.h"
#include "core/status.h"

#define REQUESTS_DEFAULT 24
#define REQUESTS_MAX 1000000
#define SECONDS_MAX 86400
#define PAUSE_NS (30 * NS_PER_MS) /* between two requests, so that a person can follow */
#define TARGET_COLUMNS 18
#define STATUS_COLUMNS 36

#define DEMO_RULES_FILE "(demo)"

static const char demo_rules[] = "seed: 6\n"
				 "upstream: origin               # the embedded upstream: echoes what it is asked\n"
				 "log: {access: \"off\"}\n"
				 "rules:\n"
				 "  - name: flaky-checkout       # half of the requests fail\n"
				 "    match: {path: /checkout/**}\n"
				 "    abort: 503\n"
				 "    percentage: 50\n"
				 "  - name: rate-limit           # each third one is too many\n"
				 "    match: {path: /api/**}\n"
				 "    every: 3\n"
				 "    abort: {status: 429, retry_after: 2s}\n"
				 "  - name: slow-search          # late, but right\n"
				 "    match: {path: /search}\n"
				 "    delay: {uniform: 100ms..300ms}\n"
				 "  - name: broken-pipe          # no answer at all, now and then\n"
				 "    match: {path: /download/*}\n"
				 "    percentage: 25\n"
				 "    connection: reset\n";

static const char *const targets[] = {
	"/", "/checkout/cart", "/search?q=shoes", "/api/items", "/checkout/pay", "/download/a.zip",
};

struct demo_flags {
	bool has_seconds;
	uint64_t seconds;
	uint64_t requests;
	const char *listen;
	bool serve;
	bool help;
};

/* ---- arguments ---- */

/* OPTION(id, "name", letter, argument, help) */
#define DEMO_OPTIONS(X)                                                                                                         \
	X(REQUESTS, "requests", 'n', "N", "so many requests (default 24)")                                                      \
	X(SECONDS, "seconds", 0, "N", "requests for N seconds instead")                                                         \
	X(LISTEN, "listen", 'l', "ADDRESS", "listen on host:port (default 127.0.0.1 and a free port)")                          \
	X(SERVE, "serve", 0, NULL, "go on serving afterwards, to be tried with curl")

enum {
#define X(id, name, letter, argument, help) DEMO_##id,
	DEMO_OPTIONS(X)
#undef X
};

static const struct option_row rows[] = {
#define X(id, name, letter, argument, help) { name, letter, argument, help },
	DEMO_OPTIONS(X)
#undef X
};

const struct option_table cmd_demo_options = { rows, ARRAY_LEN(rows) };

static int parse(struct demo_flags *f, int argc, char **argv)
{
	struct options o;
	int row;

	*f = (struct demo_flags){ .requests = REQUESTS_DEFAULT, .listen = "127.0.0.1:0" };
	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END) {
		switch (row) {
		case DEMO_REQUESTS:
			if (!options_number(&o, row, 0, REQUESTS_MAX, &f->requests))
				return EXIT_CODE_USAGE;
			break;
		case DEMO_SECONDS:
			f->has_seconds = true;
			if (!options_number(&o, row, 1, SECONDS_MAX, &f->seconds))
				return EXIT_CODE_USAGE;
			break;
		case DEMO_LISTEN: f->listen = o.value; break;
		case DEMO_SERVE: f->serve = true; break;
		case OPTIONS_HELP: f->help = true; return EXIT_CODE_OK;
		case OPTIONS_ERROR: return EXIT_CODE_USAGE;
		default: return options_refuse_argument(&o);
		}
	}
	return EXIT_CODE_OK;
}

static int print_help(void)
{
	struct text out;

	text_init(&out);
	text_put_literal(&out, "Usage: brownout demo [OPTION]...\n"
			       "\n"
			       "Starts example rules in front of the embedded upstream, sends them requests, and shows\n"
			       "what comes back: what was forwarded, and what was made to fail by which rule.\n"
			       "\n");
	options_write_help(rows, ARRAY_LEN(rows), &out);
	return output_write(&out);
}

/* ---- what is shown ---- */

static int print_rules(void)
{
	struct span rest = SPAN(demo_rules);
	struct text out;

	text_init(&out);
	text_put_literal(&out, "These rules stand between a small client and the embedded upstream:\n\n");
	while (rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n') + 1);

		text_put_literal(&out, "    ");
		text_put_span(&out, line);
		rest = span_skip(rest, line.n);
	}
	text_put_char(&out, '\n');
	return output_write(&out);
}

static int print_answer(uint64_t number, const char *target, const struct demo_answer *a)
{
	struct text out;
	size_t column;

	text_init(&out);
	text_printf(&out, "%4" PRIu64 "  GET %-*s  ", number, TARGET_COLUMNS, target);
	column = out.n + STATUS_COLUMNS;
	if (a->status)
		text_printf(&out, "%u %s", a->status, status_classify(a->status)->reason);
	else
		text_printf(&out, "no answer: %s", a->error ? strerror(a->error) : "connection closed");
	text_printf(&out, "%*s%8.1f ms%s%s\n", (int)(MAX(column, out.n + 1) - out.n), "",
		(double)a->elapsed_ns / (double)NS_PER_MS, *a->fault ? "  " : "", a->fault);
	return output_write(&out);
}

/* ---- the run ---- */

/* Where the server's first listener is, to be connected to. 1 where its text says nothing that can be. */
static int listener_address(struct server *server, struct address *address)
{
	char block[ADDRESS_TEXT_BYTES];
	struct text t;
	struct span s, port;
	size_t colon;
	uint64_t number;

	text_init_fixed(&t, block, sizeof(block));
	server_listener_address(server, 0, &t);
	s = text_span(&t);
	if (span_starts_with(s, SPAN("unix:")))
		return address_from_unix(address, span_skip(s, 5));
	colon = s.n;
	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	port = span_skip(s, colon);
	if (colon == 0 || span_to_u64(port, &number) || number > UINT16_MAX)
		return 1;
	return address_from_numeric(address, span_first(s, colon - 1), (uint16_t)number);
}

/* Until the requests or the time are used up, or a signal comes. */
static int send_requests(struct server *server, const struct demo_flags *f, const struct serve_options *options)
{
	int64_t end_ns = clock_mono_ns() + (int64_t)f->seconds * NS_PER_S;
	struct address address;
	int rc = EXIT_CODE_OK;

	if (listener_address(server, &address)) {
		log_error("demo: the listener cannot be connected to");
		return EXIT_CODE_FAILED;
	}
	for (uint64_t i = 0; rc == EXIT_CODE_OK && (f->has_seconds ? clock_mono_ns() < end_ns : i < f->requests); i++) {
		const char *target = targets[i % ARRAY_LEN(targets)];
		struct demo_answer answer;

		demo_client_get(&address, target, &answer);
		rc = print_answer(i + 1, target, &answer);
		if (!serve_wait(server, options, clock_mono_ns() + PAUSE_NS))
			break;
	}
	return rc;
}

static int invite(struct server *server)
{
	struct text out;

	text_init(&out);
	text_put_literal(&out, "\nTry it:  curl -i http://");
	server_listener_address(server, 0, &out);
	text_put_literal(&out, "/checkout/cart\nCtrl-C ends it.\n");
	return output_write(&out);
}

static int run(struct server *server, const struct demo_flags *f, int64_t start_ns)
{
	const struct serve_options options = { 0 };
	const struct serve_options serving = { .status_line = true };
	int rc = send_requests(server, f, &options);
	int rc_finish;

	if (rc == EXIT_CODE_OK && f->serve && !server_is_done(server)) {
		rc = invite(server);
		(void)serve_wait(server, &serving, 0);
	}
	rc_finish = serve_finish(server, start_ns, &options);
	return rc != EXIT_CODE_OK ? rc : rc_finish;
}

int cmd_demo(int argc, char **argv)
{
	int64_t start_ns = clock_mono_ns();
	const struct serve_options options = { 0 };
	struct load_options overrides = { 0 };
	struct demo_flags flags;
	struct server *server;
	struct plan *plan;
	int rc = parse(&flags, argc, argv);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (flags.help)
		return print_help();
	overrides.listen = flags.listen;
	rc = serve_load(DEMO_RULES_FILE, SPAN(demo_rules), &overrides, &plan);
	if (rc != EXIT_CODE_OK)
		return rc;
	rc = print_rules();
	if (rc != EXIT_CODE_OK) {
		plan_unref(plan);
		return rc;
	}
	rc = serve_start(&server, plan, &options);
	return rc == EXIT_CODE_OK ? run(server, &flags, start_ns) : rc;
}
