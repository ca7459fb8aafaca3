/* uri: authorities, what may stand where, paths as rules see them, queries. */
#include "http/uri.h"

#include "support.h"

static const struct {
	const char *authority;
	const char *host; /* NULL: not well formed */
	const char *port;
} authorities[] = {
	{ "", "", "" },
	{ "a", "a", "" },
	{ "a.test:80", "a.test", "80" },
	{ "a:", "a", "" },
	{ ":80", "", "80" },
	{ "A-b_c~.d!$&'()*+,;=", "A-b_c~.d!$&'()*+,;=", "" },
	{ "a%20b", "a%20b", "" },
	{ "127.0.0.1:65535", "127.0.0.1", "65535" },
	{ "a:00080", "a", "00080" },
	{ "[::1]", "[::1]", "" },
	{ "[2001:db8::192.0.2.1]:8080", "[2001:db8::192.0.2.1]", "8080" },
	{ "[v1.a:b]", "[v1.a:b]", "" },
	{ "[VF.x]:1", "[VF.x]", "1" },
	{ "a:65536", NULL, NULL },
	{ "a:99999999999999999999", NULL, NULL },
	{ "a:8o", NULL, NULL },
	{ "a:+1", NULL, NULL },
	{ "a:80:80", NULL, NULL },
	{ "u@a", NULL, NULL },
	{ "u:p@a", NULL, NULL },
	{ "a b", NULL, NULL },
	{ "a/b", NULL, NULL },
	{ "a?b", NULL, NULL },
	{ "a#b", NULL, NULL },
	{ "a%2", NULL, NULL },
	{ "a%", NULL, NULL },
	{ "a%zz", NULL, NULL },
	{ "a\"b", NULL, NULL },
	{ "\xc3\xa9", NULL, NULL },
	{ "::1", NULL, NULL },
	{ "[", NULL, NULL },
	{ "[]", NULL, NULL },
	{ "[::1", NULL, NULL },
	{ "[::1]x", NULL, NULL },
	{ "[::1]80", NULL, NULL },
	{ "[:::1]", NULL, NULL },
	{ "[1:2:3:4:5:6:7:8:9]", NULL, NULL },
	{ "[fe80::1%25eth0]", NULL, NULL },
	{ "[127.0.0.1]", NULL, NULL },
	{ "[0000:0000:0000:0000:0000:ffff:255.255.255.2555555]", NULL, NULL },
	{ "[v.a]", NULL, NULL },
	{ "[v1.]", NULL, NULL },
	{ "[v1]", NULL, NULL },
	{ "[vx.a]", NULL, NULL },
	{ "[v1.a@b]", NULL, NULL },
};

Test(uri, authorities)
{
	for (size_t i = 0; i < ARRAY_LEN(authorities); i++) {
		size_t n = strlen(authorities[i].authority);
		char *copy = exact_copy(authorities[i].authority, n);
		struct span host;
		struct span port;
		int rc = http_authority_parse(span_of(copy, n), &host, &port);

		cr_expect_eq(rc, authorities[i].host == NULL, "%s", authorities[i].authority);
		if (authorities[i].host) {
			cr_expect(span_is(host, authorities[i].host), "%s: %.*s", authorities[i].authority, SHOW(host));
			cr_expect(span_is(port, authorities[i].port), "%s: %.*s", authorities[i].authority, SHOW(port));
		}
		free(copy);
	}
	cr_expect_eq(http_authority_parse(SPAN("[::1\0]"), &(struct span){ 0 }, &(struct span){ 0 }), 1);
}

