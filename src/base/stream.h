/*
 * stream: a descriptor that lines are written to, and that never holds its writer for long. A pipe, a socket or a terminal whose
 * other side has stopped is waited for once; what comes then is lost until there is room again, and the caller counts it. What a
 * disk does is beyond this: whoever may not wait for one leaves writing to a thread that may.
 */
#ifndef BROWNOUT_BASE_STREAM_H
#define BROWNOUT_BASE_STREAM_H

#include "base/span.h"

#define STREAM_STALL_MS 1000 /* how long one that has just filled up is waited for */

struct stream {
	int fd; /* not owned */
	bool may_stall;
	bool is_stuck; /* it was full for long: it is not waited for again before it has room */
};

void stream_init(struct stream *s, int fd);
/* How much of it was written; less than all where the other side takes no more, or where writing fails. */
size_t stream_write(struct stream *s, struct span bytes);

#endif
