/*
 * Waits that answers tell.
 */
#include <criterion/criterion.h>

#include "core/hint.h"

#define NOW_NS (INT64_C(1700000000) * NS_PER_S) /* Tue, 14 Nov 2023 22:13:20 GMT */

static struct hints of(const char *name, const char *value)
{
	struct hints h;

	hints_init(&h);
	hints_take(&h, span_of_string(name), span_of_string(value), NOW_NS);
	return h;
}

Test(hint, each_way_of_telling_a_wait)
{
	static const struct {
		const char *name, *value;
		int64_t wait_ns;
		enum hint kind;
	} told[] = {
		{ "Retry-After", "2", 2 * NS_PER_S, HINT_RETRY_AFTER },
		{ "retry-after", "0", 0, HINT_RETRY_AFTER },
		{ "Retry-After", "99999999999999", 3000000000 * NS_PER_S, HINT_RETRY_AFTER },
		{ "Retry-After", "Tue, 14 Nov 2023 22:13:23 GMT", 3 * NS_PER_S, HINT_RETRY_AFTER_DATE },
		{ "Retry-After", "Tue, 14 Nov 2023 22:13:19 GMT", 0, HINT_RETRY_AFTER_DATE },
		{ "retry-after-ms", "150", 150 * NS_PER_MS, HINT_RETRY_AFTER_MS },
		{ "x-ms-retry-after-ms", "7", 7 * NS_PER_MS, HINT_X_MS_RETRY_AFTER_MS },
		{ "X-Amz-Retry-After", "1500", 1500 * NS_PER_MS, HINT_X_AMZ_RETRY_AFTER },
		{ "grpc-retry-pushback-ms", "20", 20 * NS_PER_MS, HINT_GRPC_PUSHBACK },
		{ "RateLimit", "\"default\";r=0;t=30", 30 * NS_PER_S, HINT_RATELIMIT },
		{ "RateLimit", "\"a\";r=0;t=3, \"b\"; r=0; t=9, \"c\";r=1;t=99", 9 * NS_PER_S, HINT_RATELIMIT },
	};

	for (unsigned i = 0; i < ARRAY_LEN(told); i++) {
		struct hints h = of(told[i].name, told[i].value);

		cr_assert_eq(h.wait_ns, told[i].wait_ns, "%s: %s gives %lld", told[i].name, told[i].value, (long long)h.wait_ns);
		cr_assert_eq(h.kind, told[i].kind);
		cr_assert_eq(h.quota_ns, told[i].kind == HINT_RATELIMIT ? told[i].wait_ns : -1);
	}
}

Test(hint, what_tells_nothing)
{
	static const char *const nothing[][2] = { { "Retry-After", "" }, { "Retry-After", "-1" }, { "Retry-After", "1.5" },
		{ "Retry-After", "soon" }, { "Retry-After", "Tue, 14 Nov 2023 22:13:2x GMT" },
		{ "Retry-After", "Tue, 14 Nox 2023 22:13:20 GMT" }, { "Retry-After", "Tue, 32 Nov 2023 22:13:20 GMT" },
		{ "grpc-retry-pushback-ms", "-1" }, { "RateLimit", "\"default\";r=1;t=30" }, { "RateLimit", "\"default\";r=0" },
		{ "RateLimit", ";;;" }, { "RateLimit", "r=0;t=30" }, { "X-Other", "2" } };

	for (unsigned i = 0; i < ARRAY_LEN(nothing); i++) {
		struct hints h = of(nothing[i][0], nothing[i][1]);

		cr_assert_eq(h.wait_ns, -1, "%s: %s", nothing[i][0], nothing[i][1]);
		cr_assert_eq(h.kind, HINT_NONE);
	}
}

