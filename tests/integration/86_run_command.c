/*
 * 86 run command: `run ... -- COMMAND`: what the command is given, what it is not, and how both end.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

/* Whoever starts the tests may ignore these, as nohup does: a shell cannot trap what was ignored when it began. */
static void heed_signals(void)
{
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
}

TestSuite(run_command, .timeout = 60, .init = heed_signals);

static const char rules[] = "upstream: origin\nlisten: 127.0.0.1:0\nlimits: {drain: 1s}\n"
			    "rules: [{match: {path: /no}, abort: 503}]\n";

/* Runs `sh -c script` behind it with up to two options more; the exit code. What was said is the caller's to free. */
static int run_script(struct program *p, const char *option, const char *value, const char *script, struct bytes *out,
	struct bytes *err)
{
	const char *arguments[10] = { "run", NULL };
	unsigned n = 2;
	int code;

	program_open(p);
	program_write_file(p, "rules.yaml", rules);
	arguments[1] = program_path(p, "rules.yaml");
	if (option)
		arguments[n++] = option;
	if (value)
		arguments[n++] = value;
	arguments[n++] = "--";
	arguments[n++] = "sh";
	arguments[n++] = "-c";
	arguments[n++] = script;
	arguments[n] = NULL;
	code = program_run(p, arguments, NULL);
	*out = program_stdout(p);
	*err = program_stderr(p);
	cr_assert(!program_has_report(p), "%s", bytes_text(err));
	return code;
}

static void expect_run(const char *option, const char *value, const char *script, int code, const char *said)
{
	struct program p;
	struct bytes out, err;
	int got = run_script(&p, option, value, script, &out, &err);

	cr_assert(got == code, "%s: exit code %d, not %d\n%s%s", script, got, code, bytes_text(&out), bytes_text(&err));
	cr_assert(strstr(bytes_text(&out), said), "%s: \"%s\" is not in\n%s%s", script, said, bytes_text(&out), bytes_text(&err));
	bytes_free(&out);
	bytes_free(&err);
	program_close(&p);
}

/* ---- what it is given ---- */

#define FETCH                                                                                                                   \
	"python3 -c 'import os,sys,urllib.request,urllib.error\n"                                                               \
	"try: print(urllib.request.urlopen(os.environ[sys.argv[1]]+sys.argv[2]).status)\n"                                      \
	"except urllib.error.HTTPError as e: print(e.code)' "

Test(run_command, it_finds_the_proxy_that_serves_by_then)
{
	expect_run(NULL, NULL, FETCH "BROWNOUT_URL /", 0, "200");
	expect_run(NULL, NULL, FETCH "BROWNOUT_DEFAULT_URL /no", 0, "503");
	expect_run("--seed", "4711", "echo seed=$BROWNOUT_SEED admin=$BROWNOUT_ADMIN.", 0, "seed=4711 admin=.\n");
	expect_run("--admin=127.0.0.1:0", NULL, FETCH "BROWNOUT_ADMIN /healthz", 0, "200");
}

Test(run_command, no_file_is_needed)
{
	struct program p;
	struct bytes out;

	program_open(&p);
	cr_assert_eq(program_run(&p, (const char *const[]){ "run", "-u", "origin", "-l", "127.0.0.1:0", "--abort", "418", "--",
		"sh", "-c", FETCH "BROWNOUT_URL /", NULL }, NULL), 0);
	out = program_stdout(&p);
	cr_assert_str_eq(bytes_text(&out), "418\n");
	bytes_free(&out);
	program_close(&p);
}

Test(run_command, its_output_is_its_own)
{
	struct program p;
	struct bytes out, err;

	cr_assert_eq(run_script(&p, NULL, NULL, "echo to-out; echo to-err >&2", &out, &err), 0);
	cr_expect_str_eq(bytes_text(&out), "to-out\n");
	cr_expect(strstr(bytes_text(&err), "to-err\n"), "%s", bytes_text(&err));
	bytes_free(&out);
	bytes_free(&err);
	program_close(&p);
}

