/*
 * clock: the two clocks of the process, read through the vDSO (no system call). All times inside are int64_t
 * nanoseconds; only logs and HTTP dates know of other units.
 */
#ifndef BROWNOUT_BASE_CLOCK_H
#define BROWNOUT_BASE_CLOCK_H

#include <time.h>

#include "base/base.h"

/* CLOCK_MONOTONIC: for deadlines and durations. */
static inline int64_t clock_mono_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* CLOCK_REALTIME since the Unix epoch: for logs and dates only. */
static inline int64_t clock_wall_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

#endif
