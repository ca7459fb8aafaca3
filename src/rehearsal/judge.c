/*
 * judge: the frame: exchanges are put in order, linked, tallied; a verdict is the checks of a tally to which the chains that may
 * still go on were added.
 */
#include "rehearsal/judge.h"

#include <errno.h>
#include <stdlib.h>

#include "rehearsal/check.h"
#include "rehearsal/link.h"
#include "rehearsal/order.h"

#define UNSURE_SHARE 5 /* one of so many that could not be told is too many for a pass */

struct rule_row {
	char *name;
	bool required;
	uint64_t fired;
};

struct judge {
	struct order order;
	struct linker linker;
	struct rule_row *rules;
	unsigned n_rules;
	char *during; /* rule of amplification.during; empty: any */
	struct tally tally;
};

static int add_rule(struct judge *j, const struct judge_rule *rule)
{
	struct rule_row *rows = realloc(j->rules, (j->n_rules + 1) * sizeof(*rows));
	char *name = span_dup(rule->name);

	if (rows)
		j->rules = rows;
	if (!rows || !name || j->n_rules == UINT16_MAX) {
		free(name);
		return -ENOMEM;
	}
	rows[j->n_rules++] = (struct rule_row){ .name = name, .required = rule->required };
	return 0;
}

struct judge *judge_new(const struct judge_options *options)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	order_init(&j->order);
	j->order.by_clock = options->late_ns > 0;
	j->order.late_ns = options->late_ns ? options->late_ns : JUDGE_LATE_NS;
	linker_init(&j->linker, options);
	tally_init(&j->tally, options);
	j->during = span_dup(j->tally.expect.amplification_during);
	if (!j->during) {
		judge_free(j);
		return NULL;
	}
	/* The caller's text may go while the judge stays. */
	j->tally.expect.amplification_during.p = j->during;
	for (unsigned i = 0; i < options->n_rules; i++) {
		if (add_rule(j, &options->rules[i]) < 0) {
			judge_free(j);
			return NULL;
		}
	}
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	order_deinit(&j->order);
	linker_deinit(&j->linker);
	for (unsigned i = 0; i < j->n_rules; i++)
		free(j->rules[i].name);
	free(j->rules);
	free(j->during);
	free(j);
}

uint16_t judge_add_rule(struct judge *j, const struct judge_rule *rule)
{
	uint16_t i = (uint16_t)j->n_rules;

	if (add_rule(j, rule) < 0)
		return UINT16_MAX;
	if (j->tally.during_rule == -2 && span_eq(rule->name, j->tally.expect.amplification_during))
		j->tally.during_rule = i;
	return i;
}

static void take(struct judge *j, bool all)
{
	const struct event *e;

	while ((e = order_take(&j->order, all)) != NULL)
		linker_add(&j->linker, &j->tally, e);
}

/* The beginning of the run, of which all times are told. */
static void note_begin(struct judge *j, int64_t first_ns, int64_t wall_ns)
{
	if (first_ns >= j->tally.begin_ns)
		return;
	j->tally.begin_ns = first_ns;
	j->tally.begin_wall_ns = wall_ns;
}

void judge_add(struct judge *j, const struct judge_exchange *e)
{
	struct event event;

	for (unsigned i = 0; i < e->n_fired; i++) {
		if (e->fired[i] < j->n_rules)
			j->rules[e->fired[i]].fired++;
	}
	event_of(&event, e);
	note_begin(j, event.first_ns, e->wall_ns);
	if (!order_add(&j->order, &event))
		tally_lose(&j->tally);
	take(j, false);
}

struct judge_likeness *judge_likeness_new(const struct judge_exchange *e)
{
	struct judge_likeness *l = malloc(sizeof(*l));

	if (!l)
		return NULL;
	event_of(&l->event, e);
	l->keepers = 1;
	return l;
}

void judge_likeness_drop(struct judge_likeness *l)
{
	likeness_drop(l);
}

void judge_add_repeat(struct judge *j, const struct judge_repeat *r)
{
	note_begin(j, MAX(r->first_ns, 0), r->wall_ns);
	if (!order_add_repeat(&j->order, r))
		tally_lose(&j->tally);
	take(j, false);
}

void judge_lose(struct judge *j)
{
	tally_lose(&j->tally);
}

void judge_advance(struct judge *j, int64_t now_ns)
{
	order_advance(&j->order, now_ns);
	take(j, false);
}

/* ---- verdict ----------------------------------------------------------------------------------------------------- */