/* A client that knows one of them is not held to the others. */
Test(hint, of_several_the_shortest_counts)
{
	struct hints h = of("Retry-After", "2");

	hints_take(&h, SPAN("retry-after-ms"), SPAN("1500"), NOW_NS);
	hints_take(&h, SPAN("RateLimit"), SPAN("\"default\";r=0;t=60"), NOW_NS);
	cr_assert_eq(h.wait_ns, 1500 * NS_PER_MS);
	cr_assert_eq(h.kind, HINT_RETRY_AFTER_MS);
	cr_assert_eq(h.quota_ns, 60 * NS_PER_S);
}

Test(hint, the_quick_look_lets_all_of_them_pass)
{
	for (unsigned i = HINT_NONE + 1; i < HINT_COUNT; i++)
		cr_assert(hint_may_begin_with(hint_name((enum hint)i)[0]));
	cr_assert(hint_may_begin_with('R'));
	cr_assert_not(hint_may_begin_with('D'));
}

Test(hint, dates)
{
	int64_t s;

	cr_assert_eq(hint_parse_date(SPAN("Thu, 01 Jan 1970 00:00:00 GMT"), &s), 0);
	cr_assert_eq(s, 0);
	cr_assert_eq(hint_parse_date(SPAN("Thu, 29 Feb 2024 23:59:59 GMT"), &s), 0);
	cr_assert_eq(s, 1709251199);
	cr_assert_eq(hint_parse_date(SPAN("Fri, 31 Dec 9999 23:59:59 GMT"), &s), 0);
	cr_assert_eq(s, 253402300799);
	cr_assert_eq(hint_parse_date(SPAN("Thu, 01 Jan 1970 00:00:00 UTC"), &s), 1);
	cr_assert_eq(hint_parse_date(SPAN("Thu, 01 Jxn 1970 00:00:00 GMT"), &s), 1);
	cr_assert_eq(hint_parse_date(SPAN("Thu, 01 Jan 1970 00:00:00 GMT "), &s), 1);
	cr_assert_eq(hint_parse_date(SPAN("Thursday, 01-Jan-70 00:00:00 GMT"), &s), 1);
}

Test(hint, stamps)
{
	static const char *const none[] = { "", "20240229T235959", "20240229T235959ZZ", "20240229t235959Z", "2024-229T235959Z",
		"20241329T235959Z", "20240200T235959Z", "20240229T245959Z", "20240229T236059Z", "20240229T235961Z" };
	int64_t s;

	cr_assert_eq(hint_parse_stamp(SPAN("20240229T235959Z"), &s), 0);
	cr_assert_eq(s, 1709251199);
	for (unsigned i = 0; i < ARRAY_LEN(none); i++)
		cr_assert_eq(hint_parse_stamp(span_of_string(none[i]), &s), 1, "%s", none[i]);
}

/* RFC 9110 section 4.2.3. */
Test(hint, one_place_in_whatever_spelling)
{
	static const struct {
		const char *host, *target;
		bool same;
	} places[] = {
		{ "a.example", "/x", true },
		{ "A.Example", "/x", true },
		{ "a.example:80", "/x", true },
		{ "a.EXAMPLE:", "/x", true },
		{ "a.example:8080", "/x", false },
		{ "a.example:180", "/x", false },
		{ "a.example", "/X", false },
		{ "b.example", "/x", false },
		{ ":80", "/x", false },
		{ "", "/x", false },
	};
	char longest[600];
	uint64_t wanted = hint_place(SPAN("a.example"), SPAN("/x"));

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		uint64_t place = hint_place(span_of_string(places[i].host), span_of_string(places[i].target));

		cr_expect_eq(place == wanted, places[i].same, "%s%s", places[i].host, places[i].target);
	}
	memset(longest, 'A', sizeof(longest));
	cr_expect_neq(hint_place(span_of(longest, 257), SPAN("/")), hint_place(span_of(longest, 258), SPAN("/")));
	cr_expect_neq(hint_place(span_of(longest, 256), SPAN("/")), hint_place(span_of(longest, 600), SPAN("/")));
}
