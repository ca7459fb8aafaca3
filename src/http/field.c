/*
 * field: what is known of field names, and looking into a section that has been read.
 */
#include "http/field.h"

#include "http/bytes.h"
#include "http/head.h"

struct row {
	const char *name; /* lower case */
	uint8_t name_n;
	uint8_t flags;
};

enum { HOP = HTTP_FIELD_IS_HOP, NO_TRAILER = HTTP_FIELD_NO_TRAILER, SINGLE = HTTP_FIELD_SINGLE, KEPT = HTTP_FIELD_IS_KEPT };

static const struct row rows[HTTP_FIELD_COUNT] = {
	{ "", 0, 0 },
#define FIELD(id, name, flags) { name, sizeof(name) - 1, (flags) },
#include "http/fields.def"
#undef FIELD
};

/*
 * A name's length, first and last byte tell it from all other known names: one slot each, so that a look-up is one
 * comparison. The compiler warns of a slot taken twice (then try other factors), a test of a name without a slot.
 */
#define SLOT(n, first, last) (((n) * 18u + (first) + (last) * 2u) & 127u)

static const uint8_t slots[128] = {
	[SLOT(4, 'h', 't')] = HTTP_FIELD_HOST,
	[SLOT(10, 'c', 'n')] = HTTP_FIELD_CONNECTION,
	[SLOT(16, 'p', 'n')] = HTTP_FIELD_PROXY_CONNECTION,
	[SLOT(10, 'k', 'e')] = HTTP_FIELD_KEEP_ALIVE,
	[SLOT(2, 't', 'e')] = HTTP_FIELD_TE,
	[SLOT(17, 't', 'g')] = HTTP_FIELD_TRANSFER_ENCODING,
	[SLOT(7, 'u', 'e')] = HTTP_FIELD_UPGRADE,
	[SLOT(7, 't', 'r')] = HTTP_FIELD_TRAILER,
	[SLOT(14, 'c', 'h')] = HTTP_FIELD_CONTENT_LENGTH,
	[SLOT(12, 'c', 'e')] = HTTP_FIELD_CONTENT_TYPE,
	[SLOT(16, 'c', 'g')] = HTTP_FIELD_CONTENT_ENCODING,
	[SLOT(13, 'c', 'e')] = HTTP_FIELD_CONTENT_RANGE,
	[SLOT(6, 'e', 't')] = HTTP_FIELD_EXPECT,
	[SLOT(3, 'v', 'a')] = HTTP_FIELD_VIA,
	[SLOT(4, 'd', 'e')] = HTTP_FIELD_DATE,
	[SLOT(12, 'm', 's')] = HTTP_FIELD_MAX_FORWARDS,
	[SLOT(9, 'f', 'd')] = HTTP_FIELD_FORWARDED,
	[SLOT(15, 'x', 'r')] = HTTP_FIELD_X_FORWARDED_FOR,
	[SLOT(17, 'x', 'o')] = HTTP_FIELD_X_FORWARDED_PROTO,
	[SLOT(16, 'x', 't')] = HTTP_FIELD_X_FORWARDED_HOST,
	[SLOT(5, 'r', 'e')] = HTTP_FIELD_RANGE,
	[SLOT(8, 'i', 'h')] = HTTP_FIELD_IF_MATCH,
	[SLOT(13, 'i', 'h')] = HTTP_FIELD_IF_NONE_MATCH,
	[SLOT(17, 'i', 'e')] = HTTP_FIELD_IF_MODIFIED_SINCE,
	[SLOT(19, 'i', 'e')] = HTTP_FIELD_IF_UNMODIFIED_SINCE,
	[SLOT(8, 'i', 'e')] = HTTP_FIELD_IF_RANGE,
	[SLOT(10, 'e', 'a')] = HTTP_FIELD_EARLY_DATA,
	[SLOT(13, 'a', 'n')] = HTTP_FIELD_AUTHORIZATION,
	[SLOT(6, 'c', 'e')] = HTTP_FIELD_COOKIE,
	[SLOT(10, 's', 'e')] = HTTP_FIELD_SET_COOKIE,
	[SLOT(16, 'w', 'e')] = HTTP_FIELD_WWW_AUTHENTICATE,
	[SLOT(18, 'p', 'e')] = HTTP_FIELD_PROXY_AUTHENTICATE,
	[SLOT(5, 'a', 'w')] = HTTP_FIELD_ALLOW,
	[SLOT(8, 'l', 'n')] = HTTP_FIELD_LOCATION,
	[SLOT(11, 'r', 'r')] = HTTP_FIELD_RETRY_AFTER,
	[SLOT(13, 'c', 'l')] = HTTP_FIELD_CACHE_CONTROL,
	[SLOT(4, 'e', 'g')] = HTTP_FIELD_ETAG,
	[SLOT(4, 'l', 'k')] = HTTP_FIELD_LINK,
	[SLOT(12, 'p', 's')] = HTTP_FIELD_PROXY_STATUS,
	[SLOT(10, 'x', 't')] = HTTP_FIELD_X_BROWNOUT,
};

