/*
 * fuzz_trace: any bytes as the lines of a trace. A line is taken or refused in words; what is taken keeps to the bounds that
 * the comparisons rely on.
 */
#include <assert.h>

#include "observe/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct span s)
{
	return s.n <= TRACE_LINE_BYTES_MAX && (s.n == 0 || s.p) && !memchr(s.n ? s.p : "x", '\0', MAX(s.n, 1u));
}

static void check_members(const struct trace_exchange *e)
{
	assert(is_within(e->method) && is_within(e->target) && is_within(e->host) && is_within(e->client));
	assert(is_within(e->close) && is_within(e->shaped_by) && is_within(e->hint));
	assert(e->status <= UINT16_MAX && e->upstream_status <= UINT16_MAX);
	assert(e->attempt <= UINT16_MAX && e->attempts <= UINT16_MAX);
	assert(e->start >= 0 && e->at >= 0 && e->last >= 0 && e->answer >= 0 && e->end >= 0 && e->delay >= 0 && e->deadline >= 0);
	assert(e->wait >= -1 && e->quota >= -1);
	assert(MAX(MAX(e->start, e->at), MAX(e->last, e->answer)) <= TRACE_US_MAX);
	assert(MAX(MAX(e->end, e->delay), MAX(e->deadline, MAX(e->wait, e->quota))) <= TRACE_US_MAX);
}

static void check_exchange(const struct trace_line *line)
{
	check_members(&line->exchange);
	assert(is_within(line->id));
	assert(line->n_decisions <= RECORD_DECISIONS_MAX);
	for (unsigned i = 0; i < line->n_decisions; i++) {
		const struct decision *d = &line->decisions[i].decision;

		assert(is_within(line->decisions[i].rule));
		assert(d->phase == RULE_PHASE_REQUEST || d->phase == RULE_PHASE_RESPONSE);
		assert(d->outcome <= DECISION_PASSED);
		assert(d->occurrence >= 1 && d->occurrence <= INT64_MAX);
		assert(d->since_ns >= TRACE_SINCE_NS_MIN);
	}
}

static void check_line(struct span text)
{
	static struct trace_line line;
	char error[TRACE_ERROR_BYTES] = "";
	int rc = trace_read_line(text, &line, error);

	assert(rc == 0 || rc == 1);
	assert((rc == 1) == (error[0] != '\0'));
	assert(rc == 0 || memchr(error, '\0', sizeof(error)));
	for (const char *p = error; *p; p++)
		assert((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	if (rc)
		return;
	switch (line.kind) {
	case TRACE_HEADER: assert(line.n_rules <= RULESET_RULES_MAX); break;
	case TRACE_RULE: assert(is_within(line.rule)); break;
	case TRACE_EXCHANGE: check_exchange(&line); break;
	}
	trace_line_deinit(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of((const char *)data, size);

	while (rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n') + 1);

		check_line(line);
		rest = span_skip(rest, line.n);
	}
	return 0;
}
