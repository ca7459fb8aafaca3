/*
 * origin_answer: the routes of the embedded upstream, one function each, and the head that goes with what they say.
 */
#include "origin/origin_answer.h"

#include "core/status.h"
#include "http/uri.h"
#include "http/write.h"

#define SIZE_BYTES_MAX (UINT64_C(1) << 50)
#define DRIP_BYTES 10
#define PARAMETER_BYTES 64 /* more of a value than any number with a unit has; what is longer is cut */
#define DRIP_EVERY_NS (100 * NS_PER_MS)

void origin_answer_init(struct origin_answer *a)
{
	*a = (struct origin_answer){ .status = 200 };
	text_init(&a->text);
	text_init(&a->body);
}

void origin_answer_deinit(struct origin_answer *a)
{
	text_deinit(&a->text);
	text_deinit(&a->body);
}

/* ---- numbers with units ---- */

struct unit {
	struct span name;
	uint64_t factor;
};

/* Digits, then one of the units; the product is at most max. */
static int parse_with_unit(struct span s, const struct unit *units, size_t n_units, uint64_t max, uint64_t *value)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < s.n && ascii_is_digit(s.p[digits]))
		digits++;
	if (span_to_u64(span_first(s, digits), &number))
		return 1;
	for (size_t i = 0; i < n_units; i++) {
		if (!span_eq(span_skip(s, digits), units[i].name))
			continue;
		*value = number * units[i].factor;
		return number <= max / units[i].factor ? 0 : 1;
	}
	return 1;
}

int origin_parse_duration(struct span s, int64_t *ns)
{
	static const struct unit units[] = {
		{ { "ns", 2 }, 1 },
		{ { "us", 2 }, (uint64_t)NS_PER_US },
		{ { "ms", 2 }, (uint64_t)NS_PER_MS },
		{ { "s", 1 }, (uint64_t)NS_PER_S },
		{ { "m", 1 }, (uint64_t)NS_PER_S * 60 },
		{ { "h", 1 }, (uint64_t)NS_PER_S * 3600 },
	};
	uint64_t value;

	if (parse_with_unit(s, units, ARRAY_LEN(units), (uint64_t)ORIGIN_DELAY_NS_MAX, &value))
		return 1;
	*ns = (int64_t)value;
	return 0;
}

int origin_parse_size(struct span s, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ { "", 0 }, 1 },
		{ { "B", 1 }, 1 },
		{ { "KiB", 3 }, UINT64_C(1) << 10 },
		{ { "MiB", 3 }, UINT64_C(1) << 20 },
		{ { "GiB", 3 }, UINT64_C(1) << 30 },
		{ { "KB", 2 }, 1000 },
		{ { "MB", 2 }, 1000000 },
		{ { "GB", 2 }, 1000000000 },
	};

	return parse_with_unit(s, units, ARRAY_LEN(units), SIZE_BYTES_MAX, bytes);
}

/* ---- routes ---- */

static void say(struct origin_answer *a, unsigned status, const char *text)
{
	a->status = status;
	a->type = "text/plain; charset=utf-8";
	text_put_string(&a->text, text);
	text_put_char(&a->text, '\n');
}

static void answer_status(struct origin_answer *a, const struct http_request *r, struct span argument)
{
	uint64_t status;

	(void)r;
	if (argument.n != 3 || span_to_u64(argument, &status) || status < 200 || status > STATUS_MAX) {
		say(a, 400, "/status/N: N is 200 to 599");
		return;
	}
	text_put_u64(&a->text, status);
	text_put_char(&a->text, ' ');
	say(a, (unsigned)status, status_classify((unsigned)status)->reason);
}

static void answer_delay(struct origin_answer *a, const struct http_request *r, struct span argument)
{
	(void)r;
	if (origin_parse_duration(argument, &a->delay_ns)) {
		say(a, 400, "/delay/T: T is a whole number with a unit (ns us ms s m h), as in 250ms; at most 1h");
		return;
	}
	text_put_literal(&a->text, "waited ");
	text_put_span(&a->text, argument);
	say(a, 200, "");
}

static void answer_bytes(struct origin_answer *a, const struct http_request *r, struct span argument)
{
	char chunked[PARAMETER_BYTES];

	if (origin_parse_size(argument, &a->length)) {
		say(a, 400, "/bytes/N: N is a whole number with or without a unit (B KiB MiB GiB KB MB GB), as in 64KiB");
		return;
	}
	a->content = ORIGIN_CONTENT_FILL;
	a->type = "application/octet-stream";
	a->chunked = span_eq(http_query_value(r->query, SPAN("chunked"), chunked, sizeof(chunked)), SPAN("1"));
}

