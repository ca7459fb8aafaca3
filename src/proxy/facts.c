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

static void status_request_of(const struct http_request *r, struct status_request *s)
{
	const uint64_t conditions = HTTP_FIELD_BIT(IF_MATCH) | HTTP_FIELD_BIT(IF_NONE_MATCH) | HTTP_FIELD_BIT(IF_MODIFIED_SINCE) |
		HTTP_FIELD_BIT(IF_UNMODIFIED_SINCE) | HTTP_FIELD_BIT(IF_RANGE);

	*s = (struct status_request){
		.head = r->method_id == HTTP_METHOD_HEAD,
		.connect = r->method_id == HTTP_METHOD_CONNECT,
		.conditional = (r->fields.seen & conditions) != 0,
		.get_or_head = r->method_id == HTTP_METHOD_GET || r->method_id == HTTP_METHOD_HEAD,
		.range = http_fields_have(&r->fields, HTTP_FIELD_RANGE),
		.upgrade = r->upgrade,
		.early_data = http_fields_have(&r->fields, HTTP_FIELD_EARLY_DATA),
		.http_1_0 = r->minor == 0,
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
	struct status_request request = { .head = c->ex.method == HTTP_METHOD_HEAD };
	uint32_t found;

	/* A refused request has no head to look at. */
	if (c->ex.head.n)
		status_request_of(exchange_request(c), &request);
	found = status_validate(response, &request);
	if (LIKELY(!found))
		return 0;
	counter_add(counters, COUNTER_VIOLATIONS, 1);
	for (unsigned v = 0; v < STATUS_VIOLATION_COUNT; v++) {
		if (found & (UINT32_C(1) << v))
			counter_bump(&counters->violations[v], 1);
	}
	return found;
}
