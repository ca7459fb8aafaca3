/*
 * serve_admin: the admin listener beside a server: bound before it, answering once it serves, gone before it.
 */
#ifndef BROWNOUT_CLI_SERVE_ADMIN_H
#define BROWNOUT_CLI_SERVE_ADMIN_H

#include "admin/admin.h"
#include "cli/serve.h"

/* Exit codes, after one line on standard error. *admin is NULL where the plan has none; admin_free it before the server. */
int serve_admin_open(struct admin **admin, const struct plan *plan) MUST_USE;
/* After serve_start. Says where it is. */
int serve_admin_start(struct admin *admin, struct server *server, const struct serve_options *options) MUST_USE;

#endif
