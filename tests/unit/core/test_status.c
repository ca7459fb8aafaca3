/*
 * The table of status codes, against lists that were written down apart from it: the registry, the codes and names that
 * documents about HTTP use, and what RFC 9110 demands of single codes.
 */
#include "core/status.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

#define FIELD(id) STATUS_FIELD_BIT(id)

/* Codes and names as the documents on status codes write them, notes in parentheses included. */
static const struct {
	unsigned code;
	const char *name;
	unsigned marks; /* that the note speaks of */
} documented[] = {
	{ 100, "Continue", 0 },
	{ 101, "Switching Protocols", 0 },
	{ 102, "Processing (Deprecated)", STATUS_IS_DEPRECATED },
	{ 103, "Early Hints", 0 },
	{ 200, "OK", 0 },
	{ 201, "Created", 0 },
	{ 202, "Accepted", 0 },
	{ 203, "Non-Authoritative Information", 0 },
	{ 204, "No Content", 0 },
	{ 205, "Reset Content", 0 },
	{ 206, "Partial Content", 0 },
	{ 207, "Multi-Status (WebDAV)", STATUS_IS_WEBDAV },
	{ 208, "Already Reported (WebDAV)", STATUS_IS_WEBDAV },
	{ 226, "IM Used (HTTP Delta encoding)", 0 },
	{ 226, "HTTP Delta encoding", 0 },
	{ 300, "Multiple Choices", 0 },
	{ 301, "Moved Permanently", 0 },
	{ 302, "Found", 0 },
	{ 302, "Moved Temporarily", 0 },
	{ 303, "See Other", 0 },
	{ 304, "Not Modified", 0 },
	{ 305, "Use Proxy (Deprecated)", STATUS_IS_DEPRECATED },
	{ 306, "Unused", STATUS_IS_UNUSED },
	{ 307, "Temporary Redirect", 0 },
	{ 308, "Permanent Redirect", 0 },
	{ 400, "Bad Request", 0 },
	{ 401, "Unauthorized", 0 },
	{ 402, "Payment Required", 0 },
	{ 403, "Forbidden", 0 },
	{ 404, "Not Found", 0 },
	{ 405, "Method Not Allowed", 0 },
	{ 406, "Not Acceptable", 0 },
	{ 407, "Proxy Authentication Required", 0 },
	{ 408, "Request Timeout", 0 },
	{ 409, "Conflict", 0 },
	{ 410, "Gone", 0 },
	{ 411, "Length Required", 0 },
	{ 412, "Precondition Failed", 0 },
	{ 413, "Content Too Large", 0 },
	{ 414, "URI Too Long", 0 },
	{ 415, "Unsupported Media Type", 0 },
	{ 416, "Range Not Satisfiable", 0 },
	{ 417, "Expectation Failed", 0 },
	{ 418, "I'm a teapot", STATUS_IS_UNUSED | STATUS_IS_JOKE },
	{ 421, "Misdirected Request", 0 },
	{ 422, "Unprocessable Content (WebDAV)", STATUS_IS_WEBDAV },
	{ 422, "Unprocessable Entity", STATUS_IS_WEBDAV },
	{ 423, "Locked (WebDAV)", STATUS_IS_WEBDAV },
	{ 424, "Failed Dependency (WebDAV)", STATUS_IS_WEBDAV },
	{ 425, "Too Early (Experimental)", STATUS_IS_EXPERIMENTAL },
	{ 426, "Upgrade Required", 0 },
	{ 428, "Precondition Required", 0 },
	{ 429, "Too Many Requests", 0 },
	{ 431, "Request Header Fields Too Large", 0 },
	{ 451, "Unavailable For Legal Reasons", 0 },
	{ 500, "Internal Server Error", 0 },
	{ 501, "Not Implemented", 0 },
	{ 502, "Bad Gateway", 0 },
	{ 503, "Service Unavailable", 0 },
	{ 504, "Gateway Timeout", 0 },
	{ 505, "HTTP Version Not Supported", 0 },
	{ 506, "Variant Also Negotiates", 0 },
	{ 507, "Insufficient Storage (WebDAV)", STATUS_IS_WEBDAV },
	{ 508, "Loop Detected (WebDAV)", STATUS_IS_WEBDAV },
	{ 510, "Not Extended", 0 },
	/* of the registry only */
	{ 104, "Upload Resumption Supported", STATUS_IS_TEMPORARY },
	{ 306, "(Unused)", STATUS_IS_UNUSED },
	{ 418, "(Unused)", STATUS_IS_UNUSED },
	{ 510, "Not Extended (OBSOLETED)", STATUS_IS_OBSOLETED },
	{ 511, "Network Authentication Required", 0 },
	/* of gateways and of older RFCs */
	{ 408, "Request Time-out", 0 },
	{ 413, "Request Entity Too Large", 0 },
	{ 413, "Payload Too Large", 0 },
	{ 414, "Request-URI Too Large", 0 },
	{ 414, "Request-URI Too Long", 0 },
	{ 416, "Requested Range Not Satisfiable", 0 },
	{ 503, "Service Temporarily Unavailable", 0 },
	{ 504, "Gateway Time-out", 0 },
	{ 505, "HTTP Version not supported", 0 },
};

