/*
 * ctl_rules: the verbs that change rules, or all of them.
 */
#include <errno.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/ctl.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/table.h"
#include "config/load.h"

#define TYPE_JSON "application/json"
#define TYPE_YAML "application/yaml"

/* ---- showing ---- */

static void put_state(struct table *t, const struct admin_value *rule)
{
	bool enabled = admin_value_is_true(admin_value_get(rule, "enabled"));
	bool dry = admin_value_is_true(admin_value_get(rule, "dry_run"));

	table_put(t, !enabled ? SPAN("off") : dry ? SPAN("dry run") : SPAN("on"));
}

/* By weight where a rule has no percentage. */
static void put_percentage(struct table *t, const struct admin_value *percentage)
{
	if (admin_value_is_null(percentage))
		table_put(t, SPAN("weights"));
	else
		table_printf(t, "%.8g", admin_value_number(percentage));
}

static void put_faults(struct table *t, const struct admin_value *faults)
{
	struct text names;

	text_init(&names);
	for (size_t i = 0; i < admin_value_count(faults); i++) {
		text_put_string(&names, i ? ", " : "");
		text_put_span(&names, admin_value_text(admin_value_at(faults, i)));
	}
	table_put(t, text_span(&names));
	text_deinit(&names);
}

static void put_row(struct table *t, const struct admin_value *rule)
{
	table_put(t, ctl_text(rule, "name"));
	put_state(t, rule);
	put_percentage(t, admin_value_get(rule, "percentage"));
	table_put(t, ctl_text(rule, "phase"));
	put_faults(t, admin_value_get(rule, "faults"));
	table_put_u64(t, ctl_count(rule, "matched"));
	table_put_u64(t, ctl_count(rule, "fired"));
	table_put_u64(t, ctl_count(rule, "dry"));
	table_put_u64(t, ctl_count(rule, "refused"));
	table_put_u64(t, ctl_count(rule, "active"));
}

#define TITLES "RULE|STATE|>PERCENT|PHASE|FAULTS|>MATCHED|>FIRED|>DRY|>REFUSED|>ACTIVE"

void ctl_put_rules(struct text *out, const struct admin_value *rules)
{
	struct table t;

	table_init(&t, TITLES);
	for (size_t i = 0; i < admin_value_count(rules); i++)
		put_row(&t, admin_value_at(rules, i));
	table_write(&t, out);
	table_deinit(&t);
	if (admin_value_count(rules) == 0)
		text_put_literal(out, "there are no rules\n");
}

/* Its row, and its text below. */
static void put_rule(struct text *out, const struct admin_value *rule)
{
	struct span rest = ctl_text(rule, "text");
	struct table t;

	table_init(&t, TITLES);
	put_row(&t, rule);
	table_write(&t, out);
	table_deinit(&t);
	text_put_char(out, '\n');
	while (rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n'));

		text_put_literal(out, "  ");
		text_put_shown(out, line);
		text_put_char(out, '\n');
		rest = span_skip(rest, line.n + 1);
	}
}

/* A rule that is on does nothing where all are disarmed. */
static void put_disarmed(struct text *out, const struct admin_value *status)
{
	if (!admin_value_is_true(admin_value_get(status, "armed")))
		text_put_literal(out, "disarmed: no fault is decided before brownout ctl arm\n");
}

int ctl_rules(struct ctl *c)
{
	struct text path;
	int rc;

	text_init(&path);
	if (c->n_args)
		ctl_put_rule_path(&path, c->args[0]);
	else
		text_put_literal(&path, "/v1/rules");
	text_put_char(&path, '\0');
	if (path.cut)
		rc = EXIT_CODE_FAILED;
	else if (c->n_args)
		rc = ctl_show(c, path.p, NULL, put_rule);
	else
		rc = ctl_show(c, path.p, "rules", ctl_put_rules);
	text_deinit(&path);
	return rc == EXIT_CODE_OK && !c->json ? ctl_show(c, "/v1/status", NULL, put_disarmed) : rc;
}

/* ---- changing ---- */

