/*
 * access: lines of random and hostile records, byte by byte those of a writer that does nothing at once: one byte, one digit, one
 * field after the other. What it takes from access.def is names and order; what they mean is said here once more.
 */
#include "observe/collector.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state = 88172645463325252;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool chance(unsigned one_in)
{
	return next() % one_in == 0;
}

/* Of every length. */
static uint64_t number(void)
{
	return next() >> next() % 64;
}

/* ---- the writer that takes its time ---- */

static bool was_decided(const struct record *r)
{
	return r->rule && r->decision.occurrence > 0;
}

static bool was_drawn(const struct record *r)
{
	return was_decided(r) && !r->decision.early && r->decision.threshold != UINT64_MAX &&
		(r->rule->n_outcomes == 0 || r->decision.threshold > 0);
}

__extension__ typedef unsigned __int128 wide;

#define ALL UINT64_C(100000000)

static uint64_t of_all(uint64_t v, bool up)
{
	wide product = (wide)v * ALL;

	return (uint64_t)(product >> 64) + (up && (uint64_t)product ? 1 : 0);
}

static uint64_t draw_value(const struct record *r)
{
	if (r->rule->n_outcomes)
		return (uint64_t)((wide)r->decision.draw * ALL / r->decision.threshold);
	if (r->rule->sampling == RULE_SAMPLING_EVEN)
		return r->decision.draw * ALL / r->rule->even_block;
	return of_all(r->decision.draw, false);
}

static uint64_t threshold_value(const struct record *r)
{
	if (r->rule->sampling == RULE_SAMPLING_EVEN)
		return r->decision.threshold * ALL / r->rule->even_block;
	return of_all(r->decision.threshold, true);
}

static void slow_json_text(struct text *out, struct span s)
{
	static const char names[32] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };

	text_printf(out, "\"");
	while (s.n) {
		unsigned n = span_utf8_length(s);
		unsigned char c = (unsigned char)s.p[0];

		if (n == 0)
			text_printf(out, "\xef\xbf\xbd");
		else if (c < 0x20 && names[c])
			text_printf(out, "\\%c", names[c]);
		else if (c < 0x20)
			text_printf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			text_printf(out, "\\%c", c);
		else
			text_printf(out, "%.*s", (int)n, s.p);
		s = span_skip(s, MAX(n, 1u));
	}
	text_printf(out, "\"");
}

static void slow_escaped(struct text *out, struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);
		unsigned char c = (unsigned char)s.p[0];
		bool control = c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0);

		if (n == 0 || control)
			text_printf(out, "\\x%02x", c);
		else
			text_printf(out, "%s%.*s", c == '"' || c == '\\' ? "\\" : "", (int)n, s.p);
		s = span_skip(s, n == 0 || control ? 1 : n);
	}
}

static void slow_text(struct text *out, struct span s)
{
	bool bare = s.n > 0;

	for (size_t i = 0; i < s.n; i++)
		bare = bare && s.p[i] > ' ' && s.p[i] < 0x7f && s.p[i] != '"' && s.p[i] != '\\' && s.p[i] != '=';
	if (!bare)
		text_printf(out, "\"");
	slow_escaped(out, s);
	if (!bare)
		text_printf(out, "\"");
}

static void slow_SPAN(struct text *out, bool is_json, struct span s)
{
	if (is_json)
		slow_json_text(out, s);
	else
		slow_text(out, s);
}

static void slow_STRING(struct text *out, bool is_json, const char *s)
{
	slow_SPAN(out, is_json, span_of_string(s));
}

static void slow_COUNT(struct text *out, bool is_json, uint64_t v)
{
	(void)is_json;
	text_printf(out, "%" PRIu64, v);
}

static void slow_micros(struct text *out, wide micros)
{
	text_printf(out, "%" PRIu64 ".%06u", (uint64_t)(micros / 1000000), (unsigned)(micros % 1000000));
}

static void slow_SECONDS(struct text *out, bool is_json, int64_t ns)
{
	wide magnitude = ns < 0 ? (wide)0 - (wide)ns : (wide)ns;

	(void)is_json;
	if (ns < 0)
		text_printf(out, "-");
	slow_micros(out, magnitude / 1000);
}

static void slow_PERCENT(struct text *out, bool is_json, uint64_t micro)
{
	(void)is_json;
	slow_micros(out, micro);
}

static void slow_FLAG(struct text *out, bool is_json, bool v)
{
	(void)is_json;
	text_printf(out, "%s", v ? "true" : "false");
}

static void slow_ID(struct text *out, bool is_json, uint64_t v)
{
	text_printf(out, is_json ? "\"%" PRIx64 "\"" : "%" PRIx64, v);
}

static void slow_TIME(struct text *out, bool is_json, int64_t unix_ns)
{
	time_t seconds = (time_t)(MAX(unix_ns, 0) / NS_PER_S);
	struct tm tm;

	cr_assert_not_null(gmtime_r(&seconds, &tm));
	text_printf(out, is_json ? "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"" : "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(MAX(unix_ns, 0) % NS_PER_S / NS_PER_MS));
}

