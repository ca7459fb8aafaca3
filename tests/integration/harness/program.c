/*
 * program: see program.h.
 */
#include "harness/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		continue;
}

void program_open(struct program *p)
{
	*p = (struct program){ 0 };
	snprintf(p->dir, sizeof(p->dir), "/tmp/brownout-test-XXXXXX");
	if (!mkdtemp(p->dir)) {
		perror("mkdtemp");
		abort();
	}
}

void program_close(struct program *p)
{
	DIR *dir;
	struct dirent *entry;

	if (p->pid) {
		kill(p->pid, SIGKILL);
		program_wait(p, PATIENCE_MS);
	}
	dir = opendir(p->dir);
	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	rmdir(p->dir);
}

const char *program_path(const struct program *p, const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", p->dir, name);
	return path;
}

void program_write_file(const struct program *p, const char *name, const char *text)
{
	FILE *f = fopen(program_path(p, name), "we");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(name);
		abort();
	}
}

static void redirect(const char *path, int to)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(126);
	close(fd);
}

void program_start(struct program *p, const char *const *arguments, const char *const *variables)
{
	const char *binary = getenv("BROWNOUT_BIN");
	char *argv[PROGRAM_ARGUMENTS_MAX + 2] = { 0 };
	char out[128];
	char err[128];
	pid_t parent = getpid();

	if (!binary) {
		fprintf(stderr, "BROWNOUT_BIN is not set: run this through meson test\n");
		abort();
	}
	argv[0] = strdup("brownout");
	for (unsigned i = 0; arguments[i] && i < PROGRAM_ARGUMENTS_MAX; i++)
		argv[i + 1] = strdup(arguments[i]);
	snprintf(out, sizeof(out), "%s", program_path(p, "stdout"));
	snprintf(err, sizeof(err), "%s", program_path(p, "stderr"));
	/* What an earlier run said must not be taken for this one's. */
	unlink(out);
	unlink(err);
	p->n_listeners = 0;
	p->pid = fork();
	if (p->pid < 0)
		abort();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(126);
		redirect("/dev/null", STDIN_FILENO);
		redirect(out, STDOUT_FILENO);
		redirect(err, STDERR_FILENO);
		for (unsigned i = 0; variables && variables[i]; i++)
			putenv(strdup(variables[i]));
		execv(binary, argv);
		_exit(127);
	}
	for (unsigned i = 0; argv[i]; i++)
		free(argv[i]);
}

static struct bytes read_output(const struct program *p, const char *name)
{
	struct bytes b = { 0 };

	bytes_read_file(&b, program_path(p, name));
	return b;
}

struct bytes program_stdout(const struct program *p)
{
	return read_output(p, "stdout");
}

struct bytes program_stderr(const struct program *p)
{
	return read_output(p, "stderr");
}

/*
 * The address behind the words in the text from *at on, "127.0.0.1:4711" or "unix:/path", into `address`; *at goes behind it.
 * False where there is none, or its line is still being written.
 */
static bool find_address(const char **at, const char *words, char *address, size_t address_n)
{
	const char *p = strstr(*at, words);
	size_t n;

	if (!p)
		return false;
	p += strlen(words);
	if (strncmp(p, "http://", 7) == 0)
		p += 7;
	n = strcspn(p, strncmp(p, "unix:", 5) == 0 ? " \t\r\n,(\x1b" : " \t\r\n,(/\x1b");
	if (!strchr(p, '\n') || n >= address_n)
		return false;
	snprintf(address, address_n, "%.*s", (int)n, p);
	*at = p;
	return true;
}

/* "... listening on http://127.0.0.1:4711 ...", "dashboard on http://127.0.0.1:4712/" */
static void find_listeners(struct program *p)
{
	struct bytes err = program_stderr(p);
	const char *at = bytes_text(&err);

	p->n_listeners = 0;
	while (p->n_listeners < PROGRAM_LISTENERS_MAX &&
	       find_address(&at, "listening on ", p->listeners[p->n_listeners], sizeof(p->listeners[0])))
		p->n_listeners++;
	if (!find_address(&at, "dashboard on ", p->admin, sizeof(p->admin)))
		(void)find_address(&at, "admin on ", p->admin, sizeof(p->admin));
	bytes_free(&err);
}

