/*
 * arena: memory that is given back all at once. Loading a file makes thousands of small things that live equally long;
 * they come from a few large blocks. Not for threads: one arena, one user.
 */
#ifndef BROWNOUT_CONFIG_ARENA_H
#define BROWNOUT_CONFIG_ARENA_H

#include "base/span.h"

struct arena;

/* NULL where memory is out. */
struct arena *arena_new(void) MUST_USE;
void arena_free(struct arena *a); /* NULL is fine */

/* Zeroed, aligned for any type; NULL where memory is out. */
void *arena_alloc(struct arena *a, size_t n) MUST_USE;
/* A copy with a NUL behind it (not counted in n). p is NULL where memory is out. */
struct span arena_copy(struct arena *a, struct span s);

#endif
