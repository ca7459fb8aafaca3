/*
 * admin_auth: the order of the questions matters to nobody but a reader: each of them alone refuses.
 */
#include "admin/admin_auth.h"

#include "net/address.h"

/* The value of a field that stands there once; an empty span where it is absent. False where it stands there twice. */
static bool only_value(const struct http_request *r, struct span name, struct span *value)
{
	const struct http_field *field = http_fields_find(&r->fields, name, 0);

	*value = field ? field->value : SPAN_EMPTY;
	return !field || !http_fields_find(&r->fields, name, 1);
}

/*
 * The port may be another one, since a forwarder (of a container, of ssh) may have changed it; what matters is that the name
 * cannot be one that somebody else has pointed here.
 */
static bool is_our_host(struct span host)
{
	struct address a;

	if (span_eq_nocase(host, SPAN("localhost")))
		return true;
	return address_from_numeric(&a, host, 0) == 0 && address_is_loopback(&a);
}

/* "http://HOST" of the very host that was asked. */
static bool is_same_origin(const struct http_request *r, struct span origin)
{
	if (span_starts_with(origin, SPAN("http://")))
		origin = span_skip(origin, 7);
	else if (span_starts_with(origin, SPAN("https://"))) /* something that speaks TLS stands before us */
		origin = span_skip(origin, 8);
	else
		return false;
	return r->authority.n && span_eq_nocase(origin, r->authority);
}

static bool has_token(const struct admin_auth *auth, const struct http_request *r)
{
	const struct span scheme = SPAN("Bearer ");
	struct span value;

	if (!only_value(r, SPAN("authorization"), &value) || !span_eq_nocase(span_first(value, scheme.n), scheme))
		return false;
	return span_eq_secret(span_trim(span_skip(value, scheme.n)), auth->token);
}

unsigned admin_auth_check(const struct admin_auth *auth, const struct http_request *r, unsigned flags, const char **why)
{
	struct span origin, site;

	/* Whoever knows the token is not a page that was led here by a false name. */
	if (!auth->is_unix && auth->token.n == 0 && !is_our_host(r->host)) {
		*why = "Host must be localhost or a loopback address; any other needs a token (admin: {token: })";
		return 403;
	}
	if (!only_value(r, SPAN("origin"), &origin) || (origin.n && !is_same_origin(r, origin))) {
		*why = "the request comes from a page of another origin";
		return 403;
	}
	if (!only_value(r, SPAN("sec-fetch-site"), &site) ||
		(site.n && !(flags & ADMIN_PAGE) && !span_eq(site, SPAN("same-origin")) && !span_eq(site, SPAN("none")))) {
		*why = "the request comes from a page of another site";
		return 403;
	}
	if (auth->token.n && !(flags & ADMIN_OPEN) && !has_token(auth, r)) {
		*why = "a token is needed: Authorization: Bearer TOKEN";
		return 401;
	}
	return 0;
}
