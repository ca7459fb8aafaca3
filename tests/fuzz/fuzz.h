/*
 * fuzz: what fuzz targets begin with. What does not hold ends the process, so that the fuzzer keeps the input.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST_HOLD(condition)                                                                                                    \
	do {                                                                                                                    \
		if (!(condition)) {                                                                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                         \
			abort();                                                                                                \
		}                                                                                                               \
	} while (0)

/* A copy of exactly n bytes, so that the sanitizer sees any look behind them; the caller's to free. */
static inline char *fuzz_copy(const void *data, size_t n)
{
	char *copy = malloc(n ? n : 1);

	MUST_HOLD(copy);
	if (n)
		memcpy(copy, data, n);
	return copy;
}

/* Takes the first line, which ends before a LF or with the last byte. */
static inline struct span fuzz_take_line(struct span *rest)
{
	struct span line = span_first(*rest, span_find(*rest, '\n'));

	*rest = span_skip(*rest, line.n + 1);
	return line;
}

#endif
