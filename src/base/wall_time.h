/*
 * wall_time: Unix time as logs, traces and reports write it.
 */
#ifndef BROWNOUT_BASE_WALL_TIME_H
#define BROWNOUT_BASE_WALL_TIME_H

#include "base/text.h"

#define WALL_TIME_BYTES 24 /* 2026-01-31T23:59:59.999Z */

/* What many times of one second have in common. Zeroed: nothing yet. */
struct wall_time_memory {
	int64_t next_s; /* after that second; 0: none */
	char text[WALL_TIME_BYTES];
};

/* RFC 3339, UTC, milliseconds (cut, not rounded): 2026-01-31T23:59:59.999Z. Times before 1970 are written as 1970. */
void wall_time_write(struct text *out, int64_t unix_ns);
/* The same at `to`, which has room for WALL_TIME_BYTES; where it ends. */
char *wall_time_put(char *to, int64_t unix_ns, struct wall_time_memory *memory);

#endif