static void answer_drip(struct origin_answer *a, const struct http_request *r, struct span argument)
{
	char bytes_block[PARAMETER_BYTES], every_block[PARAMETER_BYTES];
	struct span bytes = http_query_value(r->query, SPAN("bytes"), bytes_block, sizeof(bytes_block));
	struct span every = http_query_value(r->query, SPAN("every"), every_block, sizeof(every_block));

	(void)argument;
	a->length = DRIP_BYTES;
	a->every_ns = DRIP_EVERY_NS;
	if ((bytes.n && origin_parse_size(bytes, &a->length)) || (every.n && origin_parse_duration(every, &a->every_ns))) {
		say(a, 400, "/drip?bytes=N&every=T: N as in /bytes, T as in /delay");
		return;
	}
	a->content = ORIGIN_CONTENT_DRIP;
	a->type = "text/plain; charset=utf-8";
}

static void put_lower(struct json *j, struct span name)
{
	char block[256];
	struct text lower;

	text_init_fixed(&lower, block, sizeof(block));
	for (size_t i = 0; i < MIN(name.n, sizeof(block)); i++)
		text_put_char(&lower, ascii_lower(name.p[i]));
	json_key_span(j, text_span(&lower));
}

/* Lines of one name are joined as RFC 9110 section 5.3 has it, where the first of them stands. */
static void put_fields(struct json *j, const struct http_fields *fields)
{
	struct text joined;

	text_init(&joined);
	json_begin_object(j);
	for (unsigned i = 0; i < fields->n; i++) {
		struct span name = fields->v[i].name;
		const struct http_field *line;

		if (http_fields_find(fields, name, 0) != &fields->v[i])
			continue;
		text_clear(&joined);
		for (unsigned nth = 0; (line = http_fields_find(fields, name, nth)); nth++) {
			if (nth)
				text_put_literal(&joined, ", ");
			text_put_span(&joined, line->value);
		}
		put_lower(j, name);
		json_span(j, text_span(&joined));
	}
	json_end_object(j);
	text_deinit(&joined);
}

static void begin_json(struct origin_answer *a)
{
	a->type = "application/json";
	json_init(&a->json, &a->text, 2);
	json_begin_object(&a->json);
}

static void end_json(struct origin_answer *a)
{
	json_end_object(&a->json);
	text_put_char(&a->text, '\n');
}

static void answer_headers(struct origin_answer *a, const struct http_request *r, struct span argument)
{
	(void)argument;
	begin_json(a);
	json_key(&a->json, "headers");
	put_fields(&a->json, &r->fields);
	end_json(a);
}

static void answer_echo(struct origin_answer *a, const struct http_request *r)
{
	a->echo = true;
	begin_json(a);
	json_member_span(&a->json, "method", r->method);
	json_member_span(&a->json, "target", r->target);
	json_member_span(&a->json, "path", r->path);
	if (r->has_query)
		json_member_span(&a->json, "query", r->query);
	json_member_u64(&a->json, "http_minor", r->minor);
	json_key(&a->json, "headers");
	put_fields(&a->json, &r->fields);
}

static void choose(struct origin_answer *a, const struct http_request *r)
{
	static const struct {
		struct span prefix;
		void (*answer)(struct origin_answer *a, const struct http_request *r, struct span argument);
		bool whole; /* the path ends here */
	} routes[] = {
		{ { "/status/", 8 }, answer_status, false },
		{ { "/delay/", 7 }, answer_delay, false },
		{ { "/bytes/", 7 }, answer_bytes, false },
		{ { "/drip", 5 }, answer_drip, true },
		{ { "/headers", 8 }, answer_headers, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!span_starts_with(r->path, routes[i].prefix) || (routes[i].whole && r->path.n > routes[i].prefix.n))
			continue;
		routes[i].answer(a, r, span_skip(r->path, routes[i].prefix.n));
		return;
	}
	answer_echo(a, r);
}

void origin_answer_begin(struct origin_answer *a, const struct http_request *r)
{
	a->head = r->method_id == HTTP_METHOD_HEAD;
	a->keep_alive = r->keep_alive;
	a->http_1_0 = r->minor == 0;
	/* A reflected request would show a browser's script what was kept from it (RFC 9110 section 9.3.8). */
	if (r->method_id == HTTP_METHOD_TRACE)
		say(a, 405, "TRACE is not served");
	else
		choose(a, r);
}

