/* faults: what each fault of a rule becomes, whether it stands in the rule, in an outcome or in a sequence. */
#include <float.h>
#include <unistd.h>

#include "support.h"

static const struct rule *load_good_rule(struct loaded *l, const char *rule)
{
	support_load_rule(l, rule);
	cr_assert_not_null(l->plan, "%s: %s", rule, l->text);
	return &l->plan->rules.v[0];
}

/* ---- delay ---- */

Test(faults, delays_of_two_numbers)
{
	static const struct {
		const char *text;
		enum delay_kind kind;
		int64_t a_ms, b_ms, min_ms, max_ms;
		bool at_body;
	} cases[] = {
		{ "{normal: {mean: 200ms, stddev: 50ms}}", DELAY_NORMAL, 200, 50, 0, 0, false },
		{ "{normal: {mean: 0, stddev: 0}, min: 1ms}", DELAY_NORMAL, 0, 0, 1, 0, false },
		{ "{lognormal: {median: 80ms, p99: 900ms}, max: 2s}", DELAY_LOGNORMAL, 80, 900, 0, 2000, false },
		{ "{lognormal: {median: 80ms, p99: 80ms}}", DELAY_LOGNORMAL, 80, 80, 0, 0, false },
		{ "{uniform: 1s..2s, at: body}", DELAY_UNIFORM, 1000, 2000, 0, 0, true },
		{ "{fixed: 1s, at: head, min: 2s, max: 2s}", DELAY_FIXED, 1000, 1000, 2000, 2000, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fault_delay *delay;
		char rule[200];
		struct loaded l;

		(void)snprintf(rule, sizeof(rule), "delay: %s", cases[i].text);
		delay = &load_good_rule(&l, rule)->faults.delay;
		cr_expect_eq(delay->kind, cases[i].kind, "%s", cases[i].text);
		cr_expect_eq(delay->a_ns, cases[i].a_ms * NS_PER_MS, "%s", cases[i].text);
		cr_expect_eq(delay->b_ns, cases[i].b_ms * NS_PER_MS, "%s", cases[i].text);
		cr_expect_eq(delay->min_ns, cases[i].min_ms * NS_PER_MS, "%s", cases[i].text);
		cr_expect_eq(delay->max_ns, cases[i].max_ms * NS_PER_MS, "%s", cases[i].text);
		cr_expect_eq(delay->at_body, cases[i].at_body, "%s", cases[i].text);
		cr_expect_eq(l.d.n, 0, "%s", l.text);
		support_free(&l);
	}
}

Test(faults, pareto)
{
	struct loaded l;
	const struct fault_delay *delay = &load_good_rule(&l, "delay: {pareto: {scale: 20ms, shape: 1.25}}")->faults.delay;

	cr_expect_eq(delay->kind, DELAY_PARETO);
	cr_expect_eq(delay->a_ns, 20 * NS_PER_MS);
	cr_expect_float_eq(delay->shape, 1.25, DBL_EPSILON);
	support_free(&l);
}

Test(faults, percentiles_in_any_order)
{
	static const struct delay_point wanted[] = {
		{ UINT64_C(1) << 31, 20 * NS_PER_MS }, { UINT64_C(3) << 30, 20 * NS_PER_MS },
		{ UINT64_C(4290672328), 400 * NS_PER_MS }, { UINT64_C(1) << 32, 2 * NS_PER_S },
	};
	struct loaded l;
	const struct fault_delay *delay = &load_good_rule(&l,
		"delay: {percentiles: {max: 2s, p99.9: 400ms, p50: 20ms, p75: 20ms}, min: 1ms}")->faults.delay;

	cr_expect_eq(delay->kind, DELAY_PERCENTILES);
	cr_assert_eq(delay->n_points, ARRAY_LEN(wanted));
	for (unsigned i = 0; i < delay->n_points; i++) {
		cr_expect_eq(delay->points[i].quantile, wanted[i].quantile, "%u", i);
		cr_expect_eq(delay->points[i].ns, wanted[i].ns, "%u", i);
	}
	support_free(&l);
}

static void make_samples(const char *text)
{
	FILE *f = fopen("samples", "w");

	cr_assert_not_null(f);
	cr_assert_geq(fputs(text, f), 0);
	(void)fclose(f);
}

static void enter_folder(void)
{
	static char folder[] = "/tmp/brownout-unit-XXXXXX";

	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
	char folder[200];

	(void)unlink("samples");
	cr_assert_not_null(getcwd(folder, sizeof(folder)));
	cr_expect_eq(rmdir(folder), 0);
}

Test(faults, samples, .init = enter_folder, .fini = leave_folder)
{
	const struct fault_delay *delay;
	struct loaded l;

	make_samples("# measured\n20ms\r\n\n  5ms \n1.5s");
	delay = &load_good_rule(&l, "delay: {file: samples, max: 1s}")->faults.delay;
	cr_expect_eq(delay->kind, DELAY_SAMPLES);
	cr_assert_eq(delay->n_points, 3);
	cr_expect(delay->points[0].ns == 5 * NS_PER_MS && delay->points[1].ns == 20 * NS_PER_MS);
	cr_expect_eq(delay->points[2].ns, 1500 * NS_PER_MS);
	support_free(&l);
}

Test(faults, samples_that_are_wrong, .init = enter_folder, .fini = leave_folder)
{
	static const char *const cases[][2] = {
		{ "", "3:17: error: rules[0].delay.file: \"samples\" has no sample: write one duration on each line\n" },
		{ "#\n\n", "3:17: error: rules[0].delay.file: \"samples\" has no sample: write one duration on each line\n" },
		{ "1ms\n\n250\n2m\n25h\n",
			"3:17: error: rules[0].delay.file: samples:3: \"250\" is not a duration of at most 24h (write 250ms or "
			"250s)\n"
			"3:17: error: rules[0].delay.file: samples:5: \"25h\" is not a duration of at most 24h\n" },
	};
	struct loaded l;
	FILE *f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		make_samples(cases[i][0]);
		support_load_rule(&l, "delay: {file: samples}");
		cr_expect_str_eq(l.text, cases[i][1], "%s", l.text);
		support_free(&l);
	}
	f = fopen("samples", "w");
	for (int i = 0; i < 100001; i++)
		(void)fputs("1s\n", f);
	(void)fclose(f);
	support_load_rule(&l, "delay: {file: samples}");
	cr_expect_str_eq(l.text,
		"3:17: error: rules[0].delay.file: \"samples\" has 100001 samples; at most 100000 are allowed\n");
	support_free(&l);
}

