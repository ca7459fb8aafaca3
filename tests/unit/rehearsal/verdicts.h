/*
 * verdicts: made-up verdicts for the tests of reports: one with all that there is in it and texts that mean harm, one of a good
 * run, one of nothing.
 */
#ifndef BROWNOUT_TESTS_UNIT_REHEARSAL_VERDICTS_H
#define BROWNOUT_TESTS_UNIT_REHEARSAL_VERDICTS_H

#include <stdio.h>

#include "rehearsal/verdict.h"

static const char *const verdicts_command[] = { "npm", "test", "a \"b\" c", NULL };

static inline struct measure *verdicts_measure(struct verdict *v, enum check_id id, enum expect_key key, double value,
	const struct expect_limit *limit)
{
	struct check *c = &v->checks[id];
	struct measure *m = &c->measures[c->n_measures++];

	*m = (struct measure){ .key = (uint8_t)key, .measured = true, .value = value, .n = 80, .n_min = 1,
		.confidence = CONFIDENCE_FINGERPRINT };
	if (limit) {
		m->limit = *limit;
		m->status = expect_holds(limit, value) ? CHECK_PASS : limit->severity == EXPECT_FAIL ? CHECK_FAIL : CHECK_WARN;
	}
	c->status = (uint8_t)(c->status > m->status ? c->status : m->status);
	c->n = 80;
	c->confidence = CONFIDENCE_FINGERPRINT;
	return m;
}

static inline void verdicts_evidence(struct verdict *v, enum check_id id, const char *request, const char *what)
{
	struct check *c = &v->checks[id];
	struct evidence *e = &c->evidence[c->n_evidence++];

	c->evidence_total = c->n_evidence;
	*e = (struct evidence){ .id = 0x100000000012, .next_id = 0x100000000015, .at_ns = 1204 * NS_PER_MS,
		.next_at_ns = 1716 * NS_PER_MS };
	(void)snprintf(e->request, sizeof(e->request), "%s", request);
	(void)snprintf(e->what, sizeof(e->what), "%s", what);
	(void)snprintf(e->client, sizeof(e->client), "127.0.0.1");
}

static inline void verdicts_say(struct verdict *v, enum check_id id, const char *text)
{
	(void)snprintf(v->checks[id].text, sizeof(v->checks[id].text), "%s", text);
}

static inline void verdicts_nothing(struct verdict *v)
{
	*v = (struct verdict){ .status = CHECK_PASS, .profile = EXPECT_PROFILE_NONE, .run.child_exit = -1 };
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		v->checks[i].id = (uint8_t)i;
		verdicts_say(v, (enum check_id)i, "nothing of the kind was seen");
	}
}