/* One request about a rule; the rule that it has become is shown as JSON where that is wanted, else in one line. */
static int change(struct ctl *c, const char *method, const char *name, const char *query, const char *type, struct span body,
	const char *done)
{
	struct admin_reply reply;
	struct text path;
	int rc;

	text_init(&path);
	ctl_put_rule_path(&path, name);
	text_put_string(&path, query);
	text_put_char(&path, '\0');
	rc = path.cut ? EXIT_CODE_FAILED : ctl_ask(c, method, path.p, type, body, &reply);
	text_deinit(&path);
	if (rc != EXIT_CODE_OK)
		return rc;
	return ctl_say(c, &reply, "%s: %s", name, reply.status == 201 ? "added" : done);
}

/* Each of the arguments, until one fails. */
static int change_each(struct ctl *c, const char *method, struct span body, const char *done)
{
	int rc = EXIT_CODE_OK;

	for (int i = 0; i < c->n_args && rc == EXIT_CODE_OK; i++)
		rc = change(c, method, c->args[i], "", body.n ? TYPE_JSON : NULL, body, done);
	return rc;
}

int ctl_enable(struct ctl *c)
{
	return change_each(c, "PATCH", SPAN("{\"enabled\":true}"), "enabled");
}

int ctl_disable(struct ctl *c)
{
	return change_each(c, "PATCH", SPAN("{\"enabled\":false}"), "disabled");
}

int ctl_remove(struct ctl *c)
{
	return change_each(c, "DELETE", SPAN_EMPTY, "removed");
}

#define SETTINGS_MAX 100
#define SETTING_DEPTH_MAX 16 /* names in a key; rules are not as deep */

struct setting {
	struct span key; /* of what is left to do: names apart by dots */
	struct span value;
};

static struct span first_name(struct span key)
{
	return span_first(key, span_find(key, '.'));
}

/* 25, true, null, ["GET"], {"path": "/x"} as they are; all else is a text. */
static void put_value(struct json *j, struct span value)
{
	if (admin_value_is_json(value))
		json_raw(j, value);
	else
		json_span(j, value);
}

/* match.path=/x and match.method=GET are one mapping with two keys. */
static void put_settings(struct json *j, const struct setting *v, unsigned n)
{
	bool done[SETTINGS_MAX] = { false };

	json_begin_object(j);
	for (unsigned i = 0; i < n; i++) {
		struct setting below[SETTINGS_MAX];
		struct span name = first_name(v[i].key);
		unsigned n_below = 0;

		if (done[i])
			continue;
		for (unsigned k = i; k < n; k++) {
			if (done[k] || !span_eq(first_name(v[k].key), name))
				continue;
			done[k] = true;
			if (name.n < v[k].key.n)
				below[n_below++] = (struct setting){ span_skip(v[k].key, name.n + 1), v[k].value };
		}
		json_key_span(j, name);
		if (n_below)
			put_settings(j, below, n_below);
		else
			put_value(j, v[i].value);
	}
	json_end_object(j);
}

/* False after a word on standard error. */
static bool take_setting(struct setting *setting, const char *argument)
{
	struct span s = span_of_string(argument);
	size_t equals = span_find(s, '=');
	struct span rest = span_first(s, equals);
	unsigned depth = 0;

	*setting = (struct setting){ rest, span_skip(s, equals + 1) };
	while (equals < s.n && rest.p) {
		struct span name = first_name(rest);

		if (name.n == 0 || ++depth > SETTING_DEPTH_MAX)
			break;
		if (name.n == rest.n)
			return true;
		rest = span_skip(rest, name.n + 1);
	}
	log_error("ctl: set: %.100s is not KEY=VALUE", argument);
	return false;
}

/* Neither "a" and "a.b" nor the same key twice. */
static bool agree(const struct setting *a, const struct setting *b)
{
	const struct setting *shorter = a->key.n < b->key.n ? a : b, *longer = shorter == a ? b : a;

	struct span more = span_skip(longer->key, shorter->key.n);

	if (!span_starts_with(longer->key, shorter->key) || (more.n && more.p[0] != '.'))
		return true;
	log_error("ctl: set: %.*s is set twice", SPAN_ARG(shorter->key));
	return false;
}

