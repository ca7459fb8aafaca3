/*
 * fault_set: names of faults, what is in a set, and freeing one.
 */
#include "core/fault_set.h"

#include <stdlib.h>

#include "core/limiter.h"
#include "core/owned.h"

static const struct {
	const char *name;
	const char *text;
} kinds[FAULT_KIND_COUNT] = {
#define FAULT(id, name, text) [FAULT_##id] = { name, text },
#include "core/faults.def"
#undef FAULT
};

const char *fault_kind_name(enum fault_kind kind)
{
	return (unsigned)kind < FAULT_KIND_COUNT ? kinds[kind].name : "unknown";
}

const char *fault_kind_text(enum fault_kind kind)
{
	return (unsigned)kind < FAULT_KIND_COUNT ? kinds[kind].text : "";
}

void fault_set_seal(struct fault_set *s)
{
	const struct {
		bool in;
		uint32_t bit;
	} faults[] = {
		{ s->abort.status != 0, FAULT_BIT(ABORT) },
		{ s->delay.kind != DELAY_NONE, FAULT_BIT(DELAY) },
		{ s->hang.max_ns > 0, FAULT_BIT(HANG) },
		{ s->throttle.download || s->throttle.upload, FAULT_BIT(THROTTLE) },
		{ s->drip.bytes > 0, FAULT_BIT(DRIP) },
		{ s->truncate.kind != TRUNCATE_NONE, FAULT_BIT(TRUNCATE) },
		{ s->corrupt.bytes > 0, FAULT_BIT(CORRUPT) },
		{ s->connection != FAULT_CONNECTION_NONE, FAULT_BIT(CONNECTION) },
		{ s->malformed != MALFORMED_NONE, FAULT_BIT(MALFORMED) },
		{ s->rewrite.is_set, FAULT_BIT(REWRITE) },
		{ s->request.is_set, FAULT_BIT(REQUEST) },
		{ s->hints.n_fields > 0, FAULT_BIT(EARLY_HINTS) },
		{ s->limit && s->limit->limit, FAULT_BIT(RATE_LIMIT) },
		{ s->pass, FAULT_BIT(PASS) },
	};

	s->kinds = 0;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (faults[i].in)
			s->kinds |= faults[i].bit;
	}
}

enum fault_kind fault_set_first(const struct fault_set *s)
{
	return s->kinds ? (enum fault_kind)__builtin_ctz(s->kinds) : FAULT_NONE;
}

static void fields_free(struct fault_field *fields, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		owned_span_free(&fields[i].name);
		owned_span_free(&fields[i].value);
	}
	free(fields);
}

static void edit_deinit(struct fault_edit *e)
{
	fields_free(e->set, e->n_set);
	fields_free(e->add, e->n_add);
	for (unsigned i = 0; i < e->n_remove; i++)
		owned_span_free(&e->remove[i]);
	free(e->remove);
	owned_span_free(&e->body);
	owned_span_free(&e->content_type);
	owned_span_free(&e->path);
}

static void abort_deinit(struct fault_abort *a)
{
	owned_span_free(&a->reason);
	fields_free(a->fields, a->n_fields);
	owned_span_free(&a->body);
	owned_span_free(&a->content_type);
	owned_span_free(&a->retry_after.text);
}

void fault_set_deinit(struct fault_set *s)
{
	abort_deinit(&s->abort);
	if (s->limit) {
		owned_span_free(&s->limit->key_name);
		abort_deinit(&s->limit->refusal);
		free(s->limit);
	}
	free(s->delay.points);
	edit_deinit(&s->rewrite);
	edit_deinit(&s->request);
	fields_free(s->hints.fields, s->hints.n_fields);
	*s = (struct fault_set){ 0 };
}
