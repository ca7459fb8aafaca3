/*
 * match: the compiled conditions of one rule or route. All that are given hold together; within a list one suffices.
 * Built by the config loader, immutable afterwards. Cheap tests come first.
 */
#ifndef BROWNOUT_CORE_MATCH_H
#define BROWNOUT_CORE_MATCH_H

#include "core/facts.h"
#include "core/pattern.h"

struct match_pair { /* a query parameter or a header field */
	struct span name; /* owned; header names in lower case */
	struct pattern value; /* PATTERN_ABSENT: no such name */
};

struct match_net {
	uint8_t address[16];
	uint8_t bits; /* of the IPv6 form: an IPv4 /8 is 104 */
};

#define MATCH_STATUS_WORDS 8 /* bits for 100..599 */

/* All arrays are owned. A zeroed match has no condition and matches all. */
struct match {
	struct span *methods; /* upper case not forced: methods are case-sensitive */
	unsigned n_methods;
	struct pattern *hosts;
	unsigned n_hosts;
	struct pattern *paths;
	unsigned n_paths;
	struct match_pair *query;
	unsigned n_query;
	struct match_pair *headers;
	unsigned n_headers;
	struct match_net *clients;
	unsigned n_clients;
	uint16_t *listeners;
	unsigned n_listeners;
	uint16_t *upstreams;
	unsigned n_upstreams;
	bool has_status; /* only with phase response */
	uint64_t status[MATCH_STATUS_WORDS];
	struct match **any; /* at least one holds */
	unsigned n_any;
	struct match *not_; /* does not hold */
};

void match_deinit(struct match *m);
void match_status_add(struct match *m, unsigned first, unsigned last);
bool match_status_has(const struct match *m, unsigned status);
/* "10.0.0.0/8", "::1", "fd00::/8". 1 where it is none of these or has bits beyond its length set. */
int match_net_parse(struct match_net *net, struct span text) MUST_USE;

bool match_holds(const struct match *m, const struct facts *f, struct pattern_scratch *scratch);

/* True where everything that b matches is surely matched by a as well (for the unreachable-rule warning); may miss some. */
bool match_covers(const struct match *a, const struct match *b);

/* A query parameter's decoded value as rules see it. Helper for keys and matches; false where absent. */
bool match_query_value(struct span query, struct span name, char *decoded, size_t decoded_n, struct span *value);

#endif
