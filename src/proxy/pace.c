/*
 * pace: see pace.h.
 */
#include "proxy/pace.h"

static uint64_t quantum_bytes(uint64_t rate)
{
	return MAX(rate / (uint64_t)(NS_PER_S / PACE_QUANTUM_NS), (uint64_t)1);
}

size_t pace_allows(const struct pace *p, int64_t now_ns)
{
	uint64_t n = SIZE_MAX;

	if (now_ns < p->next_ns)
		return 0;
	if (p->rate)
		n = quantum_bytes(p->rate);
	if (p->drip_bytes)
		n = MIN(n, (uint64_t)p->drip_bytes);
	return (size_t)n;
}

void pace_took(struct pace *p, size_t n, int64_t now_ns)
{
	int64_t pause = 0;
	int64_t base = p->next_ns;

	/* At most a quantum, so that the product is small where the rate is; n / rate covers the rest. */
	if (p->rate)
		pause = (int64_t)(n / p->rate) * NS_PER_S + (int64_t)(n % p->rate * (uint64_t)NS_PER_S / p->rate);
	if (p->drip_bytes)
		pause = MAX(pause, p->drip_every_ns);
	/* A wake-up that was a little late is made up for, so that the rate is met on the whole; a stream that had nothing to
	 * send for longer has no credit for that. */
	if (p->drip_bytes || now_ns - base > 2 * PACE_QUANTUM_NS)
		base = now_ns;
	p->next_ns = base + pause;
}
