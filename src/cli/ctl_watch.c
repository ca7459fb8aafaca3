/*
 * ctl_watch: the verbs that look: status, what is under way, top, tail; and the switches, which say what they have done.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/ctl.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/table.h"

#define TYPE_JSON "application/json"
#define TAIL_RATE "10000" /* exchanges a second at most */

static bool is_true(const struct admin_value *object, const char *key)
{
	return admin_value_is_true(admin_value_get(object, key));
}

/* ---- switches ---- */

/* A POST that says in a line, or as it came, what has come of it. */
static int post(struct ctl *c, const char *target, struct span body, const char *done)
{
	struct admin_reply reply;
	int rc = ctl_ask(c, "POST", target, body.n ? TYPE_JSON : NULL, body, &reply);

	return rc == EXIT_CODE_OK ? ctl_say(c, &reply, "%s", done) : rc;
}

int ctl_disarm(struct ctl *c)
{
	return post(c, "/v1/disarm", c->keep_held ? SPAN("{\"held\":\"keep\"}") : SPAN("{\"held\":\"release\"}"),
		c->keep_held ? "disarmed; what was held stays held" : "disarmed; what was held goes on");
}

int ctl_arm(struct ctl *c)
{
	return post(c, "/v1/arm", SPAN_EMPTY, "armed");
}

int ctl_reset(struct ctl *c)
{
	return post(c, "/v1/counters/reset", SPAN_EMPTY, "counts of rules begin at 0");
}

/* ---- status ---- */

static void put_places(struct text *out, const char *what, const struct admin_value *list, const char *key)
{
	for (size_t i = 0; i < admin_value_count(list); i++) {
		const struct admin_value *place = admin_value_at(list, i);

		text_printf(out, "%s ", what);
		text_put_shown(out, ctl_text(place, "name"));
		text_put_literal(out, " is ");
		text_put_shown(out, ctl_text(place, key));
		text_put_char(out, '\n');
	}
}

/* "1 rule", "2 rules" */
static void put_number_of(struct text *out, uint64_t n, const char *what)
{
	text_put_u64(out, n);
	text_put_char(out, ' ');
	text_put_string(out, what);
	text_put_string(out, n == 1 ? "" : "s");
}

static void put_status(struct text *out, const struct admin_value *v)
{
	text_put_literal(out, "brownout ");
	text_put_shown(out, ctl_text(v, "version"));
	text_put_literal(out, ", up ");
	ctl_put_duration(out, ctl_number(v, "uptime_s"));
	text_put_string(out, is_true(v, "draining") ? ", stopping" : "");
	text_put_string(out, is_true(v, "armed") ? ", armed\n" : ", DISARMED: no fault is decided\n");
	put_number_of(out, ctl_count(v, "rules"), "rule");
	text_printf(out, ", generation %.0f, seed ", ctl_number(v, "generation"));
	text_put_shown(out, ctl_text(v, "seed"));
	text_put_literal(out, ", ");
	put_number_of(out, ctl_count(v, "workers"), "worker");
	text_put_char(out, '\n');
	if (!admin_value_is_null(admin_value_get(v, "file"))) {
		text_put_literal(out, "rule file ");
		text_put_shown(out, ctl_text(v, "file"));
		text_put_char(out, '\n');
	}
	put_places(out, "listener", admin_value_get(v, "listeners"), "address");
	put_places(out, "upstream", admin_value_get(v, "upstreams"), "url");
}

/* ---- what is under way ---- */

static void put_exchanges(struct text *out, const struct admin_value *v)
{
	const struct admin_value *list = admin_value_get(v, "exchanges");
	struct table t;

	table_init(&t, "ID|>AGE|STATE|RULE|METHOD|TARGET|UPSTREAM|>STATUS");
	for (size_t i = 0; i < admin_value_count(list); i++) {
		const struct admin_value *e = admin_value_at(list, i);

		table_put(&t, ctl_text(e, "id"));
		table_printf(&t, "%.3f s", ctl_number(e, "age_s"));
		table_put(&t, ctl_text(e, "state"));
		table_put(&t, ctl_text(e, "rule"));
		table_put(&t, ctl_text(e, "method"));
		table_put(&t, ctl_text(e, "target"));
		table_put(&t, ctl_text(e, "upstream"));
		if (ctl_number(e, "status") > 0)
			table_printf(&t, "%.0f", ctl_number(e, "status"));
		else
			table_put(&t, SPAN("-"));
	}
	table_write(&t, out);
	table_deinit(&t);
	text_printf(out, "%.0f under way\n", ctl_number(v, "total"));
}

int ctl_status(struct ctl *c)
{
	return ctl_show(c, "/v1/status", NULL, put_status);
}

int ctl_exchanges(struct ctl *c)
{
	return ctl_show(c, "/v1/exchanges", NULL, put_exchanges);
}

/* ---- verdict ---- */

