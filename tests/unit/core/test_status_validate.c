/*
 * What status_validate finds, check by check: for each violation the responses that have it and their nearest
 * neighbours that do not; then what must hold of every combination.
 */
#include "core/status.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <limits.h>
#include <string.h>

#define FIELD(id) STATUS_FIELD_BIT(id)
#define BIT(id) STATUS_VIOLATION_BIT(id)
#define GET .get_or_head = true
#define HEAD .get_or_head = true, .head = true
#define ABOUT(id) STATUS_VIOLATION_##id

/* Responses: final without and with content, final multipart, interim without and with content. */
#define EMPTY(code_, fields_) { .code = (code_), .fields = (fields_), .final = true }
#define FULL(code_, fields_) { .code = (code_), .fields = (fields_), .final = true, .content = true }
#define MULTIPART(code_, fields_) { .code = (code_), .fields = (fields_), .final = true, .content = true, .multipart = true }
#define INTERIM(code_, fields_) { .code = (code_), .fields = (fields_) }
#define INTERIM_FULL(code_, fields_) { .code = (code_), .fields = (fields_), .content = true }

static const struct {
	enum status_violation about;
	const char *what;
	struct status_response response;
	struct status_request request;
	uint32_t expected;
} cases[] = {
	{ ABOUT(CODE_RANGE), "0", EMPTY(0, 0), { GET }, BIT(CODE_RANGE) },
	{ ABOUT(CODE_RANGE), "99", EMPTY(99, 0), { GET }, BIT(CODE_RANGE) },
	{ ABOUT(CODE_RANGE), "600", FULL(600, 0), { GET }, BIT(CODE_RANGE) },
	{ ABOUT(CODE_RANGE), "largest", EMPTY(UINT_MAX, 0), { GET }, BIT(CODE_RANGE) },
	{ ABOUT(CODE_RANGE), "600 as interim, to HEAD, with content", INTERIM_FULL(600, 0), { HEAD }, BIT(CODE_RANGE) },
	{ ABOUT(CODE_RANGE), "599", EMPTY(599, 0), { GET }, 0 },
	{ ABOUT(CODE_RANGE), "100", INTERIM(100, 0), { GET }, 0 },
	{ ABOUT(CODE_RANGE), "an unknown code", FULL(555, 0), { GET }, 0 },

	{ ABOUT(INTERIM_AS_FINAL), "100", EMPTY(100, 0), { GET }, BIT(INTERIM_AS_FINAL) },
	{ ABOUT(INTERIM_AS_FINAL), "an unknown 1xx", EMPTY(150, 0), { GET }, BIT(INTERIM_AS_FINAL) },
	{ ABOUT(INTERIM_AS_FINAL), "101", EMPTY(101, FIELD(UPGRADE)), { GET, .upgrade = true }, BIT(INTERIM_AS_FINAL) },
	{ ABOUT(INTERIM_AS_FINAL), "103 as interim", INTERIM(103, FIELD(LINK)), { GET }, 0 },
	{ ABOUT(INTERIM_AS_FINAL), "200", EMPTY(200, 0), { GET }, 0 },

	{ ABOUT(FINAL_AS_INTERIM), "200", INTERIM(200, 0), { GET }, BIT(FINAL_AS_INTERIM) },
	{ ABOUT(FINAL_AS_INTERIM), "599", INTERIM(599, 0), { GET }, BIT(FINAL_AS_INTERIM) },
	{ ABOUT(FINAL_AS_INTERIM), "199", INTERIM(199, 0), { GET }, 0 },

	{ ABOUT(INTERIM_TO_HTTP_1_0), "100", INTERIM(100, 0), { GET, .http_1_0 = true }, BIT(INTERIM_TO_HTTP_1_0) },
	{ ABOUT(INTERIM_TO_HTTP_1_0), "an unknown 1xx", INTERIM(199, 0), { GET, .http_1_0 = true }, BIT(INTERIM_TO_HTTP_1_0) },
	{ ABOUT(INTERIM_TO_HTTP_1_0), "100 to HTTP/1.1", INTERIM(100, 0), { GET }, 0 },
	{ ABOUT(INTERIM_TO_HTTP_1_0), "200 to HTTP/1.0", FULL(200, 0), { GET, .http_1_0 = true }, 0 },

	{ ABOUT(SWITCH_NOT_OFFERED), "101", INTERIM(101, FIELD(UPGRADE)), { GET }, BIT(SWITCH_NOT_OFFERED) },
	{ ABOUT(SWITCH_NOT_OFFERED), "101, offered", INTERIM(101, FIELD(UPGRADE)), { GET, .upgrade = true }, 0 },
	{ ABOUT(SWITCH_NOT_OFFERED), "100", INTERIM(100, 0), { GET }, 0 },

	{ ABOUT(CONTENT_FORBIDDEN), "204", FULL(204, 0), { GET }, BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_FORBIDDEN), "205", FULL(205, 0), { GET }, BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_FORBIDDEN), "304", FULL(304, 0), { GET, .conditional = true },
		BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_FORBIDDEN), "103", INTERIM_FULL(103, 0), { GET }, BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_FORBIDDEN), "an unknown 1xx", INTERIM_FULL(177, 0), { GET }, BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_FORBIDDEN), "200 to CONNECT", FULL(200, 0), { .connect = true },
		BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_FORBIDDEN), "204 without", EMPTY(204, 0), { GET }, 0 },
	{ ABOUT(CONTENT_FORBIDDEN), "205 of length 0", EMPTY(205, FIELD(CONTENT_LENGTH)), { GET }, 0 },
	{ ABOUT(CONTENT_FORBIDDEN), "200", FULL(200, 0), { GET }, 0 },
	{ ABOUT(CONTENT_FORBIDDEN), "403 to CONNECT", FULL(403, 0), { .connect = true }, 0 },

	{ ABOUT(CONTENT_TO_HEAD), "200", FULL(200, 0), { HEAD }, BIT(CONTENT_TO_HEAD) },
	{ ABOUT(CONTENT_TO_HEAD), "503", FULL(503, 0), { HEAD }, BIT(CONTENT_TO_HEAD) },
	{ ABOUT(CONTENT_TO_HEAD), "204", FULL(204, 0), { HEAD },
		BIT(CONTENT_TO_HEAD) | BIT(CONTENT_FORBIDDEN) },
	{ ABOUT(CONTENT_TO_HEAD), "its Content-Length", EMPTY(200, FIELD(CONTENT_LENGTH)), { HEAD }, 0 },
	{ ABOUT(CONTENT_TO_HEAD), "its Transfer-Encoding", EMPTY(200, FIELD(TRANSFER_ENCODING)), { HEAD }, 0 },
	{ ABOUT(CONTENT_TO_HEAD), "to GET", FULL(200, 0), { GET }, 0 },

	{ ABOUT(LENGTH_FORBIDDEN), "100", INTERIM(100, FIELD(CONTENT_LENGTH)), { GET }, BIT(LENGTH_FORBIDDEN) },
	{ ABOUT(LENGTH_FORBIDDEN), "204", EMPTY(204, FIELD(CONTENT_LENGTH)), { GET }, BIT(LENGTH_FORBIDDEN) },
	{ ABOUT(LENGTH_FORBIDDEN), "204 to HEAD", EMPTY(204, FIELD(CONTENT_LENGTH)), { HEAD }, BIT(LENGTH_FORBIDDEN) },
	{ ABOUT(LENGTH_FORBIDDEN), "200 to CONNECT", EMPTY(200, FIELD(CONTENT_LENGTH)), { .connect = true },
		BIT(LENGTH_FORBIDDEN) },
	{ ABOUT(LENGTH_FORBIDDEN), "304", EMPTY(304, FIELD(CONTENT_LENGTH)), { GET, .conditional = true }, 0 },
	{ ABOUT(LENGTH_FORBIDDEN), "205", EMPTY(205, FIELD(CONTENT_LENGTH)), { GET }, 0 },
	{ ABOUT(LENGTH_FORBIDDEN), "403 to CONNECT", EMPTY(403, FIELD(CONTENT_LENGTH)), { .connect = true }, 0 },
	{ ABOUT(LENGTH_FORBIDDEN), "200", FULL(200, FIELD(CONTENT_LENGTH)), { GET }, 0 },

	{ ABOUT(CODING_FORBIDDEN), "103", INTERIM(103, FIELD(TRANSFER_ENCODING)), { GET }, BIT(CODING_FORBIDDEN) },
	{ ABOUT(CODING_FORBIDDEN), "204", EMPTY(204, FIELD(TRANSFER_ENCODING)), { GET }, BIT(CODING_FORBIDDEN) },
	{ ABOUT(CODING_FORBIDDEN), "299 to CONNECT", EMPTY(299, FIELD(TRANSFER_ENCODING)), { .connect = true },
		BIT(CODING_FORBIDDEN) },
	{ ABOUT(CODING_FORBIDDEN), "304", EMPTY(304, FIELD(TRANSFER_ENCODING)), { GET, .conditional = true }, 0 },
	{ ABOUT(CODING_FORBIDDEN), "502 to CONNECT", EMPTY(502, FIELD(TRANSFER_ENCODING)), { .connect = true }, 0 },
	{ ABOUT(CODING_FORBIDDEN), "200", FULL(200, FIELD(TRANSFER_ENCODING)), { GET }, 0 },

	{ ABOUT(MISSING_FIELD), "101 without Upgrade", INTERIM(101, 0), { GET, .upgrade = true }, BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "401", EMPTY(401, 0), { GET }, BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "401 with the field of 407", EMPTY(401, FIELD(PROXY_AUTHENTICATE)), { GET },
		BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "405", EMPTY(405, 0), { GET }, BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "407", EMPTY(407, 0), { GET }, BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "426", EMPTY(426, 0), { GET }, BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "426 to HEAD", EMPTY(426, 0), { HEAD }, BIT(MISSING_FIELD) },
	{ ABOUT(MISSING_FIELD), "401 complete", FULL(401, FIELD(WWW_AUTHENTICATE)), { GET }, 0 },
	{ ABOUT(MISSING_FIELD), "405 complete", EMPTY(405, FIELD(ALLOW) | FIELD(DATE)), { GET }, 0 },
	{ ABOUT(MISSING_FIELD), "407 complete", EMPTY(407, FIELD(PROXY_AUTHENTICATE)), { GET }, 0 },
	{ ABOUT(MISSING_FIELD), "426 complete", EMPTY(426, FIELD(UPGRADE)), { GET }, 0 },
	{ ABOUT(MISSING_FIELD), "416 only should", EMPTY(416, 0), { GET, .range = true }, 0 },
	{ ABOUT(MISSING_FIELD), "301 only should", EMPTY(301, 0), { GET }, 0 },
	{ ABOUT(MISSING_FIELD), "429 may", EMPTY(429, 0), { GET }, 0 },

	{ ABOUT(NOT_MODIFIED_UNASKED), "to a plain GET", EMPTY(304, 0), { GET }, BIT(NOT_MODIFIED_UNASKED) },
	{ ABOUT(NOT_MODIFIED_UNASKED), "to a conditional PUT", EMPTY(304, 0), { .conditional = true },
		BIT(NOT_MODIFIED_UNASKED) },
	{ ABOUT(NOT_MODIFIED_UNASKED), "to a conditional GET", EMPTY(304, 0), { GET, .conditional = true }, 0 },
	{ ABOUT(NOT_MODIFIED_UNASKED), "to a conditional HEAD", EMPTY(304, 0), { HEAD, .conditional = true }, 0 },
	{ ABOUT(NOT_MODIFIED_UNASKED), "412 to an unconditional PUT", EMPTY(412, 0), { 0 }, 0 },

	{ ABOUT(PARTIAL_UNASKED), "to a plain GET", EMPTY(206, FIELD(CONTENT_RANGE)), { GET }, BIT(PARTIAL_UNASKED) },
	{ ABOUT(PARTIAL_UNASKED), "to POST", EMPTY(206, FIELD(CONTENT_RANGE)), { .range = true }, BIT(PARTIAL_UNASKED) },
	{ ABOUT(PARTIAL_UNASKED), "to HEAD", EMPTY(206, FIELD(CONTENT_RANGE)), { HEAD, .range = true },
		BIT(PARTIAL_UNASKED) },
	{ ABOUT(PARTIAL_UNASKED), "asked", FULL(206, FIELD(CONTENT_RANGE)), { GET, .range = true }, 0 },
	{ ABOUT(PARTIAL_UNASKED), "a range answered whole", FULL(200, 0), { GET, .range = true }, 0 },

	{ ABOUT(PARTIAL_RANGE_FIELD), "neither form", EMPTY(206, 0), { GET, .range = true }, BIT(PARTIAL_RANGE_FIELD) },
	{ ABOUT(PARTIAL_RANGE_FIELD), "both forms", MULTIPART(206, FIELD(CONTENT_RANGE) | FIELD(CONTENT_TYPE)),
		{ GET, .range = true }, BIT(PARTIAL_RANGE_FIELD) },
	{ ABOUT(PARTIAL_RANGE_FIELD), "one range", FULL(206, FIELD(CONTENT_RANGE)), { GET, .range = true }, 0 },
	{ ABOUT(PARTIAL_RANGE_FIELD), "several ranges", MULTIPART(206, FIELD(CONTENT_TYPE)), { GET, .range = true }, 0 },
	{ ABOUT(PARTIAL_RANGE_FIELD), "a 200 that is multipart", MULTIPART(200, FIELD(CONTENT_TYPE)), { GET }, 0 },

	{ ABOUT(TOO_EARLY_UNASKED), "plain", FULL(425, 0), { GET }, BIT(TOO_EARLY_UNASKED) },
	{ ABOUT(TOO_EARLY_UNASKED), "early data", EMPTY(425, 0), { GET, .early_data = true }, 0 },
	{ ABOUT(TOO_EARLY_UNASKED), "503 to early data", EMPTY(503, 0), { GET, .early_data = true }, 0 },

	{ ABOUT(UNUSED_CODE), "306", EMPTY(306, 0), { GET }, BIT(UNUSED_CODE) },
	{ ABOUT(UNUSED_CODE), "the teapot", FULL(418, 0), { GET }, 0 },
	{ ABOUT(UNUSED_CODE), "305 is deprecated only", EMPTY(305, 0), { GET }, 0 },
	{ ABOUT(UNUSED_CODE), "a vendor's code", EMPTY(499, 0), { GET }, 0 },
};

