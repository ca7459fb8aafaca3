/*
 * chain: the store. Chains lie in one array that doubles up to the bound and refer to each other by number.
 */
#include "rehearsal/chain.h"

#include <stdlib.h>

#define CHAINS_FIRST 64u
#define OPEN_LOOKS 64 /* how far a place in the order is looked for */

/* What an id means. */
struct id_row {
	struct lru_node node;
	uint32_t chain;
	uint32_t generation;
};

void chains_init(struct chains *s, uint32_t max)
{
	*s = (struct chains){ .max = max, .free = CHAIN_NONE, .newest = CHAIN_NONE, .oldest = CHAIN_NONE };
	lru_init(&s->kinds, sizeof(struct kind), max);
	lru_init(&s->ids, sizeof(struct id_row), max);
}

void chains_deinit(struct chains *s)
{
	free(s->v);
	lru_deinit(&s->kinds);
	lru_deinit(&s->ids);
	s->v = NULL;
}

/* ---- kinds ------------------------------------------------------------------------------------------------------- */

static uint32_t kind_number(const struct chains *s, const struct kind *kind)
{
	return (uint32_t)((size_t)((const char *)kind - s->kinds.nodes) / sizeof(*kind));
}

struct kind *chains_kind_at(const struct chains *s, uint32_t number)
{
	return (struct kind *)lru_at(&s->kinds, number);
}

struct kind *chains_find_kind(struct chains *s, uint64_t which)
{
	return (struct kind *)lru_find(&s->kinds, lru_hash(0, which), 0, which);
}

struct kind *chains_kind(struct chains *s, const struct event *e, uint64_t which)
{
	struct kind *kind = chains_find_kind(s, which);
	struct lru_node node;
	bool evicted;

	if (kind)
		return kind;
	kind = (struct kind *)lru_add(&s->kinds, lru_hash(0, which), 0, which, &evicted);
	if (!kind)
		return NULL;
	node = kind->node;
	*kind = (struct kind){ .node = node, .open_first = CHAIN_NONE, .open_last = CHAIN_NONE, .closed = CHAIN_NONE,
		.embodied = CHAIN_NONE, .loose = which == e->loose, .client = e->client };
	memcpy(kind->request_text, e->request_text, sizeof(kind->request_text));
	memcpy(kind->client_text, e->client_text, sizeof(kind->client_text));
	return kind;
}

/* ---- ids --------------------------------------------------------------------------------------------------------- */

uint32_t chains_find_id(struct chains *s, uint64_t id)
{
	const struct id_row *row = (struct id_row *)lru_find(&s->ids, lru_hash(1, id), 1, id);

	return row && s->v[row->chain].generation == row->generation ? row->chain : CHAIN_NONE;
}

bool chains_set_id(struct chains *s, uint64_t id, uint32_t chain)
{
	struct id_row *row = (struct id_row *)lru_find(&s->ids, lru_hash(1, id), 1, id);
	bool evicted = false, forgotten;

	if (!row)
		row = (struct id_row *)lru_add(&s->ids, lru_hash(1, id), 1, id, &evicted);
	if (!row)
		return true;
	forgotten = evicted && s->v[row->chain].generation == row->generation;
	row->chain = chain;
	row->generation = s->v[chain].generation;
	return forgotten;
}

/* ---- order in which they ended ----------------------------------------------------------------------------------- */

static void put_newest(struct chains *s, uint32_t i)
{
	s->v[i].older = s->newest;
	s->v[i].newer = CHAIN_NONE;
	if (s->newest != CHAIN_NONE)
		s->v[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

static void take_out(struct chains *s, uint32_t i)
{
	uint32_t newer = s->v[i].newer, older = s->v[i].older;

	if (newer != CHAIN_NONE)
		s->v[newer].older = older;
	else
		s->newest = older;
	if (older != CHAIN_NONE)
		s->v[older].newer = newer;
	else
		s->oldest = newer;
}

void chains_touch(struct chains *s, uint32_t chain)
{
	if (chain == s->newest)
		return;
	take_out(s, chain);
	put_newest(s, chain);
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

static bool grow(struct chains *s)
{
	uint32_t cap = MIN(s->cap ? s->cap * 2 : CHAINS_FIRST, s->max);
	struct chain *v = cap > s->cap ? realloc(s->v, cap * sizeof(*v)) : NULL;

	if (!v)
		return false;
	s->v = v;
	s->cap = cap;
	return true;
}

uint32_t chains_add(struct chains *s, struct kind *kind)
{
	uint32_t i = s->free, generation = 0;

	if (i != CHAIN_NONE) {
		s->free = s->v[i].newer;
		generation = s->v[i].generation;
	} else if (s->n < s->cap || grow(s)) {
		i = s->n++;
	} else {
		return CHAIN_NONE;
	}
	/* What is in v beyond its n is never looked at. */
	memset(&s->v[i], 0, offsetof(struct chain, v));
	s->v[i].generation = generation;
	s->v[i].kind = kind_number(s, kind);
	if (kind->chains++ == 0)
		lru_pin(&s->kinds, &kind->node);
	put_newest(s, i);
	return i;
}

void chains_drop(struct chains *s, uint32_t chain)
{
	struct chain *c = &s->v[chain];
	struct kind *kind = chains_kind_at(s, c->kind);

	chains_close(s, chain);
	take_out(s, chain);
	if (--kind->chains == 0)
		lru_unpin(&s->kinds, &kind->node);
	c->generation++;
	c->newer = s->free;
	s->free = chain;
}

/* ---- waiting for a follow-up ------------------------------------------------------------------------------------- */

static void insert_after(struct chains *s, struct kind *kind, uint32_t at, uint32_t i)
{
	uint32_t next = at == CHAIN_NONE ? kind->open_first : s->v[at].next;

	s->v[i].before = at;
	s->v[i].next = next;
	if (at == CHAIN_NONE)
		kind->open_first = i;
	else
		s->v[at].next = i;
	if (next == CHAIN_NONE)
		kind->open_last = i;
	else
		s->v[next].before = i;
}

void chains_open(struct chains *s, uint32_t chain)
{
	struct kind *kind = chains_kind_at(s, s->v[chain].kind);
	uint32_t at = kind->open_last;
	unsigned looks = 0;

	while (at != CHAIN_NONE && s->v[at].due_ns > s->v[chain].due_ns) {
		if (++looks > OPEN_LOOKS) {
			kind->unordered = true;
			break;
		}
		at = s->v[at].before;
	}
	insert_after(s, kind, at, chain);
	s->v[chain].open = true;
	s->n_open_loose += kind->loose;
}

void chains_close(struct chains *s, uint32_t chain)
{
	struct chain *c = &s->v[chain];
	struct kind *kind = chains_kind_at(s, c->kind);

	if (!c->open)
		return;
	c->open = false;
	s->n_open_loose -= kind->loose;
	if (c->before == CHAIN_NONE)
		kind->open_first = c->next;
	else
		s->v[c->before].next = c->next;
	if (c->next == CHAIN_NONE)
		kind->open_last = c->before;
	else
		s->v[c->next].before = c->before;
}
