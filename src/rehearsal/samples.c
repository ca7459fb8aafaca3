/*
 * samples: a reservoir (every value that was ever added is kept with the same chance), its lots drawn by a hash of the count.
 */
#include "rehearsal/samples.h"

#include <stdlib.h>
#include <string.h>

#include "core/random.h"

void samples_add(struct samples *s, double value)
{
	uint64_t place = s->n++;

	if (place >= SAMPLES_MAX)
		place = (uint64_t)random_between(random_word(0, 0, 0, place, 0), 0, (int64_t)place);
	if (place < SAMPLES_MAX)
		s->v[place] = (float)value;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void samples_quantiles(const struct samples *s, const double *q, double *out, unsigned n)
{
	size_t kept = (size_t)MIN(s->n, (uint64_t)SAMPLES_MAX);
	float sorted[SAMPLES_MAX];

	memcpy(sorted, s->v, kept * sizeof(sorted[0]));
	qsort(sorted, kept, sizeof(sorted[0]), compare);
	for (unsigned i = 0; i < n; i++) {
		double at = q[i] * (double)(kept ? kept - 1 : 0);
		size_t below = (size_t)at;
		double low = kept ? (double)sorted[below] : 0;
		double high = below + 1 < kept ? (double)sorted[below + 1] : low;

		out[i] = low + (high - low) * (at - (double)below);
	}
}

double samples_quantile(const struct samples *s, double q)
{
	double out;

	samples_quantiles(s, &q, &out, 1);
	return out;
}
