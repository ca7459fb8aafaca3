/*
 * digest: a chain of XXH3 over blocks of one size, each seeded with what came before it.
 */
#include "core/digest.h"

#include "core/random.h"

void digest_init(struct digest *d)
{
	d->hash = 0;
	d->n = 0;
}

void digest_add(struct digest *d, struct span bytes)
{
	size_t held = (size_t)(d->n % DIGEST_BLOCK_BYTES);

	d->n += bytes.n;
	if (held) {
		struct span part = span_first(bytes, DIGEST_BLOCK_BYTES - held);

		memcpy(d->block + held, part.p, part.n);
		bytes = span_skip(bytes, part.n);
		if (held + part.n < DIGEST_BLOCK_BYTES)
			return;
		d->hash = random_hash(d->hash, span_of(d->block, DIGEST_BLOCK_BYTES));
	}
	while (bytes.n >= DIGEST_BLOCK_BYTES) {
		d->hash = random_hash(d->hash, span_first(bytes, DIGEST_BLOCK_BYTES));
		bytes = span_skip(bytes, DIGEST_BLOCK_BYTES);
	}
	if (bytes.n)
		memcpy(d->block, bytes.p, bytes.n);
}

uint64_t digest_value(const struct digest *d)
{
	uint64_t rest = random_hash(d->hash, span_of(d->block, (size_t)(d->n % DIGEST_BLOCK_BYTES)));
	uint64_t value = random_word(0, rest, d->n, 0, 0);

	return value ? value : 1;
}
