/*
 * keys: to add a key, add a row; a new kind of value needs a struct value_type, a new mapping a struct key_map and
 * a line in keys_all. Rows are decoded in this order: what refers to upstreams and listeners stands below them.
 * Descriptions are plain sentences; the reference wraps them. Rules are in keys_rule,
 * conditions in keys_match, faults in keys_fault, expectations in keys_expect.
 */
#include "config/key_rows.h"

#include "config/content_keys.h"
#include "config/match_keys.h"
#include "config/rule_keys.h"
#include "config/topology_keys.h"

/* ---- upstreams and listeners ---- */

static const struct choice host_choices[] = { { "preserve", PLAN_HOST_PRESERVE }, { "rewrite", PLAN_HOST_REWRITE }, { 0 } };

#define TIMEOUT .min = (uint64_t)NS_PER_MS, .max = DAY_NS

static const struct key upstream_tls_keys[] = {
	{ .name = "verify", .type = &value_bool, FIELD(plan_tls, verify), .default_text = "true",
		.description = "Whether its certificate must be in order: for its name, in its time, from somebody who may vouch "
			"for it. Else 502 with tls_certificate_error.",
		.example = "verify: false" },
	{ .name = "ca", .type = &value_file, FIELD(plan_tls, ca), .decode = topology_keys_decode_pem,
		.default_note = "the system's",
		.description = "A PEM file with the certificates of those who may vouch for it.",
		.example = "ca: ca.pem" },
	{ .name = "name", .type = &value_text, FIELD(plan_tls, name), .default_note = "the host of the url",
		.description = "What its certificate must say, and what it is asked for (SNI).", .example = "name: api.test" },
	{ .name = "certificate", .type = &value_file, FIELD(plan_tls, certificate), .decode = topology_keys_decode_pem,
		.default_note = "none",
		.description = "A PEM file with a certificate to show where the upstream asks for one, and its chain.",
		.example = "certificate: client.pem" },
	{ .name = "key", .type = &value_file, FIELD(plan_tls, key), .decode = topology_keys_decode_pem,
		.default_note = "that in the file of the certificate",
		.description = "A PEM file with the key of the certificate.",
		.example = "key: client.key" },
};

static const struct key_map upstream_tls_map = {
	.name = "upstream.tls", .phrase = "a mapping", KEYS(upstream_tls_keys), .finish = topology_keys_finish_tls,
	.description = "How an upstream of an https url is trusted, from TLS 1.2 on. Files are found from the folder of the rule "
		"file, have at most 1MiB, and are read with it.",
};

static const struct key upstream_keys[] = {
	{ .name = "url", .type = &value_url, .required = true, .size = sizeof(struct plan_upstream),
		.description = "http://HOST[:PORT][/PREFIX], https:// likewise, unix:/PATH, or origin for the embedded "
			"upstream (it answers with an echo of the request, /status/N, /delay/T, /bytes/N, /drip, /headers).",
		.example = "url: http://10.0.0.7:9000" },
	{ .name = "connect_timeout", .type = &value_duration, FIELD(plan_upstream, connect_timeout_ns), TIMEOUT,
		.default_text = "5s",
		.description = "To connect, to whichever of the addresses of its name; each has an equal share. Then 504.",
		.example = "connect_timeout: 500ms" },
	{ .name = "response_timeout", .type = &value_duration, FIELD(plan_upstream, response_timeout_ns), TIMEOUT,
		.default_text = "60s",
		.description = "From the request sent to the head of the answer. Then 504.", .example = "response_timeout: 10s" },
	{ .name = "idle_timeout", .type = &value_duration, FIELD(plan_upstream, idle_timeout_ns), TIMEOUT,
		.default_text = "60s",
		.description = "Between two parts of a body.", .example = "idle_timeout: 10s" },
	{ .name = "max_connections", .type = &value_count, FIELD(plan_upstream, max_connections),
		.max = 1000000, .default_text = "1024",
		.description = "Connections to it at a time, over all workers; beyond that 503. 0: no limit.",
		.example = "max_connections: 100" },
	{ .name = "keepalive", .type = &value_count, FIELD(plan_upstream, keepalive), .max = 100000,
		.default_text = "128",
		.description = "Idle connections that each worker keeps for later requests. 0: none.",
		.example = "keepalive: 16" },
	{ .name = "keepalive_timeout", .type = &value_duration, FIELD(plan_upstream, keepalive_timeout_ns), TIMEOUT,
		.default_text = "30s",
		.description = "An idle connection older than this is closed. Keep it below the upstream's own.",
		.example = "keepalive_timeout: 4s" },
	{ .name = "host", .type = &value_choice, .choices = host_choices, FIELD(plan_upstream, host),
		.default_note = "preserve; of an https url rewrite",
		.description = "The Host that the upstream sees. preserve: the client's. rewrite: that of the url.",
		.example = "host: rewrite" },
	{ .name = "tls", .map = &upstream_tls_map, FIELD(plan_upstream, tls),
		.description = "How an https url is trusted.", .example = "tls: {ca: ca.pem}" },
};

