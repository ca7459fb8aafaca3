/*
 * load: client and origin in one thread that never sleeps (epoll with timeout 0 on a core of its own), so that the
 * subject pays for its own work and not for waking its peers. Sends GETs through the subject, checks status and length
 * of each answer, serves them at the other end from memory, and prints one line of JSON. Loopback only; every run is
 * bounded by count and by time.
 *
 * Phases: connect, warm up, measure, end. With a count of requests the warm-up runs dry before the measurement starts
 * and exactly that many requests fall into it.
 */
#ifndef BROWNOUT_BENCH_LOAD_H
#define BROWNOUT_BENCH_LOAD_H

#include "answer.h"
#include "base/base.h"
#include "base/list.h"

#define LOAD_WATCHED_MAX 8
#define LOAD_RECEIVE_BYTES (256 * 1024)
#define LOAD_KEYS_MAX 99999999 /* eight digits in each request */
#define LOAD_PIPELINED_MAX 64

/* X(ID, "name"): who attacks the subject meanwhile */
#define LOAD_ATTACKS_TABLE(X)                                                                                                   \
	X(NONE, "none") X(SILENT, "silent") X(SLOW_HEADS, "slow-heads") X(SLOW_BODIES, "slow-bodies")                           \
	X(SLOW_READERS, "slow-readers") X(PIPELINE, "pipeline") X(STORM, "storm")

enum load_attack {
#define X(id, name) LOAD_ATTACK_##id,
	LOAD_ATTACKS_TABLE(X)
#undef X
	LOAD_ATTACKS,
};

/* What an epoll event points at; first member of a connection. */
struct source {
	void (*on_event)(struct source *self, uint32_t events);
};

struct load_options {
	int64_t target_port; /* the subject; 0: the origin itself */
	int64_t origin_port; /* 0: chosen by the kernel */
	int64_t core;	     /* negative: not pinned */
	int64_t probe_core;  /* the subject's; negative: no probe */
	int64_t connections;
	int64_t body_bytes;
	bool chunked;
	int64_t rate; /* requests per second, Poisson; 0: closed loop */
	int64_t warmup_ns;
	int64_t duration_ns; /* of the measurement, where requests is 0 */
	int64_t requests;
	int64_t delay_ns;   /* intended by the subject: measure its error */
	bool hold;	    /* send one request each, expect no answer, wait */
	bool reconnect;	    /* a new connection for each request */
	bool allow_aborted; /* 503 is as good as 200 */
	bool only_aborted;  /* every answer must be 503 */
	int64_t keys;	    /* each request brings one of so many, drawn evenly, in X-Key; 0: none */
	int64_t pipelined;  /* requests sent at once on a connection, the next ones when all are answered */
	int64_t attack;	    /* enum load_attack */
	bool patient;	    /* sleep where there is nothing to do */
	bool gate;	    /* ask standard input before the measurement and before the end */
	int64_t limit_ns;   /* of the whole run */
	int64_t watched[LOAD_WATCHED_MAX];
	unsigned watched_count;
};

enum load_phase {
	LOAD_CONNECTING,
	LOAD_WARMING,
	LOAD_DRAINING, /* no new requests until all are answered */
	LOAD_MEASURING,
	LOAD_ENDED,
};

/* Values in nanoseconds, kept one by one up to a bound that no run of ours reaches, sorted when asked. */
struct samples {
	int64_t *values;
	uint64_t count;
	uint64_t lost; /* beyond the bound */
};

/* CPU time and time spent runnable but waiting, of all threads of the watched processes. */
struct cpu {
	int64_t run_ns;
	int64_t wait_ns;
};

/* How fast the machine is now: what a system call costs on the subject's core, and a cache line going to it and back. */
struct probe {
	double syscall_ns;
	double line_ns;
};

struct load_counts {
	int64_t completed;
	int64_t aborted; /* of them: 503 */
	int64_t content_bytes;
	int64_t errors;
};

struct load {
	struct load_options options;
	int epoll_fd;
	enum load_phase phase;
	int64_t now_ns; /* read once per round; what is measured reads the clock itself */
	int64_t phase_since_ns;
	int64_t progress_ns; /* the last answer */

	struct client *clients;
	struct list idle; /* clients that wait for the next request, longest first */
	int64_t opened; /* clients whose first connect was started */
	int64_t connected;
	int64_t in_flight;
	int64_t issued; /* requests of this phase */
	int64_t due_ns; /* open loop: when the next request is due */
	uint64_t random;
	unsigned source_turn;
	char *request; /* as often as requests are sent at once */
	size_t request_bytes;
	char *key; /* its digits in the request; NULL: there is none */
	char *receive;

	struct load_counts counts; /* of the measurement */
	const char *first_error;
	struct samples latency;	    /* from due (open loop) or sent to the end of the answer */
	struct samples delay_error; /* from sent to the first byte, less the intended delay */
	int64_t measured_ns;
	struct cpu cpu_before, cpu_after, self_before, self_after;
	struct probe probe_before, probe_after;
};

/* The one load of the process. */
extern struct load load;

/* load_client.c */
void clients_init(void);
/* Opens further connections, at most some at a time. */
void clients_connect(void);
/* Sends what may be sent now. */
void clients_issue(void);
void clients_start_phase(enum load_phase phase);

/* load_attack.c */
extern const char *const load_attack_names[LOAD_ATTACKS];
void attack_init(void);
/* All of them are connected. */
bool attack_is_whole(void);
/* The little that is done for them in one round. */
void attack_turn(void);

/* load_origin.c: listens on *port (0: any). */
void origin_init(uint16_t *port);
/* Requests that the origin did not understand: the subject garbled them. */
int64_t origin_bad_requests(void);

/* load_report.c */
void samples_init(struct samples *s);
void samples_add(struct samples *s, int64_t value_ns);
void cpu_read(struct cpu *cpu, const int64_t *pids, unsigned count);
struct probe probe_run(int64_t core);
void report_print(void);

#endif
