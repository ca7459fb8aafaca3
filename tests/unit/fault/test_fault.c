/*
 * fault: the verdict at each moment of an effect's life, and which fault and which rule name the exchange.
 */
#include "fault/fault.h"

#include <criterion/criterion.h>

TestSuite(fault, .timeout = 60);

#define SINCE_NS (100 * NS_PER_S)

static const struct rule delay_rule = { .name = { "slow", 4 },
	.faults = { .delay = { .kind = DELAY_FIXED, .a_ns = 250, .b_ns = 250 } } };
static const struct rule abort_rule = { .name = { "refuse", 6 }, .faults = { .abort = { .status = 503 } } };
static const struct rule close_rule = { .name = { "cut", 3 }, .faults = { .connection = FAULT_CONNECTION_CLOSE } };
static const struct rule reset_rule = { .name = { "tear", 4 }, .faults = { .connection = FAULT_CONNECTION_RESET } };
/* The loader refuses both in one rule; if they met, the client would get the answer. */
static const struct rule both_rule = { .name = { "both", 4 },
	.faults = { .abort = { .status = 429 }, .connection = FAULT_CONNECTION_RESET } };

static const struct rule refuse_rule = { .name = { "shut", 4 }, .faults = { .connection = FAULT_CONNECTION_REFUSE } };
static const struct rule hang_rule = { .name = { "hold", 4 }, .faults = { .hang = { .max_ns = 1000 } } };
static const struct rule pass_rule = { .name = { "pass", 4 }, .faults = { .pass = true } };
static const struct rule gateway_rule = { .name = { "late", 4 }, .faults = { .abort = { .status = 504, .hold_ns = 1000 } } };
static struct fault_limit quota = { .limit = 1, .refusal = { .status = 429 } };
static const struct rule quota_rule = { .name = { "quota", 5 }, .faults = { .limit = &quota } };

#define NO_EFFECT { 0 }
#define DELAY(ns) { .delay_ns = (ns), .delay_rule = &delay_rule }
#define END(rule) { .end_rule = &(rule), .end_set = &(rule).faults }
#define END_ABORT(rule) { .end_rule = &(rule), .end_set = &(rule).faults, .end_abort = &(rule).faults.abort }
#define DELAY_THEN(ns, rule) { .delay_ns = (ns), .delay_rule = &delay_rule, .end_rule = &(rule), .end_set = &(rule).faults }
#define DELAY_THEN_ABORT(ns, rule)                                                                                              \
	{ .delay_ns = (ns), .delay_rule = &delay_rule, .end_rule = &(rule), .end_set = &(rule).faults,                          \
		.end_abort = &(rule).faults.abort }