/* ---- bytes ---- */

Test(faults, bytes)
{
	struct loaded l;
	const struct fault_set *s = &load_good_rule(&l, "{throttle: {download: 64KiB/s, upload: 1.5KB/s}, truncate: 50.5%, "
		"corrupt: 3, drip: 100ms, malformed: early_eof}")->faults;

	cr_expect(s->throttle.download == 65536 && s->throttle.upload == 1500);
	cr_expect(s->truncate.kind == TRUNCATE_PERCENT && s->truncate.percent_e6 == 50500000 && !s->truncate.reset);
	cr_expect_eq(s->corrupt.bytes, 3);
	cr_expect(s->drip.bytes == 1 && s->drip.every_ns == 100 * NS_PER_MS);
	cr_expect_eq(s->malformed, MALFORMED_EARLY_EOF);
	support_free(&l);
	s = &load_good_rule(&l, "{throttle: 10B/s, truncate: {after: 0, reset: true}, drip: {bytes: 2KiB, every: 1s}}")->faults;
	cr_expect(s->throttle.download == 10 && s->throttle.upload == 0);
	cr_expect(s->truncate.kind == TRUNCATE_BYTES && s->truncate.bytes == 0 && s->truncate.reset);
	cr_expect(s->drip.bytes == 2048);
	support_free(&l);
	s = &load_good_rule(&l, "hang: {max: 2m}")->faults;
	cr_expect_eq(s->hang.max_ns, 120 * NS_PER_S);
	support_free(&l);
	s = &load_good_rule(&l, "hang: true")->faults;
	cr_expect_eq(s->hang.max_ns, 86400 * NS_PER_S);
	support_free(&l);
	s = &load_good_rule(&l, "connection: refuse")->faults;
	cr_expect_eq(s->connection, FAULT_CONNECTION_REFUSE);
	support_free(&l);
}

