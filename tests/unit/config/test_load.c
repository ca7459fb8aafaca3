/* load: what good files become, what is there by default, what the command line changes. */
#include "config/load.h"

#include <errno.h>
#include <unistd.h>

#include "support.h"

static void load_good(struct loaded *l, const char *source)
{
	support_load(l, source);
	cr_assert_not_null(l->plan, "%s", l->text);
}

static const struct rule *load_good_rule(struct loaded *l, const char *rule)
{
	support_load_rule(l, rule);
	cr_assert_not_null(l->plan, "%s: %s", rule, l->text);
	return &l->plan->rules.v[0];
}

Test(load, defaults)
{
	struct loaded l;
	const struct plan *p;

	load_good(&l, "upstream: http://127.0.0.1:9000\n");
	p = l.plan;
	cr_expect_eq(l.d.n, 0);
	cr_expect(!p->seed_given && p->seed == 0 && p->workers == 0);
	cr_expect(p->fault_header && p->proxy_status);
	expect_span(p->log_access, "off");
	cr_expect_eq(p->log_format, PLAN_LOG_TEXT);
	expect_span(p->via, "brownout");
	cr_expect_str_eq(p->file, "test.yaml");
	cr_expect_eq(p->rules.n, 0);
	cr_expect_eq(p->rules.n_exclude, 0);
	cr_expect_eq(p->limits.max_header_bytes, 65536);
	cr_expect_eq(p->limits.max_headers, 200);
	cr_expect_eq(p->limits.header_timeout_ns, 10 * NS_PER_S);
	cr_expect_eq(p->limits.body_timeout_ns, 0);
	cr_expect_eq(p->limits.idle_timeout_ns, 75 * NS_PER_S);
	cr_expect_eq(p->limits.max_connections, 0);
	cr_expect_eq(p->limits.drain_ns, 8 * NS_PER_S);
	cr_expect(!p->limits.half_close);
	cr_assert_eq(p->n_upstreams, 1);
	expect_span(p->upstreams[0].name, "default");
	expect_span(p->upstreams[0].authority, "127.0.0.1:9000");
	cr_expect_eq(p->upstreams[0].connect_timeout_ns, 5 * NS_PER_S);
	cr_expect_eq(p->upstreams[0].response_timeout_ns, 60 * NS_PER_S);
	cr_expect_eq(p->upstreams[0].idle_timeout_ns, 60 * NS_PER_S);
	cr_expect_eq(p->upstreams[0].max_connections, 1024);
	cr_expect_eq(p->upstreams[0].keepalive, 128);
	cr_expect_gt(p->upstreams[0].keepalive_timeout_ns, 0);
	cr_expect_eq(p->upstreams[0].host, PLAN_HOST_AUTO);
	cr_assert_eq(p->n_listeners, 1);
	expect_span(p->listeners[0].name, "default");
	expect_span(p->listeners[0].address.host, "127.0.0.1");
	cr_expect_eq(p->listeners[0].address.port, 8080);
	cr_assert_eq(p->listeners[0].n_routes, 1);
	cr_expect_eq(p->listeners[0].routes[0].upstream, 0);
	support_free(&l);
}

Test(load, defaults_of_a_rule)
{
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "abort: 503");

	expect_span(r->name, "rule-1");
	cr_expect(r->enabled && r->phase == RULE_PHASE_REQUEST && r->percentage == RULE_PERCENTAGE_ALL);
	cr_expect(r->sampling == RULE_SAMPLING_INDEPENDENT && r->key == RULE_KEY_ORDINAL && r->key_name.n == 0);
	cr_expect(r->after == 0 && r->first == 0 && r->every <= 1);
	cr_expect(r->faults.abort.status == 503 && r->faults.abort.n_fields == 0 && !r->faults.abort.has_body);
	cr_expect(r->faults.abort.retry_after.kind == RETRY_AFTER_NONE);
	cr_expect(r->faults.delay.kind == DELAY_NONE && r->faults.connection == FAULT_CONNECTION_NONE);
	cr_expect(match_covers(&r->match, &r->match) && r->match.n_paths == 0);
	support_free(&l);
	r = load_good_rule(&l, "delay: 1s");
	cr_expect(r->faults.abort.status == 0 && r->faults.abort.retry_after.kind == RETRY_AFTER_NONE);
	support_free(&l);
}

