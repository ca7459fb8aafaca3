/*
 * responder: an upstream that answers by itself, on threads of its own, for tests that have their hands full with the client's
 * side. A thread of it never fails a test: whoever does not get what it should fails by itself.
 *
 *   /length    2000 bytes of a known length        /chunked   the same in chunks
 *   /to-end    the same until the connection ends  /hints     103 before it
 *   /early     503 before the request has ended    /large     4 MiB
 *   an offered upgrade: 101, then everything back as it came
 *   anything else: 200 once the whole request is there
 */
#ifndef HARNESS_RESPONDER_H
#define HARNESS_RESPONDER_H

#include "harness/crew.h"

struct responder {
	uint16_t port;
	_Atomic unsigned n_requests; /* begun */
	struct crew crew;
};

void responder_start(struct responder *r);
/* Waits for its connections to end, which the program under test must have closed. */
void responder_stop(struct responder *r);

#endif
