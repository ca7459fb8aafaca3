/*
 * policy: puts what was seen of the waits into the words in which people write retry policies. It says "looks like": many
 * policies have the same look.
 */
#include "rehearsal/check.h"

#include "base/text.h"

#define CHAINS_MIN 1
#define SPREAD_MIN 8 /* for a word on jitter; the check asks for more */

struct look {
	uint64_t attempts;
	double first_s;
	bool has_growth, has_spread;
	double growth, spread;
	double narrow; /* shortest first wait to the longest, of the middle 90 % */
};

static const struct policy {
	const char *whose;
	uint64_t attempts;
	double first[2], growth[2], spread[2];
} policies[] = {
#define POLICY(whose_, attempts_, first_min, first_max, growth_min, growth_max, spread_min, spread_max)                          \
	{ (whose_), (attempts_), { (first_min), (first_max) }, { (growth_min), (growth_max) }, { (spread_min), (spread_max) } },
#include "rehearsal/policies.def"
#undef POLICY
};

static bool is_within(double v, const double bounds[2])
{
	return v >= bounds[0] && v <= bounds[1];
}

static const char *whose(const struct look *l)
{
	for (unsigned i = 0; i < ARRAY_LEN(policies); i++) {
		const struct policy *p = &policies[i];

		if ((p->attempts && p->attempts != l->attempts) || !is_within(l->first_s, p->first))
			continue;
		if (!l->has_growth || !is_within(l->growth, p->growth))
			continue;
		if (!l->has_spread || is_within(l->spread, p->spread))
			return p->whose;
	}
	return NULL;
}

static void look_at(const struct tally *t, struct look *l)
{
	static const double q[2] = { 0.05, 0.95 };
	struct growth g;
	double p[2];

	*l = (struct look){ .attempts = (uint64_t)samples_quantile(&t->attempts_of_failed, 0.5),
		.first_s = samples_quantile(&t->first_waits, 0.5) };
	l->has_growth = check_growth(t, &g);
	l->growth = l->has_growth ? g.factor : 0;
	l->has_spread = t->first_waits.n >= SPREAD_MIN;
	if (!l->has_spread)
		return;
	l->spread = check_spread(&t->first_waits);
	samples_quantiles(&t->first_waits, q, p, 2);
	l->narrow = p[1] > 0 ? p[0] / p[1] : 0;
}

static void say_shape(struct text *out, const struct look *l)
{
	if (!l->has_growth)
		text_printf(out, "a wait of %.2g s", l->first_s);
	else if (l->growth >= 0.9 && l->growth <= 1.25)
		text_printf(out, "fixed %.2g s", l->first_s);
	else if (l->growth < 0.9)
		text_printf(out, "shrinking from %.2g s x%.2g", l->first_s, l->growth);
	else
		text_printf(out, "exponential %.2g s x%.2g", l->first_s, l->growth);
}

static void say_jitter(struct text *out, const struct look *l)
{
	if (!l->has_spread)
		return;
	if (l->spread < 0.05)
		text_put_literal(out, ", no jitter");
	else if (l->spread >= 1)
		text_put_literal(out, ", full jitter");
	else
		text_printf(out, ", jitter x%.2f..1", l->narrow);
}

void policy_describe(const struct tally *t, char *text, size_t cap)
{
	const char *known;
	struct text out;
	struct look l;

	text[0] = '\0';
	look_at(t, &l);
	if (t->first_waits.n < CHAINS_MIN || l.first_s * 1e9 < (double)t->noise_floor_ns)
		return;
	text_init_fixed(&out, text, cap - 1);
	text_put_literal(&out, "looks like ");
	say_shape(&out, &l);
	say_jitter(&out, &l);
	text_printf(&out, ", %llu attempt%s", N(l.attempts), l.attempts == 1 ? "" : "s");
	known = whose(&l);
	if (known)
		text_printf(&out, " (%s style)", known);
	text[out.n] = '\0';
}