static const struct check_row {
	void (*make)(const struct check_run *r);
	bool links; /* hangs on which requests belong together */
} checks[CHECK_COUNT] = {
	[CHECK_RETRY_AFTER] = { check_retry_after, true },
	[CHECK_DUPLICATES] = { check_duplicates, true },
	[CHECK_UNSAFE_RETRIES] = { check_unsafe_retries, true },
	[CHECK_IDEMPOTENCY_KEY] = { check_idempotency_key, false },
	[CHECK_ATTEMPTS] = { check_attempts, true },
	[CHECK_AMPLIFICATION] = { check_amplification, true },
	[CHECK_RETRY_BUDGET] = { check_retry_budget, true },
	[CHECK_BACKOFF] = { check_backoff, true },
	[CHECK_JITTER] = { check_jitter, true },
	[CHECK_HERD] = { check_herd, true },
	[CHECK_POINTLESS_RETRIES] = { check_pointless_retries, false },
	[CHECK_HEDGING] = { check_hedging, false },
	[CHECK_GIVE_UP] = { check_give_up, true },
	[CHECK_CLIENT_TIMEOUT] = { check_client_timeout, false },
	[CHECK_CIRCUIT_BREAKER] = { check_circuit_breaker, false },
	[CHECK_RECOVERY] = { check_recovery, false },
	[CHECK_AFTERMATH] = { check_aftermath, false },
	[CHECK_CONNECTIONS] = { check_connections, false },
	[CHECK_QUOTA] = { check_quota, false },
	[CHECK_HANDLING] = { check_handling, false },
	[CHECK_YIELD] = { check_yield, false },
};

static void doubt(const struct check_run *r, struct check *c)
{
	for (unsigned i = 0; i < c->n_measures; i++) {
		if (c->measures[i].status == CHECK_PASS)
			c->measures[i].status = CHECK_INCONCLUSIVE;
	}
	check_say(r, (enum check_id)c->id, "%s" VERDICT_UNSURE, c->text[0] ? "; " : "");
}

static void copy_evidence(struct check *c, const struct tally *t)
{
	uint64_t n = MIN(t->evidence_total[c->id], (uint64_t)EVIDENCE_MAX);

	if (c->n_evidence)
		return;
	c->evidence_total = t->evidence_total[c->id];
	for (c->n_evidence = 0; c->n_evidence < n; c->n_evidence++) {
		struct evidence *e = &c->evidence[c->n_evidence];

		*e = t->evidence[c->id][c->n_evidence].e;
		e->at_ns -= t->begin_ns;
		if (e->next_id)
			e->next_at_ns -= t->begin_ns;
	}
}

/* A run in which nothing was put to the test proves nothing, and says so as a failure. */
static void check_coverage(const struct judge *j, const struct check_run *r)
{
	struct check *c = &r->v->checks[CHECK_COVERAGE];
	uint64_t fired = 0;
	unsigned missing = 0;

	for (unsigned i = 0; i < j->n_rules; i++) {
		fired += j->rules[i].fired;
		missing += j->rules[i].required && !j->rules[i].fired;
	}
	c->n = r->t->requests;
	/* While it goes on there may still come what is missing. */
	c->status = r->end == JUDGE_END_SO_FAR ? CHECK_INCONCLUSIVE : CHECK_FAIL;
	if (r->t->requests == 0) {
		check_say(r, CHECK_COVERAGE, "no request came");
	} else if (missing) {
		check_say(r, CHECK_COVERAGE, "never fired though required:");
		for (unsigned i = 0; i < j->n_rules; i++) {
			if (j->rules[i].required && !j->rules[i].fired)
				check_say(r, CHECK_COVERAGE, " %s", j->rules[i].name);
		}
	} else if (j->n_rules && !fired) {
		check_say(r, CHECK_COVERAGE, "no rule fired");
	} else {
		c->status = CHECK_PASS;
		check_say(r, CHECK_COVERAGE, "%llu requests, %llu of them with a fault", N(r->t->requests),
			N(r->t->faults));
	}
}

static int copy_rules(const struct judge *j, struct verdict *v)
{
	v->rules = calloc(MAX(j->n_rules, 1u), sizeof(*v->rules));
	if (!v->rules)
		return -ENOMEM;
	for (unsigned i = 0; i < j->n_rules; i++) {
		v->rules[i] = (struct verdict_rule){ .name = span_dup(span_of_string(j->rules[i].name)),
			.required = j->rules[i].required, .fired = j->rules[i].fired };
		if (!v->rules[i].name)
			return -ENOMEM;
		v->n_rules++;
	}
	return 0;
}