bool program_wait_listening(struct program *p, unsigned n_listeners)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	do {
		find_listeners(p);
		if (p->n_listeners >= n_listeners)
			return true;
	} while (!program_wait(p, 5) && now_ms() < until_ms);
	return false;
}

bool program_wait_admin(struct program *p)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	do {
		find_listeners(p);
		if (p->admin[0])
			return true;
	} while (!program_wait(p, 5) && now_ms() < until_ms);
	return false;
}

bool program_wait(struct program *p, int timeout_ms)
{
	long long until_ms = now_ms() + timeout_ms;
	int status;

	while (p->pid) {
		pid_t got = waitpid(p->pid, &status, WNOHANG);

		if (got == p->pid) {
			p->pid = 0;
			p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		} else if (now_ms() >= until_ms) {
			return false;
		} else {
			sleep_ms(2);
		}
	}
	return true;
}

void program_signal(const struct program *p, int signal)
{
	if (p->pid)
		kill(p->pid, signal);
}

/* The state letter of a thread stands behind the name in brackets: "12 (worker 0) T ...". */
static bool is_stopped(pid_t pid, const char *thread)
{
	char path[512], line[256];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", (int)pid, thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return true; /* it has ended */
	line[n] = '\0';
	state = strrchr(line, ')');
	return state && state[1] == ' ' && state[2] == 'T';
}

static bool all_stopped(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	bool all = true;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' && !is_stopped(pid, entry->d_name))
			all = false;
	}
	if (dir)
		closedir(dir);
	return all;
}

void program_stop(const struct program *p)
{
	program_signal(p, SIGSTOP);
	for (int i = 0; i < 5000 && !all_stopped(p->pid); i++)
		usleep(1000);
}

bool program_has_report(const struct program *p)
{
	static const char *const marks[] = { "AddressSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:",
		"Assertion `", "MemorySanitizer", "ThreadSanitizer" };
	struct bytes err = program_stderr(p);
	bool found = false;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		found = found || strstr(bytes_text(&err), marks[i]);
	bytes_free(&err);
	return found;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif !defined(IS_SANITIZED)
#define IS_SANITIZED false
#endif

bool program_is_sanitized(void)
{
	return IS_SANITIZED;
}

long program_rss_kib(const struct program *p)
{
	struct bytes b = { 0 };
	char path[64];
	const char *at;
	long kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)p->pid);
	if (p->pid && bytes_read_file(&b, path) && (at = strstr(bytes_text(&b), "VmRSS:")))
		kib = strtol(at + 6, NULL, 10);
	bytes_free(&b);
	return kib;
}

/* The thread of that name; 0 where there is none. */
static pid_t find_thread(const struct program *p, const char *name)
{
	struct dirent *entry;
	char path[300];
	pid_t found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)p->pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		struct bytes b = { 0 };

		snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", (int)p->pid, entry->d_name);
		if (bytes_read_file(&b, path) && strncmp(bytes_text(&b), name, strlen(name)) == 0)
			found = (pid_t)strtol(entry->d_name, NULL, 10);
		bytes_free(&b);
	}
	if (dir)
		closedir(dir);
	return found;
}

pid_t program_hold_thread(const struct program *p, const char *name)
{
	pid_t thread = find_thread(p, name);

	if (!thread)
		abort();
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
		return -1;
	if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 || waitpid(thread, NULL, __WALL) != thread)
		abort();
	return thread;
}

void program_release_thread(pid_t thread)
{
	if (ptrace(PTRACE_DETACH, thread, NULL, NULL) != 0)
		abort();
}

int program_run(struct program *p, const char *const *arguments, const char *const *variables)
{
	program_start(p, arguments, variables);
	return program_wait(p, 2 * PATIENCE_MS) ? p->code : -1;
}
