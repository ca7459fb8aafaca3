/*
 * units: the numbers of a rule file: "250ms", "64KiB", "12.5", "100ms..2s". Exact integer arithmetic, no floating point,
 * no locale. Each returns 0, or 1 where the text is none of it; then `hint` (if given) may hold what was probably meant,
 * as in "write 10m", else it stays empty.
 */
#ifndef BROWNOUT_CONFIG_UNITS_H
#define BROWNOUT_CONFIG_UNITS_H

#include "base/text.h"

/* Digits only, or 1. As span_to_u64, with a hint for "1,000", "1_000", "1k". */
int units_parse_count(struct span s, uint64_t *value, struct text *hint) MUST_USE;
/* "ns us ms s m h"; a fraction of up to 6 decimals ("1.5s") where the result is whole nanoseconds; "0" needs no unit. */
int units_parse_duration(struct span s, int64_t *ns, struct text *hint) MUST_USE;
/* "100ms..2s", the first at most the second; one duration alone is both. */
int units_parse_duration_range(struct span s, int64_t *min_ns, int64_t *max_ns, struct text *hint) MUST_USE;
/* "B KiB MiB GiB", "KB MB GB" (of 1000); a number alone is bytes. */
int units_parse_size(struct span s, uint64_t *bytes, struct text *hint) MUST_USE;
/* A percentage of up to 6 decimals, in millionths of a percent: "12.5" is 12500000, "1e-05" is 10. Not bounded to 100. */
int units_parse_percentage(struct span s, uint64_t *millionths, struct text *hint) MUST_USE;

/* The shortest exact text: 90 s as "90s", 120 s as "2m". */
void units_write_duration(struct text *out, int64_t ns);
void units_write_size(struct text *out, uint64_t bytes);

#endif
