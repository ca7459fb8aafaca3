/*
 * keys_fault: the rows of faults. No row of a mapping that stands in place has a default text: it would be decoded, and make
 * the fault, where the fault is not asked for at all. What is not given is filled in by the finish of its map.
 */
#include "config/key_rows.h"

#include "config/byte_keys.h"
#include "config/content_keys.h"
#include "config/delay_keys.h"
#include "config/edit_keys.h"
#include "config/fault_keys.h"
#include "config/gateway_keys.h"
#include "config/limit_keys.h"
#include "config/rule_check.h"

/* ---- abort ---- */

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

static const struct key retry_after_keys[] = {
	{ .name = "date", .type = &value_wait, .max = DAY_NS * 365, .decode = fault_keys_decode_date,
		.description = "The wait as the time at which it is over; never less than the wait.",
		.example = "retry_after: {date: 2s..6s}" },
	{ .name = "lie", .type = &value_choice, .choices = fault_keys_lies, .decode = fault_keys_decode_lie,
		.description = "A value that says nothing true: a date that is past, a negative or huge number, one with a "
			"fraction, a word. For tests of who reads it.",
		.example = "retry_after: {lie: negative}" },
};

const struct key_map keys_retry_after = {
	.name = "retry_after", .phrase = "a mapping with date or lie", KEYS(retry_after_keys),
	.one_of = ARRAY_LEN(retry_after_keys),
	.description = "Retry-After in another way than in seconds.",
};

static const struct key abort_keys[] = {
	{ .name = "status", .type = &value_status, FIELD(fault_abort, status),
		.default_note = "must be given, but with timeout",
		.description = "The final status code to answer with. Fields that it must carry are filled in where none are "
			"given.",
		.example = "status: 503" },
	{ .name = "reason", .type = &value_reason, .heap = true, FIELD(fault_abort, reason),
		.default_note = "the code's own",
		.description = "The reason phrase of the status line.",
		.example = "reason: Down For Lunch" },
	{ .name = "headers", .type = &value_field, .shape = KEY_NAMED | KEY_ONE_OR_LIST, LIST(fault_abort, fields, n_fields),
		.decode = fault_keys_decode_headers,
		.description = "Header fields of the answer. A list makes several fields of the same name. What frames the "
			"message (Content-Length, Transfer-Encoding, Connection) cannot be given.",
		.example = "headers: {x-reason: overload}" },
	{ .name = "body", .type = &value_text, .map = &keys_body, .choices = content_keys_words, .heap = true,
		.decode = content_keys_decode_body,
		.default_note = "a short explanation",
		.description = "The content of the answer: a text, sent as text/plain where headers give no content-type; "
			"problem, a problem document (RFC 9457) of the status; a value as JSON; a file.",
		.example = "body: Come back later." },
	{ .name = "retry_after", .type = &value_wait, .map = &keys_retry_after, .choices = fault_keys_hints,
		.max = DAY_NS * 365, .decode = fault_keys_decode_retry_after,
		.default_note = "not sent",
		.description = "Adds Retry-After, in whole seconds, rounded up; of a range each answer tells another wait. "
			"lie: a date that is past.",
		.example = "retry_after: 2s..6s" },
	{ .name = "enforce", .type = &value_bool, FIELD(fault_abort, enforce), .default_note = "false",
		.description = "Who comes back before the wait that retry_after told is over is refused again, and counted.",
		.example = "enforce: true" },
	{ .name = "as", .type = &value_choice, .choices = gateway_keys_names, FIELD(fault_abort, profile),
		.default_note = "brownout's own",
		.description = "Answers in the manner of a gateway: its reason, fields, content and connections. See brownout "
			"help profiles.",
		.example = "as: nginx" },
	{ .name = "timeout", .type = &value_bool, .decode = gateway_keys_decode_timeout, .default_note = "false",
		.description = "Holds the request as long as that gateway by default waits for an upstream, then answers what it "
			"answers then.",
		.example = "timeout: true" },
	{ .name = "time_scale", .type = &value_scale, FIELD(fault_abort, hold_ns), .min = 1, .max = 1000000000,
		.default_note = "1",
		.description = "What that timeout is multiplied by: 0.01 makes 0.6 s of a minute.",
		.example = "time_scale: 0.01" },
};