static const struct {
	const char *what;
	struct fault_effect effect;
	int64_t now_ns; /* from the phase's begin */
	struct fault_verdict want; /* until_ns from the phase's begin as well */
} moments[] = {
	{ "nothing decided", NO_EFFECT, 0, { FAULT_CONTINUE, 0, NULL, NULL } },
	{ "nothing decided, later", NO_EFFECT, NS_PER_S, { FAULT_CONTINUE, 0, NULL, NULL } },

	{ "a delay at its begin", DELAY(250), 0, { FAULT_WAIT, 250, &delay_rule, NULL } },
	{ "a delay 1 ns before it is due", DELAY(250), 249, { FAULT_WAIT, 250, &delay_rule, NULL } },
	{ "a delay when it is due", DELAY(250), 250, { FAULT_CONTINUE, 0, NULL, NULL } },
	{ "a delay long over", DELAY(250), NS_PER_S, { FAULT_CONTINUE, 0, NULL, NULL } },
	{ "a delay of 1 ns", DELAY(1), 0, { FAULT_WAIT, 1, &delay_rule, NULL } },
	{ "a delay of 1 ns when it is due", DELAY(1), 1, { FAULT_CONTINUE, 0, NULL, NULL } },
	{ "a delay of days", DELAY(100000 * NS_PER_S), 99999 * NS_PER_S, { FAULT_WAIT, 100000 * NS_PER_S, &delay_rule, NULL } },
	{ "a clock that was read before the begin", DELAY(250), -10, { FAULT_WAIT, 250, &delay_rule, NULL } },

	{ "an abort at once", END_ABORT(abort_rule), 0, { FAULT_REPLY, 0, &abort_rule, &abort_rule.faults.abort } },
	{ "a close at once", END(close_rule), 0, { FAULT_CLOSE, 0, &close_rule, NULL } },
	{ "a reset at once", END(reset_rule), 0, { FAULT_RESET, 0, &reset_rule, NULL } },
	{ "abort and connection in one", END_ABORT(both_rule), 0, { FAULT_REPLY, 0, &both_rule, &both_rule.faults.abort } },

	{ "an abort behind a delay", DELAY_THEN_ABORT(250, abort_rule), 249, { FAULT_WAIT, 250, &delay_rule, NULL } },
	{ "an abort behind a delay, due", DELAY_THEN_ABORT(250, abort_rule), 250,
		{ FAULT_REPLY, 0, &abort_rule, &abort_rule.faults.abort } },
	{ "a close behind a delay", DELAY_THEN(250, close_rule), 0, { FAULT_WAIT, 250, &delay_rule, NULL } },
	{ "a close behind a delay, due", DELAY_THEN(250, close_rule), 251, { FAULT_CLOSE, 0, &close_rule, NULL } },
	{ "a reset behind a delay", DELAY_THEN(250, reset_rule), 0, { FAULT_WAIT, 250, &delay_rule, NULL } },
	{ "a reset behind a delay, due", DELAY_THEN(250, reset_rule), 250, { FAULT_RESET, 0, &reset_rule, NULL } },

	{ "a refusal", END(refuse_rule), 0, { FAULT_REFUSE, 0, &refuse_rule, NULL } },
	{ "pass", END(pass_rule), 0, { FAULT_CONTINUE, 0, &pass_rule, NULL } },
	{ "a hang", END(hang_rule), 0, { FAULT_HOLD, 1000, &hang_rule, NULL } },
	{ "a hang 1 ns before its end", END(hang_rule), 999, { FAULT_HOLD, 1000, &hang_rule, NULL } },
	{ "a hang at its end", END(hang_rule), 1000, { FAULT_CLOSE, 1000, &hang_rule, NULL } },
	{ "a hang behind a delay", DELAY_THEN(250, hang_rule), 249, { FAULT_WAIT, 250, &delay_rule, NULL } },
	{ "a hang behind a delay counts from its end", DELAY_THEN(250, hang_rule), 250, { FAULT_HOLD, 1250, &hang_rule, NULL } },
	{ "a gateway waits its own time", END_ABORT(gateway_rule), 999,
		{ FAULT_HOLD, 1000, &gateway_rule, &gateway_rule.faults.abort } },
	{ "a gateway, its time over", END_ABORT(gateway_rule), 1000,
		{ FAULT_REPLY, 0, &gateway_rule, &gateway_rule.faults.abort } },
	{ "a gateway behind a delay", DELAY_THEN_ABORT(250, gateway_rule), 1249,
		{ FAULT_HOLD, 1250, &gateway_rule, &gateway_rule.faults.abort } },
};

Test(fault, each_moment_has_its_verdict)
{
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		const struct fault_verdict *want = &moments[i].want;
		struct fault_verdict got = fault_next(&moments[i].effect, SINCE_NS, SINCE_NS + moments[i].now_ns);
		int64_t until_ns = want->until_ns ? SINCE_NS + want->until_ns : 0;

		cr_expect_eq(got.kind, want->kind, "%s: verdict %d, not %d", moments[i].what, got.kind, want->kind);
		cr_expect_eq(got.until_ns, until_ns, "%s: until %lld", moments[i].what, (long long)got.until_ns);
		cr_expect_eq(got.rule, want->rule, "%s: another rule", moments[i].what);
		cr_expect_eq(got.abort, want->abort, "%s: another answer", moments[i].what);
	}
}

/* Whoever comes back at until_ns and not earlier is never told to wait again. */
Test(fault, a_wait_is_over_when_it_said)
{
	for (int64_t delay_ns = 1; delay_ns < 100 * NS_PER_S; delay_ns = delay_ns * 3 + 1) {
		const struct fault_effect effect = DELAY_THEN_ABORT(delay_ns, abort_rule);
		struct fault_verdict v = fault_next(&effect, SINCE_NS, SINCE_NS);

		cr_assert_eq(v.kind, FAULT_WAIT);
		cr_assert_eq(v.until_ns - SINCE_NS, delay_ns);
		cr_expect_eq(fault_next(&effect, SINCE_NS, v.until_ns - 1).kind, FAULT_WAIT);
		cr_expect_eq(fault_next(&effect, SINCE_NS, v.until_ns).kind, FAULT_REPLY);
	}
}

