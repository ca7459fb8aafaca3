/*
 * location: the reference is made whole by the request that it answers (RFC 9110 section 10.2.2); what leads to no http URI,
 * or to one that no record holds whole, is no place.
 */
#include "proxy/location.h"

#include "core/hint.h"
#include "http/uri.h"
#include "proxy/worker.h"

static bool is_http(struct span scheme)
{
	return scheme.n == 0 || span_eq_nocase(scheme, SPAN("http")) || span_eq_nocase(scheme, SPAN("https"));
}

/* As Host names it: without userinfo. */
static struct span host_of(struct span authority)
{
	size_t n = span_find(authority, '@');

	return n < authority.n ? span_skip(authority, n + 1) : authority;
}

static uint64_t place_of(const struct client *c, struct span location)
{
	struct http_reference to, from;
	struct span host, target;
	char block[RECORD_TEXT_BYTES];
	struct text out;

	http_reference_parse(&to, location);
	http_reference_parse(&from, exchange_part(&c->ex, c->ex.target_part));
	host = to.has_authority ? host_of(to.authority) : exchange_part(&c->ex, c->ex.host_part);
	text_init_fixed(&out, block, sizeof(block));
	if (from.scheme.n) { /* the client takes this for a proxy, and names the whole */
		text_put_span(&out, to.scheme.n ? to.scheme : from.scheme);
		text_put_literal(&out, "://");
		text_put_span(&out, host);
	}
	if (!is_http(to.scheme) || http_reference_resolve(&to, &from, &out) != 0)
		return 0;
	target = text_span(&out);
	return hint_place(host, exchange_plan(c)->log_query ? target : span_first(target, span_find(target, '?')));
}

uint64_t location_place(const struct client *c, struct span head)
{
	static const struct span name = { "location:", 9 };

	while (head.n) {
		struct span line = span_first(head, span_find(head, '\n'));

		if (line.n > name.n && span_eq_nocase(span_first(line, name.n), name))
			return place_of(c, span_trim(span_first(span_skip(line, name.n), line.n - name.n - 1)));
		head = span_skip(head, line.n + 1);
	}
	return 0;
}
