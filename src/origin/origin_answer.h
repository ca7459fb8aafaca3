/*
 * origin_answer: what the embedded upstream answers to a request. Pure: from a parsed head and body bytes to a description
 * of the answer and the bytes of its head; the server sends it, waits where it says so, and makes the filler bytes.
 *
 * Calls, in this order: begin (or refuse), body as often as there are bytes, end, write_head. Nothing keeps a span of
 * the request beyond the call.
 */
#ifndef BROWNOUT_ORIGIN_ORIGIN_ANSWER_H
#define BROWNOUT_ORIGIN_ORIGIN_ANSWER_H

#include "base/json.h"
#include "http/message.h"

#define ORIGIN_ECHO_BODY_BYTES ((size_t)64 * 1024) /* so much of a request body is echoed */
#define ORIGIN_DELAY_NS_MAX (3600 * NS_PER_S)

enum origin_content {
	ORIGIN_CONTENT_TEXT, /* the bytes of text */
	ORIGIN_CONTENT_FILL, /* length filler bytes */
	ORIGIN_CONTENT_DRIP, /* the same, one every every_ns */
};

struct origin_answer {
	unsigned status;
	enum origin_content content;
	const char *type; /* Content-Type; NULL: none */
	struct text text;
	uint64_t length;
	int64_t delay_ns; /* before the head */
	int64_t every_ns;
	bool chunked; /* the content goes out in chunks */
	bool until_close; /* its end is the connection's (a request for chunks by HTTP/1.0) */
	bool keep_alive; /* another request may follow */
	bool head; /* the request was HEAD */
	bool http_1_0;

	bool echo; /* `json` is open until the body has been seen */
	struct json json;
	struct text body; /* the first bytes of the request's body */
	uint64_t body_bytes;
};

void origin_answer_init(struct origin_answer *a);
void origin_answer_deinit(struct origin_answer *a);

void origin_answer_begin(struct origin_answer *a, const struct http_request *r);
void origin_answer_refuse(struct origin_answer *a, enum http_error error);
void origin_answer_body(struct origin_answer *a, struct span piece);
/* After it `length` is set whatever the content is. */
void origin_answer_end(struct origin_answer *a);

/* True where bytes follow the head. */
bool origin_answer_has_content(const struct origin_answer *a);
void origin_answer_write_head(const struct origin_answer *a, int64_t unix_s, struct text *out);

/* "250ms" (ns us ms s m h), at most ORIGIN_DELAY_NS_MAX. 1 where it is not. */
int origin_parse_duration(struct span s, int64_t *ns) MUST_USE;
/* "64KiB" (B KiB MiB GiB, KB MB GB, or none), at most 2^50. 1 where it is not. */
int origin_parse_size(struct span s, uint64_t *bytes) MUST_USE;

#endif
