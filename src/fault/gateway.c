/*
 * gateway: from the rows of gateway_profiles to bytes.
 */
#include "fault/gateway.h"

#include "core/random.h"
#include "core/status.h"
#include "fault/gateway_profiles.h"
#include "http/write.h"

static const struct {
	const char *name;
	int64_t timeout_ns;
	unsigned timeout_status;
	const char *unsure;
} gateways[GATEWAY_COUNT] = {
#define GATEWAY(id, name, timeout_ns, timeout_status, unsure) [GATEWAY_##id] = { name, timeout_ns, timeout_status, unsure },
#include "core/gateways.def"
#undef GATEWAY
};

const char *gateway_name(enum gateway g)
{
	return gateways[g].name;
}

const char *gateway_unsure(enum gateway g)
{
	return gateways[g].unsure;
}

int64_t gateway_timeout_ns(enum gateway g)
{
	return gateways[g].timeout_ns;
}

unsigned gateway_timeout_status(enum gateway g)
{
	return gateways[g].timeout_status;
}

/* ---- one answer ---- */

/* What the places in a template stand for. */
struct values {
	const struct fault_abort *abort;
	struct span reason; /* the gateway's own, in its page */
	const char *text;
	struct span type;
	size_t length;
	uint64_t id;
};

static const char *text_of(const struct gateway_text *texts, unsigned status)
{
	for (; texts && texts->text; texts++) {
		if (texts->status == status || texts->status == 0)
			return texts->text;
	}
	return NULL;
}

static bool has_code(const uint16_t *codes, unsigned status)
{
	for (; codes && *codes; codes++) {
		if (*codes == status)
			return true;
	}
	return false;
}

/* Ids of any length are cut from words of one stream: equal in all places of an answer. */
static uint64_t id_word(const struct values *v, uint64_t i)
{
	return random_hash(v->id, span_of((const char *)&i, sizeof(i)));
}

static void put_uuid(struct text *out, const struct values *v)
{
	char block[40];
	struct text hex;

	text_init_fixed(&hex, block, sizeof(block));
	text_put_hex(&hex, id_word(v, 3), 16);
	text_put_hex(&hex, id_word(v, 4), 16);
	for (unsigned i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			text_put_char(out, '-');
		text_put_char(out, block[i]);
	}
}

/* One place. Dates and texts are not its business. */
static void put_value(struct text *out, const struct values *v, char what)
{
	switch (what) {
	case 'c':
		text_put_u64(out, v->abort->status);
		break;
	case 'r':
		text_put_span(out, v->reason);
		break;
	case 'm':
		text_put_span(out, v->type);
		break;
	case 'n':
		text_put_u64(out, v->length);
		break;
	case 'g':
		text_put_hex(out, id_word(v, 1), 16);
		text_put_hex(out, id_word(v, 0), 16);
		break;
	case 'h':
		text_put_hex(out, id_word(v, 0), 16);
		break;
	case 'x':
		text_put_u64(out, 10000 + id_word(v, 2) % 90000);
		break;
	case 'u':
		put_uuid(out, v);
		break;
	default:
		break;
	}
}

static void put_text(struct text *out, const struct values *v, struct span template_)
{
	for (size_t i = 0; i < template_.n; i++) {
		if (template_.p[i] != '$' || i + 1 == template_.n)
			text_put_char(out, template_.p[i]);
		else
			put_value(out, v, template_.p[++i]);
	}
}

static void put_page(struct text *out, const struct values *v, const char *page)
{
	const char *place;

	while ((place = strstr(page, "$t")) != NULL) {
		put_text(out, v, span_of(page, (size_t)(place - page)));
		if (v->text)
			put_text(out, v, span_of_string(v->text));
		else
			text_put_span(out, v->reason);
		page = place + 2;
	}
	put_text(out, v, span_of_string(page));
}

static bool is_given(const struct fault_abort *abort, struct span name)
{
	for (unsigned i = 0; i < abort->n_fields; i++) {
		if (span_eq_nocase(abort->fields[i].name, name))
			return true;
	}
	return false;
}

/* Does the gateway's own line of this name stand? */
static bool line_stands(const struct values *v, struct span name, enum status_content content)
{
	if (is_given(v->abort, name))
		return false;
	if (span_eq_nocase(name, SPAN("Retry-After")))
		return v->abort->retry_after.kind == RETRY_AFTER_NONE;
	if (span_eq_nocase(name, SPAN("Content-Type")))
		return v->length > 0;
	if (span_eq_nocase(name, SPAN("Content-Length")))
		return content != STATUS_CONTENT_FORBIDDEN;
	return true;
}

static void put_line(struct gateway_answer *a, const struct values *v, struct span line)
{
	if (span_eq(span_skip(line, line.n - 2), SPAN("$d"))) {
		text_put_span(&a->head, span_first(line, line.n - 2));
		if (a->n_dates < GATEWAY_DATES_MAX)
			a->dates[a->n_dates++] = a->head.n;
		text_put_literal(&a->head, "Thu, 01 Jan 1970 00:00:00 GMT");
	} else {
		put_text(&a->head, v, line);
	}
	text_put_literal(&a->head, "\r\n");
}

static void put_fields(struct gateway_answer *a, const struct values *v, const struct gateway_profile *p,
	enum status_content content)
{
	const struct status_info *info = status_classify(v->abort->status);
	const char *fields = p->fields;
	bool tells_caches = false;

