/*
 * endpoint: parsing. Names are not looked up here, only checked for what a name may be made of.
 */
#include "config/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define PORT_HTTP 80
#define PORT_HTTPS 443
#define HOST_BYTES_MAX 253

/* Always 1. */
static int refuse(char *problem, const char *format, ...) PRINTF_LIKE(2, 3);
static int refuse(char *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(problem, ENDPOINT_PROBLEM_BYTES, format, args);
	va_end(args);
	return 1;
}

static bool is_made_of(struct span s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || !strchr(set, s.p[i]))
			return false;
	}
	return true;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_numeric(int family, struct span host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];

	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(family, text, address) == 1;
}

bool endpoint_is_local(const struct endpoint *e)
{
	if (e->kind != ENDPOINT_TCP || span_eq_nocase(e->host, SPAN("localhost")) || span_eq(e->host, SPAN("::1")))
		return true;
	return span_starts_with(e->host, SPAN("127.")) && is_numeric(AF_INET, e->host);
}

static int check_name(struct span host, char *problem)
{
	if (host.n == 0)
		return refuse(problem, "has no host");
	if (host.n > HOST_BYTES_MAX)
		return refuse(problem, "has a host longer than %d bytes", HOST_BYTES_MAX);
	if (is_made_of(host, DIGITS ".") && !is_numeric(AF_INET, host))
		return refuse(problem, "has a host that is no IPv4 address");
	if (!is_made_of(host, DIGITS LETTERS "-._"))
		return refuse(problem, "has a host that is no name and no address");
	return 0;
}

static int parse_port(struct span s, uint16_t *port, char *problem)
{
	uint64_t value;

	if (span_to_u64(s, &value) != 0 || value > UINT16_MAX)
		return refuse(problem, "has a port that is not a number from 0 to 65535");
	*port = (uint16_t)value;
	return 0;
}

/* host, host:port or [v6]:port. *has_port tells whether there was one. The host is without brackets. */
static int parse_authority(struct span s, struct span *host, uint16_t *port, bool *has_port, char *problem)
{
	size_t colon;
	struct span rest;

	if (s.n && s.p[0] == '[') {
		size_t end = span_find(s, ']');

		*host = span_first(span_skip(s, 1), end - 1);
		rest = span_skip(s, end + 1);
		if (end == s.n || !is_numeric(AF_INET6, *host) || (rest.n && rest.p[0] != ':'))
			return refuse(problem, "has a host that is no IPv6 address in brackets");
	} else {
		colon = span_find(s, ':');
		*host = span_first(s, colon);
		rest = span_skip(s, colon);
		if (rest.n && span_find(span_skip(rest, 1), ':') != rest.n - 1)
			return refuse(problem, "has several \":\"; an IPv6 address stands in brackets: [::1]:8080");
	}
	*has_port = rest.n > 0;
	return *has_port ? parse_port(span_skip(rest, 1), port, problem) : 0;
}

static int parse_unix(struct endpoint *e, struct span path, char *problem)
{
	if (path.n < 2 || (path.p[0] != '/' && path.p[0] != '@'))
		return refuse(problem, "needs a path from the root: unix:/run/app.sock");
	if (path.n > ENDPOINT_UNIX_BYTES_MAX)
		return refuse(problem, "has a path longer than %d bytes", ENDPOINT_UNIX_BYTES_MAX);
	if (memchr(path.p, '\0', path.n))
		return refuse(problem, "has a NUL in its path");
	e->kind = ENDPOINT_UNIX;
	e->host = path;
	e->port = 0;
	return 0;
}

/* The span as a copy that lives in the arena. */
static int keep(struct span *s, struct arena *arena)
{
	if (s->n == 0)
		return 0;
	*s = arena_copy(arena, *s);
	return s->p ? 0 : -ENOMEM;
}

