/*
 * trace_plain: one pass over the bytes. Members come in the order of the writer, so each is looked for behind the last one first.
 */
#include "observe/trace_plain.h"

struct cursor {
	const char *p, *end;
};

/* ---- values ---- */

static bool take_char(struct cursor *c, char expected)
{
	if (c->p == c->end || *c->p != expected)
		return false;
	c->p++;
	return true;
}

/* Printable ASCII without escapes. */
static bool take_TEXT(struct cursor *c, struct span *value)
{
	const char *start = c->p + 1;

	if (!take_char(c, '"'))
		return false;
	while (c->p < c->end && *c->p >= ' ' && *c->p < 0x7f && *c->p != '"' && *c->p != '\\')
		c->p++;
	*value = span_of(start, (size_t)(c->p - start));
	return take_char(c, '"');
}

/* Up to sixteen digits, which no product overflows; no leading zeros, as JSON has it. */
static bool take_number(struct cursor *c, int64_t max, int64_t *value)
{
	const char *start = c->p;

	*value = 0;
	while (c->p < c->end && ascii_is_digit(*c->p) && c->p - start < 17)
		*value = *value * 10 + (*c->p++ - '0');
	if (c->p == start || c->p - start > 16 || (*start == '0' && c->p - start > 1) || *value > max)
		return false;
	return c->p < c->end && (*c->p == ',' || *c->p == '}');
}

static bool take_COUNT(struct cursor *c, uint32_t *value)
{
	int64_t n = 0;
	bool taken = take_number(c, UINT16_MAX, &n);

	*value = (uint32_t)n;
	return taken;
}

static bool take_US(struct cursor *c, int64_t *value)
{
	return take_number(c, TRACE_US_MAX, value);
}

static bool take_WAIT(struct cursor *c, int64_t *value)
{
	return take_number(c, TRACE_US_MAX, value);
}

static bool take_HASH(struct cursor *c, uint64_t *value)
{
	const char *start = c->p + 1;

	*value = 0;
	if (!take_char(c, '"'))
		return false;
	while (c->p < c->end && (ascii_is_digit(*c->p) || (*c->p >= 'a' && *c->p <= 'f'))) {
		*value = *value << 4 | (uint64_t)(ascii_is_digit(*c->p) ? *c->p - '0' : *c->p - 'a' + 10);
		c->p++;
	}
	return c->p > start && c->p - start <= 16 && take_char(c, '"');
}

static bool take_word(struct cursor *c, struct span word)
{
	if (!span_starts_with(span_of(c->p, (size_t)(c->end - c->p)), word))
		return false;
	c->p += word.n;
	return true;
}

/* The writer leaves out what is false. */
static bool take_FLAG(struct cursor *c, bool *value)
{
	*value = true;
	return take_word(c, SPAN("true"));
}

/* ---- decisions ---- */

static bool take_phase(struct cursor *c, uint8_t *phase)
{
	*phase = RULE_PHASE_REQUEST;
	if (take_word(c, SPAN("\"request\"")))
		return true;
	*phase = RULE_PHASE_RESPONSE;
	return take_word(c, SPAN("\"response\""));
}

static bool take_outcome(struct cursor *c, uint8_t *outcome)
{
	struct span word;

	if (!take_TEXT(c, &word))
		return false;
	for (unsigned i = DECISION_FIRED; i <= DECISION_PASSED; i++) {
		*outcome = (uint8_t)i;
		if (span_eq(word, span_of_string(trace_outcome_name((enum decision_outcome)i))))
			return true;
	}
	return false;
}

/* Exactly as it is written; `early` and times before the epoch are rare enough to go the other way. */
static bool take_decision(struct cursor *c, struct trace_decision *out)
{
	struct decision *d = &out->decision;
	int64_t occurrence = 0, choice = 0;

	*d = (struct decision){ 0 };
	if (!take_word(c, SPAN("{\"rule\":")) || !take_TEXT(c, &out->rule) || !take_word(c, SPAN(",\"phase\":")) ||
		!take_phase(c, &d->phase) || !take_word(c, SPAN(",\"key\":")) || !take_HASH(c, &d->key_hash) ||
		!take_word(c, SPAN(",\"occurrence\":")) || !take_number(c, INT64_MAX, &occurrence) || occurrence < 1 ||
		!take_word(c, SPAN(",\"draw\":")) || !take_HASH(c, &d->draw) || !take_word(c, SPAN(",\"threshold\":")) ||
		!take_HASH(c, &d->threshold) || !take_word(c, SPAN(",\"outcome\":")) || !take_outcome(c, &d->outcome) ||
		!take_word(c, SPAN(",\"choice\":")) || !take_number(c, UINT16_MAX, &choice) ||
		!take_word(c, SPAN(",\"since\":")) || !take_number(c, INT64_MAX, &d->since_ns))
		return false;
	d->occurrence = (uint64_t)occurrence;
	d->choice = (uint16_t)choice;
	return take_char(c, '}');
}

static bool take_decisions(struct cursor *c, struct trace_line *out)
{
	if (!take_char(c, '['))
		return false;
	if (take_char(c, ']'))
		return true;
	do {
		if (out->n_decisions == RECORD_DECISIONS_MAX || !take_decision(c, &out->decisions[out->n_decisions]))
			return false;
		out->n_decisions++;
	} while (take_char(c, ','));
	return take_char(c, ']');
}

/* ---- the line ---- */

enum member {
#define MEMBER(kind, name, help) MEMBER_##name,
#include "observe/trace_exchange.def"
#undef MEMBER
	MEMBER_COUNT
};

static const struct span names[MEMBER_COUNT] = {
#define MEMBER(kind, name, help) [MEMBER_##name] = { #name, sizeof(#name) - 1 },
#include "observe/trace_exchange.def"
#undef MEMBER
};

static bool take_member(struct cursor *c, enum member member, struct trace_exchange *e)
{
	switch (member) {
#define MEMBER(kind, name, help) case MEMBER_##name: return take_##kind(c, &e->name);
#include "observe/trace_exchange.def"
#undef MEMBER
	case MEMBER_COUNT: break;
	}
	return false;
}

/* Members in the writer's order alone, so that none comes twice. */
static bool take_members(struct cursor *c, struct trace_line *out)
{
	unsigned next = 0;

	while (take_char(c, ',')) {
		struct span name;

		if (!take_TEXT(c, &name) || !take_char(c, ':'))
			return false;
		while (next < MEMBER_COUNT && !span_eq(name, names[next]))
			next++;
		if (next == MEMBER_COUNT)
			return span_eq(name, SPAN("decisions")) && take_decisions(c, out);
		if (!take_member(c, (enum member)next, &out->exchange))
			return false;
		next++;
	}
	return false;
}

bool trace_read_plain(struct span line, struct trace_line *out)
{
	struct cursor c = { line.p, line.p + line.n };
	struct span time;

	out->kind = TRACE_EXCHANGE;
	out->json = NULL;
	out->n_decisions = 0;
	out->decisions_lost = 0;
	trace_exchange_init(&out->exchange);
	return take_word(&c, SPAN("{\"id\":")) && take_TEXT(&c, &out->id) && take_word(&c, SPAN(",\"time\":")) &&
	       take_TEXT(&c, &time) && take_members(&c, out) && take_char(&c, '}') && c.p == c.end;
}