Test(status_validate, finds_exactly_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t found = status_validate(&cases[i].response, &cases[i].request);

		cr_expect_eq(found, cases[i].expected, "%s: %s: found %#x, expected %#x", status_violation_name(cases[i].about),
			cases[i].what, found, cases[i].expected);
	}
}

Test(status_validate, every_violation_has_a_case_for_it_alone_and_one_against)
{
	for (int v = 0; v < STATUS_VIOLATION_COUNT; v++) {
		bool alone = false, against = false;

		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			if ((int)cases[i].about != v)
				continue;
			alone |= cases[i].expected == UINT32_C(1) << v;
			against |= cases[i].expected == 0;
		}
		cr_expect(alone && against, "%s", status_violation_name((enum status_violation)v));
	}
}

Test(status_validate, several_violations_are_all_reported)
{
	struct status_response response = FULL(101, FIELD(CONTENT_LENGTH) | FIELD(TRANSFER_ENCODING));
	struct status_request request = { HEAD, .http_1_0 = true };

	cr_expect_eq(status_validate(&response, &request),
		BIT(INTERIM_AS_FINAL) | BIT(INTERIM_TO_HTTP_1_0) | BIT(SWITCH_NOT_OFFERED) | BIT(CONTENT_FORBIDDEN) |
			BIT(CONTENT_TO_HEAD) | BIT(LENGTH_FORBIDDEN) | BIT(CODING_FORBIDDEN) | BIT(MISSING_FIELD));
}