Test(load, topology)
{
	struct loaded l;
	const struct plan *p;

	load_good(&l, "seed: 18446744073709551615\nworkers: 4\n"
		"listeners:\n"
		"- {address: \"[::1]:0\", name: public, routes: [{match: {host: A.test, path: /v1/**}, upstream: api},\n"
		"   {upstream: web}]}\n"
		"- address: unix:/run/b.sock\n"
		"upstreams:\n"
		"  web: origin\n"
		"  default: {url: http://h:1/base/, connect_timeout: 1s, response_timeout: 2s, idle_timeout: 3s,\n"
		"    max_connections: 4, keepalive: 5, keepalive_timeout: 6s, host: rewrite}\n"
		"  api: unix:/run/a.sock\n"
		"limits: {max_header_bytes: 16KiB, max_headers: 50, header_timeout: 1s, idle_timeout: 2s,\n"
		"  max_connections: 3, drain: 0}\n"
		"log: {access: /tmp/a.log, format: json}\nfault_header: false\nproxy_status: false\n"
		"exclude: [/healthz, {prefix: /admin}, {regex: \"^/x[0-9]$\"}]\n");
	p = l.plan;
	cr_expect(p->seed_given && p->seed == UINT64_MAX && p->rules.seed == UINT64_MAX && p->workers == 4);
	cr_assert_eq(p->n_upstreams, 3);
	expect_span(p->upstreams[0].name, "web");
	cr_expect_eq(p->upstreams[0].address.kind, ENDPOINT_ORIGIN);
	cr_expect_eq(p->upstreams[0].max_connections, 1024);
	expect_span(p->upstreams[1].path_prefix, "/base");
	cr_expect_eq(p->upstreams[1].connect_timeout_ns, 1 * NS_PER_S);
	cr_expect_eq(p->upstreams[1].response_timeout_ns, 2 * NS_PER_S);
	cr_expect_eq(p->upstreams[1].idle_timeout_ns, 3 * NS_PER_S);
	cr_expect_eq(p->upstreams[1].max_connections, 4);
	cr_expect_eq(p->upstreams[1].keepalive, 5);
	cr_expect_eq(p->upstreams[1].keepalive_timeout_ns, 6 * NS_PER_S);
	cr_expect_eq(p->upstreams[1].host, PLAN_HOST_REWRITE);
	cr_expect_eq(p->upstreams[2].address.kind, ENDPOINT_UNIX);
	cr_assert_eq(p->n_listeners, 2);
	expect_span(p->listeners[0].name, "public");
	expect_span(p->listeners[0].address.host, "::1");
	cr_assert_eq(p->listeners[0].n_routes, 2);
	cr_expect_eq(p->listeners[0].routes[0].upstream, 2);
	cr_expect(p->listeners[0].routes[0].match.n_hosts == 1 && p->listeners[0].routes[0].match.n_paths == 1);
	cr_expect_eq(p->listeners[0].routes[1].upstream, 0);
	expect_span(p->listeners[1].name, "listener-2");
	cr_assert_eq(p->listeners[1].n_routes, 1);
	cr_expect_eq(p->listeners[1].routes[0].upstream, 1); /* the one named default */
	cr_expect_eq(p->limits.max_header_bytes, 16384);
	cr_expect_eq(p->limits.max_headers, 50);
	cr_expect_eq(p->limits.max_connections, 3);
	cr_expect_eq(p->limits.drain_ns, 0);
	expect_span(p->log_access, "/tmp/a.log");
	cr_expect_eq(p->log_format, PLAN_LOG_JSON);
	cr_expect(!p->fault_header && !p->proxy_status);
	cr_assert_eq(p->rules.n_exclude, 3);
	cr_expect(pattern_matches(&p->rules.exclude[1], SPAN("/admin/x"), NULL));
	support_free(&l);
}

