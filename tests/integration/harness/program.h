/*
 * program: one run of the program under test (environment BROWNOUT_BIN), with its output in files of a folder of its own.
 * Every wait is bounded; the program dies with the test. Nothing here fails a test: callers judge.
 */
#ifndef HARNESS_PROGRAM_H
#define HARNESS_PROGRAM_H

#include <sys/types.h>

#include "harness/bytes.h"

/* How long anything that should happen may take. */
#define PATIENCE_MS 5000

#define PROGRAM_LISTENERS_MAX 8
#define PROGRAM_ARGUMENTS_MAX 24

struct program {
	pid_t pid; /* 0: not running */
	int code; /* after it has ended: exit code, or 128 + signal */
	char dir[64]; /* temporary folder, "" before program_open */
	char listeners[PROGRAM_LISTENERS_MAX][128]; /* "127.0.0.1:4711", "unix:/path", in the order of the start-up lines */
	unsigned n_listeners;
	char admin[128]; /* of the admin listener; "": it has none, or has not said so yet */
};

/* Monotonic milliseconds. */
long long now_ms(void);
void sleep_ms(int ms);

/* Makes the folder. */
void program_open(struct program *p);
/* Kills what still runs and removes the folder. */
void program_close(struct program *p);

/* A path in the folder; valid until the fourth call after. */
const char *program_path(const struct program *p, const char *name);
void program_write_file(const struct program *p, const char *name, const char *text);

/*
 * Starts BROWNOUT_BIN with these arguments (NULL-terminated, without the program's name) and these variables ("A=B",
 * NULL-terminated or NULL) in addition to the environment. Standard output goes to `stdout`, error to `stderr` in the folder.
 */
void program_start(struct program *p, const char *const *arguments, const char *const *variables);
/* Waits for so many start-up lines. False where they do not come or the program ends. */
bool program_wait_listening(struct program *p, unsigned n_listeners);
/* Waits for the line of the admin listener. */
bool program_wait_admin(struct program *p);
/* Waits for its end at most this long. True with p->code set. */
bool program_wait(struct program *p, int timeout_ms);
void program_signal(const struct program *p, int signal);
/* SIGSTOP, and waits until each of its threads stands still: a signal is under way for a moment after it was sent. */
void program_stop(const struct program *p);
/* One thread of it stands still, as it would in an endless loop. -1: this machine does not let it be stopped. Its id. */
pid_t program_hold_thread(const struct program *p, const char *name);
void program_release_thread(pid_t thread);

/* What it has written so far; the caller's to free. */
struct bytes program_stdout(const struct program *p);
struct bytes program_stderr(const struct program *p);
/* True where a sanitizer or an assertion has spoken. */
bool program_has_report(const struct program *p);
/* True where the program (built like this harness) runs under a sanitizer, which keeps freed memory. */
bool program_is_sanitized(void);
/* Resident memory in KiB, from /proc; 0 where it has ended. */
long program_rss_kib(const struct program *p);

/* Starts, waits for the end, returns the exit code; -1 where it does not end. */
int program_run(struct program *p, const char *const *arguments, const char *const *variables);

#endif
