/*
 * server: a plan, served: listening sockets, worker threads, the collector, the resolver. Used by the command line; all of
 * it may be called from the main thread while the workers run. It logs what the user must know.
 */
#ifndef BROWNOUT_PROXY_SERVER_H
#define BROWNOUT_PROXY_SERVER_H

#include "base/text.h"
#include "config/plan.h"
#include "core/decide.h"
#include "observe/trace.h"
#include "observe/traffic.h"

struct recent;
struct collector_sink;
struct server;

#define SERVER_NAME_BYTES 128

/* One rule that is in force, and what has become of it. */
struct server_rule_count {
	char name[SERVER_NAME_BYTES]; /* cut where it is longer */
	uint64_t matched;
	uint64_t fired;
	uint64_t dry; /* would have fired */
	uint64_t refused; /* by a ceiling */
	uint64_t early; /* returns before the told wait was over */
	int64_t active; /* faults of it that act now */
};

/* An exchange that has not ended. */
struct server_exchange {
	uint64_t id;
	int64_t age_ns; /* since its first byte */
	const char *state; /* of exchange.def; static */
	char rule[SERVER_NAME_BYTES]; /* that has shaped it; empty: none */
	char upstream[SERVER_NAME_BYTES]; /* empty: none was chosen */
	char method[16];
	char target[256];
	uint16_t status; /* 0: no answer yet */
};

enum server_held {
	SERVER_HELD_KEEP, /* what faults hold now stays held to its end */
	SERVER_HELD_RELEASE, /* goes on at once, as if no rule had fired */
};

struct server_snapshot {
	struct counters total; /* summed over the workers */
	struct traffic_counts traffic; /* the same; by slot */
	uint64_t log_lost; /* lines the collector could not write */
	uint64_t keys_forgotten; /* what rules count by, and quotas: the tables were full */
};

/* What the logs do not tell of: records for which there was no room, and lines that could not be written. */
static inline uint64_t server_snapshot_lost(const struct server_snapshot *s)
{
	return atomic_load_explicit(&s->total.v[COUNTER_RECORDS_DROPPED], memory_order_relaxed) + s->log_lost;
}

/*
 * Binds every listener, starts the threads. Takes a reference to the plan. 0, or a negative errno with one clear line in
 * error. When it returns 0, connections are being accepted. The sink (NULL: none) sees every exchange that has ended,
 * in a thread of its own, and must outlive the server.
 */
int server_start(struct server **server, struct plan *plan, const struct collector_sink *sink, char *error, size_t error_n)
	MUST_USE;

unsigned server_workers(const struct server *s);

/* ---- what is in force: any thread ---- */

/* The caller's reference, to be given back by plan_unref. */
struct plan *server_plan_ref(struct server *s);
/* 1 at start, one more with each reload. */
uint64_t server_generation(const struct server *s);
/* "127.0.0.1:8080", with the real port, of listener i; nothing where there is none. */
void server_listener_address(struct server *s, unsigned i, struct text *out);
/* Fills in at most max rules, in their order. Returns how many there are. */
unsigned server_rules(struct server *s, struct server_rule_count *v, unsigned max);
/* Asks the workers, and waits for them; of those that are late none is there. Returns how many were filled in. -ENOMEM */
int server_exchanges(struct server *s, struct server_exchange *v, unsigned max) MUST_USE;

/*
 * Which workers have not done what they were last asked for: "worker 1" or "workers 0, 1"; returns how many. They are stuck, or
 * the machine is; they do it when they come round.
 */
unsigned server_late_workers(struct server *s, struct text *out);

/* ---- changing it: any thread; each returns when every worker has taken it over, or is late (errand.h) ---- */

/*
 * Serves this plan from now on. Takes a reference. Listeners that are new are bound first; where that fails nothing has changed:
 * negative errno with one clear line in error. Listeners that are gone close, and their clients finish what they have begun;
 * so do exchanges, by the rules that they began with. A seed that the plan does not give stays what it was. notes gets a line
 * for each key that takes effect only at the next start. -ESHUTDOWN while stopping; -EBUSY where a worker does not come round.
 */
int server_reload(struct server *s, struct plan *plan, struct text *notes, char *error, size_t error_n) MUST_USE;
/*
 * No fault is decided after this has returned, until server_arm: but for those of workers that are late, which may still decide
 * one until they come round. Returns how many these are.
 */
unsigned server_disarm(struct server *s, enum server_held held) MUST_USE;
/* Faults again; schedules count from now. Returns how many workers are late. */
unsigned server_arm(struct server *s) MUST_USE;
bool server_is_armed(const struct server *s);
/* Counts of rules begin at 0, keys and quotas are forgotten. */
void server_reset_counts(struct server *s);
/* To be called now and then: frees what reloads have left and nobody uses any more. */
void server_tidy(struct server *s);

/* ---- the end ---- */

/* The last exchanges, while the plan has an admin listener; else NULL. */
struct recent *server_recent(struct server *s);

/* Stops accepting; open exchanges go on, kept connections are closed as they fall idle, at most limits.drain. */
void server_drain(struct server *s);
/* True once all workers have ended by themselves after server_drain (or the drain time is over and they were cut). */
bool server_is_done(const struct server *s);
bool server_is_draining(const struct server *s);
/*
 * Cuts what is still open; returns when all workers have ended. May be called without server_drain. -ETIMEDOUT: one has not for
 * SERVER_STOP_NS, and *late (NULL: nobody asks) is its number. It may still use whatever there is: then nothing is to be freed,
 * and the program must end without it.
 */
#define SERVER_STOP_NS (5 * NS_PER_S)
int server_stop(struct server *s, unsigned *late);
/* Logs opened anew, for rotation. */
void server_reopen_logs(struct server *s);
/* The negative errno of one that could not be, since the last call; 0: none. */
int server_reopen_error(struct server *s);

/*
 * True where each worker has come round since the last call, or has ended; then asks them anew. Waits for nothing. For one
 * caller: what the watchdog of a service manager is patted by.
 */
bool server_comes_round(struct server *s);

/* After server_stop: waits until log, trace and sink have every exchange. */
void server_flush_records(struct server *s);
/* After server_stop: what the trace is to say of how it ended (stopped, where nobody says anything). */
void server_set_end(struct server *s, enum trace_end end);

/* Any time until server_free. */
void server_snapshot(struct server *s, struct server_snapshot *snapshot);
/*
 * All that brownout help metrics lists, as OpenMetrics or in Prometheus' text format. Any thread but the workers'; it reads
 * /proc. out is cut where memory is out.
 */
void server_write_metrics(struct server *s, bool openmetrics, struct text *out);
/* For metrics: the rule file was read again, and is in force now, or was refused. Any thread. */
void server_note_file(struct server *s, bool in_force);

/* After server_stop. */
void server_free(struct server *s);

#endif