/* The texts of others end what they stand in wherever it has an end, in every form. */
static inline void verdicts_bad(struct verdict *v)
{
	static const struct expect_limit all = { EXPECT_FAIL, EXPECT_AT_LEAST, 1 }, none = { EXPECT_FAIL, EXPECT_AT_MOST, 0 };
	static const struct expect_limit peak = { EXPECT_WARN, EXPECT_BELOW, 0.8 }, four = { EXPECT_FAIL, EXPECT_AT_MOST, 4 };
	static const struct expect_limit opens = { EXPECT_FAIL, EXPECT_AT_MOST, 20 };
	static char overload[] = "overload", lost[] = "lost";
	static struct verdict_rule rules[] = { { overload, true, 96 }, { lost, false, 0 } };
	struct measure *m;

	verdicts_nothing(v);
	v->status = CHECK_FAIL;
	v->profile = EXPECT_PROFILE_RECOMMENDED;
	v->inconclusive = EXPECT_INCONCLUSIVE_WARN;
	v->totals = (struct verdict_totals){ .requests = 412, .logical = 208, .retries = 204, .faults = 96, .clients = 4,
		.gave_up = 1 };
	v->contrast = (struct verdict_contrast){ .measured = true, .window_ns = 2 * NS_PER_S, .n_faulted = 96, .n_others = 316,
		.p_faulted = 0.97, .p_others = 0.9, .retries_per_fault = 0.7, .standard_error = 0.05 };
	v->run = (struct verdict_run){ .rules_file = "rules,1:%.yaml", .command = verdicts_command, .child_exit = 0,
		.has_seed = true, .seed = UINT64_MAX, .rules_hash = 0x9f86d081884c7d65, .started_wall_ns = 1769903999999000000,
		.duration_ns = 41204 * NS_PER_MS, .reproduce = "brownout run rules.yaml --seed 42 -- npm test 'a \"b\" c'",
		.rules_line = 7 };
	v->rules = rules;
	v->n_rules = 2;
	(void)snprintf(v->policy, sizeof(v->policy), "looks like exponential 0.5 s x2, x0.75..1 jitter, 3 attempts");
	verdicts_measure(v, CHECK_RETRY_AFTER, EXPECT_RETRY_AFTER_HONOURED, 0.7625, &all);
	verdicts_say(v, CHECK_RETRY_AFTER, "61 of 80 follow-ups kept the wait (76.2 %)");
	verdicts_evidence(v, CHECK_RETRY_AFTER, "GET /a|b?<x>&]]>\"'`#*_\\", "1.62 s before 2 s");
	verdicts_evidence(v, CHECK_RETRY_AFTER, "GET /\x1b[31m\x07\xc2\x9b\xff\xef\xbf\xbf\n::error::x%0A # TO" "DO", "...");
	v->checks[CHECK_RETRY_AFTER].evidence_total = 19;
	verdicts_measure(v, CHECK_DUPLICATES, EXPECT_DUPLICATES_MAX, 3, &none);
	verdicts_say(v, CHECK_DUPLICATES, "executed twice: 3");
	(void)snprintf(v->checks[CHECK_DUPLICATES].scope, sizeof(v->checks[0].scope), "POST /charge");
	verdicts_measure(v, CHECK_HERD, EXPECT_HERD_PEAK, 0.95, &peak);
	verdicts_say(v, CHECK_HERD, "38 of 40 retries inside 120 ms");
	verdicts_measure(v, CHECK_ATTEMPTS, EXPECT_ATTEMPTS_MAX, 4, &four);
	verdicts_say(v, CHECK_ATTEMPTS, "at most 4");
	m = verdicts_measure(v, CHECK_CIRCUIT_BREAKER, EXPECT_BREAKER_OPENS, 0, &opens);
	m->measured = false;
	m->status = v->checks[CHECK_CIRCUIT_BREAKER].status = CHECK_INCONCLUSIVE;
	verdicts_say(v, CHECK_CIRCUIT_BREAKER, "baseline 2.1/s is below 5/s");
	m = verdicts_measure(v, CHECK_BACKOFF, EXPECT_BACKOFF_GROWTH, 1.97, NULL);
	m->has_interval = true;
	m->low = 1.93;
	m->high = 2.02;
	verdicts_measure(v, CHECK_BACKOFF, EXPECT_BACKOFF_FIRST, 512.34e6, NULL);
	verdicts_say(v, CHECK_BACKOFF, "exponential: each wait x1.97 of the one before");
}

static inline void verdicts_good(struct verdict *v)
{
	static const struct expect_limit four = { EXPECT_FAIL, EXPECT_AT_MOST, 4 };

	verdicts_nothing(v);
	v->run.rules_file = "rules.yaml";
	v->totals = (struct verdict_totals){ .requests = 2, .logical = 1, .retries = 1, .faults = 1, .clients = 1 };
	verdicts_measure(v, CHECK_ATTEMPTS, EXPECT_ATTEMPTS_MAX, 2, &four);
	verdicts_say(v, CHECK_ATTEMPTS, "at most 2");
}

#endif
