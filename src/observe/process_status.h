/*
 * process_status: what the kernel says of the process: descriptors, memory, processor time. Reads /proc: not for an event loop.
 */
#ifndef BROWNOUT_OBSERVE_PROCESS_STATUS_H
#define BROWNOUT_OBSERVE_PROCESS_STATUS_H

#include "base/base.h"

/* A number is 0 where it cannot be known. */
struct process_status {
	uint64_t open_fds;
	uint64_t max_fds; /* the limit in force; UINT64_MAX: none */
	uint64_t resident_bytes;
	int64_t cpu_ns; /* of all threads */
};

void process_status_read(struct process_status *p);

#endif
