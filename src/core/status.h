/*
 * status: the status-code classifier. One table (status.def) says what each code from 100 to 599 means, what a message
 * that carries it must and must not have, and what a client may do about it. Every head that brownout emits or receives
 * passes status_validate. Pure: no I/O, no clock, no global state.
 */
#ifndef BROWNOUT_CORE_STATUS_H
#define BROWNOUT_CORE_STATUS_H

#include "base/span.h"

#define STATUS_MIN 100
#define STATUS_MAX 599

enum status_class { STATUS_INTERIM = 1, STATUS_SUCCESS, STATUS_REDIRECTION, STATUS_CLIENT_ERROR, STATUS_SERVER_ERROR };

/* Where a code comes from. */
enum status_origin {
	STATUS_REGISTERED, /* IANA HTTP Status Code Registry */
	STATUS_VENDOR, /* not registered, but known to be sent by somebody */
	STATUS_UNKNOWN, /* neither: treated as x00 of its class (RFC 9110 section 15) */
};

/* Marks; a code may have several. */
enum {
	STATUS_IS_DEPRECATED = 1 << 0,
	STATUS_IS_UNUSED = 1 << 1, /* registered as (Unused) */
	STATUS_IS_EXPERIMENTAL = 1 << 2,
	STATUS_IS_WEBDAV = 1 << 3,
	STATUS_IS_TEMPORARY = 1 << 4, /* temporary registration */
	STATUS_IS_OBSOLETED = 1 << 5,
};

enum status_content { STATUS_CONTENT_ALLOWED, STATUS_CONTENT_FORBIDDEN, STATUS_CONTENT_EMPTY /* 205: length 0 may be said */ };

/* Who has failed, by the code alone. */
enum status_fault_of { STATUS_FAULT_NONE, STATUS_FAULT_CLIENT, STATUS_FAULT_ORIGIN, STATUS_FAULT_GATEWAY };

/* May a client send the same request again by itself? */
enum status_retry {
	STATUS_RETRY_NO,
	STATUS_RETRY_YES, /* as it is, after a pause where the method is idempotent */
	STATUS_RETRY_AFTER_HINT, /* not before the wait that Retry-After tells */
	STATUS_RETRY_CHANGED, /* only after changing the request (credentials, size, ...) */
	STATUS_RETRY_OTHER_CONNECTION, /* on a new connection (408, 421) */
};

/* The fields that the classifier knows of, as bits. */
enum status_field {
#define STATUS_FIELD_LIST(X)                                                                                                    \
	X(ALLOW, "Allow")                                                                                                       \
	X(CONTENT_LENGTH, "Content-Length")                                                                                     \
	X(CONTENT_RANGE, "Content-Range")                                                                                       \
	X(CONTENT_TYPE, "Content-Type")                                                                                         \
	X(DATE, "Date")                                                                                                         \
	X(LINK, "Link")                                                                                                         \
	X(LOCATION, "Location")                                                                                                 \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate")                                                                             \
	X(RETRY_AFTER, "Retry-After")                                                                                           \
	X(TRANSFER_ENCODING, "Transfer-Encoding")                                                                               \
	X(UPGRADE, "Upgrade")                                                                                                   \
	X(WWW_AUTHENTICATE, "WWW-Authenticate")
#define X(id, name) STATUS_FIELD_INDEX_##id,
	STATUS_FIELD_LIST(X)
#undef X
		STATUS_FIELD_COUNT
};
#define STATUS_FIELD_BIT(id) (UINT32_C(1) << STATUS_FIELD_INDEX_##id)

struct status_info {
	uint16_t code; /* 0 in the row that stands for the unknown codes of a class */
	uint8_t class_; /* enum status_class */
	uint8_t origin; /* enum status_origin */
	uint8_t marks; /* STATUS_IS_ */
	uint8_t content; /* enum status_content */
	uint8_t fault_of; /* enum status_fault_of */
	uint8_t retry; /* enum status_retry */
	bool cacheable; /* by default, without explicit freshness (RFC 9110 section 15.1) */
	uint32_t must_fields; /* bits of fields that a message with this code MUST carry */
	uint32_t should_fields;
	const char *reason; /* canonical phrase */
	const char *aliases; /* other phrases in use, separated by "; "; "" where none */
	const char *vendor; /* who sends an unregistered code; "" for registered ones */
	const char *meaning; /* what it says, one or two sentences of ours */
	const char *use; /* when to send it */
	const char *retry_note; /* what a client may do, in words */
	const char *spec; /* "RFC 9110 15.6.4" */
};

/* The row of a code: its own, or that of the unknown codes of its class. NULL outside 100 to 599. Never freed. */
const struct status_info *status_classify(unsigned code);

static inline bool status_is_interim(unsigned code)
{
	return code >= 100 && code <= 199;
}

static inline bool status_is_valid(unsigned code)
{
	return code >= STATUS_MIN && code <= STATUS_MAX;
}

const char *status_class_name(unsigned code_class); /* "server error" */
const char *status_field_name(enum status_field index);
/* The value that fills a MUST field safely where nobody gave one ("Basic realm=\"brownout\"" ...); NULL where none would be true. */
const char *status_field_fill(unsigned code, enum status_field index);
/* What 200 means to this method, as the documents tell it (GET, HEAD, PUT/POST, TRACE, ...). */
const char *status_meaning_for_method(unsigned code, struct span method);

/* ---- validation ---- */

/* Each violation has a name (for counters), a text, and an RFC section; see status_violations.def. */
enum status_violation {
#define VIOLATION(id, text, spec) STATUS_VIOLATION_##id,
#include "core/status_violations.def"
#undef VIOLATION
	STATUS_VIOLATION_COUNT
};
_Static_assert(STATUS_VIOLATION_COUNT <= 32, "one bit per violation");

/* What of the request matters to the code that answers it. */
struct status_request {
	bool head; /* HEAD */
	bool connect; /* CONNECT */
	bool conditional; /* carried a precondition that 304 or 412 may answer: If-None-Match, If-Modified-Since ... */
	bool get_or_head; /* 304 and 206 answer only these */
	bool range; /* carried Range */
	bool upgrade; /* offered Upgrade */
	bool early_data; /* came in TLS early data or with Early-Data: 1 */
	bool http_1_0; /* must not be sent 1xx */
};

struct status_response {
	unsigned code;
	uint32_t fields; /* STATUS_FIELD_BIT of those present */
	bool final; /* sent as the final answer (an interim one: false) */
	bool content; /* content of more than 0 bytes will be sent, or its length is not known in advance */
	bool multipart; /* Content-Type is multipart/byteranges */
};

/* All violations as bits (1 << STATUS_VIOLATION_x); 0 where the response may leave. Costs a few instructions for the usual codes. */
uint32_t status_validate(const struct status_response *response, const struct status_request *request);

const char *status_violation_name(enum status_violation v); /* lower case, for counters */
const char *status_violation_text(enum status_violation v);
const char *status_violation_spec(enum status_violation v);

#endif
