/*
 * record: the parts whose length differs. Method, host and target lie one behind the other, without separators; of decisions
 * only those that there are get copied.
 */
#include "observe/record.h"

const struct record_decisions record_no_decisions;

_Static_assert(offsetof(struct witness, client) == 2 * CACHE_LINE_BYTES, "a witness is two lines and who it is");
_Static_assert(offsetof(struct record, answer_ns) == CACHE_LINE_BYTES, "a repeat is one line");
_Static_assert(offsetof(struct record, text) < 4 * CACHE_LINE_BYTES - 48, "short texts end in the fourth line");

static uint16_t put(struct record *r, size_t at, struct span s)
{
	size_t n = MIN(s.n, RECORD_TEXT_BYTES - at);

	if (n)
		memcpy(r->text + at, s.p, n);
	return (uint16_t)n;
}

void record_set_text(struct record *r, struct span method, struct span host, struct span target)
{
	r->method_n = put(r, 0, method);
	r->host_n = put(r, r->method_n, host);
	r->target_n = put(r, (size_t)r->method_n + r->host_n, target);
	r->text_cut = r->method_n < method.n || r->host_n < host.n || r->target_n < target.n;
}

struct span record_method(const struct record *r)
{
	return span_of(r->text, r->method_n);
}

struct span record_host(const struct record *r)
{
	return span_of(r->text + r->method_n, r->host_n);
}

struct span record_target(const struct record *r)
{
	return span_of(r->text + r->method_n + r->host_n, r->target_n);
}

static void put_decisions(struct record_decisions *d, const struct decision *v, unsigned n)
{
	unsigned kept = MIN(n, (unsigned)RECORD_DECISIONS_MAX - d->n);

	memcpy(&d->v[d->n], v, kept * sizeof(*v));
	d->n = (uint16_t)(d->n + kept);
	d->lost += n - kept;
}

void record_decisions_add(struct record_decisions *d, const struct fault_plan *plan)
{
	put_decisions(d, plan->decisions, plan->n_decisions);
	d->lost += plan->n_decisions_lost;
}

const struct record_decisions *record_decisions_copy(struct record_decisions *to, const struct record_decisions *from)
{
	record_decisions_init(to);
	put_decisions(to, from->v, from->n);
	to->lost = from->lost;
	return to;
}
