/*
 * owned: freeing what the structs of match.h and rule.h own. A span is const to everybody who reads it; only its owner
 * may give the block back.
 */
#ifndef BROWNOUT_CORE_OWNED_H
#define BROWNOUT_CORE_OWNED_H

#include <stdlib.h>

#include "base/span.h"

static inline void owned_span_free(struct span *s)
{
	free((void *)(uintptr_t)s->p);
	*s = SPAN_EMPTY;
}

#endif
