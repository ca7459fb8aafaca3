/*
 * head: the parts that request heads, response heads and trailer sections have in common. For src/http only.
 *
 * A reader goes over the bytes from left to right and never looks at what it has not got: where the end comes too soon
 * it says MORE, and an error is reported by the first byte that makes it certain. That is why every split of the same
 * bytes ends in the same result.
 */
#ifndef BROWNOUT_HTTP_HEAD_H
#define BROWNOUT_HTTP_HEAD_H

#include "http/message.h"

struct http_reader {
	const char *p; /* the next byte */
	const char *end;
	enum http_error error; /* set with HTTP_PARSE_ERROR */
};

static inline int http_reader_fail(struct http_reader *in, enum http_error error)
{
	in->error = error;
	return HTTP_PARSE_ERROR;
}

/* All functions below that return int: HTTP_PARSE_OK, _MORE or _ERROR. */

/* Passes a CRLF. Another byte there is an error: BARE_LF, BARE_CR or `otherwise`. */
int http_read_line_end(struct http_reader *in, enum http_error otherwise) MUST_USE;

/* Passes "HTTP/1.x", whose minor version goes to *minor (0 or 1). Another major version leaves *minor at 2. */
int http_read_version(struct http_reader *in, enum http_error otherwise, unsigned *minor) MUST_USE;

/*
 * Passes one whole field line that begins with neither white space nor a line end. lenient: white space before the
 * colon is passed over.
 */
int http_read_field_line(struct http_reader *in, struct http_field *f, bool lenient) MUST_USE;

/*
 * Passes the field section and the empty line that ends it. writable: NULL in a request, where a folded line is an
 * error; in a response the same bytes as *in, where folds become spaces. from: where both begin.
 */
int http_read_fields(struct http_reader *in, struct http_fields *fields, const char *from, char *writable) MUST_USE;

/* ---- what fields mean for the message; the section must be complete ---- */

enum { HTTP_OPTION_CLOSE = 1, HTTP_OPTION_KEEP_ALIVE = 2, HTTP_OPTION_UPGRADE = 4 };

/* The options of all Connection lines; fields that they name are marked drop (RFC 9110 section 7.6.1). */
enum http_error http_take_connection(struct http_fields *fields, unsigned *options) MUST_USE;
/* Content-Length, which must be there. Repeated equal values become one: the first line is kept, as one canonical number. */
enum http_error http_take_length(struct http_fields *fields, uint64_t *length) MUST_USE;
/*
 * Transfer-Encoding, which must be there: fine only where it is "chunked" and nothing else. unchunked: the error where
 * no coding is chunked.
 */
enum http_error http_take_coding(const struct http_fields *fields, enum http_error unchunked) MUST_USE;

void http_fields_drop(struct http_fields *fields, enum http_field_id id);

#endif
