/* keys: the tables hold together, and the reference and the schema say all of them. */
#include "config/keys.h"
#include "config/suggest.h"

#include <dirent.h>
#include <unistd.h>

#include "support.h"

static bool is_listed(const struct key_map *map)
{
	for (unsigned i = 0; i < keys_all_n; i++) {
		if (keys_all[i] == map)
			return true;
	}
	return false;
}

Test(keys, rows_are_whole)
{
	for (unsigned i = 0; i < keys_all_n; i++) {
		const struct key_map *map = keys_all[i];

		cr_expect(map->name && map->phrase && map->description && map->n_keys > 0);
		for (unsigned k = 0; k < i; k++)
			cr_expect_str_neq(map->name, keys_all[k]->name);
		if (map->short_key)
			cr_expect_not_null(decode_find_key(map, span_of_string(map->short_key)));
		for (unsigned k = 0; k < map->n_keys; k++) {
			const struct key *key = &map->keys[k];

			cr_expect(key->description && key->example, "%s.%s", map->name, key->name);
			cr_expect(key->type || key->map, "%s.%s", map->name, key->name);
			cr_expect(!key->map || is_listed(key->map), "%s.%s", map->name, key->name);
			cr_expect_eq(decode_find_key(map, span_of_string(key->name)), key, "%s.%s twice", map->name, key->name);
			cr_expect(!(key->required && (key->default_text || key->default_note)), "%s.%s", map->name, key->name);
			cr_expect_geq(key->max, key->min);
			if (!map->like)
				cr_expect(strncmp(key->example, key->name, strlen(key->name)) == 0 || map->one_of || key->map,
					"%s.%s: %s", map->name, key->name, key->example);
		}
	}
}

/* A file around the example of a map's key. */
static const struct {
	const char *map;
	const char *before, *after;
} frames[] = {
	{ "rule", "upstream: origin\nrules:\n- {", "}" },
	{ "match", "upstreams: {api: origin}\n"
		"listeners: [{name: public, address: \":1\"}]\nrules:\n- {delay: 1s, phase: response, match: {", "}}" },
	{ "path", "upstream: origin\nrules:\n- {delay: 1s, match: {", "}}" },
	{ "pattern", "upstream: origin\nrules:\n- {delay: 1s, match: {headers: {", "}}}" },
	{ "status_class", "upstream: origin\nrules:\n- {delay: 1s, phase: response, match: {", "}}" },
	{ "abort", "upstream: origin\nrules:\n- abort: {", "}" },
	{ "body", "upstream: origin\nrules:\n- abort: {status: 503, ", "}" },
	{ "retry_after", "upstream: origin\nrules:\n- abort: {status: 503, ", "}" },
	{ "delay", "upstream: origin\nrules:\n- {", "}" },
	{ "normal", "upstream: origin\nrules:\n- delay: {normal: {", "}}" },
	{ "lognormal", "upstream: origin\nrules:\n- delay: {lognormal: {", "}}" },
	{ "pareto", "upstream: origin\nrules:\n- delay: {pareto: {", "}}" },
	{ "ramp", "upstream: origin\nrules:\n- {abort: 503, ramp: {", "}}" },
	{ "burst", "upstream: origin\nrules:\n- {abort: 503, burst: {", "}}" },
	{ "outcome", "upstream: origin\nrules:\n- {phase: PHASE   , outcomes: [{", "}, {weight: 1, abort: 503}]}" },
	{ "step", "upstream: origin\nrules:\n- {phase: PHASE   , sequence: [{", "}]}" },
	{ "rate_limit", "upstream: origin\nrules:\n- rate_limit: {", "}" },
	{ "hang", "upstream: origin\nrules:\n- hang: {", "}" },
	{ "throttle", "upstream: origin\nrules:\n- throttle: {", "}" },
	{ "drip", "upstream: origin\nrules:\n- drip: {", "}" },
	{ "truncate", "upstream: origin\nrules:\n- truncate: {", "}" },
	{ "corrupt", "upstream: origin\nrules:\n- corrupt: {", "}" },
	{ "rewrite", "upstream: origin\nrules:\n- {phase: response, rewrite: {", "}}" },
	{ "request", "upstream: origin\nrules:\n- request: {", "}" },
	{ "edit_headers", "upstream: origin\nrules:\n- request: {headers: {", "}}" },
	{ "early_hints", "upstream: origin\nrules:\n- early_hints: {", "}" },
	{ "safety", "upstream: origin\nsafety: {", "}" },
	{ "admin", "upstream: origin\nadmin: {", "}" },
	{ "header_control", "upstream: origin\nheader_control: {", "}" },
	{ "upstream", "upstreams: {a: {", "}}" },
	{ "upstream.tls", "upstream: {url: https://api.test, tls: {", "}}" },
	{ "listener.tls", "upstream: origin\nlisteners: [{address: \":1\", tls: {", "}}]" },
	{ "listener", "upstreams: {api: origin, default: origin, web: origin}\nlisteners: [{", "}]" },
	{ "route", "upstreams: {api: origin}\nlisteners: [{address: \":1\", routes: [{", "}]}]" },
	{ "route_match", "upstream: origin\n"
		"listeners: [{address: \":1\", routes: [{upstream: default, match: {", "}}]}]" },
	{ "limits", "upstream: origin\nlimits: {", "}" },
	{ "log", "upstream: origin\nlog: {", "}" },
	{ "expect", "upstream: origin\nexpect: {", "}" },
	{ "expect_retry_after", "upstream: origin\nexpect: {retry_after: {", "}}" },
	{ "expect_attempts", "upstream: origin\nexpect: {attempts: {", "}}" },
	{ "expect_amplification", "upstream: origin\nrules: [{name: overload, abort: 503}]\nexpect: {amplification: {", "}}" },
	{ "expect_retry_budget", "upstream: origin\nexpect: {retry_budget: {", "}}" },
	{ "expect_backoff", "upstream: origin\nexpect: {backoff: {", "}}" },
	{ "expect_jitter", "upstream: origin\nexpect: {jitter: {", "}}" },
	{ "expect_herd", "upstream: origin\nexpect: {herd: {", "}}" },
	{ "expect_unsafe_retries", "upstream: origin\nexpect: {unsafe_retries: {", "}}" },
	{ "expect_idempotency_key", "upstream: origin\nexpect: {idempotency_key: {", "}}" },
	{ "expect_pointless_retries", "upstream: origin\nexpect: {pointless_retries: {", "}}" },
	{ "expect_hedging", "upstream: origin\nexpect: {hedging: {", "}}" },
	{ "expect_give_up", "upstream: origin\nexpect: {give_up: {", "}}" },
	{ "expect_client_timeout", "upstream: origin\nexpect: {client_timeout: {", "}}" },
	{ "expect_circuit_breaker", "upstream: origin\nexpect: {circuit_breaker: {", "}}" },
	{ "expect_recovery", "upstream: origin\nexpect: {recovery: {", "}}" },
	{ "expect_aftermath", "upstream: origin\nexpect: {aftermath: {", "}}" },
	{ "expect_connections", "upstream: origin\nexpect: {connections: {", "}}" },
	{ "expect_quota", "upstream: origin\nexpect: {quota: {", "}}" },
	{ "expect_handling", "upstream: origin\nexpect: {handling: {", "}}" },
	{ "expect_yield", "upstream: origin\nexpect: {yield: {", "}}" },
	{ "observe", "upstream: origin\nobserve: {", "}" },
	{ "fingerprint", "upstream: origin\nobserve: {fingerprint: {", "}}" },
};

