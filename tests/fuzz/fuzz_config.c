/*
 * fuzz_config: any bytes as a rule file. Whatever they are, the loader ends soon; what it complains of stands in the file;
 * what it accepts can be used and freed, and is the same when it is loaded again.
 */
#include <assert.h>

#include "config/load.h"
#include "fuzz.h"

static const char *environment(void *arg, const char *name)
{
	(void)arg;
	return name[0] == 'N' ? NULL : name[0] == 'E' ? "" : "10";
}

/* Line and column are of the source, or one behind its end. */
static void check_place(const struct diagnostic *d, struct span source)
{
	struct span line = source;

	if (d->line == 0)
		return;
	if (span_starts_with(line, SPAN("\xef\xbb\xbf")))
		line = span_skip(line, 3);
	for (unsigned i = 1; i < d->line; i++) {
		size_t end = span_find(line, '\n');

		assert(end < line.n);
		line = span_skip(line, end + 1);
	}
	assert(d->column >= 1 && d->column <= span_find(line, '\n') + 1);
}

static void check_diagnostics(const struct diagnostics *d, int rc, struct span source)
{
	struct text out;

	assert(d->n <= DIAGNOSTICS_MAX && (rc == 1) == (d->n_errors > 0));
	for (unsigned i = 0; i < d->n; i++) {
		assert(d->v[i].message[0]);
		check_place(&d->v[i], source);
	}
	text_init(&out);
	diagnostics_write(d, "fuzz.yaml", source, false, &out);
	for (size_t i = 0; i < out.n; i++)
		assert((unsigned char)out.p[i] >= 0x20 || out.p[i] == '\n' || out.p[i] == '\t');
	text_deinit(&out);
}

static void check_fields(const struct fault_field *fields, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		assert(fields[i].name.n > 0 && !memchr(fields[i].name.p, '\n', fields[i].name.n));
		assert(fields[i].value.n == 0 || !memchr(fields[i].value.p, '\n', fields[i].value.n));
	}
}

static void check_delay(const struct fault_delay *delay)
{
	assert(delay->a_ns >= 0 && delay->b_ns >= 0 && delay->min_ns >= 0);
	assert(delay->kind != DELAY_UNIFORM || delay->a_ns <= delay->b_ns);
	assert((delay->kind == DELAY_PERCENTILES || delay->kind == DELAY_SAMPLES) == (delay->n_points > 0));
	for (unsigned i = 1; i < delay->n_points; i++)
		assert(delay->points[i - 1].ns <= delay->points[i].ns);
}

static void check_set(const struct fault_set *s)
{
	assert(s->kinds);
	assert(s->abort.status == 0 || (s->abort.status >= 200 && s->abort.status <= 599));
	check_delay(&s->delay);
	check_fields(s->abort.fields, s->abort.n_fields);
	check_fields(s->rewrite.set, s->rewrite.n_set);
	check_fields(s->request.add, s->request.n_add);
	check_fields(s->hints.fields, s->hints.n_fields);
}

static void check_rule(const struct rule *r)
{
	assert(r->name.n > 0 && r->percentage <= RULE_PERCENTAGE_ALL);
	for (unsigned i = 0; i < r->n_outcomes; i++)
		check_set(&r->outcomes[i].faults);
	for (unsigned i = 0; i < r->n_sequence; i++)
		check_set(&r->sequence[i]);
	if (r->n_outcomes == 0 && r->n_sequence == 0)
		check_set(&r->faults);
}

static void check_plan(const struct plan *plan)
{
	assert(plan->n_upstreams > 0 && plan->n_listeners > 0);
	for (unsigned i = 0; i < plan->n_listeners; i++) {
		const struct plan_listener *l = &plan->listeners[i];

		/* Of one that says itself that it has none there are none: each request gets 404. */
		assert(l->name.n > 0 && (l->n_routes == 0 || l->routes));
		for (unsigned k = 0; k < l->n_routes; k++)
			assert(l->routes[k].upstream < plan->n_upstreams);
	}
	for (unsigned i = 0; i < plan->rules.n; i++)
		check_rule(&plan->rules.v[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct load_options options = { .env = environment };
	struct span source = span_of((const char *)data, size);
	struct diagnostics d = { 0 }, again = { 0 };
	struct plan *plan = NULL, *other = NULL;
	int rc = load_plan("fuzz.yaml", source, &options, &plan, &d);

	assert(rc == 0 || rc == 1);
	assert((rc == 0) == (plan != NULL));
	check_diagnostics(&d, rc, source);
	if (plan) {
		check_plan(plan);
		assert(load_plan("fuzz.yaml", source, &options, &other, &again) == 0);
		assert(other->rules.n == plan->rules.n);
		for (unsigned i = 0; i < plan->rules.n; i++)
			assert(other->rules.v[i].text_hash == plan->rules.v[i].text_hash);
	}
	plan_unref(plan);
	plan_unref(other);
	diagnostics_deinit(&d);
	diagnostics_deinit(&again);
	return 0;
}
