/*
 * judge_repeats: see the header.
 */
#include "cli/judge_repeats.h"

#include <stdlib.h>

struct judge_likeness {
	bool known;
	struct trace_exchange exchange; /* its texts lie here */
	struct judge_request request;
	char text[RECORD_TEXT_BYTES];
};

void judge_repeats_deinit(struct judge_repeats *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct judge_repeats){ 0 };
}

static struct judge_likeness *find(const struct judge_repeats *s, const struct record *r)
{
	unsigned worker = record_worker(r->id);

	return worker < s->n && s->v[worker] ? &s->v[worker][r->likeness - 1] : NULL;
}

static void make_room(struct judge_repeats *s, unsigned worker)
{
	struct judge_likeness **v;

	if (worker >= s->n) {
		v = realloc(s->v, (worker + 1) * sizeof(*v));
		if (!v)
			return;
		s->v = v;
		while (s->n <= worker)
			s->v[s->n++] = NULL;
	}
	if (!s->v[worker])
		s->v[worker] = calloc(RECORD_LIKENESSES, sizeof(*s->v[worker]));
}

static struct span move(struct span s, const char *from, const char *to)
{
	return s.n ? span_of(to + (s.p - from), s.n) : SPAN_EMPTY;
}

void judge_repeats_learn(struct judge_repeats *s, const struct record *r, const struct trace_exchange *e)
{
	struct judge_likeness *l;
	struct judge_exchange exchange;

	make_room(s, record_worker(r->id));
	l = find(s, r);
	if (!l)
		return;
	l->known = true;
	l->exchange = *e;
	memcpy(l->text, r->text, (size_t)r->method_n + r->host_n + r->target_n);
	l->exchange.method = move(e->method, r->text, l->text);
	l->exchange.host = move(e->host, r->text, l->text);
	l->exchange.target = move(e->target, r->text, l->text);
	l->exchange.client = move(e->client, e->address, l->exchange.address);
	judge_feed_exchange(&exchange, &l->exchange, 0);
	judge_request_of(&l->request, &exchange);
}

bool judge_repeats_feed(struct judge_repeats *s, const struct record *r, int64_t base_ns, struct judge_exchange *to)
{
	struct judge_likeness *l = find(s, r);

	if (!l || !l->known)
		return false;
	trace_exchange_repeat(&l->exchange, r);
	judge_feed_exchange(to, &l->exchange, base_ns);
	to->id = r->id;
	to->request = &l->request;
	return true;
}
