/*
 * recent: two rings of copies under one mutex. Of a record's rule only what the access log says of it is copied; a struct rule
 * that holds just that stands for it while the line is written.
 */
#include "observe/recent.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "observe/collector.h"

#define NAME_BYTES 64 /* names in a rule file are no longer */

struct entry {
	uint64_t seq; /* 0: empty */
	bool notable;
	bool has_rule;
	struct {
		enum rule_sampling sampling;
		uint32_t even_block;
		unsigned n_outcomes;
		unsigned name_n;
		char name[NAME_BYTES];
	} rule;
	char upstream[NAME_BYTES + 1]; /* "": none */
	char listener[NAME_BYTES + 1];
	struct record record; /* only what is used is copied */
};

struct recent {
	pthread_mutex_t lock; /* guards all below */
	uint64_t last;
	uint64_t n_notable;
	struct entry *all; /* RECENT_MAX each; by number modulo that */
	struct entry *notable;
	struct entry *chosen[RECENT_MAX]; /* of the reader that has the lock */
	struct text json;
	struct access_memory memory; /* of its lines */
};

struct recent *recent_new(void)
{
	struct recent *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	(void)pthread_mutex_init(&r->lock, NULL);
	text_init(&r->json);
	/* Zeroed: pages are touched when they are used first. */
	r->all = calloc(RECENT_MAX, sizeof(*r->all));
	r->notable = calloc(RECENT_MAX, sizeof(*r->notable));
	if (r->all && r->notable)
		return r;
	recent_free(r);
	return NULL;
}

void recent_free(struct recent *r)
{
	if (!r)
		return;
	(void)pthread_mutex_destroy(&r->lock);
	text_deinit(&r->json);
	free(r->all);
	free(r->notable);
	free(r);
}

/* ---- writing ---- */

static void copy_name(char name[NAME_BYTES + 1], const char *from)
{
	size_t n = from ? strnlen(from, NAME_BYTES) : 0;

	if (n)
		memcpy(name, from, n);
	name[n] = '\0';
}

static void fill(struct entry *e, uint64_t seq, bool notable, const struct record *record)
{
	size_t text_n = (size_t)record->method_n + record->host_n + record->target_n;

	e->seq = seq;
	e->notable = notable;
	memcpy(&e->record, record, offsetof(struct record, text) + text_n);
	e->record.decisions = NULL;
	e->record.witness = NULL;
	e->record.rule = NULL;
	e->record.rules = NULL;
	copy_name(e->upstream, record->upstream_name);
	copy_name(e->listener, record->listener_name);
	e->record.upstream_name = e->upstream[0] ? e->upstream : NULL;
	e->record.listener_name = e->listener[0] ? e->listener : NULL;
	e->has_rule = record->rule != NULL;
	if (!record->rule)
		return;
	e->record.decision = record->decision;
	e->rule.sampling = record->rule->sampling;
	e->rule.even_block = record->rule->even_block;
	e->rule.n_outcomes = record->rule->n_outcomes;
	e->rule.name_n = (unsigned)MIN(record->rule->name.n, (size_t)NAME_BYTES);
	memcpy(e->rule.name, record->rule->name.p, e->rule.name_n);
}

void recent_add(struct recent *r, const struct record *record)
{
	bool notable = record->fault != FAULT_NONE || record->also_delay || record->failure != PROXY_ERROR_NONE || record->reject;

	pthread_mutex_lock(&r->lock);
	r->last++;
	fill(&r->all[r->last % RECENT_MAX], r->last, notable, record);
	if (notable)
		fill(&r->notable[r->n_notable++ % RECENT_MAX], r->last, true, record);
	pthread_mutex_unlock(&r->lock);
}

/* ---- reading ---- */

static bool is_wanted(const struct entry *e, const struct recent_query *q)
{
	return q->rule.n == 0 || (e->has_rule && span_eq(q->rule, span_of(e->rule.name, e->rule.name_n)));
}

/* From the newest back; returns how many are chosen then. */
static unsigned choose_notable(struct recent *r, const struct recent_query *q, unsigned n)
{
	for (uint64_t back = 1; back <= MIN(r->n_notable, (uint64_t)RECENT_MAX) && n < q->max; back++) {
		struct entry *e = &r->notable[(r->n_notable - back) % RECENT_MAX];

		if (e->seq <= q->since)
			break;
		if (is_wanted(e, q))
			r->chosen[n++] = e;
	}
	return n;
}

static unsigned choose_all(struct recent *r, const struct recent_query *q, bool plain_only, unsigned n)
{
	for (uint64_t back = 0; back < MIN(r->last, (uint64_t)RECENT_MAX) && n < q->max; back++) {
		struct entry *e = &r->all[(r->last - back) % RECENT_MAX];

		if (e->seq <= q->since)
			break;
		if (!(plain_only && e->notable) && is_wanted(e, q))
			r->chosen[n++] = e;
	}
	return n;
}

static int compare_seq(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The rule stands for itself only while the line is written. */
static void write_entry(struct recent *r, struct entry *e)
{
	const struct rule rule = { .name = { e->rule.name, e->rule.name_n }, .sampling = e->rule.sampling,
		.even_block = e->rule.even_block, .n_outcomes = e->rule.n_outcomes };

	e->record.rule = e->has_rule ? &rule : NULL;
	text_clear(&r->json);
	access_write_json(&r->memory, &r->json, &e->record);
	e->record.rule = NULL;
	if (r->json.cut)
		return;
	r->json.n -= 2; /* "}\n" */
	text_put_literal(&r->json, ",\"seq\":");
	text_put_u64(&r->json, e->seq);
	text_put_char(&r->json, '}');
}

uint64_t recent_read(struct recent *r, const struct recent_query *q, recent_put_fn put, void *arg)
{
	uint64_t last;
	unsigned n = 0;

	assert(q->max <= RECENT_MAX);
	pthread_mutex_lock(&r->lock);
	if (q->choice != RECENT_ALL)
		n = choose_notable(r, q, n);
	if (q->choice != RECENT_NOTABLE)
		n = choose_all(r, q, q->choice == RECENT_NOTABLE_FIRST, n);
	qsort(r->chosen, n, sizeof(struct entry *), compare_seq);
	for (unsigned i = 0; i < n; i++) {
		write_entry(r, r->chosen[i]);
		if (!r->json.cut)
			put(arg, r->chosen[i]->seq, text_span(&r->json));
	}
	last = r->last;
	pthread_mutex_unlock(&r->lock);
	return last;
}

uint64_t recent_last(struct recent *r)
{
	uint64_t last;

	pthread_mutex_lock(&r->lock);
	last = r->last;
	pthread_mutex_unlock(&r->lock);
	return last;
}
