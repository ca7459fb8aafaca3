/*
 * units: a decimal number, then a unit from a table.
 */
#include "config/units.h"

#define DECIMALS_MAX 6
/* Keeps mantissa * unit, and decimals * unit, inside of 64 bits: an hour has 3.6e12 ns. */
#define FRACTION_ALL UINT64_C(1000000)

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: writing takes the first that divides. */
static const struct unit duration_units[] = {
	{ "h", UINT64_C(3600000000000) },
	{ "m", UINT64_C(60000000000) },
	{ "s", UINT64_C(1000000000) },
	{ "ms", UINT64_C(1000000) },
	{ "us", UINT64_C(1000) },
	{ "ns", UINT64_C(1) },
};

static const struct unit size_units[] = {
	{ "GiB", UINT64_C(1) << 30 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "GB", UINT64_C(1000000000) },
	{ "MB", UINT64_C(1000000) },
	{ "KB", UINT64_C(1000) },
	{ "B", UINT64_C(1) },
};

/* What people write, and what it is here. */
static const char *const other_names[][2] = {
	{ "sec", "s" }, { "secs", "s" }, { "second", "s" }, { "seconds", "s" },
	{ "min", "m" }, { "mins", "m" }, { "minute", "m" }, { "minutes", "m" },
	{ "hr", "h" }, { "hrs", "h" }, { "hour", "h" }, { "hours", "h" },
	{ "msec", "ms" }, { "msecs", "ms" }, { "millis", "ms" }, { "millisecond", "ms" }, { "milliseconds", "ms" },
	{ "usec", "us" }, { "micros", "us" }, { "microsecond", "us" }, { "microseconds", "us" }, { "\xc2\xb5s", "us" },
	{ "nsec", "ns" }, { "nanos", "ns" }, { "nanosecond", "ns" }, { "nanoseconds", "ns" },
	{ "byte", "B" }, { "bytes", "B" },
	{ "k", "KiB" }, { "ki", "KiB" }, { "kib", "KiB" }, { "kb", "KB" },
	{ "mi", "MiB" }, { "mib", "MiB" }, { "mb", "MB" },
	{ "g", "GiB" }, { "gi", "GiB" }, { "gib", "GiB" }, { "gb", "GB" },
};

struct decimal {
	uint64_t whole;
	uint64_t millionths; /* of one */
};

/* Cuts digits, or digits '.' digits, off *s. 1 where there is no number, or too much of it. */
static int cut_decimal(struct span *s, struct decimal *value)
{
	struct span whole = *s, fraction;
	size_t n = 0;

	while (n < s->n && ascii_is_digit(s->p[n]))
		n++;
	whole = span_first(*s, n);
	if (span_to_u64(whole, &value->whole) != 0)
		return 1;
	value->millionths = 0;
	*s = span_skip(*s, n);
	if (s->n == 0 || s->p[0] != '.')
		return 0;
	fraction = span_skip(*s, 1);
	for (n = 0; n < fraction.n && ascii_is_digit(fraction.p[n]); n++) {
		if (n == DECIMALS_MAX)
			return 1;
		value->millionths = value->millionths * 10 + (uint64_t)(fraction.p[n] - '0');
	}
	if (n == 0)
		return 1;
	*s = span_skip(fraction, n);
	for (; n < DECIMALS_MAX; n++)
		value->millionths *= 10;
	return 0;
}

/*
 * Cuts the exponent off *s that writers of JSON give small numbers (RFC 8259 section 6): 1e-05 is 0.00001. 1 where it is another
 * one, or digits would get lost.
 */
static int cut_exponent(struct span *s, struct decimal *value)
{
	uint64_t places, all = value->whole * FRACTION_ALL + value->millionths;

	if (s->n == 0 || ascii_lower(s->p[0]) != 'e')
		return 0;
	if (s->n < 3 || s->p[1] != '-' || span_to_u64(span_skip(*s, 2), &places) != 0 || value->whole > UINT32_MAX)
		return 1;
	for (; places > 0 && all % 10 == 0 && all > 0; places--)
		all /= 10;
	value->whole = all / FRACTION_ALL;
	value->millionths = all % FRACTION_ALL;
	*s = SPAN_EMPTY;
	return places > 0 && all > 0;
}

/* 1 where the product is not whole or above max. */
static int scale(const struct decimal *d, uint64_t factor, uint64_t max, uint64_t *value)
{
	uint64_t parts = d->millionths * factor;

	if (parts % FRACTION_ALL != 0 || d->whole > (max - parts / FRACTION_ALL) / factor)
		return 1;
	*value = d->whole * factor + parts / FRACTION_ALL;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(name, span_of_string(units[i].name)))
			return &units[i];
	}
	return NULL;
}

