/*
 * admin_auth: who may ask. Against other machines: a token, wherever one is set, compared in constant time. Against web pages
 * that the user's browser has open: a request must be for a host name that is ours (DNS rebinding brings another one), must
 * not come from another origin, and what it changes must be said in JSON or YAML, which no form can send.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_AUTH_H
#define BROWNOUT_ADMIN_ADMIN_AUTH_H

#include "config/plan.h"
#include "http/message.h"

/* What a route asks for less than the usual. */
enum {
	ADMIN_OPEN = 1, /* needs no token: it says nothing of this run */
	ADMIN_PAGE = 2, /* may be followed from a link of another site: the page has no content of its own */
};

struct admin_auth {
	bool is_unix; /* no browser gets there */
	struct span token; /* empty: none is asked for. Lives like the admin */
};

/* 0, or the status (401, 403) to refuse with, and why. */
unsigned admin_auth_check(const struct admin_auth *auth, const struct http_request *r, unsigned flags, const char **why) MUST_USE;

#endif
