/*
 * message: the tables of errors and methods, and whether a head is complete.
 */
#include "http/message.h"

/* Long enough for any error's name. */
#define NAME_BYTES 32

struct error_row {
	char name[NAME_BYTES]; /* the id in lower case */
	uint16_t status;
	const char *text;
};

/* The lower-case spelling of an id, byte by byte, by the compiler. */
#define LOWER(c) ((char)((c) >= 'A' && (c) <= 'Z' ? (c) + ('a' - 'A') : (c)))
#define AT(s, i) LOWER((s)[(i) < sizeof(s) ? (i) : sizeof(s) - 1])
#define AT_4(s, i) AT(s, (i)), AT(s, (i) + 1), AT(s, (i) + 2), AT(s, (i) + 3)
#define AT_16(s, i) AT_4(s, (i)), AT_4(s, (i) + 4), AT_4(s, (i) + 8), AT_4(s, (i) + 12)
#define LOWER_NAME(s) { AT_16(s, 0), AT_16(s, 16) }

#define ERROR(id, status, text) _Static_assert(sizeof(#id) <= NAME_BYTES, "a name is too long for its table: " #id);
#include "http/errors.def"
#undef ERROR

static const struct error_row errors[HTTP_ERROR_COUNT] = {
	{ "none", 0, "no error" },
#define ERROR(id, status, text) { LOWER_NAME(#id), status, text },
#include "http/errors.def"
#undef ERROR
};

unsigned http_error_status(enum http_error e)
{
	return errors[e].status;
}

const char *http_error_text(enum http_error e)
{
	return errors[e].text;
}

const char *http_error_name(enum http_error e)
{
	return errors[e].name;
}

enum http_method http_method_of(struct span name)
{
	/* Methods are case-sensitive: RFC 9110 section 9.1. */
#define IS(literal, id) (memcmp(name.p, literal, sizeof(literal) - 1) == 0 ? (id) : HTTP_METHOD_OTHER)
	switch (name.n) {
	case 3:
		return *name.p == 'G' ? IS("GET", HTTP_METHOD_GET) : IS("PUT", HTTP_METHOD_PUT);
	case 4:
		return *name.p == 'H' ? IS("HEAD", HTTP_METHOD_HEAD) : IS("POST", HTTP_METHOD_POST);
	case 5:
		return *name.p == 'P' ? IS("PATCH", HTTP_METHOD_PATCH) : IS("TRACE", HTTP_METHOD_TRACE);
	case 6:
		return IS("DELETE", HTTP_METHOD_DELETE);
	case 7:
		return *name.p == 'O' ? IS("OPTIONS", HTTP_METHOD_OPTIONS) : IS("CONNECT", HTTP_METHOD_CONNECT);
	default:
		return HTTP_METHOD_OTHER;
	}
#undef IS
}

#define METHOD_BIT(id) (1u << HTTP_METHOD_##id)

bool http_method_is_safe(enum http_method m)
{
	return ((METHOD_BIT(GET) | METHOD_BIT(HEAD) | METHOD_BIT(OPTIONS) | METHOD_BIT(TRACE)) >> m) & 1;
}

bool http_method_is_idempotent(enum http_method m)
{
	return http_method_is_safe(m) || m == HTTP_METHOD_PUT || m == HTTP_METHOD_DELETE;
}

bool http_head_is_due(const char *p, size_t n, size_t *scanned)
{
	while (*scanned < n) {
		const char *lf = memchr(p + *scanned, '\n', n - *scanned);
		size_t at;

		if (!lf) {
			*scanned = n;
			return false;
		}
		at = (size_t)(lf - p);
		if (at == 0 || p[at - 1] != '\r')
			return true;
		/* An empty line; the one that may come before the request line has no line end before it. */
		if (at >= 2 && p[at - 2] == '\n')
			return true;
		*scanned = at + 1;
	}
	return false;
}

enum http_error http_head_overflow(const char *p, size_t n)
{
	size_t skip = n >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;

	return memchr(p + skip, '\n', n - skip) ? HTTP_ERROR_HEAD_TOO_LARGE : HTTP_ERROR_TARGET_TOO_LONG;
}