static void copy_contrast(const struct judge *j, struct verdict *v, int64_t end_ns)
{
	struct contrast_sum sum = { 0 };
	struct contrast_result result;

	for (uint32_t i = 0; i < j->linker.chains.kinds.n; i++)
		contrast_add(&sum, &chains_kind_at(&j->linker.chains, i)->contrast, end_ns);
	result = contrast_estimate(&sum);
	v->contrast = (struct verdict_contrast){
		.measured = result.measured,
		.identifiable = result.identifiable,
		.window_ns = result.window_ns,
		.n_faulted = result.n_faulted,
		.n_others = result.n_others,
		.p_faulted = result.p_faulted,
		.p_others = result.p_others,
		.retries_per_fault = result.retries_per_fault,
		.standard_error = result.standard_error,
	};
}

static void copy_totals(const struct judge *j, const struct tally *t, struct verdict *v, enum judge_end end)
{
	v->profile = t->expect.profile;
	v->inconclusive = t->expect.inconclusive;
	v->totals = (struct verdict_totals){
		.requests = t->requests,
		.logical = t->logical,
		.retries = t->retries,
		.faults = t->faults,
		.clients = j->linker.clients.rows.n,
		.gave_up = t->gave_up.n,
		.evicted = t->evicted,
		.not_identifiable = t->ambiguous,
	};
	v->run.child_exit = -1;
	v->run.live = end == JUDGE_END_SO_FAR;
	if (t->requests) {
		v->run.started_wall_ns = t->begin_wall_ns;
		v->run.duration_ns = t->last_ns - t->begin_ns;
	}
	copy_contrast(j, v, t->last_ns);
	policy_describe(t, v->policy, sizeof(v->policy));
}

static enum check_status whole(const struct verdict *v)
{
	enum check_status status = CHECK_PASS;

	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		enum check_status one = (enum check_status)v->checks[i].status;

		if (one == CHECK_INCONCLUSIVE && v->inconclusive == EXPECT_INCONCLUSIVE_PASS)
			one = CHECK_PASS;
		else if (one == CHECK_INCONCLUSIVE && v->inconclusive == EXPECT_INCONCLUSIVE_WARN)
			one = CHECK_WARN;
		/* What could not be said and must be known outweighs a warning, not a failure. */
		if (one == CHECK_FAIL || status == CHECK_FAIL)
			status = CHECK_FAIL;
		else if (one == CHECK_INCONCLUSIVE || status == CHECK_INCONCLUSIVE)
			status = CHECK_INCONCLUSIVE;
		else
			status = MAX(status, one);
	}
	return status;
}

/* Too many that may be retries or not, measured by those that are, and by what else came. */
static bool is_unsure(const struct tally *t)
{
	uint64_t maybe = t->ambiguous + t->maybe_early;

	return maybe * UNSURE_SHARE > maybe + t->linked_by_print + t->logical / 4;
}

static int make_verdict(const struct judge *j, const struct tally *t, enum judge_end end, struct verdict *v)
{
	const struct check_run r = { .t = t, .v = v, .end = end, .unsure = is_unsure(t) };

	memset(v, 0, sizeof(*v));
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		struct check *c = &v->checks[i];

		c->id = (uint8_t)i;
		if (i == CHECK_COVERAGE) {
			check_coverage(j, &r);
			continue;
		}
		checks[i].make(&r);
		if (r.unsure && checks[i].links)
			doubt(&r, c);
		check_settle(&r, c);
		copy_evidence(c, t);
	}
	copy_totals(j, t, v, end);
	v->status = whole(v);
	return copy_rules(j, v);
}

int judge_finish(struct judge *j, enum judge_end end, struct verdict *out)
{
	struct tally *t = malloc(sizeof(*t));
	struct tally_end chains_end = { .end = end };
	int error;

	memset(out, 0, sizeof(*out));
	if (!t)
		return -ENOMEM;
	if (end != JUDGE_END_SO_FAR)
		take(j, true);
	memcpy(t, &j->tally, sizeof(*t));
	chains_end.at_ns = t->last_ns;
	linker_tally_rest(&j->linker, t, &chains_end);
	waves_finish(&t->waves);
	error = make_verdict(j, t, end, out);
	free(t);
	if (error < 0)
		verdict_deinit(out);
	return error;
}