static const struct {
	const char *what;
	struct fault_effect effect;
	enum fault_kind kind;
	const struct rule *rule;
} effects[] = {
	{ "nothing", NO_EFFECT, FAULT_NONE, NULL },
	{ "delay", DELAY(250), FAULT_DELAY, &delay_rule },
	{ "abort", END_ABORT(abort_rule), FAULT_ABORT, &abort_rule },
	{ "close", END(close_rule), FAULT_CONNECTION, &close_rule },
	{ "reset", END(reset_rule), FAULT_CONNECTION, &reset_rule },
	{ "abort and connection in one", END_ABORT(both_rule), FAULT_ABORT, &both_rule },
	{ "delay, then abort", DELAY_THEN_ABORT(250, abort_rule), FAULT_ABORT, &abort_rule },
	{ "delay, then reset", DELAY_THEN(250, reset_rule), FAULT_CONNECTION, &reset_rule },
	{ "refuse", END(refuse_rule), FAULT_CONNECTION, &refuse_rule },
	{ "hang", END(hang_rule), FAULT_HANG, &hang_rule },
	{ "quota", { .end_rule = &quota_rule, .end_set = &quota_rule.faults, .end_abort = &quota.refusal },
		FAULT_RATE_LIMIT, &quota_rule },
	{ "delay, then pass", DELAY_THEN(250, pass_rule), FAULT_DELAY, &pass_rule },
	/* A uniform delay may draw 0: nothing happens then, and nothing is to be named. */
	{ "a delay of nothing", DELAY(0), FAULT_NONE, NULL },
	{ "a delay of nothing, then close", DELAY_THEN(0, close_rule), FAULT_CONNECTION, &close_rule },
};

Test(fault, what_ends_an_exchange_names_it_before_what_delays_it)
{
	for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
		const struct fault_effect *e = &effects[i].effect;

		cr_expect_eq(fault_effect_kind(e), effects[i].kind, "%s: kind %d", effects[i].what, fault_effect_kind(e));
		cr_expect_eq(fault_effect_rule(e), effects[i].rule, "%s: another rule", effects[i].what);
	}
}

Test(fault, an_effect_is_what_the_plan_says_and_no_more)
{
	const struct fault_plan full = { .delay_ns = 7, .delay_rule = &delay_rule, .n_fired = 1, .n_decisions = 3,
		.fired = { { .rule = &close_rule, .set = &close_rule.faults } } };
	const struct fault_plan empty = { .end = -1 };
	struct fault_effect e = DELAY_THEN(99, reset_rule);

	fault_effect_take(&e, &full);
	cr_expect_eq(e.delay_ns, 7);
	cr_expect_eq(e.delay_rule, &delay_rule);
	cr_expect_eq(e.end_rule, &close_rule);
	cr_expect_eq(e.end_set, &close_rule.faults);
	fault_effect_take(&e, &empty);
	cr_expect_eq(e.delay_ns, 0);
	cr_expect_null(e.delay_rule);
	cr_expect_null(e.end_rule);
}

Test(fault, an_effect_takes_the_answer_that_ends_it)
{
	const struct { const struct rule *rule; const struct fault_abort *abort; } ends[] = {
		{ &abort_rule, &abort_rule.faults.abort }, { &quota_rule, &quota.refusal }, { &close_rule, NULL },
		{ &hang_rule, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const struct fault_plan plan = { .n_fired = 2, .end = 1,
			.fired = { { .rule = &delay_rule, .set = &delay_rule.faults },
				{ .rule = ends[i].rule, .set = &ends[i].rule->faults } } };
		struct fault_effect e;

		fault_effect_take(&e, &plan);
		cr_expect_eq(e.end_rule, ends[i].rule);
		cr_expect_eq(e.end_abort, ends[i].abort, "%.*s", SPAN_ARG(ends[i].rule->name));
	}
}
