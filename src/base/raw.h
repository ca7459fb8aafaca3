/*
 * raw: bytes written to a place for which the caller has made room (text_reserve), one value after the other, with no question
 * about it. Each returns where the next byte goes to. It may write as many bytes as its comment says, also where the value takes
 * fewer of them: what lies behind the value is anything.
 */
#ifndef BROWNOUT_BASE_RAW_H
#define BROWNOUT_BASE_RAW_H

#include "base/span.h"

#define RAW_U64_BYTES 20
#define RAW_HEX_BYTES 16
#define RAW_MICROS_BYTES (14 + 1 + 6)

extern const char raw_pairs[2 * 100]; /* the digits of 0 to 99 */

static inline char *raw_put_char(char *to, char c)
{
	*to = c;
	return to + 1;
}

static inline char *raw_put_span(char *to, struct span s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

/* Its length is known here, so that it takes a few plain stores. */
#define RAW_PUT_LITERAL(to, literal) ((char *)memcpy((to), (literal), sizeof(literal) - 1) + (sizeof(literal) - 1))

/* Two digits, of a number below 100. */
static inline char *raw_put_pair(char *to, unsigned v)
{
	memcpy(to, raw_pairs + v * 2, 2);
	return to + 2;
}

char *raw_put_u64(char *to, uint64_t v);
/* Lower-case hexadecimal without leading zeros. */
char *raw_put_hex(char *to, uint64_t v);
/* Millionths with their six decimals: 0.000412 */
char *raw_put_micros(char *to, uint64_t micros);

/* ---- eight bytes at a time ---- */

#define RAW_ONES UINT64_C(0x0101010101010101)

/*
 * Each sets the highest bit of the bytes that it is about, and perhaps that of bytes above such a one: together with others and
 * with v itself, which has it set where a byte is no ASCII, that says whether there is any (raw_found). v has ASCII alone, else
 * v itself says so.
 */
static inline uint64_t raw_find_below(uint64_t v, unsigned char low)
{
	return v - RAW_ONES * low;
}

static inline uint64_t raw_find_byte(uint64_t v, unsigned char c)
{
	return (v ^ RAW_ONES * c) - RAW_ONES;
}

static inline bool raw_found(uint64_t found)
{
	return (found & RAW_ONES * 0x80) != 0;
}

static inline uint64_t raw_load_8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* A short piece, each byte of it at least once. */
static inline uint64_t raw_load_short(const char *p, size_t n)
{
	uint32_t first, last;

	if (n < 4)
		return RAW_ONES * (unsigned char)p[0] ^ (uint64_t)(unsigned char)(p[0] ^ p[n / 2]) << 8 ^
			(uint64_t)(unsigned char)(p[0] ^ p[n - 1]) << 16;
	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + n - sizeof(last), sizeof(last));
	return (uint64_t)first << 32 | last;
}

static inline void raw_copy_short(char *to, const char *p, size_t n)
{
	uint32_t first, last;

	if (n < 4) {
		to[0] = p[0];
		to[n / 2] = p[n / 2];
		to[n - 1] = p[n - 1];
		return;
	}
	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + n - sizeof(last), sizeof(last));
	memcpy(to, &first, sizeof(first));
	memcpy(to + n - sizeof(last), &last, sizeof(last));
}

/*
 * Copies s as it is and returns true where `finds` nothing in it: in eight bytes of it, all within s, some of them perhaps
 * twice. Else false: what was written is anything.
 */
static inline bool raw_copy_unless(char *to, struct span s, bool (*finds)(uint64_t v))
{
	size_t i = 0;

	if (s.n < 8) {
		if (s.n == 0)
			return true;
		raw_copy_short(to, s.p, s.n);
		return !finds(raw_load_short(s.p, s.n));
	}
	for (; i + 8 < s.n; i += 8) {
		if (finds(raw_load_8(s.p + i)))
			return false;
		memcpy(to + i, s.p + i, 8);
	}
	i = s.n - 8;
	memcpy(to + i, s.p + i, 8);
	return !finds(raw_load_8(s.p + i));
}

#endif
