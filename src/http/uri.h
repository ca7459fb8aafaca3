/*
 * uri: authorities and paths (RFC 3986, RFC 9112 section 3.2).
 */
#ifndef BROWNOUT_HTTP_URI_H
#define BROWNOUT_HTTP_URI_H

#include "base/text.h"

/*
 * Takes host[:port] apart. The host is a registered name (reg-name bytes of RFC 3986 3.2.2, pct-encoded checked), an
 * IPv4 address or a bracketed IPv6/IPvFuture literal (checked); no userinfo. *port is the digits, empty where there
 * are none ("host:" has an empty port too). 0, or 1 where it is not well formed (or its port is above 65535).
 * An empty host is well formed here: Host may be empty (RFC 9112 3.2).
 */
int http_authority_parse(struct span authority, struct span *host, struct span *port) MUST_USE;

/*
 * The path that rules match on: pct-encoded unreserved bytes decoded, pct-encodings in upper case, dot segments removed
 * (RFC 3986 6.2.2), runs of '/' made one. Writes to out only where the path changes; returns the path itself where it
 * is normal already (the usual case, one scan) or a span over out. out has out_n bytes and needs at most path.n.
 * Where out is too small, the path itself is returned.
 */
struct span http_path_normalize(struct span path, char *out, size_t out_n);

/* A URI or a reference relative to one, taken apart (RFC 3986 appendix B), without its fragment. Spans into it. */
struct http_reference {
	struct span scheme; /* empty: none */
	struct span authority;
	struct span path;
	struct span query;
	bool has_authority;
	bool has_query;
};

void http_reference_parse(struct http_reference *r, struct span s);
/*
 * The path and the query that r leads to from base, an http URI or the target of a request, dot segments removed (RFC 3986
 * section 5.2): appended to out. 1: they do not begin with '/', or do not fit.
 */
int http_reference_resolve(const struct http_reference *r, const struct http_reference *base, struct text *out) MUST_USE;

/* The next name=value pair of a query ('&' separates); false at the end. Raw, not decoded. */
bool http_query_next(struct span *rest, struct span *name, struct span *value);
/* Decodes %XX and '+' into out (at most out_n bytes; cut where it does not fit), returns its length. */
size_t http_query_decode(struct span s, char *out, size_t out_n);
/* The value of the first parameter of that name, decoded likewise; an empty span where there is none. */
struct span http_query_value(struct span query, struct span wanted, char *out, size_t out_n);

#endif
