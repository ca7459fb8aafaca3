/*
 * admin_config: the rule file as a whole: shown, replaced, read again. All or nothing: a text with one error changes nothing,
 * and the answer says where each error is.
 */
#include <errno.h>

#include "admin/admin_internal.h"
#include "base/log.h"

/* ---- answers ---- */

static const char *level_name(enum diagnostic_level level)
{
	switch (level) {
	case DIAGNOSTIC_ERROR: return "error";
	case DIAGNOSTIC_WARNING: return "warning";
	case DIAGNOSTIC_NOTE: return "note";
	}
	return "";
}

/* Its place in what is shown; false where it is elsewhere. */
static bool find_place(const struct diagnostic *d, const struct source_place *shown, unsigned *line, unsigned *column)
{
	*line = d->line - shown->line + 1;
	*column = d->column >= shown->column ? d->column - shown->column + 1 : 1;
	return d->line >= shown->line && *line <= shown->lines;
}

/* shown: NULL where that is the whole text. */
static void put_diagnostics(struct json *j, const char *key, const struct diagnostics *d, const struct source_place *shown)
{
	json_key(j, key);
	json_begin_array(j);
	for (unsigned i = 0; i < d->n; i++) {
		unsigned line = d->v[i].line, column = d->v[i].column;

		if (shown && !find_place(&d->v[i], shown, &line, &column))
			line = column = 0;
		json_begin_object(j);
		json_member_u64(j, "line", line);
		json_member_u64(j, "column", column);
		json_member_string(j, "level", level_name(d->v[i].level));
		json_member_string(j, "message", d->v[i].message);
		if (shown)
			json_member_u64(j, "file_line", d->v[i].line);
		json_end_object(j);
	}
	json_end_array(j);
}

/* The lines of a text as an array. */
static void put_lines(struct json *j, const char *key, struct span rest)
{
	json_key(j, key);
	json_begin_array(j);
	while (rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n'));

		json_span(j, line);
		rest = span_skip(rest, line.n + 1);
	}
	json_end_array(j);
}

/* "refused for 3 errors, the first: upstrem: unknown key" */
static void put_refusal(struct text *out, const struct diagnostics *d)
{
	unsigned first = 0;

	while (first + 1 < d->n && d->v[first].level != DIAGNOSTIC_ERROR)
		first++;
	text_printf(out, "refused for %u error%s", d->n_errors, d->n_errors == 1 ? "" : "s");
	if (d->n)
		text_printf(out, "%s %.300s", d->n_errors == 1 ? ":" : ", the first:", d->v[first].message);
}

void admin_answer_refused(struct admin_answer *a, const struct diagnostics *d, const struct source_place *shown)
{
	struct text error;
	struct json *j;

	text_init(&error);
	put_refusal(&error, d);
	a->status = 422;
	j = admin_answer_begin_json(a);
	json_member_span(j, "error", text_span(&error));
	put_diagnostics(j, "details", d, shown);
	admin_answer_end_json(a);
	text_deinit(&error);
}

void admin_answer_failed(struct admin_answer *a, int r, const struct text *report)
{
	struct span line = span_first(text_span(report), span_find(text_span(report), '\n'));

	if (line.n == 0)
		line = span_of_string(strerror(-r));
	/* Memory and workers may come back, a stop is on its way; all else (an address in use) is at odds with what runs. */
	admin_answer_error(a, r == -ENOMEM || r == -ESHUTDOWN || r == -EBUSY ? 503 : 409, "%.*s",
		SPAN_ARG(span_first(line, 400)));
}

/* What has come of a new text. */
static void answer_replaced(struct admin *admin, int r, const struct diagnostics *d, const struct text *report,
	struct admin_answer *a)
{
	struct json *j;

	if (r > 0) {
		admin_answer_refused(a, d, NULL);
	} else if (r < 0) {
		admin_answer_failed(a, r, report);
	} else {
		j = admin_answer_begin_json(a);
		json_member_u64(j, "generation", server_generation(admin->server));
		put_diagnostics(j, "warnings", d, NULL);
		put_lines(j, "notes", text_span(report));
		admin_answer_end_json(a);
	}
}

/* ---- handlers ---- */

void admin_get_config(const struct admin_request *r, struct admin_answer *a)
{
	a->type = "application/yaml";
	live_file_source(r->admin->file, &a->body);
}

void admin_put_config(const struct admin_request *r, struct admin_answer *a)
{
	struct diagnostics d = { 0 };
	struct text report;
	int rc;

	text_init(&report);
	rc = live_file_replace(r->admin->file, r->body, &d, &report);
	answer_replaced(r->admin, rc, &d, &report, a);
	if (rc == 0)
		log_info("the rules were replaced by way of the admin listener: generation %llu",
			(unsigned long long)server_generation(r->admin->server));
	diagnostics_deinit(&d);
	text_deinit(&report);
}

void admin_post_reload(const struct admin_request *r, struct admin_answer *a)
{
	struct diagnostics d = { 0 };
	struct text source, report;
	int rc;

	text_init(&source);
	text_init(&report);
	rc = live_file_read(r->admin->file, &source, &d, &report);
	answer_replaced(r->admin, rc, &d, &report, a);
	diagnostics_deinit(&d);
	text_deinit(&report);
	text_deinit(&source);
}
