/*
 * status: the status-code classifier. One table (status.def) says what each code from 100 to 599 means, what a message
 * that carries it must and must not have, and what a client may do about it. Every head that brownout emits or receives
 * passes status_validate. Pure: no I/O, no clock, no global state; everything returned is static and never freed.
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
#define STATUS_MARK_LIST(X)                                                                                                     \
	X(DEPRECATED, "deprecated")                                                                                             \
	X(UNUSED, "unused") /* registered as (Unused) */                                                                        \
	X(EXPERIMENTAL, "experimental")                                                                                         \
	X(WEBDAV, "WebDAV")                                                                                                     \
	X(TEMPORARY, "temporary") /* temporary registration */                                                                  \
	X(OBSOLETED, "obsoleted")                                                                                               \
	X(JOKE, "joke") /* unused by the registry, sent all the same: 418 */
enum status_mark {
#define X(id, name) STATUS_MARK_INDEX_##id,
	STATUS_MARK_LIST(X)
#undef X
		STATUS_MARK_COUNT
};
enum {
#define X(id, name) STATUS_IS_##id = 1 << STATUS_MARK_INDEX_##id,
	STATUS_MARK_LIST(X)
#undef X
};

enum status_content { STATUS_CONTENT_ALLOWED, STATUS_CONTENT_FORBIDDEN, STATUS_CONTENT_EMPTY /* 205: length 0 may be said */ };

/* Who has failed, by the code alone. GATEWAY: the way between a gateway and the server behind it. */
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
	bool never_stored; /* caches MUST NOT store it at all (RFC 6585) */
	uint32_t must_fields; /* bits of fields that a message with this code MUST carry */
	uint32_t should_fields;
	const char *reason; /* canonical phrase; of an unknown code: the name of its class */
	const char *aliases; /* other phrases in use, separated by "; "; "" where none */
	const char *vendor; /* who sends an unregistered code; "" for registered and unknown ones */
	const char *meaning; /* what it says, one or two sentences of ours */
	const char *use; /* when to send it */
	const char *retry_note; /* what a client may do, in words */
	const char *spec; /* "RFC 9110 15.6.4" */
};

/* The row of a code: its own, or that of the unknown codes of its class. NULL outside 100 to 599. O(1). */
const struct status_info *status_classify(unsigned code);

static inline bool status_is_interim(unsigned code)
{
	return code >= 100 && code <= 199;
}

static inline bool status_is_valid(unsigned code)
{
	return code >= STATUS_MIN && code <= STATUS_MAX;
}

/*
 * Must the head go without Content-Length (RFC 9110 section 8.6) and Transfer-Encoding (RFC 9112 section 6.1)? By the code
 * alone: a 2xx to CONNECT must, too. Not 205 and 304, which may tell a length.
 */
static inline bool status_forbids_length(unsigned code)
{
	return status_is_interim(code) || code == 204;
}

/*
 * Is this phrase the canonical reason of the row, or one of its aliases? Case does not matter, nor does a note in
 * parentheses at the end ("Multi-Status (WebDAV)"). Never true of an unknown code.
 */
bool status_has_name(const struct status_info *info, struct span name);
/* The code of that name, registered ones first; 0 where there is none. Searches the whole table: not for the hot path. */
unsigned status_code_by_name(struct span name);

const char *status_class_name(unsigned code_class); /* "server error"; "" outside 1 to 5 */
const char *status_class_meaning(unsigned code_class); /* a sentence; "" outside 1 to 5 */
const char *status_mark_name(enum status_mark index);
const char *status_content_name(enum status_content content);
const char *status_fault_name(enum status_fault_of fault);
const char *status_retry_name(enum status_retry retry); /* "no", "yes", "after_hint", "changed", "reconnect" */
const char *status_field_name(enum status_field index);

/*
 * The value that fills a MUST field safely where nobody gave one ("Basic realm=\"brownout\"" ...); NULL where the code does
 * not demand the field, or where no value could be known to be true (Content-Range of 206, Upgrade of 101).
 */
const char *status_field_fill(unsigned code, enum status_field index);

/* The methods that make a difference to a code, one after the other: index 0, 1, ...; NULL past the last. */
struct status_method_meaning {
	uint16_t code;
	const char *method;
	const char *meaning;
};
const struct status_method_meaning *status_method_meaning(unsigned code, size_t index);

/* ---- validation (status_validate.c) ---- */

