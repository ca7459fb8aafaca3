/*
 * pace: how fast bytes may leave towards one peer: a rate (throttle), or so many bytes after each pause (drip), or not before
 * a moment. Pure: time comes in as a number. Sending is smooth: never more at once than a small quantum, and what is sent in
 * any second is at most the rate and one quantum.
 */
#ifndef BROWNOUT_PROXY_PACE_H
#define BROWNOUT_PROXY_PACE_H

#include "base/base.h"

/* A throttled stream is sent in pieces of this much time, but not less than a byte. */
#define PACE_QUANTUM_NS (20 * NS_PER_MS)

struct pace {
	uint64_t rate; /* bytes per second; 0: none */
	uint32_t drip_bytes; /* 0: none */
	int64_t drip_every_ns;
	int64_t next_ns; /* CLOCK_MONOTONIC: nothing leaves before it */
};

static inline bool pace_is_set(const struct pace *p)
{
	return p->rate || p->drip_bytes || p->next_ns;
}

/* How many bytes may leave now; 0 before next_ns. */
size_t pace_allows(const struct pace *p, int64_t now_ns);
/* n bytes have left. */
void pace_took(struct pace *p, size_t n, int64_t now_ns);

#endif