static const struct key_map upstream_map = {
	.name = "upstream", .title = "upstream, upstreams.NAME", .phrase = "a mapping", KEYS(upstream_keys), .short_key = "url",
	.finish = topology_keys_finish_upstream,
	.description = "A server that requests are forwarded to.",
};

static const struct key route_keys[] = {
	{ .name = "match", .map = &keys_route_match, FIELD(plan_route, match),
		.default_note = "every request",
		.description = "Which requests go this way.", .example = "match: {path: /v1/**}" },
	{ .name = "upstream", .type = &value_upstream_name, .required = true, FIELD(plan_route, upstream),
		.description = "The name of the upstream that they go to.", .example = "upstream: api" },
};

static const struct key_map route_map = {
	.name = "route", .phrase = "a route (a mapping)", KEYS(route_keys),
	.description = "Where some of the requests go.",
};

static const struct key listener_tls_keys[] = {
	{ .name = "certificate", .type = &value_file, .required = true, FIELD(plan_listener_tls, certificate),
		.decode = topology_keys_decode_pem,
		.description = "A PEM file with the certificate that clients are shown, and its chain.",
		.example = "certificate: server.pem" },
	{ .name = "key", .type = &value_file, FIELD(plan_listener_tls, key), .decode = topology_keys_decode_pem,
		.default_note = "that in the file of the certificate",
		.description = "A PEM file with the key of the certificate.", .example = "key: server.key" },
	{ .name = "client_ca", .type = &value_file, FIELD(plan_listener_tls, client_ca), .decode = topology_keys_decode_pem,
		.default_note = "none",
		.description = "A PEM file with the certificates of those who may vouch for clients, which must show one then.",
		.example = "client_ca: clients.pem" },
};

static const struct key_map listener_tls_map = {
	.name = "listener.tls", .phrase = "a mapping", KEYS(listener_tls_keys),
	.description = "How clients are spoken to over TLS, from 1.2 on; there is no plain HTTP on that listener then. Files are "
		"found from the folder of the rule file, have at most 1MiB, and are read with it.",
};

static const struct key listener_keys[] = {
	{ .name = "name", .type = &value_name, FIELD(plan_listener, name),
		.default_note = "listener-1, listener-2, ... by its place",
		.description = "What rules call it. Unique.", .example = "name: public" },
	{ .name = "address", .type = &value_address, .required = true, FIELD(plan_listener, address),
		.description = "HOST:PORT, [IPV6]:PORT, :PORT (all IPv4 addresses), unix:/PATH. Port 0 is a free one.",
		.example = "address: 127.0.0.1:8080" },
	{ .name = "tls", .map = &listener_tls_map, FIELD(plan_listener, tls), .default_note = "none",
		.description = "Clients come over TLS.", .example = "tls: {certificate: server.pem, key: server.key}" },
	{ .name = "routes", .map = &route_map, .shape = KEY_LIST, LIST(plan_listener, routes, n_routes), .max_items = 10000,
		.default_note = "everything to the only upstream, or the one named default",
		.description = "From top to bottom; the first whose match holds takes the request.",
		.example = "routes: [{match: {path: /v1/**}, upstream: api}, {upstream: web}]" },
};