int ctl_set(struct ctl *c)
{
	struct setting v[SETTINGS_MAX];
	unsigned n = 0;
	struct text body;
	struct json j;
	int rc;

	for (int i = 1; i < c->n_args; i++, n++) {
		if (!take_setting(&v[n], c->args[i]))
			return EXIT_CODE_USAGE;
		for (unsigned k = 0; k < n; k++) {
			if (!agree(&v[k], &v[n]))
				return EXIT_CODE_USAGE;
		}
	}
	text_init(&body);
	json_init(&j, &body, 0);
	put_settings(&j, v, n);
	rc = change(c, "PATCH", c->args[0], "", TYPE_JSON, text_span(&body), "set");
	text_deinit(&body);
	return rc;
}

/* ---- from files ---- */

static int read_file(const char *file, struct text *source)
{
	int r = load_read_file(file, source);

	if (r < 0)
		log_error("ctl: %s: %s", file, r == -EFBIG ? "more than 1 MiB" : strerror(-r));
	return r < 0 ? EXIT_CODE_USAGE : EXIT_CODE_OK;
}

int ctl_put(struct ctl *c)
{
	struct text source, query;
	int rc = read_file(c->args[1], &source);

	if (rc != EXIT_CODE_OK)
		return rc;
	text_init(&query);
	if (c->before) {
		text_put_literal(&query, "?before=");
		ctl_put_encoded(&query, c->before);
	}
	text_put_char(&query, '\0');
	rc = query.cut ? EXIT_CODE_FAILED : change(c, "PUT", c->args[0], query.p, TYPE_YAML, text_span(&source), "replaced");
	text_deinit(&query);
	text_deinit(&source);
	return rc;
}

static void put_lines(struct text *out, const char *what, const struct admin_value *lines)
{
	for (size_t i = 0; i < admin_value_count(lines); i++) {
		const struct admin_value *line = admin_value_at(lines, i);
		uint64_t number = ctl_count(line, "line");

		text_put_string(out, what);
		if (number)
			text_printf(out, "%llu:%llu: ", (unsigned long long)number,
				(unsigned long long)ctl_count(line, "column"));
		text_put_shown(out, admin_value_text(line));
		text_put_shown(out, ctl_text(line, "message"));
		text_put_char(out, '\n');
	}
}

static void put_loaded(struct text *out, const struct admin_value *v)
{
	put_lines(out, "warning: ", admin_value_get(v, "warnings"));
	put_lines(out, "note: ", admin_value_get(v, "notes"));
	text_printf(out, "generation %llu is in force\n", (unsigned long long)ctl_count(v, "generation"));
}

/* What has come of a new file. */
static int show_loaded(struct ctl *c, const char *method, const char *target, const char *type, struct span body)
{
	struct admin_reply reply;
	struct admin_value *v;
	struct text out;
	int rc = ctl_ask(c, method, target, type, body, &reply);

	if (rc != EXIT_CODE_OK)
		return rc;
	text_init(&out);
	v = admin_value_parse(text_span(&reply.body));
	if (c->json)
		text_put_span(&out, text_span(&reply.body));
	else
		put_loaded(&out, v);
	admin_value_free(v);
	text_deinit(&reply.body);
	return output_write(&out);
}

int ctl_reload(struct ctl *c)
{
	return show_loaded(c, "POST", "/v1/reload", NULL, SPAN_EMPTY);
}

int ctl_config(struct ctl *c)
{
	struct admin_reply reply;
	struct text source;
	int rc;

	if (c->n_args == 0) {
		rc = ctl_ask(c, "GET", "/v1/config", NULL, SPAN_EMPTY, &reply);
		return rc == EXIT_CODE_OK ? output_write(&reply.body) : rc;
	}
	rc = read_file(c->args[0], &source);
	if (rc != EXIT_CODE_OK)
		return rc;
	rc = show_loaded(c, "PUT", "/v1/config", TYPE_YAML, text_span(&source));
	text_deinit(&source);
	return rc;
}
