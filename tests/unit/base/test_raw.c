/*
 * raw: numbers against what printf makes of them, and eight bytes at a time against one at a time.
 */
#include "base/raw.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/wall_time.h"

static uint64_t state = 1;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Of every length. */
static uint64_t number(void)
{
	return next() >> next() % 64;
}

static void expect_same(const char *got, const char *end, const char *wanted, uint64_t v)
{
	cr_assert(span_eq(span_of(got, (size_t)(end - got)), span_of_string(wanted)), "%" PRIu64 ": got %.*s, not %s", v,
		(int)(end - got), got, wanted);
}

static void check_number(uint64_t v)
{
	char got[32], wanted[32];

	(void)snprintf(wanted, sizeof(wanted), "%" PRIu64, v);
	expect_same(got, raw_put_u64(got, v), wanted, v);
	(void)snprintf(wanted, sizeof(wanted), "%" PRIx64, v);
	expect_same(got, raw_put_hex(got, v), wanted, v);
	(void)snprintf(wanted, sizeof(wanted), "%" PRIu64 ".%06" PRIu64, v / 1000000, v % 1000000);
	expect_same(got, raw_put_micros(got, v), wanted, v);
}

Test(raw, numbers_are_those_of_printf)
{
	uint64_t edge = 1;

	check_number(0);
	check_number(UINT64_MAX);
	for (unsigned i = 0; i < 20; i++, edge *= 10) {
		check_number(edge - 1);
		check_number(edge);
		check_number(edge + 1);
	}
	for (unsigned i = 0; i < 64; i++) {
		check_number((UINT64_C(1) << i) - 1);
		check_number(UINT64_C(1) << i);
	}
	for (unsigned i = 0; i < 200000; i++)
		check_number(number());
}

/* No more than is said: a byte behind that is as it was. */
Test(raw, numbers_stay_in_their_room)
{
	char got[RAW_MICROS_BYTES + 1];

	memset(got, '#', sizeof(got));
	cr_expect_eq(raw_put_u64(got, UINT64_MAX) - got, RAW_U64_BYTES);
	cr_expect_eq(got[RAW_U64_BYTES], '#');
	cr_expect_eq(raw_put_micros(got, UINT64_MAX) - got, RAW_MICROS_BYTES);
	cr_expect_eq(got[RAW_MICROS_BYTES], '#');
	memset(got, '#', sizeof(got));
	cr_expect_eq(raw_put_hex(got, 1) - got, 1);
	cr_expect_eq(got[RAW_HEX_BYTES], '#');
}

static bool finds_some(uint64_t v)
{
	return raw_found(v | raw_find_below(v, 0x21) | raw_find_byte(v, '=') | raw_find_byte(v, 0x7f));
}

/* Every byte at every place of every short length: found or not, and copied as it is, within its room. */
Test(raw, finds_a_byte_wherever_it_is)
{
	char from[40], to[41];

	for (size_t n = 0; n <= sizeof(from); n++) {
		for (unsigned at = 0; at < MAX(n, 1u) && n; at++) {
			for (unsigned c = 0; c < 256; c++) {
				bool plain = c > 0x20 && c < 0x7f && c != '=';
				bool copied;

				memset(from, 'a', sizeof(from));
				memset(to, '#', sizeof(to));
				from[at] = (char)c;
				copied = raw_copy_unless(to, span_of(from, n), finds_some);
				cr_assert_eq(copied, plain, "%u at %u of %zu", c, at, n);
				cr_assert(!copied || memcmp(from, to, n) == 0, "%u at %u of %zu", c, at, n);
				cr_assert_eq(to[n], '#', "%zu bytes were more", n);
			}
		}
	}
	cr_expect(raw_copy_unless(to, SPAN_EMPTY, finds_some));
}

/* Both ways to write a text in quotes are one. */
Test(raw, json_texts_are_the_same_at_a_place_and_in_a_text)
{
	static const char bytes[] = "aaaaaaaaaaaa\"\\\n\x01\x1f\x7f\x80\xbf\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff \xed\xa0\x80";
	char from[60], block[JSON_QUOTED_BYTES(60)];
	struct text out;

	text_init(&out);
	for (unsigned i = 0; i < 200000; i++) {
		struct span s = span_of(from, next() % (sizeof(from) + 1));
		unsigned kinds = next() % 2 ? 12 : sizeof(bytes) - 1;
		struct json json;
		char *end;

		for (size_t k = 0; k < s.n; k++)
			from[k] = bytes[next() % kinds];
		text_clear(&out);
		json_init(&json, &out, 0);
		json_span(&json, s);
		end = json_put_quoted(block, s);
		cr_assert(span_eq(text_span(&out), span_of(block, (size_t)(end - block))));
	}
	text_deinit(&out);
}

/* The same as from nothing, whatever the time before was. */
Test(raw, what_is_remembered_of_a_second_changes_no_time)
{
	struct wall_time_memory memory = { 0 };
	int64_t ns = 0;
	char p[WALL_TIME_BYTES];

	for (unsigned i = 0; i < 100000; i++) {
		struct text out;
		char block[WALL_TIME_BYTES];

		switch (next() % 4) {
		case 0: ns = (int64_t)(next() >> 2); break;
		case 1: ns += (int64_t)(next() % 3) * NS_PER_S; break;
		case 2: ns = -(int64_t)(next() >> 2); break;
		default: ns += (int64_t)(next() % 1000) * NS_PER_MS; break;
		}
		text_init_fixed(&out, block, sizeof(block));
		wall_time_write(&out, ns);
		cr_assert_eq(wall_time_put(p, ns, &memory) - p, WALL_TIME_BYTES);
		cr_assert(span_eq(text_span(&out), span_of(p, sizeof(p))), "%" PRId64 ": %.*s", ns, WALL_TIME_BYTES, p);
	}
}
