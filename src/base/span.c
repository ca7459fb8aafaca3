/*
 * span: comparing, trimming, splitting. Reads only what the span covers; allocates nowhere but in span_dup.
 */
#include "base/span.h"

#include <stdlib.h>

bool span_eq_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool span_eq_secret(struct span given, struct span wanted)
{
	unsigned different = given.n != wanted.n;

	for (size_t i = 0; i < given.n && wanted.n; i++)
		different |= (unsigned)(given.p[i] ^ wanted.p[i % wanted.n]);
	return !different;
}

size_t span_find(struct span s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	while (s.n && is_ows(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_ows(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Length up to the comma that ends the first element, or s.n. An open quote reaches to the end. */
static size_t element_length(struct span s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\' && i + 1 < s.n)
			i++;
		else if (!quoted && c == ',')
			break;
	}
	return i;
}

bool span_next_element(struct span *rest, struct span *element)
{
	size_t n;

	if (!rest->p)
		return false;
	n = element_length(*rest);
	*element = span_trim(span_first(*rest, n));
	/* After the last element the pointer is gone, so that "a," still has its empty element to give. */
	*rest = n < rest->n ? span_skip(*rest, n + 1) : SPAN_EMPTY;
	return true;
}

int span_to_u64(struct span s, uint64_t *value)
{
	uint64_t v = 0;

	if (s.n == 0)
		return 1;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit;

		if (!ascii_is_digit(s.p[i]))
			return 1;
		digit = (unsigned)(s.p[i] - '0');
		/* Nineteen digits always fit. */
		if (i >= 19 && v > (UINT64_MAX - digit) / 10)
			return 1;
		v = v * 10 + digit;
	}
	*value = v;
	return 0;
}

unsigned span_utf8_length(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte: they rule out overlong forms and surrogates */
	unsigned n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		n = 3;
		low = p[0] == 0xe0 ? 0xa0 : low;
		high = p[0] == 0xed ? 0x9f : high;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		low = p[0] == 0xf0 ? 0x90 : low;
		high = p[0] == 0xf4 ? 0x8f : high;
	} else {
		return 0;
	}
	if (s.n < n || p[1] < low || p[1] > high)
		return 0;
	for (unsigned i = 2; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

char *span_dup(struct span s)
{
	char *copy = s.n < SIZE_MAX ? malloc(s.n + 1) : NULL;

	if (!copy)
		return NULL;
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}