Test(load, short_and_long_forms_together)
{
	struct loaded l;

	load_good(&l, "listen: :1\nlisteners: [{name: b, address: \":2\"}]\nupstream: {url: origin, keepalive: 1}\n"
		"upstreams: {b: origin}\nrules:\n- {delay: 1s, match: {listener: [default, b], upstream: b}}\n");
	cr_expect_eq(l.plan->n_listeners, 2);
	cr_expect_eq(l.plan->n_upstreams, 2);
	expect_span(l.plan->listeners[0].name, "default");
	expect_span(l.plan->listeners[1].name, "b");
	expect_span(l.plan->upstreams[0].name, "default");
	cr_expect_eq(l.plan->upstreams[0].keepalive, 1);
	cr_expect_eq(l.plan->rules.v[0].match.listeners[1], 1);
	cr_expect_eq(l.plan->rules.v[0].match.upstreams[0], 1);
	support_free(&l);
}

Test(load, match)
{
	struct loaded l;
	struct pattern_scratch *scratch = pattern_scratch_new();
	const struct match *m = &load_good_rule(&l, "{phase: response, abort: 503, match: {method: [GET, m-search], host: "
		"\"*.Shop.test\", "
		"path: [/a/*, {prefix: /b}, {regex: \"^/c+$\"}], query: {dry: 1, x: {present: false}}, "
		"headers: {X-Tenant: acme*, y: {regex: \"^a|b$\"}}, client: [10.0.0.0/8, \"::1\"], "
		"status: [5xx, 429, \"200-204\", {class: 3XX}], not: {path: /a/b}, any: [{method: GET}, {method: "
			"HEAD}]}}")->match;

	cr_assert_eq(m->n_methods, 2);
	expect_span(m->methods[1], "m-search");
	cr_expect(pattern_matches(&m->hosts[0], SPAN("WWW.shop.TEST"), scratch));
	cr_assert_eq(m->n_paths, 3);
	cr_expect(pattern_matches(&m->paths[0], SPAN("/a/x"), scratch) && !pattern_matches(&m->paths[0], SPAN("/a/x/y"),
		scratch));
	cr_expect(pattern_matches(&m->paths[1], SPAN("/b/x/y"), scratch) && !pattern_matches(&m->paths[1], SPAN("/bc"), scratch));
	cr_expect(pattern_matches(&m->paths[2], SPAN("/ccc"), scratch));
	cr_assert_eq(m->n_query, 2);
	expect_span(m->query[0].name, "dry");
	cr_expect(pattern_matches(&m->query[0].value, SPAN("1"), scratch));
	cr_expect_eq(m->query[1].value.kind, PATTERN_ABSENT);
	cr_assert_eq(m->n_headers, 2);
	expect_span(m->headers[0].name, "x-tenant");
	cr_expect(pattern_matches(&m->headers[0].value, SPAN("acme corp"), scratch));
	cr_assert_eq(m->n_clients, 2);
	cr_expect_eq(m->clients[0].bits, 104);
	cr_expect_eq(m->clients[1].bits, 128);
	for (unsigned code = 100; code <= 599; code++)
		cr_expect_eq(match_status_has(m, code), code >= 500 || code == 429 || (code >= 200 && code <= 204) ||
			code / 100 == 3,
			"%u", code);
	cr_assert(m->not_ && m->not_->n_paths == 1);
	cr_assert_eq(m->n_any, 2);
	expect_span(m->any[1]->methods[0], "HEAD");
	support_free(&l);
	pattern_scratch_free(scratch);
}

