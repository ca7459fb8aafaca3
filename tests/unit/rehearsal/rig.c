/*
 * rig: see the header.
 */
#include "rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "core/random.h"

struct judge_exchange rig_exchange(double first_s, double end_s, unsigned status)
{
	static const uint16_t rule0;
	bool failed = status == 0 || status >= 400;

	return (struct judge_exchange){
		.wall_ns = S(1700000000) + S(first_s),
		.first_ns = S(100 + first_s),
		.last_ns = S(100 + first_s),
		.hdr_ns = status ? S(100 + end_s) : 0,
		.end_ns = S(100 + end_s),
		.client = SPAN("a"),
		.method = SPAN("GET"),
		.host = SPAN("test"),
		.target = SPAN("/items"),
		.status = (uint16_t)status,
		.upstream_status = (uint16_t)(failed ? 0 : status),
		.forwarded = !failed,
		.complete = status != 0,
		.keeps = status != 0,
		.connection = 1,
		.rule = failed ? 0 : -1,
		.fired = &rule0,
		.n_fired = failed,
		.wait_ns = -1,
		.quota_ns = -1,
	};
}

void rig_init(struct rig *r)
{
	*r = (struct rig){ .rules = { { .name = SPAN("fault") }, { .name = SPAN("other") } } };
	expect_init(&r->expect, EXPECT_PROFILE_RECOMMENDED);
	r->options = (struct judge_options){ .expect = &r->expect, .n_rules = 2 };
}

void rig_deinit(struct rig *r)
{
	verdict_deinit(&r->verdict);
	judge_free(r->judge);
	free(r->v);
}

void rig_add(struct rig *r, struct judge_exchange e)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->v = realloc(r->v, r->cap * sizeof(*r->v));
		cr_assert_not_null(r->v);
	}
	if (!e.id)
		e.id = ++r->ids;
	r->v[r->n++] = e;
}

static int by_end(const void *a, const void *b)
{
	const struct judge_exchange *x = a, *y = b;

	return x->end_ns != y->end_ns ? (x->end_ns > y->end_ns) - (x->end_ns < y->end_ns) : (x->id > y->id) - (x->id < y->id);
}

const struct verdict *rig_finish(struct rig *r, enum judge_end end)
{
	r->options.rules = r->rules;
	r->judge = judge_new(&r->options);
	cr_assert_not_null(r->judge);
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), by_end);
	for (size_t i = 0; i < r->n; i++)
		judge_add(r->judge, &r->v[i]);
	cr_assert_eq(judge_finish(r->judge, end, &r->verdict), 0);
	return &r->verdict;
}

const struct check *rig_check(const struct rig *r, enum check_id id)
{
	return &r->verdict.checks[id];
}

const struct measure *rig_measure(const struct rig *r, enum expect_key key)
{
	const struct check *c = rig_check(r, (enum check_id)expect_key_check(key));

	for (unsigned i = 0; i < c->n_measures; i++) {
		if (c->measures[i].key == key)
			return &c->measures[i];
	}
	cr_assert_fail("no measure of %s.%s: %s", expect_key_group(key), expect_key_name(key), c->text);
	return NULL;
}

double rig_random(struct rig *r)
{
	return (double)(random_word(r->seed, 1, 2, r->draws++, 0) >> 11) / 9007199254740992.0;
}

double rig_between(struct rig *r, double min, double max)
{
	return min + (max - min) * rig_random(r);
}

/* ---- simulated clients ---- */

static double noise_s(struct rig *r)
{
	return rig_between(r, 0.0005, 0.004) + (rig_random(r) < 0.05 ? 0.02 : 0);
}

static double own_wait_s(struct rig *r, const struct sim *c, unsigned retry, double before_s)
{
	double full = fmin(c->base_s * pow(2, retry - 1), c->cap_s);

	switch (c->wait) {
	case SIM_FIXED: return c->base_s;
	case SIM_EXPONENTIAL: return full;
	case SIM_FULL: return full * rig_random(r);
	case SIM_EQUAL: return full * rig_between(r, 0.5, 1);
	case SIM_DECORRELATED: return fmin(c->cap_s, rig_between(r, c->base_s, 3 * (before_s > 0 ? before_s : c->base_s)));
	case SIM_PLUS_MINUS: return full * rig_between(r, 0.8, 1.2);
	case SIM_STAINLESS: return full * rig_between(r, 0.75, 1);
	case SIM_R4J: return c->base_s * pow(1.5, retry - 1) * rig_between(r, 0.5, 1.5);
	}
	return 0;
}

unsigned sim_request(struct rig *r, struct sim *c, double at_s, sim_server_fn server, void *context)
{
	double wait_s = 0;

	c->logical++;
	for (unsigned attempt = 1;; attempt++) {
		struct judge_exchange e = rig_exchange(at_s, at_s + noise_s(r), 503);
		double told_s;

		e.client = span_of_string(c->client ? c->client : "a");
		e.method = span_of_string(c->method ? c->method : "GET");
		e.target = span_of_string(c->target ? c->target : "/items");
		e.attempt = (uint16_t)(c->sends_ordinals ? attempt : 0);
		e.logical_id = c->sends_ids ? random_word(3, random_hash(0, e.client), 0, c->logical, 0) : 0;
		e.idempotency_key = c->key;
		e.connection = c->logical;
		server(context, attempt, &e);
		if (e.status && e.status < 400) {
			e.rule = -1;
			e.n_fired = 0;
		}
		rig_add(r, e);
		if ((e.status && e.status < 400) || attempt == c->attempts)
			return attempt;
		wait_s = own_wait_s(r, c, attempt, wait_s);
		told_s = c->ignores_hints || e.wait_ns < 0 ? 0 : (double)e.wait_ns / 1e9;
		at_s = (double)(e.end_ns - S(100)) / 1e9 + fmax(wait_s, told_s) + noise_s(r);
	}
}

void sim_always_503(void *context, unsigned attempt, struct judge_exchange *e)
{
	(void)context;
	(void)attempt;
	(void)e;
}
