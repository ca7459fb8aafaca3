/*
 * keys_match: the rows of conditions.
 */
#include "config/key_rows.h"

#include "config/match_keys.h"

/* ---- patterns ---- */

static const struct key path_keys[] = {
	{ .name = "prefix", .type = &value_path_prefix, .size = sizeof(struct pattern),
		.description = "The path is this, or lies below it: /api is not a prefix of /apiary.",
		.example = "path: {prefix: /api}" },
	{ .name = "regex", .type = &value_regex, .size = sizeof(struct pattern),
		.description = "A regular expression (PCRE2) that is found somewhere in the path; anchor it with ^ and $.",
		.example = "path: {regex: \"^/v[12]/\"}" },
};

const struct key_map keys_path = {
	.name = "path", .title = "paths (match.path, exclude)", .phrase = "a mapping with prefix or regex",
	KEYS(path_keys), .one_of = ARRAY_LEN(path_keys),
	.description = "A path in another way than as a pattern with wildcards.",
};

static const struct key pattern_keys[] = {
	{ .name = "regex", .type = &value_regex, .size = sizeof(struct pattern),
		.description = "A regular expression (PCRE2) that is found somewhere in the value; anchor it with ^ and $.",
		.example = "x-tenant: {regex: \"^acme-\"}" },
	{ .name = "present", .type = &value_presence, .size = sizeof(struct pattern),
		.description = "Whether there is such a name at all, with whatever value.",
		.example = "x-debug: {present: false}" },
};

const struct key_map keys_pattern = {
	.name = "pattern", .title = "values (match.query.NAME, match.headers.NAME)", .phrase = "a mapping with regex or present",
	KEYS(pattern_keys), .one_of = ARRAY_LEN(pattern_keys),
	.description = "A value in another way than as a text with wildcards.",
};

/* ---- match ---- */

static const struct key status_class_keys[] = {
	{ .name = "class", .type = &value_status_class, .required = true,
		.description = "All codes of a class: 1xx to 5xx.", .example = "status: {class: 5xx}" },
};

const struct key_map keys_status_class = {
	.name = "status_class", .phrase = "a mapping with class", KEYS(status_class_keys), .one_of = ARRAY_LEN(status_class_keys),
	.description = "A class of status codes, written out.",
};

#define MATCH_KEYS                                                                                                              \
	{ .name = "method", .type = &value_method, .shape = KEY_ONE_OR_LIST, .heap = true, .min_items = 1,                      \
		LIST(match, methods, n_methods),                                                                                \
		.description = "Methods, of which one must be the request's. Case counts.",                                     \
		.example = "method: [POST, PUT]" },                                                                             \
	{ .name = "host", .type = &value_host_glob, .shape = KEY_ONE_OR_LIST, .heap = true, .min_items = 1,                     \
		LIST(match, hosts, n_hosts),                                                                                    \
		.description = "The host that the client asked for, without port. Case does not count; * stands for any text.", \
		.example = "host: \"*.shop.test\"" },                                                                           \
	{ .name = "path", .type = &value_path_glob, .map = &keys_path, .shape = KEY_ONE_OR_LIST, .heap = true, .min_items = 1,   \
		LIST(match, paths, n_paths),                                                                                    \
		.description = "The path without its query. * and ? stay within a segment, ** crosses segments. "               \
			"A list holds where one entry does.",                                                                   \
		.example = "path: /checkout/**" },                                                                              \
	{ .name = "query", .type = &value_glob, .map = &keys_pattern, .shape = KEY_NAMED, .heap = true,                          \
		LIST(match, query, n_query), .name_offset = offsetof(struct match_pair, name),                                  \
		.element_offset = offsetof(struct match_pair, value),                                                           \
		.description = "Query parameters by name; all must hold. The value is a text in which * stands for anything.",  \
		.example = "query: {dry: \"1\"}" },                                                                             \
	{ .name = "headers", .type = &value_glob, .map = &keys_pattern, .shape = KEY_NAMED, .heap = true,                        \
		LIST(match, headers, n_headers), .name_offset = offsetof(struct match_pair, name),                              \
		.decode_name = match_keys_decode_field_name, .element_offset = offsetof(struct match_pair, value),              \
		.description = "Header fields of the request by name; all must hold. The value is a text in which * stands "    \
			"for anything.",                                                                                        \
		.example = "headers: {x-tenant: acme}" },                                                                       \
	{ .name = "client", .type = &value_network, .shape = KEY_ONE_OR_LIST, .heap = true, .min_items = 1,                     \
		LIST(match, clients, n_clients),                                                                                \
		.description = "The address of the client's connection, or a network that it is in.",                           \
		.example = "client: 10.0.0.0/8" }

static const struct key match_keys[] = {
	MATCH_KEYS,
	{ .name = "listener", .type = &value_listener_name, .shape = KEY_ONE_OR_LIST, .heap = true, .min_items = 1,
		LIST(match, listeners, n_listeners),
		.description = "Names of listeners that the request came in by.",
		.example = "listener: public" },
	{ .name = "upstream", .type = &value_upstream_name, .shape = KEY_ONE_OR_LIST, .heap = true, .min_items = 1,
		LIST(match, upstreams, n_upstreams),
		.description = "Names of upstreams that the request goes to.",
		.example = "upstream: api" },
	{ .name = "status", .type = &value_status_set, .map = &keys_status_class, .shape = KEY_ONE_OR_LIST,
		.decode = match_keys_decode_status,
		.description = "The upstream's answer: codes, classes or ranges. Only with phase: response.",
		.example = "status: [5xx, 429]" },
	{ .name = "not", .map = &keys_match, .decode = match_keys_decode_not,
		.description = "A match that must not hold.",
		.example = "not: {headers: {x-vip: \"1\"}}" },
	{ .name = "any", .map = &keys_match, .shape = KEY_LIST, .decode = match_keys_decode_any,
		.description = "Matches of which at least one must hold, besides all that is given beside it.",
		.example = "any: [{path: /a}, {method: PUT}]" },
};

const struct key_map keys_match = {
	.name = "match", .phrase = "a match (a mapping of conditions)", KEYS(match_keys),
	.description = "Conditions on a request. All that are given must hold; in a list, one suffices. No condition matches "
		"everything.",
};

static const struct key route_match_keys[] = { MATCH_KEYS };

const struct key_map keys_route_match = {
	.name = "route_match", .like = &keys_match, .phrase = "a match (a mapping of conditions)", KEYS(route_match_keys),
	.description = "Conditions on a request, as in the match of a rule: method, host, path, query, headers, client.",
};
