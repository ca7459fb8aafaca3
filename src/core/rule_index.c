/*
 * rule_index: per phase one hash table from the hash of a whole path, or of some leading segments, to an ascending list of
 * rule numbers. Only hashes are compared: two texts with one hash cost a useless check of a match, nothing else.
 *
 * The leading segments of a path are the texts before each of its slashes and the path itself; how many slashes a text
 * holds is its depth. A prefix "/a/b" is listed at depth 2 and found for "/a/b" and for "/a/b/c". Depth 0 is every path.
 */
#include "core/rule_index.h"

#include <stdlib.h>

#include "core/random.h"

#define DEPTH_MAX 31 /* deeper prefixes go to the list for every path */
#define SEED_EXACT 1 /* keeps "/a" the path and "/a" the prefix apart */
#define SEED_PREFIX 2

struct slot {
	uint64_t hash;
	uint32_t start; /* in numbers */
	uint32_t n; /* 0: free */
};

struct phase_index {
	uint16_t *numbers; /* all lists, the one for every path first */
	uint32_t n_general;
	struct slot *slots; /* a power of two, at most half full */
	uint32_t slots_mask;
	uint32_t depths; /* bit d: prefixes of depth d are listed */
	bool has_exact;
	bool has_rules;
};

struct rule_index {
	struct phase_index phases[2];
};

/* ---- where a pattern is listed ------------------------------------------------------------------------------------ */

/* One place of one rule; general rules have none. */
struct entry {
	uint64_t hash;
	uint16_t rule;
};

/* Where building stands: entries of one phase, and its general rules. */
struct builder {
	struct entry *entries;
	size_t n_entries;
	uint16_t *general;
	uint32_t n_general;
	uint32_t depths;
	bool has_exact;
};

static unsigned depth_of(struct span s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.n; i++)
		depth += s.p[i] == '/';
	return depth;
}

/* The leading segments that each matching path has, without the slash that ends them. False where there are none to list. */
static bool pattern_leading(const struct pattern *p, struct span *leading)
{
	struct span head = p->text;

	if (p->kind == PATTERN_GLOB) {
		head = span_first(p->text, p->head_n);
		while (head.n && head.p[head.n - 1] != '/')
			head.n--;
		if (head.n == 0)
			return false;
	}
	if (head.n && head.p[head.n - 1] == '/')
		head.n--;
	*leading = head;
	return true;
}

/* Lists one pattern. False where it may match paths that no hash leads to. */
static bool builder_add_pattern(struct builder *b, uint16_t rule, const struct pattern *p)
{
	struct span leading;
	unsigned depth;

	if (p->flags & PATTERN_NOCASE)
		return false;
	if (p->kind == PATTERN_EXACT) {
		b->entries[b->n_entries++] = (struct entry){ random_hash(SEED_EXACT, p->text), rule };
		return true;
	}
	if ((p->kind != PATTERN_PREFIX && p->kind != PATTERN_GLOB) || !pattern_leading(p, &leading))
		return false;
	depth = depth_of(leading);
	if (depth == 0 || depth > DEPTH_MAX)
		return false;
	b->entries[b->n_entries++] = (struct entry){ random_hash(SEED_PREFIX, leading), rule };
	return true;
}

static void builder_add_rule(struct builder *b, uint16_t number, const struct match *m)
{
	size_t n_before = b->n_entries;

	for (unsigned i = 0; i < m->n_paths; i++) {
		if (!builder_add_pattern(b, number, &m->paths[i])) {
			b->n_entries = n_before;
			break;
		}
	}
	if (b->n_entries == n_before)
		b->general[b->n_general++] = number;
}

