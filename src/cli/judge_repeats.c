/*
 * judge_repeats: see the header.
 */
#include "cli/judge_repeats.h"

#include <stdlib.h>

struct judge_known {
	struct judge_likeness *like; /* NULL: none */
	uint8_t address[IP_BYTES]; /* the client's */
};

void judge_repeats_init(struct judge_repeats *s)
{
	*s = (struct judge_repeats){ 0 };
	trace_exchange_init(&s->exchange);
}

void judge_repeats_deinit(struct judge_repeats *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned k = 0; s->v[i] && k < RECORD_LIKENESSES; k++)
			judge_likeness_drop(s->v[i][k].like);
		free(s->v[i]);
	}
	free(s->v);
	judge_repeats_init(s);
}

static struct judge_known *find(const struct judge_repeats *s, const struct record *r)
{
	unsigned worker = record_worker(r->id);

	return worker < s->n && s->v[worker] ? &s->v[worker][r->likeness - 1] : NULL;
}

static void make_room(struct judge_repeats *s, unsigned worker)
{
	struct judge_known **v;

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

void judge_repeats_learn(struct judge_repeats *s, struct live_judge *judge, const struct record *r,
	const struct judge_exchange *e)
{
	struct judge_known *k;

	make_room(s, record_worker(r->id));
	k = find(s, r);
	if (!k)
		return;
	live_judge_learn(judge, e, &k->like);
	memcpy(k->address, r->client, sizeof(k->address));
}

bool judge_repeats_feed(struct judge_repeats *s, const struct record *r, int64_t base_ns, struct judge_repeat *to)
{
	const struct judge_known *k = find(s, r);

	if (!k || !k->like)
		return false;
	trace_exchange_repeat(&s->exchange, r, k->address);
	judge_feed_repeat(to, &s->exchange, base_ns);
	to->like = k->like;
	to->id = r->id;
	return true;
}