/* ---- what holds of every combination ---- */

static struct status_request request_of_bits(unsigned bits)
{
	return (struct status_request){
		.head = bits & 1,
		.connect = bits & 2,
		.conditional = bits & 4,
		.get_or_head = bits & 8,
		.range = bits & 16,
		.upgrade = bits & 32,
		.early_data = bits & 64,
		.http_1_0 = bits & 128,
	};
}

static void check_combination(const struct status_response *response, const struct status_request *request)
{
	uint32_t found = status_validate(response, request);
	const struct status_info *info = status_classify(response->code);
	bool no_content = info->content != STATUS_CONTENT_ALLOWED || (request->connect && info->class_ == STATUS_SUCCESS);
	bool interim = status_is_interim(response->code);

	cr_assert_not(found & BIT(CODE_RANGE), "%u", response->code);
	cr_assert_eq(!!(found & BIT(CONTENT_FORBIDDEN)), response->content && no_content, "%u", response->code);
	cr_assert_eq(!!(found & BIT(CONTENT_TO_HEAD)), response->content && request->head, "%u", response->code);
	cr_assert_eq(!!(found & BIT(INTERIM_AS_FINAL)), interim && response->final, "%u", response->code);
	cr_assert_eq(!!(found & BIT(FINAL_AS_INTERIM)), !interim && !response->final, "%u", response->code);
	cr_assert_eq(!!(found & BIT(INTERIM_TO_HTTP_1_0)), interim && request->http_1_0, "%u", response->code);
	if (response->code != 206)
		cr_assert_eq(!!(found & BIT(MISSING_FIELD)), (info->must_fields & ~response->fields) != 0, "%u", response->code);
}

