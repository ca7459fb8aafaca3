/*
 * pattern: compiling and matching of text conditions. A pattern is written once, at load; matching only reads it. The
 * working memory that PCRE2 needs is the scratch of the calling thread. Nothing here allocates while matching.
 */
#include "core/pattern.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/owned.h"

/*
 * Steps that a regular expression may take. PCRE2 counts them anew from each position of the value, so it is the product
 * with the longest value that bounds the time: for the most hostile expressions and values tried about 0.2 s, both by
 * machine code (a step takes nanoseconds, and most are not counted) and by the interpreter (some 30 ns each).
 */
#define REGEX_MATCH_LIMIT 100000
#define REGEX_MATCH_LIMIT_SLOW 4096
#define REGEX_DEPTH_LIMIT 20000
#define REGEX_HEAP_LIMIT_KIB 8192
#define REGEX_JIT_STACK_START (32 * 1024)
#define REGEX_JIT_STACK_MAX (512 * 1024)

struct pattern_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	uint64_t limit_hits;
};

/* ---- scratch ----------------------------------------------------------------------------------------------------- */

struct pattern_scratch *pattern_scratch_new(void)
{
	struct pattern_scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->data = pcre2_match_data_create(1, NULL);
	s->context = pcre2_match_context_create(NULL);
	s->stack = pcre2_jit_stack_create(REGEX_JIT_STACK_START, REGEX_JIT_STACK_MAX, NULL);
	if (!s->data || !s->context) {
		pattern_scratch_free(s);
		return NULL;
	}
	/* Without a stack of its own (PCRE2 built without JIT) the machine stack or the interpreter is used. */
	if (s->stack)
		pcre2_jit_stack_assign(s->context, NULL, s->stack);
	pcre2_set_depth_limit(s->context, REGEX_DEPTH_LIMIT);
	pcre2_set_heap_limit(s->context, REGEX_HEAP_LIMIT_KIB);
	return s;
}

void pattern_scratch_free(struct pattern_scratch *s)
{
	if (!s)
		return;
	pcre2_jit_stack_free(s->stack);
	pcre2_match_context_free(s->context);
	pcre2_match_data_free(s->data);
	free(s);
}

uint64_t pattern_scratch_limit_hits(const struct pattern_scratch *s)
{
	return s->limit_hits;
}

/* ---- compiling --------------------------------------------------------------------------------------------------- */

static bool is_wildcard(char c)
{
	return c == '*' || c == '?';
}

/* Copies text the way matching wants it: in lower case where case does not count, runs of stars as short as they go. */
static char *copy_text(struct span text, enum pattern_kind kind, unsigned flags, size_t *n)
{
	const size_t stars_max = flags & PATTERN_SEGMENTS ? 2 : 1;
	char *copy = malloc(text.n + 1);
	size_t stars = 0;

	*n = 0;
	if (!copy)
		return NULL;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		stars = kind == PATTERN_GLOB && c == '*' ? stars + 1 : 0;
		if (stars > stars_max)
			continue;
		copy[(*n)++] = flags & PATTERN_NOCASE && kind != PATTERN_REGEX ? ascii_lower(c) : c;
	}
	copy[*n] = '\0';
	return copy;
}

static void measure_glob(struct pattern *p)
{
	size_t head = 0;
	size_t tail = 0;

	while (head < p->text.n && !is_wildcard(p->text.p[head]))
		head++;
	if (head == p->text.n) {
		p->kind = PATTERN_EXACT;
		return;
	}
	while (!is_wildcard(p->text.p[p->text.n - 1 - tail]))
		tail++;
	p->head_n = (uint32_t)head;
	p->tail_n = (uint32_t)tail;
}

/* "(*NO_JIT)" makes compiling succeed and do nothing: only the size tells. */
static size_t jit_size(const pcre2_code *regex)
{
	size_t bytes = 0;

	(void)pcre2_pattern_info(regex, PCRE2_INFO_JITSIZE, &bytes);
	return bytes;
}

/*
 * Bytes, never characters: a field value may hold any byte (RFC 9110 section 5.5), and a pattern cannot turn UTF mode
 * on, in which such a value would be an error.
 */
static int compile_regex(struct pattern *p, char *error, size_t error_n, size_t *error_offset)
{
	const uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
		(p->flags & PATTERN_NOCASE ? PCRE2_CASELESS : 0);
	int code;
	size_t offset;
	pcre2_code *regex = pcre2_compile((PCRE2_SPTR)p->text.p, p->text.n, options, &code, &offset, NULL);

	if (!regex && code == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	if (!regex) {
		(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)error, error_n);
		*error_offset = offset;
		return 1;
	}
	p->regex = regex;
	p->regex_is_slow = pcre2_jit_compile(regex, PCRE2_JIT_COMPLETE) != 0 || jit_size(regex) == 0;
	return 0;
}

