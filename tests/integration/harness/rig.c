/*
 * rig: see rig.h.
 */
#include "harness/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define UPSTREAM_BACKLOG 256

static void show_peer(struct bytes *report, const struct peer *p)
{
	bytes_printf(report, "  --- %s%s%s%s\n", p->name, p->ended ? ", got FIN" : "", p->was_reset ? ", got RST" : "",
		p->fd < 0 ? ", closed here" : "");
	bytes_printf(report, "  sent %zu bytes\n", p->out.n);
	bytes_show(report, bytes_text(&p->out), p->out.n, "    > ");
	bytes_printf(report, "  received %zu bytes, %zu looked at\n", p->in.n, p->taken);
	bytes_show(report, bytes_text(&p->in), p->in.n, "    < ");
}

static bool has_failed;

/* Asked by the leak sanitizer at exit: a test that was given up in its middle has freed nothing, and that says nothing. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return has_failed;
}

void rig_fail_at(struct rig *r, const char *file, int line, const char *format, ...)
{
	struct bytes report = { 0 };
	struct bytes err = program_stderr(&r->program);
	unsigned first = r->n_peers > 6 ? r->n_peers - 6 : 0;
	va_list args;

	has_failed = true;
	bytes_printf(&report, "\n=== %s: ", criterion_current_test ? criterion_current_test->name : "?");
	va_start(args, format);
	bytes_vprintf(&report, format, args);
	va_end(args);
	bytes_printf(&report, "\n  at %s:%d%s%s\n", file, line, r->context ? ", case: " : "", r->context ? r->context : "");
	if (first)
		bytes_printf(&report, "  (%u peers not shown)\n", first);
	for (unsigned i = first; i < r->n_peers; i++) {
		if (r->peers[i]->fd >= 0)
			peer_read(r->peers[i], 0);
		show_peer(&report, r->peers[i]);
	}
	if (program_wait(&r->program, 20))
		bytes_printf(&report, "  --- the program has ended with %d\n", r->program.code);
	bytes_printf(&report, "  --- standard error of the program\n");
	bytes_show(&report, bytes_text(&err), err.n, "    ");
	if (write(STDERR_FILENO, report.p, report.n) < 0)
		perror("write");
	program_close(&r->program);
	cr_assert_fail("the bytes are above");
	abort();
}

static int listen_tcp(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, UPSTREAM_BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		abort();
	*port = ntohs(address.sin_port);
	return fd;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, UPSTREAM_BACKLOG) < 0)
		abort();
	return fd;
}

static bool has_key(const char *yaml, const char *key)
{
	char at_start[32];
	char at_line[32];

	snprintf(at_start, sizeof(at_start), "%s:", key);
	snprintf(at_line, sizeof(at_line), "\n%s:", key);
	return strncmp(yaml, at_start, strlen(at_start)) == 0 || strstr(yaml, at_line);
}

static void complete_yaml(const struct rig *r, struct bytes *yaml)
{
	static const char *const added[][3] = {
		{ "listen", "listeners", "listen: 127.0.0.1:0\n" },
		{ "upstream", "upstreams", "upstream: http://@upstream@\n" },
		{ "workers", "", "workers: 1\n" },
		{ "seed", "", "seed: 1\n" },
		{ "log", "", "log: {access: @dir@/access.log, format: json}\n" },
	};
	char text[32];

	if (yaml->n && yaml->p[yaml->n - 1] != '\n')
		bytes_put(yaml, "\n", 1);
	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
		if (!has_key(bytes_text(yaml), added[i][0]) && !has_key(bytes_text(yaml), added[i][1]))
			bytes_printf(yaml, "%s", added[i][2]);
	}
	snprintf(text, sizeof(text), "%u", r->upstream_ports[0]);
	bytes_replace(yaml, "@port@", text);
	snprintf(text, sizeof(text), "127.0.0.1:%u", r->upstream_ports[1]);
	bytes_replace(yaml, "@upstream2@", text);
	snprintf(text, sizeof(text), "127.0.0.1:%u", r->upstream_ports[0]);
	bytes_replace(yaml, "@upstream@", text);
	bytes_replace(yaml, "@upstream3@", r->also);
	bytes_replace(yaml, "@dir@", r->program.dir);
}

static void start(struct rig *r, unsigned n_listeners, struct bytes *yaml)
{
	signal(SIGPIPE, SIG_IGN);
	*r = (struct rig){ 0 };
	program_open(&r->program);
	for (unsigned i = 0; i < RIG_UPSTREAMS - 1; i++)
		r->upstream_fds[i] = listen_tcp(&r->upstream_ports[i]);
	r->upstream_fds[RIG_UPSTREAMS - 1] = listen_unix(program_path(&r->program, "upstream.sock"));
	complete_yaml(r, yaml);
	program_write_file(&r->program, "rules.yaml", bytes_text(yaml));
	bytes_free(yaml);
	program_start(&r->program, (const char *const[]){ "run", program_path(&r->program, "rules.yaml"), NULL }, NULL);
	rig_check(r, program_wait_listening(&r->program, n_listeners), "the program does not listen (%u of %u)",
		r->program.n_listeners, n_listeners);
}

void rig_start_n(struct rig *r, unsigned n_listeners, const char *yaml, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, yaml);
	bytes_vprintf(&text, yaml, args);
	va_end(args);
	start(r, n_listeners, &text);
}

void rig_start(struct rig *r)
{
	struct bytes text = { 0 };

	start(r, 1, &text);
}

void rig_start_with(struct rig *r, const char *yaml, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, yaml);
	bytes_vprintf(&text, yaml, args);
	va_end(args);
	start(r, 1, &text);
}

static void replace_rules(struct rig *r, struct bytes *yaml)
{
	complete_yaml(r, yaml);
	program_write_file(&r->program, "rules.new", bytes_text(yaml));
	bytes_free(yaml);
	if (rename(program_path(&r->program, "rules.new"), program_path(&r->program, "rules.yaml")) < 0)
		abort();
}

void rig_replace_rules(struct rig *r, const char *yaml, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, yaml);
	bytes_vprintf(&text, yaml, args);
	va_end(args);
	replace_rules(r, &text);
}

static unsigned count_said(const struct rig *r, const char *text)
{
	struct bytes said = program_stderr(&r->program);
	unsigned n = 0;

	for (const char *p = bytes_text(&said); (p = strstr(p, text)) != NULL; p++)
		n++;
	bytes_free(&said);
	return n;
}

void rig_wait_said(struct rig *r, const char *text)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	while (!count_said(r, text)) {
		rig_check(r, now_ms() < until_ms, "it does not say \"%s\"", text);
		sleep_ms(2);
	}
}

pid_t rig_hold_worker(struct rig *r, const char *name)
{
	pid_t worker = program_hold_thread(&r->program, name);

	if (worker < 0) {
		rig_end(r);
		cr_skip("a thread cannot be stopped here");
	}
	return worker;
}

bool rig_wait_reloads(struct rig *r, unsigned n_served, unsigned n_refused)
{
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	while (now_ms() < until_ms) {
		if (count_said(r, "was read again and is served") >= n_served &&
			count_said(r, ": nothing has changed\n") >= n_refused)
			return true;
		sleep_ms(2);
	}
	return false;
}

bool rig_reload_with(struct rig *r, const char *yaml, ...)
{
	struct bytes text = { 0 };
	va_list args;
	unsigned n_served = count_said(r, "was read again and is served");
	unsigned n_refused = count_said(r, ": nothing has changed\n");
	long long until_ms = now_ms() + 2 * PATIENCE_MS;

	va_start(args, yaml);
	bytes_vprintf(&text, yaml, args);
	va_end(args);
	replace_rules(r, &text);
	program_signal(&r->program, SIGHUP);
	while (now_ms() < until_ms) {
		if (count_said(r, "was read again and is served") > n_served)
			return true;
		if (count_said(r, ": nothing has changed\n") > n_refused)
			return false;
		sleep_ms(2);
	}
	rig_fail(r, "the program says nothing of its reload");
}

void rig_expect_exit(struct rig *r, int code)
{
	rig_check(r, program_wait(&r->program, 2 * PATIENCE_MS), "the program does not end");
	rig_check(r, !program_has_report(&r->program), "the program ended with a report");
	rig_check(r, r->program.code == code, "exit code %d, %d was expected", r->program.code, code);
	for (unsigned i = 0; i < r->n_peers; i++) {
		peer_deinit(r->peers[i]);
		free(r->peers[i]);
	}
	for (unsigned i = 0; i < RIG_UPSTREAMS; i++)
		rig_close_upstream(r, i);
	program_close(&r->program);
	bytes_free(&r->log);
}

void rig_end(struct rig *r)
{
	for (unsigned i = 0; i < r->n_peers; i++)
		peer_close(r->peers[i]);
	rig_check(r, !program_wait(&r->program, 0), "the program ended by itself, with %d", r->program.code);
	program_signal(&r->program, SIGTERM);
	rig_expect_exit(r, 0);
}

static struct peer *add_peer(struct rig *r, int fd, const char *kind, unsigned number)
{
	struct peer *p = malloc(sizeof(*p));
	int one = 1;

	if (!p || r->n_peers == RIG_PEERS_MAX)
		abort();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* no effect on a unix socket */
	peer_init(p, r, fd, kind, number);
	r->peers[r->n_peers++] = p;
	return p;
}