static const struct key_map listener_map = {
	.name = "listener", .phrase = "a listener (a mapping)", KEYS(listener_keys),
	.description = "An address that clients connect to.",
};

/* ---- limits, log ---- */

static const struct key limits_keys[] = {
	{ .name = "max_header_bytes", .type = &value_size, FIELD(plan_limits, max_header_bytes), .min = 1024,
		.max = UINT64_C(1) << 20, .default_text = "64KiB",
		.description = "Of one head, of requests (then 431) and of answers (then 502).",
		.example = "max_header_bytes: 16KiB" },
	{ .name = "max_headers", .type = &value_count, FIELD(plan_limits, max_headers), .min = 8, .max = 1000,
		.default_text = "200",
		.description = "Fields of one head.", .example = "max_headers: 100" },
	{ .name = "header_timeout", .type = &value_duration, FIELD(plan_limits, header_timeout_ns), TIMEOUT,
		.default_text = "10s",
		.description = "For a request head, from its first byte to its last. Then 408.",
		.example = "header_timeout: 5s" },
	{ .name = "body_timeout", .type = &value_duration, FIELD(plan_limits, body_timeout_ns), .max = DAY_NS,
		.default_text = "0",
		.description = "For a request body on its way to an upstream, from when it is waited for to its last byte or the "
			"answer's first; not where a rule slows it. Then 408. Bodies that come a byte at a time would hold "
			"the upstream's connections as long as they please. 0: no limit.",
		.example = "body_timeout: 30s" },
	{ .name = "idle_timeout", .type = &value_duration, FIELD(plan_limits, idle_timeout_ns), TIMEOUT,
		.default_text = "75s",
		.description = "Of a client's connection between requests, and between two parts of its body.",
		.example = "idle_timeout: 30s" },
	{ .name = "max_connections", .type = &value_count, FIELD(plan_limits, max_connections), .max = 10000000,
		.default_text = "0",
		.description = "Clients at a time, over all workers. 0: no limit.", .example = "max_connections: 10000" },
	{ .name = "half_close", .type = &value_bool, FIELD(plan_limits, half_close), .default_text = "false",
		.description = "A client that ends its side of the connection still waits for its answer. Otherwise it has left: "
			"its request is given up, at the upstream too.",
		.example = "half_close: true" },
	{ .name = "drain", .type = &value_duration, FIELD(plan_limits, drain_ns), .max = DAY_NS,
		.default_text = "8s",
		.description = "How long a stop waits for open exchanges. Most containers are given 10 s in all, then killed.",
		.example = "drain: 30s" },
};

static const struct key_map limits_map = {
	.name = "limits", .phrase = "a mapping", KEYS(limits_keys),
	.description = "What clients may use.",
};

static const struct key safety_keys[] = {
	{ .name = "max_active_faults", .type = &value_count, FIELD(plan_safety, max_active), .max = 1000000, .default_text = "0",
		.description = "Faults of all rules that act at a time; beyond that requests pass. 0: no limit.",
		.example = "max_active_faults: 1000" },
	{ .name = "max_faults", .type = &value_count, FIELD(plan_safety, max_faults), .max = COUNT_MAX, .default_text = "0",
		.description = "Faults of all rules in all; then no more. 0: no limit.", .example = "max_faults: 100000" },
	{ .name = "stop_after", .type = &value_duration, FIELD(plan_safety, stop_after_ns), .min = (uint64_t)NS_PER_MS,
		.max = DAY_NS * 365, .default_note = "no end",
		.description = "So long after the start no rule acts any more.", .example = "stop_after: 30m" },
};

static const struct choice ask_choices[] = { { "abort", PLAN_ASK_ABORT }, { "delay", PLAN_ASK_DELAY },
	{ "rule", PLAN_ASK_RULE }, { 0 } };

