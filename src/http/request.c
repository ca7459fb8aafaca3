/*
 * request: request heads (RFC 9112 sections 3 and 6, RFC 9110 sections 7 and 10). Two steps: the bytes from left to right
 * by the grammar, then, once the head is whole, what target and fields mean together.
 */
#include "http/bytes.h"
#include "http/head.h"
#include "http/uri.h"

/* No registered method has more than 20 bytes; a longer one than this is told 501 (RFC 9112 section 3). */
#define METHOD_BYTES_MAX 64

/* One empty line may come before the request line (RFC 9112 section 2.2). */
static int pass_empty_line(struct http_reader *in)
{
	int rc;

	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	if (*in->p != '\r' && *in->p != '\n')
		return HTTP_PARSE_OK;
	rc = http_read_line_end(in, HTTP_ERROR_REQUEST_LINE);
	if (rc)
		return rc;
	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	return *in->p == '\r' ? http_reader_fail(in, HTTP_ERROR_REQUEST_LINE) : HTTP_PARSE_OK;
}

/* The word at in->p has ended before a byte that is no SP: says what is wrong. */
static int fail_in_request_line(struct http_reader *in, enum http_error word)
{
	int rc;

	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	if (*in->p == '\t')
		return http_reader_fail(in, HTTP_ERROR_REQUEST_LINE);
	rc = http_read_line_end(in, word);
	return rc == HTTP_PARSE_OK ? http_reader_fail(in, HTTP_ERROR_REQUEST_LINE) : rc;
}

static int read_request_line(struct http_reader *in, struct http_request *r)
{
	const char *start = in->p;
	int rc;

	in->p = http_scan_token(start, in->end);
	r->method = span_of(start, (size_t)(in->p - start));
	if (r->method.n > METHOD_BYTES_MAX)
		return http_reader_fail(in, HTTP_ERROR_METHOD_TOO_LONG);
	if (in->p == in->end || *in->p != ' ')
		return fail_in_request_line(in, HTTP_ERROR_METHOD);
	if (r->method.n == 0)
		return http_reader_fail(in, HTTP_ERROR_REQUEST_LINE);
	r->method_id = http_method_of(r->method);

	start = ++in->p;
	in->p = http_scan_target(start, in->end);
	r->target = span_of(start, (size_t)(in->p - start));
	if (in->p == in->end || *in->p != ' ')
		return fail_in_request_line(in, HTTP_ERROR_TARGET);
	if (r->target.n == 0)
		return http_reader_fail(in, HTTP_ERROR_REQUEST_LINE);
	in->p++;

	rc = http_read_version(in, HTTP_ERROR_REQUEST_LINE, &r->minor);
	if (rc)
		return rc;
	rc = http_read_line_end(in, HTTP_ERROR_REQUEST_LINE);
	if (rc)
		return rc;
	return r->minor > 1 ? http_reader_fail(in, HTTP_ERROR_VERSION_UNSUPPORTED) : HTTP_PARSE_OK;
}

static void split_path(struct http_request *r, struct span s)
{
	size_t n = span_find(s, '?');

	r->path = n ? span_first(s, n) : SPAN("/");
	r->has_query = n < s.n;
	if (r->has_query)
		r->query = span_skip(s, n + 1);
}

static enum http_error take_absolute_target(struct http_request *r)
{
	size_t n = span_find(r->target, ':');
	struct span scheme = span_first(r->target, n);
	struct span rest = span_skip(r->target, n);
	struct span port;

	if (!span_eq_nocase(scheme, SPAN("http")) && !span_eq_nocase(scheme, SPAN("https")))
		return HTTP_ERROR_TARGET;
	if (!span_starts_with(rest, SPAN("://")))
		return HTTP_ERROR_TARGET;
	rest = span_skip(rest, 3);
	for (n = 0; n < rest.n && rest.p[n] != '/' && rest.p[n] != '?';)
		n++;
	r->form = HTTP_TARGET_ABSOLUTE;
	r->scheme = scheme;
	r->authority = span_first(rest, n);
	/* RFC 9110 section 4.2.1: an http URI with an empty host is invalid. */
	if (http_authority_parse(r->authority, &r->host, &port) || r->host.n == 0)
		return HTTP_ERROR_TARGET;
	split_path(r, span_skip(rest, n));
	return HTTP_ERROR_NONE;
}

static enum http_error take_connect_target(struct http_request *r)
{
	struct span port;

	r->form = HTTP_TARGET_AUTHORITY;
	r->authority = r->target;
	if (http_authority_parse(r->authority, &r->host, &port) || r->host.n == 0 || port.n == 0)
		return HTTP_ERROR_TARGET;
	return HTTP_ERROR_NONE;
}

static enum http_error take_target(struct http_request *r)
{
	if (r->method_id == HTTP_METHOD_CONNECT)
		return take_connect_target(r);
	if (*r->target.p == '/') {
		r->form = HTTP_TARGET_ORIGIN;
		split_path(r, r->target);
		return HTTP_ERROR_NONE;
	}
	if (span_eq(r->target, SPAN("*"))) {
		r->form = HTTP_TARGET_ASTERISK;
		r->path = r->target;
		return r->method_id == HTTP_METHOD_OPTIONS ? HTTP_ERROR_NONE : HTTP_ERROR_TARGET;
	}
	return take_absolute_target(r);
}

/* RFC 9112 section 3.2. In absolute and authority form the target's authority counts, but Host must still be right. */
static enum http_error take_host(struct http_request *r)
{
	const struct http_field *f = http_fields_first(&r->fields, HTTP_FIELD_HOST);
	struct span host;
	struct span port;

