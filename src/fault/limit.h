/*
 * limit: the header fields that tell a client of its quota, from what the limiter said of its request. The same on refusals and
 * on what passes. Durations and instants are rounded up: who waits as told is not refused for coming a fraction too early.
 */
#ifndef BROWNOUT_FAULT_LIMIT_H
#define BROWNOUT_FAULT_LIMIT_H

#include "base/text.h"
#include "core/limiter.h"

/*
 * Whole lines, by limit->headers:
 *	ietf: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10), one policy named "default". Of a quota on
 *		concurrency neither window nor reset is known, and none is told.
 *	legacy: RateLimit-Limit, -Remaining, -Reset (seconds from now), of that draft's early versions.
 *	github: x-ratelimit-limit, -remaining, -used, -reset (seconds of the epoch).
 * And where verdict->warn is set X-RateLimit-Warning, whatever limit->headers says. unix_now_ns is the wall clock's time.
 */
void fault_limit_put_headers(struct text *out, const struct fault_limit *limit, const struct limit_verdict *verdict,
	int64_t unix_now_ns);

/* The line Retry-After of a refusal, or nothing: what limit->hint wants, of a wait that was drawn already. */
void fault_limit_put_retry_after(struct text *out, const struct fault_limit *limit, int64_t retry_after_ns, int64_t unix_now_ns);

#endif