	for (const char *end; (end = strstr(fields, "\r\n")) != NULL; fields = end + 2) {
		struct span line = span_of(fields, (size_t)(end - fields));
		struct span name = span_first(line, span_find(line, ':'));

		if (!line_stands(v, name, content))
			continue;
		tells_caches |= span_eq_nocase(name, SPAN("Cache-Control"));
		put_line(a, v, line);
	}
	/* The rule's own content has a type where the gateway's has none. */
	if (v->length && !*p->type && !is_given(v->abort, SPAN("Content-Type")))
		http_write_field(&a->head, SPAN("Content-Type"), v->type);
	for (unsigned i = 0; i < v->abort->n_fields; i++)
		http_write_field(&a->head, v->abort->fields[i].name, v->abort->fields[i].value);
	/* Some codes are stored unless told otherwise: a fault would outlive itself. */
	if (info && info->cacheable && !tells_caches && !is_given(v->abort, SPAN("Cache-Control")))
		text_put_string(&a->head, a->lower_case ? "cache-control: no-store\r\n" : "Cache-Control: no-store\r\n");
}

void gateway_render(struct gateway_answer *out, const struct fault_abort *abort)
{
	const struct gateway_profile *p = gateway_profile((enum gateway)(abort->profile - 1));
	const struct status_info *info = status_classify(abort->status);
	enum status_content content = info ? (enum status_content)info->content : STATUS_CONTENT_FORBIDDEN;
	const char *reason = text_of(p->reasons, abort->status);
	bool paged = !p->paged || has_code(p->paged, abort->status);
	struct values v = {
		.abort = abort,
		.text = text_of(p->texts, abort->status),
		.type = span_of_string(p->type),
		.id = abort->number + UINT64_C(1),
	};

	*out = (struct gateway_answer){
		.closes = p->closes || has_code(p->closing, abort->status),
		.says_keep_alive = p->says_keep_alive,
		.lower_case = p->lower_case,
	};
	text_init(&out->head);
	text_init(&out->body);
	if (!reason)
		reason = info && (paged || abort->status < 300 || abort->status == 304) ? info->reason : "";
	v.reason = span_of_string(reason);
	if (abort->has_body)
		v.type = abort->content_type.n ? abort->content_type : SPAN("text/plain; charset=utf-8");
	if (content == STATUS_CONTENT_ALLOWED && abort->has_body)
		text_put_span(&out->body, abort->body);
	else if (content == STATUS_CONTENT_ALLOWED && paged)
		put_page(&out->body, &v, p->page);
	v.length = out->body.n;
	text_put_literal(&out->head, "HTTP/1.1 ");
	text_put_u64(&out->head, abort->status);
	text_put_char(&out->head, ' ');
	text_put_span(&out->head, abort->reason.n ? abort->reason : v.reason);
	text_put_literal(&out->head, "\r\n");
	put_fields(out, &v, p, content);
}

void gateway_answer_deinit(struct gateway_answer *a)
{
	text_deinit(&a->head);
	text_deinit(&a->body);
}

/* ---- for people ---- */

static void put_codes(struct text *out, const struct gateway_profile *p)
{
	text_put_string(out, p->closes ? "; the connection ends" : "; the connection stays");
	for (unsigned i = 0; p->closing && p->closing[i]; i++) {
		text_put_string(out, i ? ", " : ", but not after ");
		text_put_u64(out, p->closing[i]);
	}
}

static void put_names(struct text *out, const char *fields)
{
	bool first = true;

	for (const char *end; (end = strstr(fields, "\r\n")) != NULL; fields = end + 2, first = false) {
		struct span line = span_of(fields, (size_t)(end - fields));

		if (!first)
			text_put_literal(out, ", ");
		text_put_span(out, span_first(line, span_find(line, ':')));
	}
}

static void put_reasons(struct text *out, const struct gateway_text *reasons)
{
	if (!reasons)
		return;
	text_put_literal(out, "\n    reasons: ");
	for (unsigned i = 0; reasons[i].text; i++) {
		if (i)
			text_put_literal(out, ", ");
		text_put_u64(out, reasons[i].status);
		text_put_char(out, ' ');
		text_put_string(out, reasons[i].text);
	}
}

void gateway_write_reference(struct text *out)
{
	for (unsigned g = 0; g < GATEWAY_COUNT; g++) {
		const struct gateway_profile *p = gateway_profile((enum gateway)g);

		text_put_string(out, gateways[g].name);
		if (gateways[g].timeout_ns) {
			text_put_literal(out, "\n    timeout: ");
			text_put_i64(out, gateways[g].timeout_ns / NS_PER_S);
			text_put_literal(out, " s, then ");
		} else {
			text_put_literal(out, "\n    timeout: none by default; where one is set ");
		}
		text_put_u64(out, gateways[g].timeout_status);
		put_codes(out, p);
		text_put_literal(out, "\n    fields: ");
		put_names(out, p->fields);
		text_put_literal(out, "\n    content: ");
		text_put_string(out, *p->type ? p->type : "none");
		put_reasons(out, p->reasons);
		text_put_literal(out, "\n    not known for sure: ");
		text_put_string(out, gateways[g].unsure);
		text_put_literal(out, "\n\n");
	}
}
