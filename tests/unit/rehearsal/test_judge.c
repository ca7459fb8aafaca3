/*
 * The judge as a whole: who belongs together, coverage, what the verdict comes to, order, memory.
 */
#include "core/random.h"
#include "rehearsal/live.h"
#include "check_rig.h"

TestSuite(judge, .init = start, .fini = end);

/* ---- links ---- */

/* Two requests that look alike, their attempts mixed; ids keep them apart. */
Test(judge, ids_link)
{
	for (unsigned i = 0; i < 6; i++) {
		struct judge_exchange e = rig_exchange(i, i + 0.01, i < 4 ? 503 : 200);

		e.logical_id = 1 + i % 2;
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 2);
	cr_assert_eq(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->value, 3);
	cr_assert_eq(rig_check(&r, CHECK_ATTEMPTS)->confidence, CONFIDENCE_ID);
}

Test(judge, an_unknown_id_is_another_request)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 503), b = rig_exchange(0.5, 0.51, 200);

	a.logical_id = 1;
	b.logical_id = 2;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 2);
}

/* Some send one such id for everything. */
Test(judge, an_id_that_may_be_links_only_where_there_is_a_reason)
{
	for (unsigned i = 0; i < 5; i++) {
		struct judge_exchange e = rig_exchange(i, i + 0.01, i == 1 ? 503 : 200);

		e.maybe_id = 7;
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 4);
	cr_assert_eq(r.verdict.totals.retries, 1);
}

Test(judge, attempt_numbers_link)
{
	for (unsigned i = 0; i < 4; i++) {
		struct judge_exchange e = rig_exchange(i, i + 0.01, 503);

		e.attempt = (uint16_t)(1 + i % 2);
		e.attempt_max = 2;
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 2);
	cr_assert_eq(rig_check(&r, CHECK_ATTEMPTS)->confidence, CONFIDENCE_ORDINAL);
	cr_assert(strstr(rig_check(&r, CHECK_ATTEMPTS)->text, "declares 2"));
}

Test(judge, a_first_attempt_follows_nothing)
{
	struct judge_exchange a = rig_exchange(0, 0.01, 503), b = rig_exchange(0.5, 0.51, 200);

	a.attempt = b.attempt = 1;
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 2);
}

/* Left by its client after a second, though it went on behind its back: the retry follows the leaving. */
Test(judge, what_the_client_left_is_over_when_it_left)
{
	struct judge_exchange a = rig_exchange(0, 5, 0), b = rig_exchange(1.5, 1.6, 200);

	a.abort_ns = a.first_ns + S(1);
	rig_add(&r, a);
	rig_add(&r, b);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 1);
	cr_assert_eq(r.verdict.totals.retries, 1);
}

/* ---- many workers with the same request ---- */

/* 40 at once, each with a connection of its own, told to wait 2 s; back after so long, twice. */
static void workers(double back_s)
{
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 3; k++) {
			double at_s = 0.004 * i + (back_s + 0.001) * k;
			struct judge_exchange e = rig_exchange(at_s, at_s + 0.0005, 503);

			e.connection = 1 + i;
			e.wait_ns = S(2);
			rig_add(&r, e);
		}
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
}

Test(judge, a_herd_of_honest_workers)
{
	workers(2);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_PASS, "%s", rig_check(&r, CHECK_RETRY_AFTER)->text);
	cr_assert_eq(rig_check(&r, CHECK_RETRY_AFTER)->n, 80);
	cr_assert_eq(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->value, 3);
	cr_assert_eq(r.verdict.totals.logical, 40);
	cr_assert_eq(status(CHECK_HERD), CHECK_WARN);
}

/* They may be others' first attempts: nothing is said against them, and nothing for them. */
Test(judge, a_herd_of_deaf_workers_cannot_be_told)
{
	workers(0.6);
	cr_assert_eq(status(CHECK_RETRY_AFTER), CHECK_INCONCLUSIVE, "%s", rig_check(&r, CHECK_RETRY_AFTER)->text);
	cr_assert(strstr(rig_check(&r, CHECK_RETRY_AFTER)->text, "logical_key"));
}

