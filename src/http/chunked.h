/*
 * chunked: takes the chunked transfer coding apart (RFC 9112 section 7.1) without copying: each call finds the next
 * stretch of data, or a trailer line, in the bytes given. Strict: hexadecimal digits at once followed by CRLF or a
 * well-formed extension, CRLF after the data, no bare LF or CR anywhere. Extensions are dropped, their total bounded.
 */
#ifndef BROWNOUT_HTTP_CHUNKED_H
#define BROWNOUT_HTTP_CHUNKED_H

#include "http/message.h"

struct http_chunked {
	uint64_t left; /* data bytes of this chunk still to come */
	uint32_t overhead_bytes; /* of extensions, then of trailers, so far */
	uint8_t state;
	uint8_t digits; /* of the size being read */
	uint8_t error; /* enum http_error, once it has failed */
};

/* Bounds: extensions of a whole body, one trailer section. */
#define HTTP_CHUNK_EXTENSION_BYTES_MAX 16384
#define HTTP_TRAILER_BYTES_MAX 16384

void http_chunked_init(struct http_chunked *c);

enum http_chunk_event {
	HTTP_CHUNK_MORE, /* all that can be used is used: come again with more */
	HTTP_CHUNK_DATA, /* ev->data is the next stretch of content */
	HTTP_CHUNK_TRAILER, /* ev->field is one trailer line */
	HTTP_CHUNK_END, /* the body is complete; what follows p[used] is the next message */
	HTTP_CHUNK_ERROR, /* ev->error; the body cannot be read further, and every later call says the same */
};

struct http_chunk {
	struct span data;
	struct http_field field; /* drop is set where the field may not be in trailers */
	enum http_error error;
};

/*
 * Looks at p[0..n). *used is how many bytes this call has consumed; the caller passes the rest again, with more bytes
 * behind it where the event was MORE. A trailer line is consumed only whole (bytes of a partial line stay unconsumed:
 * used < n with MORE); everything else is consumed at once.
 */
enum http_chunk_event http_chunked_next(struct http_chunked *c, const char *p, size_t n, size_t *used, struct http_chunk *ev);

/* "size CRLF" for a chunk of n > 0 bytes, into at least HTTP_CHUNK_HEAD_MAX bytes; returns its length. */
#define HTTP_CHUNK_HEAD_MAX 18
size_t http_chunk_write_head(char *p, uint64_t n);

#endif
