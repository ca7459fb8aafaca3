/*
 * keys_expect: the rows of `expect` and `observe`: what a rehearsal is judged by. The limits are the rows of expect.def, which
 * gives their names and what they say; here only is said how they are grouped and what a good number looks like. A limit that
 * is not written is the profile's: that is why none has a default here.
 */
#include "config/key_rows.h"

#include "config/expect_keys.h"
#include "config/rule_keys.h"

#define EXPECT(id, check, group, key, unit, way, recommended, sre, aws, strict, help)                                           \
	static const char name_##id[] = key, help_##id[] = help;
#include "rehearsal/expect.def"
#undef EXPECT

#define ONE UINT64_C(1000000) /* limits are counted in millionths */
#define ANY (ONE * ONE)
#define BY_PROFILE .default_note = "the profile's, or off"

#define ROW(id, type_, example_)                                                                                                \
	.name = name_##id, .type = &(type_), .offset = offsetof(struct expect, limits[EXPECT_##id]),                            \
		.size = sizeof(struct expect_limit), BY_PROFILE, .description = help_##id, .example = example_

#define LIMIT(id, min_, max_, example_) { ROW(id, value_limit, example_), .min = (min_), .max = (max_) }
#define TIME(id, example_) { ROW(id, value_duration_limit, example_), .max = DAY_NS }
#define WANTED(id, example_) { ROW(id, value_wanted, example_) }
#define SEVERITY(id, example_) { ROW(id, value_severity, example_) }

/* ---- sections ---- */

static const struct choice scope_choices[] = { { "chain", EXPECT_SCOPE_CHAIN }, { "path", EXPECT_SCOPE_PATH },
	{ "host", EXPECT_SCOPE_HOST }, { 0 } };

static const struct key retry_after_keys[] = {
	LIMIT(RETRY_AFTER_HONOURED, 0, ONE, "honoured: 100%"),
	{ .name = "tolerance", .type = &value_duration, FIELD(expect, retry_after_tolerance_ns), .max = (uint64_t)NS_PER_S,
		.default_note = "5ms",
		.description = "So much too early is in time. The wait counts from the moment at which the head of the "
			"answer was handed to the socket, before which no client can have known of it.",
		.example = "tolerance: 10ms" },
	{ .name = "scope", .type = &value_choice, .choices = scope_choices, FIELD(expect, retry_after_scope),
		.default_note = "chain",
		.description = "What has to wait. chain: further attempts of the same request. path, host: all that the "
			"client sends there.",
		.example = "scope: host" },
	{ .name = "max_wait", .type = &value_duration, FIELD(expect, retry_after_max_wait_ns), .max = DAY_NS,
		.default_note = "0, and 5s in profile aws",
		.description = "A longer wait that was told counts as this long. 0: as it was told.",
		.example = "max_wait: 2m" },
};

const struct key_map keys_expect_retry_after = {
	.name = "expect_retry_after", .phrase = "a mapping", KEYS(retry_after_keys), .short_key = "honoured",
	.description = "Whether waits that were told, by Retry-After and the like, are kept.",
};

static const struct key attempts_keys[] = {
	LIMIT(ATTEMPTS_MAX, ONE, ANY, "max: 4"),
};

const struct key_map keys_expect_attempts = {
	.name = "expect_attempts", .phrase = "a mapping", KEYS(attempts_keys), .short_key = "max",
	.description = "How often one request is tried.",
};

static const struct key amplification_keys[] = {
	LIMIT(AMPLIFICATION_MAX, ONE, ANY, "max: 3.0"),
	{ .name = "during", .type = &value_name, FIELD(expect, amplification_during), .default_note = "any rule",
		.description = "The rule whose faults make the time that counts.", .example = "during: overload" },
};

const struct key_map keys_expect_amplification = {
	.name = "expect_amplification", .phrase = "a mapping", KEYS(amplification_keys), .short_key = "max",
	.description = "How much more traffic the retries make.",
};

