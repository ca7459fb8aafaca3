/*
 * message: HTTP/1.x heads, from bytes to values (RFC 9112 sections 2 to 6), strictly: what the grammar forbids is
 * refused, never repaired, so that no two readers can understand the same bytes differently. The exceptions that the
 * RFC allows and interoperation wants are marked below. No allocation, no socket, no log.
 *
 * A head is parsed in one pass once it is complete. While it is not, the caller keeps the bytes and asks
 * http_head_is_due (linear over all calls) whether parsing again can bring a result. Any split of the same bytes
 * gives the same final result.
 */
#ifndef BROWNOUT_HTTP_MESSAGE_H
#define BROWNOUT_HTTP_MESSAGE_H

#include "http/field.h"

enum http_error {
	HTTP_ERROR_NONE = 0,
#define ERROR(id, status, text) HTTP_ERROR_##id,
#include "http/errors.def"
#undef ERROR
	HTTP_ERROR_COUNT
};

/* The status to tell a client whose request has this error. */
unsigned http_error_status(enum http_error e);
/* One line of text, and the table's own name in lower case ("bare_lf") for metrics and logs. */
const char *http_error_text(enum http_error e);
const char *http_error_name(enum http_error e);

enum http_method {
	HTTP_METHOD_OTHER,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_PATCH,
	HTTP_METHOD_TRACE,
	HTTP_METHOD_CONNECT,
};

enum http_target_form { HTTP_TARGET_ORIGIN, HTTP_TARGET_ABSOLUTE, HTTP_TARGET_ASTERISK, HTTP_TARGET_AUTHORITY };

/* How the length of a body is known (RFC 9112 section 6.3). */
enum http_body {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH, /* body_length bytes, may be 0 */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_UNTIL_CLOSE, /* responses only */
};

struct http_request {
	struct span method;
	struct span target; /* as received */
	struct span scheme; /* absolute form only, else empty */
	struct span authority; /* host and port that count: the target's in absolute form, else the Host field's; may be empty */
	struct span host; /* of authority, without port; brackets of an IPv6 address kept */
	struct span path; /* origin form's path, "/" where absolute form has none, "*" for asterisk form; raw */
	struct span query; /* after the '?', without it; raw */
	bool has_query; /* "/x?" has an empty one */
	enum http_method method_id;
	enum http_target_form form;
	unsigned minor; /* HTTP/1.minor: 0 or 1 (a higher minor version is taken as 1) */
	enum http_body body;
	uint64_t body_length;
	bool keep_alive; /* what version and Connection ask for */
	bool expect_continue;
	bool upgrade; /* Upgrade with Connection: upgrade, on HTTP/1.1, to a protocol that passes (http_upgrade_passes) */
	bool te_trailers; /* TE has "trailers" */
	struct http_fields fields;
	size_t head_n; /* bytes of the head, with leading empty lines and the final CRLF */
};

struct http_response {
	unsigned status; /* 100 to 599 */
	struct span reason; /* may be empty */
	unsigned minor;
	enum http_body body;
	uint64_t body_length;
	bool keep_alive; /* the connection may be used again once the body is complete */
	struct http_fields fields;
	size_t head_n;
};

enum { HTTP_PARSE_OK = 0, HTTP_PARSE_MORE = 1, HTTP_PARSE_ERROR = 2 };

/*
 * Parses a request head at p[0..n). r->fields.v and .cap must be set; the rest is overwritten. At most one empty line
 * (CRLF) before the request line is skipped (RFC 9112 section 2.2). Both Content-Length and Transfer-Encoding: refused.
 * Identical repeated Content-Length values are collapsed: one line stays, marked `rewritten`, with the bare number.
 * Further transfer codings before chunked: refused with 501. HTTP/1.0 with Transfer-Encoding: refused. obs-fold: refused.
 * Fragment in the target: refused; other visible ASCII passes. Expect in HTTP/1.0 is ignored and marked drop.
 * CONNECT parses (method_id CONNECT, authority set) so that the caller can refuse it by name: HTTP_ERROR_CONNECT.
 * Returns HTTP_PARSE_OK, _MORE (the head is not complete and has no error so far), or _ERROR with *error set.
 */
int http_request_parse(struct http_request *r, const char *p, size_t n, enum http_error *error) MUST_USE;

/*
 * Parses a response head at p[0..n) to a request of this method (which decides about the body, RFC 9112 section 6.3).
 * p may be written to: obs-fold is replaced by spaces (section 5.2). White space before a colon is stripped (5.1) and
 * the field marked `rewritten`. Any status 100 to 599; a missing reason is fine, with or without its space. An interim
 * answer (1xx) has no body; 101 is left to the caller. Transfer-Encoding with Content-Length: Transfer-Encoding counts,
 * Content-Length is marked drop, keep_alive is false. A coding other than chunked is refused: we sent no TE that asks
 * for one, and its bytes could not be passed on without naming it. Transfer-Encoding in HTTP/1.0: refused.
 * 204, 304 and HEAD: no body whatever the fields say; Content-Length is marked drop in 1xx and 204. A 204 that tells of
 * content by a length or a coding: keep_alive is false.
 */
int http_response_parse(struct http_response *r, char *p, size_t n, enum http_method to, enum http_error *error) MUST_USE;

/*
 * After _MORE: *scanned is how far earlier calls have looked (0 at first). True where the head is complete or has a
 * line end that cannot stand, so that parsing gives a result; false where more bytes are needed.
 */
bool http_head_is_due(const char *p, size_t n, size_t *scanned);

/* For a head that fills the limit and is still incomplete: TARGET_TOO_LONG in the request line, else HEAD_TOO_LARGE. */
enum http_error http_head_overflow(const char *p, size_t n);

/* The method's properties: RFC 9110 sections 9.2.1 and 9.2.2. HTTP_METHOD_OTHER has neither. */
bool http_method_is_safe(enum http_method m);
bool http_method_is_idempotent(enum http_method m);
enum http_method http_method_of(struct span name);

#endif
