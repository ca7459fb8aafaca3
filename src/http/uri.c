/*
 * uri: authorities, and paths and queries as rules see them. What is forwarded is never changed here.
 */
#include "http/uri.h"

#include <arpa/inet.h>

#include "http/bytes.h"

#define PORT_MAX 65535

/* s[at] is '%': true where two hexadecimal digits follow. */
static bool is_encoding(struct span s, size_t at)
{
	return s.n - at > 2 && http_byte_is(s.p[at + 1], HTTP_BYTE_HEX) && http_byte_is(s.p[at + 2], HTTP_BYTE_HEX);
}

static char decoded(struct span s, size_t at)
{
	return (char)(http_hex_values[(unsigned char)s.p[at + 1]] << 4 | http_hex_values[(unsigned char)s.p[at + 2]]);
}

/* Bytes of these classes, and well-formed pct-encodings. */
static bool is_made_of(struct span s, unsigned classes)
{
	for (size_t i = 0; i < s.n; i++) {
		if (http_byte_is(s.p[i], classes))
			continue;
		if (s.p[i] != '%' || !is_encoding(s, i))
			return false;
		i += 2;
	}
	return true;
}

/* What stands between the brackets: RFC 3986 section 3.2.2. */
static bool is_ip_literal(struct span s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t dot;

	if (s.n && (*s.p == 'v' || *s.p == 'V')) { /* "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
		dot = span_find(s, '.');
		if (dot < 2 || dot + 1 >= s.n || http_scan(s.p + 1, s.p + dot, HTTP_BYTE_HEX) != s.p + dot)
			return false;
		for (size_t i = dot + 1; i < s.n; i++) {
			if (s.p[i] != ':' && !http_byte_is(s.p[i], HTTP_BYTE_UNRESERVED | HTTP_BYTE_SUB_DELIM))
				return false;
		}
		return true;
	}
	if (s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

int http_authority_parse(struct span authority, struct span *host, struct span *port)
{
	uint64_t number = 0;
	size_t n;

	*host = SPAN_EMPTY;
	*port = SPAN_EMPTY;
	if (authority.n == 0)
		return 0;
	if (*authority.p == '[') {
		n = span_find(authority, ']');
		if (n == authority.n || !is_ip_literal(span_of(authority.p + 1, n - 1)))
			return 1;
		n++;
	} else {
		n = span_find(authority, ':');
		if (!is_made_of(span_first(authority, n), HTTP_BYTE_UNRESERVED | HTTP_BYTE_SUB_DELIM))
			return 1;
	}
	*host = span_first(authority, n);
	if (n == authority.n)
		return 0;
	*port = span_skip(authority, n + 1);
	if (authority.p[n] != ':' || (port->n && (span_to_u64(*port, &number) || number > PORT_MAX)))
		return 1;
	return 0;
}

/* A quick look; saying no to a path that is normal already only costs time. */
static bool is_normal(struct span path)
{
	if (memchr(path.p, '%', path.n))
		return false;
	for (const char *p = path.p, *end = path.p + path.n; (p = memchr(p, '/', (size_t)(end - p))) != NULL;) {
		if (++p == end)
			break;
		if (*p == '/' || *p == '.')
			return false;
	}
	return true;
}

/* Copies one segment from path at `from`, decoding; returns where it ends in path, adds to *n. */
static size_t copy_segment(struct span path, size_t from, char *out, size_t *n)
{
	size_t i = from;

	for (; i < path.n && path.p[i] != '/'; i++) {
		if (path.p[i] != '%' || !is_encoding(path, i)) {
			out[(*n)++] = path.p[i];
			continue;
		}
		if (http_byte_is(decoded(path, i), HTTP_BYTE_UNRESERVED)) {
			out[(*n)++] = decoded(path, i);
		} else {
			out[(*n)++] = '%';
			for (size_t digit = i + 1; digit <= i + 2; digit++)
				out[(*n)++] = path.p[digit] >= 'a' ? (char)(path.p[digit] - 'a' + 'A') : path.p[digit];
		}
		i += 2;
	}
	return i;
}

static size_t without_last_segment(const char *out, size_t n)
{
	while (n > 0) {
		if (out[--n] == '/')
			break;
	}
	return n;
}

struct span http_path_normalize(struct span path, char *out, size_t out_n)
{
	size_t n = 0;
	size_t i = 0;

	if (path.n == 0 || *path.p != '/' || out_n < path.n || is_normal(path))
		return path;
	/* Each turn takes a '/' and the segment behind it; out[0..n) is empty or ends in a segment that stays. */
	while (i < path.n) {
		size_t start = n;
		struct span segment;

		out[n++] = '/';
		i = copy_segment(path, i + 1, out, &n);
		segment = span_of(out + start + 1, n - start - 1);
		if (span_eq(segment, SPAN(".."))) {
			n = without_last_segment(out, start);
		} else if (segment.n == 0 || span_eq(segment, SPAN("."))) {
			n = start;
		} else {
			continue;
		}
		if (i == path.n) /* the last segment named a directory */
			out[n++] = '/';
	}
	return span_of(out, n);
}

/* ---- references ---- */

/* RFC 3986 section 3.1. */
static bool is_scheme(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if ((c < 'a' || c > 'z') && (i == 0 || (!ascii_is_digit(c) && c != '+' && c != '-' && c != '.')))
			return false;
	}
	return s.n > 0;
}

void http_reference_parse(struct http_reference *r, struct span s)
{
	size_t n;

	*r = (struct http_reference){ .scheme = SPAN_EMPTY };
	s = span_first(s, span_find(s, '#'));
	n = span_find(s, ':');
	if (n < s.n && is_scheme(span_first(s, n))) {
		r->scheme = span_first(s, n);
		s = span_skip(s, n + 1);
	}
	n = span_find(s, '?');
	r->has_query = n < s.n;
	r->query = span_skip(s, n + 1);
	s = span_first(s, n);
	r->has_authority = span_starts_with(s, SPAN("//"));
	if (r->has_authority) {
		s = span_skip(s, 2);
		r->authority = span_first(s, span_find(s, '/'));
		s = span_skip(s, r->authority.n);
	}
	r->path = s;
}

/* RFC 3986 section 5.2.4, of a path that begins with '/', in its place; what is left of n. */
static size_t remove_dot_segments(char *path, size_t n)
{
	size_t kept = 0;

	/* Each turn takes a '/' and the segment behind it; path[0..kept) is empty or ends in a segment that stays. */
	for (size_t i = 0, end; i < n; i = end) {
		struct span segment = span_of(path + i + 1, n - i - 1);

		segment = span_first(segment, span_find(segment, '/'));
		end = i + 1 + segment.n;
		if (span_eq(segment, SPAN(".."))) {
			kept = without_last_segment(path, kept);
		} else if (!span_eq(segment, SPAN("."))) {
			memmove(path + kept, path + i, end - i);
			kept += end - i;
			continue;
		}
		if (end == n) /* the last segment named a directory */
			path[kept++] = '/';
	}
	return kept;
}

int http_reference_resolve(const struct http_reference *r, const struct http_reference *base, struct text *out)
{
	const struct http_reference *query = r;
	size_t start = out->n;

	if (r->has_authority || span_starts_with(r->path, SPAN("/"))) {
		text_put_span(out, r->path.n ? r->path : SPAN("/"));
	} else if (r->path.n == 0) {
		text_put_span(out, base->path.n ? base->path : SPAN("/"));
		query = r->has_query ? r : base;
	} else { /* section 5.2.3 */
		text_put_span(out, span_first(base->path, without_last_segment(base->path.p, base->path.n)));
		text_put_char(out, '/');
		text_put_span(out, r->path);
	}
	if (out->cut || out->p[start] != '/')
		return 1;
	out->n = start + remove_dot_segments(out->p + start, out->n - start);
	if (query->has_query) {
		text_put_char(out, '?');
		text_put_span(out, query->query);
	}
	return out->cut;
}

/* ---- queries ---- */

bool http_query_next(struct span *rest, struct span *name, struct span *value)
{
	while (rest->n) {
		size_t n = span_find(*rest, '&');
		struct span pair = span_first(*rest, n);
		size_t equals = span_find(pair, '=');

		*rest = span_skip(*rest, n + 1);
		if (pair.n == 0)
			continue;
		*name = span_first(pair, equals);
		*value = span_skip(pair, equals + 1);
		return true;
	}
	return false;
}

size_t http_query_decode(struct span s, char *out, size_t out_n)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < out_n; i++) {
		if (s.p[i] == '%' && is_encoding(s, i)) {
			out[n++] = decoded(s, i);
			i += 2;
		} else {
			out[n++] = s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return n;
}

struct span http_query_value(struct span query, struct span wanted, char *out, size_t out_n)
{
	struct span name, value;

	while (http_query_next(&query, &name, &value)) {
		if (span_eq(name, wanted))
			return span_of(out, http_query_decode(value, out, out_n));
	}
	return SPAN_EMPTY;
}
