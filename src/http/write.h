/*
 * write: message heads, from values to bytes, into a text of the caller's. Field lines that pass are copied as runs of
 * raw bytes. Nothing here decides: what to add, drop or say is in the arguments.
 */
#ifndef BROWNOUT_HTTP_WRITE_H
#define BROWNOUT_HTTP_WRITE_H

#include "base/text.h"
#include "http/message.h"

/*
 * The lines that told the last upstream who asked: the next request of the same client to the same authority has the same ones.
 * All zero at first. Longer names and lines are not kept.
 */
struct http_forwarded_lines {
	struct http_kept {
		uint8_t n;
		char p[63];
	} client, authority, proto, via;
	uint8_t minor;
	uint16_t n; /* 0: nothing is kept */
	char p[512];
};

/* What the request that goes to the upstream has that the client's did not (RFC 9110 section 7.6). */
struct http_forward_request {
	struct span host; /* Host to send; empty: the request's authority as it came */
	struct span path_prefix; /* put before the path, but not before "*"; empty: none */
	struct span via; /* pseudonym; empty: no Via */
	/* Address text for X-Forwarded-For and Forwarded, without brackets or port. Empty: none of these fields is written. */
	struct span client;
	bool client_is_ipv6;
	struct span proto; /* "http" or "https" for X-Forwarded-Proto */
	bool chunked; /* the body goes out chunked (Transfer-Encoding is ours), else a received Content-Length passes */
	bool upgrade; /* pass Upgrade on, with Connection: upgrade */
	bool te_trailers; /* send "TE: trailers" and Connection: TE */
	int64_t max_forwards; /* value to send, or -1 where none was received */
	struct http_forwarded_lines *kept; /* the caller's, from request to request; NULL: none */
	struct span extra; /* whole field lines to add, each with CRLF */
};

/*
 * METHOD target HTTP/1.1 and the fields. The target goes out in origin form (asterisk form where received so, or where
 * an absolute-form OPTIONS has no path, RFC 9112 3.2.4). X-Forwarded-For is appended to, -Proto and -Host are kept
 * where received; Forwarded is appended to (RFC 7239). Via: appended as a line of its own after the received ones.
 */
void http_write_request_head(struct text *out, const struct http_request *r, const struct http_forward_request *f);

/* How a response head leaves towards the client. */
struct http_forward_response {
	struct span via; /* empty: none */
	bool chunked; /* our Transfer-Encoding: chunked */
	bool drop_length; /* received Content-Length must not pass */
	enum { HTTP_CONNECTION_DEFAULT, HTTP_CONNECTION_CLOSE, HTTP_CONNECTION_KEEP_ALIVE } connection;
	bool upgrade; /* pass Upgrade on: the switch itself (101), or what is demanded (426) */
	struct span date; /* IMF-fixdate to add where the response has none; empty: add none */
	struct span extra; /* whole field lines to add, each with CRLF */
};

/* HTTP/1.1 status reason and the fields; with the received reason. */
void http_write_response_head(struct text *out, const struct http_response *r, const struct http_forward_response *f);

/* One "name: value CRLF" line. */
void http_write_field(struct text *out, struct span name, struct span value);
/* A trailer or field as received: its raw line, or rewritten. */
void http_write_field_line(struct text *out, const struct http_field *f);

/* IMF-fixdate (RFC 9110 5.6.7) of a Unix time in seconds, years 0 to 9999: exactly HTTP_DATE_BYTES bytes, no NUL. */
#define HTTP_DATE_BYTES 29
void http_date_write(char *p, int64_t unix_s);

#endif
