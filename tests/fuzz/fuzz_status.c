/*
 * Fuzzes the status classifier. The first bytes of an input are a response and a request, as flags and numbers; what is
 * left is a phrase. Checked is what must hold of every input, stated apart from the code that finds it.
 */
#include "core/status.h"
#include "fuzz.h"


#define BIT(id) STATUS_VIOLATION_BIT(id)
/* The head of an input: code (2 bytes, little endian), flags of the response, flags of the request, fields (2 bytes). */
enum { HEAD_BYTES = 6 };

static void check_violations(const struct status_response *response, const struct status_request *request)
{
	uint32_t found = status_validate(response, request);
	const struct status_info *info = status_classify(response->code);
	bool interim = response->code >= 100 && response->code < 200;
	bool bodiless = interim || response->code == 204 || response->code == 205 || response->code == 304;

	MUST_HOLD((found & ~STATUS_VIOLATIONS_ALL) == 0);
	MUST_HOLD(found == status_validate(response, request));
	MUST_HOLD((info == NULL) == (response->code < 100 || response->code > 599));
	if (!info) {
		MUST_HOLD(found == BIT(CODE_RANGE));
		return;
	}
	MUST_HOLD(!(found & BIT(CODE_RANGE)));
	MUST_HOLD(!(interim && response->final) || (found & BIT(INTERIM_AS_FINAL)));
	MUST_HOLD(interim || response->final || (found & BIT(FINAL_AS_INTERIM)));
	MUST_HOLD(!(interim && request->http_1_0) || (found & BIT(INTERIM_TO_HTTP_1_0)));
	MUST_HOLD(!(bodiless && response->content) || (found & BIT(CONTENT_FORBIDDEN)));
	MUST_HOLD(!(request->head && response->content) || (found & BIT(CONTENT_TO_HEAD)));
	if (interim || response->code == 204) {
		MUST_HOLD(!(response->fields & STATUS_FIELD_BIT(CONTENT_LENGTH)) || (found & BIT(LENGTH_FORBIDDEN)));
		MUST_HOLD(!(response->fields & STATUS_FIELD_BIT(TRANSFER_ENCODING)) || (found & BIT(CODING_FORBIDDEN)));
	}
	if (response->code == 206)
		MUST_HOLD((request->range && request->get_or_head && !request->head) || (found & BIT(PARTIAL_UNASKED)));
	else
		MUST_HOLD((info->must_fields & ~response->fields) == 0 || (found & BIT(MISSING_FIELD)));
	/* What is accepted may leave. */
	if (found == 0) {
		MUST_HOLD(response->code != 101 || request->upgrade);
		MUST_HOLD(response->code != 304 || (request->conditional && request->get_or_head));
		MUST_HOLD(response->code != 306);
	}
}

/* A missing field that has a filling is no longer missing once it is filled, and filling does no other harm. */
static void check_fill(struct status_response response, const struct status_request *request)
{
	uint32_t before = status_validate(&response, request);
	bool all_filled = true;

	if (!(before & BIT(MISSING_FIELD)))
		return;
	for (unsigned f = 0; f < STATUS_FIELD_COUNT; f++) {
		if (!(status_classify(response.code)->must_fields & ~response.fields & UINT32_C(1) << f))
			continue;
		if (status_field_fill(response.code, (enum status_field)f))
			response.fields |= UINT32_C(1) << f;
		else
			all_filled = false;
	}
	if (all_filled)
		MUST_HOLD(status_validate(&response, request) == (before & ~BIT(MISSING_FIELD)));
}

static void check_name(unsigned code, struct span name)
{
	const struct status_info *info = status_classify(code);
	unsigned named = status_code_by_name(name);

	MUST_HOLD(named == 0 || status_has_name(status_classify(named), name));
	/* Registered codes win, so a vendor's name may belong to another code as well; but then to some code. */
	if (info && status_has_name(info, name))
		MUST_HOLD(named != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status_response response;
	struct status_request request;

	if (size < HEAD_BYTES)
		return 0;
	response = (struct status_response){
		.code = data[0] | (unsigned)data[1] << 8,
		.fields = data[4] | (uint32_t)data[5] << 8,
		.final = data[2] & 1,
		.content = data[2] & 2,
		.multipart = data[2] & 4,
	};
	request = (struct status_request){
		.head = data[3] & 1,
		.connect = data[3] & 2,
		.conditional = data[3] & 4,
		.get_or_head = data[3] & 8,
		.range = data[3] & 16,
		.upgrade = data[3] & 32,
		.early_data = data[3] & 64,
		.http_1_0 = data[3] & 128,
	};
	check_violations(&response, &request);
	check_fill(response, &request);
	check_name(response.code, span_of((const char *)data + HEAD_BYTES, size - HEAD_BYTES));
	return 0;
}