static const struct key retry_budget_keys[] = {
	LIMIT(RETRY_BUDGET_RATIO, 0, ANY, "ratio: 20%"),
	{ .name = "floor_per_s", .type = &value_number, FIELD(expect, budget_floor_per_s), .max = ANY, .default_note = "10",
		.description = "So many retries a second are always allowed, in runs of a hundred requests and more.",
		.example = "floor_per_s: 5" },
	{ .name = "window", .type = &value_duration, FIELD(expect, budget_window_ns), .min = (uint64_t)NS_PER_S, .max = DAY_NS,
		.default_note = "10s",
		.description = "Its length. It slides.", .example = "window: 30s" },
};

const struct key_map keys_expect_retry_budget = {
	.name = "expect_retry_budget", .phrase = "a mapping", KEYS(retry_budget_keys), .short_key = "ratio",
	.description = "How many retries there are beside first attempts.",
};

static const struct key backoff_keys[] = {
	LIMIT(BACKOFF_GROWTH, 0, ANY, "growth: 1.25"),
	TIME(BACKOFF_FIRST, "first_delay: 100ms"),
};

const struct key_map keys_expect_backoff = {
	.name = "expect_backoff", .phrase = "a mapping", KEYS(backoff_keys), .short_key = "growth",
	.description = "Whether waits grow from attempt to attempt.",
};

static const struct key jitter_keys[] = {
	LIMIT(JITTER_SPREAD, 0, ANY, "spread: 0.15 warn"),
	{ .name = "per_attempt", .type = &value_bool, FIELD(expect, jitter_per_attempt), .default_note = "true",
		.description = "Each retry number must be spread, not only the best of them.", .example = "per_attempt: "
			"false" },
};

const struct key_map keys_expect_jitter = {
	.name = "expect_jitter", .phrase = "a mapping", KEYS(jitter_keys), .short_key = "spread",
	.description = "Whether waits differ, so that clients do not come back together.",
};

static const struct key herd_keys[] = {
	LIMIT(HERD_PEAK, 0, ONE, "peak_share: \"< 0.8\""),
	{ .name = "min_wave", .type = &value_count, FIELD(expect, herd_min_wave), .min = 2, .max = 1000000, .default_note = "8",
		.description = "Fewer retries are no wave.", .example = "min_wave: 20" },
};

const struct key_map keys_expect_herd = {
	.name = "expect_herd", .phrase = "a mapping", KEYS(herd_keys), .short_key = "peak_share",
	.description = "Whether retries come all at once.",
};

static const struct key unsafe_retries_keys[] = {
	LIMIT(DUPLICATES_MAX, 0, ANY, "duplicates: 0"),
	SEVERITY(WITHOUT_KEY, "without_key: fail"),
};

const struct key_map keys_expect_unsafe_retries = {
	.name = "expect_unsafe_retries", .phrase = "a mapping", KEYS(unsafe_retries_keys), .short_key = "duplicates",
	.description = "Whether what must not happen twice is sent twice.",
};

static const struct key idempotency_key_keys[] = {
	WANTED(KEY_STABLE, "stable: true"),
	LIMIT(KEY_REUSED, 0, ANY, "reused_with_other_body: 0"),
};

const struct key_map keys_expect_idempotency_key = {
	.name = "expect_idempotency_key", .phrase = "a mapping", KEYS(idempotency_key_keys),
	.description = "Whether idempotency keys are what they are meant to be.",
};

static const struct key pointless_retries_keys[] = {
	LIMIT(POINTLESS_MAX, 0, ANY, "max: 0"),
};

const struct key_map keys_expect_pointless_retries = {
	.name = "expect_pointless_retries", .phrase = "a mapping", KEYS(pointless_retries_keys), .short_key = "max",
	.description = "Whether clients retry what cannot succeed.",
};

static const struct key hedging_keys[] = {
	LIMIT(HEDGE_RATIO, 0, ONE, "ratio: 5%"),
};

