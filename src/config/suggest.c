/*
 * suggest: three rows of the distance table on the stack.
 */
#include "config/suggest.h"

#define PREFIX_BYTES_MIN 4
#define ROW (SUGGEST_WORD_BYTES_MAX + 1)

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	return MIN(MIN(a, b), c);
}

/* `-` and `_` are one: max-headers is max_headers. */
static char fold(char c)
{
	return c == '-' ? '_' : ascii_lower(c);
}

unsigned suggest_distance(struct span a, struct span b, unsigned limit)
{
	unsigned rows[3][ROW];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	if (a.n > SUGGEST_WORD_BYTES_MAX || b.n > SUGGEST_WORD_BYTES_MAX)
		return limit + 1;
	for (unsigned j = 0; j <= b.n; j++)
		before[j] = last[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *reuse = before;

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			char x = fold(a.p[i - 1]), y = fold(b.p[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b.p[j - 2]) && fold(a.p[i - 2]) == y)
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = reuse;
	}
	return MIN(last[b.n], limit + 1);
}

void suggest_begin(struct suggestion *s, struct span wanted)
{
	/* A third of the letters may be wrong, but at least one: "pase" is phase, "x" is nothing. */
	unsigned limit = wanted.n < 3 ? 0 : (unsigned)MAX(wanted.n / 3, (size_t)1);

	*s = (struct suggestion){ .wanted = wanted, .distance = MIN(limit, 3u) + 1 };
}

void suggest_offer(struct suggestion *s, struct span candidate)
{
	unsigned distance = suggest_distance(s->wanted, candidate, s->distance);

	/* A word cut short is near whatever is missing: percent, percentage. */
	if (s->wanted.n >= PREFIX_BYTES_MIN && suggest_distance(s->wanted, span_first(candidate, s->wanted.n), 0) == 0)
		distance = MIN(distance, 1u);
	if (distance < s->distance) {
		s->distance = distance;
		s->best = candidate;
	}
}