/* Each violation has a name (for counters), a text, and an RFC section; see status_violations.def. */
enum status_violation {
#define VIOLATION(id, name, text, spec) STATUS_VIOLATION_##id,
#include "core/status_violations.def"
#undef VIOLATION
	STATUS_VIOLATION_COUNT
};
_Static_assert(STATUS_VIOLATION_COUNT <= 32, "one bit per violation");

#define STATUS_VIOLATION_BIT(id) (UINT32_C(1) << STATUS_VIOLATION_##id)
#define STATUS_VIOLATIONS_ALL ((UINT32_C(1) << STATUS_VIOLATION_COUNT) - 1)

/*
 * The receiver would lose track of where the message ends, which answer is final, or which protocol is spoken: such a
 * head never leaves as it is. An injected one is refused at load, a forwarded one is repaired (a forbidden length field
 * or content removed) or replaced by 502.
 */
#define STATUS_VIOLATIONS_FRAMING                                                                                               \
	(STATUS_VIOLATION_BIT(CODE_RANGE) | STATUS_VIOLATION_BIT(INTERIM_AS_FINAL) | STATUS_VIOLATION_BIT(FINAL_AS_INTERIM) |   \
	 STATUS_VIOLATION_BIT(INTERIM_TO_HTTP_1_0) | STATUS_VIOLATION_BIT(SWITCH_NOT_OFFERED) |                                 \
	 STATUS_VIOLATION_BIT(CONTENT_FORBIDDEN) | STATUS_VIOLATION_BIT(CONTENT_TO_HEAD) |                                      \
	 STATUS_VIOLATION_BIT(LENGTH_FORBIDDEN) | STATUS_VIOLATION_BIT(CODING_FORBIDDEN))
/*
 * The message is readable, but says what it must not: refused or filled where injected; counted and passed on where
 * forwarded, since an intermediary does not correct its origin.
 */
#define STATUS_VIOLATIONS_SEMANTIC (STATUS_VIOLATIONS_ALL & ~STATUS_VIOLATIONS_FRAMING)
/* Those that only the request decides. A rule is loaded before any request: mask these out there (see STATUS_REQUEST_UNKNOWN). */
#define STATUS_VIOLATIONS_BY_REQUEST                                                                                            \
	(STATUS_VIOLATION_BIT(INTERIM_TO_HTTP_1_0) | STATUS_VIOLATION_BIT(SWITCH_NOT_OFFERED) |                                 \
	 STATUS_VIOLATION_BIT(CONTENT_TO_HEAD) | STATUS_VIOLATION_BIT(NOT_MODIFIED_UNASKED) |                                   \
	 STATUS_VIOLATION_BIT(PARTIAL_UNASKED) | STATUS_VIOLATION_BIT(TOO_EARLY_UNASKED))

/* What of the request matters to the code that answers it. */
struct status_request {
	bool head; /* HEAD */
	bool connect; /* CONNECT */
	bool conditional; /* carried a precondition that 304 or 412 may answer: If-None-Match, If-Modified-Since ... */
	bool get_or_head; /* 304 answers only these, 206 only GET */
	bool range; /* carried Range */
	bool upgrade; /* offered Upgrade; where the answer is at hand: offered the protocol that the answer names */
	bool early_data; /* came in TLS early data or with Early-Data: 1 */
	bool http_1_0; /* must not be sent 1xx */
};

/* A request that asks for everything that a code may answer: with it only violations of the response itself are left. */
#define STATUS_REQUEST_UNKNOWN                                                                                                  \
	((struct status_request){ .conditional = true, .get_or_head = true, .range = true, .upgrade = true, .early_data = true })

struct status_response {
	unsigned code;
	uint32_t fields; /* STATUS_FIELD_BIT of those present */
	bool final; /* sent as the final answer; false for 1xx on the way, and for a 101 that opens a tunnel */
	bool content; /* content of more than 0 bytes will be sent, or its length is not known in advance */
	bool multipart; /* Content-Type is multipart/byteranges */
};

/*
 * All violations as bits (STATUS_VIOLATION_BIT), 0 where the response may leave. Outside 100 to 599 only CODE_RANGE is
 * reported. Costs a few instructions for a final answer whose code makes no demands.
 */
uint32_t status_validate(const struct status_response *response, const struct status_request *request);

const char *status_violation_name(enum status_violation v); /* lower case, for counters */
const char *status_violation_text(enum status_violation v);
const char *status_violation_spec(enum status_violation v);

#endif