int rig_connect(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool is_unix = strncmp(address, "unix:", 5) == 0;
	const char *colon = strrchr(address, ':');
	char host[64];
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failed;

	if (is_unix) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", address + 5);
		failed = connect(fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
		in.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
		failed = inet_pton(AF_INET, host, &in.sin_addr) != 1 || connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0;
	}
	if (failed) {
		close(fd);
		return -1;
	}
	return fd;
}

struct peer *rig_client_to(struct rig *r, unsigned listener)
{
	int fd;

	rig_check(r, listener < r->program.n_listeners, "there is no listener %u", listener);
	fd = rig_connect(r->program.listeners[listener]);
	rig_check(r, fd >= 0, "cannot connect to %s: %s", r->program.listeners[listener], strerror(errno));
	return add_peer(r, fd, "client", ++r->n_clients);
}

struct peer *rig_client(struct rig *r)
{
	return rig_client_to(r, 0);
}

struct peer *rig_admin(struct rig *r)
{
	int fd;

	rig_check(r, program_wait_admin(&r->program), "the program has no admin listener");
	fd = rig_connect(r->program.admin);
	rig_check(r, fd >= 0, "cannot connect to %s: %s", r->program.admin, strerror(errno));
	return add_peer(r, fd, "admin", ++r->n_clients);
}

