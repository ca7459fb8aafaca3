/*
 * expect: the rows of expect.def and the profiles that they name.
 */
#include "rehearsal/expect.h"

#include "rehearsal/verdict.h"

#define RETRY_AFTER_TOLERANCE_NS (5 * NS_PER_MS)
/* What the client libraries of one cloud wait at most beyond their own back-off, however long they were told to. */
#define AWS_MAX_WAIT_NS (5 * NS_PER_S)
#define MIN_SAMPLES 20
#define BUDGET_FLOOR_PER_S 10
#define BUDGET_WINDOW_NS (10 * NS_PER_S)
#define HERD_MIN_WAVE 8

static const char *const profile_names[EXPECT_PROFILES] = {
#define X(id, name) name,
	EXPECT_PROFILE_TABLE(X, )
#undef X
};

static const struct row {
	const char *group;
	const char *name;
	uint8_t check, unit, way;
	struct expect_limit limits[EXPECT_PROFILES]; /* none has no limits */
} rows[EXPECT_COUNT] = {
#define OFF { .severity = EXPECT_OFF }
#define WARN(way_, value_) { .severity = EXPECT_WARN, .way = EXPECT_##way_, .value = (value_) }
#define FAIL(way_, value_) { .severity = EXPECT_FAIL, .way = EXPECT_##way_, .value = (value_) }
#define EXPECT(id_, check_, group_, name_, unit_, way_, recommended_, sre_, aws_, strict_, help_)                                \
	[EXPECT_##id_] = { .group = (group_), .name = (name_), .check = CHECK_##check_,                         \
		.unit = EXPECT_UNIT_##unit_, .way = EXPECT_##way_, .limits = { recommended_, sre_, aws_, strict_, OFF } },
#include "rehearsal/expect.def"
#undef EXPECT
};

void expect_init(struct expect *e, enum expect_profile profile)
{
	*e = (struct expect){
		.profile = profile,
		.min_samples = MIN_SAMPLES,
		.inconclusive = EXPECT_INCONCLUSIVE_WARN,
		.retry_after_tolerance_ns = RETRY_AFTER_TOLERANCE_NS,
		.retry_after_max_wait_ns = profile == EXPECT_PROFILE_AWS ? AWS_MAX_WAIT_NS : 0,
		.budget_floor_per_s = BUDGET_FLOOR_PER_S,
		.budget_window_ns = BUDGET_WINDOW_NS,
		.budget_tokens = profile == EXPECT_PROFILE_AWS,
		.jitter_per_attempt = true,
		.herd_min_wave = HERD_MIN_WAVE,
	};
	for (unsigned i = 0; i < EXPECT_COUNT; i++)
		e->limits[i] = rows[i].limits[profile];
}

const char *expect_profile_name(enum expect_profile profile)
{
	return profile_names[profile];
}

int expect_profile_of(struct span name, enum expect_profile *profile)
{
	for (unsigned i = 0; i < EXPECT_PROFILES; i++) {
		if (span_eq(name, span_of_string(profile_names[i]))) {
			*profile = (enum expect_profile)i;
			return 0;
		}
	}
	return 1;
}

const char *expect_key_group(enum expect_key key)
{
	return rows[key].group;
}

const char *expect_key_name(enum expect_key key)
{
	return rows[key].name;
}

enum expect_unit expect_key_unit(enum expect_key key)
{
	return (enum expect_unit)rows[key].unit;
}

enum expect_way expect_key_way(enum expect_key key)
{
	return (enum expect_way)rows[key].way;
}

unsigned expect_key_check(enum expect_key key)
{
	return rows[key].check;
}

const char *expect_way_sign(enum expect_way way)
{
	switch (way) {
	case EXPECT_AT_MOST: return "<=";
	case EXPECT_BELOW: return "<";
	case EXPECT_AT_LEAST: return ">=";
	case EXPECT_ABOVE: return ">";
	}
	return "?";
}

bool expect_holds(const struct expect_limit *limit, double value)
{
	switch ((enum expect_way)limit->way) {
	case EXPECT_AT_MOST: return value <= limit->value;
	case EXPECT_BELOW: return value < limit->value;
	case EXPECT_AT_LEAST: return value >= limit->value;
	case EXPECT_ABOVE: return value > limit->value;
	}
	return false;
}
