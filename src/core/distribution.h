/*
 * distribution: from a word of a hash stream to a duration that has the distribution asked for (by its quantile function, so
 * that one word gives one duration). Pure: equal words give equal durations.
 */
#ifndef BROWNOUT_CORE_DISTRIBUTION_H
#define BROWNOUT_CORE_DISTRIBUTION_H

#include "core/fault_set.h"

/* The quantile of the distribution at word / 2^64, kept within min and max, never negative, at most DISTRIBUTION_MAX_NS. */
#define DISTRIBUTION_MAX_NS (INT64_C(24) * 3600 * NS_PER_S)
int64_t distribution_draw(const struct fault_delay *d, uint64_t word);

#endif
