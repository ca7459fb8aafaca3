/*
 * report_text: what a person needs in the order in which it is needed. Colours only where the caller says so.
 */
#include "rehearsal/report.h"
#include "rehearsal/report_value.h"

#define NAME_COLUMNS 18
#define EVIDENCE_SHOWN 4
#define LIMITS_BYTES 512 /* of CHECK_MEASURES_MAX limits */
#define EVIDENCE_INDENT "         "

static const struct look {
	const char *word; /* of one width */
	const char *color;
} looks[] = {
	[CHECK_NOT_APPLICABLE] = { " -- ", "\x1b[2m" },
	[CHECK_PASS] = { " ok ", "\x1b[32m" },
	[CHECK_INCONCLUSIVE] = { " ?? ", "\x1b[36m" },
	[CHECK_WARN] = { "WARN", "\x1b[33m" },
	[CHECK_FAIL] = { "FAIL", "\x1b[1;31m" },
};

static void put_colored(struct text *out, const char *s, enum check_status status, bool color)
{
	if (color)
		text_put_string(out, looks[status].color);
	text_put_string(out, s);
	if (color)
		text_put_literal(out, "\x1b[0m");
}

static void put_name(struct text *out, const char *name)
{
	size_t n = strlen(name);

	text_put_char(out, ' ');
	text_put_string(out, name);
	do
		text_put_char(out, ' ');
	while (++n < NAME_COLUMNS);
}

static void put_head(struct text *out, const struct verdict *v, bool color)
{
	text_put_string(out, v->run.live ? "verdict so far: " : "verdict: ");
	put_colored(out, report_verdict_word(v), v->run.unjudged ? CHECK_NOT_APPLICABLE : v->status, color);
	text_put_literal(out, " (");
	report_put_counts(out, v);
	text_put_char(out, ')');
	if (v->run.has_seed) {
		text_put_literal(out, "   seed ");
		text_put_u64(out, v->run.seed);
	}
	if (v->run.rules_file) {
		text_put_literal(out, "   ");
		text_put_shown(out, span_of_string(v->run.rules_file));
	}
	text_put_literal(out, "   ");
	text_put_seconds(out, v->run.duration_ns, 1);
	text_put_literal(out, " s\n");
}

static void put_evidence(struct text *out, const struct evidence *e)
{
	text_put_literal(out, EVIDENCE_INDENT);
	report_put_exchanges(out, e);
	text_put_literal(out, "  ");
	report_put_times(out, e);
	if (e->request[0]) {
		text_put_literal(out, "  ");
		text_put_shown(out, span_of_string(e->request));
	}
	if (e->what[0]) {
		text_put_literal(out, "  ");
		text_put_shown(out, span_of_string(e->what));
	}
	if (e->client[0]) {
		text_put_literal(out, "  (");
		text_put_shown(out, span_of_string(e->client));
		text_put_char(out, ')');
	}
	text_put_char(out, '\n');
}

/* The places in the trace of what was found; only of what is to be acted on. */
static void put_all_evidence(struct text *out, const struct check *c)
{
	unsigned n = MIN(c->n_evidence, (unsigned)EVIDENCE_SHOWN);

	if (c->status < CHECK_WARN)
		return;
	for (unsigned i = 0; i < n; i++)
		put_evidence(out, &c->evidence[i]);
	if (c->evidence_total > n) {
		text_put_literal(out, EVIDENCE_INDENT "and ");
		text_put_u64(out, c->evidence_total - n);
		text_put_literal(out, " more\n");
	}
}

/* Said of many checks, it would be most of the report: once, at its end, it is explained. */
static bool is_unsure(const struct check *c)
{
	return strstr(c->text, VERDICT_UNSURE) != NULL;
}

static void put_text(struct text *out, const struct check *c)
{
	const char *unsure = strstr(c->text, VERDICT_UNSURE);

	text_put_shown(out, unsure ? span_of(c->text, (size_t)(unsure - c->text)) : span_of_string(c->text));
	text_put_string(out, unsure ? "not identifiable" : "");
}

static void put_check(struct text *out, const struct check *c, bool color)
{
	char block[LIMITS_BYTES];
	struct text limits;

	text_init_fixed(&limits, block, sizeof(block));
	report_put_limits(&limits, c);
	text_put_char(out, ' ');
	put_colored(out, looks[c->status].word, (enum check_status)c->status, color);
	put_name(out, check_name((enum check_id)c->id));
	put_text(out, c);
	if (c->scope[0]) {
		text_put_literal(out, "   ");
		text_put_shown(out, span_of_string(c->scope));
	}
	if (limits.n) {
		text_put_literal(out, " [");
		text_put_span(out, text_span(&limits));
		text_put_char(out, ']');
	}
	text_put_char(out, '\n');
	put_all_evidence(out, c);
}

/* A line of its own below the checks. */
static void put_note(struct text *out, const char *name, const char *s)
{
	text_put_literal(out, "     ");
	put_name(out, name);
	text_put_shown(out, span_of_string(s));
	text_put_char(out, '\n');
}

void report_write_text(const struct verdict *v, bool color, struct text *out)
{
	const struct check *order[CHECK_COUNT];
	unsigned n = report_order(v, order);
	bool unsure = v->contrast.measured && !v->contrast.identifiable;

	put_head(out, v, color);
	text_put_literal(out, "     ");
	put_name(out, "traffic");
	report_put_traffic(out, v);
	text_put_char(out, '\n');
	for (unsigned i = 0; i < n && !out->cut; i++) {
		put_check(out, order[i], color);
		unsure = unsure || is_unsure(order[i]);
	}
	if (v->policy[0])
		put_note(out, "policy", v->policy);
	if (unsure)
		put_note(out, "not identifiable", "what comes next comes as soon as a retry would: name a header that tells "
			"logical requests apart (observe: logical_key)");
	if (v->run.reproduce)
		put_note(out, "reproduce", v->run.reproduce);
}
