/*
 * fuzz_trace: any bytes as the lines of a trace. A line is taken or refused in words; what is taken keeps to the bounds that
 * the comparisons rely on.
 */
#include <assert.h>

#include "fuzz.h"
#include "observe/trace_plain.h"

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

/* What the fast way takes, the thorough way takes as well, and alike. White space in front is not plain. */
static void check_plain(struct span text)
{
	static struct trace_line plain, thorough;
	char error[TRACE_ERROR_BYTES] = "";
	struct text spaced;

	if (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n >= TRACE_LINE_BYTES_MAX || !trace_read_plain(text, &plain))
		return;
	text_init(&spaced);
	text_put_char(&spaced, ' ');
	text_put_span(&spaced, text);
	assert(trace_read_line(text_span(&spaced), &thorough, error) == 0);
	assert(span_eq(plain.id, thorough.id) && plain.n_decisions == thorough.n_decisions);
	for (unsigned i = 0; i < plain.n_decisions; i++) {
		const struct decision *a = &plain.decisions[i].decision, *b = &thorough.decisions[i].decision;

		assert(span_eq(plain.decisions[i].rule, thorough.decisions[i].rule));
		assert(a->phase == b->phase && a->outcome == b->outcome && a->choice == b->choice && a->early == b->early);
		assert(a->key_hash == b->key_hash && a->occurrence == b->occurrence && a->draw == b->draw);
		assert(a->threshold == b->threshold && a->since_ns == b->since_ns);
	}
#define EQUAL_TEXT(a, b) span_eq(a, b)
#define EQUAL_COUNT(a, b) ((a) == (b))
#define EQUAL_US EQUAL_COUNT
#define EQUAL_WAIT EQUAL_COUNT
#define EQUAL_HASH EQUAL_COUNT
#define EQUAL_FLAG EQUAL_COUNT
#define MEMBER(kind, name, help) assert(EQUAL_##kind(plain.exchange.name, thorough.exchange.name));
#include "observe/trace_exchange.def"
#undef MEMBER
	trace_line_deinit(&thorough);
	text_deinit(&spaced);
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
	case TRACE_CLOSING: assert(line.end > TRACE_END_UNKNOWN && line.end < TRACE_END_COUNT); break;
	case TRACE_EXCHANGE: check_exchange(&line); break;
	}
	trace_line_deinit(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of((const char *)data, size);

	while (rest.n) {
		struct span line = span_first(rest, span_find(rest, '\n') + 1);

		check_plain(line);
		check_line(line);
		rest = span_skip(rest, line.n);
	}
	return 0;
}
