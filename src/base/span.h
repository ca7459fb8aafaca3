/*
 * span: a pointer and a length into bytes that somebody else owns. Never NUL-terminated, never freed through a span;
 * whoever makes a span says how long the bytes live. An empty span may have a NULL pointer.
 */
#ifndef BROWNOUT_BASE_SPAN_H
#define BROWNOUT_BASE_SPAN_H

#include <string.h>

#include "base/base.h"

struct span {
	const char *p;
	size_t n;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })
#define SPAN_EMPTY ((struct span){ NULL, 0 })
/* For printf("%.*s"): SPAN_ARG(s). Spans printed so must be under 2 GiB. */
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct span span_of(const char *p, size_t n)
{
	return (struct span){ p, n };
}

static inline struct span span_of_string(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_starts_with(struct span s, struct span prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline struct span span_skip(struct span s, size_t n)
{
	return n >= s.n ? span_of(s.p ? s.p + s.n : NULL, 0) : span_of(s.p + n, s.n - n);
}

static inline struct span span_first(struct span s, size_t n)
{
	return span_of(s.p, n < s.n ? n : s.n);
}

/* ASCII only: the locale never changes what a byte means to HTTP. */
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Equal but for ASCII case. */
bool span_eq_nocase(struct span a, struct span b) PURE;

/* Equal. Takes as long for a wrong span that is nearly right as for one that is not at all: for secrets. */
bool span_eq_secret(struct span given, struct span wanted) PURE;

/* Position of byte c, or s.n where there is none. */
size_t span_find(struct span s, char c) PURE;

/* Without leading and trailing SP and HTAB (OWS of RFC 9110 section 5.6.3). */
struct span span_trim(struct span s) PURE;

/*
 * The next element of a comma-separated list (RFC 9110 section 5.6.1): removes it and its comma from *rest, trims it.
 * Empty elements are returned as empty spans, so "a," has two; commas inside quoted strings do not separate.
 * False at the end, that is where rest->p is NULL (rest->n alone does not tell).
 */
bool span_next_element(struct span *rest, struct span *element);

/* Decimal digits only, all of them, no sign: 0, or 1 where s is empty, has another byte or exceeds UINT64_MAX. */
int span_to_u64(struct span s, uint64_t *value) MUST_USE;

/* Bytes of the UTF-8 character (RFC 3629) that s begins with: 1 to 4; 0 where s is empty or begins with none. */
unsigned span_utf8_length(struct span s) PURE;

/* A NUL-terminated copy on the heap, the caller's to free; NULL where memory is out. */
char *span_dup(struct span s) MUST_USE;

#endif
