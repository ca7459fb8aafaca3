/*
 * samples: a bounded sample of many values, for quantiles: all of them while they are few, then a fair choice. Which ones stay
 * depends on their number alone, so that equal input gives equal quantiles. Plain bytes: copied by assignment.
 */
#ifndef BROWNOUT_REHEARSAL_SAMPLES_H
#define BROWNOUT_REHEARSAL_SAMPLES_H

#include "base/base.h"

#define SAMPLES_MAX 512

struct samples {
	uint64_t n; /* of all that were added */
	float v[SAMPLES_MAX];
};

void samples_add(struct samples *s, double value);

/* The value below which the share q (0 to 1) lies, between the two nearest where it falls between them; 0 where n is 0. */
double samples_quantile(const struct samples *s, double q);
/* The same of several shares at once, sorting once: out[i] for q[i]. */
void samples_quantiles(const struct samples *s, const double *q, double *out, unsigned n);

#endif