const struct key_map keys_abort = {
	.name = "abort", .phrase = "a mapping", KEYS(abort_keys), .short_key = "status",
	.finish = rule_check_abort,
	.description = "An answer in place of the upstream's.",
};

/* ---- delay ---- */

#define DELAY_FIELD(member) .type = &value_duration, .max = DAY_NS, FIELD(fault_delay, member)

static const struct key normal_keys[] = {
	{ .name = "mean", .required = true, DELAY_FIELD(a_ns),
		.description = "In the middle; half of the delays are longer.", .example = "mean: 200ms" },
	{ .name = "stddev", .required = true, DELAY_FIELD(b_ns),
		.description = "The standard deviation: two of three delays are within so much of the mean.",
		.example = "stddev: 50ms" },
};

const struct key_map keys_normal = {
	.name = "normal", .phrase = "a mapping with mean and stddev", KEYS(normal_keys), .finish = delay_keys_finish_normal,
	.description = "The bell curve; what would be below 0 is 0.",
};

static const struct key lognormal_keys[] = {
	{ .name = "median", .required = true, DELAY_FIELD(a_ns), .min = 1,
		.description = "Half of the delays are longer.", .example = "median: 80ms" },
	{ .name = "p99", .required = true, DELAY_FIELD(b_ns), .min = 1,
		.description = "One of a hundred delays is longer.", .example = "p99: 900ms" },
};

const struct key_map keys_lognormal = {
	.name = "lognormal", .phrase = "a mapping with median and p99", KEYS(lognormal_keys),
	.finish = delay_keys_finish_lognormal,
	.description = "Most are short, some are long: the usual shape of response times.",
};

static const struct key pareto_keys[] = {
	{ .name = "scale", .required = true, DELAY_FIELD(a_ns), .min = 1,
		.description = "The shortest delay.", .example = "scale: 20ms" },
	{ .name = "shape", .type = &value_shape, .required = true, FIELD(fault_delay, shape), .min = 100000, .max = 100000000,
		.description = "How fast the tail thins out; the smaller, the heavier it is.", .example = "shape: 1.5" },
};

const struct key_map keys_pareto = {
	.name = "pareto", .phrase = "a mapping with scale and shape", KEYS(pareto_keys), .finish = delay_keys_finish_pareto,
	.description = "Short, but for a heavy tail.",
};

static const struct choice at_choices[] = { { "head", false }, { "body", true }, { 0 } };

static const struct key delay_keys[] = {
	{ .name = "fixed", .type = &value_duration, .max = DAY_NS, .decode = delay_keys_decode_fixed,
		.description = "Always this long.", .example = "delay: {fixed: 250ms}" },
	{ .name = "uniform", .type = &value_duration_range, .max = DAY_NS, .decode = delay_keys_decode_uniform,
		.description = "Drawn anew for each request, every duration of the range as likely.",
		.example = "delay: {uniform: 100ms..2s}" },
	{ .name = "normal", .map = &keys_normal, .size = sizeof(struct fault_delay),
		.description = "Around a mean.", .example = "delay: {normal: {mean: 200ms, stddev: 50ms}}" },
	{ .name = "lognormal", .map = &keys_lognormal, .size = sizeof(struct fault_delay),
		.description = "By its median and its 99th percentile.",
		.example = "delay: {lognormal: {median: 80ms, p99: 900ms}}" },
	{ .name = "pareto", .map = &keys_pareto, .size = sizeof(struct fault_delay),
		.description = "By the shortest delay and the weight of the tail.",
		.example = "delay: {pareto: {scale: 20ms, shape: 1.5}}" },
	{ .name = "percentiles", .type = &value_duration, .shape = KEY_NAMED, .max = DAY_NS,
		.decode = delay_keys_decode_percentiles,
		.description = "As measured: p50, p99.9 and the like, and max. Between two of them every duration is as likely; "
			"below the lowest it begins at min, or 0.",
		.example = "delay: {percentiles: {p50: 20ms, p90: 80ms, p99: 400ms, max: 2s}}" },
	{ .name = "file", .type = &value_file, .max = DAY_NS, .decode = delay_keys_decode_samples,
		.description = "A file with one duration on each line, each as likely: at most 100000, 1MiB. Found from the "
			"folder of the rule file.",
		.example = "delay: {file: samples.txt}" },
	{ .name = "min", DELAY_FIELD(min_ns), .default_note = "0",
		.description = "What would be shorter is this long.",
		.example = "delay: {normal: {mean: 1s, stddev: 1s}, min: 100ms}" },
	{ .name = "max", DELAY_FIELD(max_ns), .min = 1, .default_note = "24h",
		.description = "What would be longer is this long.",
		.example = "delay: {pareto: {scale: 20ms, shape: 1}, max: 5s}" },
	{ .name = "at", .type = &value_choice, .choices = at_choices, FIELD(fault_delay, at_body), .default_note = "head",
		.description = "What waits. head: all of the answer. body: the head goes out in time, the body waits.",
		.example = "delay: {fixed: 2s, at: body}" },
};

