/*
 * buffer: against plain bytes in an array, and what it costs: which block it takes and when it gives it back.
 */
#include "proxy/buffer.h"

#include <criterion/criterion.h>

static struct blocks blocks;

static void start(void)
{
	blocks_init(&blocks);
}

/* Also a check: it asserts that every block came back. */
static void end(void)
{
	blocks_deinit(&blocks);
}

TestSuite(buffer, .init = start, .fini = end, .timeout = 60);

static unsigned blocks_used(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BLOCK_CLASSES; i++)
		n += blocks.pool[i].n_used;
	return n;
}

static void fill(char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 + seed + (i >> 8));
}

Test(buffer, holds_no_block_while_empty)
{
	struct buffer b = { 0 };

	cr_expect_eq(buffer_span(&b).n, 0);
	cr_expect_eq(buffer_append(&blocks, &b, SPAN_EMPTY), 0);
	cr_expect_null(b.p);
	cr_expect_eq(buffer_append(&blocks, &b, SPAN("abc")), 0);
	cr_expect_eq(blocks_used(), 1);
	buffer_consume(&blocks, &b, 2);
	cr_expect_eq(blocks_used(), 1);
	cr_expect(span_eq(buffer_span(&b), SPAN("c")));
	buffer_consume(&blocks, &b, 1);
	cr_expect_eq(blocks_used(), 0);
	cr_expect_null(b.p);
	cr_expect_eq(b.off + b.n + b.cap, 0);
	buffer_clear(&blocks, &b);
	cr_expect_null(b.p);
}

Test(buffer, append_joins)
{
	struct buffer b = { 0 };

	cr_expect_eq(buffer_append(&blocks, &b, SPAN("one ")), 0);
	cr_expect_eq(buffer_append(&blocks, &b, SPAN("two ")), 0);
	buffer_consume(&blocks, &b, 3);
	cr_expect_eq(buffer_append(&blocks, &b, SPAN("three")), 0);
	cr_expect(span_eq(buffer_span(&b), SPAN(" two three")));
	buffer_clear(&blocks, &b);
}

