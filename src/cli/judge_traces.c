/*
 * judge_traces: of every file the next exchange is at hand; the one that ended first goes to the judge.
 */
#include "cli/judge_traces.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/judge_feed.h"
#include "cli/trace_file.h"

struct source {
	struct trace_file file;
	bool over; /* nothing more is in it */
	bool begins; /* no exchange of the run, as it is told of last, was seen */
	uint64_t run; /* that base_ns is of; 0: it does not say */
	bool has_base; /* an exchange of the run was seen */
	int64_t base_ns;
	int64_t last_ns; /* when its last exchange ended; INT64_MIN: it has none */
	struct judge_exchange next; /* its spans lie in the file's line */
	uint16_t fired[JUDGE_FIRED_MAX];
};

/* Where a rule is told of first: what the verdict lists them by, since in which order traces are named says nothing. */
struct place {
	int64_t end_ns; /* of the first exchange by the header that has it; INT64_MAX: there is none */
	unsigned index; /* in that header; UINT_MAX: it is told of by an exchange alone */
};

struct judging {
	struct source *sources;
	unsigned n;
	struct judge *judge;
	struct judge_names names;
	struct place *places; /* by number, n_places of them */
	unsigned n_places;
	unsigned n_given; /* rules of the plan: they stand in front, as they are */
	bool has_run; /* the two of it are known */
	bool seeds_differ, rules_differ; /* there are several */
	uint64_t seed, rules_hash;
};

/* ---- rules ---- */

static const struct place nowhere = { INT64_MAX, UINT_MAX };

/* As many as there are names. Without memory: none, and the rules stay as they came. */
static void add_place(struct judging *j)
{
	struct place *places = realloc(j->places, j->names.n * sizeof(*places));

	if (!places)
		return;
	j->places = places;
	while (j->n_places < j->names.n)
		places[j->n_places++] = nowhere;
}

static uint16_t number_of(struct judging *j, struct span name)
{
	const struct judge_rule rule = { .name = name };
	uint16_t i = judge_names_find(&j->names, name);

	if (i != UINT16_MAX || judge_names_add(&j->names, name) == UINT16_MAX)
		return i;
	add_place(j);
	return judge_add_rule(j->judge, &rule);
}