const struct key_map keys_delay = {
	.name = "delay", .phrase = "a mapping such as {uniform: 100ms..2s}", KEYS(delay_keys), .short_key = "fixed", .one_of = 7,
	.finish = delay_keys_finish,
	.description = "A wait before going on. The delays of all rules that fire add up.",
};

/* ---- bytes ---- */

static const struct choice hang_choices[] = { { "true", DAY_NS }, { 0 } };

static const struct key hang_keys[] = {
	{ .name = "max", .type = &value_duration, .choices = hang_choices, .required = true, FIELD(fault_hang, max_ns),
		.min = (uint64_t)NS_PER_MS, .max = DAY_NS,
		.description = "Closes the connection after so long, unless the client has left. true: after a day.",
		.example = "max: 120s" },
};

const struct key_map keys_hang = {
	.name = "hang", .phrase = "a mapping with max", KEYS(hang_keys), .short_key = "max",
	.description = "Silence: the connection stays open, and nothing comes.",
};

#define RATE .type = &value_rate, .min = 1, .max = UINT64_C(1) << 40

static const struct key throttle_keys[] = {
	{ .name = "download", RATE, FIELD(fault_throttle, download), .default_note = "not throttled",
		.description = "Bytes per second towards the client.", .example = "download: 64KiB/s" },
	{ .name = "upload", RATE, FIELD(fault_throttle, upload), .default_note = "not throttled",
		.description = "Bytes per second towards the upstream.", .example = "upload: 16KiB/s" },
};

const struct key_map keys_throttle = {
	.name = "throttle", .phrase = "a mapping with download and upload", KEYS(throttle_keys), .short_key = "download",
	.finish = byte_keys_finish_throttle,
	.description = "How fast bytes pass.",
};

static const struct key drip_keys[] = {
	{ .name = "bytes", .type = &value_size, FIELD(fault_drip, bytes), .min = 1, .max = 1024 * 1024, .default_note = "1B",
		.description = "How many at a time.", .example = "bytes: 16" },
	{ .name = "every", .type = &value_duration, FIELD(fault_drip, every_ns), .min = (uint64_t)NS_PER_MS, .max = DAY_NS,
		.required = true,
		.description = "The pause between two pieces.", .example = "every: 100ms" },
};

const struct key_map keys_drip = {
	.name = "drip", .phrase = "a mapping with bytes and every", KEYS(drip_keys), .short_key = "every",
	.finish = byte_keys_finish_drip,
	.description = "The answer, head and body, a little at a time.",
};

static const struct key truncate_keys[] = {
	{ .name = "after", .type = &value_cut, .required = true, .size = sizeof(struct fault_truncate),
		.description = "What gets through: a size, or a part of the body.", .example = "after: 1KiB" },
	{ .name = "reset", .type = &value_bool, FIELD(fault_truncate, reset), .default_note = "false",
		.description = "Ends with a reset of the connection, not a close.", .example = "reset: true" },
};

