/*
 * report_tap: one test point for each check, with a YAML block of what was found. All texts in it are JSON strings, which YAML
 * reads as they are.
 */
#include "base/json.h"
#include "rehearsal/report.h"
#include "rehearsal/report_value.h"

#define YAML_INDENT "  "

static void put_quoted(struct text *out, struct span s)
{
	struct json j;

	json_init(&j, out, 0);
	json_span(&j, s);
}

static void put_member(struct text *out, const char *key, struct span value)
{
	text_put_literal(out, YAML_INDENT);
	text_put_string(out, key);
	text_put_literal(out, ": ");
	put_quoted(out, value);
	text_put_char(out, '\n');
}

static void put_evidence(struct text *out, const struct evidence *e)
{
	struct text t;

	text_init(&t);
	report_put_exchanges(&t, e);
	text_put_char(&t, ' ');
	report_put_times(&t, e);
	text_printf(&t, "  %s  %s  (%s)", e->request, e->what, e->client);
	text_put_literal(out, YAML_INDENT YAML_INDENT "- ");
	put_quoted(out, text_span(&t));
	text_put_char(out, '\n');
	text_deinit(&t);
}

static void put_block(struct text *out, const struct check *c)
{
	struct text limits;

	text_init(&limits);
	report_put_limits(&limits, c);
	text_put_literal(out, YAML_INDENT "---\n");
	put_member(out, "message", span_of_string(c->text));
	put_member(out, "severity", span_of_string(check_status_name((enum check_status)c->status)));
	if (c->scope[0])
		put_member(out, "scope", span_of_string(c->scope));
	if (limits.n)
		put_member(out, "limit", text_span(&limits));
	text_printf(out, YAML_INDENT "samples: %llu\n", (unsigned long long)c->n);
	if (c->n_evidence) {
		text_put_literal(out, YAML_INDENT "evidence:\n");
		for (unsigned i = 0; i < c->n_evidence; i++)
			put_evidence(out, &c->evidence[i]);
	}
	text_put_literal(out, YAML_INDENT "...\n");
	text_deinit(&limits);
}

static void put_point(struct text *out, const struct verdict *v, const struct check *c, unsigned number)
{
	bool failed = report_comes_to(v, (enum check_status)c->status) == CHECK_FAIL;
	bool skipped = c->status == CHECK_NOT_APPLICABLE || (c->status == CHECK_INCONCLUSIVE && !failed);

	text_printf(out, "%s %u - %s", failed ? "not ok" : "ok", number, check_name((enum check_id)c->id));
	text_put_string(out, skipped ? " # SKIP " : "\n");
	if (skipped) {
		text_put_string(out, check_status_name((enum check_status)c->status));
		text_put_char(out, '\n');
	}
	put_block(out, c);
}

void report_write_tap(const struct verdict *v, struct text *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CHECK_COUNT; i++)
		n += report_is_asked(&v->checks[i]);
	text_put_literal(out, "TAP version 14\n");
	text_printf(out, "1..%u%s\n", n, n ? "" : " # SKIP nothing was asked");
	for (unsigned i = 0, number = 1; i < CHECK_COUNT; i++) {
		if (report_is_asked(&v->checks[i]))
			put_point(out, v, &v->checks[i], number++);
	}
}