static const struct key control_keys[] = {
	{ .name = "enabled", .type = &value_bool, .required = true, FIELD(plan_control, enabled),
		.description = "Whether requests may ask for faults at all.", .example = "enabled: true" },
	{ .name = "allow", .type = &value_choice, .choices = ask_choices, .shape = KEY_ONE_OR_LIST, .required = true,
		LIST(plan_control, allow, n_allow), .max_items = 3,
		.description = "What they may ask for. abort: x-brownout-abort: 503. delay: x-brownout-delay: 250ms. rule: "
			"x-brownout-rule: NAME, whose faults act as if its match held and its draw fired.",
		.example = "allow: [abort, delay]" },
	{ .name = "max_delay", .type = &value_duration, FIELD(plan_control, max_delay_ns), .min = (uint64_t)NS_PER_MS,
		.max = DAY_NS, .default_text = "10s",
		.description = "A longer delay that is asked for is this long.", .example = "max_delay: 2s" },
	{ .name = "token", .type = &value_text, FIELD(plan_control, token),
		.default_note = "none is asked for",
		.description = "A secret that x-brownout-token must bring; without it the request is answered with 403.",
		.example = "token: a-long-secret" },
};

static const struct key_map control_map = {
	.name = "header_control", .phrase = "a mapping with enabled and allow", KEYS(control_keys),
	.description = "Faults that a request asks for itself, by header fields, so that tests in parallel do not disturb each "
		"other. Such a request gets what it asks for and no rule is asked about it; paths under exclude get nothing. The "
		"fields never reach the upstream.",
};

static const struct key admin_keys[] = {
	{ .name = "address", .type = &value_address, FIELD(plan_admin, address), .default_text = "127.0.0.1:9901",
		.description = "HOST:PORT, [IPV6]:PORT, unix:/PATH. Port 0 is a free one. Any address but a loopback one (127.*, "
			"[::1], localhost) or a unix socket demands a token.",
		.example = "address: 127.0.0.1:9901" },
	{ .name = "token", .type = &value_text, FIELD(plan_admin, token), .default_note = "none is asked for",
		.description = "A secret that each request must bring, as Authorization: Bearer TOKEN. Letters, digits and "
			"-._~+/=. Best taken from a variable: ${BROWNOUT_TOKEN}.",
		.example = "token: a-long-secret-of-your-own" },
};

static const struct key_map admin_map = {
	.name = "admin", .phrase = "a mapping", KEYS(admin_keys), .short_key = "address", .finish = topology_keys_finish_admin,
	.description = "Where a running brownout is watched and steered: dashboard, metrics, HTTP API. Whoever may use it may "
		"have brownout read any file and connect to any address that it can itself: where other users share the machine, "
		"take a token or a unix socket.",
};

static const struct key_map safety_map = {
	.name = "safety", .phrase = "a mapping", KEYS(safety_keys),
	.description = "Ceilings for all rules together.",
};

static const struct choice format_choices[] = { { "text", PLAN_LOG_TEXT }, { "json", PLAN_LOG_JSON }, { 0 } };

static const struct key log_keys[] = {
	{ .name = "access", .type = &value_destination, FIELD(plan, log_access), .default_text = "off",
		.description = "Where one line per exchange goes: stderr, stdout, off, or the path of a file.",
		.example = "access: stdout" },
	{ .name = "format", .type = &value_choice, .choices = format_choices, FIELD(plan, log_format),
		.default_text = "text",
		.description = "How the lines look.", .example = "format: json" },
	{ .name = "trace", .type = &value_destination, FIELD(plan, log_trace), .default_text = "off",
		.description = "Where every decision of the rules goes, one line per exchange, for brownout replay and "
			"brownout judge (brownout help trace): stderr, stdout, off, or the path of a file.",
		.example = "trace: trace.jsonl" },
	{ .name = "query", .type = &value_bool, FIELD(plan, log_query), .default_text = "true",
		.description = "Whether targets are logged, traced and shown with their query, which may hold secrets. The judge "
			"of clients still tells requests apart by their query, by a hash that nobody else can make.",
		.example = "query: false" },
	{ .name = "headers", .type = &value_bool, FIELD(plan, log_headers), .default_text = "true",
		.description = "Whether what is made of the headers of requests for the judge of clients is traced and shown "
			"as it is: the client's name (observe: client_key), and hashes of ids, keys and credentials, by which a "
			"value that can be guessed can be made out. Without it, all of that is hashed once more with a secret "
			"drawn at start: within the run the same value stays the same, and nothing is known of it. Traces of "
			"several runs or replicas then have nothing in common to link requests by. Host and target stay as they "
			"are, and so does the hash that a rule with key: counts by, since brownout replay works by it.",
		.example = "headers: false" },
};

