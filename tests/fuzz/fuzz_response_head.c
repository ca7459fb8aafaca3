/*
 * fuzz response_head: any bytes as a response head. The result does not depend on how the bytes arrive, although folded
 * lines are overwritten on the way, and what is forwarded of a good head is strict and read again as the same response.
 * The last three bytes say how the head is split and what method it answers.
 */
#include "fuzz.h"
#include "http/write.h"

#define FIELDS_MAX 24
#define FIELDS_ADDED 4

static struct http_field fields[FIELDS_MAX];
static struct http_field fields_in_pieces[FIELDS_MAX];
static struct http_field fields_forwarded[FIELDS_MAX + FIELDS_ADDED];

static void check_same(const struct http_response *a, const struct http_response *b)
{
	MUST_HOLD(a->status == b->status && a->minor == b->minor && span_eq(a->reason, b->reason));
	MUST_HOLD(a->body == b->body && a->body_length == b->body_length && a->keep_alive == b->keep_alive &&
		a->head_n == b->head_n);
	MUST_HOLD(a->fields.n == b->fields.n && a->fields.seen == b->fields.seen && a->fields.repeated == b->fields.repeated);
	for (unsigned i = 0; i < a->fields.n; i++) {
		MUST_HOLD(
			span_eq(a->fields.v[i].name, b->fields.v[i].name) && span_eq(a->fields.v[i].value, b->fields.v[i].value));
		MUST_HOLD(a->fields.v[i].drop == b->fields.v[i].drop && a->fields.v[i].rewritten == b->fields.v[i].rewritten);
	}
}

/* One block that fills: parsed at `first` bytes, and then at every step, due or not. */
static void check_in_pieces(const struct http_response *whole, int rc, enum http_error error, const uint8_t *data, size_t n,
	size_t first, size_t step, enum http_method to)
{
	struct http_response r = { .fields = { .v = fields_in_pieces, .cap = FIELDS_MAX } };
	char *block = fuzz_copy(data, n);
	size_t have = MIN(first, n);
	size_t scanned = 0;
	enum http_error piece_error;
	int piece_rc = http_response_parse(&r, block, have, to, &piece_error);

	while (piece_rc == HTTP_PARSE_MORE && have < n) {
		have = MIN(have + step, n);
		piece_rc = http_response_parse(&r, block, have, to, &piece_error);
		MUST_HOLD(piece_rc != HTTP_PARSE_MORE || !http_head_is_due(block, have, &scanned));
	}
	MUST_HOLD(piece_rc == rc && piece_error == error);
	if (rc == HTTP_PARSE_OK)
		check_same(whole, &r);
	free(block);
}

/* What must be strict enough for a request parser, which allows no fold and no space before a colon. */
static void check_forwarded(const struct http_response *r, enum http_method to)
{
	struct http_forward_response f = { .via = SPAN("p"), .date = SPAN("now"), .chunked = r->body == HTTP_BODY_CHUNKED };
	struct http_response again = { .fields = { .v = fields_forwarded, .cap = ARRAY_LEN(fields_forwarded) } };
	enum http_error error;
	unsigned at = 0;
	struct text out;

	text_init(&out);
	http_write_response_head(&out, r, &f);
	MUST_HOLD(!out.cut);
	MUST_HOLD(http_response_parse(&again, out.p, out.n, to, &error) == HTTP_PARSE_OK);
	MUST_HOLD(again.head_n == out.n && again.status == r->status && again.minor == 1 && span_eq(again.reason, r->reason));
	MUST_HOLD(again.body == r->body && again.body_length == r->body_length);
	MUST_HOLD(!(again.fields.repeated & (HTTP_FIELD_BIT(CONTENT_LENGTH) | HTTP_FIELD_BIT(TRANSFER_ENCODING))));
	for (unsigned i = 0; i < r->fields.n; i++) {
		const struct http_field *was = &r->fields.v[i];

		if (was->drop || (f.chunked && was->id == HTTP_FIELD_CONTENT_LENGTH))
			continue;
		MUST_HOLD(at < again.fields.n);
		MUST_HOLD(span_eq(was->name, again.fields.v[at].name) && span_eq(was->value, again.fields.v[at].value));
		MUST_HOLD(!again.fields.v[at].rewritten);
		at++;
	}
	text_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response r = { .fields = { .v = fields, .cap = FIELDS_MAX } };
	enum http_method to;
	enum http_error error;
	char *copy;
	size_t n;
	int rc;

	if (size < 3)
		return 0;
	n = size - 3;
	to = data[n + 2] == 'h' ? HTTP_METHOD_HEAD : HTTP_METHOD_GET;
	copy = fuzz_copy(data, n);
	rc = http_response_parse(&r, copy, n, to, &error);
	MUST_HOLD((rc == HTTP_PARSE_ERROR) == (error != HTTP_ERROR_NONE));
	check_in_pieces(&r, rc, error, data, n, data[n], 1 + data[n + 1] % 64u, to);
	if (rc == HTTP_PARSE_OK)
		check_forwarded(&r, to);
	free(copy);
	return 0;
}
