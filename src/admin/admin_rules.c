/*
 * admin_rules: the rules one by one: listed with their counts, replaced, changed, removed. Each change is one of the text in
 * force, which is then loaded as a whole: so the file's comments stay, and what one rule breaks in another is found.
 */
#include <errno.h>
#include <stdlib.h>

#include "admin/admin_internal.h"
#include "admin/admin_json.h"
#include "base/log.h"
#include "config/source_edit.h"
#include "http/uri.h"

/* ---- showing ---- */

struct rule_list {
	struct plan *plan; /* in force; a reference */
	struct server_rule_count *counts;
	unsigned n_counts;
	struct text *texts; /* by place; NULL: not asked for */
	unsigned n_texts;
};

static void take_text(void *arg, unsigned place, struct span text)
{
	struct rule_list *list = arg;

	if (place < list->plan->rules.n) {
		text_init(&list->texts[place]);
		text_put_span(&list->texts[place], text);
		list->n_texts = place + 1;
	}
}

static void close_list(struct rule_list *list)
{
	for (unsigned i = 0; i < list->n_texts; i++)
		text_deinit(&list->texts[i]);
	free(list->texts);
	free(list->counts);
	plan_unref(list->plan);
}

/* False after a was made the refusal. */
static bool open_list(struct admin *admin, bool texts, struct rule_list *list, struct admin_answer *a)
{
	struct text source;
	bool ok;

	text_init(&source);
	*list = (struct rule_list){ .plan = live_file_plan_ref(admin->file, &source) };
	list->n_counts = list->plan->rules.n;
	list->counts = calloc(MAX(list->n_counts, 1u), sizeof(*list->counts));
	list->texts = texts ? calloc(MAX(list->plan->rules.n, 1u), sizeof(*list->texts)) : NULL;
	ok = list->counts && (list->texts || !texts);
	if (ok)
		list->n_counts = MIN(list->n_counts, server_rules(admin->server, list->counts, list->n_counts));
	if (ok && texts)
		ok = !source.cut && source_edit_each(text_span(&source), take_text, list) >= 0;
	text_deinit(&source);
	if (ok)
		return true;
	close_list(list);
	admin_answer_error(a, 503, "memory is out");
	return false;
}

static uint32_t all_kinds(const struct rule *r)
{
	uint32_t kinds = r->faults.kinds;

	for (unsigned i = 0; i < r->n_outcomes; i++)
		kinds |= r->outcomes[i].faults.kinds;
	for (unsigned i = 0; i < r->n_sequence; i++)
		kinds |= r->sequence[i].kinds;
	return kinds;
}

static void put_faults(struct json *j, const struct rule *r)
{
	uint32_t kinds = all_kinds(r);

	json_key(j, "faults");
	json_begin_array(j);
	for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
		if (kinds >> i & 1)
			json_c_string(j, fault_kind_name((enum fault_kind)i));
	}
	json_end_array(j);
}

/* The counts were asked for after the plan, and a reload may have come in between: then the rule stands elsewhere, or is gone. */
static const struct server_rule_count *find_count(const struct rule_list *list, unsigned place)
{
	static const struct server_rule_count none;
	struct span name = span_first(list->plan->rules.v[place].name, SERVER_NAME_BYTES - 1);

	if (place < list->n_counts && span_eq(span_of_string(list->counts[place].name), name))
		return &list->counts[place];
	for (unsigned i = 0; i < list->n_counts; i++) {
		if (span_eq(span_of_string(list->counts[i].name), name))
			return &list->counts[i];
	}
	return &none;
}

