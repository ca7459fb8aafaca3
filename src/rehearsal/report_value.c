/*
 * report_value: see report_value.h.
 */
#include "rehearsal/report_value.h"

#include "rehearsal/report.h"

/* At most three significant decimals, none that say nothing: 1.5, 2, 0.125. */
static void put_number(struct text *out, double value)
{
	char block[64];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	text_printf(&t, "%.3f", value);
	while (t.n && t.p[t.n - 1] == '0')
		t.n--;
	if (t.n && t.p[t.n - 1] == '.')
		t.n--;
	text_put_span(out, text_span(&t));
}

/* A share is cut, not rounded: 99.96 % is not 100 %. */
static void put_share(struct text *out, double value)
{
	put_number(out, (double)(int64_t)(value * 1000 + 1e-6) / 10);
	text_put_literal(out, " %");
}

static void put_duration(struct text *out, double ns)
{
	if (ns < (double)NS_PER_S) {
		put_number(out, (double)(int64_t)(ns / 1e5) / 10);
		text_put_literal(out, " ms");
	} else {
		text_printf(out, ns < 100e9 ? "%.2f s" : "%.0f s", ns / 1e9);
	}
}

void report_put_value(struct text *out, enum expect_unit unit, double value)
{
	switch (unit) {
	case EXPECT_UNIT_COUNT:
	case EXPECT_UNIT_FACTOR:
		put_number(out, value);
		break;
	case EXPECT_UNIT_SHARE:
		put_share(out, value);
		break;
	case EXPECT_UNIT_TIME:
		put_duration(out, value);
		break;
	case EXPECT_UNIT_FLAG:
		text_put_string(out, value > 0 ? "yes" : "no");
		break;
	}
}

void report_put_limit(struct text *out, enum expect_key key, const struct expect_limit *limit)
{
	if (expect_key_unit(key) != EXPECT_UNIT_FLAG) {
		text_put_string(out, expect_way_sign((enum expect_way)limit->way));
		text_put_char(out, ' ');
	}
	report_put_value(out, expect_key_unit(key), limit->value);
}

static void put_measure(struct text *out, const struct measure *m)
{
	enum expect_key key = (enum expect_key)m->key;

	text_put_string(out, expect_key_name(key));
	if (m->measured) {
		text_put_char(out, ' ');
		report_put_value(out, expect_key_unit(key), m->value);
	}
	text_put_literal(out, ", wanted ");
	report_put_limit(out, key, &m->limit);
}

void report_put_limits(struct text *out, const struct check *c)
{
	bool first = true;

	for (unsigned i = 0; i < c->n_measures; i++) {
		const struct measure *m = &c->measures[i];

		if (m->limit.severity == EXPECT_OFF || m->status < CHECK_INCONCLUSIVE)
			continue;
		text_put_string(out, first ? "" : "; ");
		put_measure(out, m);
		first = false;
	}
}

void report_put_exchanges(struct text *out, const struct evidence *e)
{
	text_put_hex(out, e->id, 1);
	if (e->next_id) {
		text_put_literal(out, " -> ");
		text_put_hex(out, e->next_id, 1);
	}
}

void report_put_times(struct text *out, const struct evidence *e)
{
	if (e->next_id) {
		text_put_char(out, e->next_at_ns < e->at_ns ? '-' : '+');
		put_duration(out, (double)(e->next_at_ns < e->at_ns ? e->at_ns - e->next_at_ns : e->next_at_ns - e->at_ns));
	} else {
		text_put_literal(out, "at ");
		text_put_seconds(out, e->at_ns, 3);
		text_put_literal(out, " s");
	}
}

static void put_count(struct text *out, unsigned n, const char *one, const char *many, bool *first)
{
	if (n == 0)
		return;
	text_printf(out, "%s%u %s", *first ? "" : ", ", n, n == 1 ? one : many);
	*first = false;
}

void report_put_counts(struct text *out, const struct verdict *v)
{
	bool first = true;

	if (v->run.unjudged) {
		text_put_literal(out, "nothing is expected");
		return;
	}
	put_count(out, verdict_count(v, CHECK_FAIL), "failed", "failed", &first);
	put_count(out, verdict_count(v, CHECK_WARN), "warning", "warnings", &first);
	put_count(out, verdict_count(v, CHECK_INCONCLUSIVE), "inconclusive", "inconclusive", &first);
	put_count(out, verdict_count(v, CHECK_PASS), "passed", "passed", &first);
	if (first)
		text_put_literal(out, "nothing was judged");
}

const char *report_verdict_word(const struct verdict *v)
{
	if (v->run.unjudged)
		return "NOT JUDGED";
	switch (v->status) {
	case CHECK_FAIL: return "FAIL";
	case CHECK_WARN: return "PASS, with warnings";
	case CHECK_INCONCLUSIVE: return "INCONCLUSIVE";
	case CHECK_PASS:
	case CHECK_NOT_APPLICABLE: break;
	}
	return "PASS";
}

static void put_some(struct text *out, uint64_t n, const char *one, const char *many)
{
	text_put_u64(out, n);
	text_put_char(out, ' ');
	text_put_string(out, n == 1 ? one : many);
}

void report_put_traffic(struct text *out, const struct verdict *v)
{
	const struct verdict_totals *t = &v->totals;

	put_some(out, t->requests, "request", "requests");
	text_put_literal(out, " (");
	text_put_u64(out, t->logical);
	text_put_literal(out, " logical), ");
	put_some(out, t->retries, "retry, ", "retries, ");
	put_some(out, t->faults, "fault, ", "faults, ");
	put_some(out, t->clients, "client", "clients");
	if (t->gave_up) {
		text_put_literal(out, ", ");
		text_put_u64(out, t->gave_up);
		text_put_literal(out, " given up");
	}
	if (t->evicted) {
		text_put_literal(out, "; ");
		text_put_u64(out, t->evicted);
		text_put_literal(out, " forgotten for want of room, so counts are at least");
	}
}

bool report_is_asked(const struct check *c)
{
	for (unsigned i = 0; i < c->n_measures; i++) {
		if (c->measures[i].limit.severity != EXPECT_OFF)
			return true;
	}
	return c->status != CHECK_NOT_APPLICABLE;
}

bool report_is_shown(const struct check *c)
{
	for (unsigned i = 0; i < c->n_measures; i++) {
		if (c->measures[i].measured)
			return true;
	}
	return report_is_asked(c);
}

unsigned report_order(const struct verdict *v, const struct check *order[CHECK_COUNT])
{
	static const enum check_status turns[] = { CHECK_FAIL, CHECK_WARN, CHECK_INCONCLUSIVE, CHECK_PASS, CHECK_NOT_APPLICABLE };
	unsigned n = 0;

	for (size_t t = 0; t < ARRAY_LEN(turns); t++) {
		for (unsigned i = 0; i < CHECK_COUNT; i++) {
			if (v->checks[i].status == turns[t] && report_is_shown(&v->checks[i]))
				order[n++] = &v->checks[i];
		}
	}
	return n;
}

enum check_status report_comes_to(const struct verdict *v, enum check_status status)
{
	if (status != CHECK_INCONCLUSIVE)
		return status;
	switch (v->inconclusive) {
	case EXPECT_INCONCLUSIVE_FAIL: return CHECK_FAIL;
	case EXPECT_INCONCLUSIVE_WARN: return CHECK_WARN;
	case EXPECT_INCONCLUSIVE_PASS: break;
	}
	return CHECK_PASS;
}
