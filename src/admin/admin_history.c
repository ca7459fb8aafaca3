/*
 * admin_history: a ring of samples. Counts only grow, so a difference is what came in between, however long that was.
 */
#include "admin/admin_history.h"

#include <stdlib.h>

#include "base/clock.h"

struct admin_history *admin_history_new(struct server *server)
{
	struct admin_history *h = calloc(1, sizeof(*h));

	if (h)
		server_snapshot(server, &h->last);
	return h;
}

void admin_history_free(struct admin_history *h)
{
	free(h);
}

/* ---- taking ---- */

static uint64_t grown(const _Atomic uint64_t *now, const _Atomic uint64_t *last)
{
	return counter_load(now) - counter_load(last);
}

/* A delay's error is measured where it came to its end, so both means are of the same delays. */
static void take_delays(struct admin_sample *s, const struct counters *now, const struct counters *last)
{
	double intended_ns = (double)grown(&now->delay.sum_ns, &last->delay.sum_ns);
	double error_ns = (double)grown(&now->delay_error.sum_ns, &last->delay_error.sum_ns);

	s->delays = histogram_count(&now->delay) - histogram_count(&last->delay);
	if (s->delays == 0)
		return;
	s->delay_intended_s = intended_ns / (double)s->delays / 1e9;
	s->delay_actual_s = (intended_ns + error_ns) / (double)s->delays / 1e9;
}

static void take_answers(struct admin_sample *s, const struct counters *now, const struct counters *last)
{
	static const enum counter classes[ADMIN_CLASSES] = { COUNTER_RESPONSES_1XX, COUNTER_RESPONSES_2XX, COUNTER_RESPONSES_3XX,
		COUNTER_RESPONSES_4XX, COUNTER_RESPONSES_5XX };

	for (unsigned i = 0; i < ADMIN_CLASSES; i++)
		s->answers[i] = grown(&now->v[classes[i]], &last->v[classes[i]]);
}

void admin_history_take(struct admin_history *h, struct server *server)
{
	const struct counters *now = &h->now.total, *last = &h->last.total;
	struct admin_sample *s = &h->v[h->next];

	server_snapshot(server, &h->now);
	*s = (struct admin_sample){
		.wall_ns = clock_wall_ns(),
		.requests = grown(&now->v[COUNTER_REQUESTS], &last->v[COUNTER_REQUESTS]),
		.failures = grown(&now->v[COUNTER_UPSTREAM_FAILURES], &last->v[COUNTER_UPSTREAM_FAILURES]),
		.faults = counters_faults(now) - counters_faults(last),
		.active = atomic_load_explicit(&now->active, memory_order_relaxed),
		.held = atomic_load_explicit(&now->held, memory_order_relaxed),
	};
	take_answers(s, now, last);
	take_delays(s, now, last);
	memcpy(&h->last, &h->now, sizeof(h->last));
	h->next = (h->next + 1) % ADMIN_HISTORY_SECONDS;
	h->n = MIN(h->n + 1, (unsigned)ADMIN_HISTORY_SECONDS);
}

/* ---- writing ---- */

static const struct admin_sample *sample(const struct admin_history *h, unsigned back)
{
	return &h->v[(h->next + ADMIN_HISTORY_SECONDS - 1 - back) % ADMIN_HISTORY_SECONDS];
}

/* null where there was none. */
static void put_mean(struct json *j, const char *key, const struct admin_sample *s, double mean_s)
{
	json_key(j, key);
	if (s->delays)
		json_double(j, (double)(int64_t)(mean_s * 1e6 + 0.5) / 1e6);
	else
		json_none(j);
}

void admin_history_write(struct json *j, const struct admin_history *h, unsigned back)
{
	static const char *const classes[ADMIN_CLASSES] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
	const struct admin_sample *s = sample(h, back);

	json_key(j, "time");
	json_double(j, (double)(s->wall_ns / NS_PER_MS) / 1e3);
	json_member_u64(j, "requests", s->requests);
	for (unsigned i = 0; i < ADMIN_CLASSES; i++)
		json_member_u64(j, classes[i], s->answers[i]);
	json_member_u64(j, "faults", s->faults);
	json_member_u64(j, "failures", s->failures);
	json_member_i64(j, "active", s->active);
	json_member_i64(j, "held", s->held);
	put_mean(j, "delay_intended_s", s, s->delay_intended_s);
	put_mean(j, "delay_actual_s", s, s->delay_actual_s);
}

/* As written. */
static int64_t time_ms(const struct admin_history *h, unsigned back)
{
	return sample(h, back)->wall_ns / NS_PER_MS;
}

/*
 * How many have come since. Who asks gives the time of the last one that he has: after it comes what came after it, whatever
 * the wall clock said then. A time that is still to come was told before the clock was set back.
 */
static unsigned count_since(const struct admin_history *h, int64_t since_ms, int64_t now_ms)
{
	unsigned n = 0;

	while (n < h->n && time_ms(h, n) != since_ms)
		n++;
	if (n < h->n || since_ms > now_ms)
		return n;
	n = 0;
	while (n < h->n && time_ms(h, n) > since_ms)
		n++;
	return n;
}

void admin_history_write_since(struct json *j, const struct admin_history *h, int64_t wall_ns)
{
	json_begin_array(j);
	for (unsigned back = count_since(h, wall_ns / NS_PER_MS, clock_wall_ns() / NS_PER_MS); back-- > 0;) {
		json_begin_object(j);
		admin_history_write(j, h, back);
		json_end_object(j);
	}
	json_end_array(j);
}