Test(status_validate, all_codes_to_all_requests)
{
	static const uint32_t fields[] = { 0, FIELD(CONTENT_LENGTH), (UINT32_C(1) << STATUS_FIELD_COUNT) - 1 };

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		for (unsigned r = 0; r < 256; r++) {
			struct status_request request = request_of_bits(r);

			for (unsigned s = 0; s < 4 * ARRAY_LEN(fields); s++) {
				struct status_response response = { code, fields[s / 4], s & 1, s & 2, false };

				check_combination(&response, &request);
			}
		}
	}
}

Test(status_validate, a_response_that_demands_nothing_of_the_request_passes_at_load)
{
	/* Every code that may be injected, complete, with the request unknown: nothing is found that the rule could not mend. */
	struct status_request request = STATUS_REQUEST_UNKNOWN;

	for (unsigned code = 200; code <= STATUS_MAX; code++) {
		const struct status_info *info = status_classify(code);
		bool content = info->content == STATUS_CONTENT_ALLOWED;
		struct status_response response = { code, info->must_fields, true, content, false };

		cr_expect_eq(status_validate(&response, &request), code == 306 ? BIT(UNUSED_CODE) : 0, "%u", code);
	}
}

Test(status_validate, the_unknown_request_raises_no_violation_of_the_request)
{
	struct status_request request = STATUS_REQUEST_UNKNOWN;

	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		for (unsigned s = 0; s < 8; s++) {
			struct status_response response = { code, 0, s & 1, s & 2, s & 4 };

			cr_expect_not(status_validate(&response, &request) & STATUS_VIOLATIONS_BY_REQUEST, "%u", code);
		}
	}
}