/* Where every connection breaks, one right after the other: workers, since nobody retries so often without a pause. */
Test(judge, a_burst_on_broken_connections)
{
	for (unsigned i = 0; i < 40; i++) {
		struct judge_exchange e = rig_exchange(0.002 * i, 0.002 * i + 0.0005, 0);

		e.connection = 1 + i;
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_neq(status(CHECK_ATTEMPTS), CHECK_FAIL, "%s", rig_check(&r, CHECK_ATTEMPTS)->text);
}

Test(judge, one_worker_without_a_pause_is_seen)
{
	for (unsigned i = 0; i < 6; i++)
		rig_add(&r, rig_exchange(0.003 * i, 0.003 * i + 0.001, i < 5 ? 503 : 200));
	(void)rig_finish(&r, JUDGE_END_CLIENT_LEFT);
	cr_assert_eq(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->value, 6);
	cr_assert_eq(status(CHECK_ATTEMPTS), CHECK_FAIL);
}

Test(judge, one_failure_is_followed_up_once)
{
	rig_add(&r, rig_exchange(0, 0.01, 503));
	rig_add(&r, rig_exchange(0.5, 0.51, 200));
	rig_add(&r, rig_exchange(1, 1.01, 200));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 2);
	cr_assert_eq(r.verdict.totals.retries, 1);
}

Test(judge, other_clients_methods_and_targets_are_others)
{
	struct judge_exchange e = rig_exchange(0.5, 0.51, 200);

	rig_add(&r, rig_exchange(0, 0.01, 503));
	e.client = SPAN("b");
	rig_add(&r, e);
	e = rig_exchange(0.6, 0.61, 200);
	e.method = SPAN("HEAD");
	rig_add(&r, e);
	e = rig_exchange(0.7, 0.71, 200);
	e.target = SPAN("/items?page=2");
	rig_add(&r, e);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 4);
	cr_assert_eq(r.verdict.totals.clients, 2);
}

/* A minute after a failure that nobody told to wait: the next request. After a told wait: twice that. */
Test(judge, links_end)
{
	struct judge_exchange e = rig_exchange(200, 200.01, 503);

	rig_add(&r, rig_exchange(0, 0.01, 503));
	rig_add(&r, rig_exchange(60.02, 60.03, 200));
	e.wait_ns = S(90);
	rig_add(&r, e);
	rig_add(&r, rig_exchange(379, 379.01, 200));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 3);
	cr_assert_eq(r.verdict.totals.retries, 1);
}

/* ---- coverage and what it all comes to ---- */

Test(judge, no_traffic_is_no_pass)
{
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_COVERAGE), CHECK_FAIL);
	cr_assert_eq(r.verdict.status, CHECK_FAIL);
}

Test(judge, no_traffic_yet_is_no_failure)
{
	(void)rig_finish(&r, JUDGE_END_SO_FAR);
	cr_assert_eq(status(CHECK_COVERAGE), CHECK_INCONCLUSIVE);
	cr_assert(r.verdict.run.live);
}

Test(judge, no_fault_is_no_pass)
{
	rig_add(&r, rig_exchange(0, 0.1, 200));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_COVERAGE), CHECK_FAIL);
}

Test(judge, a_required_rule_that_never_fired)
{
	r.rules[1].required = true;
	rig_add(&r, rig_exchange(0, 0.1, 503));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_COVERAGE), CHECK_FAIL);
	cr_assert(strstr(rig_check(&r, CHECK_COVERAGE)->text, "other"));
	cr_assert_eq(r.verdict.rules[0].fired, 1);
	cr_assert_eq(r.verdict.rules[1].fired, 0);
}

#define MORE " \xe2\x80\xa6"

/* 40 rules that never fired, with names of so many euro signs: whole names alone, and a sign where there are more. */
static void name_rules_of(unsigned width)
{
	static const char said[] = "never fired though required:";
	const struct judge_exchange e = rig_exchange(0, 0.1, 200);
	struct judge_rule rules[40];
	struct judge_options options = r.options;
	char name[64] = "";
	struct verdict v;
	struct judge *j;
	const char *text;
	size_t word_n = 1 + 3 * (size_t)width, n, rest_n;

	for (unsigned i = 0; i < width; i++)
		memcpy(name + 3 * (size_t)i, "\xe2\x82\xac", 3);
	for (unsigned i = 0; i < ARRAY_LEN(rules); i++)
		rules[i] = (struct judge_rule){ .name = span_of_string(name), .required = true };
	options.rules = rules;
	options.n_rules = ARRAY_LEN(rules);
	j = judge_new(&options);
	cr_assert_not_null(j);
	judge_add(j, &e);
	cr_assert_eq(judge_finish(j, JUDGE_END_STOPPED, &v), 0);
	text = v.checks[CHECK_COVERAGE].text;
	cr_assert(span_starts_with(span_of_string(text), span_of_string(said)), "%s", text);
	n = strlen(text);
	rest_n = n - strlen(said);
	if (strlen(said) + 40 * word_n < CHECK_TEXT_BYTES)
		cr_assert_eq(rest_n, 40 * word_n, "%s", text);
	else
		cr_assert(strcmp(text + n - strlen(MORE), MORE) == 0 && (rest_n - strlen(MORE)) % word_n == 0 &&
			  n + word_n >= CHECK_TEXT_BYTES - strlen(MORE), "%s", text);
	verdict_deinit(&v);
	judge_free(j);
}

