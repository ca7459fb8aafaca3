/*
 * corrupt: which bytes of a content are changed, and to what. Drawn once per answer from words of the rule's own stream, so
 * that the same seed damages the same bytes, however the content is cut into pieces on its way. The length never changes.
 */
#ifndef BROWNOUT_FAULT_CORRUPT_H
#define BROWNOUT_FAULT_CORRUPT_H

#include "core/fault_set.h"

#define CORRUPT_BYTES_MAX 64

/* Where the length is not known, the bytes are among the first so many ... */
#define CORRUPT_WINDOW_BYTES 4096
/* ... and one is among the first so many, so that short content does not get away. */
#define CORRUPT_EARLY_BYTES 16

/* Word number `index` (from 0) of a hash stream; two are used per byte. */
typedef uint64_t (*corrupt_word)(const void *arg, uint32_t index);

struct corruptor {
	uint64_t offsets[CORRUPT_BYTES_MAX]; /* ascending, each once */
	uint8_t masks[CORRUPT_BYTES_MAX]; /* never 0: a byte that is changed is another one */
	unsigned n;
};

/*
 * `bytes` different offsets, at most CORRUPT_BYTES_MAX and at most what the content has, each as likely.
 * content_length: UINT64_MAX where it is not known.
 */
void corrupt_init(struct corruptor *c, uint32_t bytes, uint64_t content_length, corrupt_word word, const void *arg);

/* Changes what is to be changed of the content's bytes [offset, offset + n), which lie at p. Returns how many. */
unsigned corrupt_apply(const struct corruptor *c, uint64_t offset, char *p, size_t n);

#endif