/* The members, into an object that is open. */
static void put_rule(struct json *j, const struct rule_list *list, unsigned place)
{
	const struct rule *r = &list->plan->rules.v[place];
	const struct server_rule_count *count = find_count(list, place);

	json_member_span(j, "name", r->name);
	json_member_string(j, "phase", r->phase == RULE_PHASE_REQUEST ? "request" : "response");
	json_member_bool(j, "enabled", r->enabled);
	json_member_bool(j, "dry_run", r->dry_run);
	json_key(j, "percentage");
	if (r->n_outcomes) /* the weights take its place */
		json_none(j);
	else
		json_double(j, (double)r->percentage / 1e6);
	put_faults(j, r);
	json_member_u64(j, "matched", count->matched);
	json_member_u64(j, "fired", count->fired);
	json_member_u64(j, "dry", count->dry);
	json_member_u64(j, "refused", count->refused);
	json_member_u64(j, "early", count->early);
	json_member_i64(j, "active", count->active);
	if (place < list->n_texts)
		json_member_span(j, "text", text_span(&list->texts[place]));
}

void admin_get_rules(const struct admin_request *r, struct admin_answer *a)
{
	struct rule_list list;
	struct json *j;
	uint64_t texts;

	if (!admin_router_number(r, "text", 0, 1, 1, &texts, a) || !open_list(r->admin, texts, &list, a))
		return;
	j = admin_answer_begin_json(a);
	json_member_u64(j, "generation", server_generation(r->admin->server));
	json_key(j, "rules");
	json_begin_array(j);
	for (unsigned i = 0; i < list.plan->rules.n; i++) {
		json_begin_object(j);
		put_rule(j, &list, i);
		json_end_object(j);
	}
	json_end_array(j);
	admin_answer_end_json(a);
	close_list(&list);
}

static unsigned find_rule(const struct plan *plan, struct span name)
{
	unsigned i = 0;

	while (i < plan->rules.n && !span_eq(plan->rules.v[i].name, name))
		i++;
	return i;
}

static void answer_no_rule(struct span name, struct admin_answer *a)
{
	admin_answer_error(a, 404, "there is no rule named \"%.*s\"", SPAN_ARG(span_first(name, 64)));
}

/* The rule as it is now: the one of this name, or, without a name, in this place. */
static void answer_rule(struct admin *admin, struct span name, unsigned place, struct admin_answer *a)
{
	struct rule_list list;

	if (!open_list(admin, true, &list, a))
		return;
	if (name.n)
		place = find_rule(list.plan, name);
	if (place >= list.plan->rules.n) {
		answer_no_rule(name, a);
	} else {
		put_rule(admin_answer_begin_json(a), &list, place);
		admin_answer_end_json(a);
	}
	close_list(&list);
}

void admin_get_rule(const struct admin_request *r, struct admin_answer *a)
{
	answer_rule(r->admin, r->name, 0, a);
}

/* ---- changing ---- */

enum change { CHANGE_PUT, CHANGE_MERGE, CHANGE_REMOVE };

struct rule_change {
	const struct admin_request *request;
	enum change change;
	struct span body; /* as YAML */
	struct span before; /* where a new rule goes; empty: to the end */
	int result; /* of the edit, once that was tried */
	bool is_new;
	unsigned place; /* of the rule */
	struct source_place at; /* in the new text */
};

/* An enum source_edit_result, -ENOMEM, or -ENOENT: `before` names no rule. */
static int edit_source(struct rule_change *c, const struct plan *plan, struct span source, struct text *edited,
	struct diagnostics *d)
{
	struct source_rule rule = { find_rule(plan, c->request->name), c->request->name };

	c->is_new = rule.place == plan->rules.n;
	c->place = rule.place;
	if (c->is_new && c->change != CHANGE_PUT)
		return SOURCE_EDIT_NO_RULE;
	switch (c->change) {
	case CHANGE_MERGE:
		return source_edit_merge(source, &rule, c->body, edited, &c->at, d);
	case CHANGE_REMOVE:
		return source_edit_remove(source, &rule, edited);
	case CHANGE_PUT:
		break;
	}
	if (!c->is_new)
		return source_edit_replace(source, &rule, c->body, edited, &c->at, d);
	rule.place = c->before.n ? find_rule(plan, c->before) : plan->rules.n;
	if (c->before.n && rule.place == plan->rules.n)
		return -ENOENT;
	c->place = rule.place;
	return source_edit_insert(source, &rule, c->body, edited, &c->at, d);
}

