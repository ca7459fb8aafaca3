/*
 * facts: translations from the codec's values to those of the rules and of the classifier, which know nothing of it.
 */
#include "proxy/facts.h"

#include "http/uri.h"
#include "proxy/worker.h"

static bool field_value(const void *source, struct span name, unsigned nth, struct span *value)
{
	const struct http_fields *fields = source;
	const struct http_field *f = http_fields_find(fields, name, nth);

	if (!f)
		return false;
	*value = f->value;
	return true;
}

void facts_of_request(struct client *c, const struct http_request *r, struct facts *f)
{
	struct worker *w = c->worker;

	*f = (struct facts){
		.method = r->method,
		.host = r->host,
		.path = http_path_normalize(r->path, w->path, exchange_plan(c)->limits.max_header_bytes),
		.query = r->query,
		.target = r->target,
		.field = field_value,
		.field_source = &r->fields,
		.listener = c->ex.listener,
		.upstream = c->ex.upstream,
	};
	memcpy(f->client, c->address, sizeof(f->client));
}

void facts_note_request(struct exchange *ex, const struct http_request *r)
{
	const uint64_t conditions = HTTP_FIELD_BIT(IF_MATCH) | HTTP_FIELD_BIT(IF_NONE_MATCH) | HTTP_FIELD_BIT(IF_MODIFIED_SINCE) |
		HTTP_FIELD_BIT(IF_UNMODIFIED_SINCE) | HTTP_FIELD_BIT(IF_RANGE);

	ex->conditional = (r->fields.seen & conditions) != 0;
	ex->ranged = http_fields_have(&r->fields, HTTP_FIELD_RANGE);
	ex->early_data = http_fields_have(&r->fields, HTTP_FIELD_EARLY_DATA);
}

static struct status_request status_request_of(const struct exchange *ex)
{
	return (struct status_request){
		.head = ex->method == HTTP_METHOD_HEAD,
		.connect = ex->method == HTTP_METHOD_CONNECT,
		.conditional = ex->conditional,
		.get_or_head = ex->method == HTTP_METHOD_GET || ex->method == HTTP_METHOD_HEAD,
		.range = ex->ranged,
		.upgrade = ex->upgrade,
		.early_data = ex->early_data,
		.http_1_0 = ex->minor == 0,
	};
}

uint32_t facts_status_fields(const struct http_fields *fields)
{
	static const struct {
		uint64_t field;
		uint32_t status;
	} map[] = {
#define SAME(id) { HTTP_FIELD_BIT(id), STATUS_FIELD_BIT(id) }
		SAME(ALLOW), SAME(CONTENT_LENGTH), SAME(CONTENT_RANGE), SAME(CONTENT_TYPE), SAME(DATE), SAME(LINK),
		SAME(LOCATION), SAME(PROXY_AUTHENTICATE), SAME(RETRY_AFTER), SAME(TRANSFER_ENCODING), SAME(UPGRADE),
		SAME(WWW_AUTHENTICATE),
#undef SAME
	};
	uint32_t bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if (fields->seen & map[i].field)
			bits |= map[i].status;
	}
	return bits;
}

uint32_t facts_check_status(struct client *c, const struct status_response *response)
{
	struct counters *counters = &c->worker->counters;
	const struct status_request request = status_request_of(&c->ex);
	const uint32_t found = status_validate(response, &request);

	if (LIKELY(!found))
		return 0;
	counter_add(counters, COUNTER_VIOLATIONS, 1);
	for (unsigned v = 0; v < STATUS_VIOLATION_COUNT; v++) {
		if (found & (UINT32_C(1) << v))
			counter_bump(&counters->violations[v], 1);
	}
	return found;
}
