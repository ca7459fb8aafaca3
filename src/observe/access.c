/*
 * access: one finished exchange as one line. The fields come from access.def alone: their order, their names, when they are
 * there and what they say. What a client sent can neither break a line nor drive a terminal.
 */
#include "observe/collector.h"

#include "base/json.h"
#include "base/raw.h"
#include "observe/trace.h"

#define NAME_COLUMN 18

/*
 * A line while it is written, at places for which there is room: `fixed` bytes for all that has the same size in every line are
 * kept free, and each text asks for its own besides.
 */
struct sink {
	struct text *out;
	struct access_memory *memory;
	size_t fixed;
	bool is_json;
};

/* ---- what access.def asks of a record ---- */

/* Occurrences count from 1: where there is none no decision stands behind the fault, or none was kept. */
static bool was_decided(const struct record *r)
{
	return r->rule && r->decision.occurrence > 0;
}

/* A rule that always fires draws nothing, and nothing is drawn for who came back early. */
static bool was_drawn(const struct record *r)
{
	if (!was_decided(r) || r->decision.early || r->decision.threshold == UINT64_MAX)
		return false;
	return r->rule->n_outcomes == 0 || r->decision.threshold > 0;
}

#define MICRO_PERCENT_ALL UINT64_C(100000000) /* 100 % in the unit of RULE_PERCENTAGE_ALL */

/*
 * Millionths of a percent of v / 2^64; up or down. The draw goes down, the threshold up: so, as shown too, a rule has
 * fired exactly where the one is below the other, since percentages have six decimals.
 */
static uint64_t micro_percent(uint64_t v, bool up)
{
	uint64_t high = (v >> 32) * MICRO_PERCENT_ALL;
	uint64_t low = (v & UINT32_MAX) * MICRO_PERCENT_ALL;
	uint64_t sum = high + (low >> 32);
	bool exact = (sum & UINT32_MAX) == 0 && (low & UINT32_MAX) == 0;

	return (sum >> 32) + (up && !exact ? 1 : 0);
}

/*
 * With even sampling both are places in a block, which is a power of ten as fine as the percentage needs; of outcomes the draw is
 * a place in the sum of their weights.
 */
static uint64_t draw_value(const struct record *r)
{
	if (r->rule->n_outcomes)
		return (uint64_t)((__extension__ (unsigned __int128)r->decision.draw) * MICRO_PERCENT_ALL /
				  r->decision.threshold);
	if (r->rule->sampling == RULE_SAMPLING_EVEN)
		return r->decision.draw * MICRO_PERCENT_ALL / r->rule->even_block;
	return micro_percent(r->decision.draw, false);
}

static uint64_t threshold_value(const struct record *r)
{
	if (r->rule->sampling == RULE_SAMPLING_EVEN)
		return r->decision.threshold * MICRO_PERCENT_ALL / r->rule->even_block;
	return micro_percent(r->decision.threshold, true);
}

/* ---- values: each returns where the line goes on, or NULL where there is no memory for it ---- */

/* Room behind `to` for n bytes more than what is kept free. */
static inline char *reserve(struct sink *s, char *to, size_t n)
{
	if (LIKELY(n + s->fixed <= (size_t)(s->out->p + s->out->cap - to)))
		return to;
	s->out->n = (size_t)(to - s->out->p);
	return text_reserve(s->out, n + s->fixed);
}

/* What stands for itself in the text log, within quotes; the same without quotes. */
static inline bool is_special(uint64_t v)
{
	return raw_found(v | raw_find_below(v, 0x20) | raw_find_byte(v, 0x7f) | raw_find_byte(v, '"') | raw_find_byte(v, '\\'));
}

static inline bool needs_quotes(uint64_t v)
{
	return is_special(v) || raw_found(raw_find_below(v, ' ' + 1) | raw_find_byte(v, '='));
}

#define ESCAPED_BYTES 4 /* of one byte, at most */

/* Within quotes: quotes, backslashes, control bytes and what is no UTF-8 are escaped. */
static char *put_escaped_slowly(char *to, struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);
		unsigned char c = (unsigned char)s.p[0];

		/* C1 controls are c2 80 to c2 9f in UTF-8. */
		if (n == 0 || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s.p[1] < 0xa0)) {
			to = RAW_PUT_LITERAL(to, "\\x");
			to = raw_put_char(to, "0123456789abcdef"[c >> 4]);
			to = raw_put_char(to, "0123456789abcdef"[c & 15]);
			n = 1;
		} else {
			if (c == '"' || c == '\\')
				to = raw_put_char(to, '\\');
			to = raw_put_span(to, span_first(s, n));
		}
		s = span_skip(s, n);
	}
	return to;
}