static struct peer *try_accept(struct rig *r, unsigned upstream)
{
	int fd = accept4(r->upstream_fds[upstream], NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? NULL : add_peer(r, fd, "upstream", ++r->n_accepted);
}

struct peer *rig_accept_on(struct rig *r, unsigned upstream)
{
	struct pollfd poller = { .fd = r->upstream_fds[upstream], .events = POLLIN };
	struct peer *p;

	poll(&poller, 1, PATIENCE_MS);
	p = try_accept(r, upstream);
	rig_check(r, p, "upstream %u got no connection in %d ms", upstream, PATIENCE_MS);
	return p;
}

struct peer *rig_accept(struct rig *r)
{
	return rig_accept_on(r, 0);
}

struct peer *rig_try_accept(struct rig *r)
{
	return try_accept(r, 0);
}

static bool is_upstream(const struct peer *p)
{
	return p->name[0] == 'u';
}

/* Accepts and reads what there is at the upstreams, waiting at most this long for something. The first with bytes, or NULL. */
static struct peer *look_upstream(struct rig *r, int timeout_ms)
{
	struct pollfd pollers[RIG_PEERS_MAX + RIG_UPSTREAMS];
	unsigned n = 0;

	for (unsigned i = 0; i < RIG_UPSTREAMS; i++)
		pollers[n++] = (struct pollfd){ .fd = r->upstream_fds[i], .events = POLLIN };
	for (unsigned i = 0; i < r->n_peers; i++) {
		struct peer *p = r->peers[i];

		if (is_upstream(p) && peer_rest_n(p))
			return p;
		if (is_upstream(p) && p->fd >= 0 && !p->ended && !p->was_reset)
			pollers[n++] = (struct pollfd){ .fd = p->fd, .events = POLLIN };
	}
	if (poll(pollers, n, timeout_ms) <= 0)
		return NULL;
	for (unsigned i = 0; i < RIG_UPSTREAMS; i++) {
		while (r->upstream_fds[i] >= 0 && try_accept(r, i))
			continue;
	}
	for (unsigned i = 0; i < r->n_peers; i++) {
		struct peer *p = r->peers[i];

		if (is_upstream(p) && p->fd >= 0 && !p->ended && !p->was_reset)
			peer_read(p, 0);
		if (is_upstream(p) && peer_rest_n(p))
			return p;
	}
	return NULL;
}

struct peer *rig_request_head(struct rig *r, struct message *m)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	struct peer *p;

