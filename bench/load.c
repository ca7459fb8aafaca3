/*
 * load: command line, the loop that never sleeps, and the phases. See load.h.
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "sock.h"

#define EVENTS_MAX 512
#define PATIENCE_MS 10 /* phases change by time, too */
#define STALL_NS (20 * NS_PER_S)	/* no answer for so long: give up */
#define HOLD_SETTLE_NS (500 * NS_PER_MS) /* after the last held request was sent */

struct load load;

static void read_options(struct load_options *o, int argc, char **argv)
{
	const struct arg table[] = {
		{"target", "port of the proxy; default 0: none, straight to the origin", .number = &o->target_port,
			.max = UINT16_MAX},
		{"origin", "port of the origin; default 0, a free one", .number = &o->origin_port, .max = UINT16_MAX},
		{"connections", "kept alive; default 64", .number = &o->connections, .min = 1, .max = 60000},
		{"bytes", "body of each answer; default 1024", .number = &o->body_bytes, .max = 64 << 20},
		{"chunked", "sent in chunks", .flag = &o->chunked},
		{"rate", "requests per second, open loop; default 0: closed loop", .number = &o->rate, .max = 1000000},
		{"warmup-ms", "before the measurement; default 300, 0: not one request", .number = &o->warmup_ns, .max = 60000,
			.scale = NS_PER_MS},
		{"duration-ms", "of the measurement; default 1000", .number = &o->duration_ns, .min = 1, .max = 600000,
			.scale = NS_PER_MS},
		{"requests", "measure exactly so many instead", .number = &o->requests, .min = 1, .max = 1000000000},
		{"delay-ms", "the proxy's intended delay: measure its error", .number = &o->delay_ns, .min = 1, .max = 600000,
			.scale = NS_PER_MS},
		{"hold", "one request a connection, no answer expected; then wait for standard input", .flag = &o->hold},
		{"reconnect", "a new connection for each request", .flag = &o->reconnect},
		{"allow-aborted", "503 counts as an answer, too", .flag = &o->allow_aborted},
		{"only-aborted", "every answer must be 503", .flag = &o->only_aborted},
		{"keys", "each request brings one of so many keys in X-Key; default 0: none", .number = &o->keys,
			.max = LOAD_KEYS_MAX},
		{"pipelined", "requests sent at once on a connection; default 1", .number = &o->pipelined, .min = 1,
			.max = LOAD_PIPELINED_MAX},
		{"attack",
			"what others do meanwhile: silent, slow-heads, slow-bodies, slow-readers, pipeline, storm; default none",
			.number = &o->attack, .names = load_attack_names, .max = LOAD_ATTACKS - 1},
		{"patient", "sleep where there is nothing to do, and leave the core to others", .flag = &o->patient},
		{"gate", "say \"ready\" and wait for a line before measuring, for another before leaving", .flag = &o->gate},
		{"limit-s", "bound of the whole run; default 120", .number = &o->limit_ns, .min = 1, .max = 3600,
			.scale = NS_PER_S},
		{"core", "run on this core", .number = &o->core, .max = 1023},
		{"probe-core", "probe the machine with this core before and after", .number = &o->probe_core, .max = 1023},
		{"watch", "PID whose CPU time is counted; may be repeated", .number = o->watched, .min = 1, .max = INT32_MAX,
			.count = &o->watched_count, .room = LOAD_WATCHED_MAX},
	};

	args_read(argc, argv, "GETs through a proxy on 127.0.0.1 and is its upstream; prints JSON.", table, ARRAY_LEN(table));
}

/* Sleeps until whoever drives us has said go on, or has left. Nothing is in flight then, or all of it is held. */
static void gate(const char *say)
{
	char line[64];

	printf("%s\n", say);
	if (fflush(stdout) != 0)
		die("standard output");
	while (!fgets(line, sizeof(line), stdin) && !feof(stdin) && errno == EINTR)
		clearerr(stdin);
	load.now_ns = clock_mono_ns();
}

static void read_cpu(struct cpu *subject, struct cpu *self)
{
	const int64_t pid = getpid();

	cpu_read(subject, load.options.watched, load.options.watched_count);
	cpu_read(self, &pid, 1);
}

