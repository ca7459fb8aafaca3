/*
 * head: reads lines and field sections. Knows the grammar of RFC 9112 sections 2 and 5, not what any field means.
 */
#include "http/head.h"

#include "http/bytes.h"

int http_read_line_end(struct http_reader *in, enum http_error otherwise)
{
	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	if (*in->p != '\r')
		return http_reader_fail(in, *in->p == '\n' ? HTTP_ERROR_BARE_LF : otherwise);
	if (in->end - in->p < 2)
		return HTTP_PARSE_MORE;
	if (in->p[1] != '\n')
		return http_reader_fail(in, HTTP_ERROR_BARE_CR);
	in->p += 2;
	return HTTP_PARSE_OK;
}

int http_read_version(struct http_reader *in, enum http_error otherwise, unsigned *minor)
{
	static const char pattern[] = "HTTP/9.9"; /* 9: any digit */
	const char *p = in->p;

	/* What nearly every message says, in one comparison. */
	if (LIKELY((size_t)(in->end - p) >= sizeof(pattern) - 1 && memcmp(p, "HTTP/1.1", sizeof(pattern) - 1) == 0)) {
		*minor = 1;
		in->p += sizeof(pattern) - 1;
		return HTTP_PARSE_OK;
	}
	for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
		if (p + i == in->end)
			return HTTP_PARSE_MORE;
		if (pattern[i] == '9' ? !ascii_is_digit(p[i]) : p[i] != pattern[i])
			return http_reader_fail(in, p[i] == '\n' ? HTTP_ERROR_BARE_LF : i < 5 ? otherwise : HTTP_ERROR_VERSION);
	}
	if (p[5] == '0') /* there is no HTTP/0.x with a version in its first line */
		return http_reader_fail(in, HTTP_ERROR_VERSION);
	*minor = p[5] != '1' ? 2 : p[7] == '0' ? 0 : 1;
	in->p += sizeof(pattern) - 1;
	return HTTP_PARSE_OK;
}

/* What follows a field name is no colon: white space and then a colon passes where lenient; the rest says what is wrong. */
static int pass_space_before_colon(struct http_reader *in, bool lenient)
{
	const char *at = in->p;
	int rc;

	while (at < in->end && http_byte_is_space(*at))
		at++;
	if (at == in->end)
		return HTTP_PARSE_MORE;
	if (*at == '\r' || *at == '\n') {
		in->p = at;
		rc = http_read_line_end(in, HTTP_ERROR_FIELD_NO_COLON);
		return rc == HTTP_PARSE_OK ? http_reader_fail(in, HTTP_ERROR_FIELD_NO_COLON) : rc;
	}
	if (*at != ':')
		return http_reader_fail(in, HTTP_ERROR_FIELD_NAME);
	if (!lenient)
		return http_reader_fail(in, HTTP_ERROR_FIELD_SPACE_BEFORE_COLON);
	in->p = at;
	return HTTP_PARSE_OK;
}

/* What lies between, without white space around it. */
static struct span trimmed(const char *from, const char *to)
{
	while (from < to && http_byte_is_space(*from))
		from++;
	while (from < to && http_byte_is_space(to[-1]))
		to--;
	return span_of(from, (size_t)(to - from));
}

int http_read_field_line(struct http_reader *in, struct http_field *f, bool lenient)
{
	const char *name = in->p;
	const char *value;
	int rc;

	in->p = http_scan_token(name, in->end);
	if (in->p == in->end)
		return HTTP_PARSE_MORE;
	if (in->p == name)
		return http_reader_fail(in, *name == '\n' ? HTTP_ERROR_BARE_LF : HTTP_ERROR_FIELD_NAME);
	f->name = span_of(name, (size_t)(in->p - name));
	f->rewritten = false;
	if (*in->p != ':') {
		rc = pass_space_before_colon(in, lenient);
		if (rc)
			return rc;
		f->rewritten = true;
	}
	value = in->p + 1;
	in->p = http_scan_value(value, in->end);
	f->value = trimmed(value, in->p);
	rc = http_read_line_end(in, HTTP_ERROR_FIELD_VALUE);
	if (rc)
		return rc;
	f->line_end = in->p;
	f->id = (uint8_t)http_field_id_of(f->name);
	f->drop = (http_field_flags((enum http_field_id)f->id) & HTTP_FIELD_IS_HOP) != 0;
	return HTTP_PARSE_OK;
}

/*
 * The line at in->p continues the value of f. Its line break is overwritten with spaces: the line is fit to be
 * forwarded as it stands, and reading the same bytes again (after MORE) gives the same value.
 */
static int unfold(struct http_reader *in, struct http_field *f, char *line_end)
{
	int rc;

	line_end[-2] = ' ';
	line_end[-1] = ' ';
	in->p = http_scan_value(in->p, in->end);
	f->value = trimmed(f->value.p, in->p);
	rc = http_read_line_end(in, HTTP_ERROR_FIELD_VALUE);
	if (rc)
		return rc;
	f->line_end = in->p;
	return HTTP_PARSE_OK;
}

static void note_field(struct http_fields *fields, const struct http_field *f)
{
	uint64_t bit = UINT64_C(1) << f->id;

	fields->repeated |= fields->seen & bit;
	fields->seen |= bit;
}

int http_read_fields(struct http_reader *in, struct http_fields *fields, const char *from, char *writable)
{
	int rc;

	for (;;) {
		if (in->p == in->end)
			return HTTP_PARSE_MORE;
		if (*in->p == '\r')
			return http_read_line_end(in, HTTP_ERROR_BARE_CR);
		if (http_byte_is_space(*in->p)) {
			if (fields->n == 0)
				return http_reader_fail(in, HTTP_ERROR_LEADING_SPACE);
			if (!writable)
				return http_reader_fail(in, HTTP_ERROR_OBS_FOLD);
			rc = unfold(in, &fields->v[fields->n - 1], writable + (in->p - from));
			if (rc)
				return rc;
			continue;
		}
		if (fields->n == fields->cap)
			return http_reader_fail(in, HTTP_ERROR_TOO_MANY_FIELDS);
		rc = http_read_field_line(in, &fields->v[fields->n], writable != NULL);
		if (rc)
			return rc;
		note_field(fields, &fields->v[fields->n++]);
	}
}