static const unsigned registered_codes[] = {
	100, 101, 102, 103, 104, /* */
	200, 201, 202, 203, 204, 205, 206, 207, 208, 226, /* */
	300, 301, 302, 303, 304, 305, 306, 307, 308, /* */
	400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, /* */
	421, 422, 423, 424, 425, 426, 428, 429, 431, 451, /* */
	500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
};

static const unsigned vendor_codes[] = {
	419, 420, 430, 440, 444, 449, 450, 460, 463, 494, 495, 496, 497, 498, 499, /* */
	509, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 540, 561, 598, 599,
};

static bool is_listed(const unsigned *list, size_t n, unsigned code)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == code)
			return true;
	return false;
}
#define LISTED(list, code) is_listed((list), ARRAY_LEN(list), (code))

Test(status, documented_codes_and_names_are_known)
{
	for (size_t i = 0; i < ARRAY_LEN(documented); i++) {
		const struct status_info *info = status_classify(documented[i].code);

		cr_assert_not_null(info);
		cr_expect_eq(info->code, documented[i].code, "%u has a row", documented[i].code);
		cr_expect_eq(info->origin, STATUS_REGISTERED, "%u is registered", documented[i].code);
		cr_expect(status_has_name(info, span_of_string(documented[i].name)), "%u \"%s\"", documented[i].code,
			documented[i].name);
		cr_expect_eq(info->marks & documented[i].marks, documented[i].marks, "%u carries its marks", documented[i].code);
	}
}

Test(status, origins_are_exactly_those_of_the_registry_and_the_vendor_list)
{
	unsigned count[3] = { 0 };

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		const struct status_info *info = status_classify(code);
		enum status_origin expected = LISTED(registered_codes, code) ? STATUS_REGISTERED :
					      LISTED(vendor_codes, code)     ? STATUS_VENDOR :
									       STATUS_UNKNOWN;

		cr_assert_not_null(info, "%u", code);
		cr_expect_eq(info->origin, expected, "%u", code);
		count[info->origin]++;
	}
	cr_expect_eq(count[STATUS_REGISTERED], 64);
	cr_expect_eq(count[STATUS_VENDOR], 30);
	cr_expect_eq(count[STATUS_UNKNOWN], 500 - 64 - 30);
}

Test(status, every_row_is_complete)
{
	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		const struct status_info *info = status_classify(code);
		const char *required[] = { info->reason, info->meaning, info->use, info->retry_note, info->spec };

		cr_expect_eq(info->code, info->origin == STATUS_UNKNOWN ? 0 : code, "%u", code);
		cr_expect_eq(info->class_, code / 100, "%u", code);
		for (size_t i = 0; i < ARRAY_LEN(required); i++)
			cr_expect(required[i] && *required[i], "%u: text %zu", code, i);
		cr_assert_not_null(info->aliases);
		cr_assert_not_null(info->vendor);
		cr_expect_eq(info->vendor[0] != '\0', info->origin == STATUS_VENDOR, "%u", code);
		cr_expect(info->fault_of <= STATUS_FAULT_GATEWAY && info->retry <= STATUS_RETRY_OTHER_CONNECTION, "%u", code);
		cr_expect_not(info->cacheable && info->never_stored, "%u", code);
		cr_expect_eq(info->marks >> STATUS_MARK_COUNT, 0, "%u", code);
		cr_expect_eq((info->must_fields | info->should_fields) >> STATUS_FIELD_COUNT, 0, "%u", code);
	}
}

