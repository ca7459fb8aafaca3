/*
 * keys_rule: the rows of a rule: which requests, how often, when, and what happens. The rows of the faults are the same in a
 * rule, in one of its outcomes and in a place of its sequence.
 */
#include "config/key_rows.h"

#include "config/limit_keys.h"
#include "config/match_keys.h"
#include "config/rule_check.h"
#include "config/rule_keys.h"

/* ---- when ---- */

static const struct key ramp_keys[] = {
	{ .name = "from", .type = &value_percentage, .required = true, FIELD(rule_schedule, ramp_from),
		.description = "The percentage at the start.", .example = "from: 0" },
	{ .name = "over", .type = &value_duration, .required = true, FIELD(rule_schedule, ramp_over_ns),
		.min = (uint64_t)NS_PER_MS, .max = DAY_NS * 365,
		.description = "How long it takes until it is the rule's own.", .example = "over: 60s" },
};

const struct key_map keys_ramp = {
	.name = "ramp", .phrase = "a mapping with from and over", KEYS(ramp_keys),
	.description = "A percentage that changes evenly with time.",
};

static const struct key burst_keys[] = {
	{ .name = "enter", .type = &value_percentage, .required = true, FIELD(rule_schedule, burst_enter),
		.description = "The chance of each request to begin a bad time.", .example = "enter: 1" },
	{ .name = "leave", .type = &value_percentage, .required = true, FIELD(rule_schedule, burst_leave),
		.description = "The chance of each request to end it.", .example = "leave: 20" },
};

const struct key_map keys_burst = {
	.name = "burst", .phrase = "a mapping with enter and leave", KEYS(burst_keys), .finish = rule_keys_finish_burst,
	.description = "Faults that come in bursts: in bad times the rule's percentage holds, in good times nothing happens.",
};

#define TIME .type = &value_duration, .max = DAY_NS * 365
#define SCHEDULE_KEYS                                                                                                           \
	{ .name = "start_after", TIME, FIELD(rule, schedule.start_after_ns), .default_text = "0",                               \
		.description = "Does nothing before so much time has passed since the start.",                                  \
		.example = "start_after: 30s" },                                                                                \
	{ .name = "start_after_requests", .type = &value_count, FIELD(rule, schedule.start_after_requests), .max = COUNT_MAX,   \
		.default_text = "0",                                                                                            \
		.description = "All times of the rule count from the first match after so many (over all keys), not from the "  \
			"start: a window that begins with the traffic, however long that takes to come.",                       \
		.example = "start_after_requests: 20" },                                                                        \
	{ .name = "duration", TIME, FIELD(rule, schedule.duration_ns), .min = (uint64_t)NS_PER_MS, .default_note = "no end",    \
		.description = "Then acts for so long.", .example = "duration: 10s" },                                          \
	{ .name = "period", TIME, FIELD(rule, schedule.period_ns), .min = (uint64_t)NS_PER_MS, .default_note = "once",          \
		.description = "After so long, counted from its beginning, the window of that duration comes again.",           \
		.example = "period: 60s" },                                                                                     \
	{ .name = "ramp", .map = &keys_ramp, FIELD(rule, schedule),                                                             \
		.description = "The percentage grows evenly from another one to the rule's.",                                   \
		.example = "ramp: {from: 0, over: 60s}" },                                                                      \
	{ .name = "burst", .map = &keys_burst, FIELD(rule, schedule),                                                           \
		.description = "Acts in bursts: percent chances per matching request to enter and to leave a bad time.",        \
		.example = "burst: {enter: 1, leave: 20}" },                                                                    \
	{ .name = "ttl", TIME, FIELD(rule, schedule.ttl_ns), .min = (uint64_t)NS_PER_MS, .default_note = "for ever",            \
		.description = "So long after the start the rule disarms itself.", .example = "ttl: 10m" },                     \
	{ .name = "max_faults", .type = &value_count, FIELD(rule, schedule.max_faults), .max = COUNT_MAX, .default_text = "0",  \
		.description = "Acts so many times in all, and then no more. 0: no limit.", .example = "max_faults: 100" },     \
	{ .name = "max_active_faults", .type = &value_count, FIELD(rule, schedule.max_active), .max = 1000000,                  \
		.default_text = "0",                                                                                            \
		.description = "Acts on so many requests at a time; others pass. 0: no limit.",                                 \
		.example = "max_active_faults: 50" }

/* ---- what ---- */

static const struct choice connection_choices[] = { { "close", FAULT_CONNECTION_CLOSE }, { "reset", FAULT_CONNECTION_RESET },
	{ "refuse", FAULT_CONNECTION_REFUSE }, { 0 } };

static const struct choice malformed_choices[] = {
#define MALFORMED(id, name, text) { name, MALFORMED_##id },
#include "core/malformed.def"
#undef MALFORMED
	{ 0 },
};

static const struct choice pass_choices[] = { { "true", true }, { 0 } };

