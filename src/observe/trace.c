/*
 * trace: the writing side.
 */
#include "observe/trace.h"

#include "base/json.h"
#include "base/wall_time.h"

const char *trace_outcome_name(enum decision_outcome outcome)
{
	switch (outcome) {
	case DECISION_FIRED: return "fired";
	case DECISION_NOT_DRAWN: return "not_drawn";
	case DECISION_SKIPPED: return "skipped";
	case DECISION_OUTSIDE: return "outside";
	case DECISION_DRY_RUN: return "dry_run";
	case DECISION_REFUSED: return "refused";
	case DECISION_PASSED: return "passed";
	}
	return "unknown";
}

const char *trace_phase_name(enum rule_phase phase)
{
	return phase == RULE_PHASE_RESPONSE ? "response" : "request";
}

const char *trace_end_name(enum trace_end end)
{
	static const char *const names[TRACE_END_COUNT] = {
		[TRACE_END_UNKNOWN] = "unknown",
#define TRACE_END(id, name, help) [TRACE_END_##id] = (name),
#include "observe/trace_end.def"
#undef TRACE_END
	};

	return names[end];
}

void trace_write_header(struct text *out, const struct ruleset *rules, uint64_t run)
{
	char block[20];
	struct text seed;
	struct json j;

	text_init_fixed(&seed, block, sizeof(block));
	text_put_u64(&seed, rules->seed);
	json_init(&j, out, 0);
	json_begin_object(&j);
	json_member_u64(&j, "trace", TRACE_VERSION);
	json_member_span(&j, "seed", text_span(&seed));
	json_member_u64(&j, "rules", rules->n);
	json_member_hex(&j, "run", run);
	json_end_object(&j);
	text_put_char(out, '\n');
}

void trace_write_rule(struct text *out, const struct rule *rule)
{
	struct json j;

	json_init(&j, out, 0);
	json_begin_object(&j);
	json_member_span(&j, "rule", rule->name);
	json_member_hex(&j, "text", rule->text_hash);
	json_end_object(&j);
	text_put_char(out, '\n');
}

void trace_write_end(struct text *out, enum trace_end end)
{
	struct json j;

	json_init(&j, out, 0);
	json_begin_object(&j);
	json_member_string(&j, "end", trace_end_name(end));
	json_end_object(&j);
	text_put_char(out, '\n');
}

static void write_decision(struct json *j, const struct ruleset *rules, const struct decision *d)
{
	json_begin_object(j);
	json_member_span(j, "rule", rules->v[d->rule].name);
	json_member_string(j, "phase", trace_phase_name((enum rule_phase)d->phase));
	json_member_hex(j, "key", d->key_hash);
	json_member_u64(j, "occurrence", d->occurrence);
	json_member_hex(j, "draw", d->draw);
	json_member_hex(j, "threshold", d->threshold);
	json_member_string(j, "outcome", trace_outcome_name((enum decision_outcome)d->outcome));
	json_member_u64(j, "choice", d->choice);
	json_member_i64(j, "since", d->since_ns);
	if (d->early)
		json_member_bool(j, "early", true);
	json_end_object(j);
}

void trace_write_exchange(struct text *out, const struct ruleset *rules, const struct record *r)
{
	char block[WALL_TIME_BYTES];
	struct trace_exchange e;
	struct text time;
	struct json j;

	text_init_fixed(&time, block, sizeof(block));
	json_init(&j, out, 0);
	json_begin_object(&j);
	json_member_hex(&j, "id", r->id);
	wall_time_write(&time, r->wall_ns);
	json_member_span(&j, "time", text_span(&time));
	trace_exchange_init(&e);
	trace_exchange_of(&e, r);
	trace_exchange_write(&e, &j);
	json_key(&j, "decisions");
	json_begin_array(&j);
	for (unsigned i = 0; r->decisions && i < r->decisions->n; i++)
		write_decision(&j, rules, &r->decisions->v[i]);
	json_end_array(&j);
	if (r->decisions && r->decisions->lost)
		json_member_u64(&j, "decisions_lost", r->decisions->lost);
	json_end_object(&j);
	text_put_char(out, '\n');
}