const struct key_map keys_expect_hedging = {
	.name = "expect_hedging", .phrase = "a mapping", KEYS(hedging_keys), .short_key = "ratio",
	.description = "Second copies that are sent while the first is under way.",
};

static const struct key give_up_keys[] = {
	TIME(GIVE_UP_WITHIN, "within: 30s"),
	WANTED(GIVE_UP_MUST, "must: true"),
};

const struct key_map keys_expect_give_up = {
	.name = "expect_give_up", .phrase = "a mapping", KEYS(give_up_keys), .short_key = "within",
	.description = "Whether clients stop at last.",
};

static const struct key client_timeout_keys[] = {
	{ .name = "between", .type = &value_limit_range, .size = sizeof(struct expect), BY_PROFILE,
		.description = "How long clients wait for an answer before they leave: min and max in one.",
		.example = "between: 1s..30s" },
	TIME(TIMEOUT_MIN, "min: 1s"),
	TIME(TIMEOUT_MAX, "max: 30s"),
	SEVERITY(TIMEOUT_BELOW_GATEWAY, "below_gateway: warn"),
};

const struct key_map keys_expect_client_timeout = {
	.name = "expect_client_timeout", .phrase = "a mapping", KEYS(client_timeout_keys), .short_key = "between",
	.description = "When clients stop waiting.",
};

static const struct key circuit_breaker_keys[] = {
	LIMIT(BREAKER_OPENS, ONE, ANY, "opens_within: 20"),
	LIMIT(BREAKER_PROBES, 0, ANY, "probes_max: 10"),
};

const struct key_map keys_expect_circuit_breaker = {
	.name = "expect_circuit_breaker", .phrase = "a mapping", KEYS(circuit_breaker_keys), .short_key = "opens_within",
	.description = "Whether a circuit breaker opens. What is seen of it from outside is an inference, and is labelled "
		"so.",
};

static const struct key recovery_keys[] = {
	TIME(RECOVERY_FIRST, "first_success: 5s"),
	TIME(RECOVERY_STEADY, "steady: 15s"),
	LIMIT(RECOVERY_OVERSHOOT, 0, ANY, "overshoot: \"< 1.5\""),
};

const struct key_map keys_expect_recovery = {
	.name = "expect_recovery", .phrase = "a mapping", KEYS(recovery_keys),
	.description = "How clients come back when the faults are over.",
};

static const struct key aftermath_keys[] = {
	SEVERITY(AFTERMATH_SUSTAINED, "sustained: fail"),
};

const struct key_map keys_expect_aftermath = {
	.name = "expect_aftermath", .phrase = "a mapping", KEYS(aftermath_keys), .short_key = "sustained",
	.description = "Whether the effect outlives its cause: retries that go on feeding an overload whose trigger is "
		"gone.",
};

static const struct key connections_keys[] = {
	LIMIT(CONNECTIONS_PER_RETRY, 0, ONE, "new_per_retry: 10%"),
	LIMIT(CONNECTIONS_AFTER_CLOSE, 0, ANY, "after_close: 0"),
	LIMIT(CONNECTIONS_PARALLEL, 0, ANY, "parallel: 100"),
};

const struct key_map keys_expect_connections = {
	.name = "expect_connections", .phrase = "a mapping", KEYS(connections_keys), .short_key = "new_per_retry",
	.description = "How connections are used.",
};

static const struct key quota_keys[] = {
	LIMIT(QUOTA_MAX, 0, ANY, "max: 0"),
};

const struct key_map keys_expect_quota = {
	.name = "expect_quota", .phrase = "a mapping", KEYS(quota_keys), .short_key = "max",
	.description = "Whether a quota that was told (RateLimit) is kept.",
};

static const struct key handling_keys[] = {
	LIMIT(HANDLING_MAX, 0, ANY, "max: 0"),
};

const struct key_map keys_expect_handling = {
	.name = "expect_handling", .phrase = "a mapping", KEYS(handling_keys), .short_key = "max",
	.description = "Whether 417, 421, 425, 401 and redirects are answered as their meaning demands.",
};

