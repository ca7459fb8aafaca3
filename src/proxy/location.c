/*
 * location: host and target of a URI, or of one without a host; a path that is relative to the request's is not made out.
 */
#include "proxy/location.h"

#include "core/hint.h"
#include "proxy/worker.h"

static uint64_t place_of(const struct client *c, struct span location)
{
	struct span host = exchange_part(&c->ex, c->ex.host_part), uri = span_first(location, span_find(location, '#'));
	struct span scheme = span_first(uri, span_find(uri, ':'));
	size_t at = 0;

	if (span_eq_nocase(scheme, SPAN("http")) || span_eq_nocase(scheme, SPAN("https")))
		uri = span_skip(uri, scheme.n + 1);
	if (span_starts_with(uri, SPAN("//"))) {
		uri = span_skip(uri, 2);
		while (at < uri.n && uri.p[at] != '/')
			at++;
		host = span_first(uri, at);
		uri = at < uri.n ? span_skip(uri, at) : SPAN("/");
	}
	if (!uri.n || uri.p[0] != '/')
		return 0;
	return hint_place(host, exchange_plan(c)->log_query ? uri : span_first(uri, span_find(uri, '?')));
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
