/*
 * rule_check: the classifier is asked here first, with the place in the file at hand; it is asked again for every head
 * that is sent. Checks stay silent about parts that could not be decoded: one mistake, one message.
 */
#include "config/rule_check.h"

#include "config/fault_keys.h"
#include "core/status.h"

/* The node of a key, or the whole value where it is not there (short form). */
static const struct yaml_node *node_of(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *found = yaml_node_get(node, key);

	return found ? found : node;
}

/* ---- the fields of an answer ---- */

/* Bits of the fields that the classifier knows of. */
static uint32_t field_bits(const struct fault_abort *a)
{
	uint32_t bits = STATUS_FIELD_BIT(DATE); /* set on every answer */
	struct span ignored;

	for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++) {
		if (fault_keys_find_field(a, span_of_string(status_field_name((enum status_field)i)), &ignored))
			bits |= UINT32_C(1) << i;
	}
	if (a->retry_after.kind != RETRY_AFTER_NONE)
		bits |= STATUS_FIELD_BIT(RETRY_AFTER);
	return bits;
}

static bool is_multipart(const struct fault_abort *a)
{
	struct span type;

	return fault_keys_find_field(a, SPAN("content-type"), &type) &&
		span_eq_nocase(span_first(type, 20), SPAN("multipart/byteranges"));
}

static void fill_fields(struct decode *d, const struct yaml_node *node, struct fault_abort *a, const struct status_info *info)
{
	uint32_t missing = info->must_fields & ~field_bits(a);

	if (is_multipart(a))
		missing &= ~STATUS_FIELD_BIT(CONTENT_RANGE);
	for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++) {
		const char *name = status_field_name((enum status_field)i);
		const char *value = status_field_fill(a->status, (enum status_field)i);

		if (!(missing >> i & 1))
			continue;
		if (value) {
			fault_keys_add_field(d, a, span_of_string(name), span_of_string(value));
			decode_note(d, node, "%u must carry %s; \"%s: %s\" was filled in", a->status, name, name, value);
		} else {
			decode_error(d, node, "%u %s must carry %s: give it under headers", a->status, info->reason, name);
		}
	}
}

/* ---- the answer ---- */

static bool is_retry_after_defined(unsigned code)
{
	return code / 100 == 3 || code == 413 || code == 429 || code == 503;
}

static void check_retry_after(struct decode *d, const struct yaml_node *node, const struct fault_abort *a)
{
	struct span given;

	if (a->retry_after.kind == RETRY_AFTER_NONE)
		return;
	node = node_of(node, "retry_after");
	if (fault_keys_find_field(a, SPAN("retry-after"), &given))
		decode_error(d, node, "both retry_after and headers.retry-after are given");
	else if (!is_retry_after_defined(a->status))
		decode_warning(d, node, "Retry-After has no meaning with %u; clients look for it in 413, 429, 503 and 3xx",
			a->status);
}

static void check_known(struct decode *d, const struct yaml_node *node, const struct status_info *info, unsigned code)
{
	if (info->origin == STATUS_UNKNOWN)
		decode_warning(d, node, "%u is not a registered status code; clients treat it as %u", code, code / 100 * 100);
	else if (info->marks & STATUS_IS_UNUSED && code != 418) /* 418 is a joke that people send on purpose */
		decode_warning(d, node, "%u is registered as unused", code);
}

/* Asks the classifier for a request that may have any answer: what is left is wrong with the answer itself. */
static void check_violations(struct decode *d, const struct yaml_node *node, const struct fault_abort *a)
{
	const uint32_t ignored = STATUS_VIOLATION_BIT(UNUSED_CODE) | /* a warning */
		STATUS_VIOLATION_BIT(MISSING_FIELD) | /* said by name */
		(is_multipart(a) ? 0 : STATUS_VIOLATION_BIT(PARTIAL_RANGE_FIELD)); /* so was this */
	const struct status_request request = { .conditional = true, .get_or_head = true, .range = true, .early_data = true };
	const struct status_response response = { .code = a->status, .fields = field_bits(a), .final = true,
		.content = a->body.n > 0, .multipart = is_multipart(a) };
	uint32_t found = status_validate(&response, &request) & ~ignored;

	for (unsigned i = 0; i < STATUS_VIOLATION_COUNT; i++) {
		enum status_violation v = (enum status_violation)i;

		if (!(found >> i & 1))
			continue;
		if (v == STATUS_VIOLATION_CONTENT_FORBIDDEN)
			decode_error(d, node_of(node, "body"), "%u %s has no content: leave body out (%s)", a->status,
				status_classify(a->status)->reason, status_violation_spec(v));
		else
			decode_error(d, node_of(node, "status"), "%s (%s)", status_violation_text(v), status_violation_spec(v));
	}
}

