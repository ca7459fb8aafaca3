/*
 * hint: see the header.
 */
#include "core/hint.h"

#include "core/random.h"

#define WAIT_SECONDS_MAX UINT64_C(3000000000) /* longer is the same: never */

static const struct span names[HINT_COUNT] = {
	[HINT_NONE] = { "", 0 },
#define HINT(id, name) [HINT_##id] = { name, sizeof(name) - 1 },
#include "core/hints.def"
#undef HINT
};

const char *hint_name(enum hint kind)
{
	return names[kind].p;
}

/* host[:port] in one spelling (RFC 9110 section 4.2.3): lower case, and without the port that http has by itself. */
static struct span host_normalize(struct span host, char *out, size_t out_n)
{
	size_t n = host.n;

	if (n > 3 && memcmp(host.p + n - 3, ":80", 3) == 0)
		n -= 3;
	else if (n > 1 && host.p[n - 1] == ':')
		n--;
	if (n > out_n)
		return host;
	for (size_t i = 0; i < n; i++)
		out[i] = ascii_lower(host.p[i]);
	return span_of(out, n);
}

uint64_t hint_place(struct span host, struct span target)
{
	char block[256]; /* a longer one is no host that there is (RFC 1035 section 2.3.4) */

	return random_hash(random_hash(0, host_normalize(host, block, sizeof(block))), target);
}

/* ---- dates ---- */

static bool digits(struct span s, size_t at, size_t n, int64_t *value)
{
	uint64_t v;

	if (span_to_u64(span_of(s.p + at, n), &v) != 0)
		return false;
	*value = (int64_t)v;
	return true;
}

static int month_of(struct span s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (memcmp(months + (size_t)i * 3, s.p + 8, 3) == 0)
			return i + 1;
	}
	return 0;
}

/* Days from 1 January 1970 to a day; as if years began in March, so that leap days come last. */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct moment {
	int64_t year, month, day, hour, minute, second;
};

static int seconds_to(const struct moment *m, int64_t *unix_s)
{
	if (m->month < 1 || m->month > 12 || m->day < 1 || m->day > 31 || m->hour > 23 || m->minute > 59 || m->second > 60)
		return 1;
	*unix_s = days_to(m->year, m->month, m->day) * 86400 + m->hour * 3600 + m->minute * 60 + m->second;
	return 0;
}

/* Has the length of the form, and its signs; where that has a 0 or an x is for whoever reads what stands there. */
static bool has_form(struct span s, struct span form)
{
	for (size_t i = 0; s.n == form.n && i < s.n; i++) {
		if (form.p[i] != '0' && form.p[i] != 'x' && s.p[i] != form.p[i])
			return false;
	}
	return s.n == form.n;
}

int hint_parse_date(struct span s, int64_t *unix_s)
{
	struct moment m;

	if (!has_form(s, SPAN("xxx, 00 xxx 0000 00:00:00 GMT")))
		return 1;
	m.month = month_of(s);
	if (!digits(s, 5, 2, &m.day) || !digits(s, 12, 4, &m.year) || !digits(s, 17, 2, &m.hour) ||
		!digits(s, 20, 2, &m.minute) || !digits(s, 23, 2, &m.second))
		return 1;
	return seconds_to(&m, unix_s);
}

int hint_parse_stamp(struct span s, int64_t *unix_s)
{
	struct moment m;

	if (!has_form(s, SPAN("00000000T000000Z")) || !digits(s, 0, 4, &m.year) || !digits(s, 4, 2, &m.month) ||
		!digits(s, 6, 2, &m.day) || !digits(s, 9, 2, &m.hour) || !digits(s, 11, 2, &m.minute) ||
		!digits(s, 13, 2, &m.second))
		return 1;
	return seconds_to(&m, unix_s);
}

/* ---- waits ---- */

static void offer(struct hints *h, enum hint kind, int64_t wait_ns)
{
	if (h->wait_ns >= 0 && h->wait_ns <= wait_ns)
		return;
	h->wait_ns = wait_ns;
	h->kind = kind;
}

static void take_retry_after(struct hints *h, struct span value, int64_t wall_ns)
{
	uint64_t seconds;
	int64_t unix_s;

	if (span_to_u64(value, &seconds) == 0)
		offer(h, HINT_RETRY_AFTER, (int64_t)MIN(seconds, WAIT_SECONDS_MAX) * NS_PER_S);
	else if (hint_parse_date(value, &unix_s) == 0)
		offer(h, HINT_RETRY_AFTER_DATE,
			MAX(MIN(unix_s, (int64_t)WAIT_SECONDS_MAX * 2) * NS_PER_S - wall_ns, 0));
}

static void take_ms(struct hints *h, enum hint kind, struct span value)
{
	uint64_t ms;

	if (span_to_u64(value, &ms) == 0)
		offer(h, kind, (int64_t)MIN(ms, WAIT_SECONDS_MAX * 1000) * NS_PER_MS);
}

/* A parameter of a structured item: ";r=0". */
static bool parameter(struct span item, struct span name, uint64_t *value)
{
	while (item.n) {
		struct span rest = span_skip(item, span_find(item, ';') + 1), one;

		one = span_trim(span_first(rest, span_find(rest, ';')));
		if (one.n > name.n && span_starts_with(one, name) && one.p[name.n] == '=')
			return span_to_u64(span_skip(one, name.n + 1), value) == 0;
		item = rest;
	}
	return false;
}

/* Of several quotas the one that begins anew last counts: until then something is used up. */
static void take_ratelimit(struct hints *h, struct span value)
{
	struct span rest = value, item;
	uint64_t left, seconds;
	int64_t quota_ns = -1;

	while (span_next_element(&rest, &item)) {
		if (parameter(item, SPAN("r"), &left) && left == 0 && parameter(item, SPAN("t"), &seconds))
			quota_ns = MAX(quota_ns, (int64_t)MIN(seconds, WAIT_SECONDS_MAX) * NS_PER_S);
	}
	if (quota_ns < 0)
		return;
	h->quota_ns = quota_ns;
	offer(h, HINT_RATELIMIT, quota_ns);
}

void hints_take(struct hints *h, struct span name, struct span value, int64_t wall_ns)
{
	for (unsigned i = HINT_NONE + 1; i < HINT_COUNT; i++) {
		if (name.n != names[i].n || !span_eq_nocase(name, names[i]))
			continue;
		if (i == HINT_RETRY_AFTER)
			take_retry_after(h, value, wall_ns);
		else if (i == HINT_RATELIMIT)
			take_ratelimit(h, value);
		else
			take_ms(h, (enum hint)i, value);
		return;
	}
}
