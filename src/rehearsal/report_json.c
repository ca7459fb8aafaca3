/*
 * report_json: every number of a verdict. Members stand in a fixed order, so that two verdicts can be compared line by line.
 * Words of 64 bits are texts, since most readers of JSON keep 53: the seed decimal, ids and hashes hexadecimal. Times are in
 * seconds.
 */
#include "base/json.h"
#include "base/wall_time.h"
#include "rehearsal/report.h"

#define VERDICT_VERSION 1

static void member_double(struct json *j, const char *key, double v)
{
	json_key(j, key);
	json_double(j, v);
}

/* Exact to the nanosecond. */
static void member_seconds(struct json *j, const char *key, int64_t ns)
{
	char block[32];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	text_put_seconds(&t, ns, 9);
	json_key(j, key);
	json_raw(j, text_span(&t));
}

/* null where it is not there. */
static void member_optional(struct json *j, const char *key, bool there, struct span s)
{
	json_key(j, key);
	if (there)
		json_span(j, s);
	else
		json_none(j);
}

/* NULL or empty: none. */
static void member_text(struct json *j, const char *key, const char *s)
{
	member_optional(j, key, s && *s, span_of_string(s ? s : ""));
}

static double in_unit(enum expect_unit unit, double value)
{
	return unit == EXPECT_UNIT_TIME ? value / 1e9 : value;
}

static const char *unit_name(enum expect_unit unit)
{
	static const char *const names[] = {
		[EXPECT_UNIT_COUNT] = "count",
		[EXPECT_UNIT_FACTOR] = "factor",
		[EXPECT_UNIT_SHARE] = "share",
		[EXPECT_UNIT_TIME] = "seconds",
		[EXPECT_UNIT_FLAG] = "flag",
	};

	return names[unit];
}

/* ---- the run ---- */

static void write_command(struct json *j, const struct verdict_run *run)
{
	json_key(j, "command");
	json_begin_array(j);
	for (unsigned i = 0; run->command && run->command[i]; i++)
		json_c_string(j, run->command[i]);
	json_end_array(j);
	json_key(j, "command_exit");
	if (run->child_exit >= 0)
		json_i64(j, run->child_exit);
	else
		json_none(j);
}

static void write_run(struct json *j, const struct verdict *v)
{
	static const char *const inconclusive[] = {
		[EXPECT_INCONCLUSIVE_PASS] = "pass",
		[EXPECT_INCONCLUSIVE_WARN] = "warn",
		[EXPECT_INCONCLUSIVE_FAIL] = "fail",
	};
	const struct verdict_run *run = &v->run;
	char block[MAX(WALL_TIME_BYTES, 24)];
	struct text t;

	json_member_u64(j, "version", VERDICT_VERSION);
	json_member_string(j, "verdict", check_status_name(v->status));
	json_member_bool(j, "judged", !run->unjudged);
	json_member_bool(j, "so_far", run->live);
	json_member_string(j, "profile", expect_profile_name(v->profile));
	json_member_string(j, "inconclusive", inconclusive[v->inconclusive]);
	text_init_fixed(&t, block, sizeof(block));
	text_put_u64(&t, run->seed);
	member_optional(j, "seed", run->has_seed, text_span(&t));
	member_text(j, "rules_file", run->rules_file);
	json_member_hex(j, "rules_hash", run->rules_hash);
	write_command(j, run);
	text_clear(&t);
	wall_time_write(&t, run->started_wall_ns);
	member_optional(j, "started", run->started_wall_ns != 0, text_span(&t));
	member_seconds(j, "duration", run->duration_ns);
	member_text(j, "reproduce", run->reproduce);
}

static void write_totals(struct json *j, const struct verdict_totals *t)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = { { "requests", t->requests }, { "logical", t->logical }, { "retries", t->retries }, { "faults", t->faults },
		{ "clients", t->clients }, { "gave_up", t->gave_up }, { "evicted", t->evicted },
		{ "not_identifiable", t->not_identifiable } };

	json_key(j, "totals");
	json_begin_object(j);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		json_member_u64(j, rows[i].name, rows[i].n);
	json_end_object(j);
}

static void write_contrast(struct json *j, const struct verdict_contrast *c)
{
	json_key(j, "contrast");
	if (!c->measured) {
		json_none(j);
		return;
	}
	json_begin_object(j);
	json_member_bool(j, "identifiable", c->identifiable);
	member_seconds(j, "window", c->window_ns);
	json_member_u64(j, "n_faulted", c->n_faulted);
	json_member_u64(j, "n_others", c->n_others);
	member_double(j, "p_faulted", c->p_faulted);
	member_double(j, "p_others", c->p_others);
	member_double(j, "retries_per_fault", c->retries_per_fault);
	member_double(j, "standard_error", c->standard_error);
	json_end_object(j);
}

