/* expect: profiles, what is written over them, and what is refused. */
#include "support.h"

static void load_expect(struct loaded *l, const char *expect)
{
	char source[2048];

	(void)snprintf(source, sizeof(source), "upstream: origin\nrules: [{name: overload, abort: 503}]\n%s\n", expect);
	support_load(l, source);
}

/* Severity, comparison and number of a limit. */
static bool is_limit(const struct expect *e, enum expect_key key, enum expect_severity severity, enum expect_way way,
	double value)
{
	const struct expect_limit *l = &e->limits[key];

	return l->severity == severity && l->way == way && l->value == value;
}

Test(expect, without_it_nothing_is_judged)
{
	struct loaded l;

	load_expect(&l, "");
	cr_assert_not_null(l.plan, "%s", l.text);
	cr_expect(!l.plan->has_expect);
	for (unsigned i = 0; i < EXPECT_COUNT; i++)
		cr_expect_eq(l.plan->expect.limits[i].severity, EXPECT_OFF);
	cr_expect_eq(l.plan->expect.min_samples, 20);
	cr_expect_eq(l.plan->expect.retry_after_tolerance_ns, 5 * NS_PER_MS);
	cr_expect(l.plan->observe.bodies);
	cr_expect_eq(l.plan->observe.noise_floor_ns, 50 * NS_PER_MS);
	support_free(&l);
}

Test(expect, a_word_is_a_profile)
{
	struct loaded l;

	load_expect(&l, "expect: recommended");
	cr_assert_not_null(l.plan, "%s", l.text);
	cr_expect(l.plan->has_expect && l.plan->expect.profile == EXPECT_PROFILE_RECOMMENDED);
	cr_expect(is_limit(&l.plan->expect, EXPECT_ATTEMPTS_MAX, EXPECT_FAIL, EXPECT_AT_MOST, 4));
	cr_expect(is_limit(&l.plan->expect, EXPECT_JITTER_SPREAD, EXPECT_WARN, EXPECT_AT_LEAST, 0.05));
	support_free(&l);
}

Test(expect, what_is_written_wins_wherever_the_profile_stands)
{
	struct loaded l;
	const struct expect *e;

	load_expect(&l, "expect: {jitter: {spread: \">= 0.3\"}, herd: {min_wave: 20}, attempts: <= 6, backoff: off, "
			"profile: strict}");
	cr_assert_not_null(l.plan, "%s", l.text);
	e = &l.plan->expect;
	cr_expect(is_limit(e, EXPECT_ATTEMPTS_MAX, EXPECT_FAIL, EXPECT_AT_MOST, 6));
	cr_expect(is_limit(e, EXPECT_JITTER_SPREAD, EXPECT_FAIL, EXPECT_AT_LEAST, 0.3));
	cr_expect(is_limit(e, EXPECT_HERD_PEAK, EXPECT_FAIL, EXPECT_BELOW, 0.5) && e->herd_min_wave == 20);
	cr_expect_eq(e->limits[EXPECT_BACKOFF_GROWTH].severity, EXPECT_OFF);
	cr_expect(is_limit(e, EXPECT_RETRY_BUDGET_RATIO, EXPECT_FAIL, EXPECT_AT_MOST, 0.1));
	support_free(&l);
}