/* The smallest class that fits, and above the largest exactly what is asked for. */
Test(buffer, block_fits_what_it_is_for)
{
	static const struct {
		uint32_t room;
		uint32_t cap;
	} cases[] = {
		{ 1, 128 }, { 128, 128 }, { 129, 256 }, { 256, 256 }, { 257, 512 }, { 512, 512 },
		{ 513, 1024 }, { 1025, 4096 }, { 4097, 16384 }, { 16385, 69632 }, { 65536 + 4096, 69632 }, { 69633, 69633 },
		{ 1 << 20, 1 << 20 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buffer b = { 0 };
		char *at = buffer_reserve(&blocks, &b, cases[i].room);

		cr_assert_not_null(at);
		cr_expect_eq(b.cap, cases[i].cap, "%u bytes took a block of %u", cases[i].room, b.cap);
		cr_expect_geq(buffer_room(&b), cases[i].room);
		cr_expect_eq(blocks_used(), cases[i].cap <= 69632 ? 1 : 0);
		fill(at, cases[i].room, 0); /* all of it is ours */
		buffer_clear(&blocks, &b);
	}
}

/* Room that lies before the bytes is used before a larger block is taken. */
Test(buffer, moves_its_bytes_to_the_front_before_it_grows)
{
	struct buffer b = { 0 };
	char bytes[256];

	fill(bytes, sizeof(bytes), 3);
	cr_assert_eq(buffer_append(&blocks, &b, span_of(bytes, 250)), 0);
	buffer_consume(&blocks, &b, 200);
	cr_assert_eq(buffer_append(&blocks, &b, span_of(bytes, 206)), 0);
	cr_expect_eq(b.cap, 256);
	cr_expect_eq(b.off, 0);
	cr_expect_eq(buffer_room(&b), 0);
	cr_expect(span_eq(span_first(buffer_span(&b), 50), span_of(bytes + 200, 50)));
	cr_expect(span_eq(span_skip(buffer_span(&b), 50), span_of(bytes, 206)));
	cr_assert_eq(buffer_append(&blocks, &b, SPAN("x")), 0);
	cr_expect_eq(b.cap, 512);
	cr_expect_eq(blocks_used(), 1);
	buffer_clear(&blocks, &b);
}

Test(buffer, room_that_is_there_moves_nothing)
{
	struct buffer b = { 0 };
	const char *at;

	cr_assert_eq(buffer_append(&blocks, &b, SPAN("abcdef")), 0);
	buffer_consume(&blocks, &b, 2);
	at = b.p + b.off;
	cr_expect_eq((const void *)buffer_reserve(&blocks, &b, 120), (const void *)(at + 4));
	cr_expect_eq((const void *)(b.p + b.off), (const void *)at);
	buffer_clear(&blocks, &b);
}

Test(buffer, refuses_what_no_block_can_hold)
{
	struct buffer b = { 0 };

	cr_assert_eq(buffer_append(&blocks, &b, SPAN("abc")), 0);
	cr_expect_null(buffer_reserve(&blocks, &b, UINT32_MAX - 2));
	cr_expect(span_eq(buffer_span(&b), SPAN("abc")), "what was held is still there");
	cr_expect_eq(buffer_append(&blocks, &b, span_of(b.p, (size_t)UINT32_MAX + 1)), -12);
	cr_expect(span_eq(buffer_span(&b), SPAN("abc")));
	buffer_clear(&blocks, &b);
}

/* ---- the model: an array from which bytes are taken at the front and to which they are added at the end ---- */

#define MODEL_BYTES 400000

static char model[MODEL_BYTES];
static size_t model_n;

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* Mostly small, at times around a class' size or beyond the largest. */
static uint32_t random_size(uint64_t *state)
{
	static const uint32_t edges[] = { 1, 127, 128, 255, 256, 511, 1024, 4096, 16384, 65536, 69632, 69633 };

	switch (next_random(state) % 8) {
	case 0:
		return edges[next_random(state) % ARRAY_LEN(edges)] + (uint32_t)(next_random(state) % 3);
	case 1:
		return (uint32_t)(next_random(state) % 20000);
	default:
		return (uint32_t)(next_random(state) % 300);
	}
}

static void model_add(const char *p, size_t n)
{
	memcpy(model + model_n, p, n);
	model_n += n;
}

static void step(struct buffer *b, uint64_t *state)
{
	static char bytes[70000];
	uint32_t n = random_size(state);
	char *at;

	switch (next_random(state) % 8) {
	case 0:
	case 1:
	case 2: /* append */
		if (model_n + n > MODEL_BYTES)
			return;
		fill(bytes, n, (unsigned)next_random(state));
		cr_assert_eq(buffer_append(&blocks, b, span_of(bytes, n)), 0);
		model_add(bytes, n);
		break;
	case 3: /* reserve, and use a part of it */
		if (model_n + n > MODEL_BYTES || !n)
			return;
		at = buffer_reserve(&blocks, b, n);
		cr_assert_not_null(at);
		cr_assert_geq(buffer_room(b), n);
		n = (uint32_t)(next_random(state) % (n + 1));
		fill(at, n, 9);
		b->n += n;
		model_add(at, n);
		if (!b->n)
			buffer_clear(&blocks, b);
		break;
	case 7:
		if (next_random(state) % 50 == 0) {
			buffer_clear(&blocks, b);
			model_n = 0;
		}
		break;
	default: /* consume */
		n = MIN(n, b->n);
		if (!n)
			return;
		buffer_consume(&blocks, b, n);
		model_n -= n;
		memmove(model, model + n, model_n);
		break;
	}
}

Test(buffer, is_an_array_with_two_ends)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct buffer b = { 0 };
		uint64_t state = seed;

		model_n = 0;
		for (unsigned i = 0; i < 2000; i++) {
			step(&b, &state);
			cr_assert(!b.n || span_eq(buffer_span(&b), span_of(model, model_n)), "seed %u, step %u: other bytes",
				(unsigned)seed, i);
			cr_assert_eq(b.n, model_n, "seed %u, step %u: %u bytes", (unsigned)seed, i, b.n);
			cr_assert_leq((uint64_t)b.off + b.n, b.cap, "seed %u, step %u: beyond its block", (unsigned)seed,
				i);
			cr_assert_eq(b.p == NULL, b.n == 0, "seed %u, step %u: a block without bytes", (unsigned)seed, i);
			cr_assert_leq(blocks_used(), 1);
		}
		buffer_clear(&blocks, &b);
		cr_assert_eq(blocks_used(), 0);
	}
}
