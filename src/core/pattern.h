/*
 * pattern: one compiled text condition: exact, glob, prefix, regular expression, presence. Compiled at load, immutable
 * afterwards, shared by all threads. Matching allocates nothing and is bounded (PCRE2 with match and depth limits).
 */
#ifndef BROWNOUT_CORE_PATTERN_H
#define BROWNOUT_CORE_PATTERN_H

#include "base/span.h"

enum pattern_kind {
	PATTERN_PRESENT, /* any value */
	PATTERN_ABSENT, /* decided by the caller: there is no value */
	PATTERN_EXACT,
	PATTERN_PREFIX, /* of a path: ends at a segment boundary ("/a" matches "/a" and "/a/b", not "/ab") */
	PATTERN_GLOB, /* `*` any run (within a '/' segment where segments), `**` any run at all, `?` one byte */
	PATTERN_REGEX, /* PCRE2, unanchored */
};

enum {
	PATTERN_NOCASE = 1,
	PATTERN_SEGMENTS = 2, /* a path: `*` and `?` do not cross '/' */
};

struct pattern {
	enum pattern_kind kind;
	unsigned flags;
	struct span text; /* owned */
	void *regex; /* pcre2_code, owned */
};

/* Working memory of one thread for regular expressions. */
struct pattern_scratch;
struct pattern_scratch *pattern_scratch_new(void) MUST_USE;
void pattern_scratch_free(struct pattern_scratch *s);

/*
 * A text without wildcards given as GLOB becomes EXACT. 0; 1: the regular expression is wrong (message in error, byte
 * position in *error_offset); -ENOMEM. On failure nothing is owned.
 */
int pattern_compile(struct pattern *p, enum pattern_kind kind, unsigned flags, struct span text, char *error, size_t error_n,
	size_t *error_offset) MUST_USE;
void pattern_deinit(struct pattern *p);

/* value exists. A regular expression that runs into its limit does not match and is counted in the scratch. */
bool pattern_matches(const struct pattern *p, struct span value, struct pattern_scratch *scratch);
uint64_t pattern_scratch_limit_hits(const struct pattern_scratch *s);

#endif
