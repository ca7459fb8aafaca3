/*
 * report_github: annotations as the commands that a runner reads from the output of a step, and the summary of the step. What
 * is not ours in them is escaped as the runner unescapes it (%25, %0A, in properties %3A and %2C too); in the summary as HTML.
 */
#include "rehearsal/report.h"
#include "rehearsal/report_value.h"

/* ---- annotations ---- */

static void put_command_text(struct text *out, struct span s, bool property)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '%':
			text_put_literal(out, "%25");
			break;
		case '\r':
			text_put_literal(out, "%0D");
			break;
		case '\n':
			text_put_literal(out, "%0A");
			break;
		case ':':
			text_put_string(out, property ? "%3A" : ":");
			break;
		case ',':
			text_put_string(out, property ? "%2C" : ",");
			break;
		default:
			text_put_char(out, s.p[i]);
			break;
		}
	}
}

/* "::error file=rules.yaml,line=7,title=brownout: retry_after::" */
static void put_command(struct text *out, const struct verdict *v, const char *command, const char *name)
{
	text_printf(out, "::%s ", command);
	if (v->run.rules_file) {
		text_put_literal(out, "file=");
		put_command_text(out, span_of_string(v->run.rules_file), true);
		if (v->run.rules_line)
			text_printf(out, ",line=%u", v->run.rules_line);
		text_put_char(out, ',');
	}
	text_put_literal(out, "title=brownout");
	if (name)
		text_printf(out, "%%3A %s", name);
	text_put_literal(out, "::");
}

static void put_annotation(struct text *out, const struct verdict *v, const struct check *c)
{
	enum check_status comes_to = report_comes_to(v, (enum check_status)c->status);
	struct text t;

	put_command(out, v, comes_to == CHECK_FAIL ? "error" : "warning", check_name((enum check_id)c->id));
	text_init(&t);
	text_put_shown(&t, span_of_string(c->text));
	text_put_char(&t, '\n');
	report_put_limits(&t, c);
	for (unsigned i = 0; i < c->n_evidence; i++) {
		const struct evidence *e = &c->evidence[i];

		text_put_char(&t, '\n');
		report_put_exchanges(&t, e);
		text_put_char(&t, ' ');
		report_put_times(&t, e);
		text_put_literal(&t, "  ");
		text_put_shown(&t, span_of_string(e->request));
		text_put_literal(&t, "  ");
		text_put_shown(&t, span_of_string(e->what));
	}
	put_command_text(out, text_span(&t), false);
	text_put_char(out, '\n');
	text_deinit(&t);
}

void report_write_github(const struct verdict *v, struct text *out)
{
	const struct check *order[CHECK_COUNT];
	unsigned n = report_order(v, order), n_annotations = 0;

	for (unsigned i = 0; i < n; i++) {
		if (report_comes_to(v, (enum check_status)order[i]->status) < CHECK_WARN)
			continue;
		put_annotation(out, v, order[i]);
		n_annotations++;
	}
	if (n_annotations)
		return;
	put_command(out, v, "notice", NULL);
	text_put_string(out, report_verdict_word(v));
	text_put_literal(out, " (");
	report_put_counts(out, v);
	text_put_literal(out, "): ");
	report_put_traffic(out, v);
	text_put_char(out, '\n');
}

/* ---- the summary ---- */

/* In a cell of a table. Markdown reads HTML, and these are all that it or a table could take for its own. */
static void put_cell(struct text *out, struct span s)
{
	struct text t;

	text_init(&t);
	text_put_shown(&t, s);
	for (size_t i = 0; i < t.n; i++) {
		if (ascii_is_digit(t.p[i]) || t.p[i] == ' ' || (t.p[i] & 0x80) || (t.p[i] >= 'A' && t.p[i] <= 'Z') ||
			(t.p[i] >= 'a' && t.p[i] <= 'z') || strchr(",./-+=%()", t.p[i]))
			text_put_char(out, t.p[i]);
		else
			text_printf(out, "&#%u;", (unsigned)(unsigned char)t.p[i]);
	}
	text_deinit(&t);
}

static void put_row(struct text *out, const struct check *c)
{
	static const char *const words[] = {
		[CHECK_NOT_APPLICABLE] = "–",
		[CHECK_PASS] = "✅ pass",
		[CHECK_INCONCLUSIVE] = "❔ inconclusive",
		[CHECK_WARN] = "⚠️ warn",
		[CHECK_FAIL] = "❌ **fail**",
	};
	struct text limits;

	text_init(&limits);
	report_put_limits(&limits, c);
	text_printf(out, "| %s | %s | ", words[c->status], check_name((enum check_id)c->id));
	put_cell(out, span_of_string(c->text));
	text_put_literal(out, " | ");
	put_cell(out, text_span(&limits));
	text_printf(out, " | %llu |\n", (unsigned long long)c->n);
	text_deinit(&limits);
}

static void put_evidence(struct text *out, const struct check *c)
{
	for (unsigned i = 0; i < c->n_evidence; i++) {
		const struct evidence *e = &c->evidence[i];
		struct text t;

		text_init(&t);
		report_put_exchanges(&t, e);
		text_put_char(&t, ' ');
		report_put_times(&t, e);
		text_printf(&t, "  %s  %s", e->request, e->what);
		text_printf(out, "- %s: ", check_name((enum check_id)c->id));
		put_cell(out, text_span(&t));
		text_put_char(out, '\n');
		text_deinit(&t);
	}
}

static void put_foot(struct text *out, const char *name, const char *value)
{
	text_printf(out, "\n%s: <code>", name);
	put_cell(out, span_of_string(value));
	text_put_literal(out, "</code>\n");
}

void report_write_markdown(const struct verdict *v, struct text *out)
{
	const struct check *order[CHECK_COUNT];
	unsigned n = report_order(v, order);

	text_printf(out, "### brownout: %s (", report_verdict_word(v));
	report_put_counts(out, v);
	text_put_literal(out, ")\n\n");
	report_put_traffic(out, v);
	text_put_literal(out, "\n\n| | check | found | limit | samples |\n|---|---|---|---|---:|\n");
	for (unsigned i = 0; i < n; i++)
		put_row(out, order[i]);
	text_put_char(out, '\n');
	for (unsigned i = 0; i < n; i++) {
		if (order[i]->status >= CHECK_WARN)
			put_evidence(out, order[i]);
	}
	if (v->policy[0])
		put_foot(out, "policy", v->policy);
	if (v->run.reproduce)
		put_foot(out, "reproduce", v->run.reproduce);
}