Test(load, rule_settings)
{
	static const struct {
		const char *text;
		enum rule_key key;
		const char *name;
	} keys[] = {
		{ "ordinal", RULE_KEY_ORDINAL, "" }, { "client", RULE_KEY_CLIENT, "" }, { "fingerprint", RULE_KEY_FINGERPRINT,
			"" },
		{ "header:X-User-Id", RULE_KEY_HEADER, "x-user-id" }, { "cookie:Session", RULE_KEY_COOKIE, "Session" },
		{ "query:User", RULE_KEY_QUERY, "User" },
	};
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "{name: a.b-c_d/e:1, enabled: false, percentage: 33.333333, sampling: even, "
		"phase: response, after: 5, first: 3, every: 4, connection: reset, delay: {uniform: 100ms..2s}}");

	expect_span(r->name, "a.b-c_d/e:1");
	cr_expect(!r->enabled && r->percentage == 33333333 && r->sampling == RULE_SAMPLING_EVEN &&
		r->phase == RULE_PHASE_RESPONSE);
	cr_expect(r->after == 5 && r->first == 3 && r->every == 4);
	cr_expect_eq(r->faults.connection, FAULT_CONNECTION_RESET);
	cr_expect(r->faults.delay.kind == DELAY_UNIFORM);
	cr_expect(r->faults.delay.a_ns == 100 * NS_PER_MS && r->faults.delay.b_ns == 2 * NS_PER_S);
	cr_expect_neq(r->name_hash, 0); /* sealed */
	support_free(&l);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char rule[100];

		(void)snprintf(rule, sizeof(rule), "{delay: {fixed: 1ms}, key: %s}", keys[i].text);
		r = load_good_rule(&l, rule);
		cr_expect_eq(r->key, keys[i].key);
		expect_span(r->key_name, keys[i].name);
		cr_expect(r->faults.delay.kind == DELAY_FIXED && r->faults.delay.a_ns == NS_PER_MS);
		support_free(&l);
	}
}

Test(load, abort)
{
	struct loaded l;
	const struct fault_abort *a = &load_good_rule(&l, "abort: {status: \"429\", reason: Slow Down, headers: {X-A: 1, "
		"Set-Cookie: [a=1, "
		"b=2], empty: \"\"}, body: \"\", retry_after: 1500ms}")->faults.abort;

	cr_expect_eq(a->status, 429);
	expect_span(a->reason, "Slow Down");
	cr_assert_eq(a->n_fields, 4);
	expect_span(a->fields[0].name, "X-A");
	expect_span(a->fields[0].value, "1");
	expect_span(a->fields[1].value, "a=1");
	expect_span(a->fields[2].name, "Set-Cookie");
	expect_span(a->fields[2].value, "b=2");
	expect_span(a->fields[3].value, "");
	cr_expect(a->has_body && a->body.n == 0);
	cr_expect_eq(a->retry_after.min_ns, 1500 * NS_PER_MS);
	support_free(&l);
}

