/*
 * write: heads as bytes. The fields of a received head lie one behind the other in one block, so what passes is copied
 * in as few pieces as there are gaps between dropped lines.
 */
#include "http/write.h"

#include "http/bytes.h"

void http_write_field(struct text *out, struct span name, struct span value)
{
	text_put_span(out, name);
	text_put_literal(out, ": ");
	text_put_span(out, value);
	text_put_literal(out, "\r\n");
}

void http_write_field_line(struct text *out, const struct http_field *f)
{
	if (f->rewritten)
		http_write_field(out, f->name, f->value);
	else
		text_put(out, f->name.p, (size_t)(f->line_end - f->name.p));
}

/* All lines that are not marked drop and whose id is not in `without`. */
static void write_fields(struct text *out, const struct http_fields *fields, uint64_t without)
{
	const char *run = NULL; /* lines that wait to be copied: [run, run_end) */
	const char *run_end = NULL;

	for (unsigned i = 0; i < fields->n; i++) {
		const struct http_field *f = &fields->v[i];

		if (f->drop || (without >> f->id) & 1)
			continue;
		if (f->name.p == run_end && !f->rewritten) {
			run_end = f->line_end;
			continue;
		}
		if (run)
			text_put(out, run, (size_t)(run_end - run));
		run = f->rewritten ? NULL : f->name.p;
		run_end = f->rewritten ? NULL : f->line_end;
		if (f->rewritten)
			http_write_field_line(out, f);
	}
	if (run)
		text_put(out, run, (size_t)(run_end - run));
}

/* "name: " and the values of all received lines of it, each followed by ", ". */
static void write_list_so_far(struct text *out, const struct http_fields *fields, enum http_field_id id, struct span name)
{
	text_put_span(out, name);
	text_put_literal(out, ": ");
	if (!http_fields_have(fields, id))
		return;
	for (unsigned i = 0; i < fields->n; i++) {
		const struct http_field *f = &fields->v[i];

		if (f->id != id || f->drop || f->value.n == 0)
			continue;
		text_put_span(out, f->value);
		text_put_literal(out, ", ");
	}
}

/* A parameter value of RFC 7239 section 4: a token as it is, else quoted. */
static void write_forwarded_value(struct text *out, struct span value)
{
	if (http_is_token(value)) {
		text_put_span(out, value);
		return;
	}
	text_put_char(out, '"');
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			text_put_char(out, '\\');
		text_put_char(out, value.p[i]);
	}
	text_put_char(out, '"');
}

/* True where a line of it is there that goes out. */
static bool passes(const struct http_fields *fields, enum http_field_id id)
{
	const struct http_field *f = http_fields_first(fields, id);

	return f && !f->drop;
}

/* Who asked, by the three fields in use and by the standard's one (RFC 7239). */
static void write_forwarded(struct text *out, const struct http_request *r, const struct http_forward_request *f)
{
	write_list_so_far(out, &r->fields, HTTP_FIELD_X_FORWARDED_FOR, SPAN("X-Forwarded-For"));
	text_put_span(out, f->client);
	text_put_literal(out, "\r\n");
	if (!passes(&r->fields, HTTP_FIELD_X_FORWARDED_PROTO) && f->proto.n)
		http_write_field(out, SPAN("X-Forwarded-Proto"), f->proto);
	if (!passes(&r->fields, HTTP_FIELD_X_FORWARDED_HOST) && r->authority.n)
		http_write_field(out, SPAN("X-Forwarded-Host"), r->authority);

	write_list_so_far(out, &r->fields, HTTP_FIELD_FORWARDED, SPAN("Forwarded"));
	text_put_literal(out, "for=");
	if (f->client_is_ipv6) {
		text_put_literal(out, "\"[");
		text_put_span(out, f->client);
		text_put_literal(out, "]\"");
	} else {
		write_forwarded_value(out, f->client);
	}
	if (r->authority.n) {
		text_put_literal(out, ";host=");
		write_forwarded_value(out, r->authority);
	}
	if (f->proto.n) {
		text_put_literal(out, ";proto=");
		text_put_span(out, f->proto);
	}
	text_put_literal(out, "\r\n");
}

/* The version is that of the message that came in: RFC 9110 section 7.6.3. */
static void write_via(struct text *out, unsigned minor, struct span pseudonym)
{
	if (pseudonym.n == 0)
		return;
	if (minor)
		text_put_literal(out, "Via: 1.1 ");
	else
		text_put_literal(out, "Via: 1.0 ");
	text_put_span(out, pseudonym);
	text_put_literal(out, "\r\n");
}

static bool is_kept(const struct http_kept *kept, struct span s)
{
	return span_eq(span_of(kept->p, kept->n), s);
}

