/*
 * live_rehearsal: everything here but the start and the end is done in the collector's thread.
 */
#include "cli/live_rehearsal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cli/judge_feed.h"
#include "cli/judge_repeats.h"

/* A worker may be kept from its core between the end of an exchange and its record. */
#define LATE_NS (100 * NS_PER_MS)

#define REPEATS_MAX 32 /* told to the judge in one go */

struct live_rehearsal {
	struct collector_sink sink;
	struct live_judge *judge;
	struct judge_names names;
	uint64_t rules_hash; /* of the rules that it began with */
	atomic_bool rules_differ; /* others came: said by the collector's thread, asked by any */

	/* The collector's thread's. */
	uint64_t generation; /* that `numbers` is about; 0: none yet */
	uint16_t *numbers; /* of the rules of that generation */
	unsigned n_numbers;
	struct trace_exchange exchange;
	struct judge_repeats known;
	struct judge_repeat repeats[REPEATS_MAX]; /* that the judge was not told yet */
	unsigned n_repeats;
	bool has_base;
	int64_t base_ns;
};

static uint16_t number_of(struct live_rehearsal *r, const struct rule *rule)
{
	/* Like all that is expected, which rules must fire was said at the start. */
	const struct judge_rule one = { .name = rule->name };
	uint16_t i = judge_names_find(&r->names, rule->name);

	if (i != UINT16_MAX || judge_names_add(&r->names, rule->name) == UINT16_MAX)
		return i;
	return live_judge_add_rule(r->judge, &one);
}

static uint64_t hash_of(const struct ruleset *rules)
{
	uint64_t hash = 0;

	for (unsigned i = 0; i < rules->n; i++)
		hash = judge_feed_rules_hash(hash, rules->v[i].name, rules->v[i].text_hash);
	return hash;
}

/* After a reload there may be other rules; those with a name that is known go on. */
static void learn_rules(struct live_rehearsal *r, const struct ruleset *rules)
{
	uint16_t *numbers = realloc(r->numbers, MAX(rules->n, 1u) * sizeof(*numbers));

	if (hash_of(rules) != r->rules_hash)
		atomic_store(&r->rules_differ, true);
	r->n_numbers = 0;
	if (!numbers)
		return;
	r->numbers = numbers;
	while (r->n_numbers < rules->n) {
		numbers[r->n_numbers] = number_of(r, &rules->v[r->n_numbers]);
		r->n_numbers++;
	}
}

/* Which rules fired. Without memory for their numbers: none. */
static unsigned fired_rules(const struct live_rehearsal *r, const struct record *record, uint16_t fired[JUDGE_FIRED_MAX])
{
	const struct record_decisions *d = record->decisions;
	unsigned n = 0;

	for (unsigned i = 0; d && i < d->n && n < JUDGE_FIRED_MAX; i++) {
		if (d->v[i].outcome == DECISION_FIRED && d->v[i].rule < r->n_numbers)
			fired[n++] = r->numbers[d->v[i].rule];
	}
	return n;
}

static void tell_repeats(struct live_rehearsal *r)
{
	if (r->n_repeats)
		live_judge_add_repeats(r->judge, r->repeats, r->n_repeats);
	r->n_repeats = 0;
}

static void take_repeat(struct live_rehearsal *r, const struct record *record)
{
	if (judge_repeats_feed(&r->known, record, r->base_ns, &r->repeats[r->n_repeats]))
		r->n_repeats++;
	else
		live_judge_lose(r->judge);
	if (r->n_repeats == REPEATS_MAX)
		tell_repeats(r);
}

static void take(void *arg, const struct record *record)
{
	struct live_rehearsal *r = arg;
	struct trace_exchange *e = &r->exchange;
	uint16_t fired[JUDGE_FIRED_MAX];
	struct judge_exchange exchange;

	if (record->repeats) {
		take_repeat(r, record);
		return;
	}
	/* A request that was refused as malformed is nobody's attempt at anything. */
	if (!record->witness)
		return;
	if (r->generation != record->generation) {
		r->generation = record->generation;
		learn_rules(r, record->rules);
	}
	trace_exchange_of(e, record);
	if (!r->has_base)
		r->base_ns = judge_feed_base_ns(e);
	r->has_base = true;
	tell_repeats(r);
	judge_feed_exchange(&exchange, e, r->base_ns);
	exchange.id = record->id;
	if (record->likeness)
		judge_repeats_learn(&r->known, r->judge, record, &exchange);
	judge_feed_rules(&exchange, record->rule ? number_of(r, record->rule) : UINT16_MAX, fired,
		fired_rules(r, record, fired));
	live_judge_add(r->judge, &exchange);
}

static void looked(void *arg, int64_t now_ns)
{
	struct live_rehearsal *r = arg;

	tell_repeats(r);
	if (r->has_base)
		live_judge_advance(r->judge, now_ns + r->base_ns);
}

static int make_judge(struct live_rehearsal *r, const struct plan *plan)
{
	struct judge_rule *rules = calloc(MAX(plan->rules.n, 1u), sizeof(*rules));
	const struct judge_options options = { .expect = &plan->expect, .rules = rules, .n_rules = plan->rules.n,
		.noise_floor_ns = plan->observe.noise_floor_ns, .late_ns = LATE_NS };

	for (unsigned i = 0; rules && i < plan->rules.n; i++) {
		rules[i] = (struct judge_rule){ .name = plan->rules.v[i].name, .required = plan->rules.v[i].required };
		if (judge_names_add(&r->names, rules[i].name) == UINT16_MAX) {
			free(rules);
			return -1;
		}
	}
	r->judge = rules ? live_judge_new(&options) : NULL;
	free(rules);
	return r->judge ? 0 : -1;
}

struct live_rehearsal *live_rehearsal_new(const struct plan *plan)
{
	struct live_rehearsal *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->sink = (struct collector_sink){ take, looked, r };
	r->rules_hash = hash_of(&plan->rules);
	trace_exchange_init(&r->exchange);
	judge_repeats_init(&r->known);
	judge_names_init(&r->names);
	if (make_judge(r, plan) < 0) {
		live_rehearsal_free(r);
		return NULL;
	}
	return r;
}

void live_rehearsal_free(struct live_rehearsal *r)
{
	if (!r)
		return;
	live_judge_free(r->judge);
	judge_names_deinit(&r->names);
	judge_repeats_deinit(&r->known);
	free(r->numbers);
	free(r);
}

const struct collector_sink *live_rehearsal_sink(const struct live_rehearsal *r)
{
	return &r->sink;
}

static int judge(struct live_rehearsal *r, struct server *server, enum judge_end end, struct verdict *out)
{
	int error = live_judge_finish(r->judge, end, out);
	struct plan *plan;

	if (error)
		return error;
	plan = server_plan_ref(server);
	out->run.has_seed = true;
	out->run.seed = plan->seed;
	out->run.rules_hash = atomic_load(&r->rules_differ) ? 0 : r->rules_hash;
	plan_unref(plan);
	return 0;
}

int live_rehearsal_so_far(struct live_rehearsal *r, struct server *server, struct verdict *out)
{
	return judge(r, server, JUDGE_END_SO_FAR, out);
}

int live_rehearsal_finish(struct live_rehearsal *r, struct server *server, enum judge_end end, struct verdict *out)
{
	server_flush_records(server);
	return judge(r, server, end, out);
}
