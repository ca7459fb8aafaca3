/*
 * json: where commas and line ends come, what is escaped, and numbers that read back the same.
 */
#include "base/json.h"

#include <criterion/criterion.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

static struct text out;
static struct json json;

static void start(unsigned indent)
{
	text_init(&out);
	json_init(&json, &out, indent);
}

static void expect(const char *wanted)
{
	cr_expect(span_eq(text_span(&out), span_of_string(wanted)), "got\n%.*s\nnot\n%s", SPAN_ARG(text_span(&out)), wanted);
	cr_expect_eq(json.depth, 0);
	text_deinit(&out);
}

static void write_sample(void)
{
	json_begin_object(&json);
	json_member_string(&json, "a", "b");
	json_key(&json, "list");
	json_begin_array(&json);
	json_u64(&json, UINT64_MAX);
	json_i64(&json, INT64_MIN);
	json_begin_array(&json);
	json_end_array(&json);
	json_begin_object(&json);
	json_end_object(&json);
	json_begin_object(&json);
	json_member_bool(&json, "yes", true);
	json_member_bool(&json, "no", false);
	json_end_object(&json);
	json_none(&json);
	json_end_array(&json);
	json_member_u64(&json, "u", 7);
	json_member_i64(&json, "i", -7);
	json_key_span(&json, SPAN("raw"));
	json_raw(&json, SPAN("1.50"));
	json_member_span(&json, "s", SPAN_EMPTY);
	json_end_object(&json);
}

Test(json, on_one_line)
{
	start(0);
	write_sample();
	expect("{\"a\":\"b\",\"list\":[18446744073709551615,-9223372036854775808,[],{},{\"yes\":true,\"no\":false},null],"
		"\"u\":7,\"i\":-7,\"raw\":1.50,\"s\":\"\"}");
}

Test(json, indented)
{
	start(2);
	write_sample();
	expect("{\n"
		"  \"a\": \"b\",\n"
		"  \"list\": [\n"
		"    18446744073709551615,\n"
		"    -9223372036854775808,\n"
		"    [],\n"
		"    {},\n"
		"    {\n"
		"      \"yes\": true,\n"
		"      \"no\": false\n"
		"    },\n"
		"    null\n"
		"  ],\n"
		"  \"u\": 7,\n"
		"  \"i\": -7,\n"
		"  \"raw\": 1.50,\n"
		"  \"s\": \"\"\n"
		"}");
}

Test(json, escapes)
{
	const struct {
		struct span in;
		const char *out;
	} rows[] = {
		{ SPAN("plain /</script>"), "\"plain /</script>\"" },
		{ SPAN("q\"b\\"), "\"q\\\"b\\\\\"" },
		{ SPAN("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
		{ SPAN("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ SPAN("a\xff" "b"), "\"a\xef\xbf\xbd" "b\"" },
		{ SPAN("\xc3"), "\"\xef\xbf\xbd\"" },
		{ SPAN("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ SPAN("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ SPAN("\xe2\x82\""), "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"" }, /* a broken character swallows no quote */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start(0);
		json_span(&json, rows[i].in);
		expect(rows[i].out);
	}
	start(0);
	json_begin_object(&json);
	json_key_span(&json, SPAN("k\"\n"));
	json_none(&json);
	json_end_object(&json);
	expect("{\"k\\\"\\n\":null}");
}

Test(json, words_of_64_bits_are_hexadecimal_texts)
{
	start(0);
	json_begin_object(&json);
	json_member_hex(&json, "none", 0);
	json_member_hex(&json, "all", UINT64_MAX);
	json_end_object(&json);
	expect("{\"none\":\"0\",\"all\":\"ffffffffffffffff\"}");
}

Test(json, every_single_byte_gives_valid_utf8)
{
	for (unsigned c = 0; c < 256; c++) {
		char byte = (char)c;
		struct span s;

		start(0);
		json_span(&json, span_of(&byte, 1));
		for (s = text_span(&out); s.n; s = span_skip(s, span_utf8_length(s))) {
			cr_assert_gt(span_utf8_length(s), 0, "byte %u", c);
			cr_assert_geq((unsigned char)s.p[0], 0x20, "byte %u", c);
		}
		text_deinit(&out);
	}
}

static void expect_double(double v, const char *wanted)
{
	start(0);
	json_double(&json, v);
	expect(wanted);
}

Test(json, doubles)
{
	expect_double(0, "0");
	expect_double(-0.0, "-0");
	expect_double(0.1, "0.1");
	expect_double(0.1 + 0.2, "0.30000000000000004");
	expect_double(1.0 / 3, "0.3333333333333333");
	expect_double(100, "100");
	expect_double(1e22, "1e+22");
	expect_double(-2.5e-7, "-2.5e-07");
	expect_double((double)NAN, "null");
	expect_double((double)INFINITY, "null");
	expect_double((double)-INFINITY, "null");
}

Test(json, doubles_read_back_the_same)
{
	uint64_t bits = 88172645463325252u;

	for (unsigned i = 0; i < 20000; i++) {
		double v, back;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		start(0);
		json_double(&json, v);
		text_put_char(&out, '\0');
		back = strtod(out.p, NULL);
		cr_assert_eq(memcmp(&back, &v, sizeof(v)), 0, "%s", out.p);
		text_deinit(&out);
	}
}

Test(json, doubles_know_no_locale)
{
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		cr_skip_test("no locale with a decimal comma is installed");
	expect_double(1.5, "1.5");
}
