/*
 * text: growing, and numbers as text. No writer here depends on the locale but text_printf (%f, %'d).
 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_CAP_MIN 128
#define U64_DIGITS_MAX 20

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

/* The two digits of v % 100, before `end`. */
static char *two_digits_before(char *end, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	memcpy(end - 2, pairs + v % 100 * 2, 2);
	return end - 2;
}

/* Writes v so that it ends before `end`; the first digit's place. */
static char *digits_before(char *end, uint64_t v)
{
	for (; v >= 100; v /= 100)
		end = two_digits_before(end, v);
	if (v >= 10)
		return two_digits_before(end, v);
	*--end = (char)('0' + v);
	return end;
}

/* Without the overflow that -INT64_MIN would be. */
static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void text_put_u64(struct text *t, uint64_t v)
{
	char digits[U64_DIGITS_MAX];
	char *end = digits + sizeof(digits);
	char *first = digits_before(end, v);

	text_put(t, first, (size_t)(end - first));
}

void text_put_i64(struct text *t, int64_t v)
{
	char digits[1 + U64_DIGITS_MAX];
	char *end = digits + sizeof(digits);
	char *first = digits_before(end, magnitude(v));

	if (v < 0)
		*--first = '-';
	text_put(t, first, (size_t)(end - first));
}

void text_put_hex(struct text *t, uint64_t v, unsigned min_digits)
{
	char digits[16];
	char *end = digits + sizeof(digits);
	char *first = end;
	unsigned wanted = MIN(MAX(min_digits, 1u), (unsigned)sizeof(digits));

	while (v || (unsigned)(end - first) < wanted) {
		*--first = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
	text_put(t, first, (size_t)(end - first));
}

void text_put_seconds(struct text *t, int64_t ns, unsigned decimals)
{
	char digits[1 + U64_DIGITS_MAX + 1 + 9]; /* sign, seconds, point, decimals */
	char *end = digits + sizeof(digits);
	char *first = end;
	uint64_t v = magnitude(ns);

	if (decimals > 0) {
		static const uint32_t too_fine[] = { 1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1 };
		unsigned left = MIN(decimals, 9u);
		uint32_t fraction = (uint32_t)(v % (uint64_t)NS_PER_S) / too_fine[left];

		for (; left >= 2; left -= 2, fraction /= 100)
			first = two_digits_before(first, fraction);
		if (left)
			*--first = (char)('0' + fraction % 10);
		*--first = '.';
	}
	first = digits_before(first, v / (uint64_t)NS_PER_S);
	if (ns < 0)
		*--first = '-';
	text_put(t, first, (size_t)(end - first));
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