Test(judge, a_long_text_ends_at_a_word)
{
	for (unsigned width = 1; width <= 21; width++)
		name_rules_of(width);
}

Test(judge, a_rule_that_need_not_fire)
{
	rig_add(&r, rig_exchange(0, 0.1, 503));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(status(CHECK_COVERAGE), CHECK_PASS);
}

static enum check_status with_inconclusive(enum expect_inconclusive how)
{
	expect_init(&r.expect, EXPECT_PROFILE_NONE);
	r.expect.inconclusive = how;
	r.expect.limits[EXPECT_RETRY_BUDGET_RATIO] = (struct expect_limit){ EXPECT_FAIL, EXPECT_AT_MOST, 1 };
	rig_add(&r, rig_exchange(0, 0.1, 503));
	return rig_finish(&r, JUDGE_END_STOPPED)->status;
}

Test(judge, inconclusive_passes)
{
	cr_assert_eq(with_inconclusive(EXPECT_INCONCLUSIVE_PASS), CHECK_PASS);
}

Test(judge, inconclusive_warns)
{
	cr_assert_eq(with_inconclusive(EXPECT_INCONCLUSIVE_WARN), CHECK_WARN);
}

Test(judge, inconclusive_fails)
{
	cr_assert_eq(with_inconclusive(EXPECT_INCONCLUSIVE_FAIL), CHECK_INCONCLUSIVE);
	cr_assert_eq(status(CHECK_RETRY_BUDGET), CHECK_INCONCLUSIVE);
}

Test(judge, a_failure_outweighs_all)
{
	r.expect.inconclusive = EXPECT_INCONCLUSIVE_FAIL;
	for (unsigned i = 0; i < 6; i++)
		rig_add(&r, rig_exchange(i, i + 0.01, 503));
	cr_assert_eq(rig_finish(&r, JUDGE_END_CLIENT_LEFT)->status, CHECK_FAIL);
}

/* Every check says something. */
Test(judge, every_check_has_a_text)
{
	rig_add(&r, rig_exchange(0, 0.1, 503));
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		cr_assert(rig_check(&r, (enum check_id)i)->text[0], "%s", check_name((enum check_id)i));
		cr_assert_eq(rig_check(&r, (enum check_id)i)->id, i);
	}
}

/* ---- order, verdicts so far, bounds ---- */

/* Any order within a second gives the same bytes. */
Test(judge, order_within_a_second_does_not_count)
{
	struct judge *other;
	struct verdict v;
	struct sim sim = { .wait = SIM_FULL, .base_s = 0.3, .cap_s = 2, .attempts = 4 };

	for (unsigned i = 0; i < 50; i++)
		(void)sim_request(&r, &sim, i * 0.11, sim_always_503, NULL);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	other = judge_new(&r.options);
	/* Blocks of ends within 0.8 s, each turned round. */
	for (size_t from = 0, to; from < r.n; from = to) {
		for (to = from; to < r.n && r.v[to].end_ns - r.v[from].end_ns < S(0.8); to++)
			;
		for (size_t k = to; k-- > from;)
			judge_add(other, &r.v[k]);
	}
	cr_assert_eq(judge_finish(other, JUDGE_END_STOPPED, &v), 0);
	cr_assert_eq(memcmp(v.checks, r.verdict.checks, sizeof(v.checks)), 0);
	cr_assert_eq(memcmp(&v.totals, &r.verdict.totals, sizeof(v.totals)), 0);
	verdict_deinit(&v);
	judge_free(other);
}

/* To ask does not change what comes of it. */
Test(judge, verdicts_so_far_leave_no_trace)
{
	struct judge *other;
	struct verdict v;
	struct sim sim = { .wait = SIM_EQUAL, .base_s = 0.3, .cap_s = 2, .attempts = 4 };

	for (unsigned i = 0; i < 30; i++)
		(void)sim_request(&r, &sim, i * 0.5, sim_always_503, NULL);
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	other = judge_new(&r.options);
	for (size_t i = 0; i < r.n; i++) {
		judge_add(other, &r.v[i]);
		cr_assert_eq(judge_finish(other, JUDGE_END_SO_FAR, &v), 0);
		verdict_deinit(&v);
	}
	cr_assert_eq(judge_finish(other, JUDGE_END_STOPPED, &v), 0);
	cr_assert_eq(memcmp(v.checks, r.verdict.checks, sizeof(v.checks)), 0);
	verdict_deinit(&v);
	judge_free(other);
}