static bool edit(void *arg, const struct plan *plan, struct span source, struct text *edited, struct diagnostics *d)
{
	struct rule_change *c = arg;

	c->result = edit_source(c, plan, source, edited, d);
	return c->result == SOURCE_EDIT_DONE;
}

/* How an edit that did not come about is answered. */
static void answer_edit(const struct rule_change *c, const struct diagnostics *d, struct admin_answer *a)
{
	switch (c->result) {
	case SOURCE_EDIT_REFUSED:
		admin_answer_refused(a, d, NULL);
		break;
	case SOURCE_EDIT_NO_RULE:
		answer_no_rule(c->request->name, a);
		break;
	case SOURCE_EDIT_IMPOSSIBLE:
		admin_answer_error(a, 409, "the rule file is written in a way (aliases, for one) that does not let this rule be "
			"changed alone; PUT /v1/config replaces all of it");
		break;
	case -ENOENT:
		admin_answer_error(a, 404, "before: there is no rule named \"%.*s\"", SPAN_ARG(span_first(c->before, 64)));
		break;
	default:
		admin_answer_error(a, 503, "%s", strerror(-c->result));
		break;
	}
}

static void answer_changed(const struct rule_change *c, struct admin_answer *a)
{
	struct span name = c->request->name;

	log_info("the rule %.*s was %s by way of the admin listener: generation %llu", SPAN_ARG(name),
		c->change == CHANGE_REMOVE ? "removed" : c->is_new ? "added" : "changed",
		(unsigned long long)server_generation(c->request->admin->server));
	if (c->change == CHANGE_REMOVE) {
		a->status = 204;
		return;
	}
	if (c->is_new)
		a->status = 201;
	answer_rule(c->request->admin, SPAN_EMPTY, c->place, a); /* it may have got another name */
}

static void change_rule(struct rule_change *c, struct admin_answer *a)
{
	struct diagnostics d = { 0 };
	struct text report;
	int rc;

	text_init(&report);
	rc = live_file_edit(c->request->admin->file, edit, c, &d, &report);
	if (rc == 0)
		answer_changed(c, a);
	else if (rc == -ECANCELED)
		answer_edit(c, &d, a);
	else if (rc < 0)
		admin_answer_failed(a, rc, &report);
	else
		admin_answer_refused(a, &d, &c->at);
	diagnostics_deinit(&d);
	text_deinit(&report);
}

/* The body as YAML, into text where it is JSON. False after a was made the refusal. */
static bool take_body(struct rule_change *c, struct text *text, struct admin_answer *a)
{
	const struct admin_request *r = c->request;
	json_t *root;

	c->body = r->body;
	if (!r->is_json)
		return true;
	root = admin_json_object(r->body, a);
	if (!root)
		return false;
	json_decref(root);
	admin_json_to_yaml(r->body, text);
	c->body = text_span(text);
	return true;
}

static void change_by_body(struct rule_change *c, struct admin_answer *a)
{
	struct text text;

	text_init(&text);
	if (take_body(c, &text, a)) {
		if (text.cut)
			admin_answer_error(a, 503, "memory is out");
		else
			change_rule(c, a);
	}
	text_deinit(&text);
}

void admin_put_rule(const struct admin_request *r, struct admin_answer *a)
{
	char block[ADMIN_NAME_BYTES_MAX];
	struct rule_change c = { .request = r, .change = CHANGE_PUT };

	c.before = http_query_value(r->query, SPAN("before"), block, sizeof(block));
	change_by_body(&c, a);
}

void admin_patch_rule(const struct admin_request *r, struct admin_answer *a)
{
	struct rule_change c = { .request = r, .change = CHANGE_MERGE };

	change_by_body(&c, a);
}

void admin_delete_rule(const struct admin_request *r, struct admin_answer *a)
{
	struct rule_change c = { .request = r, .change = CHANGE_REMOVE };

	change_rule(&c, a);
}