/* What brownout changes for itself: blocked and ignored signals, the limit of files; and what it opens. */
Test(run_command, it_inherits_nothing_of_the_proxy)
{
	int kept = open("/dev/null", O_RDONLY);
	bool is_there = false;
	struct program p;
	struct bytes out, err;
	char *at, *line;

	cr_assert(kept > 2);
	cr_assert_eq(run_script(&p, "--trace", "/dev/null", "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/$$/fd; true",
		&out, &err), 0);
	at = out.p;
	cr_expect_str_eq(strsep(&at, "\n"), "SigBlk:\t0000000000000000");
	cr_expect_str_eq(strsep(&at, "\n"), "SigIgn:\t0000000000000000");
	/* What this test itself leaves open is handed on. */
	while ((line = strsep(&at, "\n")) && *line) {
		int fd = (int)strtol(line, NULL, 10);

		cr_expect(fd <= 2 || fcntl(fd, F_GETFD) == 0, "descriptor %d", fd);
		is_there |= fd == kept;
	}
	cr_expect(is_there, "the descriptor %d", kept);
	bytes_free(&out);
	bytes_free(&err);
	program_close(&p);
	close(kept);
}

Test(run_command, limit_of_files_is_as_it_was)
{
	struct rlimit before, lower;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	lower = (struct rlimit){ 512, before.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &lower), 0);
	expect_run(NULL, NULL, "ulimit -Sn", 0, "512\n");
}

/* ---- how it ends ---- */

Test(run_command, its_exit_code_is_ours)
{
	expect_run(NULL, NULL, "exit 0", 0, "");
	expect_run(NULL, NULL, "exit 42", 42, "");
	expect_run(NULL, NULL, "kill -KILL $$", 128 + SIGKILL, "");
	expect_run(NULL, NULL, "kill -TERM $$", 128 + SIGTERM, "");
}

