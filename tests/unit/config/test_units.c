/* units: each form, its bounds, and the hint for what is nearly one. */
#include "config/units.h"

#include <inttypes.h>

#include "support.h"

#define NONE UINT64_MAX /* not accepted */

struct unit_case {
	const char *text;
	uint64_t value;
	const char *hint;
};

typedef int (*parse_fn)(struct span s, uint64_t *value, struct text *hint);

static void check(const char *what, parse_fn parse, const struct unit_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct unit_case *c = &cases[i];
		char block[96];
		uint64_t value = 12345;
		struct text hint;
		int rc;

		text_init_fixed(&hint, block, sizeof(block));
		rc = parse(span_of_string(c->text), &value, &hint);
		cr_expect_eq(rc, c->value == NONE, "%s \"%s\": %d", what, c->text, rc);
		if (rc == 0)
			cr_expect_eq(value, c->value, "%s \"%s\": %" PRIu64, what, c->text, value);
		cr_expect(span_eq(text_span(&hint), span_of_string(c->hint ? c->hint : "")), "%s \"%s\": hint \"%.*s\"", what,
			c->text,
			SPAN_ARG(text_span(&hint)));
		rc = parse(span_of_string(c->text), &value, NULL);
		cr_expect_eq(rc, c->value == NONE);
	}
}

static int parse_duration(struct span s, uint64_t *value, struct text *hint)
{
	int64_t ns;
	int rc = units_parse_duration(s, &ns, hint);

	if (rc == 0)
		*value = (uint64_t)ns;
	return rc;
}

Test(units, durations)
{
	static const struct unit_case cases[] = {
		{ "250ms", 250000000, NULL },
		{ "0", 0, NULL },
		{ "0s", 0, NULL },
		{ "1ns", 1, NULL },
		{ "7us", 7000, NULL },
		{ "1s", 1000000000, NULL },
		{ "1.5s", 1500000000, NULL },
		{ "2m", UINT64_C(120000000000), NULL },
		{ "1h", UINT64_C(3600000000000), NULL },
		{ "0.000001s", 1000, NULL },
		{ "0.000001ms", 1, NULL },
		{ "0.000001h", 3600000, NULL },
		{ "2562047h", UINT64_C(9223369200000000000), NULL },
		{ "2562048h", NONE, NULL },
		{ "9223372036854775807ns", INT64_MAX, NULL },
		{ "9223372036854775808ns", NONE, NULL },
		{ "99999999999999999999s", NONE, NULL },
		{ "0.5ns", NONE, NULL },
		{ "0.0000001s", NONE, NULL },
		{ "10 minutes", NONE, "write 10m" },
		{ "10", NONE, "write 10ms or 10s" },
		{ "1.5", NONE, "write 1.5ms or 1.5s" },
		{ "5S", NONE, "write 5s" },
		{ "5 s", NONE, "write 5s" },
		{ "5sec", NONE, "write 5s" },
		{ "1MS", NONE, "write 1ms" },
		{ "3\xc2\xb5s", NONE, "write 3us" },
		{ "1d", NONE, NULL },
		{ "", NONE, NULL },
		{ "s", NONE, NULL },
		{ ".5s", NONE, NULL },
		{ "1.s", NONE, NULL },
		{ "-1s", NONE, NULL },
		{ "+1s", NONE, NULL },
		{ "1s ", NONE, "write 1s" },
		{ "1m30s", NONE, NULL },
		{ "1e3ms", NONE, NULL },
	};

	check("duration", parse_duration, cases, ARRAY_LEN(cases));
}

Test(units, sizes)
{
	static const struct unit_case cases[] = {
		{ "64KiB", 65536, NULL },
		{ "65536", 65536, NULL },
		{ "1MiB", 1048576, NULL },
		{ "1GiB", 1073741824, NULL },
		{ "1KB", 1000, NULL },
		{ "2MB", 2000000, NULL },
		{ "3GB", UINT64_C(3000000000), NULL },
		{ "10B", 10, NULL },
		{ "1.5KiB", 1536, NULL },
		{ "0.0005KiB", NONE, NULL },
		{ "64kb", NONE, "write 64KB" },
		{ "64K", NONE, "write 64KiB" },
		{ "64 KiB", NONE, "write 64KiB" },
		{ "64 bytes", NONE, "write 64B" },
		{ "8589934591GiB", UINT64_C(9223372035781033984), NULL },
		{ "8589934592GiB", NONE, NULL },
		{ "x", NONE, NULL },
		{ "-1", NONE, NULL },
	};

	check("size", units_parse_size, cases, ARRAY_LEN(cases));
}

