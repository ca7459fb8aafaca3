/*
 * plan: what a rule file says, decoded and checked. Immutable once loaded, reference counted: an exchange keeps the
 * plan it started with. This header is the side of config that the proxy may see; it knows nothing of YAML.
 */
#ifndef BROWNOUT_CONFIG_PLAN_H
#define BROWNOUT_CONFIG_PLAN_H

#include <stdatomic.h>

#include "base/text.h"
#include "core/observe.h"
#include "core/rule.h"
#include "rehearsal/expect.h"

enum endpoint_kind { ENDPOINT_TCP, ENDPOINT_UNIX, ENDPOINT_ORIGIN /* the embedded upstream */ };

struct endpoint {
	enum endpoint_kind kind;
	struct span host; /* TCP: name or number without brackets; UNIX: path. Owned by the plan */
	uint16_t port; /* 0: a free one (listeners only) */
};

struct plan_route {
	struct match match; /* host, path, method, headers, query, client; empty: all */
	uint16_t upstream;
};

#define PLAN_LISTENERS_MAX 256
#define PLAN_WORKERS_MAX 256

/* How clients of a listener are spoken to. The texts are PEM (RFC 7468), as read with the file. */
struct plan_listener_tls {
	struct span certificate; /* with its chain; empty: they are spoken to plainly */
	struct span key; /* empty: in the same text */
	struct span client_ca; /* who may vouch for clients; empty: they show no certificate */
};

struct plan_listener {
	struct span name;
	struct endpoint address;
	struct plan_listener_tls tls;
	struct plan_route *routes; /* first match wins; at least one (that matches all, where the file has none) */
	unsigned n_routes;
};

static inline bool plan_listener_is_tls(const struct plan_listener *l)
{
	return l->tls.certificate.n;
}

/* The Host that an upstream sees: that of its URL, or the client's; AUTO: that of the URL where this is https. */
enum plan_host { PLAN_HOST_AUTO, PLAN_HOST_PRESERVE, PLAN_HOST_REWRITE };

/* How an upstream of an https URL is spoken to. The texts are PEM (RFC 7468), as read with the file. */
struct plan_tls {
	struct span ca; /* who may vouch for it; empty: the system's */
	struct span certificate; /* what it is shown where it asks for one, with its chain; empty: nothing */
	struct span key; /* of the certificate; empty: in the same text */
	struct span name; /* what its certificate must say; empty: the host of the URL */
	bool verify; /* it must be who it is called */
};

struct plan_upstream {
	struct span name;
	struct endpoint address;
	struct span authority; /* host[:port] as the URL gives it, for Host where rewriting and for logs */
	struct span path_prefix; /* path of the URL without trailing slash; empty: none. Put before every target */
	bool is_tls;
	struct plan_tls tls;
	uint8_t host; /* enum plan_host */
	int64_t connect_timeout_ns;
	int64_t response_timeout_ns;
	int64_t idle_timeout_ns;
	uint32_t max_connections; /* over all workers; 0: no limit */
	uint32_t keepalive; /* idle connections kept per worker */
	int64_t keepalive_timeout_ns; /* an idle connection older than this is not used again */
};

/* Who shows a certificate for its own name wants to be called by it. */
static inline bool plan_upstream_rewrites_host(const struct plan_upstream *u)
{
	return u->host == PLAN_HOST_REWRITE || (u->host == PLAN_HOST_AUTO && u->is_tls);
}

enum plan_log_format { PLAN_LOG_TEXT, PLAN_LOG_JSON };

struct plan_limits {
	uint32_t max_header_bytes; /* of one head, both ways */
	uint32_t max_headers;
	int64_t header_timeout_ns; /* first byte of a head to its end */
	int64_t body_timeout_ns; /* of a body that is forwarded, first waited for to its last byte; 0: none */
	int64_t idle_timeout_ns; /* kept-alive client connection; and between body bytes from the client */
	uint32_t max_connections; /* clients, over all workers; 0: no limit */
	bool half_close; /* the end of a client's stream is not taken for its leaving */
	int64_t drain_ns; /* how long a stop waits for open exchanges */
};

/* Ceilings for all rules together; the same fields of struct rule_states are set from them. */
struct plan_safety {
	uint64_t max_faults; /* 0: no limit */
	uint32_t max_active; /* 0: no limit */
	int64_t stop_after_ns; /* 0: none */
};

/* What a request may ask for itself (x-brownout-NAME). */
enum plan_ask { PLAN_ASK_ABORT, PLAN_ASK_DELAY, PLAN_ASK_RULE };

struct plan_control {
	bool enabled;
	uint8_t *allow; /* enum plan_ask */
	unsigned n_allow;
	int64_t max_delay_ns;
	struct span token; /* that x-brownout-token must bring; empty: none is asked for */
};

/* Where a running brownout is watched and steered. */
struct plan_admin {
	bool enabled;
	struct endpoint address;
	struct span token; /* that each request must bring; empty: none is asked for, and the address is a loopback one */
};

/* Of the environment, that the file uses. */
struct plan_variable {
	struct span name;
	struct span value; /* empty where it is hidden */
	bool is_set;
	bool hidden; /* it may be a secret */
};

struct plan_variables {
	struct plan_variable *v; /* in the order of the file */
	unsigned n;
	bool more; /* than are kept */
};

struct plan {
	_Atomic unsigned references;
	uint64_t seed; /* the same as rules.seed; 0 where none was given */
	bool seed_given;
	uint32_t workers; /* 0: auto, as many as processors_usable() */
	struct plan_listener *listeners;
	unsigned n_listeners;
	struct plan_upstream *upstreams;
	unsigned n_upstreams;
	struct plan_limits limits;
	struct plan_safety safety;
	struct plan_control control;
	struct plan_admin admin;
	struct span log_access; /* "stderr", "stdout", "off" or a path */
	enum plan_log_format log_format;
	struct span log_trace; /* "stderr", "stdout" or a path; empty: no trace */
	bool log_headers; /* what is told of their values is told as it is */
	bool log_query; /* targets are recorded with their query, which may hold what no log should */
	struct span user; /* "user" or "user:group" to be once the sockets are open; empty: as started */
	bool sandbox; /* only the system calls of serving are allowed */
	bool watch; /* the file is read again when it has changed */
	bool fault_header;
	bool proxy_status;
	struct span via; /* pseudonym in Via; "brownout" */
	struct ruleset rules;
	struct expect expect; /* without limits where the file has none */
	bool has_expect; /* the file says what it expects ... */
	unsigned expect_line; /* ... here */
	uint64_t expect_hash; /* of what it says: tells whether two plans expect the same; 0: nothing */
	struct observe observe;
	struct plan_variables variables;
	char *file; /* name it was loaded from, for messages */
	void *memory; /* everything the spans point to; freed with the plan */
};

/* "http://10.0.0.7:9000/v1", "unix:/run/app.sock", "origin": as the file would have it. */
void plan_upstream_write_url(const struct plan_upstream *u, struct text *out);

/* plan_ref is safe from any thread that holds a reference. */
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan);

#endif
