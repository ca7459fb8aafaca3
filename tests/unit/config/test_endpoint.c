/* endpoint: addresses and URLs, good and bad. */
#include "config/endpoint.h"

#include "support.h"

Test(endpoint, addresses)
{
	static const struct {
		const char *text;
		enum endpoint_kind kind;
		const char *host;
		unsigned port;
	} cases[] = {
		{ "127.0.0.1:8080", ENDPOINT_TCP, "127.0.0.1", 8080 },
		{ "localhost:0", ENDPOINT_TCP, "localhost", 0 },
		{ ":8080", ENDPOINT_TCP, "0.0.0.0", 8080 },
		{ "[::1]:65535", ENDPOINT_TCP, "::1", 65535 },
		{ "[::]:1", ENDPOINT_TCP, "::", 1 },
		{ "[::ffff:127.0.0.1]:1", ENDPOINT_TCP, "::ffff:127.0.0.1", 1 },
		{ "unix:/run/b.sock", ENDPOINT_UNIX, "/run/b.sock", 0 },
		{ "unix:@brownout", ENDPOINT_UNIX, "@brownout", 0 },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char problem[ENDPOINT_PROBLEM_BYTES] = "";
		struct endpoint e;

		cr_expect_eq(endpoint_parse_listen(&e, a, span_of_string(cases[i].text), problem), 0, "%s %s", cases[i].text,
			problem);
		cr_expect_eq(e.kind, cases[i].kind);
		cr_expect_eq(e.port, cases[i].port);
		expect_span(e.host, cases[i].host);
	}
	arena_free(a);
}

#define LONG_PATH "/a234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"

