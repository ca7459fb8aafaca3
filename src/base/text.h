/*
 * text: bytes being written one after the other, into a block of the caller's (fixed) or on the heap (growing).
 * A fixed text that is full, or a growing one that cannot grow, keeps what it has, drops the rest and sets `cut`:
 * writers need no check per call, the one who uses the result looks at `cut` once. Each write goes in whole or not at
 * all, and nothing after the first that did not fit. Not NUL-terminated.
 */
#ifndef BROWNOUT_BASE_TEXT_H
#define BROWNOUT_BASE_TEXT_H

#include "base/span.h"

struct text {
	char *p;
	size_t n;
	size_t cap;
	bool grows; /* p is ours, on the heap */
	bool cut; /* something did not fit */
};

/* The caller's block; nothing to free. */
static inline void text_init_fixed(struct text *t, char *block, size_t cap)
{
	*t = (struct text){ .p = block, .cap = cap };
}

/* On the heap, from nothing; text_deinit frees it. */
static inline void text_init(struct text *t)
{
	*t = (struct text){ .grows = true };
}

void text_deinit(struct text *t);

/* Empty again, not cut; the block is kept, but one of more than so many bytes is given back. */
void text_forget(struct text *t, size_t kept);

/* Empty again, not cut; the block is kept. */
static inline void text_clear(struct text *t)
{
	t->n = 0;
	t->cut = false;
}

/* Room for n more bytes at t->p + t->n, or NULL (and cut). The caller adds what it wrote to t->n. */
char *text_reserve(struct text *t, size_t n);

static inline void text_put(struct text *t, const void *p, size_t n)
{
	char *at;

	if (n == 0)
		return;
	at = !t->cut && n <= t->cap - t->n ? t->p + t->n : text_reserve(t, n);
	if (at) {
		memcpy(at, p, n);
		t->n += n;
	}
}

static inline void text_put_span(struct text *t, struct span s)
{
	text_put(t, s.p, s.n);
}

static inline void text_put_char(struct text *t, char c)
{
	text_put(t, &c, 1);
}

#define text_put_literal(t, literal) text_put((t), (literal), sizeof(literal) - 1)

void text_put_string(struct text *t, const char *s);
void text_put_u64(struct text *t, uint64_t v);
void text_put_i64(struct text *t, int64_t v);
/* Lower-case hexadecimal without leading zeros, at least min_digits wide. */
void text_put_hex(struct text *t, uint64_t v, unsigned min_digits);
/* Nanoseconds as seconds with `decimals` (0 to 9) digits after the point, truncated: 1.250 */
void text_put_seconds(struct text *t, int64_t ns, unsigned decimals);
/* So that a terminal only shows it: control characters (C0 but tabs, DEL, C1) and bytes that are no UTF-8 become '?'. */
void text_put_shown(struct text *t, struct span s);
/* Not for the hot path. */
void text_printf(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);

static inline struct span text_span(const struct text *t)
{
	return span_of(t->p, t->n);
}

#endif