int endpoint_parse_listen(struct endpoint *e, struct arena *arena, struct span s, char *problem)
{
	bool has_port = false;
	int rc;

	if (span_starts_with(s, SPAN("unix:"))) {
		rc = parse_unix(e, span_skip(s, 5), problem);
		return rc ? rc : keep(&e->host, arena);
	}
	if (memmem(s.p, s.n, "://", 3))
		return refuse(problem, "is a URL; an address is written host:port");
	if (s.n && is_made_of(s, DIGITS))
		return refuse(problem, "is only a port (write 127.0.0.1:%.*s, or :%.*s for all addresses)",
			SPAN_ARG(span_first(s, 5)), SPAN_ARG(span_first(s, 5)));
	e->kind = ENDPOINT_TCP;
	rc = parse_authority(s, &e->host, &e->port, &has_port, problem);
	if (rc)
		return rc;
	if (!has_port)
		return refuse(problem, "has no port (write %.*s:8080)", SPAN_ARG(span_first(s, 60)));
	if (e->host.n == 0)
		e->host = SPAN("0.0.0.0");
	else if (s.p[0] != '[')
		rc = check_name(e->host, problem);
	return rc ? rc : keep(&e->host, arena);
}

/* ---- URLs ---- */

/* Where the prefix ends: a target is put behind it, so it has no trailing slash. */
static int parse_prefix(struct span path, struct span *prefix, char *problem)
{
	if (memchr(path.p, '?', path.n) || memchr(path.p, '#', path.n))
		return refuse(problem, "has a query or fragment; only a path may follow the host");
	if (!is_made_of(path, DIGITS LETTERS "-._~%!$&'()*+,;=:@/"))
		return refuse(problem, "has a character in its path that must be percent-encoded");
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	*prefix = path;
	return 0;
}

static int parse_http(struct plan_upstream *u, struct span s, uint16_t default_port, char *problem)
{
	size_t slash = 0;
	struct span authority;
	bool has_port = false;
	int rc;

	while (slash < s.n && !strchr("/?#", s.p[slash]))
		slash++;
	authority = span_first(s, slash);
	if (span_find(authority, '@') != authority.n)
		return refuse(problem, "has a user name; credentials cannot stand in a URL here");
	u->address = (struct endpoint){ .kind = ENDPOINT_TCP, .port = default_port };
	u->authority = authority;
	rc = parse_authority(authority, &u->address.host, &u->address.port, &has_port, problem);
	if (rc == 0 && has_port && u->address.port == 0)
		rc = refuse(problem, "has port 0, to which nothing can connect");
	if (rc == 0 && (authority.n == 0 || authority.p[0] != '['))
		rc = check_name(u->address.host, problem);
	if (rc == 0)
		rc = parse_prefix(span_skip(s, slash), &u->path_prefix, problem);
	return rc;
}

static bool starts_nocase(struct span s, struct span prefix)
{
	return span_eq_nocase(span_first(s, prefix.n), prefix);
}

int endpoint_parse_url(struct plan_upstream *u, struct arena *arena, struct span s, char *problem)
{
	int rc;

	u->path_prefix = SPAN_EMPTY;
	u->is_tls = false;
	if (span_eq(s, SPAN("origin")) || span_eq(s, SPAN("origin:"))) {
		u->address = (struct endpoint){ .kind = ENDPOINT_ORIGIN };
		u->authority = SPAN("origin");
		return 0;
	}
	if (starts_nocase(s, SPAN("http://"))) {
		rc = parse_http(u, span_skip(s, 7), PORT_HTTP, problem);
	} else if (span_starts_with(s, SPAN("unix:"))) {
		rc = parse_unix(&u->address, span_skip(s, 5), problem);
		u->authority = SPAN("localhost");
	} else if (starts_nocase(s, SPAN("https://"))) {
		rc = parse_http(u, span_skip(s, 8), PORT_HTTPS, problem);
		u->is_tls = true;
	} else if (memmem(s.p, s.n, "://", 3)) {
		rc = refuse(problem, "has a scheme that is not known (write http://HOST:PORT, unix:/PATH or origin)");
	} else {
		rc = refuse(problem, "has no scheme (write http://%.*s)", SPAN_ARG(span_first(s, 60)));
	}
	if (rc == 0)
		rc = keep(&u->address.host, arena);
	if (rc == 0)
		rc = keep(&u->authority, arena);
	return rc ? rc : keep(&u->path_prefix, arena);
}
