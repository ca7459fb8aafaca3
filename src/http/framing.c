/*
 * framing: what the fields of a whole head say about the message's end and the connection (RFC 9112 sections 6 and 9).
 * List elements are split at every comma, quoted or not: none of these fields has quoted strings, and a quote must not
 * hide an option from us that another reader sees.
 */
#include "http/bytes.h"
#include "http/head.h"

/* Any number of so many digits is less than INT64_MAX. */
#define PLAIN_DIGITS_MAX 18

/* The next element, trimmed and maybe empty; false after the last. */
static bool next_element(struct span *rest, struct span *element)
{
	size_t n;

	if (!rest->p)
		return false;
	n = span_find(*rest, ',');
	*element = span_trim(span_first(*rest, n));
	*rest = n < rest->n ? span_skip(*rest, n + 1) : SPAN_EMPTY;
	return true;
}

static unsigned option_of(struct span element)
{
	switch (element.n) {
	case 5:
		return span_eq_nocase(element, SPAN("close")) ? HTTP_OPTION_CLOSE : 0;
	case 7:
		return span_eq_nocase(element, SPAN("upgrade")) ? HTTP_OPTION_UPGRADE : 0;
	case 10:
		return span_eq_nocase(element, SPAN("keep-alive")) ? HTTP_OPTION_KEEP_ALIVE : 0;
	default:
		return 0;
	}
}

static void drop_named(struct http_fields *fields, struct span name)
{
	enum http_field_id id = http_field_id_of(name);

	if (!http_fields_have(fields, id) || http_field_flags(id) & (HTTP_FIELD_IS_KEPT | HTTP_FIELD_IS_HOP))
		return;
	for (unsigned i = 0; i < fields->n; i++) {
		struct http_field *f = &fields->v[i];

		if (f->id == id && (id != HTTP_FIELD_OTHER || span_eq_nocase(f->name, name)))
			f->drop = true;
	}
}

enum http_error http_take_connection(struct http_fields *fields, unsigned *options)
{
	unsigned n_named = 0;

	*options = 0;
	if (!http_fields_have(fields, HTTP_FIELD_CONNECTION))
		return HTTP_ERROR_NONE;
	for (unsigned i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value;
		struct span element;
		unsigned option;

		while (fields->v[i].id == HTTP_FIELD_CONNECTION && next_element(&rest, &element)) {
			option = option_of(element);
			*options |= option;
			if (option || element.n == 0)
				continue;
			/* Each name costs a walk over the fields: more names than there can be fields are no honest list. */
			if (++n_named > fields->cap)
				return HTTP_ERROR_TOO_MANY_FIELDS;
			drop_named(fields, element);
		}
	}
	return HTTP_ERROR_NONE;
}

static struct span without_leading_zeros(struct span digits)
{
	while (digits.n > 1 && *digits.p == '0')
		digits = span_skip(digits, 1);
	return digits;
}

/* One line with one number as it is written everywhere: no list, no zeros before it, no more digits than can be trusted. */
static bool take_plain_length(const struct http_fields *fields, uint64_t *length)
{
	const struct http_field *f = http_fields_first(fields, HTTP_FIELD_CONTENT_LENGTH);
	uint64_t v = 0;

	if (!f || fields->repeated & HTTP_FIELD_BIT(CONTENT_LENGTH) || f->value.n == 0 || f->value.n > PLAIN_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < f->value.n; i++) {
		if (!ascii_is_digit(f->value.p[i]))
			return false;
		v = v * 10 + (uint64_t)(f->value.p[i] - '0');
	}
	*length = v;
	return *f->value.p != '0' || f->value.n == 1;
}

enum http_error http_take_length(struct http_fields *fields, uint64_t *length)
{
	struct http_field *first = NULL;
	struct span canonical = SPAN_EMPTY;

	if (LIKELY(take_plain_length(fields, length)))
		return HTTP_ERROR_NONE;

	for (unsigned i = 0; i < fields->n; i++) {
		struct http_field *f = &fields->v[i];
		struct span rest = f->value;
		struct span element;
		uint64_t v;

		while (f->id == HTTP_FIELD_CONTENT_LENGTH && next_element(&rest, &element)) {
			if (span_to_u64(element, &v) || v > INT64_MAX)
				return HTTP_ERROR_LENGTH_INVALID;
			if (!first) {
				first = f;
				*length = v;
				canonical = without_leading_zeros(element);
			}
			if (v != *length)
				return HTTP_ERROR_LENGTH_CONFLICT;
			f->drop |= f != first;
		}
	}
	if (first && canonical.n != first->value.n) {
		first->value = canonical;
		first->rewritten = true;
	}
	return HTTP_ERROR_NONE;
}

enum http_error http_take_coding(const struct http_fields *fields, enum http_error unchunked)
{
	unsigned n = 0;
	bool chunked = false;

	for (unsigned i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value;
		struct span element;

		while (fields->v[i].id == HTTP_FIELD_TRANSFER_ENCODING && next_element(&rest, &element)) {
			if (chunked || !http_is_token(span_trim(span_first(element, span_find(element, ';')))))
				return HTTP_ERROR_CODING_INVALID;
			chunked = span_eq_nocase(element, SPAN("chunked"));
			n++;
		}
	}
	if (!chunked)
		return unchunked;
	return n == 1 ? HTTP_ERROR_NONE : HTTP_ERROR_CODING_UNSUPPORTED;
}