Test(faults, nothing_is_there_by_default)
{
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "delay: 1s");

	cr_expect_eq(r->faults.kinds, FAULT_BIT(DELAY));
	cr_expect(!r->dry_run && r->n_outcomes == 0 && r->n_sequence == 0 && !r->sequence_once);
	cr_expect(r->schedule.start_after_ns == 0 && r->schedule.duration_ns == 0 && r->schedule.period_ns == 0);
	cr_expect(r->schedule.ttl_ns == 0 && r->schedule.ramp_over_ns == 0 && !r->schedule.burst);
	cr_expect(r->schedule.max_faults == 0 && r->schedule.max_active == 0);
	cr_expect(l.plan->safety.max_faults == 0 && l.plan->safety.max_active == 0 && l.plan->safety.stop_after_ns == 0);
	support_free(&l);
}

/* ---- messages ---- */

Test(faults, rewrite)
{
	struct loaded l;
	const struct fault_edit *e = &load_good_rule(&l, "{phase: response, rewrite: {status: 500, headers: {set: {x-a: 1}, "
		"add: {Set-Cookie: [a=1, b=2]}, remove: [ETag, last-modified]}, body: {json: [1]}}}")->faults.rewrite;

	cr_expect(e->is_set && e->status == 500 && e->has_body);
	cr_assert(e->n_set == 1 && e->n_add == 2 && e->n_remove == 2);
	expect_span(e->set[0].name, "x-a");
	expect_span(e->set[0].value, "1");
	expect_span(e->add[1].name, "Set-Cookie");
	expect_span(e->add[1].value, "b=2");
	expect_span(e->remove[0], "etag");
	expect_span(e->body, "[1]");
	expect_span(e->content_type, "application/json");
	support_free(&l);
	e = &load_good_rule(&l, "{phase: response, rewrite: {body: \"\"}}")->faults.rewrite;
	cr_expect(e->is_set && e->status == 0 && e->has_body && e->body.n == 0 && e->content_type.n == 0);
	support_free(&l);
	e = &load_good_rule(&l, "{phase: response, rewrite: {headers: {remove: etag}}}")->faults.rewrite;
	cr_expect(e->is_set && e->n_remove == 1 && !e->has_body);
	support_free(&l);
	e = &load_good_rule(&l, "{phase: response, rewrite: {status: 503, body: problem}}")->faults.rewrite;
	expect_span(e->content_type, "application/problem+json");
	cr_expect(memmem(e->body.p, e->body.n, "\"status\":503", 12) != NULL);
	support_free(&l);
}

Test(faults, request_and_hints)
{
	struct loaded l;
	const struct fault_set *s = &load_good_rule(&l, "{request: {path: /v0/a%20b, headers: {remove: cookie}}, "
		"early_hints: {headers: {link: [a, b]}}}")->faults;

	cr_expect(s->request.is_set && s->request.n_remove == 1);
	expect_span(s->request.path, "/v0/a%20b");
	cr_assert_eq(s->hints.n_fields, 2);
	expect_span(s->hints.fields[1].name, "link");
	expect_span(s->hints.fields[1].value, "b");
	support_free(&l);
}

/* ---- retry_after ---- */

