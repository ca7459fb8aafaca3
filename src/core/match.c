/*
 * match: whether the conditions of a rule hold for the facts, and whether one set of conditions covers another. Reads
 * only; decoding of query values goes to the stack. Nesting (any, not) is as deep as the loader let it be.
 */
#include "core/match.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

#include "core/owned.h"

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

static void patterns_free(struct pattern *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		pattern_deinit(&v[i]);
	free(v);
}

static void pairs_free(struct match_pair *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		owned_span_free(&v[i].name);
		pattern_deinit(&v[i].value);
	}
	free(v);
}

static void match_free(struct match *m)
{
	if (m)
		match_deinit(m);
	free(m);
}

void match_deinit(struct match *m)
{
	for (unsigned i = 0; i < m->n_methods; i++)
		owned_span_free(&m->methods[i]);
	free(m->methods);
	patterns_free(m->hosts, m->n_hosts);
	patterns_free(m->paths, m->n_paths);
	pairs_free(m->query, m->n_query);
	pairs_free(m->headers, m->n_headers);
	free(m->clients);
	free(m->listeners);
	free(m->upstreams);
	for (unsigned i = 0; i < m->n_any; i++)
		match_free(m->any[i]);
	free(m->any);
	match_free(m->not_);
	*m = (struct match){ 0 };
}

void match_status_add(struct match *m, unsigned first, unsigned last)
{
	assert(first >= 100 && last <= 599);
	m->has_status = true;
	for (unsigned status = first; status <= last; status++)
		m->status[(status - 100) / 64] |= UINT64_C(1) << ((status - 100) % 64);
}

bool match_status_has(const struct match *m, unsigned status)
{
	if (status < 100 || status > 599)
		return false;
	return m->status[(status - 100) / 64] >> ((status - 100) % 64) & 1;
}

/* ---- networks ---------------------------------------------------------------------------------------------------- */

#define NET_BITS 128
#define NET_V4_MAPPED_BITS 96

static bool net_has(const struct match_net *net, const uint8_t address[16])
{
	unsigned bytes = net->bits / 8;
	unsigned rest = net->bits % 8;

	if (memcmp(net->address, address, bytes) != 0)
		return false;
	return rest == 0 || (net->address[bytes] ^ address[bytes]) >> (8 - rest) == 0;
}

