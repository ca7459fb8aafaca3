/*
 * expect: what a rehearsal demands of the clients. Plain values: the rule file's `expect:` is decoded into it, a test fills it
 * from literals, the judge copies it. All limits are rows of expect.def; what is not a limit (tolerances, windows, scopes) is a
 * member of its own.
 */
#ifndef BROWNOUT_REHEARSAL_EXPECT_H
#define BROWNOUT_REHEARSAL_EXPECT_H

#include "base/span.h"

enum expect_key {
#define EXPECT(id, ...) EXPECT_##id,
#include "rehearsal/expect.def"
#undef EXPECT
	EXPECT_COUNT
};

enum expect_unit {
	EXPECT_UNIT_COUNT,
	EXPECT_UNIT_FACTOR,
	EXPECT_UNIT_SHARE,
	EXPECT_UNIT_TIME, /* nanoseconds */
	EXPECT_UNIT_FLAG, /* 1: is wanted or is so; 0 */
};

/* The comparison that a measured value must stand. */
enum expect_way { EXPECT_AT_MOST, EXPECT_BELOW, EXPECT_AT_LEAST, EXPECT_ABOVE };

/* What comes of a limit that does not hold. */
enum expect_severity { EXPECT_OFF, EXPECT_WARN, EXPECT_FAIL };

struct expect_limit {
	uint8_t severity; /* enum expect_severity; OFF: measured and reported, not judged */
	uint8_t way; /* enum expect_way */
	double value; /* in the unit of its key */
};

/* X(id, "name"), with `between` between them. NONE has no limit but those that the file gives. */
#define EXPECT_PROFILE_TABLE(X, between)                                                                                        \
	X(RECOMMENDED, "recommended") between X(SRE, "sre") between X(AWS, "aws") between X(STRICT, "strict") between           \
	X(NONE, "none")

enum expect_profile {
#define EXPECT_PROFILE_ID(id, name) EXPECT_PROFILE_##id,
	EXPECT_PROFILE_TABLE(EXPECT_PROFILE_ID, )
#undef EXPECT_PROFILE_ID
	EXPECT_PROFILES,
};
/* For help: "recommended|sre|..." */
#define EXPECT_PROFILE_NAME(id, name) name
#define EXPECT_PROFILE_CHOICES EXPECT_PROFILE_TABLE(EXPECT_PROFILE_NAME, "|")

/* What an inconclusive check makes of the whole. */
enum expect_inconclusive { EXPECT_INCONCLUSIVE_PASS, EXPECT_INCONCLUSIVE_WARN, EXPECT_INCONCLUSIVE_FAIL };

/* Whose follow-ups a told wait binds: the logical request's, the client's to this path, the client's to this host. */
enum expect_scope { EXPECT_SCOPE_CHAIN, EXPECT_SCOPE_PATH, EXPECT_SCOPE_HOST };

struct expect {
	enum expect_profile profile;
	uint32_t min_samples; /* below: inconclusive, where a check is about shares or distributions */
	enum expect_inconclusive inconclusive;
	struct expect_limit limits[EXPECT_COUNT];

	int64_t retry_after_tolerance_ns;
	enum expect_scope retry_after_scope;
	int64_t retry_after_max_wait_ns; /* a longer wait that was told counts as this long; 0: as told */
	struct span amplification_during; /* rule whose faults open the window; empty: any. Lives as long as the expect */
	double budget_floor_per_s; /* retries that are always allowed; not in tests of under 100 requests */
	int64_t budget_window_ns;
	/*
	 * Profile aws, where no ratio is given: a bucket of 500 tokens for each client; a retry costs 5 (after a timeout 10), a
	 * success gives 1 back.
	 */
	bool budget_tokens;
	bool jitter_per_attempt; /* judged for each retry number by itself; false: the best of them counts */
	uint32_t herd_min_wave; /* fewer retries are no wave */
};

/* The defaults of a profile. The file's own keys are put on top. */
void expect_init(struct expect *e, enum expect_profile profile);

const char *expect_profile_name(enum expect_profile profile);
/* 0, or 1 where there is none of this name. */
int expect_profile_of(struct span name, enum expect_profile *profile) MUST_USE;

/* Rows of expect.def. */
const char *expect_key_group(enum expect_key key);
const char *expect_key_name(enum expect_key key);
enum expect_unit expect_key_unit(enum expect_key key);
enum expect_way expect_key_way(enum expect_key key); /* of a bare number */
unsigned expect_key_check(enum expect_key key); /* enum check_id of verdict.h */

const char *expect_way_sign(enum expect_way way); /* "<=", "<", ">=", ">" */
/* True where the value stands the comparison. */
bool expect_holds(const struct expect_limit *limit, double value);

#endif
