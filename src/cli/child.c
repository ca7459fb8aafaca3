/*
 * child: signals are blocked in all threads and taken one by one, as everywhere in brownout; between fork and exec only calls
 * are made that are safe there.
 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Where nothing is due. */
#define WAIT_NS (3600 * NS_PER_S)
/* For SIGCONT after brownout stopped itself: in a process group without a shell it does not stop, and none comes. */
#define STOPPED_NS (200 * NS_PER_MS)

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void taken_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		(void)sigaddset(set, forwarded[i]);
	(void)sigaddset(set, SIGCHLD);
	(void)sigaddset(set, SIGCONT);
	(void)sigaddset(set, SIGUSR1);
}

void child_prepare(struct child *c)
{
	sigset_t set;

	*c = (struct child){ .terminal = -1 };
	(void)getrlimit(RLIMIT_NOFILE, &c->files);
	taken_signals(&set);
	(void)sigaddset(&set, SIGTTOU); /* else handing over the terminal from the background would stop brownout */
	(void)pthread_sigmask(SIG_BLOCK, &set, &c->mask);
	/* Ignored (by whoever started brownout), ends would not be told. */
	(void)signal(SIGCHLD, SIG_DFL);
}

/* ---- the terminal ---- */

/* Only where it is ours to give. */
static void give_terminal(const struct child *c)
{
	if (c->terminal >= 0 && tcgetpgrp(c->terminal) == getpgrp())
		(void)tcsetpgrp(c->terminal, c->pid);
}

static void take_terminal(const struct child *c)
{
	if (c->terminal >= 0 && tcgetpgrp(c->terminal) == c->pid)
		(void)tcsetpgrp(c->terminal, getpgrp());
}

/* In a pipeline the others of brownout's own group may need the terminal: then it is given once the command asks for it. */
static bool gives_terminal_at_once(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* ---- starting ---- */

/* In the child: the caller's other threads do not exist here, but their locks may be held. */
NORETURN static void become_command(const struct child *c, char *const *argv, char *const *envp, bool terminal, int report)
{
	pid_t before = getpgrp();
	int error;

	(void)setpgid(0, 0);
	if (terminal && c->terminal >= 0 && tcgetpgrp(c->terminal) == before)
		(void)tcsetpgrp(c->terminal, getpid());
	(void)setrlimit(RLIMIT_NOFILE, &c->files);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)pthread_sigmask(SIG_SETMASK, &c->mask, NULL);
	(void)execvpe(argv[0], argv, envp);
	error = errno;
	_exit(write(report, &error, sizeof(error)) < 0 ? 126 : 127);
}

/* What exec said: 0 where it went through, and the pipe was closed by it. */
static int read_report(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(error) ? error : 0;
}

int child_start(struct child *c, char *const *argv, char *const *envp)
{
	bool terminal = gives_terminal_at_once();
	int report[2], error;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	c->terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	c->pid = fork();
	if (c->pid == 0)
		become_command(c, argv, envp, terminal, report[1]);
	error = c->pid < 0 ? -errno : 0;
	(void)close(report[1]);
	if (error == 0) {
		/* Here and there, so that it is done whoever comes first. */
		(void)setpgid(c->pid, c->pid);
		if (terminal)
			give_terminal(c);
		error = read_report(report[0]);
	}
	(void)close(report[0]);
	if (error > 0) {
		(void)waitpid(c->pid, NULL, 0);
		take_terminal(c);
	}
	if (error)
		c->pid = 0;
	return error;
}

/* ---- its end ---- */

static void send_to_group(const struct child *c, int number)
{
	(void)kill(-c->pid, number);
	/* What is stopped takes none but SIGKILL. */
	(void)kill(-c->pid, SIGCONT);
}

static void resume(const struct child *c)
{
	give_terminal(c);
	(void)kill(-c->pid, SIGCONT);
}