	while (!(p = look_upstream(r, 100)))
		rig_check(r, now_ms() < until_ms, "the upstream got no request in %d ms", PATIENCE_MS);
	message_read_request_head(m, p);
	return p;
}

bool rig_try_request(struct rig *r, struct message *m)
{
	struct peer *p = look_upstream(r, 0);

	if (p)
		message_read_request(m, p);
	return p;
}

struct peer *rig_request(struct rig *r, struct message *m)
{
	struct peer *p = rig_request_head(r, m);

	message_read_body(m);
	return p;
}

struct peer *rig_reach(struct rig *r, struct peer *client, const char *sent)
{
	struct message request;
	struct peer *upstream;

	peer_send(client, sent);
	upstream = rig_request(r, &request);
	message_free(&request);
	return upstream;
}

void rig_expect_upstream_silence(struct rig *r, int ms)
{
	long long until_ms = now_ms() + ms;
	unsigned n_accepted = r->n_accepted;

	do {
		struct peer *p = look_upstream(r, ms < 10 ? ms : 10);

		rig_check(r, !p, "%s got bytes where there should be none", p->name);
		rig_check(r, r->n_accepted == n_accepted, "the upstream got a connection");
	} while (now_ms() < until_ms);
}

void rig_close_upstream(struct rig *r, unsigned upstream)
{
	if (r->upstream_fds[upstream] >= 0)
		close(r->upstream_fds[upstream]);
	r->upstream_fds[upstream] = -1;
}

struct peer *rig_exchange(struct rig *r, struct peer *client, const char *sent, const char *answered, struct message *request,
	struct message *answer)
{
	struct peer *upstream;

	peer_send(client, sent);
	upstream = rig_request(r, request);
	peer_send(upstream, answered);
	message_read_answer(answer, client, request->method);
	return upstream;
}

const char *rig_log_line(struct rig *r, unsigned line)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	for (;;) {
		const char *at;
		char *end = NULL;

		bytes_free(&r->log);
		bytes_read_file(&r->log, program_path(&r->program, "access.log"));
		at = bytes_text(&r->log);
		for (unsigned i = 0; at && *at; i++) {
			end = strchr(at, '\n');
			if (i == line || !end)
				break;
			at = end + 1;
		}
		if (at && *at && end) {
			*end = 0;
			return at;
		}
		rig_check(r, now_ms() < until_ms, "the access log has no line %u:\n%s", line, bytes_text(&r->log));
		sleep_ms(5);
	}
}

const char *rig_log_value(const char *line, const char *key)
{
	static char values[4][512];
	static unsigned next;
	char *value = values[next++ % 4];
	char quoted[64];
	const char *at;
	size_t n;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	if (!at)
		return NULL;
	at += strlen(quoted);
	n = *at == '"' ? strcspn(++at, "\"") : strcspn(at, ",}");
	snprintf(value, sizeof(values[0]), "%.*s", (int)n, at);
	return value;
}

void rig_expect_usable(struct rig *r, struct peer *client)
{
	struct message request, answer;

	rig_exchange(r, client, GET("/usable"), OK_HI, &request, &answer);
	expect_line(&request, "GET /usable HTTP/1.1");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
}
