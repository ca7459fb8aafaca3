/*
 * admin: the listener by which a running brownout is watched and steered: dashboard, metrics, HTTP API. One thread with a
 * loop of its own, so that nothing that is asked here waits for a request of the data path or makes one wait.
 *
 * All functions are for the thread that started the server.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_H
#define BROWNOUT_ADMIN_ADMIN_H

#include "base/text.h"
#include "config/plan.h"
#include "proxy/server.h"

struct admin;
struct live_file;

/*
 * Binds the address of plan->admin, before anything else runs; nobody is answered yet. *admin is NULL where the plan has no
 * such listener. 0, or a negative errno with one clear line in error.
 */
int admin_open(struct admin **admin, const struct plan *plan, char *error, size_t error_n) MUST_USE;
/* Answers from now on. The server and the rule file that it serves must outlive the admin. -errno. */
int admin_start(struct admin *admin, struct server *server, struct live_file *file) MUST_USE;
/*
 * Before admin_start: who writes the verdict so far, as JSON (called in the admin's thread; a negative errno: it cannot). Never
 * set, there is none. admin may be NULL.
 */
typedef int (*admin_verdict_fn)(void *arg, struct text *out);
void admin_set_verdict(struct admin *admin, admin_verdict_fn write, void *arg);
/* "127.0.0.1:9901", "unix:/path": with the real port. */
void admin_address(const struct admin *admin, struct text *out);
bool admin_is_unix(const struct admin *admin);
/* Closes all connections, ends the thread, frees. NULL is fine; so is one that was never started. */
void admin_free(struct admin *admin);

#endif