/* What ended more than a second ago is in the verdict so far, though nothing came after it. */
Test(judge, time_moves_on_by_itself)
{
	struct judge_exchange e = rig_exchange(0, 0.1, 503);
	struct verdict v;
	struct judge *j;

	r.options.rules = r.rules;
	j = judge_new(&r.options);
	judge_add(j, &e);
	cr_assert_eq(judge_finish(j, JUDGE_END_SO_FAR, &v), 0);
	cr_assert_eq(v.totals.requests, 0);
	verdict_deinit(&v);
	judge_advance(j, e.end_ns + JUDGE_LATE_NS);
	cr_assert_eq(judge_finish(j, JUDGE_END_SO_FAR, &v), 0);
	cr_assert_eq(v.totals.requests, 1);
	verdict_deinit(&v);
	judge_free(j);
}

/* More open requests than there is room for: the count says that it is a lower bound. */
Test(judge, a_full_store_forgets_and_says_so)
{
	static char targets[500][8];

	r.options.max_chains = 64;
	for (unsigned i = 0; i < 500; i++) {
		struct judge_exchange e = rig_exchange(i * 0.01, i * 0.01 + 0.001, 503);

		for (unsigned k = 0, v = i; k < 6; k++, v /= 10)
			targets[i][k] = (char)('a' + v % 10);
		e.target = span_of_string(targets[i]);
		rig_add(&r, e);
	}
	(void)rig_finish(&r, JUDGE_END_STOPPED);
	cr_assert_eq(r.verdict.totals.logical, 500);
	cr_assert_geq(r.verdict.totals.evicted, 500 - 64);
	cr_assert(rig_measure(&r, EXPECT_ATTEMPTS_MAX)->at_least);
}

/* Times, texts and numbers of any kind: no crash, and a verdict. */
Test(judge, takes_anything, .timeout = 60)
{
	static char bytes[64];
	struct judge *j;
	struct verdict v;
	uint64_t draws = 0;

	r.options.rules = r.rules;
	r.options.max_chains = 128;
	j = judge_new(&r.options);
	for (unsigned i = 0; i < 20000; i++) {
		struct judge_exchange e;
		uint16_t fired[2] = { 0, UINT16_MAX };
		unsigned char *p = (unsigned char *)&e;

		for (size_t k = 0; k < sizeof(e); k++)
			p[k] = (unsigned char)random_word(1, 0, 0, draws++, 0);
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)random_word(2, 0, 0, draws++, 0);
		e.client = span_of(bytes, i % 3);
		e.method = i % 5 ? SPAN("POST") : span_of(bytes, i % 64);
		e.host = SPAN_EMPTY;
		e.target = span_of(bytes, i % 7);
		e.fired = fired;
		e.n_fired = 2;
		e.forwarded = i % 2;
		e.complete = i % 3;
		e.keeps = i % 5;
		e.closes = i % 4;
		if (i % 20)
			e.after_close_ns = 0;
		e.expect = i % 7 == 0;
		e.early_data = i % 11 == 0;
		e.fingerprint = i % 4;
		e.logical_id = i % 6 ? 0 : i % 30;
		e.attempt = (uint16_t)(i % 4);
		if (i % 2)
			e.abort_ns = 0;
		if (i % 3) {
			e.first_ns = (int64_t)i * NS_PER_MS;
			e.end_ns = e.first_ns + NS_PER_MS;
			e.hdr_ns = 0;
		}
		judge_add(j, &e);
	}
	cr_assert_eq(judge_finish(j, JUDGE_END_STOPPED, &v), 0);
	cr_assert_geq(v.totals.requests, 19000);
	verdict_deinit(&v);
	judge_free(j);
}

Test(judge, a_live_one_takes_new_rules)
{
	struct live_judge *l;
	struct judge_rule rule = { .name = SPAN("third"), .required = true };
	struct judge_exchange e = rig_exchange(0, 0.1, 503);
	struct verdict v;
	uint16_t fired;

	r.options.rules = r.rules;
	l = live_judge_new(&r.options);
	fired = live_judge_add_rule(l, &rule);
	cr_assert_eq(fired, 2);
	e.fired = &fired;
	live_judge_add(l, &e);
	cr_assert_eq(live_judge_finish(l, JUDGE_END_STOPPED, &v), 0);
	cr_assert_eq(v.n_rules, 3);
	cr_assert_str_eq(v.rules[2].name, "third");
	cr_assert_eq(v.rules[2].fired, 1);
	verdict_deinit(&v);
	live_judge_free(l);
}
