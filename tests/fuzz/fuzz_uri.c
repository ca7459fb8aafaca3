/*
 * fuzz uri: any bytes as a reference and the URI that it is relative to, one in each of the first two lines, and as a path. Where
 * a reference leads to has no dot segment left.
 */
#include "fuzz.h"
#include "http/uri.h"

#define BLOCK_BYTES 64

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

	MUST_HOLD(result.n > 0 && result.p[0] == '/');
	if (span_starts_with(result, SPAN("//"))) /* read alone, that would name a host */
		return;
	text_init_fixed(&out, block, sizeof(block));
	http_reference_parse(&r, result);
	MUST_HOLD(r.scheme.n == 0 && !r.has_authority);
	MUST_HOLD(http_reference_resolve(&r, base, &out) == 0 && span_eq(text_span(&out), result));
}

static void try_reference(struct span s, struct span from)
{
	char block[BLOCK_BYTES];
	struct http_reference r, base;
	struct text out;

	text_init_fixed(&out, block, sizeof(block));
	http_reference_parse(&r, s);
	http_reference_parse(&base, from);
	MUST_HOLD(is_within(r.scheme, s) && is_within(r.authority, s) && is_within(r.path, s) && is_within(r.query, s));
	if (http_reference_resolve(&r, &base, &out) == 0)
		check_result(text_span(&out), &base);
}

static void try_path(struct span path)
{
	char block[BLOCK_BYTES];
	struct span normal = http_path_normalize(path, block, sizeof(block));

	MUST_HOLD(normal.n <= path.n);
	if (path.n && path.n <= sizeof(block) && path.p[0] == '/')
		MUST_HOLD(normal.p[0] == '/' && !memmem(normal.p, normal.n, "//", 2) && !memmem(normal.p, normal.n, "/./", 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);
	struct span rest = span_of(copy, size), reference, base;

	reference = fuzz_take_line(&rest);
	base = fuzz_take_line(&rest);
	try_reference(reference, base);
	try_path(reference);
	free(copy);
	return 0;
}