Test(faults, retry_after)
{
	static const struct {
		const char *text;
		enum retry_after_kind kind;
		int64_t min_s, max_s;
		const char *verbatim;
	} cases[] = {
		{ "2s", RETRY_AFTER_SECONDS, 2, 2, "" },
		{ "2s..6s", RETRY_AFTER_SECONDS, 2, 6, "" },
		{ "{date: 2s}", RETRY_AFTER_DATE, 2, 2, "" },
		{ "{date: 2s..6s}", RETRY_AFTER_DATE, 2, 6, "" },
		{ "lie", RETRY_AFTER_VERBATIM, 0, 0, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ "{lie: past_date}", RETRY_AFTER_VERBATIM, 0, 0, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ "{lie: negative}", RETRY_AFTER_VERBATIM, 0, 0, "-1" },
		{ "{lie: huge}", RETRY_AFTER_VERBATIM, 0, 0, "99999999999999999999" },
		{ "{lie: float}", RETRY_AFTER_VERBATIM, 0, 0, "1.5" },
		{ "{lie: garbage}", RETRY_AFTER_VERBATIM, 0, 0, "soon" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fault_retry_after *hint;
		char rule[200];
		struct loaded l;

		(void)snprintf(rule, sizeof(rule), "abort: {status: 503, retry_after: %s}", cases[i].text);
		hint = &load_good_rule(&l, rule)->faults.abort.retry_after;
		cr_expect_eq(hint->kind, cases[i].kind, "%s", cases[i].text);
		cr_expect_eq(hint->min_ns, cases[i].min_s * NS_PER_S, "%s", cases[i].text);
		cr_expect_eq(hint->max_ns, cases[i].max_s * NS_PER_S, "%s", cases[i].text);
		expect_span(hint->text, cases[i].verbatim);
		support_free(&l);
	}
}

/* ---- gateways ---- */

Test(faults, gateways)
{
	static const struct {
		const char *text;
		unsigned status;
		int64_t hold_ms;
		unsigned profile;
	} cases[] = {
		{ "{status: 502, as: nginx}", 502, 0, 1 },
		{ "{timeout: true, as: aws-alb}", 504, 60000, 9 },
		{ "{timeout: true, as: heroku, time_scale: 0.01}", 503, 300, 13 },
		{ "{timeout: true, as: gcp-lb, status: 504, time_scale: 1000}", 504, 30000000, 16 },
		{ "{timeout: false, status: 503}", 503, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fault_abort *a;
		char rule[200];
		struct loaded l;

		(void)snprintf(rule, sizeof(rule), "abort: %s", cases[i].text);
		a = &load_good_rule(&l, rule)->faults.abort;
		cr_expect_eq(a->status, cases[i].status, "%s: %u", cases[i].text, a->status);
		cr_expect_eq(a->hold_ns, cases[i].hold_ms * NS_PER_MS, "%s: %lld", cases[i].text, (long long)a->hold_ns);
		cr_expect_eq(a->profile, cases[i].profile, "%s: %u", cases[i].text, a->profile);
		support_free(&l);
	}
}

/* ---- how often, when, which ---- */

Test(faults, schedule)
{
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "{abort: 503, dry_run: true, percentage: 50, start_after: 30s, duration: 10s, "
		"period: 1m, ramp: {from: 12.5, over: 2m}, ttl: 1h, max_faults: 7, max_active_faults: 3, "
		"burst: {enter: 0.5, leave: 100}}");
	const struct rule_schedule *s = &r->schedule;

	cr_expect(r->dry_run);
	cr_expect(s->start_after_ns == 30 * NS_PER_S && s->duration_ns == 10 * NS_PER_S && s->period_ns == 60 * NS_PER_S);
	cr_expect(s->ttl_ns == 3600 * NS_PER_S && s->max_faults == 7 && s->max_active == 3);
	cr_expect(s->ramp_from == 12500000 && s->ramp_over_ns == 120 * NS_PER_S);
	cr_expect(s->burst && s->burst_enter == UINT64_MAX / 200 && s->burst_leave == UINT64_MAX);
	cr_expect_eq(l.d.n, 0, "%s", l.text);
	support_free(&l);
}

Test(faults, outcomes)
{
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "{key: client, outcomes: [{weight: 3, abort: 503}, "
		"{weight: 1, delay: 1s, abort: {status: 429, retry_after: 5s}}, {weight: 96, pass: true}]}");

	cr_expect_eq(l.d.n, 0, "%s", l.text);
	cr_assert_eq(r->n_outcomes, 3);
	cr_expect_eq(r->outcomes_total, 100);
	cr_expect(r->outcomes[0].weight == 3 && r->outcomes[0].faults.abort.status == 503);
	cr_expect_eq(r->outcomes[1].faults.kinds, FAULT_BIT(ABORT) | FAULT_BIT(DELAY));
	cr_expect_eq(r->outcomes[1].faults.abort.retry_after.min_ns, 5 * NS_PER_S);
	cr_expect(r->outcomes[2].weight == 96 && r->outcomes[2].faults.pass);
	cr_expect_eq(r->faults.kinds, 0);
	support_free(&l);
}

