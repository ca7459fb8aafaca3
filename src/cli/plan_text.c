/*
 * plan_text: one line for each listener, upstream, rule and limit of what is expected, and one below a rule for each outcome.
 */
#include "cli/plan_text.h"

#include <inttypes.h>

#include "rehearsal/report_value.h"

#define LABEL_COLUMNS 10
#define NAME_COLUMNS_MAX 32
#define SHARE_COLUMNS 14
#define WEIGHT_COLUMNS 12

static void put_label(struct text *out, const char *label, struct span name, size_t width)
{
	text_printf(out, "  %-*s%-*.*s  ", LABEL_COLUMNS, label, (int)width, SPAN_ARG(name));
}

/* Of the longest name, but no more than people can follow. */
static size_t names_width(const struct plan *plan)
{
	size_t width = 0;

	for (unsigned i = 0; i < plan->n_listeners; i++)
		width = MAX(width, plan->listeners[i].name.n);
	for (unsigned i = 0; i < plan->n_upstreams; i++)
		width = MAX(width, plan->upstreams[i].name.n);
	for (unsigned i = 0; i < plan->rules.n; i++)
		width = MAX(width, plan->rules.v[i].name.n);
	for (unsigned i = 0; i < EXPECT_COUNT; i++) {
		if (plan->expect.limits[i].severity != EXPECT_OFF)
			width = MAX(width, strlen(expect_key_group((enum expect_key)i)));
	}
	return MIN(width, (size_t)NAME_COLUMNS_MAX);
}

/* Millionths of a percent, as short as they can be: "12.5 %". */
static void put_percentage(struct text *out, uint64_t millionths)
{
	unsigned decimals = 6;
	uint64_t fraction = millionths % 1000000;

	while (decimals && fraction % 10 == 0) {
		fraction /= 10;
		decimals--;
	}
	text_put_u64(out, millionths / 1000000);
	if (decimals)
		text_printf(out, ".%0*" PRIu64, (int)decimals, fraction);
	text_put_literal(out, " %");
}

/* ---- where ---- */

static void put_listen(struct text *out, const struct plan_listener *l)
{
	const struct endpoint *e = &l->address;
	const char *scheme = plan_listener_is_tls(l) ? "https" : "http";
	bool bracketed = span_find(e->host, ':') < e->host.n;

	if (e->kind == ENDPOINT_UNIX)
		text_printf(out, "unix:%.*s", SPAN_ARG(e->host));
	else
		text_printf(out, "%s://%s%.*s%s:%u", scheme, bracketed ? "[" : "", SPAN_ARG(e->host), bracketed ? "]" : "",
			e->port);
}

void plan_text_put_upstream(struct text *out, const struct plan_upstream *u)
{
	if (u->address.kind == ENDPOINT_ORIGIN)
		text_put_literal(out, "the embedded upstream");
	else
		plan_upstream_write_url(u, out);
}

/* ---- what ---- */

static void put_kinds(struct text *out, const struct fault_set *set, uint32_t kinds, bool *first)
{
	for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
		if (!(kinds >> i & 1))
			continue;
		text_put_string(out, *first ? "" : ", ");
		text_put_string(out, fault_kind_name((enum fault_kind)i));
		if (i == FAULT_ABORT)
			text_printf(out, " %u", set->abort.status);
		else if (i == FAULT_RATE_LIMIT)
			text_printf(out, " %" PRIu64, set->limit->limit);
		*first = false;
	}
}

/* "delay, abort 503": what ends the request last. */
static void put_faults(struct text *out, const struct fault_set *set)
{
	bool first = true;

	put_kinds(out, set, set->kinds & ~FAULT_TERMINAL, &first);
	put_kinds(out, set, set->kinds & FAULT_TERMINAL, &first);
}

/* Rounded down to a millionth of a percent; the weight stands there too, and is exact. */
static void put_share(struct text *out, uint32_t weight, uint64_t total)
{
	uint64_t millionths = (uint64_t)weight * RULE_PERCENTAGE_ALL / total;

	if (millionths == 0)
		text_put_literal(out, "< 0.000001 %");
	else
		put_percentage(out, millionths);
}

static void put_outcomes(struct text *out, const struct rule *r)
{
	text_printf(out, "one of %u outcomes by weight, of %" PRIu64 " in all\n", r->n_outcomes, r->outcomes_total);
	for (unsigned i = 0; i < r->n_outcomes; i++) {
		char block[40];
		struct text share;

		text_init_fixed(&share, block, sizeof(block));
		put_share(&share, r->outcomes[i].weight, r->outcomes_total);
		text_printf(out, "%*.*s", LABEL_COLUMNS + SHARE_COLUMNS, SPAN_ARG(text_span(&share)));
		text_printf(out, "%*" PRIu32 "  ", WEIGHT_COLUMNS, r->outcomes[i].weight);
		put_faults(out, &r->outcomes[i].faults);
		text_put_char(out, '\n');
	}
}

static void put_sequence(struct text *out, const struct rule *r)
{
	text_put_literal(out, "in turn: ");
	for (unsigned i = 0; i < r->n_sequence; i++) {
		text_put_string(out, i ? "; " : "");
		put_faults(out, &r->sequence[i]);
	}
	text_put_string(out, r->sequence_once ? "; then pass\n" : "; and again\n");
}

static void put_rule(struct text *out, const struct rule *r, size_t width)
{
	put_label(out, "rule", r->name, width);
	if (!r->enabled)
		text_put_literal(out, "not enabled, ");
	if (r->dry_run)
		text_put_literal(out, "dry run, ");
	if (r->required)
		text_put_literal(out, "required, ");
	text_put_string(out, r->phase == RULE_PHASE_RESPONSE ? "response, " : "request, ");
	if (r->n_outcomes) {
		put_outcomes(out, r);
		return;
	}
	put_percentage(out, r->percentage);
	text_put_literal(out, ", ");
	if (r->n_sequence) {
		put_sequence(out, r);
		return;
	}
	put_faults(out, &r->faults);
	text_put_char(out, '\n');
}

/* What comes of the profile and what is written, as it is judged by. */
static void put_limit(struct text *out, enum expect_key key, const struct expect_limit *limit, size_t width)
{
	put_label(out, "expect", span_of_string(expect_key_group(key)), width);
	text_put_string(out, expect_key_name(key));
	text_put_char(out, ' ');
	report_put_limit(out, key, limit);
	text_put_string(out, limit->severity == EXPECT_WARN ? ", or a warning\n" : "\n");
}

void plan_text_write(struct text *out, const struct plan *plan)
{
	size_t width = names_width(plan);

	for (unsigned i = 0; i < plan->n_listeners; i++) {
		put_label(out, "listener", plan->listeners[i].name, width);
		put_listen(out, &plan->listeners[i]);
		text_put_char(out, '\n');
	}
	for (unsigned i = 0; i < plan->n_upstreams; i++) {
		put_label(out, "upstream", plan->upstreams[i].name, width);
		plan_text_put_upstream(out, &plan->upstreams[i]);
		text_put_char(out, '\n');
	}
	for (unsigned i = 0; i < plan->rules.n; i++)
		put_rule(out, &plan->rules.v[i], width);
	for (unsigned i = 0; i < EXPECT_COUNT; i++) {
		if (plan->expect.limits[i].severity != EXPECT_OFF)
			put_limit(out, (enum expect_key)i, &plan->expect.limits[i], width);
	}
}