static int compare_places(const struct place *a, const struct place *b)
{
	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns ? -1 : 1;
	return a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

static void note_place(struct judging *j, uint16_t rule, int64_t end_ns, unsigned index)
{
	const struct place place = { end_ns, index };

	if (rule < j->n_places && compare_places(&place, &j->places[rule]) < 0)
		j->places[rule] = place;
}

/* The first exchange of a run says when its rules were in force. */
static void place_rules(struct judging *j, struct source *s)
{
	for (unsigned i = 0; s->begins && i < s->file.n_rules; i++)
		note_place(j, judge_names_find(&j->names, s->file.rules[i].name), s->next.end_ns, i);
	s->begins = false;
	if (s->next.rule >= 0)
		note_place(j, (uint16_t)s->next.rule, s->next.end_ns, UINT_MAX);
}

struct placed_rule {
	struct place place;
	struct verdict_rule rule;
};

static int by_place(const void *a, const void *b)
{
	const struct placed_rule *x = a, *y = b;
	int way = compare_places(&x->place, &y->place);

	return way ? way : strcmp(x->rule.name, y->rule.name);
}

static int sort_rules(const struct judging *j, struct verdict *v)
{
	unsigned n = MIN(v->n_rules, j->n_places);
	struct placed_rule *rows = malloc(MAX(n, 1u) * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (unsigned i = j->n_given; i < n; i++)
		rows[i] = (struct placed_rule){ j->places[i], v->rules[i] };
	if (n > j->n_given)
		qsort(rows + j->n_given, n - j->n_given, sizeof(*rows), by_place);
	for (unsigned i = j->n_given; i < n; i++)
		v->rules[i] = rows[i].rule;
	free(rows);
	return 0;
}

/* One run has one clock, also where it goes on in another file. */
static void take_clock(const struct judging *j, struct source *s)
{
	if (s->has_base && s->file.run && s->file.run == s->run)
		return;
	s->has_base = false;
	s->run = s->file.run;
	for (unsigned i = 0; s->run && i < j->n; i++) {
		const struct source *other = &j->sources[i];

		if (!other->has_base || other->run != s->run)
			continue;
		s->base_ns = other->base_ns;
		s->has_base = true;
		return;
	}
}

static void learn_run(struct judging *j, struct source *s)
{
	uint64_t hash = 0;

	take_clock(j, s);
	s->begins = true;
	for (unsigned i = 0; i < s->file.n_rules; i++) {
		(void)number_of(j, s->file.rules[i].name);
		hash = judge_feed_rules_hash(hash, s->file.rules[i].name, s->file.rules[i].text_hash);
	}
	j->seeds_differ = j->seeds_differ || (j->has_run && j->seed != s->file.seed);
	j->rules_differ = j->rules_differ || (j->has_run && j->rules_hash != hash);
	j->has_run = true;
	j->seed = s->file.seed;
	j->rules_hash = hash;
}

/* ---- exchanges ---- */

/* Every rule that fired, and the one that the request asked for itself. */
static void take_rules(struct judging *j, struct source *s)
{
	const struct trace_line *line = &s->file.line;
	unsigned n = 0;

	for (unsigned i = 0; i < line->n_decisions && n < JUDGE_FIRED_MAX; i++) {
		if (line->decisions[i].decision.outcome == DECISION_FIRED)
			s->fired[n++] = number_of(j, line->decisions[i].rule);
	}
	judge_feed_rules(&s->next, line->exchange.shaped_by.n ? number_of(j, line->exchange.shaped_by) : UINT16_MAX, s->fired, n);
}

/* Ids are hexadecimal; of a text that is none comes some number, the same each time. */
static uint64_t id_of(struct span text)
{
	uint64_t id = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = ascii_lower(text.p[i]);

		id = id << 4 | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return id;
}

/* A request that was refused as malformed is nobody's attempt at anything. */
static bool is_wanted(const struct trace_exchange *e)
{
	return e->method.n != 0;
}

/* The next exchange of this file. EXIT_CODE_OK also at its end. */
static int advance(struct judging *j, struct source *s)
{
	const struct trace_exchange *e = &s->file.line.exchange;

	for (;;) {
		switch (trace_file_next(&s->file)) {
		case TRACE_FILE_BAD: return EXIT_CODE_USAGE;
		case TRACE_FILE_END: s->over = true; return EXIT_CODE_OK;
		case TRACE_FILE_RUN: learn_run(j, s); continue;
		case TRACE_FILE_EXCHANGE: break;
		}
		if (!is_wanted(e))
			continue;
		if (!e->start || !e->at || !e->end) {
			log_error("%s:%" PRIu64 ": no times: it was recorded by a brownout that could not judge", s->file.name,
				s->file.line_number);
			return EXIT_CODE_USAGE;
		}
		if (!s->has_base)
			s->base_ns = judge_feed_base_ns(e);
		s->has_base = true;
		judge_feed_exchange(&s->next, e, s->base_ns);
		s->next.id = id_of(s->file.line.id);
		s->next.source = (uint16_t)(s - j->sources);
		take_rules(j, s);
		place_rules(j, s);
		return EXIT_CODE_OK;
	}
}

static struct source *earliest(struct judging *j)
{
	struct source *first = NULL;

	for (unsigned i = 0; i < j->n; i++) {
		struct source *s = &j->sources[i];

		if (!s->over && (!first || s->next.end_ns < first->next.end_ns))
			first = s;
	}
	return first;
}

/* Of one run an exchange ends once: where two traces tell of it, they are the same, or one holds the other. */
static int refuse_told_twice(const struct judging *j, const struct source *s)
{
	for (unsigned i = 0; i < j->n; i++) {
		const struct source *other = &j->sources[i];

		if (other == s || other->over || !s->run || other->run != s->run || other->next.id != s->next.id ||
			other->next.end_ns != s->next.end_ns)
			continue;
		log_error("judge: %s and %s tell of the same exchanges; name each trace once", s->file.name, other->file.name);
		return EXIT_CODE_USAGE;
	}
	return EXIT_CODE_OK;
}

static int read_all(struct judging *j)
{
	struct source *s;
	int rc = EXIT_CODE_OK;

	for (unsigned i = 0; rc == EXIT_CODE_OK && i < j->n; i++)
		rc = advance(j, &j->sources[i]);
	while (rc == EXIT_CODE_OK && (s = earliest(j)) != NULL) {
		rc = refuse_told_twice(j, s);
		if (rc != EXIT_CODE_OK)
			break;
		judge_add(j->judge, &s->next);
		s->last_ns = MAX(s->last_ns, s->next.end_ns);
		rc = advance(j, s);
	}
	if (rc != EXIT_CODE_OK || j->has_run)
		return rc;
	log_error("judge: there is nothing in any of the traces");
	return EXIT_CODE_USAGE;
}

/* ---- start and end ---- */

static int open_all(struct judging *j, const char *const *names, unsigned n)
{
	j->sources = calloc(n, sizeof(*j->sources));
	if (!j->sources) {
		log_error("judge: no memory");
		return EXIT_CODE_FAILED;
	}
	for (j->n = 0; j->n < n; j->n++) {
		j->sources[j->n].last_ns = INT64_MIN;
		if (!trace_file_open(&j->sources[j->n].file, names[j->n]))
			return EXIT_CODE_USAGE;
		j->sources[j->n].file.may_be_empty = n > 1;
	}
	return EXIT_CODE_OK;
}

static int make_judge(struct judging *j, const struct expect *expect, const struct plan *plan)
{
	unsigned n = plan ? plan->rules.n : 0;
	struct judge_rule *rules = calloc(MAX(n, 1u), sizeof(*rules));
	const struct judge_options options = { .expect = expect, .rules = rules, .n_rules = n,
		.noise_floor_ns = plan ? plan->observe.noise_floor_ns : 0 };

	for (unsigned i = 0; rules && i < n; i++) {
		rules[i] = (struct judge_rule){ .name = plan->rules.v[i].name, .required = plan->rules.v[i].required };
		(void)judge_names_add(&j->names, rules[i].name);
	}
	j->n_given = j->names.n;
	if (j->n_given)
		add_place(j);
	j->judge = rules ? judge_new(&options) : NULL;
	free(rules);
	if (j->judge)
		return EXIT_CODE_OK;
	log_error("judge: no memory");
	return EXIT_CODE_FAILED;
}

/* Of the run that went on for longest: what is still open when all is over, is open there. */
static enum trace_end last_end(const struct judging *j)
{
	const struct source *last = &j->sources[0];

	for (unsigned i = 1; i < j->n; i++) {
		const struct source *s = &j->sources[i];

		if (s->last_ns > last->last_ns || (s->last_ns == last->last_ns && s->file.run_end > last->file.run_end))
			last = s;
	}
	return last->file.run_end;
}

static enum judge_end end_of(enum trace_end end)
{
	switch (end) {
	case TRACE_END_COMMAND_ENDED: return JUDGE_END_CLIENT_LEFT;
	case TRACE_END_TIME_LIMIT: return JUDGE_END_TIME_LIMIT;
	case TRACE_END_UNKNOWN:
	case TRACE_END_STOPPED:
	case TRACE_END_COUNT:
		break;
	}
	return JUDGE_END_STOPPED;
}

static int finish(struct judging *j, struct verdict *out)
{
	if (judge_finish(j->judge, end_of(last_end(j)), out) < 0) {
		log_error("judge: no memory");
		return EXIT_CODE_FAILED;
	}
	if (sort_rules(j, out) < 0) {
		log_error("judge: no memory");
		verdict_deinit(out);
		return EXIT_CODE_FAILED;
	}
	out->run.has_seed = j->has_run && !j->seeds_differ;
	out->run.seed = out->run.has_seed ? j->seed : 0;
	out->run.rules_hash = j->rules_differ ? 0 : j->rules_hash;
	return EXIT_CODE_OK;
}

int judge_traces(const char *const *names, unsigned n, const struct expect *expect, const struct plan *plan, struct verdict *out)
{
	struct judging j = { .sources = NULL };
	int rc = open_all(&j, names, n);

	judge_names_init(&j.names);
	if (rc == EXIT_CODE_OK)
		rc = make_judge(&j, expect, plan);
	if (rc == EXIT_CODE_OK)
		rc = read_all(&j);
	if (rc == EXIT_CODE_OK)
		rc = finish(&j, out);
	for (unsigned i = 0; i < j.n; i++)
		trace_file_close(&j.sources[i].file);
	free(j.sources);
	judge_free(j.judge);
	judge_names_deinit(&j.names);
	free(j.places);
	return rc;
}
