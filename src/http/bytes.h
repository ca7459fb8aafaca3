/*
 * bytes: which byte may stand where in a head, as one table of bits, and the scans over it. For src/http and its tests
 * only. A scan looks at [p, end) alone and returns the first byte that does not belong, or end.
 */
#ifndef BROWNOUT_HTTP_BYTES_H
#define BROWNOUT_HTTP_BYTES_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/span.h"

enum {
	HTTP_BYTE_TOKEN = 1 << 0, /* tchar: RFC 9110 section 5.6.2 */
	HTTP_BYTE_VALUE = 1 << 1, /* field values: HTAB, SP, visible ASCII, obs-text: RFC 9110 section 5.5 */
	HTTP_BYTE_TARGET = 1 << 2, /* visible ASCII but '#' */
	HTTP_BYTE_UNRESERVED = 1 << 3, /* RFC 3986 section 2.3 */
	HTTP_BYTE_SUB_DELIM = 1 << 4, /* RFC 3986 section 2.2 */
	HTTP_BYTE_HEX = 1 << 5,
};

extern const uint8_t http_byte_classes[256];
/* The value of a hexadecimal digit; 0 for other bytes. */
extern const uint8_t http_hex_values[256];

static inline bool http_byte_is(char c, unsigned classes)
{
	return (http_byte_classes[(unsigned char)c] & classes) != 0;
}

static inline bool http_byte_is_space(char c)
{
	return c == ' ' || c == '\t';
}

static inline const char *http_scan(const char *p, const char *end, unsigned classes)
{
	while (p < end && http_byte_is(*p, classes))
		p++;
	return p;
}

#ifdef __SSE2__
/* A bit for each of the 16 bytes at p that is a control byte or DEL. */
static inline unsigned http_controls_16(__m128i bytes)
{
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));
}
#endif

#ifdef __SSE2__
/* 0xff for each byte that is one of the n + 1 from `from` on. */
static inline __m128i http_in_range_16(__m128i bytes, char from, char n)
{
	__m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(from));

	return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(n)), above);
}
#endif

/* Over HTTP_BYTE_TOKEN bytes: letters, digits and hyphens 16 at a time where the machine can, the rest by the table. */
static inline const char *http_scan_token(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i letters = http_in_range_16(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z' - 'a');
		__m128i others = _mm_or_si128(http_in_range_16(bytes, '0', 9), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
		unsigned stops = (unsigned)_mm_movemask_epi8(_mm_or_si128(letters, others)) ^ 0xffff;

		if (!stops) {
			p += 16;
			continue;
		}
		p += __builtin_ctz(stops);
		if (!http_byte_is(*p, HTTP_BYTE_TOKEN))
			return p;
		p++;
	}
#endif
	return http_scan(p, end, HTTP_BYTE_TOKEN);
}

/* Over HTTP_BYTE_VALUE bytes, 16 at a time where the machine can. */
static inline const char *http_scan_value(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		unsigned controls = http_controls_16(_mm_loadu_si128((const __m128i *)(const void *)p));

		if (!controls) {
			p += 16;
			continue;
		}
		p += __builtin_ctz(controls);
		if (*p != '\t')
			return p;
		p++;
	}
#endif
	return http_scan(p, end, HTTP_BYTE_VALUE);
}

/* Over HTTP_BYTE_TARGET bytes. */
static inline const char *http_scan_target(const char *p, const char *end)
{
#ifdef __SSE2__
	/* As signed bytes, those above SP are 0x21 to 0x7f: obs-text is negative and falls out with the controls. */
	while (end - p >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i above_space = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(' '));
		__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
		__m128i forbidden = _mm_or_si128(del, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')));
		unsigned stops = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(forbidden, above_space)) ^ 0xffff;

		if (stops)
			return p + __builtin_ctz(stops);
		p += 16;
	}
#endif
	return http_scan(p, end, HTTP_BYTE_TARGET);
}

#endif