static const struct key_map log_map = {
	.name = "log", .phrase = "a mapping", KEYS(log_keys),
	.description = "The access log, and the trace of decisions.",
};

/* ---- the file ---- */

static const struct choice workers_choices[] = { { "auto", 0 }, { 0 } };

static const struct key file_keys[] = {
	{ .name = "seed", .type = &value_count, .size = sizeof(uint64_t), .max = UINT64_MAX,
		.decode = topology_keys_decode_seed,
		.default_note = "drawn at start and printed",
		.description = "Of all random choices: the same seed and the same requests give the same faults.",
		.example = "seed: 42" },
	{ .name = "workers", .type = &value_count, .choices = workers_choices, FIELD(plan, workers), .min = 1,
		.max = PLAN_WORKERS_MAX,
		.default_text = "auto",
		.description = "Threads that serve. auto: one per processor that it may run on, no more than the CPU limit of "
			"its container, rounded up.", .example = "workers: 2" },
	{ .name = "upstream", .map = &upstream_map, LIST(plan, upstreams, n_upstreams),
		.decode = topology_keys_decode_upstream,
		.description = "The upstream named default; all that is needed where there is one.",
		.example = "upstream: http://127.0.0.1:9000" },
	{ .name = "upstreams", .map = &upstream_map, .shape = KEY_NAMED, LIST(plan, upstreams, n_upstreams),
		.name_offset = offsetof(struct plan_upstream, name), .decode_name = rule_keys_decode_name, .max_items = 1000,
		.description = "Upstreams by name.",
		.example = "upstreams: {api: http://10.0.0.7:9000, web: unix:/run/web.sock}" },
	{ .name = "listen", .type = &value_address, LIST(plan, listeners, n_listeners),
		.element_offset = offsetof(struct plan_listener, address), .decode = topology_keys_decode_listen,
		.default_note = "127.0.0.1:8080 where there are no listeners either",
		.description = "The address of the listener named default; all that is needed where there is one.",
		.example = "listen: 127.0.0.1:8080" },
	{ .name = "listeners", .map = &listener_map, .shape = KEY_LIST, LIST(plan, listeners, n_listeners),
		.max_items = PLAN_LISTENERS_MAX,
		.description = "Several listeners, with routes.",
		.example = "listeners: [{name: public, address: \":8080\"}]" },
	{ .name = "limits", .map = &limits_map, .may_be_empty = true, FIELD(plan, limits),
		.description = "What clients may use.", .example = "limits: {max_headers: 100}" },
	{ .name = "log", .map = &log_map, .may_be_empty = true,
		.description = "The access log.", .example = "log: {access: stdout, format: json}" },
	{ .name = "watch", .type = &value_bool, FIELD(plan, watch), .default_text = "false",
		.description = "Reads the file again when it has changed. One with an error changes nothing.",
		.example = "watch: true" },
	{ .name = "user", .type = &value_text, FIELD(plan, user), .default_note = "as started",
		.description = "The user (or user:group) to be once sockets and logs are open, where started as root. Logs "
			"opened anew, and rules read again, are opened by that user.",
		.example = "user: nobody" },
	{ .name = "sandbox", .type = &value_bool, FIELD(plan, sandbox), .default_text = "false",
		.description = "Refuses all system calls but those of serving (seccomp). Not with a command beside it.",
		.example = "sandbox: true" },
	{ .name = "fault_header", .type = &value_bool, FIELD(plan, fault_header), .default_text = "true",
		.description = "Puts X-Brownout, with the rule and the fault, on faulted answers.",
		.example = "fault_header: false" },
	{ .name = "proxy_status", .type = &value_bool, FIELD(plan, proxy_status), .default_text = "true",
		.description = "Puts Proxy-Status (RFC 9209) on answers that brownout made because the upstream failed.",
		.example = "proxy_status: false" },
	{ .name = "safety", .map = &safety_map, .may_be_empty = true, FIELD(plan, safety),
		.description = "Ceilings for all rules together.", .example = "safety: {stop_after: 30m}" },
	{ .name = "header_control", .map = &control_map, FIELD(plan, control),
		.description = "Lets requests ask for their own faults. Off by default.",
		.example = "header_control: {enabled: true, allow: [abort, delay]}" },
	{ .name = "observe", .map = &keys_observe, FIELD(plan, observe),
		.description = "How clients, and the attempts of one request, are recognised.",
		.example = "observe: {client_key: [address, header:user-agent]}" },
	{ .name = "admin", .map = &admin_map, FIELD(plan, admin), .default_note = "not there",
		.description = "The address of the dashboard, the metrics and the API that steers a running brownout.",
		.example = "admin: 127.0.0.1:9901" },
	{ .name = "exclude", .type = &value_path_glob, .map = &keys_path, .shape = KEY_ONE_OR_LIST, .heap = true,
		LIST(plan, rules.exclude, rules.n_exclude), .max_items = 1000,
		.description = "Paths that no rule may touch: health checks, for one. They are not counted either.",
		.example = "exclude: [/healthz, /livez]" },
	{ .name = "rules", .map = &keys_rule, .shape = KEY_LIST, .heap = true, .may_be_empty = true, LIST(plan, rules.v, rules.n),
		.max_items = RULESET_RULES_MAX,
		.description = "The rules, from top to bottom.",
		.example = "rules: [{abort: 503, percentage: 10}]" },
	{ .name = "expect", .map = &keys_expect, FIELD(plan, expect),
		.default_note = "nothing; what was seen is told",
		.description = "What is expected of the clients.", .example = "expect: recommended" },
};