static const struct {
	const char *path;
	const char *normal;
	bool untouched; /* the path itself is returned */
} paths[] = {
	{ "/", "/", true },
	{ "/a/b.c/d", "/a/b.c/d", true },
	{ "/a/", "/a/", true },
	{ "*", "*", true },
	{ "", "", true },
	{ "a/../b", "a/../b", true },
	{ "//", "/", false },
	{ "/a//b///c//", "/a/b/c/", false },
	{ "/.", "/", false },
	{ "/./", "/", false },
	{ "/..", "/", false },
	{ "/a/.", "/a/", false },
	{ "/a/..", "/", false },
	{ "/a/b/..", "/a/", false },
	{ "/a/b/../", "/a/", false },
	{ "/a/b/../c", "/a/c", false },
	{ "/a/./b/../../c", "/c", false },
	{ "/../../a", "/a", false },
	{ "/a//../b", "/b", false },
	{ "/.a/..b/...", "/.a/..b/...", false },
	{ "/%41%7e%2D", "/A~-", false },
	{ "/%2f%3a%c3%A9", "/%2F%3A%C3%A9", false },
	{ "/a/%2e%2E/b", "/b", false },
	{ "/a/.%2e", "/", false },
	{ "/a/%2e", "/a/", false },
	{ "/%zz%4%", "/%zz%4%", false },
	{ "/%2541", "/%2541", false },
	{ "/a%00b", "/a%00b", false },
};

Test(uri, normal_paths)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		size_t n = strlen(paths[i].path);
		char *copy = exact_copy(paths[i].path, n);
		char *out = exact_copy(paths[i].path, n);
		struct span got = http_path_normalize(span_of(copy, n), out, n);

		cr_expect(span_is(got, paths[i].normal), "%s: %.*s", paths[i].path, SHOW(got));
		cr_expect_eq(got.p == copy, paths[i].untouched, "%s", paths[i].path);
		if (n)
			cr_expect_eq(http_path_normalize(span_of(copy, n), out, n - 1).p, copy, "%s: no room", paths[i].path);
		free(copy);
		free(out);
	}
}

Test(uri, queries)
{
	static const struct {
		const char *name;
		const char *value;
	} want[] = { { "a", "1" }, { "b", "" }, { "c", "" }, { "", "d" }, { "e", "f=g" } };
	struct span rest = SPAN("&a=1&b&&c=&=d&e=f=g&");
	struct span name;
	struct span value;

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		cr_assert(http_query_next(&rest, &name, &value), "%zu", i);
		cr_expect(span_is(name, want[i].name), "%.*s", SHOW(name));
		cr_expect(span_is(value, want[i].value), "%.*s", SHOW(value));
	}
	cr_expect(!http_query_next(&rest, &name, &value));
	rest = SPAN_EMPTY;
	cr_expect(!http_query_next(&rest, &name, &value));
}

