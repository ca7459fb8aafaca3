/*
 * Limits and profiles: what the tables say must hold together.
 */
#include <criterion/criterion.h>

#include "rehearsal/verdict.h"

Test(expect, profiles_have_the_limits_they_are_known_for)
{
	struct expect e;

	expect_init(&e, EXPECT_PROFILE_RECOMMENDED);
	cr_assert_eq(e.limits[EXPECT_ATTEMPTS_MAX].severity, EXPECT_FAIL);
	cr_assert_eq(e.limits[EXPECT_ATTEMPTS_MAX].value, 4);
	cr_assert_eq(e.limits[EXPECT_JITTER_SPREAD].severity, EXPECT_WARN);
	cr_assert_eq(e.limits[EXPECT_AMPLIFICATION_MAX].severity, EXPECT_OFF);
	cr_assert_not(e.budget_tokens);
	expect_init(&e, EXPECT_PROFILE_AWS);
	cr_assert_eq(e.limits[EXPECT_HERD_PEAK].value, 0.5);
	cr_assert_eq(e.retry_after_max_wait_ns, 5 * NS_PER_S);
	cr_assert(e.budget_tokens);
	expect_init(&e, EXPECT_PROFILE_NONE);
	for (unsigned i = 0; i < EXPECT_COUNT; i++)
		cr_assert_eq(e.limits[i].severity, EXPECT_OFF, "%s.%s", expect_key_group((enum expect_key)i),
			expect_key_name((enum expect_key)i));
}

Test(expect, names_of_profiles_read_back)
{
	enum expect_profile p;

	for (unsigned i = 0; i < EXPECT_PROFILES; i++) {
		cr_assert_eq(expect_profile_of(span_of_string(expect_profile_name((enum expect_profile)i)), &p), 0);
		cr_assert_eq((unsigned)p, i);
	}
	cr_assert_eq(expect_profile_of(SPAN("Recommended"), &p), 1);
	cr_assert_eq(expect_profile_of(SPAN_EMPTY, &p), 1);
}

Test(expect, each_way_at_its_bound)
{
	static const struct {
		uint8_t way;
		bool below, at, above;
	} ways[] = { { EXPECT_AT_MOST, true, true, false }, { EXPECT_BELOW, true, false, false },
		{ EXPECT_AT_LEAST, false, true, true }, { EXPECT_ABOVE, false, false, true } };

	for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
		struct expect_limit limit = { .severity = EXPECT_FAIL, .way = ways[i].way, .value = 2 };

		cr_assert_eq(expect_holds(&limit, 1.9), ways[i].below, "%s", expect_way_sign((enum expect_way)ways[i].way));
		cr_assert_eq(expect_holds(&limit, 2), ways[i].at);
		cr_assert_eq(expect_holds(&limit, 2.1), ways[i].above);
	}
}

/* A key that is in no check could never be reported. */
Test(expect, every_key_has_a_name_and_a_check)
{
	for (unsigned i = 0; i < EXPECT_COUNT; i++) {
		cr_assert_lt(expect_key_check((enum expect_key)i), CHECK_COUNT);
		for (unsigned k = 0; k < i; k++)
			cr_assert(strcmp(expect_key_group((enum expect_key)i), expect_key_group((enum expect_key)k)) ||
				  strcmp(expect_key_name((enum expect_key)i), expect_key_name((enum expect_key)k)));
	}
	for (unsigned i = 0; i < CHECK_COUNT; i++)
		cr_assert_eq(check_number((enum check_id)i)[0], 'M');
}
