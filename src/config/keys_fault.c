/*
 * keys_fault: the rows of faults. No row here has a default text: it would be decoded, and make the fault, where the fault is
 * not asked for at all. What is not given is filled in by the finish of its map.
 */
#include "config/key_rows.h"

#include "config/content_keys.h"
#include "config/fault_keys.h"
#include "config/rule_check.h"

/* ---- faults ---- */

static const struct key body_keys[] = {
	{ .name = "json", .type = &value_any, .heap = true, .decode = content_keys_decode_json,
		.description = "Any value, sent as JSON with Content-Type: application/json.",
		.example = "body: {json: {error: overloaded}}" },
	{ .name = "file", .type = &value_file, .heap = true, .decode = content_keys_decode_file,
		.description = "The content of a file of at most 1MiB, found from the folder of the rule file. Its Content-Type "
			"goes by the end of its name.",
		.example = "body: {file: maintenance.html}" },
};

const struct key_map keys_body = {
	.name = "body", .phrase = "a mapping with json or file", KEYS(body_keys), .one_of = ARRAY_LEN(body_keys),
	.description = "The content of an answer, made from a value or a file.",
};

static const struct key abort_keys[] = {
	{ .name = "status", .type = &value_status, .required = true, FIELD(fault_abort, status),
		.description = "The final status code to answer with. Fields that it must carry are filled in where none are "
			"given.",
		.example = "status: 503" },
	{ .name = "reason", .type = &value_reason, .heap = true, FIELD(fault_abort, reason),
		.default_note = "the code's own",
		.description = "The reason phrase of the status line.",
		.example = "reason: Down For Lunch" },
	{ .name = "headers", .type = &value_field, .shape = KEY_NAMED | KEY_ONE_OR_LIST, .decode = fault_keys_decode_headers,
		.description = "Header fields of the answer. A list makes several fields of the same name. What frames the "
			"message (Content-Length, Transfer-Encoding, Connection) cannot be given.",
		.example = "headers: {x-reason: overload}" },
	{ .name = "body", .type = &value_text, .map = &keys_body, .choices = content_keys_words, .heap = true,
		.decode = content_keys_decode_body,
		.default_note = "a short explanation",
		.description = "The content of the answer: a text, sent as text/plain where headers give no content-type; "
			"problem, a problem document (RFC 9457) of the status; a value as JSON; a file.",
		.example = "body: Come back later." },
	{ .name = "retry_after", .type = &value_duration, .max = DAY_NS * 365, .decode = fault_keys_decode_retry_after,
		.default_note = "not sent",
		.description = "Adds Retry-After, in whole seconds, rounded up.",
		.example = "retry_after: 5s" },
};

const struct key_map keys_abort = {
	.name = "abort", .phrase = "a mapping", KEYS(abort_keys), .short_key = "status",
	.finish = rule_check_abort,
	.description = "An answer in place of the upstream's.",
};

static const struct key delay_keys[] = {
	{ .name = "fixed", .type = &value_duration, .max = DAY_NS, .decode = fault_keys_decode_fixed,
		.description = "Always this long.", .example = "delay: {fixed: 250ms}" },
	{ .name = "uniform", .type = &value_duration_range, .max = DAY_NS, .decode = fault_keys_decode_uniform,
		.description = "Drawn anew for each request, every duration of the range as likely.",
		.example = "delay: {uniform: 100ms..2s}" },
};

const struct key_map keys_delay = {
	.name = "delay", .phrase = "a mapping with fixed or uniform", KEYS(delay_keys), .short_key = "fixed", .one_of = ARRAY_LEN(delay_keys),
	.description = "A wait before going on. The delays of all rules that fire add up.",
};
