/*
 * digest: the hash of bytes that come in pieces: the same however they are cut, different where their number differs. For telling
 * bodies apart, not for security.
 */
#ifndef BROWNOUT_CORE_DIGEST_H
#define BROWNOUT_CORE_DIGEST_H

#include "base/span.h"

#define DIGEST_BLOCK_BYTES 256

struct digest {
	uint64_t hash; /* of the whole blocks so far */
	uint64_t n; /* bytes so far */
	char block[DIGEST_BLOCK_BYTES]; /* the last n % DIGEST_BLOCK_BYTES of them */
};

void digest_init(struct digest *d);
void digest_add(struct digest *d, struct span bytes);
/* Of all that was added; never 0. More may be added afterwards. */
uint64_t digest_value(const struct digest *d);

#endif
