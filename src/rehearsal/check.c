/*
 * check: the helpers.
 */
#include "rehearsal/check.h"

#include <stdarg.h>
#include <stdio.h>

static struct check *check_of(const struct check_run *r, enum check_id id)
{
	return &r->v->checks[id];
}

static enum check_status judged(const struct expect_limit *limit, const struct check_value *v)
{
	bool holds = expect_holds(limit, v->value);

	if (limit->severity == EXPECT_OFF || v->n == 0)
		return CHECK_NOT_APPLICABLE;
	if (v->n < v->n_min)
		return CHECK_INCONCLUSIVE;
	/* What was forgotten can hide a failure, and takes none away. */
	if (holds && v->forgotten && !expect_holds(limit, v->worst))
		return CHECK_INCONCLUSIVE;
	if (holds)
		return CHECK_PASS;
	return limit->severity == EXPECT_WARN ? CHECK_WARN : CHECK_FAIL;
}

struct measure *check_measure(const struct check_run *r, const struct check_value *v)
{
	struct check *c = check_of(r, (enum check_id)expect_key_check(v->key));
	struct measure *m = &c->measures[c->n_measures++];

	*m = (struct measure){
		.key = (uint8_t)v->key,
		.confidence = (uint8_t)v->how,
		.measured = v->n > 0,
		.at_least = v->at_least || v->forgotten,
		.value = v->value,
		.limit = r->t->expect.limits[v->key],
		.n = v->n,
		.n_min = v->n_min,
	};
	m->status = (uint8_t)judged(&m->limit, v);
	m->hidden = m->status == CHECK_INCONCLUSIVE && v->n >= v->n_min;
	return m;
}

void check_unmeasured(const struct check_run *r, enum expect_key key)
{
	const struct check_value none = { .key = key };

	(void)check_measure(r, &none);
}

#define MORE " \xe2\x80\xa6" /* an ellipsis */

static bool is_cut(const char *text, size_t n)
{
	return n >= strlen(MORE) && strcmp(text + n - strlen(MORE), MORE) == 0;
}

/* A full one ends behind its last whole word, and says that there is more. */
static void cut(char text[CHECK_TEXT_BYTES])
{
	size_t max = CHECK_TEXT_BYTES - sizeof(MORE), n = max;

	while (n > 0 && text[n] != ' ')
		n--;
	if (n == 0)
		n = max;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) /* in the middle of a character */
		n--;
	memcpy(text + n, MORE, sizeof(MORE));
}

void check_say(const struct check_run *r, enum check_id id, const char *format, ...)
{
	char *text = check_of(r, id)->text;
	size_t n = strlen(text);
	va_list args;
	int wanted;

	if (is_cut(text, n))
		return;
	va_start(args, format);
	wanted = vsnprintf(text + n, CHECK_TEXT_BYTES - n, format, args);
	va_end(args);
	if (wanted >= 0 && (size_t)wanted >= CHECK_TEXT_BYTES - n)
		cut(text);
}

void check_nothing(const struct check_run *r, enum check_id id, const char *why)
{
	for (unsigned i = 0; i < EXPECT_COUNT; i++) {
		if (expect_key_check((enum expect_key)i) == id)
			check_unmeasured(r, (enum expect_key)i);
	}
	check_say(r, id, "%s", why);
}

void check_undecided(const struct check_run *r, enum check_id id, const char *why)
{
	struct check *c = check_of(r, id);

	check_nothing(r, id, why);
	for (unsigned i = 0; i < c->n_measures; i++) {
		if (c->measures[i].limit.severity != EXPECT_OFF)
			c->measures[i].status = CHECK_INCONCLUSIVE;
	}
}

void check_settle(const struct check_run *r, struct check *c)
{
	bool hidden = false;

	for (unsigned i = 0; i < c->n_measures; i++) {
		const struct measure *m = &c->measures[i];

		if (i == 0 || m->status > c->status)
			c->n = m->n;
		c->status = MAX(c->status, m->status);
		c->confidence = MAX(c->confidence, m->confidence);
		hidden = hidden || m->hidden;
	}
	if (hidden)
		check_say(r, (enum check_id)c->id, "; logical requests forgotten for want of room: %llu, which may hide more",
			N(r->t->evicted));
}
