/*
 * trace_read: one line of a trace, taken apart. The line may come from anywhere: every member is asked for its type and its
 * range, and what is not there or is not right is said by name.
 */
#include "observe/trace_plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

/* Where an error goes, so that one call refuses the line. */
struct reader {
	char *error;
	char place[48]; /* "decision 3: ", or "" */
};

static int refuse(struct reader *r, const char *what, const char *name)
{
	(void)snprintf(r->error, TRACE_ERROR_BYTES, "%s%s%s", r->place, name, what);
	return 1;
}

/* ---- members ---- */

static int read_text(struct reader *r, const json_t *object, const char *name, struct span *text)
{
	const json_t *v = json_object_get(object, name);

	if (!json_is_string(v))
		return refuse(r, v ? " is not a text" : " is missing", name);
	*text = span_of(json_string_value(v), json_string_length(v));
	return 0;
}

static int read_integer(struct reader *r, const json_t *object, const char *name, int64_t min, int64_t max, int64_t *value)
{
	const json_t *v = json_object_get(object, name);

	if (!json_is_integer(v))
		return refuse(r, v ? " is not a whole number" : " is missing", name);
	*value = json_integer_value(v);
	return *value < min || *value > max ? refuse(r, " is out of range", name) : 0;
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_hex(struct reader *r, const json_t *object, const char *name, uint64_t *value)
{
	struct span text;

	if (read_text(r, object, name, &text))
		return 1;
	*value = 0;
	for (size_t i = 0; i < text.n; i++) {
		int digit = hex_digit(text.p[i]);

		if (digit < 0)
			return refuse(r, " is not hexadecimal", name);
		*value = *value << 4 | (uint64_t)digit;
	}
	return text.n == 0 || text.n > 16 ? refuse(r, " is not a word of 1 to 16 hexadecimal digits", name) : 0;
}

/* The number of a word, by the function that names each of them. */
static int read_phase(struct reader *r, const json_t *object, uint8_t *phase)
{
	struct span text;

	if (read_text(r, object, "phase", &text))
		return 1;
	for (unsigned i = RULE_PHASE_REQUEST; i <= RULE_PHASE_RESPONSE; i++) {
		if (span_eq(text, span_of_string(trace_phase_name((enum rule_phase)i)))) {
			*phase = (uint8_t)i;
			return 0;
		}
	}
	return refuse(r, " is neither request nor response", "phase");
}

static int read_outcome(struct reader *r, const json_t *object, uint8_t *outcome)
{
	struct span text;

	if (read_text(r, object, "outcome", &text))
		return 1;
	for (unsigned i = DECISION_FIRED; i <= DECISION_PASSED; i++) {
		if (span_eq(text, span_of_string(trace_outcome_name((enum decision_outcome)i)))) {
			*outcome = (uint8_t)i;
			return 0;
		}
	}
	return refuse(r, " is none that there is", "outcome");
}

/* ---- lines ---- */

static int read_decision(struct reader *r, const json_t *object, struct trace_decision *out)
{
	const json_t *early = json_object_get(object, "early");
	struct decision *d = &out->decision;
	int64_t occurrence, choice;

	*out = (struct trace_decision){ .rule = SPAN_EMPTY };
	if (!json_is_object(object))
		return refuse(r, "it is not an object", "");
	if (read_text(r, object, "rule", &out->rule) || read_phase(r, object, &d->phase) ||
		read_hex(r, object, "key", &d->key_hash) || read_integer(r, object, "occurrence", 1, INT64_MAX, &occurrence) ||
		read_hex(r, object, "draw", &d->draw) || read_hex(r, object, "threshold", &d->threshold) ||
		read_outcome(r, object, &d->outcome) || read_integer(r, object, "choice", 0, UINT16_MAX, &choice) ||
		read_integer(r, object, "since", TRACE_SINCE_NS_MIN, INT64_MAX, &d->since_ns))
		return 1;
	if (early && !json_is_boolean(early))
		return refuse(r, " is neither true nor false", "early");
	d->early = json_is_true(early);
	d->occurrence = (uint64_t)occurrence;
	d->choice = (uint16_t)choice;
	return 0;
}

/* ---- what is known of an exchange: each member may be left out ---- */

static int read_TEXT(struct reader *r, const json_t *object, const char *name, struct span *value)
{
	return read_text(r, object, name, value);
}

static int read_COUNT(struct reader *r, const json_t *object, const char *name, uint32_t *value)
{
	int64_t n;

	if (read_integer(r, object, name, 0, UINT16_MAX, &n))
		return 1;
	*value = (uint32_t)n;
	return 0;
}

static int read_US(struct reader *r, const json_t *object, const char *name, int64_t *value)
{
	return read_integer(r, object, name, 0, TRACE_US_MAX, value);
}

static int read_WAIT(struct reader *r, const json_t *object, const char *name, int64_t *value)
{
	return read_integer(r, object, name, 0, TRACE_US_MAX, value);
}

static int read_HASH(struct reader *r, const json_t *object, const char *name, uint64_t *value)
{
	return read_hex(r, object, name, value);
}

static int read_FLAG(struct reader *r, const json_t *object, const char *name, bool *value)
{
	const json_t *v = json_object_get(object, name);

	*value = json_is_true(v);
	return json_is_boolean(v) ? 0 : refuse(r, " is neither true nor false", name);
}

static int read_members(struct reader *r, const json_t *object, struct trace_exchange *e)
{
	trace_exchange_init(e);
#define MEMBER(kind, name, help)                                                                                                \
	if (json_object_get(object, #name) && read_##kind(r, object, #name, &e->name))                                          \
		return 1;
#include "observe/trace_exchange.def"
#undef MEMBER
	return 0;
}

static int read_exchange(struct reader *r, const json_t *object, struct trace_line *out)
{
	const json_t *decisions = json_object_get(object, "decisions");
	int64_t lost = 0;

	out->kind = TRACE_EXCHANGE;
	if (read_text(r, object, "id", &out->id) || read_members(r, object, &out->exchange))
		return 1;
	if (!json_is_array(decisions))
		return refuse(r, decisions ? " is not a list" : " is missing", "decisions");
	if (json_array_size(decisions) > RECORD_DECISIONS_MAX)
		return refuse(r, " has more entries than an exchange can have", "decisions");
	if (json_object_get(object, "decisions_lost") && read_integer(r, object, "decisions_lost", 0, INT64_MAX, &lost))
		return 1;
	out->decisions_lost = (uint64_t)lost;
	while (out->n_decisions < json_array_size(decisions)) {
		(void)snprintf(r->place, sizeof(r->place), "decision %u: ", out->n_decisions + 1);
		if (read_decision(r, json_array_get(decisions, out->n_decisions), &out->decisions[out->n_decisions]))
			return 1;
		out->n_decisions++;
	}
	return 0;
}

static int read_header(struct reader *r, const json_t *object, struct trace_line *out)
{
	int64_t version, n_rules;
	struct span seed;

	out->kind = TRACE_HEADER;
	if (read_integer(r, object, "trace", 0, INT64_MAX, &version))
		return 1;
	if (version != TRACE_VERSION) {
		(void)snprintf(r->error, TRACE_ERROR_BYTES, "a trace of version %" PRId64 "; this brownout reads version %d",
			version, TRACE_VERSION);
		return 1;
	}
	out->run = 0;
	if (json_object_get(object, "run") && read_hex(r, object, "run", &out->run))
		return 1;
	if (read_text(r, object, "seed", &seed) || read_integer(r, object, "rules", 0, RULESET_RULES_MAX, &n_rules))
		return 1;
	out->n_rules = (unsigned)n_rules;
	return span_to_u64(seed, &out->seed) ? refuse(r, " is not a whole number", "seed") : 0;
}

static int read_rule(struct reader *r, const json_t *object, struct trace_line *out)
{
	out->kind = TRACE_RULE;
	return read_text(r, object, "rule", &out->rule) || read_hex(r, object, "text", &out->text_hash);
}

static int read_end(struct reader *r, const json_t *object, struct trace_line *out)
{
	struct span text;

	out->kind = TRACE_CLOSING;
	if (read_text(r, object, "end", &text))
		return 1;
	for (unsigned i = TRACE_END_UNKNOWN + 1; i < TRACE_END_COUNT; i++) {
		out->end = (enum trace_end)i;
		if (span_eq(text, span_of_string(trace_end_name(out->end))))
			return 0;
	}
	return refuse(r, " is none that there is", "end");
}

static int read_object(struct reader *r, const json_t *object, struct trace_line *out)
{
	if (!json_is_object(object))
		return refuse(r, "not an object", "");
	if (json_object_get(object, "trace"))
		return read_header(r, object, out);
	if (json_object_get(object, "rule"))
		return read_rule(r, object, out);
	/* An exchange has a number of this name. */
	if (json_object_get(object, "end") && !json_object_get(object, "id"))
		return read_end(r, object, out);
	return read_exchange(r, object, out);
}

int trace_read_line(struct span line, struct trace_line *out, char error[TRACE_ERROR_BYTES])
{
	struct reader r = { .error = error };
	json_error_t wrong;
	json_t *object;

	out->n_decisions = 0;
	out->decisions_lost = 0;
	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > TRACE_LINE_BYTES_MAX) {
		(void)snprintf(error, TRACE_ERROR_BYTES, "longer than %d bytes", TRACE_LINE_BYTES_MAX);
		return 1;
	}
	if (line.n && trace_read_plain(line, out))
		return 0;
	out->n_decisions = 0;
	object = json_loadb(line.n ? line.p : "", line.n, JSON_REJECT_DUPLICATES, &wrong);
	if (!object && json_error_code(&wrong) == json_error_out_of_memory)
		return -ENOMEM;
	if (!object) {
		/* The library quotes what is wrong; a line of log may hold no control bytes. */
		(void)snprintf(error, TRACE_ERROR_BYTES, "no JSON: column %d: %.120s", wrong.column, wrong.text);
		for (char *p = error; *p; p++) {
			if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
				*p = '?';
		}
		return 1;
	}
	if (read_object(&r, object, out)) {
		json_decref(object);
		return 1;
	}
	out->json = object;
	return 0;
}

void trace_line_deinit(struct trace_line *line)
{
	json_decref(line->json);
	line->json = NULL;
}