static void put_verdict(struct text *out, const struct admin_value *v)
{
	const struct admin_value *checks = admin_value_get(v, "checks");
	struct table t;

	text_put_literal(out, "verdict so far: ");
	text_put_shown(out, ctl_text(v, "verdict"));
	text_put_char(out, '\n');
	table_init(&t, "CHECK|STATUS|>SAMPLES|WHAT");
	for (size_t i = 0; i < admin_value_count(checks); i++) {
		const struct admin_value *check = admin_value_at(checks, i);

		if (span_eq(ctl_text(check, "status"), SPAN("not_applicable")))
			continue;
		table_put(&t, ctl_text(check, "name"));
		table_put(&t, ctl_text(check, "status"));
		table_put_u64(&t, ctl_count(check, "samples"));
		table_put(&t, ctl_text(check, "text"));
	}
	table_write(&t, out);
	table_deinit(&t);
}

int ctl_verdict(struct ctl *c)
{
	return ctl_show(c, "/v1/verdict", NULL, put_verdict);
}

/* ---- top ---- */

/* The last second. */
static void put_second(struct text *out, const struct admin_value *sample)
{
	static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

	text_put_literal(out, "requests ");
	ctl_put_rate(out, ctl_number(sample, "requests"));
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (ctl_number(sample, classes[i]) <= 0)
			continue;
		text_printf(out, "  %s ", classes[i]);
		ctl_put_rate(out, ctl_number(sample, classes[i]));
	}
	text_put_literal(out, "  faults ");
	ctl_put_rate(out, ctl_number(sample, "faults"));
	text_put_literal(out, "  upstream failures ");
	ctl_put_rate(out, ctl_number(sample, "failures"));
	text_printf(out, "\nactive %.0f  held %.0f", ctl_number(sample, "active"), ctl_number(sample, "held"));
	if (!admin_value_is_null(admin_value_get(sample, "delay_intended_s"))) {
		text_put_literal(out, "  delay ");
		ctl_put_duration(out, ctl_number(sample, "delay_intended_s"));
		text_put_literal(out, " intended, ");
		ctl_put_duration(out, ctl_number(sample, "delay_actual_s"));
		text_put_literal(out, " actual");
	}
	text_put_char(out, '\n');
}

/* Of none there is no median. */
static void put_times(struct text *out, const char *what, const struct admin_value *times)
{
	text_put_string(out, what);
	if (ctl_count(times, "count") == 0) {
		text_put_literal(out, " -");
		return;
	}
	text_put_char(out, ' ');
	ctl_put_duration(out, ctl_number(times, "p50_s"));
	text_put_literal(out, " p50, ");
	ctl_put_duration(out, ctl_number(times, "p99_s"));
	text_put_literal(out, " p99");
}

struct top {
	struct admin_value *status, *totals, *history, *rules;
};

static void put_top(struct text *out, const struct top *top)
{
	const struct admin_value *samples = admin_value_get(top->history, "samples");

	put_status(out, top->status);
	text_put_char(out, '\n');
	if (admin_value_count(samples))
		put_second(out, admin_value_at(samples, admin_value_count(samples) - 1));
	text_printf(out, "in all %.0f requests, %.0f upstream failures, %.0f refused, %.0f clients left\n",
		ctl_number(top->totals, "requests"), ctl_number(top->totals, "upstream_failures"),
		ctl_number(top->totals, "rejected"), ctl_number(top->totals, "clients_left"));
	put_times(out, "request", admin_value_get(top->totals, "request_time"));
	put_times(out, "  upstream", admin_value_get(top->totals, "upstream_time"));
	put_times(out, "  delay error", admin_value_get(top->totals, "delay_error"));
	text_put_literal(out, "\n\n");
	ctl_put_rules(out, admin_value_get(top->rules, "rules"));
}

static int get(struct ctl *c, const char *target, struct admin_value **value)
{
	struct admin_reply reply;
	int rc = ctl_get(c, target, &reply, value);

	if (rc == EXIT_CODE_OK)
		text_deinit(&reply.body);
	return rc;
}

static int look(struct ctl *c, struct text *out)
{
	struct top top = { 0 };
	int rc = get(c, "/v1/status", &top.status);

	if (rc == EXIT_CODE_OK)
		rc = get(c, "/v1/totals", &top.totals);
	if (rc == EXIT_CODE_OK)
		rc = get(c, "/v1/history", &top.history);
	if (rc == EXIT_CODE_OK)
		rc = get(c, "/v1/rules?text=0", &top.rules);
	if (rc == EXIT_CODE_OK)
		put_top(out, &top);
	admin_value_free(top.status);
	admin_value_free(top.totals);
	admin_value_free(top.history);
	admin_value_free(top.rules);
	return rc;
}

/* From the top left, and what is right of each line and below all is wiped: it would flicker if all were wiped first. */
static void put_screen(struct text *out, struct span lines)
{
	text_put_literal(out, "\x1b[H");
	while (lines.n) {
		struct span line = span_first(lines, span_find(lines, '\n'));

		text_put_span(out, line);
		text_put_literal(out, "\x1b[K\n");
		lines = span_skip(lines, line.n + 1);
	}
	text_put_literal(out, "\x1b[J");
}

