/*
 * child: the command of `run -- COMMAND`, from its start to its end, by the rules of job control: it has a process group of its
 * own, so that it can be ended as a whole, and the terminal where brownout has it, so that Ctrl-C reaches it, once, and not
 * brownout, which has a verdict to give yet. Main thread only. It inherits nothing that brownout made for itself: no blocked or
 * ignored signal, no raised limit, no descriptor.
 */
#ifndef BROWNOUT_CLI_CHILD_H
#define BROWNOUT_CLI_CHILD_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/base.h"

/* Between SIGTERM and SIGKILL where its time is over. */
#define CHILD_GRACE_NS (5 * NS_PER_S)

struct child {
	sigset_t mask; /* as brownout was started with; the command gets it back */
	struct rlimit files; /* likewise */
	pid_t pid; /* and of its process group; 0: not started */
	int terminal; /* the controlling one; -1: there is none */
};

enum child_end { CHILD_EXITED, CHILD_KILLED, CHILD_OUT_OF_TIME };

struct child_result {
	enum child_end end;
	int number; /* its exit code, or the signal that killed it */
};

/* Before any thread is started: blocks the signals that child_wait takes. */
void child_prepare(struct child *c);

/*
 * argv and envp end with NULL; argv[0] is looked for in PATH. 0: it runs. Positive: an errno: it cannot be run (ENOENT: there is
 * none). Negative: -errno, of brownout itself.
 */
int child_start(struct child *c, char *const *argv, char *const *envp) MUST_USE;

/* What child_wait does meanwhile. */
struct child_watch {
	int64_t limit_ns; /* how long it may run; 0: as long as it likes */
	void (*reopen)(void *arg); /* at SIGUSR1 */
	int64_t (*look)(void *arg, int64_t now_ns); /* now and then; returns when to call it again at the latest */
	void *arg;
};

/*
 * Until it has ended; meanwhile other children that end are reaped. SIGINT, SIGTERM, SIGHUP and SIGQUIT go on to its process
 * group. After the limit its process group gets SIGTERM, after CHILD_GRACE_NS more SIGKILL. Where it is stopped from the
 * terminal, brownout stops too, and both go on together.
 */
void child_wait(struct child *c, const struct child_watch *watch, struct child_result *result);

#endif