const struct key_map keys_truncate = {
	.name = "truncate", .phrase = "a mapping with after and reset", KEYS(truncate_keys), .short_key = "after",
	.description = "An answer that ends too early.",
};

static const struct key corrupt_keys[] = {
	{ .name = "bytes", .type = &value_count, .required = true, FIELD(fault_corrupt, bytes), .min = 1, .max = 64,
		.description = "How many bytes of the body are changed.", .example = "bytes: 3" },
};

const struct key_map keys_corrupt = {
	.name = "corrupt", .phrase = "a mapping with bytes", KEYS(corrupt_keys), .short_key = "bytes",
	.description = "A body that is not what was sent, and as long.",
};

/* ---- messages ---- */

static const struct key edit_headers_keys[] = {
	{ .name = "set", .type = &value_field, .shape = KEY_NAMED | KEY_ONE_OR_LIST, LIST(fault_edit, set, n_set),
		.decode = fault_keys_decode_headers,
		.description = "Takes the place of all fields of that name, or adds one.", .example = "set: {x-cache: miss}" },
	{ .name = "add", .type = &value_field, .shape = KEY_NAMED | KEY_ONE_OR_LIST, LIST(fault_edit, add, n_add),
		.decode = fault_keys_decode_headers,
		.description = "Adds fields to those that are there.", .example = "add: {set-cookie: [a=1, b=2]}" },
	{ .name = "remove", .type = &value_field_name, .shape = KEY_ONE_OR_LIST, .heap = true, LIST(fault_edit, remove, n_remove),
		.min_items = 1,
		.description = "Takes all fields of that name away.", .example = "remove: [etag, last-modified]" },
};

const struct key_map keys_edit_headers = {
	.name = "edit_headers", .title = "rules[].rewrite.headers, rules[].request.headers",
	.phrase = "a mapping with set, add and remove", KEYS(edit_headers_keys),
	.description = "Changes to the fields of a head; first remove, then set, then add.",
};

static const struct key rewrite_keys[] = {
	{ .name = "status", .type = &value_status, FIELD(fault_edit, status), .default_note = "as it is",
		.description = "Another status code.", .example = "status: 500" },
	{ .name = "headers", .map = &keys_edit_headers, .size = sizeof(struct fault_edit), .default_note = "as they are",
		.description = "Other header fields.", .example = "headers: {remove: etag}" },
	{ .name = "body", .type = &value_text, .map = &keys_body, .choices = content_keys_words, .heap = true,
		.decode = content_keys_decode_new_body, .default_note = "as it is",
		.description = "Another content, as in abort. What tells of the old one (its coding, length and tag) is set "
			"right.",
		.example = "body: {json: {items: []}}" },
};

const struct key_map keys_rewrite = {
	.name = "rewrite", .phrase = "a mapping", KEYS(rewrite_keys), .finish = edit_keys_finish_rewrite,
	.description = "The upstream's own answer, changed.",
};

static const struct key request_keys[] = {
	{ .name = "headers", .map = &keys_edit_headers, .size = sizeof(struct fault_edit), .default_note = "as they are",
		.description = "Other header fields.", .example = "headers: {set: {accept-encoding: identity}}" },
	{ .name = "path", .type = &value_target_path, .heap = true, FIELD(fault_edit, path), .default_note = "as it is",
		.description = "Another path; the query stays.", .example = "path: /v0/items" },
};

const struct key_map keys_request = {
	.name = "request", .phrase = "a mapping", KEYS(request_keys), .finish = edit_keys_finish_request,
	.description = "The request, changed before the upstream sees it.",
};

static const struct key hints_keys[] = {
	{ .name = "headers", .type = &value_field, .shape = KEY_NAMED | KEY_ONE_OR_LIST, LIST(fault_hints, fields, n_fields),
		.required = true, .decode = fault_keys_decode_headers,
		.description = "Header fields of the 103.", .example = "headers: {link: \"</app.css>; rel=preload\"}" },
};

const struct key_map keys_hints = {
	.name = "early_hints", .phrase = "a mapping with headers", KEYS(hints_keys), .finish = edit_keys_finish_hints,
	.description = "A 103 (RFC 8297) before the answer.",
};

