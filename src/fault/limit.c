/*
 * limit: quotas as header fields.
 */
#include "fault/limit.h"

#include "fault/answer.h"

static uint64_t seconds_up(int64_t ns)
{
	return ns <= 0 ? 0 : (uint64_t)(ns / NS_PER_S + (ns % NS_PER_S > 0));
}

static uint64_t unix_seconds_up(int64_t wait_ns, int64_t unix_now_ns)
{
	int64_t wait = MAX(wait_ns, 0);

	return seconds_up(wait > INT64_MAX - unix_now_ns ? INT64_MAX : unix_now_ns + wait);
}

static void put_number(struct text *out, const char *name_and_colon, uint64_t value)
{
	text_put_string(out, name_and_colon);
	text_put_u64(out, value);
	text_put_literal(out, "\r\n");
}

static void put_ietf(struct text *out, const struct fault_limit *limit, const struct limit_verdict *verdict)
{
	bool concurrency = limit->algorithm == LIMIT_CONCURRENCY;

	text_put_literal(out, "RateLimit-Policy: \"default\";q=");
	text_put_u64(out, verdict->limit);
	if (concurrency) {
		text_put_literal(out, ";qu=\"concurrent-requests\"");
	} else {
		text_put_literal(out, ";w=");
		text_put_u64(out, seconds_up(limit->window_ns));
	}
	text_put_literal(out, "\r\nRateLimit: \"default\";r=");
	text_put_u64(out, verdict->remaining);
	if (!concurrency) {
		/* Of a refusal it is not later than what Retry-After says. */
		text_put_literal(out, ";t=");
		text_put_u64(out, seconds_up(verdict->refused ? verdict->retry_ns : verdict->reset_ns));
	}
	text_put_literal(out, "\r\n");
}

void fault_limit_put_headers(struct text *out, const struct fault_limit *limit, const struct limit_verdict *verdict,
	int64_t unix_now_ns)
{
	uint64_t used = verdict->limit - MIN(verdict->remaining, verdict->limit);

	switch (limit->headers) {
	case LIMIT_HEADERS_NONE:
		break;
	case LIMIT_HEADERS_IETF:
		put_ietf(out, limit, verdict);
		break;
	case LIMIT_HEADERS_LEGACY:
		put_number(out, "RateLimit-Limit: ", verdict->limit);
		put_number(out, "RateLimit-Remaining: ", verdict->remaining);
		put_number(out, "RateLimit-Reset: ", seconds_up(verdict->reset_ns));
		break;
	case LIMIT_HEADERS_GITHUB:
		put_number(out, "x-ratelimit-limit: ", verdict->limit);
		put_number(out, "x-ratelimit-remaining: ", verdict->remaining);
		put_number(out, "x-ratelimit-used: ", used);
		put_number(out, "x-ratelimit-reset: ", unix_seconds_up(verdict->reset_ns, unix_now_ns));
		break;
	}
	if (verdict->warn && !verdict->refused) {
		text_put_literal(out, "X-RateLimit-Warning: ");
		text_put_u64(out, used);
		text_put_literal(out, " of ");
		text_put_u64(out, verdict->limit);
		text_put_literal(out, " used\r\n");
	}
}

void fault_limit_put_retry_after(struct text *out, const struct fault_limit *limit, int64_t retry_after_ns, int64_t unix_now_ns)
{
	switch (limit->hint) {
	case LIMIT_HINT_AUTO:
	case LIMIT_HINT_RANGE:
		fault_answer_put_wait(out, RETRY_AFTER_SECONDS, retry_after_ns, unix_now_ns);
		break;
	case LIMIT_HINT_DATE:
		fault_answer_put_wait(out, RETRY_AFTER_DATE, retry_after_ns, unix_now_ns);
		break;
	case LIMIT_HINT_NONE:
		break;
	}
}
