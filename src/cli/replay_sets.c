/*
 * replay_sets: two traces, sorted and walked side by side. All decisions are held in memory, without their times.
 */
#include "cli/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "core/random.h"

#define SHOWN_MAX 10 /* differences that are shown one by one */

struct entry {
	uint64_t rule; /* hash of its name */
	uint64_t line;
	struct decision decision;
};

struct name {
	uint64_t hash;
	char *text; /* owned */
};

struct side {
	const char *file;
	struct entry *v;
	size_t n, cap;
	uint64_t lost;
	uint64_t seed; /* of the last run */
	uint64_t alone; /* decisions that the other side has not */
};

struct comparison {
	struct side sides[2];
	struct name *names; /* by hash: of all rules of both */
	size_t n_names, names_cap;
	uint64_t different;
	uint64_t shown;
	struct text *out;
};

/* Room for one more element of n. False where memory is out. */
static bool grow(void **v, size_t n, size_t *cap, size_t size)
{
	size_t wanted = MAX(*cap * 2, (size_t)64);
	void *larger;

	if (n < *cap)
		return true;
	larger = reallocarray(*v, wanted, size);
	if (!larger)
		return false;
	*v = larger;
	*cap = wanted;
	return true;
}

/* ---- names ---- */

/* Where the name of that hash stands, or would. */
static size_t name_place(const struct comparison *c, uint64_t hash)
{
	size_t low = 0, high = c->n_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->names[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_name(const struct comparison *c, uint64_t hash)
{
	size_t at = name_place(c, hash);

	return at < c->n_names && c->names[at].hash == hash;
}

/* False where memory is out. */
static bool add_name(struct comparison *c, struct span name)
{
	uint64_t hash = random_hash(0, name);
	size_t at = name_place(c, hash);
	void *names = c->names;
	char *text;

	if (has_name(c, hash))
		return true;
	if (!grow(&names, c->n_names, &c->names_cap, sizeof(*c->names)))
		return false;
	c->names = names;
	text = span_dup(name);
	if (!text)
		return false;
	memmove(&c->names[at + 1], &c->names[at], (c->n_names - at) * sizeof(*c->names));
	c->names[at] = (struct name){ hash, text };
	c->n_names++;
	return true;
}

/* ---- reading ---- */

static int no_memory(void)
{
	log_error("replay: no memory");
	return EXIT_CODE_FAILED;
}

static int add_exchange(struct comparison *c, struct side *s, const struct trace_file *f)
{
	s->lost += f->line.decisions_lost;
	for (unsigned i = 0; i < f->line.n_decisions; i++) {
		const struct trace_decision *d = &f->line.decisions[i];
		uint64_t hash = random_hash(0, d->rule);
		void *v = s->v;

		if (!has_name(c, hash)) {
			log_error("%s:%" PRIu64 ": decision %u: no header tells of its rule", f->name, f->line_number, i + 1);
			return EXIT_CODE_USAGE;
		}
		if (!grow(&v, s->n, &s->cap, sizeof(*s->v)))
			return no_memory();
		s->v = v;
		s->v[s->n++] = (struct entry){ .rule = hash, .line = f->line_number, .decision = d->decision };
	}
	return EXIT_CODE_OK;
}

static int read_side(struct comparison *c, struct side *s, struct trace_file *f)
{
	enum trace_file_step step;
	int rc = EXIT_CODE_OK;

	s->file = f->name;
	while (rc == EXIT_CODE_OK && (step = trace_file_next(f)) != TRACE_FILE_END) {
		if (step == TRACE_FILE_BAD)
			return EXIT_CODE_USAGE;
		if (step == TRACE_FILE_EXCHANGE) {
			rc = add_exchange(c, s, f);
			continue;
		}
		s->seed = f->seed;
		for (unsigned i = 0; i < f->n_rules; i++) {
			if (!add_name(c, f->rules[i].name))
				return no_memory();
		}
	}
	return rc;
}

/* ---- comparing ---- */

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Which decision of which rule it is. */
static int compare_identity(const struct entry *a, const struct entry *b)
{
	int order = compare(a->rule, b->rule);

	if (order == 0)
		order = compare(a->decision.phase, b->decision.phase);
	if (order == 0)
		order = compare(a->decision.key_hash, b->decision.key_hash);
	return order ? order : compare(a->decision.occurrence, b->decision.occurrence);
}

/* What it was. */
static int compare_result(const struct entry *a, const struct entry *b)
{
	int order = compare(a->decision.draw, b->decision.draw);

	if (order == 0)
		order = compare(a->decision.threshold, b->decision.threshold);
	if (order == 0)
		order = compare(a->decision.outcome, b->decision.outcome);
	return order ? order : compare(a->decision.choice, b->decision.choice);
}

/* Traces of several runs have the same decision several times: the results then go in an order of their own. */
static int compare_entries(const void *a, const void *b)
{
	int order = compare_identity(a, b);

	return order ? order : compare_result(a, b);
}

static void put_entry(struct comparison *c, const struct side *s, const struct entry *e)
{
	text_printf(c->out, "%s:%" PRIu64 ": ", s->file, e->line);
	replay_put_identity(c->out, span_of_string(c->names[name_place(c, e->rule)].text), &e->decision);
	text_put_literal(c->out, ": ");
	replay_put_result(c->out, &e->decision);
}

static void show_alone(struct comparison *c, struct side *s, const struct entry *e)
{
	s->alone++;
	if (c->shown++ >= SHOWN_MAX)
		return;
	put_entry(c, s, e);
	text_put_literal(c->out, "; only here\n");
}

static void show_different(struct comparison *c, const struct entry *a, const struct entry *b)
{
	c->different++;
	if (c->shown++ >= SHOWN_MAX)
		return;
	put_entry(c, &c->sides[0], a);
	text_printf(c->out, "; %s:%" PRIu64 ": ", c->sides[1].file, b->line);
	replay_put_result(c->out, &b->decision);
	text_put_char(c->out, '\n');
}

static void walk(struct comparison *c)
{
	struct side *a = &c->sides[0], *b = &c->sides[1];
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : compare_identity(&a->v[i], &b->v[k]);

		if (order < 0) {
			show_alone(c, a, &a->v[i++]);
		} else if (order > 0) {
			show_alone(c, b, &b->v[k++]);
		} else {
			if (compare_result(&a->v[i], &b->v[k]) != 0)
				show_different(c, &a->v[i], &b->v[k]);
			i++;
			k++;
		}
	}
}

static void put_counts(const struct comparison *c)
{
	const struct side *a = &c->sides[0], *b = &c->sides[1];

	if (c->shown > SHOWN_MAX)
		text_printf(c->out, "... and %" PRIu64 " more\n", c->shown - SHOWN_MAX);
	if (a->seed != b->seed)
		text_printf(c->out, "the seeds differ: %" PRIu64 " and %" PRIu64 "\n", a->seed, b->seed);
	for (unsigned i = 0; i < ARRAY_LEN(c->sides); i++) {
		if (c->sides[i].lost)
			text_printf(c->out, "%s: %" PRIu64 " more decisions were not recorded\n", c->sides[i].file,
				c->sides[i].lost);
	}
	text_printf(c->out, "%zu and %zu decisions, %" PRIu64 " differ, %" PRIu64 " only in %s, %" PRIu64 " only in %s\n",
		a->n, b->n, c->different, a->alone, a->file, b->alone, b->file);
}

int replay_against(struct trace_file *trace, struct trace_file *other, struct text *out)
{
	struct comparison c = { .out = out };
	int rc = read_side(&c, &c.sides[0], trace);

	if (rc == EXIT_CODE_OK)
		rc = read_side(&c, &c.sides[1], other);
	if (rc == EXIT_CODE_OK) {
		for (unsigned i = 0; i < ARRAY_LEN(c.sides); i++) {
			if (c.sides[i].n)
				qsort(c.sides[i].v, c.sides[i].n, sizeof(*c.sides[i].v), compare_entries);
		}
		walk(&c);
		put_counts(&c);
		rc = c.shown ? EXIT_CODE_DIFFERENT : EXIT_CODE_OK;
	}
	for (unsigned i = 0; i < ARRAY_LEN(c.sides); i++)
		free(c.sides[i].v);
	for (size_t i = 0; i < c.n_names; i++)
		free(c.names[i].text);
	free(c.names);
	return rc;
}
