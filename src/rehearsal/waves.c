/*
 * waves: retries are kept until there are many, then grouped. Those of one number and one kind of wait are told apart, since the
 * median wait is the measure of what "at the same time" means.
 */
#include "rehearsal/waves.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_MIN_NS (20 * NS_PER_MS)
#define SHARE_OF_WAIT 10 /* window, and spread of the failures of a wave: a tenth of the median wait */

static int compare_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_failure(const void *a, const void *b)
{
	const struct wave_retry *x = a, *y = b;
	int order = compare_i64(x->failed_ns, y->failed_ns);

	return order ? order : compare_i64(x->came_ns, y->came_ns);
}

static int by_coming(const void *a, const void *b)
{
	const struct wave_retry *x = a, *y = b;
	int order = compare_i64(x->came_ns, y->came_ns);

	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int by_value(const void *a, const void *b)
{
	return compare_i64(*(const int64_t *)a, *(const int64_t *)b);
}

static int64_t median_wait_ns(const struct wave_retry *v, uint32_t n)
{
	int64_t waits[WAVES_KEPT];

	for (uint32_t i = 0; i < n; i++)
		waits[i] = v[i].came_ns - v[i].failed_ns;
	qsort(waits, n, sizeof(waits[0]), by_value);
	return waits[n / 2];
}

/* The most that came within one window; *from is the first of them. v is in order of coming. */
static uint32_t most_at_once(const struct wave_retry *v, uint32_t n, int64_t window_ns, uint32_t *from)
{
	uint32_t most = 0, start = 0;

	for (uint32_t i = 0; i < n; i++) {
		while (v[i].came_ns - v[start].came_ns > window_ns)
			start++;
		if (i - start + 1 > most) {
			most = i - start + 1;
			*from = start;
		}
	}
	return most;
}

static void look_at(struct waves *w, unsigned attempt, struct wave_retry *v, uint32_t n, int64_t window_ns)
{
	uint32_t from = 0, most;
	double share;

	w->largest = MAX(w->largest, n);
	if (n < MAX(w->min_wave, 2u))
		return;
	w->n_waves++;
	qsort(v, n, sizeof(*v), by_coming);
	most = most_at_once(v, n, window_ns, &from);
	share = (double)most / n;
	if (share < w->worst.share || (share <= w->worst.share && n <= w->worst.n))
		return;
	w->worst = (struct wave){
		.share = share,
		.n = n,
		.at_once = most,
		.window_ns = window_ns,
		.attempt = (uint8_t)attempt,
		.first_id = v[from].id,
		.last_id = v[from + most - 1].id,
		.first_ns = v[from].came_ns,
		.last_ns = v[from + most - 1].came_ns,
		.source = v[from].source,
	};
}

static void group(struct waves *w, unsigned attempt, struct wave_retry *v, uint32_t n)
{
	int64_t wait_ns = median_wait_ns(v, n);
	int64_t window_ns = MAX(WINDOW_MIN_NS, wait_ns / SHARE_OF_WAIT);
	uint32_t start = 0;

	qsort(v, n, sizeof(*v), by_failure);
	for (uint32_t i = 1; i <= n; i++) {
		if (i == n || v[i].failed_ns - v[start].failed_ns > wait_ns / SHARE_OF_WAIT) {
			look_at(w, attempt, &v[start], i - start, window_ns);
			start = i;
		}
	}
}

void waves_add(struct waves *w, unsigned attempt, bool told, const struct wave_retry *retry)
{
	unsigned i = attempt - 1;

	if (i >= WAVES_ATTEMPTS)
		return;
	w->kept[i][told].v[w->kept[i][told].n++] = *retry;
	if (w->kept[i][told].n == WAVES_KEPT) {
		group(w, attempt, w->kept[i][told].v, WAVES_KEPT);
		w->kept[i][told].n = 0;
	}
}

void waves_finish(struct waves *w)
{
	for (unsigned i = 0; i < WAVES_ATTEMPTS; i++) {
		for (unsigned told = 0; told < 2; told++) {
			uint32_t n = w->kept[i][told].n;

			if (n)
				group(w, i + 1, w->kept[i][told].v, n);
			w->kept[i][told].n = 0;
		}
	}
}