/* at: where in struct type the struct fault_set lies: nothing, or its name and a dot. */
#define FAULT_KEYS(type_, at)                                                                                                   \
	{ .name = "request", .map = &keys_request, FIELD(type_, at request),                                                    \
		.description = "Changes what the upstream sees of the request. Only in phase request.",                         \
		.example = "request: {headers: {set: {accept-encoding: identity}}}" },                                          \
	{ .name = "delay", .map = &keys_delay, FIELD(type_, at delay),                                                          \
		.description = "Waits, then goes on.",                                                                          \
		.example = "delay: 250ms" },                                                                                    \
	{ .name = "early_hints", .map = &keys_hints, FIELD(type_, at hints),                                                    \
		.description = "Sends 103 before the answer. Only in phase request.",                                           \
		.example = "early_hints: {headers: {link: \"</app.css>; rel=preload\"}}" },                                     \
	{ .name = "abort", .map = &keys_abort, FIELD(type_, at abort),                                                          \
		.description = "Answers with a status and ends the list of rules. In phase response the upstream's answer is "  \
			"thrown away.",                                                                                         \
		.example = "abort: 503" },                                                                                      \
	{ .name = "connection", .type = &value_choice, .choices = connection_choices, FIELD(type_, at connection),              \
		.description = "close: closes the connection without an answer. reset: the same with a TCP reset. "             \
			"refuse: reset, and so is the next connection, as soon as it is there. Ends the list of rules.",        \
		.example = "connection: reset" },                                                                               \
	{ .name = "hang", .map = &keys_hang, FIELD(type_, at hang),                                                             \
		.description = "Never answers: holds the request until the client leaves, or for so long. Ends the list of "    \
			"rules.",                                                                                               \
		.example = "hang: {max: 120s}" },                                                                               \
	{ .name = "malformed", .type = &value_choice, .choices = malformed_choices, FIELD(type_, at malformed),                 \
		.description = "Answers with what is no valid HTTP: a status line that is none, header fields that are none, "  \
			"a Content-Length or chunk size that is no number, a body that ends early, no head at all.",            \
		.example = "malformed: chunk" },                                                                                \
	{ .name = "rewrite", .map = &keys_rewrite, FIELD(type_, at rewrite),                                                    \
		.description = "Changes status, fields or body of the upstream's answer. Only in phase response.",              \
		.example = "rewrite: {status: 500}" },                                                                          \
	{ .name = "corrupt", .map = &keys_corrupt, FIELD(type_, at corrupt),                                                    \
		.description = "Changes bytes in the body of the answer; its length is kept.",                                  \
		.example = "corrupt: 3" },                                                                                      \
	{ .name = "truncate", .map = &keys_truncate, FIELD(type_, at truncate),                                                 \
		.description = "Cuts the body of the answer off and ends the connection. Of one that has been upgraded "        \
			       "(WebSocket): what comes from the upstream.",                                            \
		.example = "truncate: {after: 50%}" },                                                                          \
	{ .name = "throttle", .map = &keys_throttle, FIELD(type_, at throttle),                                                 \
		.description = "Lets bytes pass at a rate.",                                                                    \
		.example = "throttle: {download: 64KiB/s}" },                                                                   \
	{ .name = "drip", .map = &keys_drip, FIELD(type_, at drip),                                                             \
		.description = "Lets the answer out in small pieces, one after each pause.",                                    \
		.example = "drip: {bytes: 16, every: 100ms}" },                                                                 \
	{ .name = "rate_limit", .map = &keys_rate_limit, .heap = true, FIELD(type_, at limit), .decode = limit_keys_decode,     \
		.description = "Refuses what exceeds a quota, and ends the list of rules then; what is within it passes on to " \
			"the next rule. Quotas of several outcomes, or places of a sequence, are apart.",                       \
		.example = "rate_limit: {limit: 100, window: 1m, key: client}" },                                               \
	{ .name = "pass", .type = &value_choice, .choices = pass_choices, FIELD(type_, at pass),                                \
		.description = "Nothing happens, and no later rule is asked.",                                                  \
		.example = "pass: true" }

static const struct key outcome_keys[] = {
	{ .name = "weight", .type = &value_count, .required = true, FIELD(rule_outcome, weight), .min = 1, .max = 1000000000,
		.description = "How often it is taken, compared with the others.", .example = "weight: 3" },
	FAULT_KEYS(rule_outcome, faults.),
};

const struct key_map keys_outcome = {
	.name = "outcome", .like = &keys_rule, .phrase = "a mapping with weight and faults", KEYS(outcome_keys),
	.description = "One of several things that happen: its weight (a whole number), and the faults as in a rule, or pass: "
		"true.",
};

static const struct key step_keys[] = { FAULT_KEYS(fault_set, ) };

const struct key_map keys_step = {
	.name = "step", .like = &keys_rule, .phrase = "a mapping of faults", KEYS(step_keys), .short_key = "abort",
	.description = "One of several things that happen in turn: a status, pass, or faults as in a rule.",
};