/* ---- rate_limit ---- */

static const struct choice algorithm_choices[] = { { "token_bucket", LIMIT_TOKEN_BUCKET },
	{ "fixed_window", LIMIT_FIXED_WINDOW }, { "sliding_window", LIMIT_SLIDING_WINDOW },
	{ "concurrency", LIMIT_CONCURRENCY }, { 0 } };

static const struct choice limit_headers_choices[] = { { "ietf", LIMIT_HEADERS_IETF }, { "legacy", LIMIT_HEADERS_LEGACY },
	{ "github", LIMIT_HEADERS_GITHUB }, { "none", LIMIT_HEADERS_NONE }, { 0 } };

#define QUOTA_MAX UINT64_C(1000000000)

static const struct key rate_limit_keys[] = {
	{ .name = "limit", .type = &value_count, .required = true, FIELD(fault_limit, limit), .min = 1, .max = QUOTA_MAX,
		.description = "How much may pass in a window; of concurrency, how many requests at a time.",
		.example = "limit: 100" },
	{ .name = "window", .type = &value_duration, FIELD(fault_limit, window_ns), .min = (uint64_t)NS_PER_MS,
		.max = DAY_NS * 31, .default_note = "must be given, but of concurrency",
		.description = "In what time.", .example = "window: 1m" },
	{ .name = "burst", .type = &value_count, FIELD(fault_limit, burst), .min = 1, .max = QUOTA_MAX,
		.default_note = "the limit",
		.description = "Of token_bucket: how much may pass at once after a quiet time.", .example = "burst: 20" },
	{ .name = "algorithm", .type = &value_choice, .choices = algorithm_choices, FIELD(fault_limit, algorithm),
		.default_text = "token_bucket",
		.description = "token_bucket: the quota flows in evenly. fixed_window: it is whole again with each window. "
			"sliding_window: it holds in any stretch of a window's length. concurrency: requests at the same time.",
		.example = "algorithm: token_bucket" },
	{ .name = "key", .type = &value_limit_key, .heap = true, .size = sizeof(struct fault_limit), .default_note = "all",
		.description = "Who has a quota of their own: all together, each client address, path, or value of a header "
			"field, cookie or query parameter.",
		.example = "key: header:x-api-key" },
	{ .name = "status", .type = &value_status, FIELD(fault_limit, refusal.status), .default_text = "429",
		.description = "The answer to what exceeds it.", .example = "status: 503" },
	{ .name = "retry_after", .type = &value_limit_hint, .choices = limit_keys_hints, .size = sizeof(struct fault_limit),
		.max = DAY_NS, .default_text = "auto",
		.description = "Retry-After of a refusal. auto: the wait, in seconds. date: as a time. A range: the wait and "
			"a little more, drawn, so that not all come back at once.",
		.example = "retry_after: 1s..3s" },
	{ .name = "headers", .type = &value_choice, .choices = limit_headers_choices, FIELD(fault_limit, headers),
		.default_text = "none",
		.description = "Fields that tell the quota, on refusals and on what passes. ietf: RateLimit and "
			"RateLimit-Policy. legacy: RateLimit-Limit and the like. github: X-RateLimit-Limit and the like, the "
			"reset as a time.",
		.example = "headers: ietf" },
	{ .name = "cost", .type = &value_count, FIELD(fault_limit, cost), .min = 1, .max = QUOTA_MAX, .default_text = "1",
		.description = "What one request takes of the quota.", .example = "cost: 5" },
	{ .name = "warn_at", .type = &value_count, FIELD(fault_limit, warn_at), .min = 1, .max = 100, .default_note = "never",
		.description = "Percent of the quota used from which what passes carries a warning.", .example = "warn_at: 80" },
};

const struct key_map keys_rate_limit = {
	.name = "rate_limit", .phrase = "a mapping with limit and window", KEYS(rate_limit_keys), .finish = limit_keys_finish,
	.description = "A quota; only what exceeds it is refused, and ends the list of rules.",
};