Test(run_command, what_cannot_be_run)
{
	static const struct {
		const char *command;
		int code;
		const char *said;
	} rows[] = {
		{ "/nonexistent/command", 127, "/nonexistent/command cannot be run: No such file" },
		{ "no-such-command-in-path", 127, "no-such-command-in-path cannot be run: No such file" },
		{ "/dev/null", 126, "/dev/null cannot be run: Permission denied" },
		{ "", 2, "a command is wanted behind --" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct program p;
		struct bytes err;
		int code;

		program_open(&p);
		code = program_run(&p, (const char *const[]){ "run", "-u", "origin", "-l", "127.0.0.1:0", "--", rows[i].command,
			NULL }, NULL);
		err = program_stderr(&p);
		cr_expect(code == rows[i].code, "%s: exit code %d", rows[i].command, code);
		cr_expect(strstr(bytes_text(&err), rows[i].said), "%s:\n%s", rows[i].command, bytes_text(&err));
		bytes_free(&err);
		program_close(&p);
	}
}

/* Gone, or dead and waiting for somebody to reap it. */
static bool is_dead(pid_t pid)
{
	char path[64], state[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (!fgets(state, sizeof(state), f))
		state[0] = '\0';
	fclose(f);
	return strstr(state, ") Z") != NULL;
}

Test(run_command, time_limit_ends_all_of_its_processes)
{
	struct program p;
	struct bytes out, err;
	long long since_ms = now_ms();
	pid_t behind;

	cr_assert_eq(run_script(&p, "--time-limit", "200ms", "sleep 50 & echo $!; sleep 50", &out, &err), 124);
	cr_expect(now_ms() - since_ms < 5000, "%lld ms", now_ms() - since_ms);
	cr_expect(strstr(bytes_text(&err), "has run for 0.200 s"), "%s", bytes_text(&err));
	behind = (pid_t)strtol(bytes_text(&out), NULL, 10);
	for (int i = 0; i < 1000 && !is_dead(behind); i++)
		sleep_ms(10);
	cr_expect(behind > 0 && is_dead(behind), "the one in the background is still there");
	bytes_free(&out);
	bytes_free(&err);
	program_close(&p);
}

/* Who does not listen to SIGTERM gets SIGKILL. */
Test(run_command, time_limit_is_a_limit)
{
	long long since_ms = now_ms();

	expect_run("--time-limit", "100ms", "trap '' TERM; while :; do sleep 0.1; done", 124, "");
	cr_expect(now_ms() - since_ms >= 5000, "%lld ms", now_ms() - since_ms);
}

/* ---- signals ---- */

#define UNTIL_N "while [ -z \"$n\" ]; do sleep 0.02; done; "

static void start_script(struct program *p, const char *script)
{
	program_open(p);
	program_write_file(p, "rules.yaml", rules);
	program_start(p, (const char *const[]){ "run", program_path(p, "rules.yaml"), "--", "sh", "-c", script, NULL }, NULL);
}

static void wait_output(struct program *p, const char *words)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	bool found = false;

	while (!found && now_ms() < until_ms) {
		struct bytes out = program_stdout(p);

		found = strstr(bytes_text(&out), words) != NULL;
		bytes_free(&out);
		sleep_ms(5);
	}
	cr_assert(found, "\"%s\" was not said", words);
}

Test(run_command, signals_go_on_to_it)
{
	static const struct {
		int number;
		const char *name;
	} rows[] = { { SIGTERM, "TERM" }, { SIGINT, "INT" }, { SIGHUP, "HUP" }, { SIGQUIT, "QUIT" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct program p;
		struct bytes out;
		char script[200], said[64];

		snprintf(script, sizeof(script), "trap 'echo got-%s; n=1' %s; echo ready; " UNTIL_N "sleep 0.2; echo end; "
			"exit 9", rows[i].name, rows[i].name);
		start_script(&p, script);
		wait_output(&p, "ready");
		program_signal(&p, rows[i].number);
		cr_assert(program_wait(&p, PATIENCE_MS), "%s: does not end", rows[i].name);
		cr_expect_eq(p.code, 9, "%s: exit code %d", rows[i].name, p.code);
		out = program_stdout(&p);
		snprintf(said, sizeof(said), "ready\ngot-%s\nend\n", rows[i].name);
		cr_expect_str_eq(bytes_text(&out), said);
		bytes_free(&out);
		program_close(&p);
	}
}

Test(run_command, a_command_that_a_signal_ends)
{
	struct program p;

	start_script(&p, "echo ready; sleep 50");
	wait_output(&p, "ready");
	program_signal(&p, SIGTERM);
	cr_assert(program_wait(&p, PATIENCE_MS));
	cr_expect_eq(p.code, 128 + SIGTERM, "exit code %d", p.code);
	program_close(&p);
}

/* ---- what it leaves open ---- */

/* Ends once an answer has begun, which a child of its own goes on reading; that one says whether it came whole. */
#define BEGIN_AND_LEAVE(path)													\
	"exec python3 -c 'import os,sys,socket\n"										\
	"host,port=os.environ[\"BROWNOUT_URL\"][7:].split(\":\")\n"								\
	"s=socket.create_connection((host,int(port)))\n"									\
	"s.sendall(b\"GET " path " HTTP/1.0\\r\\nHost: a\\r\\n\\r\\n\")\n"							\
	"got=b=s.recv(4096)\n"													\
	"if os.fork(): os._exit(3)\n"												\
	"os.setpgid(0,0)\n"													\
	"try:\n"														\
	"  while b:\n"														\
	"    b=s.recv(4096)\n"													\
	"    got+=b\n"														\
	"except OSError: pass\n"												\
	"print(\"body\",len(got.split(b\"\\r\\n\\r\\n\",1)[1]),flush=True)'"

Test(run_command, an_open_exchange_is_waited_for)
{
	struct program p;

	start_script(&p, BEGIN_AND_LEAVE("/drip?bytes=5&every=100ms"));
	cr_assert(program_wait(&p, 2 * PATIENCE_MS));
	cr_expect_eq(p.code, 3);
	wait_output(&p, "body 5\n");
	program_close(&p);
}

/* limits.drain */
Test(run_command, but_not_for_ever)
{
	struct program p;

	start_script(&p, BEGIN_AND_LEAVE("/drip?bytes=600&every=100ms"));
	cr_assert(program_wait(&p, 2 * PATIENCE_MS));
	cr_expect_eq(p.code, 3);
	wait_output(&p, "body ");
	program_close(&p);
}

/* ---- on a terminal ---- */

struct session {
	struct program program; /* its folder alone */
	pid_t pid; /* the one that has the terminal: brownout, or a shell before it */
	int fd;
	struct bytes said;
};

static void open_session(struct session *s)
{
	program_open(&s->program);
	program_write_file(&s->program, "rules.yaml", rules);
	s->said = (struct bytes){ 0 };
	s->pid = forkpty(&s->fd, NULL, NULL, NULL);
	cr_assert(s->pid >= 0);
}

/* Standard output goes to the terminal, or a file of this name. */
static void on_terminal(struct session *s, const char *out, const char *script)
{
	open_session(s);
	if (s->pid == 0) {
		if (out && dup2(open(program_path(&s->program, out), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO) < 0)
			_exit(126);
		setenv("TERM", "dumb", 1);
		execl(getenv("BROWNOUT_BIN"), "brownout", "run", program_path(&s->program, "rules.yaml"), "--", "sh", "-c",
			script, (char *)NULL);
		_exit(127);
	}
}

static void read_until(struct session *s, const char *words)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	while (!strstr(bytes_text(&s->said), words)) {
		struct pollfd p = { s->fd, POLLIN, 0 };
		char block[512];
		ssize_t n = 0;

		if (now_ms() < until_ms && poll(&p, 1, 100) > 0)
			n = read(s->fd, block, sizeof(block));
		if (n > 0)
			bytes_put(&s->said, block, (size_t)n);
		else
			cr_assert(now_ms() < until_ms && n == 0, "\"%s\" was not said:\n%s", words, bytes_text(&s->said));
	}
}

static void type(struct session *s, const char *text)
{
	cr_assert_eq(write(s->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The rest of what it says, and its exit code. */
static int end_session(struct session *s)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	int status = -1;
	pid_t ended;

	while ((ended = waitpid(s->pid, &status, WNOHANG)) == 0 && now_ms() < until_ms) {
		struct pollfd p = { s->fd, POLLIN, 0 };
		char block[512];
		ssize_t n = poll(&p, 1, 20) > 0 ? read(s->fd, block, sizeof(block)) : 0;

		if (n > 0)
			bytes_put(&s->said, block, (size_t)n);
	}
	if (ended == 0)
		kill(s->pid, SIGKILL);
	cr_assert(ended == s->pid, "does not end:\n%s", bytes_text(&s->said));
	close(s->fd);
	bytes_free(&s->said);
	program_close(&s->program);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static unsigned count(const char *text, const char *words)
{
	unsigned n = 0;

	while ((text = strstr(text, words))) {
		text += strlen(words);
		n++;
	}
	return n;
}

Test(run_command, control_c_reaches_it_once_and_brownout_outlives_it)
{
	struct session s;

	on_terminal(&s, NULL, "trap 'echo caught; n=1' INT; echo ready; " UNTIL_N "sleep 0.3; echo end");
	read_until(&s, "ready");
	type(&s, "\x03");
	read_until(&s, "end\r\n");
	read_until(&s, "verdict: ");
	cr_expect_eq(count(bytes_text(&s.said), "caught\r\n"), 1, "%s", bytes_text(&s.said));
	cr_expect_eq(end_session(&s), 0);
}

Test(run_command, it_reads_from_the_terminal)
{
	struct session s;

	on_terminal(&s, NULL, "read x; echo got=$x");
	type(&s, "hello\n");
	read_until(&s, "got=hello");
	cr_expect_eq(end_session(&s), 0);
}

/* In a pipeline the terminal is not handed over before it is asked for. */
Test(run_command, terminal_is_given_when_it_is_asked_for)
{
	struct session s;

	on_terminal(&s, "out", "trap 'echo caught >&2; n=1' INT; echo ready >&2; " UNTIL_N "sleep 0.2; "
			       "read x; echo got=$x >&2");
	read_until(&s, "ready");
	type(&s, "\x03");
	read_until(&s, "caught");
	type(&s, "hello\n");
	read_until(&s, "got=hello");
	cr_expect_eq(count(bytes_text(&s.said), "caught"), 1, "%s", bytes_text(&s.said));
	cr_expect_eq(end_session(&s), 0);
}

/* As a shell does: the job has a group and the terminal; when it stops, it is continued in the foreground. */
static int be_a_shell(const char *rules_path, const char *script)
{
	pid_t job = fork();
	int status;

	if (job == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		execl(getenv("BROWNOUT_BIN"), "brownout", "run", rules_path, "--", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	setpgid(job, job);
	signal(SIGTTOU, SIG_IGN);
	waitpid(job, &status, WUNTRACED);
	if (!WIFSTOPPED(status))
		return 90;
	tcsetpgrp(0, getpgrp());
	printf("the shell: stopped\n");
	fflush(stdout);
	tcsetpgrp(0, job);
	kill(-job, SIGCONT);
	waitpid(job, &status, 0);
	tcsetpgrp(0, getpgrp());
	return WIFEXITED(status) ? WEXITSTATUS(status) : 91;
}

Test(run_command, control_z_stops_both_and_both_go_on)
{
	struct session s;

	open_session(&s);
	if (s.pid == 0) {
		setenv("TERM", "dumb", 1);
		_exit(be_a_shell(program_path(&s.program, "rules.yaml"), "echo ready; read x; echo got=$x; exit 5"));
	}
	read_until(&s, "ready");
	type(&s, "\x1a");
	read_until(&s, "the shell: stopped");
	type(&s, "hello\n");
	read_until(&s, "got=hello");
	cr_expect_eq(end_session(&s), 5);
}