static const struct key yield_keys[] = {
	LIMIT(YIELD_SUCCESS, 0, ONE, "success_ratio: 99%"),
};

const struct key_map keys_expect_yield = {
	.name = "expect_yield", .phrase = "a mapping", KEYS(yield_keys), .short_key = "success_ratio",
	.description = "What the users would notice.",
};

/* ---- expect ---- */

static const struct choice profile_choices[] = {
#define X(id, name) { name, EXPECT_PROFILE_##id },
	EXPECT_PROFILE_TABLE(X, ) { 0 },
#undef X
};

static const struct choice inconclusive_choices[] = { { "pass", EXPECT_INCONCLUSIVE_PASS }, { "warn", EXPECT_INCONCLUSIVE_WARN },
	{ "fail", EXPECT_INCONCLUSIVE_FAIL }, { 0 } };

/* They are all of one struct. */
#define SECTION(name_, text, example_)                                                                                          \
	{ .name = #name_, .map = &keys_expect_##name_, .description = text, .example = #name_ ": " example_ }

static const struct key expect_keys[] = {
	/* The first: the others are decoded over it. */
	{ .name = "profile", .type = &value_choice, .choices = profile_choices, .size = sizeof(enum expect_profile),
		.decode = expect_keys_decode_profile, .default_text = "none",
		.description = "Limits to begin with. recommended: at most 4 attempts, 20 % retries, waits that grow, "
			"every wait that was told kept, nothing executed twice. sre: 3 attempts, 10 % retries, jitter. "
			"aws: what AWS's SDKs do. strict: the strictest of each. none: only what is written. A limit that "
			"is written beside it wins.",
		.example = "profile: recommended" },
	{ .name = "min_samples", .type = &value_count, FIELD(expect, min_samples), .min = 1, .max = 1000000, .default_note = "20",
		.description = "So many samples a check needs that is about shares or distributions; with fewer it is "
			"inconclusive. What is only counted needs one. Nothing passes on none.",
		.example = "min_samples: 8" },
	{ .name = "inconclusive", .type = &value_choice, .choices = inconclusive_choices, FIELD(expect, inconclusive),
		.default_note = "warn",
		.description = "What a run comes to in which a limit could not be judged. fail: exit code 4.",
		.example = "inconclusive: fail" },
	SECTION(retry_after, "Whether waits that were told, by Retry-After and the like, are kept.",
		"{honoured: 100%, tolerance: 10ms}"),
	SECTION(attempts, "How often one request is tried.", "4"),
	SECTION(amplification, "How much more traffic the retries make.", "{max: 3}"),
	SECTION(retry_budget, "How many retries there are beside first attempts.", "{ratio: 20%, window: 10s}"),
	SECTION(backoff, "Whether waits grow from attempt to attempt.", "{growth: 1.25, first_delay: 100ms}"),
	SECTION(jitter, "Whether waits differ, so that clients do not come back together.", "0.15 warn"),
	SECTION(herd, "Whether retries come all at once.", "{peak_share: \"< 0.8\"}"),
	SECTION(unsafe_retries, "Whether what must not happen twice is sent twice.", "{duplicates: 0, without_key: warn}"),
	SECTION(idempotency_key, "Whether idempotency keys are what they are meant to be.", "{stable: true}"),
	SECTION(pointless_retries, "Whether clients retry what cannot succeed.", "{max: 0}"),
	SECTION(hedging, "Second copies that are sent while the first is under way.", "{ratio: 5%}"),
	SECTION(give_up, "Whether clients stop at last.", "{within: 30s, must: true}"),
	SECTION(client_timeout, "When clients stop waiting.", "{between: 1s..30s, below_gateway: warn}"),
	SECTION(circuit_breaker, "Whether a circuit breaker opens.", "{opens_within: 20, probes_max: 10}"),
	SECTION(recovery, "How clients come back when the faults are over.", "{first_success: 5s, steady: 15s}"),
	SECTION(aftermath, "Whether the effect outlives its cause.", "{sustained: fail}"),
	SECTION(connections, "How connections are used.", "{new_per_retry: 10%, after_close: 0}"),
	SECTION(quota, "Whether a quota that was told (RateLimit) is kept.", "{max: 0}"),
	SECTION(handling, "Whether 417, 421, 425, 401 and redirects are answered as their meaning demands.", "{max: 0}"),
	SECTION(yield, "What the users would notice.", "{success_ratio: 99%}"),
};

const struct key_map keys_expect = {
	.name = "expect", .phrase = "a mapping", KEYS(expect_keys), .short_key = "profile",
	.description = "What is expected of the clients. A run then ends with a verdict, and with exit code 3 where a "
		"limit does not hold. A limit is a number, with or without the comparison that it means anyway (4 or \"<= "
		"4\"); a share may be a percentage; \"warn\" behind it makes it a warning; off is none. What has no limit "
		"is measured and told, and nothing comes of it.",
};

/* ---- observe ---- */

static const struct choice content_choices[] = { { "bodies", true }, { "headers", false }, { 0 } };

static const struct key fingerprint_keys[] = {
	{ .name = "ignore_query", .type = &value_text, .shape = KEY_ONE_OR_LIST, LIST(observe, ignore_query, n_ignore_query),
		.max_items = 64,
		.description = "Query parameters that differ between the attempts of one request.",
		.example = "ignore_query: [_, ts]" },
	{ .name = "ignore_headers", .type = &value_observed_field, .shape = KEY_ONE_OR_LIST,
		LIST(observe, ignore_headers, n_ignore_headers), .max_items = 64,
		.description = "Header fields that do.", .example = "ignore_headers: [date, x-request-id]" },
	{ .name = "ignore_json", .type = &value_json_path, .shape = KEY_ONE_OR_LIST, LIST(observe, ignore_json, n_ignore_json),
		.max_items = 64,
		.description = "Members of a JSON body that do.", .example = "ignore_json: [$.nonce, $.meta.sent_at]" },
};

const struct key_map keys_fingerprint = {
	.name = "fingerprint", .phrase = "a mapping", KEYS(fingerprint_keys),
	.description = "What is left out where two requests are compared.",
};

static const struct key observe_keys[] = {
	{ .name = "content", .type = &value_choice, .choices = content_choices, FIELD(observe, bodies), .default_text = "bodies",
		.description = "headers: the bodies of requests are not looked at, so two requests that differ in nothing "
			"else are one.",
		.example = "content: headers" },
	{ .name = "client_key", .type = &value_client_key, .shape = KEY_ONE_OR_LIST, LIST(observe, client_key, n_client_key),
		.max_items = 8, .default_note = "address",
		.description = "What one client is told from another by; all together. address: of the peer, without its "
			"port. process: the peer's process, where it runs on the same machine.",
		.example = "client_key: [address, header:user-agent]" },
	{ .name = "logical_key", .type = &value_logical_key, .shape = KEY_ONE_OR_LIST,
		LIST(observe, logical_key, n_logical_key), .max_items = 16, .default_note = "idempotency keys and the ids of "
			"known SDKs",
		.description = "Header fields that name the logical request that a request is an attempt of; the first "
			"that it has.",
		.example = "logical_key: [header:x-operation-id]" },
	{ .name = "fingerprint", .map = &keys_fingerprint,
		.description = "What is left out where two requests are compared.",
		.example = "fingerprint: {ignore_query: [_, ts]}" },
	{ .name = "noise_floor", .type = &value_duration, FIELD(observe, noise_floor_ns), .max = (uint64_t)NS_PER_S * 10,
		.default_text = "50ms",
		.description = "Shorter pauses say more about the machine than about the client; growth and jitter leave "
			"them out.",
		.example = "noise_floor: 20ms" },
};

const struct key_map keys_observe = {
	.name = "observe", .phrase = "a mapping", KEYS(observe_keys), .short_key = "content",
	.description = "How the attempts of one request, and the requests of one client, are recognised.",
};
