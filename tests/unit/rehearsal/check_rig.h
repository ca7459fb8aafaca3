/*
 * check_rig: the rig of a file of tests, which each of them begins and ends with (TestSuite(..., .init = start, .fini = end)),
 * and what nearly all of them ask of it.
 */
#ifndef BROWNOUT_TEST_REHEARSAL_CHECK_RIG_H
#define BROWNOUT_TEST_REHEARSAL_CHECK_RIG_H

#include <criterion/criterion.h>

#include "rig.h"

static struct rig r;

static inline void start(void)
{
	rig_init(&r);
}

static inline void end(void)
{
	rig_deinit(&r);
}

/* Once it is finished. */
static inline enum check_status status(enum check_id id)
{
	return (enum check_status)rig_check(&r, id)->status;
}

/* What is expected, and fails where it is not so. Before the first exchange. */
static inline void limit(enum expect_key key, enum expect_way way, double value)
{
	r.expect.limits[key] = (struct expect_limit){ EXPECT_FAIL, (uint8_t)way, value };
}

#endif
