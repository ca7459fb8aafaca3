/*
 * 105 tls shortages: as 92, with upstreams that speak TLS: where memory is out or a system call fails in the middle of a
 * handshake or a record, the client gets an answer or an end that it can see, and the next connection is made as ever.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "shortage/tls_front.h"
#include "shortage/trial.h"

TestSuite(tls_shortages, .timeout = 240);

static const char rules[] =
	"admin: 127.0.0.1:0\n"
	"limits: {header_timeout: 500ms, idle_timeout: 500ms, drain: 2s}\n"
	"listeners:\n"
	"  - address: 127.0.0.1:0\n"
	"    routes:\n"
	"      - {match: {path: /new/**}, upstream: new}\n"
	"      - {match: {path: /named/**}, upstream: named}\n"
	"      - {upstream: default}\n"
	"  - {address: 127.0.0.1:0, tls: {%s}, routes: [{upstream: default}]}\n"
	"upstreams:\n"
	"  new: {%s}, keepalive: 0}\n"
	"  named: {%s, name: not.its.name}}\n"
	"  default: {%s}}\n"
	"rules:\n"
	"  - {name: slow, match: {path: /slow}, phase: response, throttle: {download: 256KiB/s}}\n";

static const struct traffic traffic[] = {
	{ "forwarded", ASK("GET", "/length", "", "") },
	{ "two requests", "GET /length HTTP/1.1\r\nHost: a\r\n\r\n" ASK("GET", "/length", "", "") },
	{ "chunked answer", ASK("GET", "/chunked", "", "") },
	{ "answer until close", ASK("GET", "/to-end", "", "") },
	{ "large answer", ASK("GET", "/large", "", "") },
	{ "body", ASK_WITH_BODY("/take") },
	{ "chunked body", ASK_IN_CHUNKS("/take") },
	{ "early answer", ASK_EARLY("/early") },
	{ "new connection to the upstream", ASK("GET", "/new/a", "", "") },
	{ "upstream of another name", ASK("GET", "/named/a", "", "") },
	{ "throttle", ASK("GET", "/slow", "", "") },
	{ "tunnel", ASK_UPGRADE("/ws") },
};

/* ---- who the upstream is ---- */

static char folder[] = "/tmp/brownout-test-XXXXXX";
static struct tls_front front;

static const char *in_folder(const char *name)
{
	static char paths[2][64];
	static unsigned n;
	char *path = paths[n++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void sign(void)
{
	const char *const arguments[] = { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=tests", "-addext",
		"subjectAltName=IP:127.0.0.1", "-keyout", in_folder("key.pem"), "-out", in_folder("certificate.pem"), NULL };
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	cr_assert_eq(posix_spawn_file_actions_init(&actions), 0);
	cr_assert_eq(posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0), 0);
	cr_assert_eq(posix_spawnp(&pid, "openssl", &actions, NULL, (char *const *)(uintptr_t)arguments, environ), 0,
		"there is no openssl");
	posix_spawn_file_actions_destroy(&actions);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "openssl makes no certificate");
}

static void make_certificate(void)
{
	cr_assert(mkdtemp(folder));
	sign();
}

static void remove_certificate(void)
{
	unlink(in_folder("key.pem"));
	unlink(in_folder("certificate.pem"));
	rmdir(folder);
}

/* The rules, with the front's port. */
static const char *rules_for(unsigned port)
{
	static char yaml[4096];
	char shown[256];
	char secure[512];

	snprintf(shown, sizeof(shown), "certificate: '%s/certificate.pem', key: '%s/key.pem'", folder, folder);
	snprintf(secure, sizeof(secure),
		"url: 'https://127.0.0.1:%u', connect_timeout: 500ms, response_timeout: 500ms, idle_timeout: 500ms, "
		"tls: {ca: '%s/certificate.pem', %s",
		port, folder, shown);
	snprintf(yaml, sizeof(yaml), rules, shown, secure, secure, secure);
	return yaml;
}

/* ---- trials ---- */

static void start(struct trial *t)
{
	/* Of OpenSSL's writes to a connection that the program has cut. */
	signal(SIGPIPE, SIG_IGN);
	make_certificate();
	trial_open(t, traffic, sizeof(traffic) / sizeof(traffic[0]));
	t->unmet = 1U << SHORTAGE_getaddrinfo | 1U << SHORTAGE_pipe2 | 1U << SHORTAGE_splice;
	tls_front_start(&front, in_folder("certificate.pem"), in_folder("key.pem"), t->responder.port);
	trial_start(t, rules_for(front.port));
}

static void finish(struct trial *t)
{
	trial_finish(t, NULL);
	tls_front_stop(&front);
	remove_certificate();
}

static void lack_allocations(uint32_t more)
{
	struct trial t;

	start(&t);
	trial_of_allocations(&t, more);
	finish(&t);
}

Test(tls_shortages, of_one_allocation)
{
	lack_allocations(0);
}

Test(tls_shortages, of_all_memory_for_a_while)
{
	lack_allocations(1000000);
}

Test(tls_shortages, of_one_allocation_of_a_reload)
{
	struct trial t;

	start(&t);
	trial_of_reloads(&t, 0);
	finish(&t);
}

static void lack_at_starts(uint32_t more)
{
	make_certificate();
	trial_of_starts(rules_for(1), more);
	remove_certificate();
}

Test(tls_shortages, of_one_allocation_at_the_start)
{
	lack_at_starts(0);
}

Test(tls_shortages, of_all_memory_at_the_start)
{
	lack_at_starts(1000000);
}

Test(tls_shortages, of_one_kind_of_call)
{
	struct trial t;

	start(&t);
	trial_of_each_call(&t);
	finish(&t);
}

Test(tls_shortages, of_all_kinds_of_calls)
{
	struct trial t;

	start(&t);
	trial_of_all_calls(&t);
	finish(&t);
}