static char *put_escaped(struct sink *s, char *to, struct span v)
{
	to = reserve(s, to, ESCAPED_BYTES * v.n);
	if (UNLIKELY(!to))
		return NULL;
	return LIKELY(raw_copy_unless(to, v, is_special)) ? to + v.n : put_escaped_slowly(to, v);
}

static char *put_bare_or_quoted(struct sink *s, char *to, struct span v)
{
	to = reserve(s, to, v.n);
	if (UNLIKELY(!to))
		return NULL;
	if (v.n && raw_copy_unless(to, v, needs_quotes))
		return to + v.n;
	to = put_escaped(s, raw_put_char(to, '"'), v);
	return to ? raw_put_char(to, '"') : NULL;
}

static inline char *put_SPAN(struct sink *s, char *to, struct span v)
{
	if (!s->is_json)
		return put_bare_or_quoted(s, to, v);
	to = reserve(s, to, JSON_QUOTED_BYTES(v.n));
	return LIKELY(to) ? json_put_quoted(to, v) : NULL;
}

static inline char *put_STRING(struct sink *s, char *to, const char *v)
{
	return put_SPAN(s, to, span_of_string(v));
}

static inline char *put_COUNT(struct sink *s, char *to, uint64_t v)
{
	(void)s;
	return raw_put_u64(to, v);
}

static inline char *put_SECONDS(struct sink *s, char *to, int64_t ns)
{
	uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	(void)s;
	if (UNLIKELY(ns < 0))
		to = raw_put_char(to, '-');
	return raw_put_micros(to, magnitude / 1000);
}

/* Six decimals, as the rule file has at most. */
static inline char *put_PERCENT(struct sink *s, char *to, uint64_t micro)
{
	(void)s;
	return raw_put_micros(to, micro);
}

static inline char *put_FLAG(struct sink *s, char *to, bool v)
{
	(void)s;
	return v ? RAW_PUT_LITERAL(to, "true") : RAW_PUT_LITERAL(to, "false");
}

/* What is a text in JSON, though it needs no escapes. */
static inline char *put_quote(const struct sink *s, char *to)
{
	return s->is_json ? raw_put_char(to, '"') : to;
}

/* A string in JSON too: its readers keep 53 bits of a number. */
static inline char *put_ID(struct sink *s, char *to, uint64_t v)
{
	return put_quote(s, raw_put_hex(put_quote(s, to), v));
}

static inline char *put_TIME(struct sink *s, char *to, int64_t unix_ns)
{
	return put_quote(s, wall_time_put(put_quote(s, to), unix_ns, &s->memory->time));
}

static inline char *put_address(struct sink *s, char *to, const uint8_t address[16])
{
	struct ip_text *t = &s->memory->client;
	size_t n = ip_text_of(t, address).n;

	memcpy(to, t->p, sizeof(t->p));
	return to + n;
}

static inline char *put_CLIENT(struct sink *s, char *to, const uint8_t address[16])
{
	return put_quote(s, put_address(s, put_quote(s, to), address));
}

/* ---- lines ---- */

/* What each kind takes at most, but for texts, which ask for room. */
enum {
	BYTES_TIME = 1 + WALL_TIME_BYTES + 1,
	BYTES_SECONDS = 1 + RAW_MICROS_BYTES,
	BYTES_COUNT = RAW_U64_BYTES,
	BYTES_ID = 1 + RAW_HEX_BYTES + 1,
	BYTES_PERCENT = RAW_MICROS_BYTES,
	BYTES_CLIENT = 1 + IP_TEXT_BYTES + 1,
	BYTES_SPAN = 2,
	BYTES_STRING = 2,
	BYTES_FLAG = sizeof("false") - 1,
};

/* All names, with what stands before and behind them, all kinds, and what else there is in a line (put_lead). */
enum {
	FIXED_BYTES = sizeof("[]: [] \"... HTTP/1.\" - \n") + 2 * RAW_U64_BYTES
#define ACCESS(place, kind, name, present, value, help) + sizeof(",\"" #name "\":") + BYTES_##kind
#include "observe/access.def"
#undef ACCESS
};