Test(status, outside_the_range_there_is_no_row)
{
	static const unsigned outside[] = { 0, 1, 99, 600, 601, 999, 65536 + 200, UINT_MAX };

	for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
		cr_expect_null(status_classify(outside[i]), "%u", outside[i]);
		cr_expect_not(status_is_valid(outside[i]));
		cr_expect_not(status_is_interim(outside[i]));
		cr_expect_null(status_method_meaning(outside[i], 0));
	}
	cr_expect(status_is_valid(100) && status_is_valid(599));
	cr_expect(status_is_interim(100) && status_is_interim(199) && !status_is_interim(200));
}

Test(status, unknown_codes_are_taken_for_the_x00_of_their_class)
{
	for (unsigned class_ = 1; class_ <= 5; class_++) {
		const struct status_info *unknown = status_classify(class_ * 100 + 70);
		const struct status_info *x00 = status_classify(class_ * 100);

		cr_assert_eq(unknown->origin, STATUS_UNKNOWN);
		cr_expect_eq(unknown->content, x00->content, "%uxx", class_);
		cr_expect_eq(unknown->fault_of, x00->fault_of, "%uxx", class_);
		cr_expect_eq(unknown->retry, x00->retry, "%uxx", class_);
		cr_expect_not(unknown->cacheable, "%uxx: a cache does not store what it does not know", class_);
		cr_expect_eq(unknown->must_fields, 0);
		cr_expect_not(status_has_name(unknown, span_of_string(unknown->reason)), "the class is no name");
	}
}

/* ---- properties of single codes, and of no others ---- */

Test(status, marks)
{
	static const struct {
		unsigned code, marks;
	} marked[] = {
		{ 102, STATUS_IS_DEPRECATED | STATUS_IS_WEBDAV },
		{ 104, STATUS_IS_TEMPORARY },
		{ 207, STATUS_IS_WEBDAV },
		{ 208, STATUS_IS_WEBDAV },
		{ 305, STATUS_IS_DEPRECATED },
		{ 306, STATUS_IS_UNUSED },
		{ 418, STATUS_IS_UNUSED | STATUS_IS_JOKE },
		{ 422, STATUS_IS_WEBDAV },
		{ 423, STATUS_IS_WEBDAV },
		{ 424, STATUS_IS_WEBDAV },
		{ 425, STATUS_IS_EXPERIMENTAL },
		{ 507, STATUS_IS_WEBDAV },
		{ 508, STATUS_IS_WEBDAV },
		{ 510, STATUS_IS_OBSOLETED },
	};

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		unsigned expected = 0;

		for (size_t i = 0; i < ARRAY_LEN(marked); i++)
			if (marked[i].code == code)
				expected = marked[i].marks;
		cr_expect_eq(status_classify(code)->marks, expected, "%u", code);
	}
}

Test(status, cacheability)
{
	static const unsigned by_default[] = { 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501 };
	static const unsigned never[] = { 428, 429, 431, 511 };

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		cr_expect_eq(status_classify(code)->cacheable, LISTED(by_default, code), "%u", code);
		cr_expect_eq(status_classify(code)->never_stored, LISTED(never, code), "%u", code);
	}
}

Test(status, content_rules)
{
	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		enum status_content expected = code < 200 || code == 204 || code == 304 ? STATUS_CONTENT_FORBIDDEN :
					       code == 205				? STATUS_CONTENT_EMPTY :
											  STATUS_CONTENT_ALLOWED;

		cr_expect_eq(status_classify(code)->content, expected, "%u", code);
	}
}

Test(status, fields_that_codes_must_and_should_carry)
{
	static const struct {
		unsigned code;
		uint32_t must, should;
	} demands[] = {
		{ 101, FIELD(UPGRADE), 0 },
		{ 103, 0, FIELD(LINK) },
		{ 206, FIELD(CONTENT_RANGE), 0 },
		{ 300, 0, FIELD(LOCATION) },
		{ 301, 0, FIELD(LOCATION) },
		{ 302, 0, FIELD(LOCATION) },
		{ 303, 0, FIELD(LOCATION) },
		{ 307, 0, FIELD(LOCATION) },
		{ 308, 0, FIELD(LOCATION) },
		{ 401, FIELD(WWW_AUTHENTICATE), 0 },
		{ 405, FIELD(ALLOW), 0 },
		{ 407, FIELD(PROXY_AUTHENTICATE), 0 },
		{ 413, 0, FIELD(RETRY_AFTER) },
		{ 416, 0, FIELD(CONTENT_RANGE) },
		{ 426, FIELD(UPGRADE), 0 },
		{ 451, 0, FIELD(LINK) },
	};

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		uint32_t must = 0, should = 0;

		for (size_t i = 0; i < ARRAY_LEN(demands); i++) {
			if (demands[i].code == code) {
				must = demands[i].must;
				should = demands[i].should;
			}
		}
		cr_expect_eq(status_classify(code)->must_fields, must, "%u", code);
		cr_expect_eq(status_classify(code)->should_fields, should, "%u", code);
	}
}

