/*
 * counters: the sums, the names. Nothing here allocates, and nothing takes a lock.
 */
#include "observe/counters.h"

static void sum_array(_Atomic uint64_t *sum, const _Atomic uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		counter_bump(&sum[i], counter_load(&from[i]));
}

static void sum_gauge(_Atomic int64_t *sum, const _Atomic int64_t *from)
{
	gauge_add(sum, atomic_load_explicit(from, memory_order_relaxed));
}

uint64_t counters_faults(const struct counters *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < FAULT_KIND_COUNT; i++)
		n += counter_load(&c->faults[i]);
	return n;
}

void counters_sum(struct counters *sum, const struct counters *from)
{
	sum_array(sum->v, from->v, COUNTER_COUNT);
	sum_array(sum->faults, from->faults, FAULT_KIND_COUNT);
	sum_array(sum->rejects, from->rejects, COUNTERS_REJECTS_MAX);
	sum_array(sum->failures, from->failures, PROXY_ERROR_COUNT);
	sum_array(sum->violations, from->violations, STATUS_VIOLATION_COUNT);
	sum_array(sum->closes, from->closes, CLOSE_REASON_COUNT);
	sum_gauge(&sum->active, &from->active);
	sum_gauge(&sum->held, &from->held);
	sum_gauge(&sum->clients, &from->clients);
	sum_gauge(&sum->upstream_open, &from->upstream_open);
	sum_gauge(&sum->upstream_idle, &from->upstream_idle);
	histogram_sum(&sum->request_time, &from->request_time);
	histogram_sum(&sum->upstream_time, &from->upstream_time);
	histogram_sum(&sum->delay, &from->delay);
	histogram_sum(&sum->delay_error, &from->delay_error);
}

const char *counter_name(enum counter id)
{
	static const char *const names[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = name,
#include "observe/counters.def"
#undef COUNTER
	};

	return names[id];
}

const char *close_reason_name(enum close_reason r)
{
	static const char *const names[CLOSE_REASON_COUNT] = {
		[CLOSE_NONE] = "",
#define CLOSE(id, name, text) [CLOSE_##id] = name,
#include "observe/close.def"
#undef CLOSE
	};

	return names[r];
}

const char *close_reason_text(enum close_reason r)
{
	static const char *const texts[CLOSE_REASON_COUNT] = {
		[CLOSE_NONE] = "",
#define CLOSE(id, name, text) [CLOSE_##id] = text,
#include "observe/close.def"
#undef CLOSE
	};

	return texts[r];
}
