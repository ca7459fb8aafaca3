/*
 * answer: renders the answers of abort rules. The loader has checked status, names and values; here they become bytes.
 * Content-Length is always right and always ours; Cache-Control: no-store keeps caches from remembering a fault.
 */
#include "fault/answer.h"

#include <errno.h>
#include <stdlib.h>

#include "http/write.h"

static bool name_is(struct span name, const char *literal)
{
	return span_eq_nocase(name, span_of_string(literal));
}

static const struct fault_field *field_given(const struct fault_abort *abort, const char *name)
{
	for (unsigned i = 0; i < abort->n_fields; i++) {
		if (name_is(abort->fields[i].name, name))
			return &abort->fields[i];
	}
	return NULL;
}

static bool is_multipart(const struct fault_field *type)
{
	const struct span wanted = SPAN("multipart/byteranges");

	return type && span_eq_nocase(span_first(type->value, wanted.n), wanted);
}

static void put_body(struct text *t, const struct fault_abort *abort, struct span rule_name, struct span reason)
{
	if (abort->has_body) {
		text_put_span(t, abort->body);
		return;
	}
	text_put_u64(t, abort->status);
	text_put_char(t, ' ');
	text_put_span(t, reason);
	text_put_literal(t, "\nThis answer was injected by brownout, rule ");
	text_put_span(t, rule_name);
	text_put_literal(t, ".\n");
}

static void put_fields(struct text *t, const struct fault_abort *abort, size_t body_n, bool has_content, bool proxy_status)
{
	const struct span plain = SPAN("text/plain; charset=utf-8");

	for (unsigned i = 0; i < abort->n_fields; i++)
		http_write_field(t, abort->fields[i].name, abort->fields[i].value);
	if (!field_given(abort, "Cache-Control"))
		text_put_literal(t, "Cache-Control: no-store\r\n");
	if (proxy_status)
		text_put_literal(t, "Proxy-Status: brownout; error=proxy_internal_response\r\n");
	if (has_content && !field_given(abort, "Content-Type"))
		http_write_field(t, SPAN("Content-Type"), abort->has_body && abort->content_type.n ? abort->content_type : plain);
	if (has_content || body_n == SIZE_MAX) {
		text_put_literal(t, "Content-Length: ");
		text_put_u64(t, body_n == SIZE_MAX ? 0 : body_n);
		text_put_literal(t, "\r\n");
	}
}

/* The answer in brownout's own manner. */
static void put_plain(struct text *head, struct text *body, const struct fault_abort *abort, struct span rule_name,
	bool proxy_status)
{
	const struct status_info *info = status_classify(abort->status);
	struct span reason = abort->reason.n ? abort->reason : span_of_string(info ? info->reason : "");
	bool has_content = info && info->content == STATUS_CONTENT_ALLOWED;

	if (has_content)
		put_body(body, abort, rule_name, reason);
	text_put_literal(head, "HTTP/1.1 ");
	text_put_u64(head, abort->status);
	text_put_char(head, ' ');
	text_put_span(head, reason);
	text_put_literal(head, "\r\n");
	/* 205 says that it is empty; 204 and 304 must not or need not say so. */
	put_fields(head, abort, info && info->content == STATUS_CONTENT_EMPTY ? SIZE_MAX : body->n, has_content, proxy_status);
}

/* Both texts in one block that is the answer's. */
static int take(struct fault_answer *a, const struct text *head, const struct text *body)
{
	if (head->cut || body->cut)
		return -ENOMEM;
	a->memory = malloc(head->n + body->n);
	if (!a->memory)
		return -ENOMEM;
	memcpy(a->memory, head->p, head->n);
	if (body->n)
		memcpy(a->memory + head->n, body->p, body->n);
	a->head = span_of(a->memory, head->n);
	a->body = span_of(a->memory + head->n, body->n);
	return 0;
}