Test(status, who_has_failed)
{
	static const unsigned gateway[] = { 502, 504, 511, 520, 521, 522, 523, 524, 525, 526, 527, 530, 561, 598, 599 };

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		enum status_fault_of expected = code < 400	      ? STATUS_FAULT_NONE :
						code < 500	      ? STATUS_FAULT_CLIENT :
						LISTED(gateway, code) ? STATUS_FAULT_GATEWAY :
									STATUS_FAULT_ORIGIN;

		cr_expect_eq(status_classify(code)->fault_of, expected, "%u", code);
	}
}

Test(status, retry)
{
	static const unsigned after_hint[] = { 420, 429, 503, 509, 529 };
	static const unsigned other_connection[] = { 408, 421 };
	static const unsigned as_it_is[] = { 425, 500, 502, 504 };
	/* Repeating these unchanged can bring nothing. */
	static const unsigned pointless[] = { 400, 401, 403, 404, 405, 406, 410, 411, 413, /* */
		414, 415, 422, 426, 431, 451, 501, 505 };

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		enum status_retry retry = status_classify(code)->retry;

		cr_expect_eq(retry == STATUS_RETRY_AFTER_HINT, LISTED(after_hint, code), "%u", code);
		cr_expect_eq(retry == STATUS_RETRY_OTHER_CONNECTION, LISTED(other_connection, code), "%u", code);
		if (code < 400)
			cr_expect_eq(retry, STATUS_RETRY_NO, "%u", code);
		if (LISTED(as_it_is, code))
			cr_expect_eq(retry, STATUS_RETRY_YES, "%u", code);
		if (LISTED(pointless, code))
			cr_expect(retry == STATUS_RETRY_NO || retry == STATUS_RETRY_CHANGED, "%u", code);
	}
}

/* ---- names ---- */