const struct key_map keys_file = {
	.name = "file", .phrase = "a mapping of keys such as upstream and rules", KEYS(file_keys),
	.description = "A rule file is YAML (or JSON). ${VAR} and ${VAR:-default} in a value stand for a variable of the "
		"environment; $$ is one $. Durations carry a unit (ns us ms s m h: 250ms, 1.5s), sizes may (B KiB MiB GiB KB "
		"MB GB).",
};

const struct key_map *const keys_all[] = {
	&keys_file, &keys_rule, &keys_match, &keys_path, &keys_pattern, &keys_status_class, &keys_ramp, &keys_burst,
	&keys_outcome, &keys_step, &keys_abort, &keys_body, &keys_retry_after, &keys_delay, &keys_normal, &keys_lognormal,
	&keys_pareto, &keys_rate_limit, &keys_hang, &keys_throttle, &keys_drip, &keys_truncate, &keys_corrupt, &keys_rewrite,
	&keys_request, &keys_edit_headers, &keys_hints, &upstream_map, &upstream_tls_map, &listener_map, &listener_tls_map,
	&route_map, &keys_route_match, &control_map, &safety_map, &limits_map, &log_map, &admin_map,
	&keys_expect, &keys_expect_retry_after, &keys_expect_attempts, &keys_expect_amplification, &keys_expect_retry_budget,
	&keys_expect_backoff, &keys_expect_jitter, &keys_expect_herd, &keys_expect_unsafe_retries,
	&keys_expect_idempotency_key, &keys_expect_pointless_retries, &keys_expect_hedging, &keys_expect_give_up,
	&keys_expect_client_timeout, &keys_expect_circuit_breaker, &keys_expect_recovery, &keys_expect_aftermath,
	&keys_expect_connections, &keys_expect_quota, &keys_expect_handling, &keys_expect_yield, &keys_observe,
	&keys_fingerprint,
};
const unsigned keys_all_n = ARRAY_LEN(keys_all);