/* Stops brownout with it, so that the shell sees the whole job stop; comes back when it goes on. */
static void stop_with_it(const struct child *c)
{
	const struct timespec wait = { .tv_nsec = STOPPED_NS };
	sigset_t set;

	take_terminal(c);
	(void)kill(0, SIGTSTP);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCONT);
	(void)sigtimedwait(&set, NULL, &wait);
	resume(c);
}

/* Asked for the terminal that brownout has, or stopped by somebody. */
static void was_stopped(const struct child *c, int number)
{
	bool asks = number == SIGTTIN || number == SIGTTOU;

	if (asks && c->terminal >= 0 && tcgetpgrp(c->terminal) == getpgrp())
		resume(c);
	else if (c->terminal >= 0 && (asks || number == SIGTSTP))
		stop_with_it(c);
}

/*
 * Other children: orphans, where brownout is the first process of a container, or of whoever became brownout. Nobody else can
 * reap them, and each would keep its number for as long as the command runs.
 */
static void reap_others(const struct child *c)
{
	siginfo_t info = { .si_pid = 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 && info.si_pid != c->pid) {
		(void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
		info.si_pid = 0;
	}
}

/* True once it has ended; it is still to be reaped, so that its number is not another's yet. */
static bool has_ended(const struct child *c, siginfo_t *info)
{
	for (;;) {
		info->si_pid = 0;
		if (waitid(P_PID, (id_t)c->pid, info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0 || info->si_pid == 0)
			return false;
		if (info->si_code != CLD_STOPPED)
			return true;
		(void)waitid(P_PID, (id_t)c->pid, info, WSTOPPED | WNOHANG);
		was_stopped(c, info->si_status);
	}
}

static void take_signal(const struct child *c, const struct child_watch *watch, int number)
{
	if (number == SIGUSR1)
		watch->reopen(watch->arg);
	else if (number == SIGCONT)
		resume(c);
	else if (number != SIGCHLD)
		send_to_group(c, number);
}

/* -1: none came in this time. */
static int next_signal(int64_t wait_ns)
{
	const struct timespec wait = { .tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S };
	sigset_t set;

	taken_signals(&set);
	return sigtimedwait(&set, NULL, &wait);
}

/* The signal that is due: SIGTERM first, then SIGKILL. Returns when the next one is. */
static int64_t end_in_time(const struct child *c, int64_t limit_ns, bool first)
{
	if (first)
		log_warning("the command has run for %" PRId64 ".%03" PRId64 " s: SIGTERM now, SIGKILL in %" PRId64 " s",
			limit_ns / NS_PER_S, limit_ns % NS_PER_S / NS_PER_MS, CHILD_GRACE_NS / NS_PER_S);
	send_to_group(c, first ? SIGTERM : SIGKILL);
	return clock_mono_ns() + (first ? CHILD_GRACE_NS : WAIT_NS);
}

void child_wait(struct child *c, const struct child_watch *watch, struct child_result *result)
{
	int64_t due_ns = watch->limit_ns ? clock_mono_ns() + watch->limit_ns : INT64_MAX;
	bool out_of_time = false;
	siginfo_t info;

	while (!has_ended(c, &info)) {
		int64_t now_ns = clock_mono_ns();
		int64_t wait_ns = MIN(WAIT_NS, watch->look(watch->arg, now_ns) - now_ns);
		int number;

		reap_others(c);
		if (now_ns >= due_ns) {
			due_ns = end_in_time(c, watch->limit_ns, !out_of_time);
			out_of_time = true;
		}
		number = next_signal(MAX(MIN(wait_ns, due_ns - now_ns), 0));
		if (number > 0)
			take_signal(c, watch, number);
	}
	/* Whoever of its group has outlived it ran out of time with it. */
	if (out_of_time)
		(void)kill(-c->pid, SIGKILL);
	(void)waitid(P_PID, (id_t)c->pid, &info, WEXITED);
	take_terminal(c);
	if (c->terminal >= 0)
		(void)close(c->terminal);
	*result = (struct child_result){ info.si_code == CLD_EXITED ? CHILD_EXITED : CHILD_KILLED, info.si_status };
	if (out_of_time)
		result->end = CHILD_OUT_OF_TIME;
}
