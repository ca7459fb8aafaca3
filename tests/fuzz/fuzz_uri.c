/*
 * fuzz uri: any bytes as a reference and the URI that it is relative to, one in each of the first two lines, and as a path. Where
 * a reference leads to has no dot segment left.
 */
#include <stdlib.h>

#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BLOCK_BYTES 64

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct span next_line(struct span *rest)
{
	struct span line = span_first(*rest, span_find(*rest, '\n'));

	*rest = span_skip(*rest, line.n + 1);
	return line;
}

static bool is_within(struct span part, struct span whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* It leads to itself from everywhere. */
static void check_result(struct span result, const struct http_reference *base)
{
	char block[BLOCK_BYTES];
	struct http_reference r;
	struct text out;

	check(result.n > 0 && result.p[0] == '/');
	if (span_starts_with(result, SPAN("//"))) /* read alone, that would name a host */
		return;
	text_init_fixed(&out, block, sizeof(block));
	http_reference_parse(&r, result);
	check(r.scheme.n == 0 && !r.has_authority);
	check(http_reference_resolve(&r, base, &out) == 0 && span_eq(text_span(&out), result));
}

static void try_reference(struct span s, struct span from)
{
	char block[BLOCK_BYTES];
	struct http_reference r, base;
	struct text out;

	text_init_fixed(&out, block, sizeof(block));
	http_reference_parse(&r, s);
	http_reference_parse(&base, from);
	check(is_within(r.scheme, s) && is_within(r.authority, s) && is_within(r.path, s) && is_within(r.query, s));
	if (http_reference_resolve(&r, &base, &out) == 0)
		check_result(text_span(&out), &base);
}

static void try_path(struct span path)
{
	char block[BLOCK_BYTES];
	struct span normal = http_path_normalize(path, block, sizeof(block));

	check(normal.n <= path.n);
	if (path.n && path.n <= sizeof(block) && path.p[0] == '/')
		check(normal.p[0] == '/' && !memmem(normal.p, normal.n, "//", 2) && !memmem(normal.p, normal.n, "/./", 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of the very size, so that the sanitizer sees any look behind it. */
	char *copy = malloc(size ? size : 1);
	struct span rest = span_of(copy, size), reference, base;

	check(copy != NULL);
	memcpy(copy, data, size);
	reference = next_line(&rest);
	base = next_line(&rest);
	try_reference(reference, base);
	try_path(reference);
	free(copy);
	return 0;
}
