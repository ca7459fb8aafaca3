/*
 * endpoint: where to listen and where to forward to, as texts: addresses and URLs.
 */
#ifndef BROWNOUT_CONFIG_ENDPOINT_H
#define BROWNOUT_CONFIG_ENDPOINT_H

#include "config/arena.h"
#include "config/plan.h"

/* Of sun_path, without its NUL. */
#define ENDPOINT_UNIX_BYTES_MAX 107
#define ENDPOINT_PROBLEM_BYTES 160

/*
 * Each returns 0; 1 where the text is wrong, with the reason in problem (of ENDPOINT_PROBLEM_BYTES), to be read behind
 * the quoted text: "has no port (write 127.0.0.1:8080)"; -ENOMEM. The texts of the result live in the arena.
 */

/* host:port, [v6]:port, :port (all IPv4 addresses), unix:/path, unix:@abstract. Port 0: a free one. */
int endpoint_parse_listen(struct endpoint *e, struct arena *arena, struct span s, char *problem) MUST_USE;

/*
 * http://host[:port][/prefix], https:// likewise, unix:/path, origin (the embedded upstream; "origin:" as well). Fills the
 * upstream's address, authority, path_prefix and is_tls only.
 */
int endpoint_parse_url(struct plan_upstream *u, struct arena *arena, struct span s, char *problem) MUST_USE;

/* True where only this machine can connect: a unix socket, 127.*, ::1, localhost. Other names are not looked up. */
bool endpoint_is_local(const struct endpoint *e) PURE;

#endif