/* ---- names and masks ---- */

Test(status_validate, names_are_the_ids_in_lower_case)
{
	static const char *const ids[] = {
#define VIOLATION(id, name, text, spec) #id,
#include "core/status_violations.def"
#undef VIOLATION
	};

	cr_assert_eq(ARRAY_LEN(ids), STATUS_VIOLATION_COUNT);
	for (size_t v = 0; v < ARRAY_LEN(ids); v++) {
		const char *name = status_violation_name((enum status_violation)v);

		cr_assert_eq(strlen(name), strlen(ids[v]));
		for (size_t i = 0; name[i]; i++)
			cr_expect_eq(name[i], tolower((unsigned char)ids[v][i]), "%s", ids[v]);
		cr_expect_neq(status_violation_text((enum status_violation)v)[0], '\0');
		cr_expect_eq(strncmp(status_violation_spec((enum status_violation)v), "RFC ", 4), 0);
	}
	cr_expect_str_eq(status_violation_name(STATUS_VIOLATION_COUNT), "");
	cr_expect_str_eq(status_violation_text(STATUS_VIOLATION_COUNT), "");
	cr_expect_str_eq(status_violation_spec(STATUS_VIOLATION_COUNT), "");
}

Test(status_validate, masks_part_the_violations)
{
	cr_expect_eq(STATUS_VIOLATIONS_FRAMING & STATUS_VIOLATIONS_SEMANTIC, 0);
	cr_expect_eq(STATUS_VIOLATIONS_FRAMING | STATUS_VIOLATIONS_SEMANTIC, STATUS_VIOLATIONS_ALL);
	cr_expect_eq(STATUS_VIOLATIONS_BY_REQUEST & ~STATUS_VIOLATIONS_ALL, 0);
	cr_expect(STATUS_VIOLATIONS_FRAMING & BIT(LENGTH_FORBIDDEN));
	cr_expect(STATUS_VIOLATIONS_SEMANTIC & BIT(MISSING_FIELD));
}