	if (!f)
		return r->minor ? HTTP_ERROR_HOST_MISSING : HTTP_ERROR_NONE;
	if (r->fields.repeated & HTTP_FIELD_BIT(HOST))
		return HTTP_ERROR_HOST_REPEATED;
	if (http_authority_parse(f->value, &host, &port))
		return HTTP_ERROR_HOST_INVALID;
	if (r->form == HTTP_TARGET_ORIGIN || r->form == HTTP_TARGET_ASTERISK) {
		r->authority = f->value;
		r->host = host;
	}
	return HTTP_ERROR_NONE;
}

/* RFC 9112 section 6.3, without the ways to be lenient that it leaves open. */
static enum http_error take_body(struct http_request *r)
{
	enum http_error error;

	r->body = HTTP_BODY_NONE;
	if (http_fields_have(&r->fields, HTTP_FIELD_TRANSFER_ENCODING)) {
		error = http_take_coding(&r->fields, HTTP_ERROR_CODING_INVALID);
		if (error)
			return error;
		if (http_fields_have(&r->fields, HTTP_FIELD_CONTENT_LENGTH))
			return HTTP_ERROR_LENGTH_AND_CODING;
		if (r->minor == 0)
			return HTTP_ERROR_CODING_IN_HTTP_1_0;
		r->body = HTTP_BODY_CHUNKED;
	} else if (http_fields_have(&r->fields, HTTP_FIELD_CONTENT_LENGTH)) {
		error = http_take_length(&r->fields, &r->body_length);
		if (error)
			return error;
		r->body = HTTP_BODY_LENGTH;
	}
	return HTTP_ERROR_NONE;
}

/* RFC 9110 section 10.1.1. */
static enum http_error take_expect(struct http_request *r)
{
	if (!http_fields_have(&r->fields, HTTP_FIELD_EXPECT))
		return HTTP_ERROR_NONE;
	if (r->minor == 0) {
		/* To be ignored, and not to be passed on in a version that would heed it. */
		http_fields_drop(&r->fields, HTTP_FIELD_EXPECT);
		return HTTP_ERROR_NONE;
	}
	for (unsigned i = 0; i < r->fields.n; i++) {
		const struct http_field *f = &r->fields.v[i];

		if (f->id == HTTP_FIELD_EXPECT && !span_eq_nocase(f->value, SPAN("100-continue")))
			return HTTP_ERROR_EXPECTATION;
	}
	r->expect_continue = true;
	return HTTP_ERROR_NONE;
}

static enum http_error check_single_fields(const struct http_fields *fields)
{
	for (uint64_t left = fields->repeated & ~HTTP_FIELD_BIT(OTHER); left; left &= left - 1) {
		enum http_field_id id = (enum http_field_id)__builtin_ctzll(left);
		const struct http_field *first = http_fields_first(fields, id);

		if (!(http_field_flags(id) & HTTP_FIELD_SINGLE))
			continue;
		for (unsigned i = 0; i < fields->n; i++) {
			if (fields->v[i].id == id && !span_eq(fields->v[i].value, first->value))
				return HTTP_ERROR_REPEATED_FIELD;
		}
	}
	return HTTP_ERROR_NONE;
}

/* Upgrade names a protocol that may be passed on. */
static bool names_upgrade(const struct http_fields *fields)
{
	if (LIKELY(!http_fields_have(fields, HTTP_FIELD_UPGRADE)))
		return false;
	for (unsigned i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value;
		struct span element;

		while (fields->v[i].id == HTTP_FIELD_UPGRADE && span_next_element(&rest, &element)) {
			if (http_upgrade_passes(element))
				return true;
		}
	}
	return false;
}

static enum http_error take_connection(struct http_request *r)
{
	unsigned options;
	enum http_error error = http_take_connection(&r->fields, &options);

	if (error)
		return error;
	r->keep_alive = !(options & HTTP_OPTION_CLOSE) && (r->minor == 1 || options & HTTP_OPTION_KEEP_ALIVE);
	r->upgrade = r->minor == 1 && options & HTTP_OPTION_UPGRADE && names_upgrade(&r->fields);
	r->te_trailers = r->minor == 1 && http_fields_list_has(&r->fields, HTTP_FIELD_TE, SPAN("trailers"));
	return HTTP_ERROR_NONE;
}

static enum http_error take_meaning(struct http_request *r)
{
	enum http_error error = take_host(r);

	if (!error)
		error = check_single_fields(&r->fields);
	if (!error)
		error = take_body(r);
	if (!error)
		error = take_expect(r);
	if (!error)
		error = take_connection(r);
	return error;
}

int http_request_parse(struct http_request *r, const char *p, size_t n, enum http_error *error)
{
	struct http_reader in = { .p = p, .end = p + n };
	int rc;

	*r = (struct http_request){ .fields = { .v = r->fields.v, .cap = r->fields.cap } };
	rc = pass_empty_line(&in);
	if (!rc)
		rc = read_request_line(&in, r);
	if (!rc) {
		in.error = take_target(r);
		rc = in.error ? HTTP_PARSE_ERROR : http_read_fields(&in, &r->fields, p, NULL);
	}
	if (!rc) {
		in.error = take_meaning(r);
		rc = in.error ? HTTP_PARSE_ERROR : HTTP_PARSE_OK;
		r->head_n = (size_t)(in.p - p);
	}
	*error = in.error;
	return rc;
}
