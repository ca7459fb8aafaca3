/*
 * admin_router: from a request to its handler and to the answer. A request is judged twice: by its head alone, so that who may
 * not ask sends no body, and then, with its body, by the handler.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_ROUTER_H
#define BROWNOUT_ADMIN_ADMIN_ROUTER_H

#include "admin/admin_answer.h"
#include "admin/admin_auth.h"

#define ADMIN_BODY_BYTES_MAX ((size_t)1024 * 1024)
#define ADMIN_NAME_BYTES_MAX 256
#define ADMIN_QUERY_BYTES_MAX 1024

struct admin;
struct admin_route;

enum admin_body { ADMIN_BODY_NOTHING, ADMIN_BODY_JSON, ADMIN_BODY_RULES };

/* What a handler is asked. The texts of its head are copies. */
struct admin_request {
	struct admin *admin;
	const struct admin_route *route; /* NULL: the head was refused already */
	struct span name; /* that stands for {name}, decoded */
	struct span query; /* raw */
	struct span body;
	bool is_json; /* the body is JSON, else YAML; empty bodies are neither */
	bool is_head;
	bool openmetrics; /* Accept (its first line) prefers that to other texts of metrics */
	unsigned minor;
	char name_block[ADMIN_NAME_BYTES_MAX];
	char query_block[ADMIN_QUERY_BYTES_MAX];
};

/*
 * Looks at a parsed head, and copies what the handler needs of it. 0: go on, with the body. Else a is the answer that refuses
 * it (r->route is NULL then).
 */
unsigned admin_router_begin(struct admin_request *r, struct admin *admin, const struct admin_auth *auth,
	const struct http_request *head, struct admin_answer *a) MUST_USE;
/* r->body is set: calls the handler. */
void admin_router_answer(const struct admin_request *r, struct admin_answer *a);

/* A whole number from min to max, `otherwise` where there is none. False after a was made the refusal. */
bool admin_router_number(const struct admin_request *r, const char *name, uint64_t min, uint64_t max, uint64_t otherwise,
	uint64_t *value, struct admin_answer *a) MUST_USE;

/* ---- the handlers of admin_routes.def ---- */

#define ROUTE(method, path, handler, flags, accepts, summary) void handler(const struct admin_request *r, struct admin_answer *a);
#include "admin/admin_routes.def"
#undef ROUTE

#endif
