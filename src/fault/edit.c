/*
 * edit: heads as rules want them. Everything is decided by names: a line stands unless an edit that comes later takes it away.
 */
#include "fault/edit.h"

#include "core/status.h"
#include "http/write.h"

#define FRAMING                                                                                                                 \
	(HTTP_FIELD_BIT(CONNECTION) | HTTP_FIELD_BIT(CONTENT_LENGTH) | HTTP_FIELD_BIT(KEEP_ALIVE) |                             \
	 HTTP_FIELD_BIT(PROXY_CONNECTION) | HTTP_FIELD_BIT(TE) | HTTP_FIELD_BIT(TRAILER) | HTTP_FIELD_BIT(TRANSFER_ENCODING) |  \
	 HTTP_FIELD_BIT(UPGRADE))
#define OF_REQUEST (FRAMING | HTTP_FIELD_BIT(EXPECT) | HTTP_FIELD_BIT(MAX_FORWARDS) | HTTP_FIELD_BIT(HOST))

/* The edits, and the fields (bits of ids) that they must leave alone. */
struct edits {
	const struct fault_edit *const *v;
	unsigned n;
	uint64_t untouchable;
};

static bool may_touch(const struct edits *e, struct span name)
{
	return !((e->untouchable >> http_field_id_of(name)) & 1);
}

static bool has_field(const struct fault_field *fields, unsigned n, struct span name)
{
	for (unsigned i = 0; i < n; i++) {
		if (span_eq_nocase(fields[i].name, name))
			return true;
	}
	return false;
}

/* The content brings its own type, unless the same edit sets one by name. */
static bool brings_type(const struct fault_edit *edit)
{
	return edit->has_body && edit->content_type.n && !has_field(edit->set, edit->n_set, SPAN("Content-Type"));
}

/* Does this edit take away the lines of that name that were there before it? */
static bool takes(const struct fault_edit *edit, struct span name)
{
	for (unsigned i = 0; i < edit->n_remove; i++) {
		if (span_eq_nocase(edit->remove[i], name))
			return true;
	}
	return has_field(edit->set, edit->n_set, name) || (brings_type(edit) && span_eq_nocase(name, SPAN("Content-Type")));
}

static bool is_taken_from(const struct edits *e, unsigned first, struct span name)
{
	for (unsigned i = first; i < e->n; i++) {
		if (takes(e->v[i], name))
			return true;
	}
	return false;
}

static void drop_taken(const struct edits *e, struct http_fields *fields)
{
	for (unsigned i = 0; i < fields->n; i++) {
		struct http_field *f = &fields->v[i];

		if (!((e->untouchable >> f->id) & 1) && is_taken_from(e, 0, f->name))
			f->drop = true;
	}
}

static void put_lines(const struct edits *e, unsigned at, const struct fault_field *fields, unsigned n, struct text *extra)
{
	for (unsigned i = 0; i < n; i++) {
		if (may_touch(e, fields[i].name) && !is_taken_from(e, at + 1, fields[i].name))
			http_write_field(extra, fields[i].name, fields[i].value);
	}
}

static void put_all_lines(const struct edits *e, struct text *extra)
{
	for (unsigned i = 0; i < e->n; i++) {
		const struct fault_edit *edit = e->v[i];

		put_lines(e, i, edit->set, edit->n_set, extra);
		if (brings_type(edit) && !is_taken_from(e, i + 1, SPAN("Content-Type")))
			http_write_field(extra, SPAN("Content-Type"), edit->content_type);
		put_lines(e, i, edit->add, edit->n_add, extra);
	}
}

/* The lines of that name that the edits leave in the head, received or new. */
static bool stands(const struct edits *e, const struct http_fields *fields, struct span name)
{
	const struct http_field *f;

	for (unsigned i = 0; (f = http_fields_find(fields, name, i)) != NULL; i++) {
		if (!f->drop)
			return true;
	}
	for (unsigned i = 0; i < e->n; i++) {
		const struct fault_edit *edit = e->v[i];

		if ((has_field(edit->set, edit->n_set, name) || has_field(edit->add, edit->n_add, name)) &&
			!is_taken_from(e, i + 1, name))
			return true;
	}
	return false;
}

/* ---- requests ---- */

static struct span last_host(const struct fault_field *fields, unsigned n, struct span so_far)
{
	for (unsigned i = 0; i < n; i++) {
		if (span_eq_nocase(fields[i].name, SPAN("Host")))
			so_far = fields[i].value;
	}
	return so_far;
}

void fault_edit_request(const struct fault_edit *const *edits, unsigned n, struct http_request *r, struct text *extra,
	struct span *host)
{
	const struct edits e = { edits, n, OF_REQUEST };