/* ---- rule ---- */

static const struct choice phase_choices[] = { { "request", RULE_PHASE_REQUEST }, { "response", RULE_PHASE_RESPONSE }, { 0 } };

static const struct choice sampling_choices[] = { { "independent", RULE_SAMPLING_INDEPENDENT }, { "even", RULE_SAMPLING_EVEN },
	{ 0 } };

static const struct choice then_choices[] = { { "repeat", false }, { "pass", true }, { 0 } };

static const struct key rule_keys[] = {
	{ .name = "name", .type = &value_name, .heap = true, FIELD(rule, name),
		.default_note = "rule-1, rule-2, ... by its place",
		.description = "What the rule is called in logs and on faulted answers. Unique.",
		.example = "name: checkout-overload" },
	{ .name = "match", .map = &keys_match, FIELD(rule, match),
		.default_note = "every request",
		.description = "Which requests the rule is for.",
		.example = "match: {path: /checkout/**}" },
	{ .name = "phase", .type = &value_choice, .choices = phase_choices, FIELD(rule, phase),
		.default_text = "request",
		.description = "request: before the upstream is touched. response: after it has answered, so that its side "
			"effects have happened.",
		.example = "phase: response" },
	{ .name = "enabled", .type = &value_bool, FIELD(rule, enabled), .default_text = "true",
		.description = "A rule that is not enabled is checked, and does nothing.",
		.example = "enabled: false" },
	{ .name = "dry_run", .type = &value_bool, FIELD(rule, dry_run), .default_text = "false",
		.description = "Decides and counts, and does nothing.",
		.example = "dry_run: true" },
	{ .name = "required", .type = &value_bool, FIELD(rule, required), .default_text = "false",
		.description = "A run in which the rule never acted is no success, whatever the clients did: nothing was "
			"rehearsed.",
		.example = "required: true" },
	{ .name = "percentage", .type = &value_percentage, FIELD(rule, percentage), .default_text = "100",
		.description = "How many of the matching requests get the fault: 0 to 100, with up to 6 decimals.",
		.example = "percentage: 12.5" },
	{ .name = "sampling", .type = &value_choice, .choices = sampling_choices, FIELD(rule, sampling),
		.default_text = "independent",
		.description = "independent: each request is drawn for itself. even: of each 100 matching requests exactly as "
			"many as the percentage says, in a shuffled order.",
		.example = "sampling: even" },
	{ .name = "key", .type = &value_rule_key, .heap = true, .decode = rule_keys_decode_key,
		.default_text = "ordinal",
		.description = "What matches are counted and drawn by. ordinal: all together. client: per client address. "
			"fingerprint: per method, host and target. header:NAME, cookie:NAME, query:NAME: per value of it.",
		.example = "key: header:x-user-id" },
	{ .name = "after", .type = &value_count, FIELD(rule, after), .max = COUNT_MAX, .default_text = "0",
		.description = "Skips so many matches (per key) first.",
		.example = "after: 5" },
	{ .name = "first", .type = &value_count, FIELD(rule, first), .min = 1, .max = COUNT_MAX,
		.default_note = "no end",
		.description = "Then acts on so many matches (per key) and no more: \"fail twice, then succeed\" is first: 2. "
			"With after it is a window by count, the same in every run however long that takes.",
		.example = "first: 2" },
	{ .name = "every", .type = &value_count, FIELD(rule, every), .min = 1, .max = COUNT_MAX,
		.default_text = "1",
		.description = "Acts on each such match (per key): every: 4 is the 4th, 8th, 12th ...",
		.example = "every: 4" },
	SCHEDULE_KEYS,
	FAULT_KEYS(rule, faults.),
	{ .name = "outcomes", .map = &keys_outcome, .shape = KEY_LIST, .heap = true, .min_items = 1, .max_items = OUTCOMES_MAX,
		LIST(rule, outcomes, n_outcomes),
		.description = "Of each request exactly one is taken, in one draw, by weight. Takes the place of percentage.",
		.example = "outcomes: [{weight: 3, abort: 503}, {weight: 97, pass: true}]" },
	{ .name = "sequence", .type = &value_step, .map = &keys_step, .shape = KEY_LIST, .heap = true, .min_items = 1,
		.max_items = SEQUENCE_MAX, LIST(rule, sequence, n_sequence),
		.description = "What happens to the first matching request (per key), the second, and so on.",
		.example = "sequence: [503, 503, pass]" },
	{ .name = "then", .type = &value_choice, .choices = then_choices, FIELD(rule, sequence_once), .default_text = "repeat",
		.description = "After the last of the sequence: from the beginning again, or nothing any more.",
		.example = "then: pass" },
};

const struct key_map keys_rule = {
	.name = "rule", .phrase = "a rule (a mapping)", KEYS(rule_keys), .finish = rule_check_rule,
	.description = "Which requests, how many of them, and what happens to them. Rules are read from top to bottom; each "
		"that fires adds its faults, until one ends the list.",
};