/* Eight bytes of a name against a row's: 0x40 is set in a lower-case letter and not in '-', 0x20 is all that case changes. */
static bool is_same_8(const char *name, const char *lower)
{
	uint64_t a;
	uint64_t b;

	memcpy(&a, name, sizeof(a));
	memcpy(&b, lower, sizeof(b));
	return (a | (b & UINT64_C(0x4040404040404040)) >> 1) == b;
}

static bool is_same_4(const char *name, const char *lower)
{
	uint32_t a;
	uint32_t b;

	memcpy(&a, name, sizeof(a));
	memcpy(&b, lower, sizeof(b));
	return (a | (b & UINT32_C(0x40404040)) >> 1) == b;
}

static bool is_same(const char *name, const char *lower, size_t n)
{
	size_t i = 0;

	if (n >= 8) {
		for (; i + 8 < n; i += 8) {
			if (!is_same_8(name + i, lower + i))
				return false;
		}
		return is_same_8(name + n - 8, lower + n - 8);
	}
	if (n >= 4)
		return is_same_4(name, lower) && is_same_4(name + n - 4, lower + n - 4);
	while (i < n && ascii_lower(name[i]) == lower[i])
		i++;
	return i == n;
}

enum http_field_id http_field_id_of(struct span name)
{
	const struct row *row;
	unsigned id;

	if (name.n == 0)
		return HTTP_FIELD_OTHER;
	id = slots[SLOT((unsigned)name.n, (unsigned char)ascii_lower(name.p[0]), (unsigned char)ascii_lower(name.p[name.n - 1]))];
	row = &rows[id];
	return name.n == row->name_n && is_same(name.p, row->name, name.n) ? (enum http_field_id)id : HTTP_FIELD_OTHER;
}

unsigned http_field_flags(enum http_field_id id)
{
	return rows[id].flags;
}

const struct http_field *http_fields_first(const struct http_fields *f, enum http_field_id id)
{
	if (!http_fields_have(f, id))
		return NULL;
	for (unsigned i = 0; i < f->n; i++) {
		if (f->v[i].id == id)
			return &f->v[i];
	}
	return NULL;
}

const struct http_field *http_fields_find(const struct http_fields *f, struct span name, unsigned nth)
{
	enum http_field_id id = http_field_id_of(name);

	if (!http_fields_have(f, id))
		return NULL;
	for (unsigned i = 0; i < f->n; i++) {
		if (f->v[i].id == id && (id != HTTP_FIELD_OTHER || span_eq_nocase(f->v[i].name, name)) && nth-- == 0)
			return &f->v[i];
	}
	return NULL;
}

bool http_fields_list_has(const struct http_fields *f, enum http_field_id id, struct span token)
{
	if (!http_fields_have(f, id))
		return false;
	for (unsigned i = 0; i < f->n; i++) {
		struct span rest = f->v[i].value;
		struct span element;

		while (f->v[i].id == id && span_next_element(&rest, &element)) {
			if (span_eq_nocase(element, token))
				return true;
		}
	}
	return false;
}

/* Options of Connection that are no field, or one that never passes anyway. */
static bool is_plain_option(struct span option)
{
	if (!option.n || span_eq_nocase(option, SPAN("close")))
		return true;
	return http_field_flags(http_field_id_of(option)) & HTTP_FIELD_IS_HOP;
}

bool http_fields_have_private(const struct http_fields *f)
{
	if (LIKELY(!http_fields_have(f, HTTP_FIELD_CONNECTION)))
		return false;
	for (unsigned i = 0; i < f->n; i++) {
		struct span rest = f->v[i].value;
		struct span option;

		while (f->v[i].id == HTTP_FIELD_CONNECTION && span_next_element(&rest, &option)) {
			if (!is_plain_option(option))
				return true;
		}
	}
	return false;
}

bool http_upgrade_passes(struct span protocol)
{
	return protocol.n > 0 && !span_eq_nocase(span_first(protocol, span_find(protocol, '/')), SPAN("h2c"));
}

void http_fields_drop(struct http_fields *fields, enum http_field_id id)
{
	for (unsigned i = 0; i < fields->n; i++) {
		if (fields->v[i].id == id)
			fields->v[i].drop = true;
	}
}

bool http_is_token(struct span s)
{
	return s.n > 0 && http_scan_token(s.p, s.p + s.n) == s.p + s.n;
}
