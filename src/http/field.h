/*
 * field: the field lines of one message head or trailer section, as spans into the bytes they were parsed from.
 * The array belongs to the caller and is reused from head to head; the spans live as long as those bytes.
 */
#ifndef BROWNOUT_HTTP_FIELD_H
#define BROWNOUT_HTTP_FIELD_H

#include "base/span.h"

enum http_field_id {
	HTTP_FIELD_OTHER = 0,
#define FIELD(id, name, flags) HTTP_FIELD_##id,
#include "http/fields.def"
#undef FIELD
	HTTP_FIELD_COUNT
};
_Static_assert(HTTP_FIELD_COUNT <= 64, "one bit per known field in a uint64_t");

#define HTTP_FIELD_BIT(id) (UINT64_C(1) << HTTP_FIELD_##id)

/* Flags of a known field (fields.def). */
enum { HTTP_FIELD_IS_HOP = 1, HTTP_FIELD_NO_TRAILER = 2, HTTP_FIELD_SINGLE = 4, HTTP_FIELD_IS_KEPT = 8 };

struct http_field {
	struct span name; /* as received; the line starts at name.p */
	struct span value; /* without surrounding white space */
	const char *line_end; /* just after the line's CRLF */
	uint8_t id; /* enum http_field_id */
	bool drop; /* hop by hop or named by Connection: not to be forwarded */
	bool rewritten; /* the raw line is not fit to be forwarded as it stands: name and value are what counts */
};

struct http_fields {
	struct http_field *v;
	unsigned n;
	unsigned cap; /* the limit: a head with more fields is refused */
	uint64_t seen; /* bit per known id */
	uint64_t repeated; /* bit per known id that has two or more lines */
};

static inline bool http_fields_have(const struct http_fields *f, enum http_field_id id)
{
	return (f->seen >> id) & 1;
}

/* The first line of a known field; NULL where there is none. */
const struct http_field *http_fields_first(const struct http_fields *f, enum http_field_id id);
/* The nth line (from 0) whose name is `name`, but for case; NULL where there is none. For any field. */
const struct http_field *http_fields_find(const struct http_fields *f, struct span name, unsigned nth);
/* True where a comma-separated list field has this element (tokens compare without case). */
bool http_fields_list_has(const struct http_fields *f, enum http_field_id id, struct span token);

/*
 * True where Connection names a field that only its sender and receiver are to see. Such a field may come in the trailers,
 * where nobody remembers the head (RFC 9110 section 7.6.1): they are then not passed on (section 6.5.1 allows that).
 */
bool http_fields_have_private(const struct http_fields *f);

/*
 * A protocol named by Upgrade that passes on. h2c does not: what is said behind such a switch would be no HTTP/1.1 that could be
 * read, HTTP2-Settings goes no further than Connection says, and the way itself is obsolete (RFC 9113 section 3.1).
 */
bool http_upgrade_passes(struct span protocol);

/* The id of a name in any case, HTTP_FIELD_OTHER where it is not in the table. */
enum http_field_id http_field_id_of(struct span name);
unsigned http_field_flags(enum http_field_id id);

/* RFC 9110 5.6.2: one or more token bytes. */
bool http_is_token(struct span s);

#endif
