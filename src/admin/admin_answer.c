/*
 * admin_answer: heads and errors.
 */
#include "admin/admin_answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/status.h"
#include "http/write.h"

#define ERROR_BYTES 512
/* What is no page is not shown as one. */
#define NO_POLICY "default-src 'none'; frame-ancestors 'none'"

void admin_answer_init(struct admin_answer *a)
{
	*a = (struct admin_answer){ .status = 200 };
	text_init(&a->body);
	text_init(&a->fields);
}

void admin_answer_deinit(struct admin_answer *a)
{
	text_deinit(&a->body);
	text_deinit(&a->fields);
}

struct json *admin_answer_begin_json(struct admin_answer *a)
{
	a->type = "application/json";
	text_clear(&a->body);
	json_init(&a->json, &a->body, 0);
	json_begin_object(&a->json);
	return &a->json;
}

void admin_answer_end_json(struct admin_answer *a)
{
	json_end_object(&a->json);
	text_put_char(&a->body, '\n');
}

void admin_answer_error(struct admin_answer *a, unsigned status, const char *format, ...)
{
	char text[ERROR_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	a->status = status;
	json_member_string(admin_answer_begin_json(a), "error", text);
	admin_answer_end_json(a);
}

struct span admin_answer_content(const struct admin_answer *a)
{
	return a->file.n ? a->file : text_span(&a->body);
}

void admin_answer_write_head(const struct admin_answer *a, unsigned minor, bool keep_alive, struct text *out)
{
	char date[HTTP_DATE_BYTES];

	http_date_write(date, clock_wall_ns() / NS_PER_S);
	text_put_literal(out, "HTTP/1.1 ");
	text_put_u64(out, a->status);
	text_put_char(out, ' ');
	text_put_string(out, status_classify(a->status)->reason);
	text_put_literal(out, "\r\n");
	http_write_field(out, SPAN("Date"), span_of(date, sizeof(date)));
	if (a->type)
		http_write_field(out, SPAN("Content-Type"), span_of_string(a->type));
	if (!a->streams && a->status != 204) {
		text_put_literal(out, "Content-Length: ");
		text_put_u64(out, admin_answer_content(a).n);
		text_put_literal(out, "\r\n");
	}
	text_put_literal(out, "Cache-Control: no-store\r\n"
			      "X-Content-Type-Options: nosniff\r\n"
			      "X-Frame-Options: DENY\r\n"
			      "Referrer-Policy: no-referrer\r\n"
			      "Cross-Origin-Opener-Policy: same-origin\r\n"
			      "Cross-Origin-Resource-Policy: same-origin\r\n");
	http_write_field(out, SPAN("Content-Security-Policy"), span_of_string(a->policy ? a->policy : NO_POLICY));
	text_put_span(out, text_span(&a->fields));
	if (!keep_alive)
		text_put_literal(out, "Connection: close\r\n");
	else if (minor == 0)
		text_put_literal(out, "Connection: keep-alive\r\n");
	text_put_literal(out, "\r\n");
}
