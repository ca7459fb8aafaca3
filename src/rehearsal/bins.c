/*
 * bins: see the header. A time before the first bin moves all of them up.
 */
#include "rehearsal/bins.h"

#include <string.h>

static void add_bin(struct bin *to, const struct bin *from)
{
	for (unsigned i = 0; i < BIN_COUNTS; i++)
		to->v[i] += from->v[i];
	to->connections = MAX(to->connections, from->connections);
}

static void widen(struct bins *b)
{
	for (uint32_t i = 0; i < b->n; i += 2) {
		struct bin sum = b->v[i];

		if (i + 1 < b->n)
			add_bin(&sum, &b->v[i + 1]);
		b->v[i / 2] = sum;
	}
	b->n = (b->n + 1) / 2;
	memset(&b->v[b->n], 0, (BINS_MAX - b->n) * sizeof(b->v[0]));
	b->width_ns *= 2;
}

static void move_up(struct bins *b, int64_t at_ns)
{
	uint32_t by;

	/* A bin that the others leave room for must reach back so far. */
	while ((b->origin_ns - at_ns + b->width_ns - 1) / b->width_ns + b->n > BINS_MAX)
		widen(b);
	by = (uint32_t)((b->origin_ns - at_ns + b->width_ns - 1) / b->width_ns);
	memmove(&b->v[by], &b->v[0], b->n * sizeof(b->v[0]));
	memset(&b->v[0], 0, by * sizeof(b->v[0]));
	b->n += by;
	b->origin_ns -= (int64_t)by * b->width_ns;
}

struct bin *bins_find(struct bins *b, int64_t at_ns)
{
	uint32_t i;

	if (!b->width_ns) {
		b->width_ns = BINS_WIDTH_NS;
		b->origin_ns = at_ns;
	}
	if (at_ns < b->origin_ns)
		move_up(b, at_ns);
	while ((at_ns - b->origin_ns) / b->width_ns >= BINS_MAX)
		widen(b);
	i = (uint32_t)((at_ns - b->origin_ns) / b->width_ns);
	b->n = MAX(b->n, i + 1);
	b->last = i;
	b->last_ns = bins_start_ns(b, i);
	return &b->v[i];
}

uint32_t bins_at(const struct bins *b, int64_t at_ns)
{
	if (b->n == 0 || at_ns <= b->origin_ns)
		return 0;
	return (uint32_t)MIN((at_ns - b->origin_ns) / b->width_ns, (int64_t)b->n - 1);
}

int64_t bins_start_ns(const struct bins *b, uint32_t i)
{
	return b->origin_ns + (int64_t)i * b->width_ns;
}

uint64_t bins_sum(const struct bins *b, enum bin_count count, uint32_t from, uint32_t to)
{
	uint64_t sum = 0;

	for (uint32_t i = from; i < MIN(to, b->n); i++)
		sum += b->v[i].v[count];
	return sum;
}

uint32_t bins_connections(const struct bins *b, uint32_t from, uint32_t to)
{
	uint32_t most = 0;

	for (uint32_t i = from; i < MIN(to, b->n); i++)
		most = MAX(most, b->v[i].connections);
	return most;
}

uint32_t bins_of_ns(const struct bins *b, int64_t ns)
{
	int64_t n = b->width_ns ? (ns + b->width_ns - 1) / b->width_ns : 1;

	return (uint32_t)MAX(MIN(n, (int64_t)BINS_MAX), 1);
}