Test(expect, every_section)
{
	struct loaded l;
	const struct expect *e;

	load_expect(&l, "expect:\n"
			"  min_samples: 5\n"
			"  inconclusive: fail\n"
			"  retry_after: {honoured: 99.5%, tolerance: 10ms, scope: host, max_wait: 2m}\n"
			"  amplification: {max: 3.5 warn, during: overload}\n"
			"  retry_budget: {ratio: 20%, floor_per_s: 2.5, window: 30s}\n"
			"  backoff: {growth: \"> 1.25 warn\", first_delay: \">= 100ms\"}\n"
			"  jitter: {per_attempt: false}\n"
			"  herd: < 0.8\n"
			"  unsafe_retries: {without_key: fail}\n"
			"  idempotency_key: {stable: true, reused_with_other_body: 0}\n"
			"  pointless_retries: 0\n"
			"  hedging: 5%\n"
			"  client_timeout: 1s..30s warn\n"
			"  give_up: {within: 30s fail, must: true}\n"
			"  circuit_breaker: {opens_within: 20, probes_max: 10}\n"
			"  recovery: {first_success: 5s, steady: 15s warn, overshoot: 1.5}\n"
			"  aftermath: warn\n"
			"  connections: 10%\n"
			"  quota: 0\n"
			"  handling: 0\n"
			"  yield: 99% warn\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	e = &l.plan->expect;
	cr_expect(e->min_samples == 5 && e->inconclusive == EXPECT_INCONCLUSIVE_FAIL);
	cr_expect(is_limit(e, EXPECT_RETRY_AFTER_HONOURED, EXPECT_FAIL, EXPECT_AT_LEAST, 0.995));
	cr_expect(e->retry_after_tolerance_ns == 10 * NS_PER_MS && e->retry_after_scope == EXPECT_SCOPE_HOST);
	cr_expect_eq(e->retry_after_max_wait_ns, 120 * NS_PER_S);
	cr_expect(is_limit(e, EXPECT_AMPLIFICATION_MAX, EXPECT_WARN, EXPECT_AT_MOST, 3.5));
	expect_span(e->amplification_during, "overload");
	cr_expect(is_limit(e, EXPECT_RETRY_BUDGET_RATIO, EXPECT_FAIL, EXPECT_AT_MOST, 0.2));
	cr_expect(e->budget_floor_per_s == 2.5 && e->budget_window_ns == 30 * NS_PER_S);
	cr_expect(is_limit(e, EXPECT_BACKOFF_GROWTH, EXPECT_WARN, EXPECT_ABOVE, 1.25));
	cr_expect(is_limit(e, EXPECT_BACKOFF_FIRST, EXPECT_FAIL, EXPECT_AT_LEAST, 1e8));
	cr_expect(!e->jitter_per_attempt);
	cr_expect(is_limit(e, EXPECT_HERD_PEAK, EXPECT_FAIL, EXPECT_BELOW, 0.8));
	cr_expect(is_limit(e, EXPECT_WITHOUT_KEY, EXPECT_FAIL, EXPECT_AT_MOST, 0));
	cr_expect_eq(e->limits[EXPECT_DUPLICATES_MAX].severity, EXPECT_OFF);
	cr_expect(is_limit(e, EXPECT_KEY_STABLE, EXPECT_FAIL, EXPECT_AT_LEAST, 1));
	cr_expect(is_limit(e, EXPECT_KEY_REUSED, EXPECT_FAIL, EXPECT_AT_MOST, 0));
	cr_expect(is_limit(e, EXPECT_POINTLESS_MAX, EXPECT_FAIL, EXPECT_AT_MOST, 0));
	cr_expect(is_limit(e, EXPECT_HEDGE_RATIO, EXPECT_FAIL, EXPECT_AT_MOST, 0.05));
	cr_expect(is_limit(e, EXPECT_TIMEOUT_MIN, EXPECT_WARN, EXPECT_AT_LEAST, 1e9));
	cr_expect(is_limit(e, EXPECT_TIMEOUT_MAX, EXPECT_WARN, EXPECT_AT_MOST, 30e9));
	cr_expect(is_limit(e, EXPECT_GIVE_UP_WITHIN, EXPECT_FAIL, EXPECT_AT_MOST, 30e9));
	cr_expect(is_limit(e, EXPECT_GIVE_UP_MUST, EXPECT_FAIL, EXPECT_AT_LEAST, 1));
	cr_expect(is_limit(e, EXPECT_BREAKER_OPENS, EXPECT_FAIL, EXPECT_AT_MOST, 20));
	cr_expect(is_limit(e, EXPECT_RECOVERY_STEADY, EXPECT_WARN, EXPECT_AT_MOST, 15e9));
	cr_expect(is_limit(e, EXPECT_RECOVERY_OVERSHOOT, EXPECT_FAIL, EXPECT_BELOW, 1.5));
	cr_expect(is_limit(e, EXPECT_AFTERMATH_SUSTAINED, EXPECT_WARN, EXPECT_AT_MOST, 0));
	cr_expect(is_limit(e, EXPECT_CONNECTIONS_PER_RETRY, EXPECT_FAIL, EXPECT_AT_MOST, 0.1));
	cr_expect(is_limit(e, EXPECT_QUOTA_MAX, EXPECT_FAIL, EXPECT_AT_MOST, 0));
	cr_expect(is_limit(e, EXPECT_YIELD_SUCCESS, EXPECT_WARN, EXPECT_AT_LEAST, 0.99));
	support_free(&l);
}

Test(expect, what_tells_clients_and_requests_apart)
{
	struct loaded l;
	const struct observe *o;

	load_expect(&l, "observe:\n"
			"  content: headers\n"
			"  client_key: [address, process, header:User-Agent]\n"
			"  logical_key: header:X-Operation\n"
			"  fingerprint: {ignore_query: [_, ts], ignore_headers: Date, ignore_json: [$.nonce, $.meta.sent_at]}\n"
			"  noise_floor: 20ms\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	o = &l.plan->observe;
	cr_expect(!o->bodies && o->n_client_key == 3 && o->n_logical_key == 1 && o->noise_floor_ns == 20 * NS_PER_MS);
	cr_expect_eq(o->client_key[1].kind, OBSERVE_KEY_PROCESS);
	expect_span(o->client_key[2].name, "user-agent");
	expect_span(o->logical_key[0].name, "x-operation");
	cr_expect_eq(o->n_ignore_query, 2);
	expect_span(o->ignore_headers[0], "date");
	expect_span(o->ignore_json[1], "$.meta.sent_at");
	support_free(&l);
}

Test(expect, what_is_refused_and_how)
{
	static const char *const wrong[][2] = {
		{ "expect: recomended", "did you mean \"recommended\"" },
		{ "expect: {attemps: 3}", "did you mean \"attempts\"" },
		{ "expect: {attempts: 150%}", "\"150%\" is no whole number: this limit is a count" },
		{ "expect: {pointless_retries: 0.5 warn}", "\"0.5 warn\" is no whole number" },
		{ "expect: {recovery: }", "must be a mapping, not empty" },
		{ "expect: {attempts: 0}", "0 is out of range (1 to 1000000)" },
		{ "expect: {attempts: \">= 3\"}", "compares the wrong way: this is the most allowed (write 3)" },
		{ "expect: {backoff: \"< 2\"}", "this is the least allowed (write 2)" },
		{ "expect: {retry_after: 100}", "out of range (0 to 1; 1 is 100%)" },
		{ "expect: {herd: many}", "\"many\" is not a limit such as" },
		{ "expect: {herd: 0.8 error}", "\"0.8 error\" is not a limit such as" },
		{ "expect: {herd: warn}", "\"warn\" is not a limit such as" },
		{ "expect: {herd: \"< \"}", "\"< \" is not a limit such as" },
		{ "expect: {amplification: {max: 3, during: overlaod}}", "no rule \"overlaod\", did you mean \"overload\"" },
		{ "expect: {give_up: soon}", "\"soon\" is not a duration" },
		{ "expect: {client_timeout: 30s..1s}", "is not a range of durations" },
		{ "expect: {aftermath: error}", "\"error\" is not one of pass, warn or fail" },
		{ "expect: {idempotency_key: {stable: yes}}", "(write true)" },
		{ "expect: {inconclusive: ignore}", "is not one of pass, warn or fail" },
		{ "expect: []", "must be recommended, sre, aws, strict or none or a mapping, not a list" },
		{ "expect: {attempts: }", "not empty" },
		{ "observe: {client_key: pid}", "\"pid\" is not one of address, process, header:NAME" },
		{ "observe: {logical_key: address}", "\"address\" is not header:NAME" },
		{ "observe: {fingerprint: {ignore_json: nonce}}", "is not the path of a member" },
		{ "observe: {fingerprint: {ignore_json: \"$.a[0]\"}}", "is not the path of a member" },
		{ "observe: {fingerprint: {ignore_json: $.a..b}}", "is not the path of a member" },
		{ "observe: {fingerprint: {ignore_json: $.1.2.3.4.5.6.7.8.9}}", "is not the path of a member" },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct loaded l;

		load_expect(&l, wrong[i][0]);
		cr_expect(!l.plan && l.d.n_errors == 1 && strstr(l.text, wrong[i][1]), "%s: %s", wrong[i][0], l.text);
		support_free(&l);
	}
}

Test(expect, a_rule_that_is_required_can_act)
{
	struct loaded l;

	support_load_rule(&l, "{abort: 503, required: true}");
	cr_assert_not_null(l.plan, "%s", l.text);
	cr_expect(l.plan->rules.v[0].required);
	support_free(&l);
	support_load_rule(&l, "{abort: 503, required: true, dry_run: true}");
	cr_expect(!l.plan && strstr(l.text, "a rule that is a dry run never acts"), "%s", l.text);
	support_free(&l);
	support_load_rule(&l, "{abort: 503, required: true, enabled: false}");
	cr_expect(!l.plan && strstr(l.text, "a rule that is not enabled never acts"), "%s", l.text);
	support_free(&l);
}