/* All bits after the network's length are zero. */
static bool net_is_exact(const struct match_net *net)
{
	for (unsigned bit = net->bits; bit < NET_BITS; bit++) {
		if (net->address[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

int match_net_parse(struct match_net *net, struct span text)
{
	size_t slash = span_find(text, '/');
	struct span digits = span_skip(text, slash + 1);
	char address[INET6_ADDRSTRLEN];
	unsigned bits_before = 0;
	uint64_t bits;

	*net = (struct match_net){ .bits = NET_BITS };
	if (slash == 0 || slash >= sizeof(address) || memchr(text.p, '\0', slash))
		return 1;
	memcpy(address, text.p, slash);
	address[slash] = '\0';
	if (inet_pton(AF_INET, address, net->address + 12) == 1) {
		net->address[10] = net->address[11] = 0xff;
		bits_before = NET_V4_MAPPED_BITS;
	} else if (inet_pton(AF_INET6, address, net->address) != 1) {
		return 1;
	}
	if (slash == text.n)
		return 0;
	if (digits.n > 3 || span_to_u64(digits, &bits) != 0 || bits > NET_BITS - bits_before)
		return 1;
	net->bits = (uint8_t)(bits_before + bits);
	return net_is_exact(net) ? 0 : 1;
}

/* ---- query ------------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the next decoded byte from *s, which is not empty. */
static char query_take(struct span *s)
{
	int high = s->n >= 3 && s->p[0] == '%' ? hex_value(s->p[1]) : -1;
	int low = high >= 0 ? hex_value(s->p[2]) : -1;
	char c = s->p[0] == '+' ? ' ' : s->p[0];

	if (low >= 0)
		c = (char)(high << 4 | low);
	*s = span_skip(*s, low >= 0 ? 3 : 1);
	return c;
}

static bool query_name_is(struct span raw, struct span name)
{
	while (raw.n && name.n) {
		if (query_take(&raw) != name.p[0])
			return false;
		name = span_skip(name, 1);
	}
	return raw.n == 0 && name.n == 0;
}

/* The next value of this name, raw; false at the end. *rest starts as the whole query. */
static bool query_next(struct span *rest, struct span name, struct span *raw)
{
	while (rest->n) {
		struct span pair = span_first(*rest, span_find(*rest, '&'));
		size_t equals = span_find(pair, '=');

		*rest = span_skip(*rest, pair.n + 1);
		if (pair.n && query_name_is(span_first(pair, equals), name)) {
			*raw = span_skip(pair, equals + 1);
			return true;
		}
	}
	return false;
}

static struct span query_decode(struct span raw, char *decoded, size_t decoded_n)
{
	size_t n = 0;

	if (span_find(raw, '%') == raw.n && span_find(raw, '+') == raw.n)
		return raw;
	while (raw.n && n < decoded_n)
		decoded[n++] = query_take(&raw);
	return span_of(decoded, n);
}

bool match_query_value(struct span query, struct span name, char *decoded, size_t decoded_n, struct span *value)
{
	struct span raw;

	if (!query_next(&query, name, &raw))
		return false;
	*value = query_decode(raw, decoded, decoded_n);
	return true;
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

static bool method_holds(const struct match *m, struct span method)
{
	for (unsigned i = 0; i < m->n_methods; i++) {
		if (span_eq(m->methods[i], method))
			return true;
	}
	return m->n_methods == 0;
}

static bool number_holds(const uint16_t *v, unsigned n, uint16_t number)
{
	for (unsigned i = 0; i < n; i++) {
		if (v[i] == number)
			return true;
	}
	return n == 0;
}

static bool client_holds(const struct match *m, const uint8_t client[16])
{
	for (unsigned i = 0; i < m->n_clients; i++) {
		if (net_has(&m->clients[i], client))
			return true;
	}
	return m->n_clients == 0;
}

static bool text_holds(const struct pattern *v, unsigned n, struct span text, struct pattern_scratch *scratch)
{
	for (unsigned i = 0; i < n; i++) {
		if (pattern_matches(&v[i], text, scratch))
			return true;
	}
	return n == 0;
}

/* Any of the values of this name may satisfy the pattern. */
static bool query_holds(const struct match_pair *pair, struct span query, struct pattern_scratch *scratch)
{
	char decoded[MATCH_QUERY_VALUE_BYTES_MAX];
	struct span raw;

	while (query_next(&query, pair->name, &raw)) {
		if (pair->value.kind == PATTERN_ABSENT)
			return false;
		if (pattern_matches(&pair->value, query_decode(raw, decoded, sizeof(decoded)), scratch))
			return true;
	}
	return pair->value.kind == PATTERN_ABSENT;
}

static bool header_holds(const struct match_pair *pair, const struct facts *f, struct pattern_scratch *scratch)
{
	struct span value;

	for (unsigned nth = 0; facts_field(f, pair->name, nth, &value); nth++) {
		if (pair->value.kind == PATTERN_ABSENT)
			return false;
		if (pattern_matches(&pair->value, value, scratch))
			return true;
	}
	return pair->value.kind == PATTERN_ABSENT;
}

static bool any_holds(const struct match *m, const struct facts *f, struct pattern_scratch *scratch)
{
	for (unsigned i = 0; i < m->n_any; i++) {
		if (match_holds(m->any[i], f, scratch))
			return true;
	}
	return m->n_any == 0;
}

bool match_holds(const struct match *m, const struct facts *f, struct pattern_scratch *scratch)
{
	/* Numbers first, then short texts, then what has to be searched for. */
	if (m->has_status && !match_status_has(m, f->status))
		return false;
	if (!number_holds(m->listeners, m->n_listeners, f->listener) || !number_holds(m->upstreams, m->n_upstreams, f->upstream))
		return false;
	if (!method_holds(m, f->method) || !client_holds(m, f->client))
		return false;
	if (!text_holds(m->paths, m->n_paths, f->path, scratch) || !text_holds(m->hosts, m->n_hosts, f->host, scratch))
		return false;
	for (unsigned i = 0; i < m->n_query; i++) {
		if (!query_holds(&m->query[i], f->query, scratch))
			return false;
	}
	for (unsigned i = 0; i < m->n_headers; i++) {
		if (!header_holds(&m->headers[i], f, scratch))
			return false;
	}
	if (!any_holds(m, f, scratch))
		return false;
	return !m->not_ || !match_holds(m->not_, f, scratch);
}

/* ---- covering ---------------------------------------------------------------------------------------------------- */
/*
 * a covers b where each condition of a is implied by one of b's. A list of a's is implied where b has that list as well
 * and each of its elements is covered. What needs more thought than that is not claimed.
 */

static bool methods_cover(const struct match *a, const struct match *b)
{
	for (unsigned i = 0; i < b->n_methods; i++) {
		if (!method_holds(a, b->methods[i]))
			return false;
	}
	return a->n_methods == 0 || b->n_methods > 0;
}

static bool numbers_cover(const uint16_t *a, unsigned n_a, const uint16_t *b, unsigned n_b)
{
	for (unsigned i = 0; i < n_b; i++) {
		if (!number_holds(a, n_a, b[i]))
			return false;
	}
	return n_a == 0 || n_b > 0;
}

static bool net_is_covered(const struct match *a, const struct match_net *net)
{
	for (unsigned i = 0; i < a->n_clients; i++) {
		if (a->clients[i].bits <= net->bits && net_has(&a->clients[i], net->address))
			return true;
	}
	return a->n_clients == 0;
}

static bool clients_cover(const struct match *a, const struct match *b)
{
	for (unsigned i = 0; i < b->n_clients; i++) {
		if (!net_is_covered(a, &b->clients[i]))
			return false;
	}
	return a->n_clients == 0 || b->n_clients > 0;
}

static bool pattern_is_covered(const struct pattern *a, unsigned n_a, const struct pattern *b)
{
	for (unsigned i = 0; i < n_a; i++) {
		if (pattern_covers(&a[i], b))
			return true;
	}
	return n_a == 0;
}

static bool patterns_cover(const struct pattern *a, unsigned n_a, const struct pattern *b, unsigned n_b)
{
	for (unsigned i = 0; i < n_b; i++) {
		if (!pattern_is_covered(a, n_a, &b[i]))
			return false;
	}
	return n_a == 0 || n_b > 0;
}

/* Each pair of a is implied by some pair of b of that name (all pairs of b hold together). */
static bool pairs_cover(const struct match_pair *a, unsigned n_a, const struct match_pair *b, unsigned n_b)
{
	for (unsigned i = 0; i < n_a; i++) {
		unsigned j = 0;

		while (j < n_b && !(span_eq(a[i].name, b[j].name) && pattern_covers(&a[i].value, &b[j].value)))
			j++;
		if (j == n_b)
			return false;
	}
	return true;
}

static bool status_covers(const struct match *a, const struct match *b)
{
	if (!a->has_status)
		return true;
	for (unsigned i = 0; i < MATCH_STATUS_WORDS; i++) {
		if (b->status[i] & ~a->status[i])
			return false;
	}
	return b->has_status;
}

static bool any_covers(const struct match *a, const struct match *b)
{
	for (unsigned i = 0; i < a->n_any; i++) {
		if (match_covers(a->any[i], b))
			return true;
	}
	return a->n_any == 0;
}

bool match_covers(const struct match *a, const struct match *b)
{
	return methods_cover(a, b) && numbers_cover(a->listeners, a->n_listeners, b->listeners, b->n_listeners) &&
		numbers_cover(a->upstreams, a->n_upstreams, b->upstreams, b->n_upstreams) && clients_cover(a, b) &&
		patterns_cover(a->hosts, a->n_hosts, b->hosts, b->n_hosts) &&
		patterns_cover(a->paths, a->n_paths, b->paths, b->n_paths) &&
		pairs_cover(a->query, a->n_query, b->query, b->n_query) &&
		pairs_cover(a->headers, a->n_headers, b->headers, b->n_headers) && status_covers(a, b) && any_covers(a, b) &&
		/* What b rules out is at least what a rules out. */
		(!a->not_ || (b->not_ && match_covers(b->not_, a->not_)));
}