/* The bits of the fields in the head that the classifier knows. */
static uint32_t known_fields(struct span head)
{
	uint32_t bits = 0;
	size_t n;

	for (; head.n; head = span_skip(head, n + 1)) {
		struct span name = span_first(head, span_find(head, ':'));

		n = span_find(head, '\n');
		for (unsigned f = 0; f < STATUS_FIELD_COUNT; f++) {
			if (name_is(name, status_field_name((enum status_field)f)))
				bits |= UINT32_C(1) << f;
		}
	}
	return bits;
}

int fault_answer_init_abort(struct fault_answer *a, const struct fault_abort *abort, struct span rule_name, bool proxy_status)
{
	struct gateway_answer g = { .n_dates = 0 };
	int r;

	if (abort->profile) {
		gateway_render(&g, abort);
	} else {
		text_init(&g.head);
		text_init(&g.body);
		put_plain(&g.head, &g.body, abort, rule_name, proxy_status);
	}
	*a = (struct fault_answer){
		.shape = { .code = abort->status, .final = true, .content = g.body.n > 0 },
		.has_date = abort->profile || field_given(abort, "Date"),
		.upgrade = field_given(abort, "Upgrade") != NULL,
		.n_dates = g.n_dates,
		.closes = g.closes,
		.says_keep_alive = g.says_keep_alive,
		.lower_case = g.lower_case,
	};
	memcpy(a->dates, g.dates, sizeof(a->dates));
	r = take(a, &g.head, &g.body);
	a->shape.fields = known_fields(a->head);
	if (abort->retry_after.kind != RETRY_AFTER_NONE)
		a->shape.fields |= STATUS_FIELD_BIT(RETRY_AFTER);
	a->shape.multipart = is_multipart(field_given(abort, "Content-Type"));
	gateway_answer_deinit(&g);
	return r;
}

void fault_answer_deinit(struct fault_answer *a)
{
	free(a->memory);
	a->memory = NULL;
}

void fault_answer_put_head(struct text *out, const struct fault_answer *a, struct span date)
{
	size_t at = out->n;

	text_put_span(out, a->head);
	for (unsigned i = 0; i < a->n_dates && !out->cut; i++)
		memcpy(out->p + at + a->dates[i], date.p, MIN(date.n, (size_t)HTTP_DATE_BYTES));
}

void fault_answer_put_connection(struct text *out, const struct fault_answer *a, bool keep_alive, unsigned http_minor)
{
	bool says = !keep_alive || http_minor == 0 || a->says_keep_alive;

	if (!says && !a->upgrade)
		return;
	text_put_string(out, a->lower_case ? "connection: " : "Connection: ");
	if (says)
		text_put_string(out, keep_alive ? "keep-alive" : "close");
	if (a->upgrade)
		text_put_string(out, says ? ", upgrade" : "upgrade");
	text_put_literal(out, "\r\n");
}

static int64_t seconds_up(int64_t ns)
{
	return ns / NS_PER_S + (ns % NS_PER_S > 0);
}

void fault_answer_put_wait(struct text *out, enum retry_after_kind kind, int64_t wait_ns, int64_t unix_now_ns)
{
	char date[HTTP_DATE_BYTES];
	int64_t until_ns;

	if (wait_ns < 0 || (kind != RETRY_AFTER_SECONDS && kind != RETRY_AFTER_DATE))
		return;
	text_put_literal(out, "Retry-After: ");
	if (kind == RETRY_AFTER_SECONDS) {
		text_put_i64(out, seconds_up(wait_ns));
	} else {
		until_ns = wait_ns > INT64_MAX - unix_now_ns ? INT64_MAX : unix_now_ns + wait_ns;
		http_date_write(date, seconds_up(until_ns));
		text_put(out, date, sizeof(date));
	}
	text_put_literal(out, "\r\n");
}

void fault_answer_put_retry_after(struct text *out, const struct fault_abort *abort, int64_t retry_after_ns, int64_t unix_now_ns)
{
	if (abort->retry_after.kind == RETRY_AFTER_VERBATIM)
		http_write_field(out, SPAN("Retry-After"), abort->retry_after.text);
	else
		fault_answer_put_wait(out, abort->retry_after.kind, retry_after_ns, unix_now_ns);
}
