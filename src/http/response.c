/*
 * response: response heads (RFC 9112 sections 4 and 6.3). What an upstream sends is no less hostile than a request: the
 * liberties taken are those that the RFC grants for responses (folded lines, white space before a colon, no reason).
 */
#include "http/bytes.h"
#include "http/head.h"

/* Three digits, then the reason if any, to the line end. */
static int read_status(struct http_reader *in, struct http_response *r)
{
	unsigned status = 0;

	for (int i = 0; i < 3; i++) {
		if (in->p == in->end)
			return HTTP_PARSE_MORE;
		if (!ascii_is_digit(*in->p))
			return http_reader_fail(in, *in->p == '\n' ? HTTP_ERROR_BARE_LF : HTTP_ERROR_STATUS_LINE);
		status = status * 10 + (unsigned)(*in->p++ - '0');
	}
	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	if (status < 100 || status > 599)
		return http_reader_fail(in, HTTP_ERROR_STATUS_CODE);
	r->status = status;
	if (*in->p == ' ') {
		const char *reason = ++in->p;

		in->p = http_scan_value(reason, in->end);
		r->reason = span_of(reason, (size_t)(in->p - reason));
	}
	return http_read_line_end(in, HTTP_ERROR_STATUS_LINE);
}

static int read_status_line(struct http_reader *in, struct http_response *r)
{
	int rc = http_read_version(in, HTTP_ERROR_STATUS_LINE, &r->minor);

	if (rc)
		return rc;
	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	if (*in->p != ' ')
		return http_reader_fail(in, *in->p == '\n' ? HTTP_ERROR_BARE_LF : HTTP_ERROR_STATUS_LINE);
	in->p++;
	if (r->minor > 1)
		return http_reader_fail(in, HTTP_ERROR_VERSION_UNSUPPORTED);
	return read_status(in, r);
}

static bool has_body(unsigned status, enum http_method to)
{
	return to != HTTP_METHOD_HEAD && status >= 200 && status != 204 && status != 304;
}

/* Content-Length, as far as it may be believed and passed on. */
static enum http_error take_length(struct http_response *r, uint64_t *length)
{
	*length = 0;
	if (!http_fields_have(&r->fields, HTTP_FIELD_CONTENT_LENGTH))
		return HTTP_ERROR_NONE;
	if (http_fields_have(&r->fields, HTTP_FIELD_TRANSFER_ENCODING)) {
		http_fields_drop(&r->fields, HTTP_FIELD_CONTENT_LENGTH);
		r->keep_alive = false;
	} else if (r->status < 200 || r->status == 204) {
		/* RFC 9110 section 8.6: no length may stand here. With 304 and HEAD it tells that of another answer. */
		http_fields_drop(&r->fields, HTTP_FIELD_CONTENT_LENGTH);
	}
	return http_take_length(&r->fields, length);
}

static enum http_error take_body(struct http_response *r, enum http_method to)
{
	uint64_t length;
	enum http_error error = take_length(r, &length);

	if (error)
		return error;
	if (!has_body(r->status, to)) {
		r->body = HTTP_BODY_NONE;
		/* Who tells of content where none can be may send it all the same: nothing may be read behind it. */
		if (r->status == 204 && (length || http_fields_have(&r->fields, HTTP_FIELD_TRANSFER_ENCODING)))
			r->keep_alive = false;
	} else if (http_fields_have(&r->fields, HTTP_FIELD_TRANSFER_ENCODING)) {
		r->body = HTTP_BODY_CHUNKED;
		error = http_take_coding(&r->fields, HTTP_ERROR_CODING_UNSUPPORTED);
		return error ? error : r->minor == 0 ? HTTP_ERROR_CODING_IN_HTTP_1_0 : HTTP_ERROR_NONE;
	} else if (http_fields_have(&r->fields, HTTP_FIELD_CONTENT_LENGTH)) {
		r->body = HTTP_BODY_LENGTH;
		r->body_length = length;
	} else {
		r->body = HTTP_BODY_UNTIL_CLOSE;
		r->keep_alive = false;
	}
	return HTTP_ERROR_NONE;
}

static enum http_error take_meaning(struct http_response *r, enum http_method to)
{
	unsigned options;
	enum http_error error = http_take_connection(&r->fields, &options);

	if (error)
		return error;
	r->keep_alive = !(options & HTTP_OPTION_CLOSE) && (r->minor == 1 || options & HTTP_OPTION_KEEP_ALIVE);
	return take_body(r, to);
}

int http_response_parse(struct http_response *r, char *p, size_t n, enum http_method to, enum http_error *error)
{
	struct http_reader in = { .p = p, .end = p + n };
	int rc;

	*r = (struct http_response){ .fields = { .v = r->fields.v, .cap = r->fields.cap } };
	rc = read_status_line(&in, r);
	if (!rc)
		rc = http_read_fields(&in, &r->fields, p, p);
	if (!rc) {
		in.error = take_meaning(r, to);
		rc = in.error ? HTTP_PARSE_ERROR : HTTP_PARSE_OK;
		r->head_n = (size_t)(in.p - p);
	}
	*error = in.error;
	return rc;
}
