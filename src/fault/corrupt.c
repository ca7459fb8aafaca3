/*
 * corrupt: a sample without repetition of the offsets, kept in order, and a mask for each.
 */
#include "fault/corrupt.h"

#include "core/random.h"

/* Inserts in order; false where it is in already. */
static bool insert(struct corruptor *c, uint64_t offset, uint8_t mask)
{
	unsigned at = 0;

	while (at < c->n && c->offsets[at] < offset)
		at++;
	if (at < c->n && c->offsets[at] == offset)
		return false;
	for (unsigned i = c->n; i > at; i--) {
		c->offsets[i] = c->offsets[i - 1];
		c->masks[i] = c->masks[i - 1];
	}
	c->offsets[at] = offset;
	c->masks[at] = mask;
	c->n++;
	return true;
}

/*
 * k of [from, to), k at most to - from: for each j of the last k places one up to j, or j itself where that one is taken.
 * So each set of k is as likely, and each takes exactly one draw.
 */
static void sample(struct corruptor *c, uint32_t k, uint64_t from, uint64_t to, corrupt_word word, const void *arg)
{
	for (uint64_t j = to - k; j < to; j++) {
		uint32_t index = 2 * c->n;
		uint64_t at = (uint64_t)random_between(word(arg, index), (int64_t)from, (int64_t)j);
		uint8_t mask = (uint8_t)random_between(word(arg, index + 1), 1, UINT8_MAX);

		if (!insert(c, at, mask))
			(void)insert(c, j, mask);
	}
}

void corrupt_init(struct corruptor *c, uint32_t bytes, uint64_t content_length, corrupt_word word, const void *arg)
{
	uint32_t k = MIN(bytes, CORRUPT_BYTES_MAX);

	c->n = 0;
	if (content_length != UINT64_MAX) {
		uint64_t length = MIN(content_length, (uint64_t)INT64_MAX);

		sample(c, (uint32_t)MIN((uint64_t)k, length), 0, length, word, arg);
	} else if (k) {
		sample(c, 1, 0, CORRUPT_EARLY_BYTES, word, arg);
		sample(c, k - 1, CORRUPT_EARLY_BYTES, CORRUPT_WINDOW_BYTES, word, arg);
	}
}

unsigned corrupt_apply(const struct corruptor *c, uint64_t offset, char *p, size_t n)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < c->n; i++) {
		if (c->offsets[i] < offset || c->offsets[i] - offset >= n)
			continue;
		p[c->offsets[i] - offset] = (char)((unsigned char)p[c->offsets[i] - offset] ^ c->masks[i]);
		changed++;
	}
	return changed;
}