Test(endpoint, bad_addresses)
{
	static const char *const cases[][2] = {
		{ "8080", "is only a port (write 127.0.0.1:8080, or :8080 for all addresses)" },
		{ "localhost", "has no port (write localhost:8080)" },
		{ "", "has no port (write :8080)" },
		{ "127.0.0.1:", "has a port that is not a number from 0 to 65535" },
		{ "127.0.0.1:65536", "has a port that is not a number from 0 to 65535" },
		{ "127.0.0.1:http", "has a port that is not a number from 0 to 65535" },
		{ "127.0.0.256:80", "has a host that is no IPv4 address" },
		{ "1.2.3:80", "has a host that is no IPv4 address" },
		{ "::1:8080", "has several \":\"; an IPv6 address stands in brackets: [::1]:8080" },
		{ "[::1]", "has no port (write [::1]:8080)" },
		{ "[::1", "has a host that is no IPv6 address in brackets" },
		{ "[]:80", "has a host that is no IPv6 address in brackets" },
		{ "[::g]:80", "has a host that is no IPv6 address in brackets" },
		{ "[::1]8080", "has a host that is no IPv6 address in brackets" },
		{ "a b:80", "has a host that is no name and no address" },
		{ "http://127.0.0.1:80", "is a URL; an address is written host:port" },
		{ "unix:", "needs a path from the root: unix:/run/app.sock" },
		{ "unix:run/a", "needs a path from the root: unix:/run/app.sock" },
		{ "unix:" LONG_PATH "x", "has a path longer than 107 bytes" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char problem[ENDPOINT_PROBLEM_BYTES] = "";
		struct endpoint e;

		cr_expect_eq(endpoint_parse_listen(&e, a, span_of_string(cases[i][0]), problem), 1, "%s", cases[i][0]);
		cr_expect_str_eq(problem, cases[i][1], "%s: %s", cases[i][0], problem);
	}
	arena_free(a);
}

Test(endpoint, urls)
{
	static const struct {
		const char *text;
		enum endpoint_kind kind;
		const char *host;
		unsigned port;
		const char *authority, *prefix;
	} cases[] = {
		{ "http://127.0.0.1:9000", ENDPOINT_TCP, "127.0.0.1", 9000, "127.0.0.1:9000", "" },
		{ "http://api.test", ENDPOINT_TCP, "api.test", 80, "api.test", "" },
		{ "HTTP://api.test/", ENDPOINT_TCP, "api.test", 80, "api.test", "" },
		{ "http://api.test:81/v1/", ENDPOINT_TCP, "api.test", 81, "api.test:81", "/v1" },
		{ "http://api.test/a/b%20c", ENDPOINT_TCP, "api.test", 80, "api.test", "/a/b%20c" },
		{ "http://[::1]:9000/x", ENDPOINT_TCP, "::1", 9000, "[::1]:9000", "/x" },
		{ "http://[::1]", ENDPOINT_TCP, "::1", 80, "[::1]", "" },
		{ "https://api.test", ENDPOINT_TCP, "api.test", 443, "api.test", "" },
		{ "HTTPS://api.test:8443/v1", ENDPOINT_TCP, "api.test", 8443, "api.test:8443", "/v1" },
		{ "unix:/run/a.sock", ENDPOINT_UNIX, "/run/a.sock", 0, "localhost", "" },
		{ "unix:" LONG_PATH, ENDPOINT_UNIX, LONG_PATH, 0, "localhost", "" },
		{ "origin", ENDPOINT_ORIGIN, "", 0, "origin", "" },
		{ "origin:", ENDPOINT_ORIGIN, "", 0, "origin", "" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char problem[ENDPOINT_PROBLEM_BYTES] = "";
		struct plan_upstream u = { 0 };

		cr_expect_eq(endpoint_parse_url(&u, a, span_of_string(cases[i].text), problem), 0, "%s %s", cases[i].text,
			problem);
		cr_expect_eq(u.address.kind, cases[i].kind);
		cr_expect_eq(u.address.port, cases[i].port);
		expect_span(u.address.host, cases[i].host);
		expect_span(u.authority, cases[i].authority);
		expect_span(u.path_prefix, cases[i].prefix);
		cr_expect_eq(u.is_tls, strncasecmp(cases[i].text, "https", 5) == 0, "%s", cases[i].text);
	}
	arena_free(a);
}

Test(endpoint, bad_urls)
{
	static const char *const cases[][2] = {
		{ "127.0.0.1:9000", "has no scheme (write http://127.0.0.1:9000)" },
		{ "https://", "has no host" },
		{ "https://a:0", "has port 0, to which nothing can connect" },
		{ "ftp://api.test", "has a scheme that is not known (write http://HOST:PORT, unix:/PATH or origin)" },
		{ "http://", "has no host" },
		{ "http:///x", "has no host" },
		{ "http://:80", "has no host" },
		{ "http://a:0", "has port 0, to which nothing can connect" },
		{ "http://a:b", "has a port that is not a number from 0 to 65535" },
		{ "http://u:p@a", "has a user name; credentials cannot stand in a URL here" },
		{ "http://a/?x=1", "has a query or fragment; only a path may follow the host" },
		{ "http://a?x=1", "has a query or fragment; only a path may follow the host" },
		{ "http://a/#f", "has a query or fragment; only a path may follow the host" },
		{ "http://a/b c", "has a character in its path that must be percent-encoded" },
		{ "http://a b/", "has a host that is no name and no address" },
		{ "http://::1/", "has several \":\"; an IPv6 address stands in brackets: [::1]:8080" },
		{ "http://999.1.1.1/", "has a host that is no IPv4 address" },
		{ "unix:x", "needs a path from the root: unix:/run/app.sock" },
		{ "", "has no scheme (write http://)" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char problem[ENDPOINT_PROBLEM_BYTES] = "";
		struct plan_upstream u = { 0 };

		cr_expect_eq(endpoint_parse_url(&u, a, span_of_string(cases[i][0]), problem), 1, "%s", cases[i][0]);
		cr_expect_str_eq(problem, cases[i][1], "%s: %s", cases[i][0], problem);
	}
	arena_free(a);
}

Test(endpoint, bytes_that_end_strings)
{
	char problem[ENDPOINT_PROBLEM_BYTES];
	struct plan_upstream u = { 0 };
	struct arena *a = arena_new();
	struct endpoint e;

	cr_expect_eq(endpoint_parse_listen(&e, a, SPAN("a\0b:80"), problem), 1);
	cr_expect_eq(endpoint_parse_listen(&e, a, SPAN("unix:/a\0b"), problem), 1);
	cr_expect_eq(endpoint_parse_url(&u, a, SPAN("http://a\0b/"), problem), 1);
	cr_expect_eq(endpoint_parse_url(&u, a, SPAN("http://a/\0"), problem), 1);
	arena_free(a);
}

Test(endpoint, what_is_of_this_machine_alone)
{
	static const struct {
		const char *address;
		bool local;
	} cases[] = {
		{ "127.0.0.1:1", true },
		{ "127.9.9.9:1", true },
		{ "[::1]:1", true },
		{ "localhost:1", true },
		{ "LocalHost:1", true },
		{ "unix:/run/a", true },
		{ ":1", false },
		{ "[::]:1", false },
		{ "10.0.0.1:1", false },
		{ "128.0.0.1:1", false },
		{ "127.example:1", false },
		{ "localhost.example:1", false },
	};
	char problem[ENDPOINT_PROBLEM_BYTES];
	struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint e;

		cr_assert_eq(endpoint_parse_listen(&e, arena, span_of_string(cases[i].address), problem), 0);
		cr_expect_eq(endpoint_is_local(&e), cases[i].local, "%s", cases[i].address);
	}
	arena_free(arena);
}
