/*
 * live_rehearsal: judges the clients while brownout serves them: what the rule file expects, and the sink that takes
 * every exchange.
 */
#ifndef BROWNOUT_CLI_LIVE_REHEARSAL_H
#define BROWNOUT_CLI_LIVE_REHEARSAL_H

#include "observe/collector.h"
#include "proxy/server.h"
#include "rehearsal/live.h"

struct live_rehearsal;

/* By the plan's expect and observe, for its rules. NULL where memory is out. */
struct live_rehearsal *live_rehearsal_new(const struct plan *plan) MUST_USE;
/* After server_free. NULL is fine. */
void live_rehearsal_free(struct live_rehearsal *r);

/* For serve_options.sink. */
const struct collector_sink *live_rehearsal_sink(const struct live_rehearsal *r);
/* The verdict so far, with the seed and the rules' hash. Any thread, while the server runs. out wants verdict_deinit. -ENOMEM */
int live_rehearsal_so_far(struct live_rehearsal *r, struct server *server, struct verdict *out) MUST_USE;
/* The last one. After server_stop; end: how it came to that. */
int live_rehearsal_finish(struct live_rehearsal *r, struct server *server, enum judge_end end, struct verdict *out) MUST_USE;

#endif