static bool is_ipv4(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static void slow_address(struct text *out, const uint8_t a[16])
{
	static const uint8_t none[16];
	char p[INET6_ADDRSTRLEN];

	if (memcmp(a, none, sizeof(none)) == 0)
		text_printf(out, "unix");
	else if (is_ipv4(a))
		text_printf(out, "%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
	else
		text_printf(out, "%s", inet_ntop(AF_INET6, a, p, sizeof(p)));
}

static void slow_CLIENT(struct text *out, bool is_json, const uint8_t a[16])
{
	text_printf(out, is_json ? "\"" : "");
	slow_address(out, a);
	text_printf(out, is_json ? "\"" : "");
}

static void slow_json_line(struct text *out, const struct record *r)
{
	const char *separator = "{";

#define ACCESS(place, kind, name, present, value, help)                                                                         \
	if (present) {                                                                                                          \
		text_printf(out, "%s\"" #name "\":", separator);                                                                \
		separator = ",";                                                                                                \
		slow_##kind(out, true, value);                                                                                  \
	}
#include "observe/access.def"
#undef ACCESS
	text_printf(out, "}\n");
}

static void slow_lead(struct text *out, const struct record *r)
{
	bool bracketed = r->client_port && !is_ipv4(r->client);

	text_printf(out, bracketed ? "[" : "");
	slow_address(out, r->client);
	text_printf(out, bracketed ? "]" : "");
	if (r->client_port)
		text_printf(out, ":%u", r->client_port);
	text_printf(out, " [");
	slow_TIME(out, false, r->wall_ns);
	text_printf(out, "] \"");
	if (r->method_n) {
		slow_escaped(out, record_method(r));
		text_printf(out, " ");
		slow_escaped(out, record_target(r));
		text_printf(out, "%s HTTP/1.%u\" ", r->text_cut ? "..." : "", r->minor);
	} else {
		text_printf(out, "-\" ");
	}
	if (r->status)
		text_printf(out, "%u", r->status);
	else
		text_printf(out, "-");
	text_printf(out, " %" PRIu64, r->bytes_out);
}

static void slow_text_line(struct text *out, const struct record *r)
{
	slow_lead(out, r);
#define PLACE_LEAD(kind, name, present, value)
#define PLACE_JSON(kind, name, present, value)
#define PLACE_PAIR(kind, name, present, value)                                                                                  \
	if (present) {                                                                                                          \
		text_printf(out, " " #name "=");                                                                                \
		slow_##kind(out, false, value);                                                                                 \
	}
#define ACCESS(place, kind, name, present, value, help) PLACE_##place(kind, name, present, value)
#include "observe/access.def"
#undef ACCESS
	text_printf(out, "\n");
}

/* ---- records ---- */

#define NAME_BYTES 80

static char listener[NAME_BYTES + 1], upstream[NAME_BYTES + 1], rule_name[NAME_BYTES], pieces[3][RECORD_TEXT_BYTES + 40];
static struct rule rule;

/* From all alike to anything, among it much that must be escaped, whole characters and halves of them. */
static struct span hostile(char *p, size_t max)
{
	static const char some[] = "\"\\\n\r\t\b\f=  \x01\x1b\x7f\x80\x9b\xbf\xc2\x9b\xc3\xa9"
				   "\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\x80\xff";
	unsigned mood = next() % 4;
	size_t n = chance(4) ? next() % (max + 1) : next() % MIN(max + 1, 24u);

	for (size_t i = 0; i < n; i++) {
		if (mood == 0 || (mood == 1 && !chance(12)))
			p[i] = (char)('a' + next() % 26);
		else
			p[i] = mood == 3 ? (char)next() : some[next() % (sizeof(some) - 1)];
	}
	return span_of(p, n);
}

static const char *hostile_name(char name[NAME_BYTES + 1])
{
	struct span s = hostile(name, NAME_BYTES);

	name[s.n] = '\0';
	return chance(3) ? NULL : name;
}

static int64_t moment(void)
{
	return chance(3) ? 0 : chance(8) ? -(int64_t)(number() >> 3) : (int64_t)(number() >> 3);
}

static void random_client(uint8_t client[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (chance(2))
		return; /* as before */
	for (unsigned i = 0; i < 16; i++)
		client[i] = chance(3) ? 0 : (uint8_t)next();
	if (chance(2))
		memcpy(client, mapped, sizeof(mapped));
	if (chance(8))
		memset(client, 0, 16);
}

static void random_rule(void)
{
	rule = (struct rule){ .name = hostile(rule_name, NAME_BYTES), .n_outcomes = chance(3) ? 2 : 0,
		.sampling = chance(2) ? RULE_SAMPLING_EVEN : RULE_SAMPLING_INDEPENDENT, .even_block = chance(2) ? 100 : 100000 };
}

static void random_decision(struct record *r)
{
	struct decision *d = &r->decision;

	d->phase = (uint8_t)(next() % 2);
	d->choice = chance(2) ? 0 : (uint16_t)next();
	d->early = chance(4);
	d->asked = chance(4);
	d->key_hash = chance(2) ? 0 : number();
	d->occurrence = chance(3) ? 0 : number();
	d->threshold = chance(4) ? UINT64_MAX : number();
	d->draw = d->threshold ? number() % d->threshold : number();
	if (rule.sampling == RULE_SAMPLING_EVEN && !rule.n_outcomes) {
		d->threshold = next() % (rule.even_block + 1);
		d->draw = next() % rule.even_block;
	}
}

static void randomize(struct record *r)
{
	uint8_t client[16];

	memcpy(client, r->client, sizeof(client));
	record_init(r);
	random_client(client);
	memcpy(r->client, client, sizeof(client));
	random_rule();
	r->rule = chance(2) ? NULL : &rule;
	random_decision(r);
	r->id = number();
	r->wall_ns = chance(2) ? INT64_C(1790942400123456789) + (int64_t)(number() >> 20) : moment();
	r->first_ns = moment();
	r->end_ns = moment();
	r->head_ns = moment();
	r->upstream_sent_ns = moment();
	r->upstream_head_ns = moment();
	r->answer_ns = moment();
	r->delay_ns = moment();
	r->delay_actual_ns = moment();
	r->bytes_in = number();
	r->bytes_out = number();
	r->upstream_name = hostile_name(upstream);
	r->listener_name = hostile_name(listener);
	r->reject = chance(4) ? "bare_lf" : NULL;
	r->client_port = chance(4) ? 0 : (uint16_t)next();
	r->status = chance(4) ? 0 : (uint16_t)next();
	r->upstream_status = chance(2) ? 0 : (uint16_t)next();
	r->fault = (uint8_t)(next() % FAULT_KIND_COUNT);
	r->close = (uint8_t)(next() % CLOSE_REASON_COUNT);
	r->failure = (uint8_t)(next() % PROXY_ERROR_COUNT);
	r->minor = (uint8_t)next();
	r->reused = chance(2);
	record_set_text(r, hostile(pieces[0], chance(9) ? sizeof(pieces[0]) : 12), hostile(pieces[1], sizeof(pieces[1])),
		hostile(pieces[2], sizeof(pieces[2])));
}

/* ---- comparing ---- */

typedef void (*write_fn)(struct access_memory *, struct text *, const struct record *);
typedef void (*slow_fn)(struct text *, const struct record *);

/* One behind the other, as in the log, so that the block grows in the middle of lines too. */
static void compare(write_fn write, slow_fn slow, unsigned records)
{
	static struct record r;
	struct access_memory memory = { 0 };
	struct text got, wanted;

	text_init(&got);
	text_init(&wanted);
	for (unsigned i = 0; i < records; i++) {
		size_t start = got.n;
		struct span line;

		randomize(&r);
		write(&memory, &got, &r);
		text_clear(&wanted);
		slow(&wanted, &r);
		cr_assert_not(got.cut);
		line = span_skip(text_span(&got), start);
		cr_assert(span_eq(line, text_span(&wanted)), "record %u: got\n%.*snot\n%.*s", i, SPAN_ARG(line),
			SPAN_ARG(text_span(&wanted)));
		if (i % 64 == 63)
			text_forget(&got, 0);
	}
	text_deinit(&got);
	text_deinit(&wanted);
}

Test(access_lines, json_is_that_of_a_writer_that_takes_its_time)
{
	compare(access_write_json, slow_json_line, 40000);
}

Test(access_lines, text_is_that_of_a_writer_that_takes_its_time)
{
	compare(access_write_text, slow_text_line, 40000);
}

/* All of a line or nothing of it, and nothing outside of the block: whatever its size. */
static void cut(write_fn write, slow_fn slow)
{
	static struct record r;
	struct access_memory memory = { 0 };
	struct text whole;

	text_init(&whole);
	for (unsigned i = 0; i < 2000; i++) {
		size_t cap = next() % 9000;
		char *block = malloc(cap + 1);
		struct text out;

		cr_assert_not_null(block);
		block[cap] = '#';
		text_init_fixed(&out, block, cap);
		randomize(&r);
		text_clear(&whole);
		slow(&whole, &r);
		write(&memory, &out, &r);
		cr_assert_eq(block[cap], '#');
		if (out.cut)
			cr_assert_eq(out.n, 0);
		else
			cr_assert(span_eq(text_span(&out), text_span(&whole)));
		free(block);
	}
	text_deinit(&whole);
}

Test(access_lines, what_does_not_fit_is_not_begun)
{
	cut(access_write_json, slow_json_line);
	cut(access_write_text, slow_text_line);
}