int pattern_compile(struct pattern *p, enum pattern_kind kind, unsigned flags, struct span text, char *error, size_t error_n,
	size_t *error_offset)
{
	char *copy;
	size_t n;
	int rc = 0;

	*p = (struct pattern){ .kind = kind, .flags = flags };
	if ((kind == PATTERN_GLOB || kind == PATTERN_REGEX) && text.n > PATTERN_TEXT_BYTES_MAX) {
		(void)snprintf(error, error_n, "longer than %d bytes", PATTERN_TEXT_BYTES_MAX);
		*error_offset = PATTERN_TEXT_BYTES_MAX;
		return 1;
	}
	copy = copy_text(text, kind, flags, &n);
	if (!copy)
		return -ENOMEM;
	p->text = span_of(copy, n);
	if (kind == PATTERN_GLOB)
		measure_glob(p);
	else if (kind == PATTERN_REGEX)
		rc = compile_regex(p, error, error_n, error_offset);
	if (rc != 0)
		pattern_deinit(p);
	return rc;
}

void pattern_deinit(struct pattern *p)
{
	pcre2_code_free(p->regex);
	owned_span_free(&p->text);
	*p = (struct pattern){ .kind = PATTERN_PRESENT };
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static bool text_eq(const struct pattern *p, struct span text, struct span value)
{
	return p->flags & PATTERN_NOCASE ? span_eq_nocase(text, value) : span_eq(text, value);
}

static bool text_begins(const struct pattern *p, struct span text, struct span value)
{
	return value.n >= text.n && text_eq(p, text, span_first(value, text.n));
}

static bool ends_segment(struct span s)
{
	return s.n > 0 && s.p[s.n - 1] == '/';
}

/* The prefix ends where a segment does. */
static bool prefix_matches(const struct pattern *p, struct span value)
{
	size_t n = p->text.n;

	if (!text_begins(p, p->text, value))
		return false;
	return value.n == n || value.p[n] == '/' || ends_segment(p->text);
}

/* The middle of a glob: pattern and value without the literal ends. */
struct glob {
	struct span text;
	bool segments;
	bool nocase;
};

static bool glob_star_at(const struct glob *g, size_t j)
{
	return j < g->text.n && g->text.p[j] == '*';
}

/* Length of the star token at j: `**` is one token. */
static size_t glob_star_length(const struct glob *g, size_t j)
{
	return glob_star_at(g, j + 1) ? 2 : 1;
}

/* Marks place j as reached, and all that can be reached from there by taking stars as empty. */
static size_t glob_reach(const struct glob *g, bool *reached, size_t j, size_t high)
{
	reached[j] = true;
	while (glob_star_at(g, j)) {
		j += glob_star_length(g, j);
		reached[j] = true;
	}
	return MAX(high, j);
}

/*
 * Follows all ways through the pattern at once: `now` holds the places in the pattern that the bytes so far can have led
 * to. No way is tried twice, so no pattern is exponential: O(value * pattern), less where few places are alive (low..high).
 */
static bool glob_walk(const struct glob *g, struct span value)
{
	bool rows[2][PATTERN_TEXT_BYTES_MAX + 1];
	bool *now = rows[0];
	bool *next = rows[1];
	size_t low = 0;
	size_t high;

	memset(now, 0, g->text.n + 1);
	memset(next, 0, g->text.n + 1);
	high = glob_reach(g, now, 0, 0);
	for (size_t i = 0; i < value.n; i++) {
		char c = g->nocase ? ascii_lower(value.p[i]) : value.p[i];
		size_t next_low = SIZE_MAX;
		size_t next_high = 0;
		bool *swap = now;

		for (size_t j = low; j <= high; j++) {
			size_t to = SIZE_MAX;

			if (!now[j])
				continue;
			now[j] = false; /* this row is the next but one */
			if (j == g->text.n)
				continue;
			if (glob_star_at(g, j)) {
				if (!g->segments || c != '/' || glob_star_length(g, j) == 2)
					to = j;
			} else if (g->text.p[j] == '?' ? !g->segments || c != '/' : g->text.p[j] == c) {
				to = j + 1;
			}
			if (to == SIZE_MAX)
				continue;
			next_low = MIN(next_low, to);
			next_high = glob_reach(g, next, to, next_high);
		}
		if (next_low == SIZE_MAX)
			return false;
		low = next_low;
		high = next_high;
		now = next;
		next = swap;
	}
	return now[g->text.n];
}

static bool glob_matches(const struct pattern *p, struct span value)
{
	struct span head = span_first(p->text, p->head_n);
	struct span tail = span_skip(p->text, p->text.n - p->tail_n);
	struct span rest;
	struct glob g = {
		.text = span_of(p->text.p + p->head_n, p->text.n - p->head_n - p->tail_n),
		.segments = p->flags & PATTERN_SEGMENTS,
		.nocase = p->flags & PATTERN_NOCASE,
	};

	/* The literal ends decide most cases, and a lone star between them the rest of the usual ones. */
	if (value.n < head.n + tail.n || !text_begins(p, head, value) || !text_eq(p, tail, span_skip(value, value.n - tail.n)))
		return false;
	rest = span_first(span_skip(value, head.n), value.n - head.n - tail.n);
	if (glob_star_at(&g, 0) && glob_star_length(&g, 0) == g.text.n)
		return g.text.n == 2 || !g.segments || span_find(rest, '/') == rest.n;
	return glob_walk(&g, rest);
}

static bool regex_matches(const struct pattern *p, struct span value, struct pattern_scratch *scratch)
{
	int rc;

	assert(scratch);
	if (value.n > (p->regex_is_slow ? PATTERN_REGEX_VALUE_BYTES_MAX_SLOW : PATTERN_REGEX_VALUE_BYTES_MAX)) {
		scratch->limit_hits++;
		return false;
	}
	pcre2_set_match_limit(scratch->context, p->regex_is_slow ? REGEX_MATCH_LIMIT_SLOW : REGEX_MATCH_LIMIT);
	rc = pcre2_match(p->regex, (PCRE2_SPTR)(value.n ? value.p : ""), value.n, 0, 0, scratch->data, scratch->context);
	if (rc >= 0)
		return true;
	if (rc != PCRE2_ERROR_NOMATCH)
		scratch->limit_hits++;
	return false;
}

bool pattern_matches(const struct pattern *p, struct span value, struct pattern_scratch *scratch)
{
	switch (p->kind) {
	case PATTERN_PRESENT:
		return true;
	case PATTERN_ABSENT:
		return false;
	case PATTERN_EXACT:
		return text_eq(p, p->text, value);
	case PATTERN_PREFIX:
		return prefix_matches(p, value);
	case PATTERN_GLOB:
		return glob_matches(p, value);
	case PATTERN_REGEX:
		return regex_matches(p, value, scratch);
	}
	return false;
}

/* ---- covering ---------------------------------------------------------------------------------------------------- */

/* What all values that b matches begin with. */
static struct span certain_head(const struct pattern *b)
{
	switch (b->kind) {
	case PATTERN_EXACT:
	case PATTERN_PREFIX:
		return b->text;
	case PATTERN_GLOB:
		return span_first(b->text, b->head_n);
	case PATTERN_PRESENT:
	case PATTERN_ABSENT:
	case PATTERN_REGEX:
		break;
	}
	return SPAN_EMPTY;
}

/* A glob that takes anything after its head: "/a/" and two stars, or "api." and a star in a text without segments. */
static bool glob_is_open(const struct pattern *a)
{
	struct span rest = span_skip(a->text, a->head_n);

	return a->flags & PATTERN_SEGMENTS ? span_eq(rest, SPAN("**")) : span_eq(rest, SPAN("*"));
}

bool pattern_covers(const struct pattern *a, const struct pattern *b)
{
	struct span head = certain_head(b);

	if (a->kind == PATTERN_ABSENT || b->kind == PATTERN_ABSENT)
		return a->kind == b->kind;
	if (a->kind == PATTERN_PRESENT)
		return true;
	if (a->kind == b->kind && a->flags == b->flags && span_eq(a->text, b->text))
		return true;
	/* b in any case matches values that a, with its one case, does not. */
	if (b->flags & PATTERN_NOCASE && !(a->flags & PATTERN_NOCASE))
		return false;
	switch (a->kind) {
	case PATTERN_EXACT:
		return b->kind == PATTERN_EXACT && pattern_matches(a, b->text, NULL);
	case PATTERN_PREFIX:
		if (b->kind == PATTERN_EXACT || b->kind == PATTERN_PREFIX)
			return pattern_matches(a, b->text, NULL);
		/* A head that is the text itself is not enough unless it ends a segment: "/a" does not cover "/a?". */
		return pattern_matches(a, head, NULL) && (head.n > a->text.n || ends_segment(a->text));
	case PATTERN_GLOB:
		if (b->kind == PATTERN_EXACT)
			return pattern_matches(a, b->text, NULL);
		return glob_is_open(a) && text_begins(a, span_first(a->text, a->head_n), head);
	case PATTERN_PRESENT:
	case PATTERN_ABSENT:
	case PATTERN_REGEX:
		break;
	}
	return false;
}