void origin_answer_refuse(struct origin_answer *a, enum http_error error)
{
	text_clear(&a->text);
	a->echo = false;
	a->content = ORIGIN_CONTENT_TEXT;
	a->delay_ns = 0;
	a->chunked = false;
	a->keep_alive = false;
	say(a, http_error_status(error), http_error_text(error));
}

void origin_answer_body(struct origin_answer *a, struct span piece)
{
	a->body_bytes += piece.n;
	if (a->echo)
		text_put_span(&a->body, span_first(piece, ORIGIN_ECHO_BODY_BYTES - a->body.n));
}

void origin_answer_end(struct origin_answer *a)
{
	if (a->echo) {
		json_member_u64(&a->json, "body_bytes", a->body_bytes);
		json_member_span(&a->json, "body", text_span(&a->body));
		end_json(a);
	}
	if (a->text.cut || a->body.cut) { /* memory is out */
		text_deinit(&a->text);
		a->status = 503;
		a->keep_alive = false;
	}
	if (a->content == ORIGIN_CONTENT_TEXT)
		a->length = a->text.n;
	a->until_close = a->chunked && a->http_1_0;
	a->chunked = a->chunked && !a->http_1_0;
	if (a->until_close && origin_answer_has_content(a))
		a->keep_alive = false;
}

/* ---- the head ---- */

static enum status_content content_rule(const struct origin_answer *a)
{
	return (enum status_content)status_classify(a->status)->content;
}

bool origin_answer_has_content(const struct origin_answer *a)
{
	return !a->head && content_rule(a) == STATUS_CONTENT_ALLOWED;
}

static void write_framing(const struct origin_answer *a, struct text *out)
{
	enum status_content rule = content_rule(a);

	if (rule == STATUS_CONTENT_FORBIDDEN)
		return;
	if (rule == STATUS_CONTENT_ALLOWED && a->type)
		http_write_field(out, SPAN("Content-Type"), span_of_string(a->type));
	if (rule == STATUS_CONTENT_ALLOWED && a->chunked) {
		text_put_literal(out, "Transfer-Encoding: chunked\r\n");
	} else if (rule == STATUS_CONTENT_EMPTY || !a->until_close) {
		text_put_literal(out, "Content-Length: ");
		text_put_u64(out, rule == STATUS_CONTENT_EMPTY ? 0 : a->length);
		text_put_literal(out, "\r\n");
	}
}

/* The fields that the code must have, where something true can be said. */
static void write_must_fields(const struct origin_answer *a, struct text *out)
{
	uint32_t must = status_classify(a->status)->must_fields;

	for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++) {
		const char *value = must >> i & 1 ? status_field_fill(a->status, (enum status_field)i) : NULL;

		if (value)
			http_write_field(out, span_of_string(status_field_name((enum status_field)i)), span_of_string(value));
	}
	if (a->status == 206 && a->length > 0) {
		text_put_literal(out, "Content-Range: bytes 0-");
		text_put_u64(out, a->length - 1);
		text_put_char(out, '/');
		text_put_u64(out, a->length);
		text_put_literal(out, "\r\n");
	}
}

void origin_answer_write_head(const struct origin_answer *a, int64_t unix_s, struct text *out)
{
	const char *reason = status_classify(a->status)->reason;
	char date[HTTP_DATE_BYTES];

	http_date_write(date, unix_s);
	text_put_literal(out, "HTTP/1.1 ");
	text_put_u64(out, a->status);
	text_put_char(out, ' ');
	text_put_string(out, reason);
	text_put_literal(out, "\r\n");
	http_write_field(out, SPAN("Date"), span_of(date, sizeof(date)));
	http_write_field(out, SPAN("Server"), SPAN("brownout-origin"));
	write_framing(a, out);
	write_must_fields(a, out);
	/* Upgrade is named by Connection (RFC 9110 section 7.8). */
	if (a->status == 426)
		text_put_literal(out, "Connection: upgrade\r\n");
	if (!a->keep_alive)
		text_put_literal(out, "Connection: close\r\n");
	else if (a->http_1_0)
		text_put_literal(out, "Connection: keep-alive\r\n");
	text_put_literal(out, "\r\n");
}
