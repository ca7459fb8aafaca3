/*
 * fuzz request_head: any bytes as a request head. The result does not depend on how the bytes arrive, and what is
 * forwarded of a good head is read again as the same request. The last two bytes say how the head is split.
 */
#include "fuzz.h"
#include "http/write.h"

#define FIELDS_MAX 24
#define FIELDS_ADDED 12

static struct http_field fields[FIELDS_MAX];
static struct http_field fields_in_pieces[FIELDS_MAX];
static struct http_field fields_forwarded[FIELDS_MAX + FIELDS_ADDED];

/* Of a copy, which the caller frees. */
static int parse_copy(struct http_request *r, const uint8_t *data, size_t n, enum http_error *error, char **copy)
{
	*copy = fuzz_copy(data, n);
	return http_request_parse(r, *copy, n, error);
}

static void check_same(const struct http_request *a, const struct http_request *b)
{
	MUST_HOLD(span_eq(a->method, b->method) && span_eq(a->target, b->target) && span_eq(a->scheme, b->scheme));
	MUST_HOLD(span_eq(a->authority, b->authority) && span_eq(a->host, b->host));
	MUST_HOLD(span_eq(a->path, b->path) && span_eq(a->query, b->query) && a->has_query == b->has_query);
	MUST_HOLD(a->method_id == b->method_id && a->form == b->form && a->minor == b->minor);
	MUST_HOLD(a->body == b->body && a->body_length == b->body_length && a->head_n == b->head_n);
	MUST_HOLD(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
	MUST_HOLD(a->upgrade == b->upgrade && a->te_trailers == b->te_trailers);
	MUST_HOLD(a->fields.n == b->fields.n && a->fields.seen == b->fields.seen && a->fields.repeated == b->fields.repeated);
	for (unsigned i = 0; i < a->fields.n; i++) {
		MUST_HOLD(
			span_eq(a->fields.v[i].name, b->fields.v[i].name) && span_eq(a->fields.v[i].value, b->fields.v[i].value));
		MUST_HOLD(a->fields.v[i].drop == b->fields.v[i].drop && a->fields.v[i].rewritten == b->fields.v[i].rewritten);
	}
}

/* The bytes come as a reader gets them: `first`, then `step` more each time, parsed where they are due. */
static void check_in_pieces(
	const struct http_request *whole, int rc, enum http_error error, const uint8_t *data, size_t n, size_t first, size_t step)
{
	struct http_request r = { .fields = { .v = fields_in_pieces, .cap = FIELDS_MAX } };
	size_t have = MIN(first, n);
	size_t scanned = 0;
	enum http_error piece_error;
	char *copy;
	int piece_rc = parse_copy(&r, data, have, &piece_error, &copy);

	while (piece_rc == HTTP_PARSE_MORE && have < n) {
		have = MIN(have + step, n);
		if (!http_head_is_due((const char *)data, have, &scanned))
			continue;
		free(copy);
		piece_rc = parse_copy(&r, data, have, &piece_error, &copy);
		MUST_HOLD(piece_rc != HTTP_PARSE_MORE);
	}
	if (piece_rc == HTTP_PARSE_MORE) {
		/* Not due: then nothing but a bad byte in an unfinished line could be told of the whole. */
		MUST_HOLD(rc != HTTP_PARSE_OK);
	} else {
		MUST_HOLD(piece_rc == rc && piece_error == error);
		if (rc == HTTP_PARSE_OK)
			check_same(whole, &r);
	}
	free(copy);
}

/* Lines kept from whatever request came before change nothing. */
static void check_kept(const struct http_request *r, struct http_forward_request f, struct span want)
{
	static struct http_forwarded_lines kept;
	struct text out;

	f.kept = &kept;
	for (int i = 0; i < 2; i++) {
		text_init(&out);
		http_write_request_head(&out, r, &f);
		MUST_HOLD(span_eq(text_span(&out), want));
		text_deinit(&out);
	}
}

static void check_forwarded(const struct http_request *r)
{
	struct http_forward_request f = {
		.via = SPAN("p"),
		.client = SPAN("::1"),
		.client_is_ipv6 = true,
		.proto = SPAN("http"),
		.chunked = r->body == HTTP_BODY_CHUNKED,
		.upgrade = r->upgrade,
		.te_trailers = r->te_trailers,
		.max_forwards = http_fields_have(&r->fields, HTTP_FIELD_MAX_FORWARDS) ? 7 : -1,
	};
	struct http_request again = { .fields = { .v = fields_forwarded, .cap = ARRAY_LEN(fields_forwarded) } };
	enum http_error error;
	struct text out;

	text_init(&out);
	http_write_request_head(&out, r, &f);
	MUST_HOLD(!out.cut);
	check_kept(r, f, text_span(&out));
	MUST_HOLD(http_request_parse(&again, out.p, out.n, &error) == HTTP_PARSE_OK);
	MUST_HOLD(again.head_n == out.n && again.minor == 1 && again.keep_alive);
	MUST_HOLD(span_eq(again.method, r->method) && span_eq(again.authority, r->authority) && span_eq(again.host, r->host));
	if (again.form == HTTP_TARGET_ORIGIN)
		MUST_HOLD(span_eq(again.path, r->path) && span_eq(again.query, r->query) && again.has_query == r->has_query);
	else
		MUST_HOLD(again.form == HTTP_TARGET_ASTERISK && r->method_id == HTTP_METHOD_OPTIONS);
	MUST_HOLD(again.body == r->body && again.body_length == r->body_length);
	MUST_HOLD(again.upgrade == r->upgrade && again.te_trailers == r->te_trailers);
	MUST_HOLD(again.expect_continue == r->expect_continue);
	MUST_HOLD(!(again.fields.repeated & (HTTP_FIELD_BIT(CONTENT_LENGTH) | HTTP_FIELD_BIT(TRANSFER_ENCODING))));
	MUST_HOLD(!http_fields_have(&again.fields, HTTP_FIELD_KEEP_ALIVE) &&
		!http_fields_have(&again.fields, HTTP_FIELD_PROXY_CONNECTION));
	text_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r = { .fields = { .v = fields, .cap = FIELDS_MAX } };
	enum http_error error;
	char *copy;
	size_t n;
	int rc;

	if (size < 2)
		return 0;
	n = size - 2;
	rc = parse_copy(&r, data, n, &error, &copy);
	MUST_HOLD((rc == HTTP_PARSE_ERROR) == (error != HTTP_ERROR_NONE));
	check_in_pieces(&r, rc, error, data, n, data[n], 1 + data[n + 1] % 64u);
	if (rc == HTTP_PARSE_OK && r.method_id != HTTP_METHOD_CONNECT)
		check_forwarded(&r);
	free(copy);
	return 0;
}
