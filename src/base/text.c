/*
 * text: growing, and numbers as text. No writer here depends on the locale but text_printf (%f, %'d).
 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/raw.h"

#define TEXT_CAP_MIN 128

void text_deinit(struct text *t)
{
	if (t->grows && t->p)
		free(t->p);
	*t = (struct text){ .grows = t->grows };
}

void text_forget(struct text *t, size_t kept)
{
	if (t->cap > kept)
		text_deinit(t);
	else
		text_clear(t);
}

char *text_reserve(struct text *t, size_t n)
{
	size_t cap;
	char *p;

	if (t->cut)
		return NULL;
	if (n <= t->cap - t->n && t->p)
		return t->p + t->n;
	if (!t->grows || n > SIZE_MAX / 2 - t->n)
		goto cut;
	cap = MAX(MAX(t->cap + t->cap / 2, t->n + n), TEXT_CAP_MIN);
	p = realloc(t->p, cap);
	if (!p)
		goto cut;
	t->p = p;
	t->cap = cap;
	return t->p + t->n;
cut:
	t->cut = true;
	return NULL;
}

void text_put_string(struct text *t, const char *s)
{
	text_put_span(t, span_of_string(s));
}

/* Without the overflow that -INT64_MIN would be. */
static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void text_put_u64(struct text *t, uint64_t v)
{
	char digits[RAW_U64_BYTES];

	text_put(t, digits, (size_t)(raw_put_u64(digits, v) - digits));
}

void text_put_i64(struct text *t, int64_t v)
{
	char digits[1 + RAW_U64_BYTES];
	char *to = digits;

	if (v < 0)
		to = raw_put_char(to, '-');
	text_put(t, digits, (size_t)(raw_put_u64(to, magnitude(v)) - digits));
}

void text_put_hex(struct text *t, uint64_t v, unsigned min_digits)
{
	char zeros[RAW_HEX_BYTES + RAW_HEX_BYTES];
	char *digits = zeros + RAW_HEX_BYTES;
	unsigned n = (unsigned)(raw_put_hex(digits, v) - digits);
	unsigned missing = MIN(MAX(min_digits, n), (unsigned)RAW_HEX_BYTES) - n;

	memset(zeros, '0', RAW_HEX_BYTES);
	text_put(t, digits - missing, missing + n);
}

void text_put_seconds(struct text *t, int64_t ns, unsigned decimals)
{
	char digits[1 + RAW_MICROS_BYTES + 3]; /* with a sign, and nanoseconds */
	uint64_t v = magnitude(ns);
	unsigned nanos = (unsigned)(v % 1000);
	unsigned left_out = decimals ? 9 - MIN(decimals, 9u) : 9 + 1; /* and the point with the last */
	char *to = digits;

	if (ns < 0)
		to = raw_put_char(to, '-');
	to = raw_put_micros(to, v / 1000);
	to = raw_put_pair(to, nanos / 10);
	to = raw_put_char(to, (char)('0' + nanos % 10));
	text_put(t, digits, (size_t)(to - digits) - left_out);
}

void text_put_shown(struct text *t, struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);
		unsigned char first = (unsigned char)s.p[0];
		bool c1 = n == 2 && first == 0xc2 && (unsigned char)s.p[1] < 0xa0;

		if (n == 0 || c1 || (first < 0x20 && first != '\t') || first == 0x7f) {
			text_put_char(t, '?');
			n = MAX(n, 1u);
		} else {
			text_put(t, s.p, n);
		}
		s = span_skip(s, n);
	}
}

void text_printf(struct text *t, const char *format, ...)
{
	char *whole = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&whole, format, args);
	va_end(args);
	if (n < 0) {
		t->cut = true;
		return;
	}
	text_put(t, whole, (size_t)n);
	free(whole);
}