/* The unit that `name` was meant to be, or NULL. */
static const struct unit *guess_unit(const struct unit *units, size_t n, struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(other_names); i++) {
		const struct unit *unit = find_unit(units, n, span_of_string(other_names[i][1]));

		if (unit && span_eq_nocase(name, span_of_string(other_names[i][0])))
			return unit;
	}
	for (size_t i = 0; i < n; i++) {
		if (span_eq_nocase(name, span_of_string(units[i].name)))
			return &units[i];
	}
	return NULL;
}

static void hint_write(struct text *hint, struct span number, const char *unit)
{
	if (hint && number.n <= 20)
		text_printf(hint, "write %.*s%s", SPAN_ARG(number), unit);
}

/* A number and a unit. `bare` is the unit of a number alone; NULL: there is none (only 0 goes without). */
static int parse_quantity(struct span s, const struct unit *units, size_t n_units, const char *bare, uint64_t max,
	uint64_t *value, struct text *hint)
{
	struct span rest = s, number;
	const struct unit *unit;
	struct decimal d;

	if (cut_decimal(&rest, &d) != 0)
		return 1;
	number = span_first(s, s.n - rest.n);
	if (rest.n == 0 && d.whole == 0 && d.millionths == 0) {
		*value = 0;
		return 0;
	}
	unit = find_unit(units, n_units, rest.n == 0 && bare ? span_of_string(bare) : rest);
	if (!unit) {
		unit = guess_unit(units, n_units, span_trim(rest));
		if (unit)
			hint_write(hint, number, unit->name);
		else if (rest.n == 0 && hint && number.n <= 20)
			text_printf(hint, "write %.*sms or %.*ss", SPAN_ARG(number), SPAN_ARG(number));
		return 1;
	}
	return scale(&d, unit->factor, max, value);
}

int units_parse_count(struct span s, uint64_t *value, struct text *hint)
{
	char digits[24];
	struct text t;

	if (span_to_u64(s, value) == 0)
		return 0;
	text_init_fixed(&t, digits, sizeof(digits));
	for (size_t i = 0; i < s.n; i++) {
		if (ascii_is_digit(s.p[i]))
			text_put_char(&t, s.p[i]);
		else if (s.p[i] != '_' && s.p[i] != ',' && s.p[i] != ' ')
			return 1;
	}
	if (t.n > 0 && t.n < s.n && !t.cut)
		hint_write(hint, text_span(&t), "");
	return 1;
}

int units_parse_duration(struct span s, int64_t *ns, struct text *hint)
{
	uint64_t value;
	int rc = parse_quantity(s, duration_units, ARRAY_LEN(duration_units), NULL, INT64_MAX, &value, hint);

	if (rc == 0)
		*ns = (int64_t)value;
	return rc;
}

int units_parse_duration_range(struct span s, int64_t *min_ns, int64_t *max_ns, struct text *hint)
{
	const char *dots = s.n ? memmem(s.p, s.n, "..", 2) : NULL;
	struct span low = s, high = s;

	if (dots) {
		low = span_trim(span_of(s.p, (size_t)(dots - s.p)));
		high = span_trim(span_skip(s, (size_t)(dots - s.p) + 2));
	}
	if (units_parse_duration(low, min_ns, hint) != 0 || units_parse_duration(high, max_ns, hint) != 0)
		return 1;
	if (*min_ns > *max_ns) {
		if (hint)
			text_printf(hint, "write %.*s..%.*s", SPAN_ARG(high), SPAN_ARG(low));
		return 1;
	}
	return 0;
}

int units_parse_size(struct span s, uint64_t *bytes, struct text *hint)
{
	return parse_quantity(s, size_units, ARRAY_LEN(size_units), "B", INT64_MAX, bytes, hint);
}

int units_parse_percentage(struct span s, uint64_t *millionths, struct text *hint)
{
	struct span rest = s;
	struct decimal d;

	if (cut_decimal(&rest, &d) != 0 || cut_exponent(&rest, &d) != 0)
		return 1;
	if (rest.n) {
		if (span_eq(span_trim(rest), SPAN("%")))
			hint_write(hint, span_first(s, s.n - rest.n), "");
		return 1;
	}
	return scale(&d, FRACTION_ALL, INT64_MAX, millionths);
}

static void write_quantity(struct text *out, const struct unit *units, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (value % units[i].factor == 0) {
			text_put_u64(out, value / units[i].factor);
			text_put_string(out, units[i].name);
			return;
		}
	}
}

void units_write_duration(struct text *out, int64_t ns)
{
	if (ns == 0)
		text_put_string(out, "0s");
	else
		write_quantity(out, duration_units, ARRAY_LEN(duration_units), (uint64_t)ns);
}

void units_write_size(struct text *out, uint64_t bytes)
{
	if (bytes == 0)
		text_put_string(out, "0");
	else
		write_quantity(out, size_units, ARRAY_LEN(size_units), bytes);
}
