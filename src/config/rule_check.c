/*
 * rule_check: the classifier is asked here first, with the place in the file at hand; it is asked again for every head
 * that is sent. Checks stay silent about parts that could not be decoded: one mistake, one message.
 */
#include "config/rule_check.h"

#include "config/fault_keys.h"
#include "config/gateway_keys.h"
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

	if (a->enforce && (a->retry_after.kind == RETRY_AFTER_NONE || a->retry_after.kind == RETRY_AFTER_VERBATIM))
		decode_error(d, node_of(node, "enforce"), "enforce needs a wait that can be kept: give retry_after");
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
	const struct yaml_node *status = node_of(node, "status");
	const struct status_info *info;

	gateway_keys_finish(d, node, a);
	if (a->status == 0 && status == node && node->kind == YAML_MAPPING && !yaml_node_get(node, "timeout"))
		decode_error(d, node, "the key \"status\" is missing");
	info = status_classify(a->status);
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
static void check_asked_for(struct decode *d, const struct yaml_node *node, const struct match *m, unsigned status)
{
	const struct yaml_node *abort_node = yaml_node_get(node, "abort");
	size_t mark = decode_enter_key(d, SPAN("abort"));

	node = abort_node ? node_of(abort_node, "status") : node;
	if (status == 206 && !(has_only_methods(m, false) && has_header(m, SPAN("range"))))
		decode_error(d, node, "206 answers only GET requests for a range: the rule needs "
			"match: {method: GET, headers: {range: {present: true}}}");
	if (status == 304 && !(has_only_methods(m, true) &&
			(has_header(m, SPAN("if-none-match")) || has_header(m, SPAN("if-modified-since")))))
		decode_error(d, node, "304 answers only conditional GET and HEAD requests: the rule needs "
			"match: {method: [GET, HEAD], headers: {if-none-match: {present: true}}}");
	if (status == 425 && !has_header(m, SPAN("early-data")))
		decode_warning(d, node, "425 is for requests sent in early data (RFC 8470 5.2): match headers: "
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

/* ---- what goes together ---- */

#define NO_ANSWER "no answer is sent that could be changed"
#define NO_REQUEST "the upstream gets no request that could be changed"

static const struct {
	enum fault_kind a, b;
	const char *why;
} conflicts[] = {
	{ FAULT_ABORT, FAULT_CONNECTION, "one sends an answer, the other none" },
	{ FAULT_ABORT, FAULT_HANG, "one sends an answer, the other none" },
	{ FAULT_CONNECTION, FAULT_HANG, "one ends the connection, the other holds it" },
	{ FAULT_ABORT, FAULT_REWRITE, "abort throws away the answer that rewrite would change" },
	{ FAULT_ABORT, FAULT_REQUEST, NO_REQUEST },
	{ FAULT_CONNECTION, FAULT_REQUEST, NO_REQUEST },
	{ FAULT_HANG, FAULT_REQUEST, NO_REQUEST },
	{ FAULT_CONNECTION, FAULT_THROTTLE, NO_ANSWER },
	{ FAULT_CONNECTION, FAULT_DRIP, NO_ANSWER },
	{ FAULT_CONNECTION, FAULT_TRUNCATE, NO_ANSWER },
	{ FAULT_CONNECTION, FAULT_CORRUPT, NO_ANSWER },
	{ FAULT_CONNECTION, FAULT_MALFORMED, NO_ANSWER },
	{ FAULT_CONNECTION, FAULT_REWRITE, NO_ANSWER },
	{ FAULT_HANG, FAULT_THROTTLE, NO_ANSWER },
	{ FAULT_HANG, FAULT_DRIP, NO_ANSWER },
	{ FAULT_HANG, FAULT_TRUNCATE, NO_ANSWER },
	{ FAULT_HANG, FAULT_CORRUPT, NO_ANSWER },
	{ FAULT_HANG, FAULT_MALFORMED, NO_ANSWER },
	{ FAULT_HANG, FAULT_REWRITE, NO_ANSWER },
	{ FAULT_ABORT, FAULT_RATE_LIMIT, "rate_limit answers only what exceeds the quota; make two rules" },
	{ FAULT_CONNECTION, FAULT_RATE_LIMIT, "rate_limit answers only what exceeds the quota; make two rules" },
	{ FAULT_HANG, FAULT_RATE_LIMIT, "rate_limit answers only what exceeds the quota; make two rules" },
};

/* Bits of the faults that are given, whether or not they could be decoded. */
static uint32_t given_faults(const struct yaml_node *node)
{
	uint32_t bits = 0;

	for (unsigned i = FAULT_NONE + 1; i < FAULT_KIND_COUNT; i++) {
		if (yaml_node_get(node, fault_kind_name((enum fault_kind)i)))
			bits |= UINT32_C(1) << i;
	}
	return bits;
}

static void check_conflicts(struct decode *d, const struct yaml_node *node, uint32_t given)
{
	for (size_t i = 0; i < ARRAY_LEN(conflicts); i++) {
		const char *a = fault_kind_name(conflicts[i].a), *b = fault_kind_name(conflicts[i].b);

		if (given >> conflicts[i].a & 1 && given >> conflicts[i].b & 1)
			decode_error(d, yaml_node_get(node, b), "a rule cannot have both %s and %s: %s", a, b, conflicts[i].why);
	}
	if (given & FAULT_BIT(PASS) && given & ~FAULT_BIT(PASS))
		decode_error(d, yaml_node_get(node, "pass"), "pass means that nothing happens: leave out the faults, or it");
}

static void check_phase(struct decode *d, const struct yaml_node *node, const struct fault_set *set, enum rule_phase phase)
{
	if (set->rewrite.is_set && phase == RULE_PHASE_REQUEST)
		decode_error(d, node_of(node, "rewrite"), "there is no answer to rewrite yet: the rule needs phase: response");
	if (phase == RULE_PHASE_REQUEST)
		return;
	if (set->request.is_set)
		decode_error(d, node_of(node, "request"), "in phase: response the upstream has seen the request already");
	if (set->hints.n_fields)
		decode_error(d, node_of(node, "early_hints"), "in phase: response the answer has begun already");
	if (set->throttle.upload)
		decode_error(d, node_of(node, "throttle"), "upload: in phase: response the request has been sent already");
}

/* One set of faults: of the rule, an outcome, a place of the sequence (node may be a scalar then). */
static void check_set(struct decode *d, const struct yaml_node *node, struct fault_set *set, const struct rule *r)
{
	uint32_t given = given_faults(node);

	fault_set_seal(set);
	if (given == 0 && node->kind == YAML_MAPPING)
		decode_error(d, node, "there is no fault: give one, such as abort: 503 or delay: 250ms");
	check_conflicts(d, node, given);
	check_phase(d, node, set, r->phase);
	if (set->abort.status)
		check_asked_for(d, node, &r->match, set->abort.status);
}

/* ---- outcomes, sequence ---- */

static void check_outcomes(struct decode *d, const struct yaml_node *list, struct rule *r)
{
	const struct yaml_item *item = list->items;
	uint64_t total = 0;
	bool acts = false;

	for (unsigned i = 0; i < r->n_outcomes && item; i++, item = item->next) {
		size_t mark = decode_enter_item(d, i);

		check_set(d, item->value, &r->outcomes[i].faults, r);
		total += r->outcomes[i].weight;
		acts |= !r->outcomes[i].faults.pass;
		decode_leave(d, mark);
	}
	if (r->n_outcomes && !acts)
		decode_error(d, list, "nothing ever happens: all of the sum of %llu is pass", (unsigned long long)total);
}

static void check_sequence(struct decode *d, const struct yaml_node *list, struct rule *r)
{
	const struct yaml_item *item = list->items;

	for (unsigned i = 0; i < r->n_sequence && item; i++, item = item->next) {
		size_t mark = decode_enter_item(d, i);

		check_set(d, item->value, &r->sequence[i], r);
		decode_leave(d, mark);
	}
}

/* The rule's faults: its own, or one of its outcomes, or one after the other. */
static void check_faults(struct decode *d, const struct yaml_node *node, struct rule *r)
{
	const struct yaml_node *outcomes = yaml_node_get(node, "outcomes"), *sequence = yaml_node_get(node, "sequence");
	const struct yaml_node *list = outcomes ? outcomes : sequence, *percentage = yaml_node_get(node, "percentage");
	const char *name = outcomes ? "outcomes" : "sequence";
	size_t mark;

	if (yaml_node_get(node, "then") && !sequence)
		decode_error(d, yaml_node_get(node, "then"), "then says what follows a sequence, and there is none");
	if (!list) {
		check_set(d, node, &r->faults, r);
		return;
	}
	if (outcomes && sequence)
		decode_error(d, sequence, "a rule cannot have both outcomes and sequence: one draws, the other counts");
	if (outcomes && percentage)
		decode_error(d, percentage, "outcomes take the place of percentage: give {weight: N, pass: true} among them");
	if (given_faults(node))
		decode_error(d, list, "a rule cannot have both faults and %s: move the faults into it", name);
	mark = decode_enter_key(d, span_of_string(name));
	if (outcomes)
		check_outcomes(d, list, r);
	else
		check_sequence(d, list, r);
	decode_leave(d, mark);
}

/* ---- when ---- */

static void check_schedule(struct decode *d, const struct yaml_node *node, const struct rule *r)
{
	const struct yaml_node *period = yaml_node_get(node, "period"), *ramp = yaml_node_get(node, "ramp");
	const struct rule_schedule *s = &r->schedule;

	if (s->period_ns && !s->duration_ns)
		decode_error(d, period, "period repeats a window: give its duration too");
	else if (s->period_ns && s->duration_ns >= s->period_ns)
		decode_error(d, period, "the window fills its period: leave period and duration out, or make duration shorter");
	if (s->ttl_ns && s->start_after_ns >= s->ttl_ns)
		decode_error(d, yaml_node_get(node, "ttl"), "the rule is disarmed before it starts");
	if (ramp && yaml_node_get(node, "outcomes"))
		decode_error(d, ramp, "a ramp changes the percentage, and outcomes take the place of that");
	if (ramp && r->sampling == RULE_SAMPLING_EVEN)
		decode_error(d, ramp, "sampling: even needs a percentage that does not change");
}

/* A key says what is counted and drawn by; where neither is done it only costs. */
static void check_key(struct decode *d, const struct yaml_node *node, const struct rule *r)
{
	const struct yaml_node *key = yaml_node_get(node, "key");
	bool counts = r->after || r->first || r->every > 1 || r->n_sequence;
	bool draws = r->percentage != RULE_PERCENTAGE_ALL || r->n_outcomes || r->schedule.burst || r->schedule.ramp_over_ns ||
		r->faults.delay.kind > DELAY_FIXED || r->faults.abort.enforce;

	if (key && r->key != RULE_KEY_ORDINAL && !counts && !draws)
		decode_warning(d, key, "key has no effect without percentage, after, first or every");
}

void rule_check_rule(struct decode *d, const struct yaml_node *node, void *base)
{
	/* Turned while serving; what the rule counts by is the same. */
	static const struct span switches[] = { { "enabled", 7 }, { "percentage", 10 }, { "dry_run", 7 } };
	struct rule *r = base;
	const struct yaml_node *status = find_status(yaml_node_get(node, "match"));

	check_faults(d, node, r);
	if (status && r->phase == RULE_PHASE_REQUEST) {
		size_t mark = decode_enter_key(d, SPAN("match.status"));

		decode_error(d, status, "the upstream's answer is known only in phase: response");
		decode_leave(d, mark);
	}
	if (r->required && (!r->enabled || r->dry_run))
		decode_error(d, node, "required: a rule that is %s never acts", r->enabled ? "a dry run" : "not enabled");
	check_schedule(d, node, r);
	check_key(d, node, r);
	r->text_hash = yaml_node_hash(node) ^ d->side_hash;
	r->state_hash = yaml_node_hash_without(node, switches, ARRAY_LEN(switches)) ^ d->side_hash;
	d->side_hash = 0;
}
