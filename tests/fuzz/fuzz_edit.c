/*
 * edit: any head that our reader takes, edited in any way that a rule may ask for, is a head that our reader takes again, framed
 * as the edit said. The first bytes choose the edits, the rest is the head.
 */
#include "core/status.h"
#include "fault/edit.h"
#include "fuzz.h"
#include "http/write.h"

#define HEAD_BYTES_MAX 8192
#define FIELDS_MAX 64

/* What edits may name: fields that matter to framing, that describe content, that repeat, and others. */
static const char *const names[] = { "Content-Length", "transfer-encoding", "Connection", "Set-Cookie", "etag", "Content-Type",
	"X-A", "Date", "Content-Encoding", "host", "Upgrade", "Content-Range", "Trailer", "Expect", "WWW-Authenticate", "Via" };
static const uint16_t statuses[] = { 0, 200, 204, 205, 206, 304, 401, 416, 426, 503, 599, 404, 405, 302, 201, 500 };

struct choice {
	struct fault_edit edit;
	struct fault_field set, add;
	struct span remove;
};

static struct span name_at(uint8_t at)
{
	return span_of_string(names[at % ARRAY_LEN(names)]);
}

/* Four bytes make an edit. */
static void choose(struct choice *c, const uint8_t *p)
{
	*c = (struct choice){ 0 };
	c->set = (struct fault_field){ name_at(p[0]), SPAN("1") };
	c->add = (struct fault_field){ name_at((uint8_t)(p[0] >> 4)), SPAN("2") };
	c->remove = name_at(p[1]);
	c->edit = (struct fault_edit){
		.is_set = true, .status = statuses[p[2] % ARRAY_LEN(statuses)],
		.set = &c->set, .n_set = (p[3] & 1) != 0, .add = &c->add, .n_add = (p[3] & 2) != 0,
		.remove = &c->remove, .n_remove = (p[3] & 4) != 0, .has_body = (p[3] & 8) != 0,
		.body = p[3] & 16 ? SPAN("new content") : SPAN_EMPTY, .content_type = p[3] & 32 ? SPAN("a/b") : SPAN_EMPTY,
		.path = p[3] & 64 ? SPAN("/other") : SPAN_EMPTY,
	};
}

static void edit_request(const struct fault_edit *const *edits, const char *head, size_t n)
{
	struct http_field v[FIELDS_MAX], again_v[2 * FIELDS_MAX];
	struct http_request r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
	struct http_request again = { .fields = { .v = again_v, .cap = ARRAY_LEN(again_v) } };
	struct http_forward_request how = { .max_forwards = -1 };
	struct span host = SPAN_EMPTY;
	struct text extra, out;
	enum http_error error;

	if (http_request_parse(&r, head, n, &error) != HTTP_PARSE_OK)
		return;
	text_init(&extra);
	text_init(&out);
	fault_edit_request(edits, 2, &r, &extra, &host);
	how.extra = text_span(&extra);
	how.host = host;
	how.chunked = r.body == HTTP_BODY_CHUNKED;
	http_write_request_head(&out, &r, &how);
	/* CONNECT is never forwarded. */
	if (r.method_id != HTTP_METHOD_CONNECT && (http_request_parse(&again, out.p, out.n, &error) != HTTP_PARSE_OK ||
		again.body != r.body || again.body_length != r.body_length))
		abort();
	text_deinit(&extra);
	text_deinit(&out);
}

static void edit_response(const struct fault_edit *const *edits, char *head, size_t n, enum http_method to)
{
	struct http_field v[FIELDS_MAX], again_v[2 * FIELDS_MAX];
	struct http_response r = { .fields = { .v = v, .cap = ARRAY_LEN(v) } };
	struct http_response again = { .fields = { .v = again_v, .cap = ARRAY_LEN(again_v) } };
	struct http_forward_response how = { .connection = HTTP_CONNECTION_DEFAULT };
	struct fault_edited edited;
	struct text extra, out;
	enum http_error error;

	if (http_response_parse(&r, head, n, to, &error) != HTTP_PARSE_OK || r.status < 200)
		return;
	text_init(&extra);
	text_init(&out);
	edited = fault_edit_response(edits, 2, to, &r, &extra);
	how.extra = text_span(&extra);
	how.chunked = r.body == HTTP_BODY_CHUNKED;
	how.drop_length = r.status == 204 || r.body == HTTP_BODY_CHUNKED || r.body == HTTP_BODY_UNTIL_CLOSE;
	http_write_response_head(&out, &r, &how);
	if (http_response_parse(&again, out.p, out.n, to, &error) != HTTP_PARSE_OK || again.body != r.body ||
		again.body_length != r.body_length || again.status != r.status)
		abort();
	if (edited.replaces && r.body == HTTP_BODY_LENGTH && edited.body.n != r.body_length)
		abort();
	if (r.body == HTTP_BODY_NONE && edited.body.n)
		abort();
	text_deinit(&extra);
	text_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct choice first, second;
	const struct fault_edit *edits[2] = { &first.edit, &second.edit };
	char head[HEAD_BYTES_MAX];

	if (n < 9 || n - 9 > sizeof(head))
		return 0;
	choose(&first, data + 1);
	choose(&second, data + 5);
	memcpy(head, data + 9, n - 9);
	if (data[0] & 1)
		edit_request(edits, head, n - 9);
	else
		edit_response(edits, head, n - 9, data[0] & 2 ? HTTP_METHOD_HEAD : HTTP_METHOD_GET);
	return 0;
}