static bool keep(struct http_kept *kept, struct span s)
{
	if (s.n > sizeof(kept->p))
		return false;
	kept->n = (uint8_t)s.n;
	if (s.n)
		memcpy(kept->p, s.p, s.n);
	return true;
}

static bool has_kept(const struct http_forwarded_lines *kept, const struct http_request *r, const struct http_forward_request *f)
{
	return kept->n && kept->minor == r->minor && is_kept(&kept->client, f->client) &&
		is_kept(&kept->authority, r->authority) && is_kept(&kept->proto, f->proto) && is_kept(&kept->via, f->via);
}

static void keep_lines(struct http_forwarded_lines *kept, const struct http_request *r, const struct http_forward_request *f,
	struct span lines)
{
	kept->n = 0;
	if (lines.n > sizeof(kept->p) || !keep(&kept->client, f->client) || !keep(&kept->authority, r->authority) ||
		!keep(&kept->proto, f->proto) || !keep(&kept->via, f->via))
		return;
	kept->minor = (uint8_t)r->minor;
	memcpy(kept->p, lines.p, lines.n);
	kept->n = (uint16_t)lines.n;
}

/* Forwarded, its older names, and Via: from where they are kept, unless the request brings some of its own. */
static void write_path(struct text *out, const struct http_request *r, const struct http_forward_request *f)
{
	const uint64_t own = HTTP_FIELD_BIT(X_FORWARDED_FOR) | HTTP_FIELD_BIT(X_FORWARDED_PROTO) |
		HTTP_FIELD_BIT(X_FORWARDED_HOST) | HTTP_FIELD_BIT(FORWARDED);
	bool keepable = f->kept && f->client.n && !(r->fields.seen & own);
	size_t before = out->n;

	if (keepable && LIKELY(has_kept(f->kept, r, f))) {
		text_put(out, f->kept->p, f->kept->n);
		return;
	}
	if (f->client.n)
		write_forwarded(out, r, f);
	write_via(out, r->minor, f->via);
	if (keepable && !out->cut)
		keep_lines(f->kept, r, f, span_of(out->p + before, out->n - before));
}

static void write_upgrade(struct text *out, const struct http_fields *fields)
{
	for (unsigned i = 0; i < fields->n; i++) {
		if (fields->v[i].id == HTTP_FIELD_UPGRADE)
			http_write_field_line(out, &fields->v[i]);
	}
}

static bool all_pass(struct span protocols)
{
	struct span element;

	while (span_next_element(&protocols, &element)) {
		if (element.n && !http_upgrade_passes(element))
			return false;
	}
	return true;
}

/* What is left of a line, if anything: never longer than it came. */
static void write_passing(struct text *out, const struct http_field *f)
{
	struct span rest = f->value;
	struct span element;
	bool any = false;

	while (span_next_element(&rest, &element)) {
		if (!http_upgrade_passes(element))
			continue;
		if (!any)
			text_put_span(out, f->name);
		text_put_string(out, any ? "," : ": ");
		text_put_span(out, element);
		any = true;
	}
	if (any)
		text_put_literal(out, "\r\n");
}

/* What may be asked for of what the client asks for. */
static void write_wanted_upgrade(struct text *out, const struct http_fields *fields)
{
	for (unsigned i = 0; i < fields->n; i++) {
		const struct http_field *f = &fields->v[i];

		if (f->id != HTTP_FIELD_UPGRADE)
			continue;
		if (LIKELY(all_pass(f->value)))
			http_write_field_line(out, f);
		else
			write_passing(out, f);
	}
}

/* OPTIONS with an absolute target that ends with its authority asks about the server: RFC 9112 section 3.2.4. */
static bool is_bare_options(const struct http_request *r)
{
	return r->method_id == HTTP_METHOD_OPTIONS && r->form == HTTP_TARGET_ABSOLUTE &&
		r->authority.p + r->authority.n == r->target.p + r->target.n;
}

static void write_request_line(struct text *out, const struct http_request *r, struct span path_prefix)
{
	text_put_span(out, r->method);
	text_put_char(out, ' ');
	if (r->form == HTTP_TARGET_ASTERISK || is_bare_options(r)) {
		text_put_char(out, '*');
	} else {
		text_put_span(out, path_prefix);
		text_put_span(out, r->path);
		if (r->has_query) {
			text_put_char(out, '?');
			text_put_span(out, r->query);
		}
	}
	text_put_literal(out, " HTTP/1.1\r\n");
}

/* Connection and the fields that it names. */
static void write_request_options(struct text *out, const struct http_request *r, const struct http_forward_request *f)
{
	if (f->upgrade)
		write_wanted_upgrade(out, &r->fields);
	if (f->te_trailers)
		text_put_literal(out, "TE: trailers\r\n");
	if (f->upgrade && f->te_trailers)
		text_put_literal(out, "Connection: upgrade, TE\r\n");
	else if (f->upgrade)
		text_put_literal(out, "Connection: upgrade\r\n");
	else if (f->te_trailers)
		text_put_literal(out, "Connection: TE\r\n");
}