void rule_check_abort(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_abort *a = base;
	const struct status_info *info = status_classify(a->status);
	const struct yaml_node *status = node_of(node, "status");

	if (!info) /* not given, or wrong: said already */
		return;
	check_known(d, status, info, a->status);
	check_retry_after(d, node, a);
	fill_fields(d, status, a, info);
	check_violations(d, node, a);
}

/* ---- the rule ---- */

static bool has_header(const struct match *m, struct span name)
{
	for (unsigned i = 0; i < m->n_headers; i++) {
		if (span_eq(m->headers[i].name, name) && m->headers[i].value.kind != PATTERN_ABSENT)
			return true;
	}
	return false;
}

static bool has_only_methods(const struct match *m, bool head_too)
{
	for (unsigned i = 0; i < m->n_methods; i++) {
		if (!span_eq(m->methods[i], SPAN("GET")) && !(head_too && span_eq(m->methods[i], SPAN("HEAD"))))
			return false;
	}
	return m->n_methods > 0;
}

/* Codes that answer only certain requests: the rule must match no others. */
static void check_asked_for(struct decode *d, const struct yaml_node *node, const struct rule *r)
{
	const struct yaml_node *abort_node = yaml_node_get(node, "abort");
	const struct match *m = &r->match;
	size_t mark;

	if (!abort_node)
		return;
	abort_node = node_of(abort_node, "status");
	mark = decode_enter_key(d, SPAN("abort"));
	if (r->faults.abort.status == 206 && !(has_only_methods(m, false) && has_header(m, SPAN("range"))))
		decode_error(d, abort_node, "206 answers only GET requests for a range: the rule needs "
			"match: {method: GET, headers: {range: {present: true}}}");
	if (r->faults.abort.status == 304 && !(has_only_methods(m, true) &&
			(has_header(m, SPAN("if-none-match")) || has_header(m, SPAN("if-modified-since")))))
		decode_error(d, abort_node, "304 answers only conditional GET and HEAD requests: the rule needs "
			"match: {method: [GET, HEAD], headers: {if-none-match: {present: true}}}");
	if (r->faults.abort.status == 425 && !has_header(m, SPAN("early-data")))
		decode_warning(d, abort_node, "425 is for requests sent in early data (RFC 8470 5.2): match headers: "
			"{early-data: \"1\"}, or clients may not know what it means");
	decode_leave(d, mark);
}

/* The first `status` condition below, at any depth; NULL where there is none. */
static const struct yaml_node *find_status(const struct yaml_node *match)
{
	const struct yaml_node *found = yaml_node_get(match, "status");
	const struct yaml_node *any = yaml_node_get(match, "any");

	if (found || !match || match->kind != YAML_MAPPING)
		return found;
	found = find_status(yaml_node_get(match, "not"));
	if (!any || any->kind != YAML_SEQUENCE)
		return found;
	for (const struct yaml_item *item = any->items; item && !found; item = item->next)
		found = find_status(item->value);
	return found;
}

static void check_faults(struct decode *d, const struct yaml_node *node)
{
	bool has_abort = yaml_node_get(node, "abort") != NULL;
	const struct yaml_node *connection = yaml_node_get(node, "connection");

	if (!has_abort && !connection && !yaml_node_get(node, "delay"))
		decode_error(d, node, "the rule has no fault: give it abort, delay or connection");
	if (has_abort && connection)
		decode_error(d, connection, "a rule cannot have both abort and connection: one sends an answer, the other none");
}

/* A key says what is counted and drawn by; where neither is done it only costs. */
static void check_key(struct decode *d, const struct yaml_node *node, const struct rule *r)
{
	const struct yaml_node *key = yaml_node_get(node, "key");

	if (key && r->key != RULE_KEY_ORDINAL && r->percentage == RULE_PERCENTAGE_ALL && r->after == 0 && r->first == 0 &&
		r->every <= 1)
		decode_warning(d, key, "key has no effect without percentage, after, first or every");
}

void rule_check_rule(struct decode *d, const struct yaml_node *node, void *base)
{
	struct rule *r = base;
	const struct yaml_node *status = find_status(yaml_node_get(node, "match"));

	fault_set_seal(&r->faults);
	check_faults(d, node);
	if (status && r->phase == RULE_PHASE_REQUEST) {
		size_t mark = decode_enter_key(d, SPAN("match.status"));

		decode_error(d, status, "the upstream's answer is known only in phase: response");
		decode_leave(d, mark);
	}
	check_asked_for(d, node, r);
	check_key(d, node, r);
	r->text_hash = yaml_node_hash(node) ^ d->side_hash;
	d->side_hash = 0;
}