/* The depths to look at, and whether whole paths are to be looked up: only of rules that did not end up as general. */
static void builder_note_depths(struct builder *b, const struct match *m)
{
	struct span leading;

	for (unsigned i = 0; i < m->n_paths; i++) {
		if (m->paths[i].kind == PATTERN_EXACT)
			b->has_exact = true;
		else if (pattern_leading(&m->paths[i], &leading))
			b->depths |= UINT32_C(1) << depth_of(leading);
	}
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static int entry_compare(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

static struct slot *slot_find(const struct phase_index *pi, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & pi->slots_mask;

	while (pi->slots[i].n && pi->slots[i].hash != hash)
		i = (i + 1) & pi->slots_mask;
	return &pi->slots[i];
}

/* Sorted entries become lists and slots. */
static int phase_index_fill(struct phase_index *pi, const struct builder *b)
{
	uint32_t n_slots = 2;
	uint32_t at = b->n_general;

	while (n_slots < 2 * b->n_entries)
		n_slots *= 2;
	pi->numbers = malloc((b->n_general + b->n_entries + 1) * sizeof(*pi->numbers));
	pi->slots = calloc(n_slots, sizeof(*pi->slots));
	if (!pi->numbers || !pi->slots)
		return 1;
	pi->slots_mask = n_slots - 1;
	pi->n_general = b->n_general;
	pi->depths = b->depths;
	pi->has_exact = b->has_exact;
	pi->has_rules = b->n_general > 0 || b->n_entries > 0;
	if (b->n_general)
		memcpy(pi->numbers, b->general, b->n_general * sizeof(*pi->numbers));
	for (size_t i = 0; i < b->n_entries; i++) {
		struct slot *slot = slot_find(pi, b->entries[i].hash);

		if (slot->n == 0)
			*slot = (struct slot){ .hash = b->entries[i].hash, .start = at };
		else if (pi->numbers[at - 1] == b->entries[i].rule)
			continue; /* two paths of one rule with the same leading segments */
		pi->numbers[at++] = b->entries[i].rule;
		slot->n++;
	}
	return 0;
}

static int phase_index_build(struct phase_index *pi, const struct rule *rules, unsigned n, enum rule_phase phase)
{
	struct builder b = { 0 };
	size_t n_paths = 0;
	int rc = 1;

	for (unsigned i = 0; i < n; i++)
		n_paths += rules[i].match.n_paths;
	b.entries = malloc((n_paths + 1) * sizeof(*b.entries));
	b.general = malloc((n + 1) * sizeof(*b.general));
	if (b.entries && b.general) {
		for (unsigned i = 0; i < n; i++) {
			uint32_t n_general = b.n_general;

			if (!rules[i].enabled || rules[i].phase != phase)
				continue;
			builder_add_rule(&b, (uint16_t)i, &rules[i].match);
			if (b.n_general == n_general)
				builder_note_depths(&b, &rules[i].match);
		}
		qsort(b.entries, b.n_entries, sizeof(*b.entries), entry_compare);
		rc = phase_index_fill(pi, &b);
	}
	free(b.entries);
	free(b.general);
	return rc;
}

struct rule_index *rule_index_new(const struct rule *rules, unsigned n)
{
	struct rule_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	if (phase_index_build(&index->phases[RULE_PHASE_REQUEST], rules, n, RULE_PHASE_REQUEST) != 0 ||
		phase_index_build(&index->phases[RULE_PHASE_RESPONSE], rules, n, RULE_PHASE_RESPONSE) != 0) {
		rule_index_free(index);
		return NULL;
	}
	return index;
}

void rule_index_free(struct rule_index *index)
{
	if (!index)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(index->phases); i++) {
		free(index->phases[i].numbers);
		free(index->phases[i].slots);
	}
	free(index);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static void cursor_add(struct rule_cursor *cursor, const uint16_t *numbers, uint32_t n)
{
	if (n == 0)
		return;
	cursor->lists[cursor->n_lists].at = numbers;
	cursor->lists[cursor->n_lists].end = numbers + n;
	cursor->n_lists++;
}

static void cursor_add_hash(struct rule_cursor *cursor, const struct phase_index *pi, uint64_t hash)
{
	const struct slot *slot = slot_find(pi, hash);

	cursor_add(cursor, pi->numbers + slot->start, slot->n);
}

/* Looks up the text before each slash and the whole path, as far as prefixes are that deep. */
static void find_prefixes(const struct phase_index *pi, struct span path, struct rule_cursor *cursor)
{
	uint32_t depths = pi->depths;
	size_t n = 0;

	while (depths && n < path.n) {
		n += span_find(span_skip(path, n), '/');
		if (depths & 1)
			cursor_add_hash(cursor, pi, random_hash(SEED_PREFIX, span_first(path, n)));
		depths >>= 1;
		n++;
	}
}

_Static_assert(DEPTH_MAX + 2 <= ARRAY_LEN(((struct rule_cursor *)NULL)->lists), "a cursor holds all lists of a path");

void rule_index_find(const struct rule_index *index, struct span path, enum rule_phase phase, struct rule_cursor *cursor)
{
	const struct phase_index *pi = &index->phases[phase];

	cursor_add(cursor, pi->numbers, pi->n_general);
	if (pi->has_exact)
		cursor_add_hash(cursor, pi, random_hash(SEED_EXACT, path));
	if (pi->depths)
		find_prefixes(pi, path, cursor);
}

bool rule_index_has_phase(const struct rule_index *index, enum rule_phase phase)
{
	return index->phases[phase].has_rules;
}
