/*
 * The short way of the linker for requests that went well and say nothing comes to what the long way does.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "core/random.h"
#include "rehearsal/link.h"

#define EVENTS 4000

struct side {
	struct linker linker;
	struct tally tally, whole;
};

static struct side sides[2]; /* [0]: the short way is open */

static uint64_t draws, stream;

static uint64_t draw(uint64_t n)
{
	return random_word(7, stream, 0, draws++, 0) % n;
}

/* One request of a few clients; in the quieter streams nearly all go well, so that each of the others meets the short way. */
static struct event draw_event(uint64_t id, int64_t end_ns)
{
	uint64_t client = 1 + draw(2), what = 1 + draw(3), noise = 2 + stream % 40;
	struct judge_exchange e = { .id = id, .first_ns = end_ns - (int64_t)draw(40) * NS_PER_MS - 1, .end_ns = end_ns,
		.client = client == 1 ? SPAN("a") : SPAN("b"), .method = draw(8) ? SPAN("GET") : SPAN("POST"),
		.host = SPAN("h"), .target = what == 1 ? SPAN("/1") : what == 2 ? SPAN("/2") : SPAN("/3"), .fingerprint = what,
		.body_hash = draw(3 * noise) ? 1 : 0, .connection = client * 10 + draw(4), .connections = (uint32_t)draw(9),
		.status = 200, .upstream_status = 200, .rule = -1, .wait_ns = -1, .quota_ns = -1, .forwarded = true,
		.complete = true, .keeps = draw(5) > 0, .credentials = draw(2) };
	struct event to = { .id = 0 }; /* what lies behind its texts is compared as well */

	e.hdr_ns = draw(4) ? end_ns - (int64_t)draw(1000) : 0;
	if (draw(noise) == 0) {
		e.status = (uint16_t[]){ 503, 429, 404, 307, 408, 201, 0, 500 }[draw(8)];
		e.rule = (int32_t)draw(2) - 1;
		e.wait_ns = draw(3) ? -1 : (int64_t)draw(3000) * NS_PER_MS;
		e.complete = draw(4) > 0;
	}
	if (draw(noise) == 0)
		e.abort_ns = end_ns;
	if (draw(2 * noise) == 0)
		e.attempt = (uint16_t)(1 + draw(3));
	if (draw(2 * noise) == 0)
		e.idempotency_key = 1 + draw(5);
	if (draw(2 * noise) == 0)
		e.maybe_id = 1 + draw(5);
	if (draw(4 * noise) == 0)
		e.logical_id = 1 + draw(5);
	if (draw(4 * noise) == 0)
		e.quota_ns = (int64_t)draw(300) * NS_PER_MS;
	if (draw(4 * noise) == 0)
		e.deadline_ns = NS_PER_S;
	event_of(&to, &e);
	return to;
}

#define CLEAR(p, from, to) memset((char *)(p) + (from), 0, (to) - (from))
#define END(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

/* What lies between members says nothing. */
static void clear_padding(struct tally *t)
{
	for (unsigned i = 0; i < WAVES_ATTEMPTS * 2; i++) {
		for (unsigned k = 0; k < WAVES_KEPT; k++)
			CLEAR(&t->waves.kept[i / 2][i % 2].v[k], END(struct wave_retry, source), sizeof(struct wave_retry));
	}
	CLEAR(&t->waves.worst, END(struct wave, attempt), offsetof(struct wave, first_id));
	CLEAR(&t->waves.worst, END(struct wave, source), sizeof(struct wave));
	for (unsigned i = 0; i < CHECK_COUNT * EVIDENCE_MAX; i++) {
		struct evidence *e = &t->evidence[i / EVIDENCE_MAX][i % EVIDENCE_MAX].e;

		CLEAR(e, END(struct evidence, source), offsetof(struct evidence, at_ns));
		CLEAR(e, offsetof(struct evidence, request) + strlen(e->request), offsetof(struct evidence, client));
		CLEAR(e, offsetof(struct evidence, client) + strlen(e->client), offsetof(struct evidence, what));
		CLEAR(e, offsetof(struct evidence, what) + strlen(e->what), sizeof(*e));
	}
}

static void expect_same(struct side *a, struct side *b, int64_t at_ns)
{
	const struct tally_end end = { .end = JUDGE_END_STOPPED, .at_ns = at_ns };

	for (unsigned i = 0; i < 2; i++) {
		struct side *s = i ? b : a;

		memcpy(&s->whole, &s->tally, sizeof(s->whole));
		linker_tally_rest(&s->linker, &s->whole, &end);
		clear_padding(&s->whole);
	}
	cr_assert_eq(memcmp(&a->whole, &b->whole, sizeof(a->whole)), 0, "stream %llu", (unsigned long long)stream);
}

Test(plain, the_short_way_comes_to_what_the_long_one_does, .timeout = 60)
{
	uint64_t plain = 0;

	for (stream = 0; stream < 60; stream++) {
		const struct judge_options options = { .link_ns = stream % 5 ? 0 : 5 * NS_PER_S };
		int64_t at_ns = NS_PER_S;

		draws = 0;
		for (unsigned i = 0; i < 2; i++) {
			linker_init(&sides[i].linker, &options);
			tally_init(&sides[i].tally, &options);
		}
		for (unsigned n = 0; n < EVENTS; n++) {
			struct event e;

			at_ns += (int64_t)draw(stream % 3 ? 20 : 2000) * NS_PER_MS;
			e = draw_event(n, at_ns);
			plain += e.plain;
			linker_add(&sides[0].linker, &sides[0].tally, &e);
			e.plain = false;
			linker_add(&sides[1].linker, &sides[1].tally, &e);
			if (n % 500 == 0)
				expect_same(&sides[0], &sides[1], at_ns);
		}
		expect_same(&sides[0], &sides[1], at_ns);
		for (unsigned i = 0; i < 2; i++)
			linker_deinit(&sides[i].linker);
	}
	cr_assert_gt(plain, 60 * EVENTS / 2);
}
