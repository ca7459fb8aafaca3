/*
 * admin_history: what each of the last seconds brought, as differences of the server's counts. The admin's thread alone.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_HISTORY_H
#define BROWNOUT_ADMIN_ADMIN_HISTORY_H

#include "base/json.h"
#include "proxy/server.h"

#define ADMIN_HISTORY_SECONDS 600
#define ADMIN_CLASSES 5 /* 1xx to 5xx */

struct admin_sample {
	int64_t wall_ns; /* the end of the second */
	uint64_t requests;
	uint64_t answers[ADMIN_CLASSES];
	uint64_t faults;
	uint64_t failures; /* of upstreams */
	int64_t active;
	int64_t held;
	uint64_t delays; /* that came to their end */
	double delay_intended_s; /* mean of these; 0 where there are none */
	double delay_actual_s;
};

struct admin_history {
	struct admin_sample v[ADMIN_HISTORY_SECONDS];
	unsigned n; /* samples there are */
	unsigned next; /* place of the next one */
	struct server_snapshot last; /* that the next sample is the difference to */
	struct server_snapshot now;
};

/* NULL where memory is out. The first second begins now. */
struct admin_history *admin_history_new(struct server *server) MUST_USE;
void admin_history_free(struct admin_history *h);

/* Once a second. h->now is the server's state of this moment then. */
void admin_history_take(struct admin_history *h, struct server *server);

/* The members of a sample, into an object that is open. back: 0 is the newest, h->n - 1 the oldest. */
void admin_history_write(struct json *j, const struct admin_history *h, unsigned back);
/* All that ended after this Unix time, the oldest first, as an array; after a sample of this very time all that came after it. */
void admin_history_write_since(struct json *j, const struct admin_history *h, int64_t wall_ns);

#endif
