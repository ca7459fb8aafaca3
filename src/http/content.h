/*
 * content: takes the content of a request out of the bytes that follow its head, in whichever framing (RFC 9112 section 6.3).
 * For small servers that read a content whole; what forwards bytes does so by itself.
 */
#ifndef BROWNOUT_HTTP_CONTENT_H
#define BROWNOUT_HTTP_CONTENT_H

#include "http/chunked.h"

struct http_content {
	enum http_body kind;
	uint64_t left; /* bytes still to come, of a known length */
	struct http_chunked chunked;
};

enum http_content_state {
	HTTP_CONTENT_MORE, /* all that can be used is used: come again with more */
	HTTP_CONTENT_END, /* it is complete; what follows p[used] is the next message */
	HTTP_CONTENT_REFUSED, /* take has returned false */
	HTTP_CONTENT_ERROR, /* *error; it cannot be read further */
};

void http_content_begin(struct http_content *c, const struct http_request *r);
/*
 * Looks at p[0..n) and calls take for each stretch of content; *used is how many bytes have been consumed, and the caller passes
 * the rest again, with more bytes behind it. Trailers are passed over.
 */
typedef bool (*http_content_fn)(void *arg, struct span piece);
enum http_content_state http_content_take(struct http_content *c, const char *p, size_t n, size_t *used, http_content_fn take,
	void *arg, enum http_error *error);

#endif
