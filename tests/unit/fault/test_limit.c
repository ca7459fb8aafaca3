/*
 * limit: what a client is told of its quota, byte for byte.
 */
#include "fault/limit.h"

#include <criterion/criterion.h>

TestSuite(limit, .timeout = 60);

#define NOW_NS (INT64_C(784111777) * NS_PER_S) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define PASSED(left, reset) { .limit = 100, .remaining = (left), .reset_ns = (reset) }
#define REFUSED(reset, retry) { .refused = true, .limit = 100, .reset_ns = (reset), .retry_ns = (retry) }

static const struct {
	enum limit_headers headers;
	enum limit_algorithm algorithm;
	int64_t window_ns;
	struct limit_verdict verdict;
	const char *lines;
} quotas[] = {
	{ LIMIT_HEADERS_NONE, LIMIT_FIXED_WINDOW, 60 * NS_PER_S, PASSED(50, 30 * NS_PER_S), "" },
	{ LIMIT_HEADERS_IETF, LIMIT_FIXED_WINDOW, 60 * NS_PER_S, PASSED(50, 30 * NS_PER_S),
		"RateLimit-Policy: \"default\";q=100;w=60\r\nRateLimit: \"default\";r=50;t=30\r\n" },
	{ LIMIT_HEADERS_IETF, LIMIT_TOKEN_BUCKET, 100 * NS_PER_MS, PASSED(99, 1),
		"RateLimit-Policy: \"default\";q=100;w=1\r\nRateLimit: \"default\";r=99;t=1\r\n" },
	{ LIMIT_HEADERS_IETF, LIMIT_TOKEN_BUCKET, 60 * NS_PER_S, REFUSED(60 * NS_PER_S, 600 * NS_PER_MS),
		"RateLimit-Policy: \"default\";q=100;w=60\r\nRateLimit: \"default\";r=0;t=1\r\n" },
	{ LIMIT_HEADERS_IETF, LIMIT_CONCURRENCY, 0, PASSED(7, 0),
		"RateLimit-Policy: \"default\";q=100;qu=\"concurrent-requests\"\r\nRateLimit: \"default\";r=7\r\n" },
	{ LIMIT_HEADERS_LEGACY, LIMIT_FIXED_WINDOW, 60 * NS_PER_S, PASSED(50, 29 * NS_PER_S + 1),
		"RateLimit-Limit: 100\r\nRateLimit-Remaining: 50\r\nRateLimit-Reset: 30\r\n" },
	{ LIMIT_HEADERS_LEGACY, LIMIT_FIXED_WINDOW, 60 * NS_PER_S, REFUSED(5 * NS_PER_S, 5 * NS_PER_S),
		"RateLimit-Limit: 100\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 5\r\n" },
	{ LIMIT_HEADERS_GITHUB, LIMIT_SLIDING_WINDOW, 3600 * NS_PER_S, PASSED(98, 1),
		"x-ratelimit-limit: 100\r\nx-ratelimit-remaining: 98\r\nx-ratelimit-used: 2\r\n"
		"x-ratelimit-reset: 784111778\r\n" },
	{ LIMIT_HEADERS_GITHUB, LIMIT_TOKEN_BUCKET, NS_PER_S, PASSED(120, 0),
		"x-ratelimit-limit: 100\r\nx-ratelimit-remaining: 120\r\nx-ratelimit-used: 0\r\n"
		"x-ratelimit-reset: 784111777\r\n" },
	{ LIMIT_HEADERS_GITHUB, LIMIT_TOKEN_BUCKET, NS_PER_S, PASSED(0, INT64_MAX),
		"x-ratelimit-limit: 100\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-used: 100\r\n"
		"x-ratelimit-reset: 9223372037\r\n" },
	{ LIMIT_HEADERS_NONE, LIMIT_FIXED_WINDOW, 60 * NS_PER_S, { .warn = true, .limit = 100, .remaining = 18 },
		"X-RateLimit-Warning: 82 of 100 used\r\n" },
	{ LIMIT_HEADERS_NONE, LIMIT_FIXED_WINDOW, 60 * NS_PER_S, { .warn = true, .refused = true, .limit = 100 }, "" },
};

static void expect_lines(const struct text *out, const char *want)
{
	cr_expect(span_eq(text_span(out), span_of_string(want)), "\n%.*s\nnot\n%s", (int)out->n, out->p, want);
}

Test(limit, is_told_byte_for_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(quotas); i++) {
		const struct fault_limit limit = { .limit = 100, .window_ns = quotas[i].window_ns,
			.algorithm = quotas[i].algorithm, .headers = quotas[i].headers };
		struct text out;

		text_init(&out);
		fault_limit_put_headers(&out, &limit, &quotas[i].verdict, NOW_NS);
		expect_lines(&out, quotas[i].lines);
		text_deinit(&out);
	}
}

static const struct {
	enum limit_hint hint;
	int64_t wait_ns;
	const char *line;
} hints[] = {
	{ LIMIT_HINT_NONE, NS_PER_S, "" },
	{ LIMIT_HINT_AUTO, 600 * NS_PER_MS, "Retry-After: 1\r\n" },
	{ LIMIT_HINT_RANGE, 2 * NS_PER_S, "Retry-After: 2\r\n" },
	{ LIMIT_HINT_DATE, 1, "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n" },
	{ LIMIT_HINT_AUTO, -1, "" },
};

Test(limit, of_a_refusal_tells_when_to_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		const struct fault_limit limit = { .hint = hints[i].hint };
		struct text out;

		text_init(&out);
		fault_limit_put_retry_after(&out, &limit, hints[i].wait_ns, NOW_NS);
		expect_lines(&out, hints[i].line);
		text_deinit(&out);
	}
}
