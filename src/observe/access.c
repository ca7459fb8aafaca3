/*
 * access: one finished exchange as one line. The fields come from access.def alone: their order, their names, when they are
 * there and what they say. What a client sent can neither break a line nor drive a terminal.
 */
#include "observe/collector.h"

#include <arpa/inet.h>

#include "base/json.h"
#include "base/wall_time.h"
#include "observe/trace.h"

#define SECONDS_DECIMALS 6
#define NAME_COLUMN 18

/* Where a line goes to and how its values are quoted. */
struct sink {
	struct text *out;
	struct json json; /* at depth 0, so that it writes values and nothing between them */
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

/* ---- values ---- */

/* Within quotes: quotes, backslashes, control bytes and what is no UTF-8 are escaped. */
static void put_escaped(struct text *out, struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);
		unsigned char c = (unsigned char)s.p[0];

		/* C1 controls are c2 80 to c2 9f in UTF-8. */
		if (n == 0 || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s.p[1] < 0xa0)) {
			text_put_literal(out, "\\x");
			text_put_hex(out, c, 2);
			n = 1;
		} else {
			if (c == '"' || c == '\\')
				text_put_char(out, '\\');
			text_put(out, s.p, n);
		}
		s = span_skip(s, n);
	}
}

static bool is_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=')
			return false;
	}
	return s.n > 0;
}

static void put_SPAN(struct sink *s, struct span v)
{
	if (s->is_json) {
		json_span(&s->json, v);
	} else if (is_plain(v)) {
		text_put_span(s->out, v);
	} else {
		text_put_char(s->out, '"');
		put_escaped(s->out, v);
		text_put_char(s->out, '"');
	}
}

static void put_STRING(struct sink *s, const char *v)
{
	put_SPAN(s, span_of_string(v));
}

static void put_COUNT(struct sink *s, uint64_t v)
{
	text_put_u64(s->out, v);
}

static void put_SECONDS(struct sink *s, int64_t ns)
{
	text_put_seconds(s->out, ns, SECONDS_DECIMALS);
}

/* Six decimals, as the rule file has at most. */
static void put_PERCENT(struct sink *s, uint64_t micro)
{
	text_put_seconds(s->out, (int64_t)micro * 1000, 6);
}

static void put_FLAG(struct sink *s, bool v)
{
	text_put_string(s->out, v ? "true" : "false");
}

/* A string in JSON too: its readers keep 53 bits of a number. */
static void put_ID(struct sink *s, uint64_t v)
{
	if (s->is_json)
		text_put_char(s->out, '"');
	text_put_hex(s->out, v, 1);
	if (s->is_json)
		text_put_char(s->out, '"');
}

static void put_TIME(struct sink *s, int64_t unix_ns)
{
	if (s->is_json)
		text_put_char(s->out, '"');
	wall_time_write(s->out, unix_ns);
	if (s->is_json)
		text_put_char(s->out, '"');
}

static bool is_ipv4(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

void access_write_client(struct text *out, const uint8_t address[16])
{
	static const uint8_t none[16];
	char p[INET6_ADDRSTRLEN];

	if (memcmp(address, none, sizeof(none)) == 0) {
		text_put_literal(out, "unix");
	} else if (is_ipv4(address)) {
		for (unsigned i = 12; i < 16; i++) {
			if (i > 12)
				text_put_char(out, '.');
			text_put_u64(out, address[i]);
		}
	} else if (inet_ntop(AF_INET6, address, p, sizeof(p))) {
		text_put_string(out, p);
	}
}

static void put_CLIENT(struct sink *s, const uint8_t address[16])
{
	if (s->is_json)
		text_put_char(s->out, '"');
	access_write_client(s->out, address);
	if (s->is_json)
		text_put_char(s->out, '"');
}

/* ---- lines ---- */

/* client:port [time] "METHOD target HTTP/1.n" status bytes */
static void put_lead(struct sink *s, const struct record *r)
{
	struct text *out = s->out;
	bool bracketed = r->client_port && !is_ipv4(r->client);

	if (bracketed)
		text_put_char(out, '[');
	access_write_client(out, r->client);
	if (bracketed)
		text_put_char(out, ']');
	if (r->client_port) {
		text_put_char(out, ':');
		text_put_u64(out, r->client_port);
	}
	text_put_literal(out, " [");
	put_TIME(s, r->wall_ns);
	text_put_literal(out, "] \"");
	if (r->method_n) {
		put_escaped(out, record_method(r));
		text_put_char(out, ' ');
		put_escaped(out, record_target(r));
		text_put_string(out, r->text_cut ? "... HTTP/1." : " HTTP/1.");
		text_put_u64(out, r->minor);
	} else {
		text_put_char(out, '-');
	}
	text_put_literal(out, "\" ");
	if (r->status)
		text_put_u64(out, r->status);
	else
		text_put_char(out, '-');
	text_put_char(out, ' ');
	text_put_u64(out, r->bytes_out);
}

void access_write_text(struct text *out, const struct record *r)
{
	struct sink s = { .out = out };

	put_lead(&s, r);
#define TEXT_LEAD(kind, name, present, value)
#define TEXT_JSON(kind, name, present, value)
#define TEXT_PAIR(kind, name, present, value)                                                                                   \
	if (present) {                                                                                                          \
		text_put_literal(out, " " #name "=");                                                                           \
		put_##kind(&s, value);                                                                                          \
	}
#define ACCESS(place, kind, name, present, value, help) TEXT_##place(kind, name, present, value)
#include "observe/access.def"
#undef ACCESS
	text_put_char(out, '\n');
}

void access_write_json(struct text *out, const struct record *r)
{
	struct sink s = { .out = out, .is_json = true };
	char separator = '{';

	json_init(&s.json, out, 0);
#define ACCESS(place, kind, name, present, value, help)                                                                         \
	if (present) {                                                                                                          \
		text_put_char(out, separator);                                                                                  \
		separator = ',';                                                                                                \
		text_put_literal(out, "\"" #name "\":");                                                                        \
		put_##kind(&s, value);                                                                                          \
	}
#include "observe/access.def"
#undef ACCESS
	text_put_literal(out, "}\n");
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