Test(faults, sequence)
{
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "{sequence: [503, pass, {delay: 1s}, {abort: {status: 401}}], then: pass}");

	cr_assert_eq(r->n_sequence, 4);
	cr_expect(r->sequence_once);
	cr_expect_eq(r->sequence[0].abort.status, 503);
	cr_expect(r->sequence[1].pass);
	cr_expect_eq(r->sequence[1].kinds, FAULT_BIT(PASS));
	cr_expect_eq(r->sequence[2].kinds, FAULT_BIT(DELAY));
	cr_expect_eq(r->sequence[3].abort.n_fields, 1); /* filled in */
	support_free(&l);
	r = load_good_rule(&l, "{sequence: [pass], key: client}");
	cr_expect(!r->sequence_once && r->n_sequence == 1);
	support_free(&l);
}

Test(faults, safety)
{
	struct loaded l;

	support_load(&l, "upstream: origin\nsafety: {max_active_faults: 10, max_faults: 20, stop_after: 30m}\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	cr_expect(l.plan->safety.max_active == 10 && l.plan->safety.max_faults == 20);
	cr_expect_eq(l.plan->safety.stop_after_ns, 1800 * NS_PER_S);
	support_free(&l);
}

/* Rules stand in line 3 from column 3. */
Test(faults, what_cannot_be)
{
	static const char *const cases[][2] = {
		{ "{abort: 503, hang: true}",
			"rules[0]: a rule cannot have both abort and hang: one sends an answer, the other none" },
		{ "{connection: reset, hang: true}",
			"rules[0]: a rule cannot have both connection and hang: one ends the connection, the other holds it" },
		{ "{abort: 503, rewrite: {status: 500}, phase: response}",
			"rules[0]: a rule cannot have both abort and rewrite: abort throws away the answer that rewrite would "
			"change" },
		{ "{hang: true, truncate: 5}",
			"rules[0]: a rule cannot have both hang and truncate: no answer is sent that could be changed" },
		{ "{abort: 503, request: {path: /}}",
			"rules[0]: a rule cannot have both abort and request: the upstream gets no request that could be "
			"changed" },
		{ "{pass: true, abort: 503}",
			"rules[0]: pass means that nothing happens: leave out the faults, or it" },
		{ "{rewrite: {status: 500}}",
			"rules[0]: there is no answer to rewrite yet: the rule needs phase: response" },
		{ "{phase: response, request: {path: /}}",
			"rules[0]: in phase: response the upstream has seen the request already" },
		{ "{phase: response, early_hints: {headers: {a: b}}}",
			"rules[0]: in phase: response the answer has begun already" },
		{ "{phase: response, throttle: {upload: 1B/s}}",
			"rules[0]: upload: in phase: response the request has been sent already" },
		{ "{outcomes: [{weight: 1, abort: 503}], percentage: 5}",
			"rules[0]: outcomes take the place of percentage: give {weight: N, pass: true} among them" },
		{ "{outcomes: [{weight: 1, abort: 503}], delay: 5s}",
			"rules[0]: a rule cannot have both faults and outcomes: move the faults into it" },
		{ "{outcomes: [{weight: 1, abort: 503}], sequence: [503]}",
			"rules[0]: a rule cannot have both outcomes and sequence: one draws, the other counts" },
		{ "{outcomes: [{weight: 1, pass: true}, {weight: 9, pass: true}]}",
			"rules[0].outcomes: nothing ever happens: all of the sum of 10 is pass" },
		{ "{outcomes: [{weight: 1}]}",
			"rules[0].outcomes[0]: there is no fault: give one, such as abort: 503 or delay: 250ms" },
		{ "{outcomes: [{weight: 1, rewrite: {status: 500}}]}",
			"rules[0].outcomes[0]: there is no answer to rewrite yet: the rule needs phase: response" },
		{ "{outcomes: [{abort: 503}]}", "rules[0].outcomes[0]: the key \"weight\" is missing" },
		{ "{outcomes: []}", "rules[0].outcomes: must not be empty" },
		{ "{sequence: [503, 304]}",
			"rules[0].sequence[1].abort: 304 answers only conditional GET and HEAD requests: the rule needs match: "
			"{method: [GET, HEAD], headers: {if-none-match: {present: true}}}" },
		{ "{sequence: [paas]}", "rules[0].sequence[0]: \"paas\" is not a final status code (200 to 599)" },
		{ "{delay: 1s, then: pass}", "rules[0]: then says what follows a sequence, and there is none" },
		{ "{delay: 1s, period: 1m}", "rules[0]: period repeats a window: give its duration too" },
		{ "{delay: 1s, duration: 1m, period: 1m}",
			"rules[0]: the window fills its period: leave period and duration out, or make duration shorter" },
		{ "{delay: 1s, start_after: 1m, ttl: 1m}", "rules[0]: the rule is disarmed before it starts" },
		{ "{delay: 1s, sampling: even, ramp: {from: 1, over: 1s}}",
			"rules[0]: sampling: even needs a percentage that does not change" },
		{ "{delay: {fixed: 1s, uniform: 1s..2s}}",
			"rules[0].delay: needs exactly one of fixed, uniform, normal, lognormal, pareto, percentiles, file" },
		{ "{delay: {min: 1s}}",
			"rules[0].delay: needs exactly one of fixed, uniform, normal, lognormal, pareto, percentiles, file" },
		{ "{delay: {fixed: 1s, min: 2s, max: 1s}}", "rules[0].delay: max is less than min" },
		{ "{delay: {normal: {mean: 1s}}}", "rules[0].delay.normal: the key \"stddev\" is missing" },
		{ "{delay: {lognormal: {median: 2s, p99: 1s}}}",
			"rules[0].delay.lognormal: p99 is less than the median: of 100 delays 50 would be above it" },
		{ "{delay: {lognormal: {median: 0, p99: 1s}}}",
			"rules[0].delay.lognormal.median: 0 is out of range (1ns to 24h)" },
		{ "{delay: {pareto: {scale: 1s, shape: 0}}}",
			"rules[0].delay.pareto.shape: 0 is out of range (0.1 to 100)" },
		{ "{delay: {percentiles: {p50: 2s, p60: 1s}}}",
			"rules[0].delay.percentiles: the delay of a higher percentile is less than that of a lower one" },
		{ "{delay: {percentiles: {p50: 1s, p50.0: 2s}}}", "rules[0].delay.percentiles: a percentile is given twice" },
		{ "{delay: {percentiles: {p100: 1s}}}",
			"rules[0].delay.percentiles.p100: \"p100\" is not a percentile such as p50 or p99.9, nor max" },
		{ "{delay: {percentiles: {p50: 1s}, min: 2s}}", "rules[0].delay: min is more than the lowest percentile" },
		{ "{delay: {percentiles: {}}}",
			"rules[0].delay.percentiles: must be a mapping of percentiles to durations such as {p50: 20ms, p99: 1s, "
			"max: 3s}" },
		{ "hang: 1h1m", "rules[0].hang: \"1h1m\" is not a duration" },
		{ "hang: {}", "rules[0].hang: the key \"max\" is missing" },
		{ "throttle: 64KiB", "rules[0].throttle: \"64KiB\" is not a rate such as 64KiB/s (write 64KiB/s)" },
		{ "throttle: 0/s", "rules[0].throttle: 0/s is out of range (1B/s to 1024GiB/s)" },
		{ "throttle: {}", "rules[0].throttle: needs download, upload or both" },
		{ "truncate: 100%", "rules[0].truncate: 100% cuts nothing off: write less than 100%" },
		{ "truncate: half", "rules[0].truncate: \"half\" is not a size such as 1KiB or a part such as 50%" },
		{ "drip: {bytes: 5}", "rules[0].drip: the key \"every\" is missing" },
		{ "corrupt: 0", "rules[0].corrupt: 0 is out of range (1 to 64)" },
		{ "malformed: chunks",
			"rules[0].malformed: \"chunks\" is not one of status_line, header, content_length, chunk, early_eof or "
			"http09, did you mean \"chunk\"?" },
		{ "{phase: response, rewrite: {}}", "rules[0].rewrite: changes nothing: give it status, headers or body" },
		{ "{phase: response, rewrite: {status: 204}}",
			"rules[0].rewrite: 204 No Content has no content, and the upstream's answer may have: use abort in "
			"phase: response" },
		{ "{phase: response, rewrite: {status: 401}}",
			"rules[0].rewrite: 401 Unauthorized must carry WWW-Authenticate: give it under headers.set" },
		{ "{phase: response, rewrite: {body: problem}}",
			"rules[0].rewrite.body: a problem document tells the status: give that too" },
		{ "{request: {headers: {set: {content-length: 5}}}}",
			"rules[0].request.headers.set.content-length: content-length frames the message; brownout sets it "
			"itself" },
		{ "{request: {headers: {remove: \"a b\"}}}",
			"rules[0].request.headers.remove: \"a b\" is not the name of a header field" },
		{ "{request: {path: v0}}", "rules[0].request.path: \"v0\" is not a path (write /v0)" },
		{ "{early_hints: {headers: {}}}",
			"rules[0].early_hints: must not be empty: a 103 without fields hints at nothing" },
		{ "abort: {as: nginx}", "rules[0].abort: the key \"status\" is missing" },
		{ "abort: {timeout: true}", "rules[0].abort: whose timeout? give as, the name of a gateway" },
		{ "abort: {timeout: true, as: haproxy}",
			"rules[0].abort: haproxy has no timeout of its own: give the rule status and delay" },
		{ "abort: {status: 504, as: nginx, time_scale: 2}",
			"rules[0].abort: time_scale is of a gateway's timeout: give timeout: true" },
		{ "abort: {timeout: true, as: nginx, time_scale: 0}",
			"rules[0].abort.time_scale: 0 is out of range (1e-06 to 1000)" },
		{ "abort: {status: 503, retry_after: {lie: small}}",
			"rules[0].abort.retry_after.lie: \"small\" is not one of past_date, negative, huge, float or garbage" },
		{ "abort: {status: 503, retry_after: 6s..2s}",
			"rules[0].abort.retry_after: \"6s..2s\" is not a duration such as 5s or a range such as 2s..6s (write "
			"2s..6s)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded l;

		support_load_rule(&l, cases[i][0]);
		cr_expect(l.rc == 1 && l.d.n_errors == 1, "%s: %s", cases[i][0], l.text);
		cr_expect(l.d.n && strcmp(l.d.v[0].message, cases[i][1]) == 0, "%s: %s", cases[i][0], l.text);
		support_free(&l);
	}
}

/* ---- rate_limit ---- */

Test(faults, rate_limit)
{
	struct loaded l;
	const struct fault_limit *q = load_good_rule(&l, "rate_limit: {limit: 100, window: 1m}")->faults.limit;

	cr_assert_not_null(q);
	cr_expect(q->limit == 100 && q->window_ns == 60 * NS_PER_S && q->burst == 0 && q->cost == 1 && q->warn_at == 0);
	cr_expect(q->algorithm == LIMIT_TOKEN_BUCKET && q->key == LIMIT_KEY_ALL && q->headers == LIMIT_HEADERS_NONE);
	cr_expect(q->hint == LIMIT_HINT_AUTO && q->refusal.status == 429);
	cr_expect_eq(l.plan->rules.v[0].faults.kinds, FAULT_BIT(RATE_LIMIT));
	cr_expect_eq(l.d.n, 0, "%s", l.text);
	support_free(&l);
	q = load_good_rule(&l, "rate_limit: {limit: 5, window: 1s, burst: 9, key: \"header:X-Api-Key\", status: 503, "
		"retry_after: 1s..3s, headers: github, cost: 9, warn_at: 80}")->faults.limit;
	cr_expect(q->burst == 9 && q->cost == 9 && q->warn_at == 80 && q->refusal.status == 503);
	cr_expect(q->key == LIMIT_KEY_HEADER && q->headers == LIMIT_HEADERS_GITHUB);
	expect_span(q->key_name, "x-api-key");
	cr_expect(q->hint == LIMIT_HINT_RANGE && q->hint_min_ns == NS_PER_S && q->hint_max_ns == 3 * NS_PER_S);
	support_free(&l);
	q = load_good_rule(&l, "rate_limit: {limit: 3, algorithm: concurrency, key: query:q, retry_after: none}")->faults.limit;
	cr_expect(q->algorithm == LIMIT_CONCURRENCY && q->window_ns == 0 && q->key == LIMIT_KEY_QUERY);
	cr_expect_eq(q->hint, LIMIT_HINT_NONE);
	support_free(&l);
}

Test(faults, quotas_of_outcomes_and_places)
{
	struct loaded l;
	const struct rule *r = load_good_rule(&l, "outcomes: [{weight: 1, rate_limit: {limit: 2, window: 1s}}, "
		"{weight: 2, rate_limit: {limit: 3, window: 1s}, delay: 1s}]");

	cr_assert(r->n_outcomes == 2 && !r->faults.limit);
	cr_expect_eq(r->outcomes[0].faults.limit->limit, 2);
	cr_expect_eq(r->outcomes[1].faults.limit->limit, 3);
	cr_expect_eq(r->outcomes[1].faults.kinds, FAULT_BIT(RATE_LIMIT) | FAULT_BIT(DELAY));
	cr_expect_eq(l.plan->rules.n_aborts, 2);
	support_free(&l);
	r = load_good_rule(&l, "sequence: [{rate_limit: {limit: 4, window: 1s}}, pass]");
	cr_assert(r->n_sequence == 2 && r->sequence[0].limit);
	cr_expect(r->sequence[0].limit->limit == 4 && !r->sequence[1].limit);
	support_free(&l);
}

Test(faults, quotas_that_cannot_be)
{
	static const char *const cases[][2] = {
		{ "rate_limit: 5", "rules[0].rate_limit: must be a mapping with limit and window, not a text" },
		{ "rate_limit: {window: 1s}", "rules[0].rate_limit: the key \"limit\" is missing" },
		{ "rate_limit: {limit: 5}", "rules[0].rate_limit: the key \"window\" is missing" },
		{ "rate_limit: {limit: 5, window: 1s, algorithm: concurrency}",
			"rules[0].rate_limit: concurrency has no window: it limits how many requests there are at a time" },
		{ "rate_limit: {limit: 5, window: 1s, burst: 3, algorithm: fixed_window}",
			"rules[0].rate_limit: burst is of algorithm: token_bucket alone" },
		{ "rate_limit: {limit: 100001, window: 1s, algorithm: sliding_window}",
			"rules[0].rate_limit: a sliding window has a limit of at most 100000" },
		{ "rate_limit: {limit: 5, window: 1s, cost: 6}",
			"rules[0].rate_limit: a request costs more than there ever is: none would pass" },
		{ "rate_limit: {limit: 5, window: 1s, key: ip}",
			"rules[0].rate_limit.key: \"ip\" is not one of all, client, path, header:NAME, cookie:NAME, query:NAME" },
		{ "rate_limit: {limit: 5, window: 1s, retry_after: soon}",
			"rules[0].rate_limit.retry_after: \"soon\" is not auto, date, none or a range of durations such as "
			"1s..3s" },
		{ "rate_limit: {limit: 5, window: 1s, retry_after: 25h}",
			"rules[0].rate_limit.retry_after: 25h is out of range (at most 24h)" },
		{ "rate_limit: {limit: 5, window: 1s, status: 304}",
			"rules[0].rate_limit: 304 is no refusal: use a code of 400 to 599" },
		{ "rate_limit: {limit: 5, window: 1s, warn_at: 0}",
			"rules[0].rate_limit.warn_at: 0 is out of range (1 to 100)" },
		{ "{rate_limit: {limit: 5, window: 1s}, abort: 503}",
			"rules[0]: a rule cannot have both abort and rate_limit: rate_limit answers only what exceeds the quota; "
			"make two rules" },
		{ "{outcomes: [{weight: 1, rate_limit: {limit: 5}}]}",
			"rules[0].outcomes[0].rate_limit: the key \"window\" is missing" },
		{ "{sequence: [503, {abort: 503, rate_limit: {limit: 5, window: 1s}}]}",
			"rules[0].sequence[1]: a rule cannot have both abort and rate_limit: rate_limit answers only what "
			"exceeds the quota; make two rules" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded l;

		support_load_rule(&l, cases[i][0]);
		cr_expect(l.rc == 1 && l.d.n_errors >= 1, "%s: %s", cases[i][0], l.text);
		cr_expect(l.d.n && strcmp(l.d.v[0].message, cases[i][1]) == 0, "%s: %s", cases[i][0], l.text);
		support_free(&l);
	}
}