Test(load, json_body)
{
	static const char *const cases[][2] = {
		{ "{a: 1, b: \"1\", c: [true, null, ~, x, 1.5, -0, 1e3, -1.5E+2]}",
			"{\"a\":1,\"b\":\"1\",\"c\":[true,null,null,\"x\",1.5,-0,1e3,-1.5E+2]}" },
		/* What is a number to YAML but not to JSON is a text. */
		{ "[0x1f, 1_000, .5, 1., 01, +1, .inf, yes, True, 1e, -, 2026-01-01]",
			"[\"0x1f\",\"1_000\",\".5\",\"1.\",\"01\",\"+1\",\".inf\",\"yes\",\"True\",\"1e\",\"-\","
			"\"2026-01-01\"]" },
		{ "{\"q\": \"a\\\"b\\n\\u00e9\"}", "{\"q\":\"a\\\"b\\n\xc3\xa9\"}" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		{ "text", "\"text\"" },
		{ "false", "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char rule[300];
		struct loaded l;
		const struct fault_abort *a;

		(void)snprintf(rule, sizeof(rule), "abort: {status: 503, body: {json: %s}}", cases[i][0]);
		a = &load_good_rule(&l, rule)->faults.abort;
		cr_expect(a->has_body);
		expect_span(a->body, cases[i][1]);
		cr_assert_eq(a->n_fields, 1);
		expect_span(a->fields[0].name, "Content-Type");
		expect_span(a->fields[0].value, "application/json");
		support_free(&l);
	}
}

Test(load, given_content_type_stays)
{
	struct loaded l;
	const struct fault_abort *a = &load_good_rule(&l, "abort: {status: 503, body: {json: {}}, "
		"headers: {CONTENT-TYPE: application/problem+json}}")->faults.abort;

	cr_assert_eq(a->n_fields, 1);
	expect_span(a->fields[0].value, "application/problem+json");
	support_free(&l);
}

/* The fields that a code must carry are there after loading, and a note says so. */
Test(load, demanded_fields_are_filled)
{
	static const struct {
		unsigned code;
		const char *name;
	} cases[] = { { 401, "WWW-Authenticate" }, { 405, "Allow" }, { 407, "Proxy-Authenticate" }, { 426, "Upgrade" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char rule[100];
		struct loaded l;
		const struct fault_abort *a;

		(void)snprintf(rule, sizeof(rule), "abort: %u", cases[i].code);
		a = &load_good_rule(&l, rule)->faults.abort;
		cr_assert_eq(a->n_fields, 1, "%u", cases[i].code);
		expect_span(a->fields[0].name, cases[i].name);
		cr_expect_gt(a->fields[0].value.n, 0);
		cr_expect(l.d.n == 1 && l.d.v[0].level == DIAGNOSTIC_NOTE && strstr(l.text, "was filled in"), "%s", l.text);
		support_free(&l);

		(void)snprintf(rule, sizeof(rule), "abort: {status: %u, headers: {%s: given}}", cases[i].code, cases[i].name);
		a = &load_good_rule(&l, rule)->faults.abort;
		cr_expect(a->n_fields == 1 && l.d.n == 0, "%s", l.text);
		expect_span(a->fields[0].value, "given");
		support_free(&l);
	}
}

/* Every final code can be asked for, but for those whose answer needs a certain request. */
Test(load, every_final_code)
{
	for (unsigned code = 200; code <= 599; code++) {
		char rule[100];
		struct loaded l;

		(void)snprintf(rule, sizeof(rule), "abort: %u", code);
		support_load_rule(&l, rule);
		cr_expect_eq(l.plan == NULL, code == 206 || code == 304, "%s", l.text);
		support_free(&l);
	}
}

Test(load, json_is_yaml)
{
	struct loaded l;

	load_good(&l, "{\n\t\"upstream\": \"http://127.0.0.1:9000\",\n\t\"rules\": [\n\t\t{\"name\": \"a\", \"abort\": "
		"{\"status\": 503}, "
		"\"percentage\": 12.5, \"match\": {\"path\": \"\\/x\\/**\"}},\n\t\t{\"delay\": \"10ms\"}\n\t]\n}\n");
	cr_expect_eq(l.plan->rules.n, 2);
	cr_expect_eq(l.plan->rules.v[0].percentage, 12500000);
	support_free(&l);
}

Test(load, empty_parts)
{
	struct loaded l;

	load_good(&l, "upstream: origin\nrules:\nlimits:\nexclude: []\nlisteners: []\nlog: {}\n");
	cr_expect(l.plan->rules.n == 0 && l.plan->limits.max_headers == 200 && l.plan->n_listeners == 1);
	support_free(&l);
	load_good(&l, "upstream: origin\nrules: [{match: {}, delay: 1s}, {match: {headers: {}}, delay: 1s}]\n");
	cr_expect_eq(l.plan->rules.n, 2);
	support_free(&l);
}

Test(load, text_hash_tells_what_changed)
{
	static const char *const same[] = { "{name: a, abort: 503}", "{abort: \"503\", name: 'a'}",
		"{name: a, abort: \"${STATUS}\"}" };
	static const char *const others[] = { "{name: a, abort: 502}", "{name: b, abort: 503}", "{name: a, abort: 503, after: 0}",
		"{name: a, abort: {status: 503}}" };
	uint64_t first = 0;

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct loaded l;
		const struct rule *r = load_good_rule(&l, same[i]);

		first = i ? first : r->text_hash;
		cr_expect_eq(r->text_hash, first, "%s", same[i]);
		support_free(&l);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct loaded l;
		const struct rule *r = load_good_rule(&l, others[i]);

		cr_expect_neq(r->text_hash, first, "%s", others[i]);
		support_free(&l);
	}
}

/* ---- the command line ---- */

Test(load, overrides)
{
	static const struct {
		const char *source, *listen, *upstream;
		const char *host, *authority; /* of the listener and upstream with this number */
		unsigned number;
	} cases[] = {
		{ "", "10.0.0.1:1", "http://a:1", "10.0.0.1", "a:1", 0 },
		{ "", NULL, "origin", "127.0.0.1", "origin", 0 },
		{ "upstream: http://a\nlisten: 10.0.0.1:1\n", NULL, NULL, "10.0.0.1", "a", 0 },
		{ "upstream: http://a\nlisten: 10.0.0.1:1\n", "10.0.0.2:1", "http://b", "10.0.0.2", "b", 0 },
		{ "upstreams: {x: http://a}\nlisteners: [{address: 10.0.0.1:1}]\n", "10.0.0.2:1", "http://b", "10.0.0.2", "b",
			0 },
		{ "upstreams: {x: http://a, default: http://c}\nlisteners: [{address: 10.0.0.1:1}, {address: \":2\", name: "
			"default}]\n",
			"10.0.0.2:1", "http://b", "10.0.0.2", "b", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded l;

		support_load_with(&l, span_of_string(cases[i].source), cases[i].listen, cases[i].upstream);
		cr_assert_not_null(l.plan, "case %zu: %s", i, l.text);
		expect_span(l.plan->listeners[cases[i].number].address.host, cases[i].host);
		expect_span(l.plan->upstreams[cases[i].number].authority, cases[i].authority);
		cr_expect_eq(l.plan->upstreams[cases[i].number].connect_timeout_ns, 5 * NS_PER_S);
		support_free(&l);
	}
}

Test(load, bad_overrides)
{
	static const char *const two = "upstreams: {a: origin, b: origin}\n"
		"listeners: [{address: \":1\", routes: [{upstream: a}]}, {address: \":2\", routes: [{upstream: b}]}]\n";
	static const struct {
		const char *source, *listen, *upstream, *text;
	} cases[] = {
		{ "", "8080", "origin",
			"0:0: error: the address \"8080\" is only a port (write 127.0.0.1:8080, or :8080 for all addresses)\n" },
		{ "", NULL, "ftp:x", "0:0: error: the upstream \"ftp:x\" has no scheme (write http://ftp:x)\n" },
		{ NULL, ":3", NULL, "0:0: error: the address \":3\" replaces none: the file has several listeners, none named "
			"default\n" },
		{ NULL, NULL, "origin", "0:0: error: the upstream \"origin\" replaces none: the file has several, none named "
			"default\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded l;

		support_load_with(&l, span_of_string(cases[i].source ? cases[i].source : two), cases[i].listen,
			cases[i].upstream);
		cr_expect_str_eq(l.text, cases[i].text, "%s", l.text);
		support_free(&l);
	}
}

/* ---- references and files ---- */

Test(load, references)
{
	struct loaded l;
	struct plan *other;

	load_good(&l, "upstream: origin\nrules: [{abort: 503}]\n");
	other = plan_ref(l.plan);
	cr_expect_eq(other, l.plan);
	plan_unref(l.plan);
	cr_expect_eq(other->rules.v[0].faults.abort.status, 503);
	support_free(&l);
	plan_unref(NULL);
}

static void write_file(const char *path, size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert_not_null(f);
	for (size_t i = 0; i < n; i++)
		(void)fputc('#', f);
	(void)fclose(f);
}

Test(load, read_file)
{
	char path[] = "/tmp/brownout-test-XXXXXX";
	int fd = mkstemp(path);
	struct text source;

	cr_assert_geq(fd, 0);
	(void)close(fd);
	cr_expect_eq(load_read_file(path, &source), 0);
	cr_expect_eq(source.n, 0);
	text_deinit(&source);
	write_file(path, LOAD_FILE_BYTES_MAX);
	cr_expect_eq(load_read_file(path, &source), 0);
	cr_expect_eq(source.n, LOAD_FILE_BYTES_MAX);
	text_deinit(&source);
	write_file(path, LOAD_FILE_BYTES_MAX + 1);
	cr_expect_eq(load_read_file(path, &source), -EFBIG);
	(void)unlink(path);
	cr_expect_eq(load_read_file(path, &source), -ENOENT);
	cr_expect_eq(load_read_file("/tmp", &source), -EISDIR);
}

/* No bytes, and nowhere. */
Test(load, nothing)
{
	struct loaded l;

	support_load_with(&l, SPAN_EMPTY, NULL, NULL);
	cr_expect(strstr(l.text, "there is no upstream"), "%s", l.text);
	support_free(&l);
	support_load_with(&l, SPAN_EMPTY, NULL, "origin");
	cr_expect_eq(l.rc, 0, "%s", l.text);
	support_free(&l);
}
