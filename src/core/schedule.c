/*
 * schedule: windows, ramps and bursts. Integers only.
 */
#include "core/schedule.h"

#include "core/random.h"

bool schedule_is_open(const struct rule_schedule *s, int64_t since_ns, int64_t *into_ns)
{
	int64_t into = since_ns - s->start_after_ns;

	*into_ns = 0;
	if (since_ns < s->start_after_ns || (s->ttl_ns && since_ns >= s->ttl_ns))
		return false;
	if (s->period_ns)
		into %= s->period_ns;
	*into_ns = into;
	return s->duration_ns == 0 || into < s->duration_ns;
}

uint32_t schedule_percentage(const struct rule *r, int64_t into_ns)
{
	const struct rule_schedule *s = &r->schedule;
	uint32_t low = MIN(s->ramp_from, r->percentage), high = MAX(s->ramp_from, r->percentage);
	int64_t over = s->ramp_over_ns;
	uint64_t risen;

	if (into_ns >= over)
		return r->percentage;
	/* From the lower end in both directions, so that a falling ramp rounds down too. */
	if (s->ramp_from > r->percentage)
		into_ns = over - into_ns;
	risen = (uint64_t)((__extension__ (unsigned __int128)(high - low)) * (uint64_t)into_ns / (uint64_t)over);
	return low + (uint32_t)risen;
}

bool schedule_burst_is_bad(uint64_t seed, const struct rule *r, uint64_t key_hash, uint64_t occurrence)
{
	uint64_t last = occurrence > SCHEDULE_BURST_STEPS ? occurrence - SCHEDULE_BURST_STEPS : 0;
	uint64_t enter = r->schedule.burst_enter;
	uint64_t leave_from = -r->schedule.burst_leave; /* 2^64 - leave; 0 where it never leaves */
	bool flipped = false;

	if (enter == 0)
		return false;
	for (uint64_t k = occurrence; k > last; k--) {
		uint64_t u = random_word(seed, r->name_hash, key_hash, k, RANDOM_WORD_BURST);
		bool turns_bad = u < enter || enter == UINT64_MAX;
		bool turns_good = r->schedule.burst_leave && (u >= leave_from || leave_from == 1);

		/* Bad from both states, good from both, the other one from both, or as it was. */
		if (turns_bad != turns_good)
			return turns_bad != flipped;
		flipped ^= turns_bad;
	}
	return flipped;
}