Test(units, percentages_are_exact)
{
	static const struct unit_case cases[] = {
		{ "0", 0, NULL },
		{ "10", 10000000, NULL },
		{ "100", 100000000, NULL },
		{ "12.5", 12500000, NULL },
		{ "0.000001", 1, NULL },
		{ "99.999999", 99999999, NULL },
		{ "0.1", 100000, NULL },
		{ "33.333333", 33333333, NULL },
		{ "101", 101000000, NULL }, /* the caller knows the bound */
		{ "0.0000001", NONE, NULL },
		{ "10%", NONE, "write 10" },
		{ "10 %", NONE, "write 10" },
		/* As JSON is written by programs. */
		{ "1e-05", 10, NULL },
		{ "1.5e-05", 15, NULL },
		{ "1E-6", 1, NULL },
		{ "100e-1", 10000000, NULL },
		{ "0e-99", 0, NULL },
		{ "1e-07", NONE, NULL },
		{ "1e-18446744073709551616", NONE, NULL },
		{ "4294967296e-1", NONE, NULL },
		{ "1e-", NONE, NULL },
		{ "1e--1", NONE, NULL },
		{ "1e-1%", NONE, NULL },
		{ "1e1", NONE, NULL },
		{ "0x10", NONE, NULL },
		{ "-1", NONE, NULL },
		{ "", NONE, NULL },
		{ "10,5", NONE, NULL },
		{ "99999999999999", NONE, NULL },
	};

	check("percentage", units_parse_percentage, cases, ARRAY_LEN(cases));
}

Test(units, counts)
{
	static const struct unit_case cases[] = {
		{ "0", 0, NULL },
		{ "007", 7, NULL },
		{ "18446744073709551614", UINT64_MAX - 1, NULL },
		{ "18446744073709551616", NONE, NULL },
		{ "1_000", NONE, "write 1000" },
		{ "1,000,000", NONE, "write 1000000" },
		{ "ten", NONE, NULL },
		{ "1.0", NONE, NULL },
		{ "-1", NONE, NULL },
		{ "", NONE, NULL },
		{ "_", NONE, NULL },
	};

	check("count", units_parse_count, cases, ARRAY_LEN(cases));
}

Test(units, duration_ranges)
{
	static const struct {
		const char *text;
		int64_t min, max; /* -1: not accepted */
		const char *hint;
	} cases[] = {
		{ "100ms..2s", 100000000, 2000000000, "" },
		{ "100ms .. 2s", 100000000, 2000000000, "" },
		{ "0..1ns", 0, 1, "" },
		{ "5s..5s", 5000000000, 5000000000, "" },
		{ "5s", 5000000000, 5000000000, "" },
		{ "1.5s..2.5s", 1500000000, 2500000000, "" },
		{ "2s..100ms", -1, 0, "write 100ms..2s" },
		{ "100..200ms", -1, 0, "write 100ms or 100s" },
		{ "100ms..", -1, 0, "" },
		{ "..2s", -1, 0, "" },
		{ "..", -1, 0, "" },
		{ "1s..2s..3s", -1, 0, "" },
		{ "1s-2s", -1, 0, "" },
		{ "", -1, 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char block[96];
		int64_t min = 0, max = 0;
		struct text hint;
		int rc;

		text_init_fixed(&hint, block, sizeof(block));
		rc = units_parse_duration_range(span_of_string(cases[i].text), &min, &max, &hint);
		cr_expect_eq(rc, cases[i].min < 0, "\"%s\"", cases[i].text);
		if (rc == 0)
			cr_expect(min == cases[i].min && max == cases[i].max, "\"%s\": %" PRId64 " %" PRId64, cases[i].text,
				min, max);
		expect_span(text_span(&hint), cases[i].hint);
	}
}

Test(units, written_text_reads_back)
{
	static const int64_t durations[] = { 0, 1, 999, 1000, 1500, 250000000, 90000000000, 120000000000, 3600000000000,
		86400000000000 };
	static const char *const texts[] = { "0s", "1ns", "999ns", "1us", "1500ns", "250ms", "90s", "2m", "1h", "24h" };
	static const uint64_t sizes[] = { 0, 1, 1000, 1024, 65536, 1048576, 1500000, UINT64_C(1) << 30 };
	static const char *const size_texts[] = { "0", "1B", "1KB", "1KiB", "64KiB", "1MiB", "1500KB", "1GiB" };

	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		char block[32];
		struct text t;
		int64_t back;

		text_init_fixed(&t, block, sizeof(block));
		units_write_duration(&t, durations[i]);
		expect_span(text_span(&t), texts[i]);
		cr_expect_eq(units_parse_duration(text_span(&t), &back, NULL), 0);
		cr_expect_eq(back, durations[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char block[32];
		struct text t;
		uint64_t back;

		text_init_fixed(&t, block, sizeof(block));
		units_write_size(&t, sizes[i]);
		expect_span(text_span(&t), size_texts[i]);
		cr_expect_eq(units_parse_size(text_span(&t), &back, NULL), 0);
		cr_expect_eq(back, sizes[i]);
	}
}