static int show_top(struct ctl *c, bool terminal)
{
	struct text out, screen;
	int rc;

	text_init(&out);
	rc = look(c, &out);
	if (rc == EXIT_CODE_OK && !terminal)
		return output_write(&out);
	text_init(&screen);
	if (rc == EXIT_CODE_OK) {
		put_screen(&screen, text_span(&out));
		rc = output_write(&screen);
	}
	text_deinit(&out);
	return rc;
}

int ctl_top(struct ctl *c)
{
	bool terminal = isatty(STDOUT_FILENO);
	uint64_t left = c->count ? c->count : terminal && !c->json ? UINT64_MAX : 1;
	int rc = EXIT_CODE_OK;

	while (rc == EXIT_CODE_OK && left--) {
		rc = c->json ? ctl_show(c, "/v1/totals", NULL, put_status) : show_top(c, terminal);
		if (rc == EXIT_CODE_OK && left)
			(void)sleep(1);
	}
	return rc;
}

/* ---- tail ---- */

struct tail {
	struct ctl *c;
	uint64_t left;
	int rc;
};

/* "12:00:01.234 503  GET /checkout  0.3 ms  rule one: abort" */
static void put_exchange(struct text *out, const struct admin_value *e)
{
	struct span time = ctl_text(e, "time");
	struct span rule = ctl_text(e, "rule");

	text_put_shown(out, span_first(span_skip(time, 11), 12));
	if (ctl_number(e, "status") > 0)
		text_printf(out, " %3.0f ", ctl_number(e, "status"));
	else
		text_put_literal(out, "  -  ");
	text_put_shown(out, ctl_text(e, "method"));
	text_put_char(out, ' ');
	text_put_shown(out, ctl_text(e, "target"));
	text_put_literal(out, "  ");
	ctl_put_duration(out, ctl_number(e, "request_time"));
	if (rule.n) {
		text_put_literal(out, "  rule ");
		text_put_shown(out, rule);
		text_put_literal(out, ": ");
		text_put_shown(out, ctl_text(e, "fault"));
	}
	if (ctl_number(e, "delay") > 0) {
		text_put_literal(out, ", delayed ");
		ctl_put_duration(out, ctl_number(e, "delay"));
	}
	if (ctl_text(e, "failure").n) {
		text_put_literal(out, "  upstream: ");
		text_put_shown(out, ctl_text(e, "failure"));
	}
	if (ctl_text(e, "reject").n) {
		text_put_literal(out, "  refused: ");
		text_put_shown(out, ctl_text(e, "reject"));
	}
	if (ctl_text(e, "close").n && !span_eq(ctl_text(e, "close"), SPAN("complete"))) {
		text_put_literal(out, "  ");
		text_put_shown(out, ctl_text(e, "close"));
	}
	text_put_char(out, '\n');
}

static bool take_event(void *arg, struct span name, struct span data)
{
	struct tail *tail = arg;
	struct admin_value *v;
	struct text out;

	if (!span_eq(name, SPAN("exchange")))
		return true;
	text_init(&out);
	if (tail->c->json) {
		text_put_span(&out, data);
		text_put_char(&out, '\n');
	} else {
		v = admin_value_parse(data);
		put_exchange(&out, v);
		admin_value_free(v);
	}
	tail->rc = output_write(&out);
	return tail->rc == EXIT_CODE_OK && --tail->left > 0;
}

/* Of a rule that there is not nothing would ever be said. */
static int find_rule(struct ctl *c)
{
	struct admin_reply reply;
	struct text path;
	int rc;

	text_init(&path);
	ctl_put_rule_path(&path, c->rule);
	text_put_char(&path, '\0');
	rc = path.cut ? EXIT_CODE_FAILED : ctl_ask(c, "GET", path.p, NULL, SPAN_EMPTY, &reply);
	if (rc == EXIT_CODE_OK)
		text_deinit(&reply.body);
	text_deinit(&path);
	return rc;
}

/* Before there were as many as were wanted; without a number it is how a tail ends. */
static int say_ended(const struct ctl *c)
{
	log_info("ctl: brownout has ended, or closed the connection");
	return c->count ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int ctl_tail(struct ctl *c)
{
	struct tail tail = { c, c->count ? c->count : UINT64_MAX, EXIT_CODE_OK };
	struct admin_reply reply;
	struct text target;
	int r;

	if (c->rule && (r = find_rule(c)) != EXIT_CODE_OK)
		return r;
	text_init(&target);
	text_put_literal(&target, "/v1/events?exchanges=" TAIL_RATE);
	text_put_string(&target, c->faulted ? "&faulted=1" : "");
	if (c->rule) {
		text_put_literal(&target, "&rule=");
		ctl_put_encoded(&target, c->rule);
	}
	r = admin_client_stream(&c->client, text_span(&target), take_event, &tail, &reply);
	text_deinit(&target);
	if (r < 0)
		tail.rc = ctl_fail(c, r);
	else if (r > 0)
		tail.rc = ctl_refuse(&reply);
	else if (tail.rc == EXIT_CODE_OK && tail.left)
		tail.rc = say_ended(c);
	text_deinit(&reply.body);
	return tail.rc;
}