Test(uri, decoding)
{
	static const struct {
		const char *raw;
		size_t room;
		const char *plain;
	} rows[] = {
		{ "a+b%20c", 16, "a b c" },
		{ "%C3%a9", 16, "\xc3\xa9" },
		{ "%2B%25", 16, "+%" },
		{ "%zz%4", 16, "%zz%4" },
		{ "%41%42%43", 2, "AB" },
		{ "abc", 0, "" },
		{ "", 4, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[16];
		size_t n = http_query_decode(span_of_string(rows[i].raw), out, rows[i].room);

		cr_expect(span_is(span_of(out, n), rows[i].plain), "%s: %.*s", rows[i].raw, (int)n, out);
	}
}

Test(uri, query_values)
{
	char out[8];

	cr_expect(span_eq(http_query_value(SPAN("a=1&b=x%20y&b=2&c"), SPAN("b"), out, sizeof(out)), SPAN("x y")));
	cr_expect(span_eq(http_query_value(SPAN("a=123456789"), SPAN("a"), out, sizeof(out)), SPAN("12345678")));
	cr_expect_eq(http_query_value(SPAN("a=1&c"), SPAN("c"), out, sizeof(out)).n, 0);
	cr_expect_eq(http_query_value(SPAN("a=1"), SPAN("b"), out, sizeof(out)).n, 0);
	cr_expect_eq(http_query_value(SPAN_EMPTY, SPAN("b"), out, sizeof(out)).n, 0);
}

/* Where a reference leads from the URI that RFC 3986 section 5.4 takes for its examples: its path and query. */
static const char *resolved(const char *base, const char *reference, char *block, size_t n)
{
	struct http_reference from, to;
	struct text out;

	text_init_fixed(&out, block, n - 1);
	http_reference_parse(&from, span_of_string(base));
	http_reference_parse(&to, span_of_string(reference));
	if (http_reference_resolve(&to, &from, &out) != 0)
		return NULL;
	block[out.n] = '\0';
	return block;
}

Test(uri, references_of_the_rfc)
{
	static const struct {
		const char *reference, *result;
	} rows[] = {
		/* section 5.4.1; what has another scheme or host is told by http_reference_parse */
		{ "g", "/b/c/g" }, { "./g", "/b/c/g" }, { "g/", "/b/c/g/" }, { "/g", "/g" }, { "//g", "/" },
		{ "?y", "/b/c/d;p?y" }, { "g?y", "/b/c/g?y" }, { "#s", "/b/c/d;p?q" }, { "g#s", "/b/c/g" },
		{ "g?y#s", "/b/c/g?y" }, { ";x", "/b/c/;x" }, { "g;x", "/b/c/g;x" }, { "g;x?y#s", "/b/c/g;x?y" },
		{ "", "/b/c/d;p?q" }, { ".", "/b/c/" }, { "./", "/b/c/" }, { "..", "/b/" }, { "../", "/b/" },
		{ "../g", "/b/g" }, { "../..", "/" }, { "../../", "/" }, { "../../g", "/g" },
		/* section 5.4.2 */
		{ "../../../g", "/g" }, { "../../../../g", "/g" }, { "/./g", "/g" }, { "/../g", "/g" }, { "g.", "/b/c/g." },
		{ ".g", "/b/c/.g" }, { "g..", "/b/c/g.." }, { "..g", "/b/c/..g" }, { "./../g", "/b/g" },
		{ "./g/.", "/b/c/g/" }, { "g/./h", "/b/c/g/h" }, { "g/../h", "/b/c/h" }, { "g;x=1/./y", "/b/c/g;x=1/y" },
		{ "g;x=1/../y", "/b/c/y" }, { "g?y/./x", "/b/c/g?y/./x" }, { "g?y/../x", "/b/c/g?y/../x" },
		{ "g#s/../x", "/b/c/g" }, { "http:g", "/b/c/g" },
		/* and such as are met */
		{ "https://h/x/../y?z#f", "/y?z" }, { "//h?x", "/?x" }, { "./a:b", "/b/c/a:b" }, { "/a:b", "/a:b" },
		{ "?", "/b/c/d;p?" }, { "//h//x", "//x" }, { "/..", "/" }, { "/.", "/" }, { "g//../h", "/b/c/g/h" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char block[64];
		const char *got = resolved("http://a/b/c/d;p?q", rows[i].reference, block, sizeof(block));

		cr_expect_str_eq(got, rows[i].result, "%s: %s", rows[i].reference, got);
	}
}

Test(uri, references_from_targets)
{
	char block[8];

	cr_expect_str_eq(resolved("/a/b?q", "c", block, sizeof(block)), "/a/c");
	cr_expect_str_eq(resolved("/", "c", block, sizeof(block)), "/c");
	cr_expect_str_eq(resolved("http://h", "c", block, sizeof(block)), "/c");
	cr_expect_str_eq(resolved("http://h", "", block, sizeof(block)), "/");
	cr_expect_null(resolved("*", "", block, sizeof(block)));
	cr_expect_str_eq(resolved("/", "/345678", block, sizeof(block)), "/345678");
	cr_expect_null(resolved("/", "/3456789", block, sizeof(block)));
	cr_expect_null(resolved("/1234", "a/b", block, 3));
	cr_expect_null(resolved("/", "/2345?789", block, sizeof(block)));
}

Test(uri, parts_of_references)
{
	struct http_reference r;

	http_reference_parse(&r, SPAN("HTTP://u@h:80/p/?q?#f?#"));
	cr_expect(span_eq(r.scheme, SPAN("HTTP")) && span_eq(r.authority, SPAN("u@h:80")) && span_eq(r.path, SPAN("/p/")));
	cr_expect(r.has_authority && r.has_query && span_eq(r.query, SPAN("q?")));
	http_reference_parse(&r, SPAN("1a:b"));
	cr_expect(r.scheme.n == 0 && span_eq(r.path, SPAN("1a:b")) && !r.has_authority && !r.has_query);
	http_reference_parse(&r, SPAN("mailto:a@b"));
	cr_expect(span_eq(r.scheme, SPAN("mailto")) && span_eq(r.path, SPAN("a@b")));
	http_reference_parse(&r, SPAN("//"));
	cr_expect(r.has_authority && r.authority.n == 0 && r.path.n == 0);
}