/* Where the line begins; NULL where there is no room for one. */
static char *begin(struct sink *s)
{
	return text_reserve(s->out, s->fixed);
}

/* What a line has when it is cut off is taken away. */
static void end(struct sink *s, size_t start, const char *to)
{
	s->out->n = to ? (size_t)(to - s->out->p) : start;
}

/* client:port [time] "METHOD target HTTP/1.n" status bytes */
static char *put_lead(struct sink *s, char *to, const struct record *r)
{
	bool bracketed = r->client_port && !ip_is_v4(r->client);

	if (bracketed)
		to = raw_put_char(to, '[');
	to = put_address(s, to, r->client);
	if (bracketed)
		to = raw_put_char(to, ']');
	if (r->client_port)
		to = raw_put_u64(raw_put_char(to, ':'), r->client_port);
	to = RAW_PUT_LITERAL(to, " [");
	to = put_TIME(s, to, r->wall_ns);
	to = RAW_PUT_LITERAL(to, "] \"");
	if (r->method_n) {
		to = put_escaped(s, to, record_method(r));
		if (to)
			to = put_escaped(s, raw_put_char(to, ' '), record_target(r));
		if (!to)
			return NULL;
		to = r->text_cut ? RAW_PUT_LITERAL(to, "... HTTP/1.") : RAW_PUT_LITERAL(to, " HTTP/1.");
		to = raw_put_u64(to, r->minor);
	} else {
		to = raw_put_char(to, '-');
	}
	to = RAW_PUT_LITERAL(to, "\" ");
	to = r->status ? raw_put_u64(to, r->status) : raw_put_char(to, '-');
	return raw_put_u64(raw_put_char(to, ' '), r->bytes_out);
}

/* NULL where memory is out. */
static char *put_text_line(struct sink *s, char *to, const struct record *r)
{
	to = put_lead(s, to, r);
	if (!to)
		return NULL;
#define TEXT_LEAD(kind, name, present, value)
#define TEXT_JSON(kind, name, present, value)
#define TEXT_PAIR(kind, name, present, value)                                                                                   \
	if (present) {                                                                                                          \
		to = put_##kind(s, RAW_PUT_LITERAL(to, " " #name "="), value);                                                  \
		if (UNLIKELY(!to))                                                                                              \
			return NULL;                                                                                            \
	}
#define ACCESS(place, kind, name, present, value, help) TEXT_##place(kind, name, present, value)
#include "observe/access.def"
#undef ACCESS
	return raw_put_char(to, '\n');
}

static char *put_json_line(struct sink *s, char *to, const struct record *r)
{
#define ACCESS(place, kind, name, present, value, help)                                                                         \
	if (present) {                                                                                                          \
		to = put_##kind(s, RAW_PUT_LITERAL(to, ",\"" #name "\":"), value);                                              \
		if (UNLIKELY(!to))                                                                                              \
			return NULL;                                                                                            \
	}
#include "observe/access.def"
#undef ACCESS
	return RAW_PUT_LITERAL(to, "}\n");
}

void access_write_text(struct access_memory *memory, struct text *out, const struct record *r)
{
	struct sink s = { .out = out, .memory = memory, .fixed = FIXED_BYTES };
	size_t start = out->n;
	char *to = begin(&s);

	if (to)
		end(&s, start, put_text_line(&s, to, r));
}

void access_write_json(struct access_memory *memory, struct text *out, const struct record *r)
{
	struct sink s = { .out = out, .memory = memory, .fixed = FIXED_BYTES, .is_json = true };
	size_t start = out->n;
	char *to = begin(&s);

	if (!to)
		return;
	end(&s, start, put_json_line(&s, to, r));
	if (out->n > start)
		out->p[start] = '{'; /* there is a first field always, with its comma */
}

void access_write_reference(struct text *out)
{
	static const struct {
		const char *name;
		const char *place;
		const char *help;
	} rows[] = {
#define ACCESS(place, kind, name, present, value, help) { #name, #place, help },
#include "observe/access.def"
#undef ACCESS
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		text_printf(out, "  %-*s%s %s\n", NAME_COLUMN, rows[i].name, rows[i].place[0] == 'J' ? "*" : " ", rows[i].help);
}
