/*
 * raw: numbers, two digits at a time. How many digits there are is found by comparing: most numbers are short.
 */
#include "base/raw.h"

#include <endian.h>

const char raw_pairs[2 * 100] = { "00010203040506070809101112131415161718192021222324"
				  "25262728293031323334353637383940414243444546474849"
				  "50515253545556575859606162636465666768697071727374"
				  "75767778798081828384858687888990919293949596979899" };

/* Below 100. */
static char *put_two(char *to, unsigned v)
{
	return v < 10 ? raw_put_char(to, (char)('0' + v)) : raw_put_pair(to, v);
}

/* Below 10,000. */
static char *put_four(char *to, unsigned v)
{
	return v < 100 ? put_two(to, v) : raw_put_pair(put_two(to, v / 100), v % 100);
}

/* Below 100,000,000, with leading zeros. */
static char *put_all_eight(char *to, unsigned v)
{
	to = raw_put_pair(to, v / 1000000);
	to = raw_put_pair(to, v / 10000 % 100);
	to = raw_put_pair(to, v / 100 % 100);
	return raw_put_pair(to, v % 100);
}

/* Below 100,000,000. */
static char *put_eight(char *to, unsigned v)
{
	if (v < 10000)
		return put_four(to, v);
	to = put_four(to, v / 10000);
	to = raw_put_pair(to, v / 100 % 100);
	return raw_put_pair(to, v % 100);
}

#define EIGHT_DIGITS 100000000u

char *raw_put_u64(char *to, uint64_t v)
{
	uint64_t high = v / EIGHT_DIGITS;

	if (LIKELY(!high))
		return put_eight(to, (unsigned)v);
	if (high < EIGHT_DIGITS) {
		to = put_eight(to, (unsigned)high);
	} else {
		to = put_four(to, (unsigned)(high / EIGHT_DIGITS));
		to = put_all_eight(to, (unsigned)(high % EIGHT_DIGITS));
	}
	return put_all_eight(to, (unsigned)(v % EIGHT_DIGITS));
}

char *raw_put_micros(char *to, uint64_t micros)
{
	unsigned fraction = (unsigned)(micros % 1000000);

	to = raw_put_u64(to, micros / 1000000);
	to = raw_put_char(to, '.');
	to = raw_put_pair(to, fraction / 10000);
	to = raw_put_pair(to, fraction / 100 % 100);
	return raw_put_pair(to, fraction % 100);
}

/* Eight digits: each half of v's bits is spread over its half of the bytes, until every byte has four of them. */
static void put_eight_hex(char *to, uint64_t v)
{
	uint64_t letters;

	v = (v | v << 16) & UINT64_C(0x0000ffff0000ffff);
	v = (v | v << 8) & UINT64_C(0x00ff00ff00ff00ff);
	v = (v | v << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	letters = (v + RAW_ONES * 6) >> 4 & RAW_ONES;
	v = htobe64(v + RAW_ONES * '0' + letters * ('a' - '0' - 10));
	memcpy(to, &v, sizeof(v));
}

char *raw_put_hex(char *to, uint64_t v)
{
	unsigned n = v ? (67u - (unsigned)__builtin_clzll(v)) / 4 : 1;

	v <<= 64 - 4 * n;
	put_eight_hex(to, v >> 32);
	put_eight_hex(to + 8, v & UINT32_MAX);
	return to + n;
}