static void start_measuring(void)
{
	if (load.options.gate)
		gate("ready");
	read_cpu(&load.cpu_before, &load.self_before);
	load.now_ns = clock_mono_ns();
	clients_start_phase(LOAD_MEASURING);
}

static void end_measuring(void)
{
	load.measured_ns = load.now_ns - load.phase_since_ns;
	read_cpu(&load.cpu_after, &load.self_after);
	load.phase = LOAD_ENDED;
}

/* The next phase, where its time has come. */
static void step_phase(void)
{
	const struct load_options *o = &load.options;
	const int64_t in_phase_ns = load.now_ns - load.phase_since_ns;

	switch (load.phase) {
	case LOAD_CONNECTING:
		clients_connect();
		if (load.connected == o->connections && attack_is_whole())
			clients_start_phase(o->warmup_ns || o->hold ? LOAD_WARMING : LOAD_DRAINING);
		break;
	case LOAD_WARMING:
		if (o->hold ? load.in_flight == o->connections && in_phase_ns > HOLD_SETTLE_NS : in_phase_ns > o->warmup_ns)
			clients_start_phase(LOAD_DRAINING);
		break;
	case LOAD_DRAINING:
		if (o->hold)
			load.phase = LOAD_ENDED;
		else if (!o->requests || !load.in_flight)
			start_measuring();
		break;
	case LOAD_MEASURING:
		if (o->requests ? load.counts.completed >= o->requests : in_phase_ns >= o->duration_ns)
			end_measuring();
		break;
	case LOAD_ENDED:
		break;
	}
	if (load.phase != LOAD_ENDED && load.now_ns - load.progress_ns > STALL_NS) {
		errno = ETIMEDOUT;
		die(load.first_error ? load.first_error : "no answer");
	}
}

static void turn_once(void)
{
	struct epoll_event events[EVENTS_MAX];
	/* Requests of an open loop fall due without an event. */
	const int wait_ms = load.options.patient && !load.options.rate ? PATIENCE_MS : 0;
	const int n = epoll_wait(load.epoll_fd, events, EVENTS_MAX, wait_ms);

	if (n < 0 && errno != EINTR)
		die("epoll_wait");
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		source->on_event(source, events[i].events);
	}
	load.now_ns = clock_mono_ns();
}

/* Holds all requests until standard input speaks; then says how many were still held. */
static void hold(void)
{
	gate("held");
	turn_once();
	printf("{\"held\": %lld, \"errors\": %lld, \"first_error\": \"%s\"}\n", (long long)load.in_flight,
		(long long)load.counts.errors, load.first_error ? load.first_error : "");
}

int main(int argc, char **argv)
{
	struct load_options *o = &load.options;
	int64_t end_ns;
	uint16_t port;

	*o = (struct load_options){
		.core = -1,
		.probe_core = -1,
		.connections = 64,
		.body_bytes = 1024,
		.pipelined = 1,
		.warmup_ns = 300 * NS_PER_MS,
		.duration_ns = NS_PER_S,
		.limit_ns = 120 * NS_PER_S,
	};
	read_options(o, argc, argv);
	if (o->pipelined > 1 && (o->keys || o->rate || o->reconnect || o->hold)) {
		errno = EINVAL;
		die("--pipelined goes with a closed loop of requests that are all the same");
	}
	sock_raise_fd_limit();
	sock_pin_core(o->core);
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll_fd < 0)
		die("epoll_create1");
	port = (uint16_t)o->origin_port;
	origin_init(&port);
	if (!o->target_port)
		o->target_port = port;
	clients_init();
	attack_init();
	samples_init(&load.latency);
	samples_init(&load.delay_error);
	if (o->probe_core >= 0)
		load.probe_before = probe_run(o->probe_core);

	load.random = (uint64_t)clock_mono_ns() | 1;
	load.now_ns = clock_mono_ns();
	end_ns = load.now_ns + o->limit_ns;
	clients_start_phase(LOAD_CONNECTING);
	while (load.phase != LOAD_ENDED) {
		turn_once();
		if (load.now_ns > end_ns) {
			errno = ETIMEDOUT;
			die("run");
		}
		step_phase();
		clients_issue();
		attack_turn();
	}
	if (o->hold) {
		hold();
		return 0;
	}
	if (o->probe_core >= 0)
		load.probe_after = probe_run(o->probe_core);
	report_print();
	if (o->gate)
		gate("done");
	return 0;
}