/* What a key cannot do without. */
static const struct {
	const char *map, *key, *needs;
} companions[] = {
	{ "abort", "status", "" },
	{ "abort", "enforce", ", status: 503, retry_after: 1s" },
	{ "abort", "timeout", ", as: nginx" },
	{ "abort", "time_scale", ", as: nginx, timeout: true" },
	{ "rule", "period", ", delay: 1s, duration: 10s" },
	{ "rule", "then", ", sequence: [503]" },
	{ "rule", "rewrite", ", phase: response" },
	{ "upstream", "tls", ", url: https://api.test" },
	{ "upstream.tls", "key", ", certificate: client.pem" },
	{ "rate_limit", "limit", ", window: 1s" },
	{ "rate_limit", "window", ", limit: 5" },
};

static bool is_in(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* What else the map needs. */
static const char *companion(const struct key_map *map, const struct key *key)
{
	static const char *const whole[] = { "outcomes", "sequence", "pass", "delay", NULL };
	static char block[200];

	for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
		if (strcmp(companions[i].map, map->name) == 0 && strcmp(companions[i].key, key->name) == 0)
			return companions[i].needs;
	}
	block[0] = '\0';
	for (unsigned i = 0; i < map->n_keys; i++) {
		if (map->keys[i].required && &map->keys[i] != key)
			(void)snprintf(block + strlen(block), sizeof(block) - strlen(block), ", %s", map->keys[i].example);
	}
	if (strcmp(map->name, "abort") == 0)
		return ", status: 503";
	if (strcmp(map->name, "rate_limit") == 0)
		return ", limit: 100, window: 1m";
	if (strcmp(map->name, "rule") == 0 && !is_in(key->name, whole))
		return ", delay: 1s";
	if (strcmp(map->name, "outcome") == 0 && strcmp(key->name, "weight") == 0)
		return ", delay: 1s";
	return block;
}