void http_write_request_head(struct text *out, const struct http_request *r, const struct http_forward_request *f)
{
	bool host_passes = !f->host.n && r->form != HTTP_TARGET_ABSOLUTE && http_fields_have(&r->fields, HTTP_FIELD_HOST);
	uint64_t without = 0;

	write_request_line(out, r, f->path_prefix);
	if (!host_passes) {
		http_write_field(out, SPAN("Host"), f->host.n ? f->host : r->authority);
		without |= HTTP_FIELD_BIT(HOST);
	}
	if (f->client.n)
		without |= HTTP_FIELD_BIT(X_FORWARDED_FOR) | HTTP_FIELD_BIT(FORWARDED);
	if (f->chunked)
		without |= HTTP_FIELD_BIT(CONTENT_LENGTH);
	if (f->max_forwards >= 0)
		without |= HTTP_FIELD_BIT(MAX_FORWARDS);
	write_fields(out, &r->fields, without);

	write_path(out, r, f);
	if (f->max_forwards >= 0) {
		text_put_literal(out, "Max-Forwards: ");
		text_put_i64(out, f->max_forwards);
		text_put_literal(out, "\r\n");
	}
	write_request_options(out, r, f);
	if (f->chunked)
		text_put_literal(out, "Transfer-Encoding: chunked\r\n");
	text_put_span(out, f->extra);
	text_put_literal(out, "\r\n");
}

static void write_response_connection(struct text *out, const struct http_response *r, const struct http_forward_response *f)
{
	bool upgrade = f->upgrade && http_fields_have(&r->fields, HTTP_FIELD_UPGRADE);

	if (upgrade)
		write_upgrade(out, &r->fields);
	if (f->connection == HTTP_CONNECTION_DEFAULT && !upgrade)
		return;
	text_put_literal(out, "Connection: ");
	if (f->connection == HTTP_CONNECTION_CLOSE)
		text_put_literal(out, "close");
	else if (f->connection == HTTP_CONNECTION_KEEP_ALIVE)
		text_put_literal(out, "keep-alive");
	if (upgrade)
		text_put_string(out, f->connection == HTTP_CONNECTION_DEFAULT ? "upgrade" : ", upgrade");
	text_put_literal(out, "\r\n");
}

/* The space must stand even where no reason follows: RFC 9112 section 4. */
static void write_status_line(struct text *out, unsigned status, struct span reason)
{
	char start[] = "HTTP/1.1 000 ";

	for (unsigned i = 3; i > 0; i--, status /= 10)
		start[8 + i] = (char)('0' + status % 10);
	text_put(out, start, sizeof(start) - 1);
	text_put_span(out, reason);
	text_put_literal(out, "\r\n");
}

void http_write_response_head(struct text *out, const struct http_response *r, const struct http_forward_response *f)
{
	write_status_line(out, r->status, r->reason);
	write_fields(out, &r->fields, f->drop_length || f->chunked ? HTTP_FIELD_BIT(CONTENT_LENGTH) : 0);
	if (f->date.n && !passes(&r->fields, HTTP_FIELD_DATE))
		http_write_field(out, SPAN("Date"), f->date);
	write_via(out, r->minor, f->via);
	write_response_connection(out, r, f);
	if (f->chunked)
		text_put_literal(out, "Transfer-Encoding: chunked\r\n");
	text_put_span(out, f->extra);
	text_put_literal(out, "\r\n");
}

static void put_digits(char *p, int64_t v, int n)
{
	while (n-- > 0) {
		p[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date_write(char *p, int64_t unix_s)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* from 1 January 1970 on */
	static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
	int64_t s = unix_s % 86400 < 0 ? unix_s % 86400 + 86400 : unix_s % 86400;
	int64_t day = (unix_s - s) / 86400;
	int64_t weekday = (day % 7 + 7) % 7;
	/* The calendar as if years began in March: leap days come last, and 400 years are 146097 days. */
	int64_t since_0000_march = day + 719468;
	int64_t era = (since_0000_march >= 0 ? since_0000_march : since_0000_march - 146096) / 146097;
	int64_t day_of_era = since_0000_march - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	memcpy(p, "Thu, 00 Mar 0000 00:00:00 GMT", HTTP_DATE_BYTES);
	memcpy(p, days + 3 * weekday, 3);
	put_digits(p + 5, day_of_year - (153 * month + 2) / 5 + 1, 2);
	memcpy(p + 8, months + 3 * month, 3);
	put_digits(p + 12, year_of_era + era * 400 + (month >= 10), 4);
	put_digits(p + 17, s / 3600, 2);
	put_digits(p + 20, s / 60 % 60, 2);
	put_digits(p + 23, s % 60, 2);
}
