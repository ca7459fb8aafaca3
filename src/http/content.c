/*
 * content: a length or chunks. Bytes that follow without either are no content of a request.
 */
#include "http/content.h"

void http_content_begin(struct http_content *c, const struct http_request *r)
{
	c->kind = r->body;
	c->left = r->body == HTTP_BODY_LENGTH ? r->body_length : 0;
	http_chunked_init(&c->chunked);
}

static enum http_content_state take_chunks(struct http_content *c, const char *p, size_t n, size_t *used, http_content_fn take,
	void *arg, enum http_error *error)
{
	for (;;) {
		struct http_chunk chunk;
		size_t taken = 0;
		enum http_chunk_event event = http_chunked_next(&c->chunked, p + *used, n - *used, &taken, &chunk);

		*used += taken;
		switch (event) {
		case HTTP_CHUNK_MORE: return HTTP_CONTENT_MORE;
		case HTTP_CHUNK_END: return HTTP_CONTENT_END;
		case HTTP_CHUNK_TRAILER: break;
		case HTTP_CHUNK_DATA:
			if (!take(arg, chunk.data))
				return HTTP_CONTENT_REFUSED;
			break;
		case HTTP_CHUNK_ERROR:
			*error = chunk.error;
			return HTTP_CONTENT_ERROR;
		}
	}
}

enum http_content_state http_content_take(struct http_content *c, const char *p, size_t n, size_t *used, http_content_fn take,
	void *arg, enum http_error *error)
{
	*used = 0;
	if (c->kind == HTTP_BODY_CHUNKED)
		return n ? take_chunks(c, p, n, used, take, arg, error) : HTTP_CONTENT_MORE;
	*used = (size_t)MIN(c->left, n);
	c->left -= *used;
	if (*used && !take(arg, span_of(p, *used)))
		return HTTP_CONTENT_REFUSED;
	return c->left ? HTTP_CONTENT_MORE : HTTP_CONTENT_END;
}
