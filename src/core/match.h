/*
 * match: the compiled conditions of one rule or route. All that are given hold together; within a list one suffices.
 * Built by the config loader, immutable afterwards. Cheap tests come first.
 *
 * Owned, here and in rule.h: a heap block of its own per array and per span (span_dup), freed by the deinit function;
 * an empty span may be NULL. A match that is half built can be given to match_deinit as long as its counts are right.
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

/* All arrays, and all that is in them, are owned. A zeroed match has no condition and matches all. */
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
	struct match **any; /* at least one holds; the array and each match are owned */
	unsigned n_any;
	struct match *not_; /* does not hold; owned */
};

/* Frees what m owns, not m itself; m is zeroed. */
void match_deinit(struct match *m);
/* first and last are within 100..599. */
void match_status_add(struct match *m, unsigned first, unsigned last);
bool match_status_has(const struct match *m, unsigned status);
/* "10.0.0.0/8", "::1", "fd00::/8". 1 where it is none of these or has bits beyond its length set. */
int match_net_parse(struct match_net *net, struct span text) MUST_USE;

bool match_holds(const struct match *m, const struct facts *f, struct pattern_scratch *scratch);

/* True where everything that b matches is surely matched by a as well (for the unreachable-rule warning); may miss some. */
bool match_covers(const struct match *a, const struct match *b);

/* Longest decoded query value that rules see; the rest is cut off. A value without escapes is seen whole. */
#define MATCH_QUERY_VALUE_BYTES_MAX 8192
/*
 * A query parameter's first value as rules see it, decoded (%XX, '+'; a broken escape stands for itself): a span over
 * query itself where there is nothing to decode, else over `decoded`. False where absent.
 */
bool match_query_value(struct span query, struct span name, char *decoded, size_t decoded_n, struct span *value);

#endif
