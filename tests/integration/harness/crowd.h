/*
 * crowd: many clients at once, each asking one request after the other on its own connection, on threads of their own.
 * Request number i carries "X-Id: i"; what came of it is known by its number, whoever sent it and in whichever order.
 */
#ifndef HARNESS_CROWD_H
#define HARNESS_CROWD_H

#include "harness/rig.h"

#define CROWD_CONNECTIONS_MAX 256

struct crowd {
	struct rig *rig;
	const char *target;
	unsigned n_connections;
	unsigned n_requests;
	unsigned short *status; /* by request number; 0: the connection ended without an answer. Owned, crowd_free */
	unsigned n_broken; /* answers that were not whole or did not come in time: 0 in a good run */
};

/* Sends all and waits for all. rig, target and both numbers are set. */
void crowd_run(struct crowd *c);
void crowd_free(struct crowd *c);
/* How many got this status. */
unsigned crowd_count(const struct crowd *c, unsigned status);

#endif
