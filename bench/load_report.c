/*
 * load_report: what a run measured: samples, CPU time of the subject, how steady the machine was, and the line of JSON
 * that bench/run reads.
 */
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "load.h"
#include "sock.h"

#define SAMPLES_MAX (UINT64_C(1) << 23)
#define PROBE_SYSCALLS 2000
#define PROBE_ROUND_TRIPS 2000
#define PROBE_BATCHES 5

/* ---- samples ------------------------------------------------------------------------------------------------------- */

void samples_init(struct samples *s)
{
	/* Pages come as they are written. */
	s->values = mmap(NULL, SAMPLES_MAX * sizeof(*s->values), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->values == MAP_FAILED)
		die("mmap");
}

void samples_add(struct samples *s, int64_t value_ns)
{
	if (s->count < SAMPLES_MAX)
		s->values[s->count++] = value_ns;
	else
		s->lost++;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* By nearest rank; s is sorted and not empty. */
static double percentile_us(const struct samples *s, double fraction)
{
	const uint64_t rank = (uint64_t)(fraction * (double)(s->count - 1) + 0.5);

	return (double)s->values[rank] / 1e3;
}

static void print_samples(const char *name, struct samples *s)
{
	if (!s->count)
		return;
	qsort(s->values, s->count, sizeof(*s->values), compare);
	printf(", \"%s\": {\"count\": %" PRIu64 ", \"min\": %.1f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}",
		name, s->count + s->lost, percentile_us(s, 0), percentile_us(s, 0.5), percentile_us(s, 0.99),
		percentile_us(s, 0.999), percentile_us(s, 1));
}

/* ---- CPU time ------------------------------------------------------------------------------------------------------ */

static void add_thread(struct cpu *cpu, const char *path)
{
	FILE *file = fopen(path, "re");
	int64_t run_ns;
	int64_t wait_ns;

	if (!file)
		return; /* the thread has ended */
	if (fscanf(file, "%" SCNd64 " %" SCNd64, &run_ns, &wait_ns) == 2) {
		cpu->run_ns += run_ns;
		cpu->wait_ns += wait_ns;
	}
	fclose(file);
}

void cpu_read(struct cpu *cpu, const int64_t *pids, unsigned count)
{
	char path[64];

	cpu->run_ns = 0;
	cpu->wait_ns = 0;
	for (unsigned i = 0; i < count; i++) {
		struct dirent *entry;
		DIR *tasks;

		snprintf(path, sizeof(path), "/proc/%" PRId64 "/task", pids[i]);
		tasks = opendir(path);
		if (!tasks)
			die("the watched process has ended");
		while ((entry = readdir(tasks)) != NULL) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "/proc/%" PRId64 "/task/%.16s/schedstat", pids[i], entry->d_name);
			add_thread(cpu, path);
		}
		closedir(tasks);
	}
}

/* ---- probe --------------------------------------------------------------------------------------------------------- */

/* Two threads on two cores hand a cache line to each other: even is ours, odd is theirs. */
struct probe_state {
	_Alignas(CACHE_LINE_BYTES) atomic_uint turn;
	int64_t core;
	double syscall_ns;
};

static int compare_double(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of_batches(double values[static PROBE_BATCHES])
{
	qsort(values, PROBE_BATCHES, sizeof(values[0]), compare_double);
	return values[PROBE_BATCHES / 2];
}

static void *probe_thread(void *arg)
{
	struct probe_state *state = arg;
	double batches[PROBE_BATCHES];

	sock_pin_core(state->core);
	for (size_t b = 0; b < PROBE_BATCHES; b++) {
		const int64_t start_ns = clock_mono_ns();

		for (unsigned i = 0; i < PROBE_SYSCALLS; i++)
			(void)syscall(SYS_getppid);
		batches[b] = (double)(clock_mono_ns() - start_ns) / PROBE_SYSCALLS;
	}
	state->syscall_ns = median_of_batches(batches);
	for (unsigned i = 0; i < PROBE_BATCHES * PROBE_ROUND_TRIPS; i++) {
		atomic_store_explicit(&state->turn, 2 * i + 1, memory_order_release);
		while (atomic_load_explicit(&state->turn, memory_order_acquire) == 2 * i + 1)
			;
	}
	return NULL;
}

struct probe probe_run(int64_t core)
{
	struct probe_state state = {.core = core};
	double batches[PROBE_BATCHES];
	struct probe probe = {0};
	pthread_t thread;

	atomic_init(&state.turn, 0);
	if (pthread_create(&thread, NULL, probe_thread, &state) != 0)
		die("pthread_create");
	for (unsigned b = 0, i = 0; b < PROBE_BATCHES; b++) {
		int64_t start_ns = 0;

		for (unsigned k = 0; k < PROBE_ROUND_TRIPS; k++, i++) {
			while (atomic_load_explicit(&state.turn, memory_order_acquire) != 2 * i + 1)
				;
			if (!k)
				start_ns = clock_mono_ns();
			atomic_store_explicit(&state.turn, 2 * i + 2, memory_order_release);
		}
		batches[b] = (double)(clock_mono_ns() - start_ns) / PROBE_ROUND_TRIPS;
	}
	pthread_join(thread, NULL);
	probe.syscall_ns = state.syscall_ns;
	probe.line_ns = median_of_batches(batches);
	return probe;
}

/* ---- report -------------------------------------------------------------------------------------------------------- */

void report_print(void)
{
	const struct load_counts *counts = &load.counts;

	printf("{\"completed\": %" PRId64 ", \"aborted\": %" PRId64 ", \"errors\": %" PRId64, counts->completed, counts->aborted,
		counts->errors + origin_bad_requests());
	printf(", \"content_bytes\": %" PRId64 ", \"seconds\": %.6f", counts->content_bytes, (double)load.measured_ns / 1e9);
	if (load.first_error)
		printf(", \"first_error\": \"%s\"", load.first_error);
	if (load.options.watched_count)
		printf(", \"cpu_ns\": %" PRId64 ", \"wait_ns\": %" PRId64, load.cpu_after.run_ns - load.cpu_before.run_ns,
			load.cpu_after.wait_ns - load.cpu_before.wait_ns);
	printf(", \"load_wait_ns\": %" PRId64, load.self_after.wait_ns - load.self_before.wait_ns);
	if (load.options.probe_core >= 0)
		printf(", \"syscall_ns\": [%.1f, %.1f], \"line_ns\": [%.1f, %.1f]", load.probe_before.syscall_ns,
			load.probe_after.syscall_ns, load.probe_before.line_ns, load.probe_after.line_ns);
	print_samples("latency_us", &load.latency);
	print_samples("delay_error_us", &load.delay_error);
	printf("}\n");
}
