/*
 * status: what is wrong with a response head, given its request. Runs on every head, so a byte per code, compiled from
 * status.def, tells which codes make demands at all; all others leave after a few comparisons.
 * Must never allocate, and never accept what the table forbids for the sake of speed.
 */
#include "core/status.h"

/* ---- which codes make demands ---- */

#define IS_IN_DISUSE(marks) (((marks) & (STATUS_IS_UNUSED | STATUS_IS_JOKE)) == STATUS_IS_UNUSED)

/* 425 wants early data, an unused code wants not to be sent, but for the joke. Not asked for 1xx: they go the long way anyway. */
static const bool makes_demands[STATUS_MAX - STATUS_MIN + 1] = {
#define STATUS(code_, reason_, aliases_, marks_, content_, must_, should_, cache_, fault_, retry_, spec_, meaning_, use_, note_) \
	[(code_) - STATUS_MIN] = STATUS_CONTENT_##content_ != STATUS_CONTENT_ALLOWED || (must_) != 0 || (code_) == 425 ||       \
				 IS_IN_DISUSE(marks_),
#include "core/status.def"
};

/* ---- the checks, group by group ---- */

#define BIT(id) STATUS_VIOLATION_BIT(id)

static bool has_field(const struct status_response *response, uint32_t bit)
{
	return (response->fields & bit) != 0;
}

/* 1xx comes before the final answer, and nothing else does (RFC 9110 15.2). 101 is the last head, but no final answer. */
static uint32_t check_sequence(const struct status_response *response, const struct status_request *request)
{
	uint32_t found = 0;

	if (!status_is_interim(response->code))
		return response->final ? 0 : BIT(FINAL_AS_INTERIM);
	if (response->final)
		found |= BIT(INTERIM_AS_FINAL);
	if (request->http_1_0)
		found |= BIT(INTERIM_TO_HTTP_1_0);
	if (response->code == 101 && !request->upgrade)
		found |= BIT(SWITCH_NOT_OFFERED);
	return found;
}

/*
 * Content and the two fields that frame it. 304 and answers to HEAD may carry both fields, since they tell of the 200
 * or the GET that was not sent; 205 may say that its length is 0.
 */
static uint32_t check_framing(const struct status_response *response, const struct status_request *request,
	const struct status_info *info)
{
	bool tunnel = request->connect && info->class_ == STATUS_SUCCESS;
	uint32_t found = 0;

	if (response->content && (tunnel || info->content != STATUS_CONTENT_ALLOWED))
		found |= BIT(CONTENT_FORBIDDEN);
	if (response->content && request->head)
		found |= BIT(CONTENT_TO_HEAD);
	if (tunnel || status_forbids_length(response->code)) {
		if (has_field(response, STATUS_FIELD_BIT(CONTENT_LENGTH)))
			found |= BIT(LENGTH_FORBIDDEN);
		if (has_field(response, STATUS_FIELD_BIT(TRANSFER_ENCODING)))
			found |= BIT(CODING_FORBIDDEN);
	}
	return found;
}

/* Exactly one of the two forms: Content-Range for one range, multipart/byteranges for several (RFC 9110 15.3.7). */
static uint32_t check_partial(const struct status_response *response, const struct status_request *request)
{
	uint32_t found = 0;

	/* Range means something to GET only (RFC 9110 14.2). */
	if (!request->range || !request->get_or_head || request->head)
		found |= BIT(PARTIAL_UNASKED);
	if (has_field(response, STATUS_FIELD_BIT(CONTENT_RANGE)) == response->multipart)
		found |= BIT(PARTIAL_RANGE_FIELD);
	return found;
}

/* Kept out of line, so that status_validate needs no stack frame. */
static __attribute__((noinline)) uint32_t check_all(const struct status_response *response, const struct status_request *request)
{
	const struct status_info *info = status_classify(response->code);
	uint32_t found;

	if (!info)
		return BIT(CODE_RANGE);
	found = check_sequence(response, request) | check_framing(response, request, info);
	if (response->code == 206)
		found |= check_partial(response, request);
	else if (info->must_fields & ~response->fields)
		found |= BIT(MISSING_FIELD);
	if (response->code == 304 && !(request->conditional && request->get_or_head))
		found |= BIT(NOT_MODIFIED_UNASKED);
	if (response->code == 425 && !request->early_data)
		found |= BIT(TOO_EARLY_UNASKED);
	if (IS_IN_DISUSE(info->marks))
		found |= BIT(UNUSED_CODE);
	return found;
}

uint32_t status_validate(const struct status_response *response, const struct status_request *request)
{
	unsigned code = response->code;

	if (LIKELY(code >= 200 && code <= STATUS_MAX && !makes_demands[code - STATUS_MIN] && response->final &&
			!request->connect && !(request->head && response->content)))
		return 0;
	return check_all(response, request);
}

/* ---- what the violations are called ---- */

static const struct {
	const char *name;
	const char *text;
	const char *spec;
} violations[] = {
#define VIOLATION(id, name_, text_, spec_) { (name_), (text_), (spec_) },
#include "core/status_violations.def"
#undef VIOLATION
};

const char *status_violation_name(enum status_violation v)
{
	return (size_t)v < ARRAY_LEN(violations) ? violations[v].name : "";
}

const char *status_violation_text(enum status_violation v)
{
	return (size_t)v < ARRAY_LEN(violations) ? violations[v].text : "";
}

const char *status_violation_spec(enum status_violation v)
{
	return (size_t)v < ARRAY_LEN(violations) ? violations[v].spec : "";
}