Test(status, a_code_is_found_by_its_name)
{
	static const struct {
		const char *name;
		unsigned code;
	} names[] = {
		{ "Not Found", 404 },
		{ "not found", 404 },
		{ "  Not Found ", 404 },
		{ "unprocessable entity", 422 },
		{ "Unprocessable Content (WebDAV)", 422 },
		{ "Moved Temporarily", 302 },
		{ "I'm a teapot", 418 },
		{ "Client Closed Request", 499 },
		{ "Token Required", 499 },
		{ "Request Header Fields Too Large", 431 }, /* 430 was called so, too: the registered code wins */
		{ "Unauthorized", 401 }, /* and 561 */
		{ "(Unused)", 306 },
		{ "Overloaded", 529 },
		{ "", 0 },
		{ "()", 0 },
		{ "(WebDAV)", 0 },
		{ "Not", 0 },
		{ "Not Found At All", 0 },
		{ "Unprocessable Content; Unprocessable Entity", 0 },
		{ "Payload Too Large;", 0 },
		{ "client error", 0 },
		{ "404", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect_eq(status_code_by_name(span_of_string(names[i].name)), names[i].code, "\"%s\"", names[i].name);
	cr_expect_eq(status_code_by_name(SPAN_EMPTY), 0);
	cr_expect_eq(status_code_by_name(span_of("Not Found", 3)), 0, "a span ends where it says");
}

Test(status, names_and_aliases_are_well_formed)
{
	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		const struct status_info *info = status_classify(code);
		struct span rest = span_of_string(info->aliases);

		if (info->origin == STATUS_UNKNOWN)
			continue;
		cr_expect(status_has_name(info, span_of_string(info->reason)), "%u", code);
		/* A reason phrase goes into a status line: visible ASCII and single spaces. */
		for (const char *p = info->reason; *p; p++)
			cr_expect(*p >= ' ' && *p <= '~', "%u", code);
		while (rest.n > 0) {
			size_t end = span_find(rest, ';');
			struct span alias = span_first(rest, end);

			cr_expect(alias.n > 0 && span_eq(alias, span_trim(alias)), "%u: alias \"%.*s\"", code, SPAN_ARG(alias));
			cr_expect_not(span_eq_nocase(alias, span_of_string(info->reason)), "%u: alias is the reason", code);
			cr_expect(status_has_name(info, alias), "%u: \"%.*s\"", code, SPAN_ARG(alias));
			rest = span_skip(rest, end < rest.n ? end + 2 : end);
		}
	}
}

Test(status, every_enumerator_has_a_name_and_nothing_else_has)
{
	static const char *const classes[] = { "", "informational", "success", "redirection", "client error", "server error",
		"" };

	for (unsigned c = 0; c < ARRAY_LEN(classes); c++)
		cr_expect_str_eq(status_class_name(c), classes[c]);
	for (unsigned c = 0; c < ARRAY_LEN(classes); c++)
		cr_expect_eq(status_class_meaning(c)[0] != '\0', c >= 1 && c <= 5, "%u", c);
	for (int i = 0; i < STATUS_MARK_COUNT; i++)
		cr_expect_neq(status_mark_name((enum status_mark)i)[0], '\0');
	for (int i = 0; i < STATUS_FIELD_COUNT; i++)
		cr_expect_neq(status_field_name((enum status_field)i)[0], '\0');
	for (int i = STATUS_CONTENT_ALLOWED; i <= STATUS_CONTENT_EMPTY; i++)
		cr_expect_neq(status_content_name((enum status_content)i)[0], '\0');
	for (int i = STATUS_FAULT_NONE; i <= STATUS_FAULT_GATEWAY; i++)
		cr_expect_neq(status_fault_name((enum status_fault_of)i)[0], '\0');
	for (int i = STATUS_RETRY_NO; i <= STATUS_RETRY_OTHER_CONNECTION; i++)
		cr_expect_neq(status_retry_name((enum status_retry)i)[0], '\0');
	cr_expect_str_eq(status_field_name(STATUS_FIELD_INDEX_WWW_AUTHENTICATE), "WWW-Authenticate");
	cr_expect_str_eq(status_mark_name(STATUS_MARK_INDEX_WEBDAV), "WebDAV");
	cr_expect_str_eq(status_content_name(STATUS_CONTENT_FORBIDDEN), "forbidden");
	cr_expect_str_eq(status_fault_name(STATUS_FAULT_GATEWAY), "gateway");
	cr_expect_str_eq(status_retry_name(STATUS_RETRY_AFTER_HINT), "after_hint");
	cr_expect_str_eq(status_mark_name(STATUS_MARK_COUNT), "");
	cr_expect_str_eq(status_field_name(STATUS_FIELD_COUNT), "");
	cr_expect_str_eq(status_content_name((enum status_content)3), "");
	cr_expect_str_eq(status_fault_name((enum status_fault_of)4), "");
	cr_expect_str_eq(status_retry_name((enum status_retry)5), "");
}

/* ---- fields and methods ---- */

Test(status, must_fields_are_filled_where_a_value_can_be_true)
{
	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		uint32_t must = status_classify(code)->must_fields;

		for (unsigned f = 0; f < STATUS_FIELD_COUNT; f++) {
			const char *value = status_field_fill(code, (enum status_field)f);
			bool expected = (must >> f & 1) && code != 101 && code != 206;

			cr_expect_eq(value != NULL, expected, "%u %s", code, status_field_name((enum status_field)f));
			if (value)
				cr_expect(*value != '\0' && !strpbrk(value, "\r\n"), "%u", code);
		}
	}
	cr_expect_str_eq(status_field_fill(401, STATUS_FIELD_INDEX_WWW_AUTHENTICATE), "Basic realm=\"brownout\"");
	cr_expect_str_eq(status_field_fill(407, STATUS_FIELD_INDEX_PROXY_AUTHENTICATE), "Basic realm=\"brownout\"");
	cr_expect_null(status_field_fill(600, STATUS_FIELD_INDEX_ALLOW));
}

Test(status, the_meaning_of_200_depends_on_the_method)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT" };
	const char *general = status_classify(200)->meaning;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const struct status_method_meaning *m = status_method_meaning(200, i);

		cr_assert_not_null(m);
		cr_expect_str_eq(m->method, methods[i]);
		cr_expect_str_neq(m->meaning, general, "%s", methods[i]);
		for (size_t k = 0; k < i; k++)
			cr_expect_str_neq(m->meaning, status_method_meaning(200, k)->meaning, "%s", methods[i]);
	}
	cr_expect_null(status_method_meaning(200, ARRAY_LEN(methods)));
	cr_expect_null(status_method_meaning(404, 0));
}
