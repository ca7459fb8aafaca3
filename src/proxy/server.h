/*
 * server: a plan, served: listening sockets, worker threads, the collector, the resolver. Used by the command line; all of
 * it may be called from the main thread while the workers run. It logs what the user must know.
 */
#ifndef BROWNOUT_PROXY_SERVER_H
#define BROWNOUT_PROXY_SERVER_H

#include "base/text.h"
#include "config/plan.h"
#include "core/decide.h"
#include "observe/traffic.h"

struct server;

struct server_rule_count {
	const struct rule *rule;
	uint64_t matched;
	uint64_t fired;
	uint64_t dry; /* would have fired */
	uint64_t refused; /* by a ceiling */
	uint64_t early; /* returns before the told wait was over */
};

struct server_snapshot {
	struct counters total; /* summed over the workers */
	struct traffic_counts traffic; /* the same; by the slots of server_traffic */
	uint64_t log_lost; /* lines the collector could not write */
	uint64_t keys_forgotten; /* what rules count by, and quotas: the tables were full */
};

/*
 * Binds every listener, starts the threads. Takes a reference to the plan. 0, or a negative errno with one clear line in
 * error. When it returns 0, connections are being accepted.
 */
int server_start(struct server **server, struct plan *plan, char *error, size_t error_n) MUST_USE;

unsigned server_workers(const struct server *s);
uint64_t server_seed(const struct server *s);
/* "127.0.0.1:8080", with the real port, of the plan's listener i. */
void server_listener_address(const struct server *s, unsigned i, struct text *out);

/* Stops accepting; open exchanges go on, kept connections are closed as they fall idle, at most limits.drain. */
void server_drain(struct server *s);
/* True once all workers have ended by themselves after server_drain (or the drain time is over and they were cut). */
bool server_is_done(const struct server *s);
bool server_is_draining(const struct server *s);
/* Cuts what is still open; returns when all threads have ended. May be called without server_drain. */
void server_stop(struct server *s);
/* Logs opened anew, for rotation. */
void server_reopen_logs(struct server *s);

/*
 * True where each worker has come round since the last call, or has ended; then asks them anew. Waits for nothing. For one
 * caller: what the watchdog of a service manager is patted by.
 */
bool server_comes_round(struct server *s);

/* Any time until server_free. */
void server_snapshot(const struct server *s, struct server_snapshot *snapshot);
const struct traffic *server_traffic(const struct server *s);
unsigned server_rule_count(const struct server *s);
void server_rule(const struct server *s, unsigned i, struct server_rule_count *count);
const struct plan *server_plan(const struct server *s);

/* After server_stop. */
void server_free(struct server *s);

#endif
