/*
 * admin_client: the other end of the admin listener: asks, waits, and has the answer. Blocks; for brownout ctl. It trusts its
 * server no more than anybody: what an answer may hold is bounded, and so is each wait.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_CLIENT_H
#define BROWNOUT_ADMIN_ADMIN_CLIENT_H

#include "config/plan.h"

#define ADMIN_CLIENT_ERROR_BYTES 256

struct admin_client {
	const char *address; /* "127.0.0.1:9901", "unix:/path"; lives like the caller's */
	const char *token; /* NULL: none is sent */
	int fd; /* -1: not connected; one connection per request */
	char error[ADMIN_CLIENT_ERROR_BYTES]; /* one line, set where something has failed */
};

/* Nothing is connected yet. */
void admin_client_init(struct admin_client *c, const char *address, const char *token);

struct admin_reply {
	unsigned status;
	struct text body; /* the caller's to deinit */
};

/*
 * One request. type: of the body; NULL: there is none. 0: there is an answer, whatever its status. Else negative, with a line in
 * c->error: -ECONNREFUSED where nobody listens, -EINVAL where the address is none.
 */
int admin_client_ask(struct admin_client *c, const char *method, struct span target, const char *type, struct span body,
	struct admin_reply *reply) MUST_USE;

/*
 * Asks for a stream of events; on_event is called for each, and ends it by returning false. 0: it was ended so, or the server has
 * ended it. 1: the answer is no stream, reply has it. Else as admin_client_ask.
 */
typedef bool (*admin_event_fn)(void *arg, struct span name, struct span data);
int admin_client_stream(struct admin_client *c, struct span target, admin_event_fn on_event, void *arg, struct admin_reply *reply)
	MUST_USE;

#endif
