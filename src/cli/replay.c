/*
 * replay: by rules. Ceilings, dry runs and quotas are no matter of a draw; what they may make of one is allowed for.
 */
#include "cli/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "core/random.h"

void replay_put_identity(struct text *out, struct span rule, const struct decision *d)
{
	text_put_literal(out, "rule ");
	text_put_shown(out, rule);
	text_printf(out, ", %s, key %" PRIx64 ", occurrence %" PRIu64, trace_phase_name((enum rule_phase)d->phase), d->key_hash,
		d->occurrence);
}

void replay_put_result(struct text *out, const struct decision *d)
{
	text_printf(out, "%s, draw %" PRIx64 ", threshold %" PRIx64 ", choice %u",
		trace_outcome_name((enum decision_outcome)d->outcome), d->draw, d->threshold, (unsigned)d->choice);
}

/* ---- rules by name ---- */

struct named {
	uint64_t hash;
	unsigned rule;
};

struct replay {
	struct ruleset *rules;
	struct named *names; /* by hash */
	uint64_t exchanges;
	uint64_t decisions;
	uint64_t different;
	uint64_t lost;
};

static int compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* False where memory is out. */
static bool index_names(struct replay *r)
{
	r->names = calloc(MAX(r->rules->n, 1U), sizeof(*r->names));
	for (unsigned i = 0; r->names && i < r->rules->n; i++)
		r->names[i] = (struct named){ r->rules->v[i].name_hash, i };
	if (r->names)
		qsort(r->names, r->rules->n, sizeof(*r->names), compare_names);
	return r->names != NULL;
}

/* The rule's number; rules->n where there is none of that name. */
static unsigned find_rule(const struct replay *r, struct span name)
{
	const struct named wanted = { .hash = random_hash(0, name) };
	const struct named *found = bsearch(&wanted, r->names, r->rules->n, sizeof(wanted), compare_names);

	return found && span_eq(r->rules->v[found->rule].name, name) ? found->rule : r->rules->n;
}

/* ---- one decision ---- */

/* Whether what was recorded may have become of what was drawn. */
static bool outcome_agrees(const struct rule *rule, enum decision_outcome recorded, const struct decision *drawn)
{
	if (drawn->outcome != DECISION_FIRED)
		return recorded == (enum decision_outcome)drawn->outcome;
	switch (recorded) {
	case DECISION_FIRED:
	case DECISION_REFUSED: return !rule->dry_run;
	case DECISION_DRY_RUN: return rule->dry_run;
	case DECISION_PASSED: return rule_faults(rule, drawn->choice)->limit != NULL; /* within the quota */
	case DECISION_NOT_DRAWN:
	case DECISION_SKIPPED:
	case DECISION_OUTSIDE: break;
	}
	return false;
}

static void put_place(struct text *out, const struct trace_file *f, const struct trace_decision *recorded)
{
	text_printf(out, "%s:%" PRIu64 ": exchange ", f->name, f->line_number);
	text_put_shown(out, f->line.id);
	text_put_literal(out, ", ");
	replay_put_identity(out, recorded->rule, &recorded->decision);
	text_put_char(out, '\n');
}

static void check_decision(struct replay *r, const struct trace_file *f, const struct trace_decision *recorded,
	struct text *out)
{
	const struct decision *d = &recorded->decision;
	unsigned rule = find_rule(r, recorded->rule);
	struct decision again;

	r->decisions++;
	if (d->early)
		return; /* nothing was drawn */
	if (rule == r->rules->n) {
		if (r->different++ == 0) {
			put_place(out, f, recorded);
			text_put_literal(out, "  there is no such rule\n");
		}
		return;
	}
	again = decide_draw(r->rules, rule, d->key_hash, d->occurrence, d->since_ns);
	if (again.draw == d->draw && again.threshold == d->threshold && again.choice == d->choice && again.phase == d->phase &&
		outcome_agrees(&r->rules->v[rule], (enum decision_outcome)d->outcome, &again))
		return;
	if (r->different++ > 0)
		return;
	put_place(out, f, recorded);
	text_put_literal(out, "  recorded:   ");
	replay_put_result(out, d);
	text_put_literal(out, "\n  recomputed: ");
	replay_put_result(out, &again);
	text_put_string(out, again.phase == d->phase ? "\n" : ", in the other phase\n");
}

/* ---- the whole ---- */

/* A rule that has changed may well decide the same; it is said all the same. */
static void begin_run(const struct replay *r, const struct trace_file *f, const uint64_t *seed, struct text *out)
{
	r->rules->seed = seed ? *seed : f->seed;
	for (unsigned i = 0; i < f->n_rules; i++) {
		unsigned rule = find_rule(r, f->rules[i].name);

		if (rule < r->rules->n && r->rules->v[rule].text_hash != f->rules[i].text_hash)
			text_printf(out, "%s:%" PRIu64 ": rule %.*s was another one when it was recorded\n", f->name,
				f->line_number, SPAN_ARG(r->rules->v[rule].name));
	}
}

static void put_counts(const struct replay *r, struct text *out)
{
	text_printf(out, "%" PRIu64 " decision%s in %" PRIu64 " exchange%s, %" PRIu64 " differ%s\n", r->decisions,
		r->decisions == 1 ? "" : "s", r->exchanges, r->exchanges == 1 ? "" : "s", r->different,
		r->different == 1 ? "s" : "");
	if (r->lost)
		text_printf(out, "%" PRIu64 " more were not recorded\n", r->lost);
}

int replay_by_rules(struct trace_file *trace, struct ruleset *rules, const uint64_t *seed, struct text *out)
{
	struct replay r = { .rules = rules };
	enum trace_file_step step;

	if (!index_names(&r)) {
		log_error("replay: no memory");
		return EXIT_CODE_FAILED;
	}
	while ((step = trace_file_next(trace)) == TRACE_FILE_RUN || step == TRACE_FILE_EXCHANGE) {
		if (step == TRACE_FILE_RUN) {
			begin_run(&r, trace, seed, out);
			continue;
		}
		r.exchanges++;
		r.lost += trace->line.decisions_lost;
		for (unsigned i = 0; i < trace->line.n_decisions; i++)
			check_decision(&r, trace, &trace->line.decisions[i], out);
	}
	free(r.names);
	if (step == TRACE_FILE_BAD)
		return EXIT_CODE_USAGE;
	put_counts(&r, out);
	return r.different ? EXIT_CODE_DIFFERENT : EXIT_CODE_OK;
}