	drop_taken(&e, &r->fields);
	put_all_lines(&e, extra);
	for (unsigned i = 0; i < n; i++) {
		if (edits[i]->path.n) /* of an asterisk nothing is made of it */
			r->path = edits[i]->path;
		/* A request has one Host: adding to it is setting it. */
		*host = last_host(edits[i]->set, edits[i]->n_set, *host);
		*host = last_host(edits[i]->add, edits[i]->n_add, *host);
	}
}

/* ---- responses ---- */

static void drop_field(struct http_fields *fields, struct span name)
{
	for (unsigned i = 0; i < fields->n; i++) {
		if (span_eq_nocase(fields->v[i].name, name))
			fields->v[i].drop = true;
	}
}

/* What was said of content that does not go out any more. */
static void drop_description(struct http_fields *fields)
{
	static const char *const describing[] = { "Content-Encoding", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified",
		"Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "Trailer" };

	for (unsigned i = 0; i < ARRAY_LEN(describing); i++)
		drop_field(fields, span_of_string(describing[i]));
}

static void put_length(struct text *extra, uint64_t length)
{
	text_put_literal(extra, "Content-Length: ");
	text_put_u64(extra, length);
	text_put_literal(extra, "\r\n");
}

/* The fields that the new status demands, where nobody gave them and a value is known that tells no lie. */
static void fill_demanded(const struct edits *e, const struct http_response *r, struct text *extra)
{
	const struct status_info *info = status_classify(r->status);

	for (unsigned f = 0; info && f < STATUS_FIELD_COUNT; f++) {
		struct span name = span_of_string(status_field_name((enum status_field)f));
		const char *value = status_field_fill(r->status, (enum status_field)f);

		if (!((info->must_fields >> f) & 1) || !value || !may_touch(e, name) || stands(e, &r->fields, name))
			continue;
		http_write_field(extra, name, span_of_string(value));
	}
}

static void set_status(struct http_response *r, unsigned status)
{
	const struct status_info *info = status_classify(status);

	r->status = status;
	r->reason = span_of_string(info ? info->reason : "");
	if (status != 206 && status != 416)
		drop_field(&r->fields, SPAN("Content-Range"));
}

/* No content: the length of none is said where it may be said and would be missed. */
static void set_no_content(struct http_response *r, enum http_method to, struct text *extra)
{
	bool is_silent = status_forbids_length(r->status) || r->status == 304 || to == HTTP_METHOD_HEAD;

	drop_field(&r->fields, SPAN("Content-Length"));
	r->body = is_silent ? HTTP_BODY_NONE : HTTP_BODY_LENGTH;
	r->body_length = 0;
	if (!is_silent)
		put_length(extra, 0);
}

static void set_content(struct http_response *r, enum http_method to, struct span body, struct text *extra)
{
	drop_description(&r->fields);
	drop_field(&r->fields, SPAN("Content-Length"));
	put_length(extra, body.n);
	r->body = to == HTTP_METHOD_HEAD ? HTTP_BODY_NONE : HTTP_BODY_LENGTH;
	r->body_length = to == HTTP_METHOD_HEAD ? 0 : body.n;
}

struct fault_edited fault_edit_response(const struct fault_edit *const *edits, unsigned n, enum http_method to,
	struct http_response *r, struct text *extra)
{
	const struct edits e = { edits, n, FRAMING };
	struct fault_edited result = { .replaces = false };
	const struct status_info *info;
	unsigned status = 0;

	drop_taken(&e, &r->fields);
	put_all_lines(&e, extra);
	for (unsigned i = 0; i < n; i++) {
		const struct fault_edit *edit = edits[i];

		status = edit->status ? edit->status : status;
		result.names_date |= takes(edit, SPAN("Date")) || has_field(edit->add, edit->n_add, SPAN("Date"));
		if (edit->has_body) {
			result.replaces = true;
			result.body = edit->body;
		}
	}
	if (!status && result.replaces && r->status == 206)
		status = 200;
	if (status)
		set_status(r, status);
	info = status_classify(r->status);
	if (info && info->content != STATUS_CONTENT_ALLOWED) {
		result.replaces = status != 0 && r->body != HTTP_BODY_NONE;
		result.body = SPAN_EMPTY;
		if (status)
			set_no_content(r, to, extra);
	} else if (result.replaces) {
		set_content(r, to, result.body, extra);
		if (to == HTTP_METHOD_HEAD)
			result.body = SPAN_EMPTY;
	} else if (r->body == HTTP_BODY_NONE && to != HTTP_METHOD_HEAD) {
		/* There was no content to be had (204, 304), and its end would be looked for. */
		set_no_content(r, to, extra);
	}
	if (status)
		fill_demanded(&e, r, extra);
	return result;
}