/* The file around the example of a key, but for files whose key stands at its top. */
static void write_source(char *source, size_t n, const struct key_map *map, const struct key *key, const char *before,
	const char *after)
{
	char *phase;

	(void)snprintf(source, n, "%s%s%s%s\n", before, key->example, companion(map, key), after);
	/* Of one width. */
	phase = strstr(source, "phase: PHASE");
	if (phase)
		memcpy(phase, strcmp(key->name, "rewrite") == 0 ? "phase: response" : "phase: request ", 15);
}

/* A folder with the files that examples name. */
static void make_files(char *folder)
{
	static const char *const kept[] = { "maintenance.html", "samples.txt" }, *const made[] = { "ca.pem", "client.pem",
		"client.key", "server.pem", "server.key", "clients.pem" };
	char path[300];

	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		(void)snprintf(path, sizeof(path), "%s/faults/%s", CONFIG_EXAMPLES, kept[i]);
		cr_assert_eq(symlink(path, kept[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		FILE *f = fopen(made[i], "w");

		cr_assert(f);
		(void)fputs("-----BEGIN CERTIFICATE-----\n", f);
		cr_assert_eq(fclose(f), 0);
	}
}

static void remove_files(const char *folder)
{
	DIR *dir = opendir(".");
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		(void)unlink(e->d_name);
	(void)closedir(dir);
	(void)rmdir(folder);
}

Test(keys, every_example_is_accepted)
{
	char folder[] = "/tmp/brownout-keys-XXXXXX";

	make_files(folder);
	for (unsigned i = 0; i < keys_all_n; i++) {
		for (unsigned k = 0; k < keys_all[i]->n_keys; k++) {
			const struct key *key = &keys_all[i]->keys[k];
			const char *before = NULL, *after = NULL;
			char source[600];
			struct loaded l;

			for (size_t f = 0; f < ARRAY_LEN(frames); f++) {
				if (strcmp(frames[f].map, keys_all[i]->name) != 0)
					continue;
				before = frames[f].before;
				after = frames[f].after;
			}
			if (before)
				write_source(source, sizeof(source), keys_all[i], key, before, after);
			else
				(void)snprintf(source, sizeof(source), "%s\n%s", key->example,
					strncmp(key->name, "upstream",
						8) == 0 ? "listeners: [{address: \":1\", routes: []}]\nlisten: :2\n"
						: "upstream: origin\n");
			support_load(&l, source);
			if (strcmp(key->name, "upstreams") == 0)
				cr_expect(l.d.n_errors == 1 && strstr(l.text, "has no routes"), "%s", l.text);
			else
				cr_expect_eq(l.d.n_errors, 0, "%s: %s", source, l.text);
			support_free(&l);
		}
	}
	remove_files(folder);
}

static void expect_has(struct span text, const char *before, const char *name, const char *after)
{
	char wanted[200];

	(void)snprintf(wanted, sizeof(wanted), "%s%s%s", before, name, after);
	cr_expect(memmem(text.p, text.n, wanted, strlen(wanted)), "no \"%s\"", wanted);
}

Test(keys, reference_has_every_key)
{
	static const unsigned widths[] = { 0, 60, 80, 200 };

	for (size_t w = 0; w < ARRAY_LEN(widths); w++) {
		unsigned columns = MAX(widths[w], 40u);
		struct text out;

		text_init(&out);
		load_write_reference(&out, widths[w]);
		cr_assert(!out.cut);
		for (unsigned i = 0; i < keys_all_n; i++) {
			for (unsigned k = 0; k < keys_all[i]->n_keys && !keys_all[i]->like; k++) {
				expect_has(text_span(&out), "\n  ", keys_all[i]->keys[k].name, ": ");
				expect_has(text_span(&out), "Example: ", keys_all[i]->keys[k].example, "\n");
			}
		}
		for (struct span rest = text_span(&out); rest.n; rest = span_skip(rest, span_find(rest, '\n') + 1)) {
			struct span line = span_first(rest, span_find(rest, '\n'));

			/* Only what cannot be broken is longer: an example, a word. */
			cr_expect(line.n <= columns || memmem(line.p, line.n, "Example:", 8) || span_trim(line).n > columns - 7 ||
				span_find(span_trim(line), ' ') == span_trim(line).n, "%.*s", SPAN_ARG(line));
			cr_expect(line.n == 0 || line.p[line.n - 1] != ' ', "\"%.*s\"", SPAN_ARG(line));
		}
		text_deinit(&out);
	}
}

Test(keys, reference_says_type_range_and_default)
{
	static const char *const lines[] = {
		"  percentage: percentage, 0 to 100; default: 100\n",
		"  phase: request | response; default: request\n",
		"  max_header_bytes: size, 1KiB to 1MiB; default: 64KiB\n",
		"  connect_timeout: duration, 1ms to 24h; default: 5s\n",
		"  workers: count | auto, 1 to 256; default: auto\n",
		"  delay: duration | mapping\n",
		"  exclude: path | mapping, or a list of these\n",
		"  upstreams: names to url | mapping\n",
		"  sequence: list of pass | status | mapping\n",
		"  trace: text; default: off\n",
		"rules[].abort\n",
		"rules[].match\n",
		"listeners[].routes[]\n",
		"limits\n",
	};
	struct text out;

	text_init(&out);
	load_write_reference(&out, 80);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect_has(text_span(&out), "\n", lines[i], "");
	text_deinit(&out);
}

static struct text reference_of(const char *name, int rc, const char *meant)
{
	struct suggestion s;
	struct text out;

	text_init(&out);
	cr_expect_eq(load_write_reference_of(&out, 80, span_of_string(name), &s), rc, "%s", name);
	expect_span(s.best, meant);
	text_put_char(&out, '\0');
	return out;
}

/* Where it stands, and what is below it; nothing else. */
Test(keys, reference_of_one)
{
	struct text out = reference_of("drip", 0, "drip");

	cr_expect(strstr(out.p, "rules[]\n  drip: duration | mapping\n") == out.p, "%s", out.p);
	cr_expect(strstr(out.p, "\n\nrules[].drip\n") && strstr(out.p, "\n  bytes: size, 1B to 1MiB; default: 1B\n"), "%s",
		out.p);
	cr_expect(!strstr(out.p, "throttle") && !strstr(out.p, "corrupt"), "%s", out.p);
	text_deinit(&out);
	out = reference_of("window", 0, "window");
	cr_expect(strstr(out.p, "rules[].rate_limit\n  window: ") && strstr(out.p, "\n\nexpect.retry_budget\n  window: "),
		"%s", out.p);
	text_deinit(&out);
	out = reference_of("percentge", 1, "percentage");
	cr_expect_str_eq(out.p, "");
	text_deinit(&out);
}

/* The schema is YAML as well, so our own reader shows that it is whole. */
Test(keys, schema_has_every_key)
{
	struct diagnostics d = { 0 };
	struct yaml_tree tree;
	struct arena *arena = arena_new();
	struct text out;
	const struct yaml_node *defs;

	text_init(&out);
	load_write_schema(&out);
	cr_assert_eq(yaml_tree_read(&tree, arena, text_span(&out), &d), 0, "%s", d.n ? d.v[0].message : "");
	cr_assert_eq(d.n, 0);
	/* A word that YAML takes for a truth value is one in the schema as well. */
	cr_expect(!memmem(out.p, out.n, "\"true\"", 6) && memmem(out.p, out.n, "true", 4));
	expect_span(yaml_node_get(tree.root, "$ref")->text, "#/$defs/file");
	defs = yaml_node_get(tree.root, "$defs");
	cr_assert_not_null(defs);
	cr_expect_eq(defs->n, keys_all_n);
	for (unsigned i = 0; i < keys_all_n; i++) {
		const struct yaml_node *properties = yaml_node_get(yaml_node_get(defs, keys_all[i]->name), "properties");

		cr_assert_not_null(properties, "%s", keys_all[i]->name);
		cr_expect_eq(properties->n, keys_all[i]->n_keys);
		for (unsigned k = 0; k < keys_all[i]->n_keys; k++) {
			const struct yaml_node *property = yaml_node_get(properties, keys_all[i]->keys[k].name);

			cr_assert_not_null(property, "%s.%s", keys_all[i]->name, keys_all[i]->keys[k].name);
			expect_span(yaml_node_get(property, "description")->text, keys_all[i]->keys[k].description);
		}
	}
	diagnostics_deinit(&d);
	text_deinit(&out);
	arena_free(arena);
}

static void check_file(const char *path)
{
	struct text source;
	struct loaded l;

	cr_assert_eq(load_read_file(path, &source), 0, "%s", path);
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_assert_not_null(l.plan, "%s: %s", path, l.text);
	cr_expect_eq(l.d.n, 0, "%s: %s", path, l.text);
	cr_expect_gt(l.plan->rules.n, 0);
	expect_span(l.plan->upstreams[0].authority, "127.0.0.1:9000");
	support_free(&l);
	text_deinit(&source);
}

/* The rule files of a folder are good as they stand, with nothing in the environment, and say nothing odd. */
static unsigned check_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned n = 0;

	cr_assert(dir && chdir(path) == 0, "%s", path);
	while ((entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');

		if (!end || strcmp(end, ".yaml") != 0)
			continue;
		check_file(entry->d_name);
		n++;
	}
	(void)closedir(dir);
	return n;
}

Test(keys, example_files)
{
	cr_expect_geq(check_folder(CONFIG_EXAMPLES), 5);
	cr_expect_geq(check_folder(CONFIG_EXAMPLES "/faults"), 15);
	cr_expect_geq(check_folder(CONFIG_EXAMPLES "/rehearsals"), 6);
}
