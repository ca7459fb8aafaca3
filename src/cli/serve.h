/*
 * serve: what `run` and `demo` have in common: load a plan, serve it until a signal says stop, say what came of it. All
 * of it is called from the main thread. It is the only place that handles signals.
 */
#ifndef BROWNOUT_CLI_SERVE_H
#define BROWNOUT_CLI_SERVE_H

#include "admin/live_file.h"
#include "cli/log_care.h"
#include "cli/watch.h"
#include "config/load.h"
#include "proxy/server.h"

enum serve_summary { SERVE_SUMMARY_TEXT, SERVE_SUMMARY_JSON, SERVE_SUMMARY_OFF };

struct serve_options {
	bool quiet; /* nothing on standard error but what went wrong */
	bool status_line; /* on a terminal */
	enum serve_summary summary; /* TEXT goes to standard error, JSON to standard output */
	const struct collector_sink *sink; /* NULL: none */
	int (*at_end)(void *arg, struct server *server); /* when it has stopped; an exit code. NULL: nothing */
	void *at_end_arg;
	struct live_file *live; /* what is read again on SIGHUP, or by `watch: true` when it has changed; NULL: nothing */
};

/*
 * Loads source as the rules of `file` with the environment's variables; errors and warnings go to standard error.
 * Returns an exit code; *plan is set where it is EXIT_CODE_OK.
 */
int serve_load(const char *file, struct span source, const struct load_options *overrides, struct plan **plan) MUST_USE;

/*
 * The same of a file, "-" being standard input; its bytes go to source, where that is not NULL (the caller's to deinit, whatever
 * is returned).
 */
int serve_load_file(const char *file, const struct load_options *overrides, struct text *source, struct plan **plan)
	MUST_USE;

/* The environment's variables, for a load_options. */
const char *serve_environment(void *arg, const char *name);

/*
 * Blocks the signals that serve_wait takes (threads started later inherit it), raises the limit of open files, draws the
 * seed where none is given, starts the server and says what it serves. Takes the plan's reference over. Returns an
 * exit code.
 */
int serve_start(struct server **server, struct plan *plan, const struct serve_options *options) MUST_USE;

/*
 * Until SIGTERM or SIGINT, and then until the open exchanges have ended or a second one comes. SIGUSR1 opens the logs
 * anew, SIGHUP reads the rules again. With until_ns (CLOCK_MONOTONIC; 0: none) it returns then at the latest. False where a
 * signal ended it.
 */
bool serve_wait(struct server *server, const struct serve_options *options, int64_t until_ns);

/* What a server wants done now and then while somebody else waits: serve_wait does it by itself. */
struct serve_care {
	struct server *server;
	const struct serve_options *options;
	struct watch watch; /* of the file, where the rules say so */
	uint64_t generation; /* of the rules that said so */
	struct log_care logs;
};
void serve_care_init(struct serve_care *care, struct server *server, const struct serve_options *options);
void serve_care_deinit(struct serve_care *care);
/* Returns when to come again, at the latest. */
int64_t serve_care_look(struct serve_care *care, int64_t now_ns);

/* Accepts no more and waits until the open exchanges have ended, limits.drain at most; SIGTERM and SIGINT cut them. */
void serve_drain(struct server *server, const struct serve_options *options);

/* Stops what still runs, writes the summary, frees the server. Returns an exit code. */
int serve_finish(struct server *server, int64_t start_ns, const struct serve_options *options) MUST_USE;

#endif
