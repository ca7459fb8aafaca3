/*
 * rig: the program under test with listening upstreams behind it and clients before it, all in the hands of one test.
 * Use: rig_start; then script both sides with peers and messages; rig_end, which checks that the program ends well.
 */
#ifndef HARNESS_RIG_H
#define HARNESS_RIG_H

#include <stdint.h>

#include "harness/message.h"
#include "harness/peer.h"
#include "harness/program.h"

#define RIG_UPSTREAMS 3
#define RIG_PEERS_MAX 600

struct rig {
	struct program program;
	int upstream_fds[RIG_UPSTREAMS]; /* listening; the last one on the unix socket @dir@/upstream.sock */
	uint16_t upstream_ports[RIG_UPSTREAMS];
	struct peer *peers[RIG_PEERS_MAX]; /* owned */
	unsigned n_peers;
	unsigned n_clients;
	unsigned n_accepted;
	const char *context; /* shown where the test fails: the row of a table; may be NULL */
	char also[128]; /* what @upstream3@ stands for; set by the test */
	struct bytes log; /* access log as read by rig_log_line */
};

/*
 * Starts the program, rig_start_with with this rule file. In it @upstream@ and @upstream2@ stand for 127.0.0.1:PORT of the
 * scripted upstreams, @port@ for the first one's port alone, @dir@ for the temporary folder. What the text does not say is
 * added: listen (a free port), upstream (the first), workers (1), seed, log (JSON, to a file). rig_start_n waits for n listeners.
 */
void rig_start(struct rig *r);
void rig_start_with(struct rig *r, const char *yaml, ...) __attribute__((format(printf, 2, 3)));
void rig_start_n(struct rig *r, unsigned n_listeners, const char *yaml, ...) __attribute__((format(printf, 3, 4)));
/* Puts another rule file, completed in the same way, in the place of the one that is served, in one step. */
void rig_replace_rules(struct rig *r, const char *yaml, ...) __attribute__((format(printf, 2, 3)));
/* The same, SIGHUP, and waits for what the program says: true where it is served now. */
bool rig_reload_with(struct rig *r, const char *yaml, ...) __attribute__((format(printf, 2, 3)));
/* Waits until the program has said so often, since it began, that it serves another rule file, or that it does not. */
bool rig_wait_reloads(struct rig *r, unsigned n_served, unsigned n_refused);
/* Waits until its standard error has this text. */
void rig_wait_said(struct rig *r, const char *text);
/*
 * One worker of the program stands still until program_release_thread: what is returned is its thread. Where the machine does
 * not allow that the rig is ended and the test passed over.
 */
pid_t rig_hold_worker(struct rig *r, const char *name);
/* Closes the peers, SIGTERM, expects exit code 0 in time, no sanitizer report, and frees all. */
void rig_end(struct rig *r);
/* The same for a program that was told to end already or ends by itself, with this code. */
void rig_expect_exit(struct rig *r, int code);

/* A blocking connection to "127.0.0.1:80" or "unix:/path"; -1 where it is refused. The caller's to close. */
int rig_connect(const char *address);
/* Connects to the first listener, or the given one. The result belongs to the rig. */
struct peer *rig_client(struct rig *r);
struct peer *rig_client_to(struct rig *r, unsigned listener);
/* Connects to the admin listener. */
struct peer *rig_admin(struct rig *r);
/* A connection of the program to an upstream. */
struct peer *rig_accept(struct rig *r);
struct peer *rig_accept_on(struct rig *r, unsigned upstream);
/* One that waits to be accepted by the first upstream; NULL: none does. */
struct peer *rig_try_accept(struct rig *r);
/* The next request on whichever upstream connection, new or kept; the peer it came on. Head only, or all of it. */
struct peer *rig_request_head(struct rig *r, struct message *m);
struct peer *rig_request(struct rig *r, struct message *m);
/* The client sends this request, which comes through; the peer that it came on. */
struct peer *rig_reach(struct rig *r, struct peer *client, const char *sent);
/* False where no request is there now. */
bool rig_try_request(struct rig *r, struct message *m);
/* No upstream gets a connection, and no open one gets a byte, for so long. */
void rig_expect_upstream_silence(struct rig *r, int ms);
/* No more connections to this upstream are accepted by the kernel: they are refused. */
void rig_close_upstream(struct rig *r, unsigned upstream);

/*
 * The client sends, an upstream gets it as `request` and answers, the client reads `answer`: the usual course. Both
 * messages are the caller's to free. Returns the upstream peer.
 */
struct peer *rig_exchange(struct rig *r, struct peer *client, const char *sent, const char *answered, struct message *request,
	struct message *answer);

/* An ordinary exchange on the client's connection goes through: it stands where it should. */
void rig_expect_usable(struct rig *r, struct peer *client);

/* Line number `line` (from 0) of the access log, waiting for it; valid until the next call. */
const char *rig_log_line(struct rig *r, unsigned line);
/*
 * The raw value of a key of a JSON line: number, true, or a text without its quotes; valid until the fourth call after.
 * NULL: no such key.
 */
const char *rig_log_value(const char *line, const char *key);

/* Shows the bytes of all peers and what the program said, and ends the test. */
void rig_fail_at(struct rig *r, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5), noreturn));
#define rig_fail(r, ...) rig_fail_at((r), __FILE__, __LINE__, __VA_ARGS__)
#define rig_check(r, condition, ...)                                                                                            \
	do {                                                                                                                    \
		if (!(condition))                                                                                               \
			rig_fail_at((r), __FILE__, __LINE__, __VA_ARGS__);                                                      \
	} while (0)

/* Expectations about a message; each names both what came and what should have. */
void expect_status_at(const struct message *m, unsigned status, const char *file, int line);
void expect_field_at(const struct message *m, const char *name, const char *list, const char *file, int line);
void expect_body_at(const struct message *m, const char *body, const char *file, int line);
void expect_line_at(const struct message *m, const char *text, const char *file, int line);
void expect_error_at(const struct message *m, const char *error, const char *file, int line);
void expect_log_at(struct rig *r, unsigned number, const char *key, const char *value, const char *file, int line);
void expect_failure_at(struct peer *client, const char *method, unsigned status, const char *error, const char *file, int line);
void expect_get_at(struct peer *client, const char *path, unsigned status, const char *file, int line);
#define expect_status(m, status) expect_status_at((m), (status), __FILE__, __LINE__)
/* A whole exchange of which the status alone matters. */
#define expect_get(client, path, status) expect_get_at((client), (path), (status), __FILE__, __LINE__)
/* All lines of the name joined by ", "; NULL: there is none. */
#define expect_field(m, name, list) expect_field_at((m), (name), (list), __FILE__, __LINE__)
#define expect_body(m, body) expect_body_at((m), (body), __FILE__, __LINE__)
#define expect_line(m, text) expect_line_at((m), (text), __FILE__, __LINE__)
/* The next answer is the program's own, and tells of this failure. */
#define expect_failure(client, method, status, error)                                                                           \
	expect_failure_at((client), (method), (status), (error), __FILE__, __LINE__)
/* The error that Proxy-Status tells of. */
#define expect_error(m, error) expect_error_at((m), (error), __FILE__, __LINE__)
/* The value of a key in that line of the access log; NULL: there is none. */
#define expect_log(r, number, key, value) expect_log_at((r), (number), (key), (value), __FILE__, __LINE__)

/* What most tests say: a small request, a small answer. */
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static inline void free_both(struct message *request, struct message *answer)
{
	message_free(request);
	message_free(answer);
}

#endif
