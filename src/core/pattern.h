/*
 * pattern: one compiled text condition: exact, glob, prefix, regular expression, presence. Compiled at load, immutable
 * afterwards, shared by all threads. Matching allocates nothing and is bounded: a glob of m bytes costs at most
 * O(n * m) for a value of n bytes, a regular expression runs with match, depth, heap and length limits.
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

/* Longest glob or regular expression: bounds what compiling and matching one may cost. */
#define PATTERN_TEXT_BYTES_MAX 4096
/* Longest value that a regular expression is tried on; a longer one counts as running into the limit. */
#define PATTERN_REGEX_VALUE_BYTES_MAX 8192
/* The same where PCRE2 has no machine code for it (no JIT on this machine, or the expression says so). */
#define PATTERN_REGEX_VALUE_BYTES_MAX_SLOW 1024

struct pattern {
	enum pattern_kind kind;
	unsigned flags;
	struct span text; /* owned; in lower case where NOCASE */
	void *regex; /* pcre2_code, owned */
	bool regex_is_slow; /* interpreted: tighter limits */
	uint32_t head_n; /* GLOB: bytes before the first wildcard */
	uint32_t tail_n; /* GLOB: bytes after the last one */
};

/* Working memory of one thread for regular expressions. NULL where memory is out. */
struct pattern_scratch;
struct pattern_scratch *pattern_scratch_new(void) MUST_USE;
void pattern_scratch_free(struct pattern_scratch *s);

/*
 * Copies text. A text without wildcards given as GLOB becomes EXACT; there is no escape, a text with a literal `*` or `?`
 * is a case for EXACT or REGEX. 0; 1: the text is wrong (message in error, byte position in *error_offset); -ENOMEM.
 * On failure nothing is owned.
 */
int pattern_compile(struct pattern *p, enum pattern_kind kind, unsigned flags, struct span text, char *error, size_t error_n,
	size_t *error_offset) MUST_USE;
void pattern_deinit(struct pattern *p);

/*
 * value exists. A regular expression that runs into its limit does not match and is counted in the scratch.
 * scratch may be NULL where no pattern is a regular expression.
 */
bool pattern_matches(const struct pattern *p, struct span value, struct pattern_scratch *scratch);
uint64_t pattern_scratch_limit_hits(const struct pattern_scratch *s);

/* True where every value that b matches is surely matched by a as well; may miss some. */
bool pattern_covers(const struct pattern *a, const struct pattern *b);

#endif