static void write_rules(struct json *j, const struct verdict *v)
{
	json_key(j, "rules");
	json_begin_array(j);
	for (unsigned i = 0; i < v->n_rules; i++) {
		json_begin_object(j);
		json_member_string(j, "name", v->rules[i].name);
		json_member_bool(j, "required", v->rules[i].required);
		json_member_u64(j, "fired", v->rules[i].fired);
		json_end_object(j);
	}
	json_end_array(j);
}

/* ---- checks ---- */

static void write_limit(struct json *j, const struct measure *m, enum expect_unit unit)
{
	json_key(j, "limit");
	if (m->limit.severity == EXPECT_OFF) {
		json_none(j);
		return;
	}
	json_begin_object(j);
	json_member_string(j, "way", expect_way_sign((enum expect_way)m->limit.way));
	member_double(j, "value", in_unit(unit, m->limit.value));
	json_member_string(j, "severity", m->limit.severity == EXPECT_FAIL ? "fail" : "warn");
	json_end_object(j);
}

static void write_measure(struct json *j, const struct measure *m)
{
	enum expect_key key = (enum expect_key)m->key;
	enum expect_unit unit = expect_key_unit(key);

	json_begin_object(j);
	json_member_string(j, "group", expect_key_group(key));
	json_member_string(j, "key", expect_key_name(key));
	json_member_string(j, "status", check_status_name((enum check_status)m->status));
	json_member_string(j, "unit", unit_name(unit));
	json_key(j, "value");
	if (m->measured)
		json_double(j, in_unit(unit, m->value));
	else
		json_none(j);
	json_member_bool(j, "at_least", m->at_least);
	json_key(j, "interval");
	if (m->has_interval) {
		json_begin_array(j);
		json_double(j, in_unit(unit, m->low));
		json_double(j, in_unit(unit, m->high));
		json_end_array(j);
	} else {
		json_none(j);
	}
	write_limit(j, m, unit);
	json_member_u64(j, "samples", m->n);
	json_member_u64(j, "samples_needed", m->n_min);
	json_member_string(j, "confidence", confidence_name((enum confidence)m->confidence));
	json_end_object(j);
}

static void write_evidence(struct json *j, const struct evidence *e)
{
	json_begin_object(j);
	json_member_hex(j, "id", e->id);
	json_member_u64(j, "trace", e->source);
	member_seconds(j, "at", e->at_ns);
	json_key(j, "next");
	if (e->next_id) {
		json_begin_object(j);
		json_member_hex(j, "id", e->next_id);
		member_seconds(j, "at", e->next_at_ns);
		json_end_object(j);
	} else {
		json_none(j);
	}
	json_member_string(j, "request", e->request);
	json_member_string(j, "client", e->client);
	json_member_string(j, "what", e->what);
	json_end_object(j);
}

static void write_check(struct json *j, const struct check *c)
{
	enum check_id id = (enum check_id)c->id;

	json_begin_object(j);
	json_member_string(j, "id", check_number(id));
	json_member_string(j, "name", check_name(id));
	json_member_string(j, "status", check_status_name((enum check_status)c->status));
	json_member_string(j, "text", c->text);
	member_text(j, "scope", c->scope);
	json_member_u64(j, "samples", c->n);
	json_member_string(j, "confidence", confidence_name((enum confidence)c->confidence));
	json_key(j, "measures");
	json_begin_array(j);
	for (unsigned i = 0; i < c->n_measures; i++)
		write_measure(j, &c->measures[i]);
	json_end_array(j);
	json_member_u64(j, "evidence_total", c->evidence_total);
	json_key(j, "evidence");
	json_begin_array(j);
	for (unsigned i = 0; i < c->n_evidence; i++)
		write_evidence(j, &c->evidence[i]);
	json_end_array(j);
	json_end_object(j);
}

void report_write_json(const struct verdict *v, struct text *out)
{
	struct json j;

	json_init(&j, out, 2);
	json_begin_object(&j);
	write_run(&j, v);
	write_totals(&j, &v->totals);
	write_contrast(&j, &v->contrast);
	member_text(&j, "policy", v->policy);
	write_rules(&j, v);
	json_key(&j, "checks");
	json_begin_array(&j);
	for (unsigned i = 0; i < CHECK_COUNT; i++)
		write_check(&j, &v->checks[i]);
	json_end_array(&j);
	json_end_object(&j);
	text_put_char(out, '\n');
}
