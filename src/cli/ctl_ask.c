/*
 * ctl_ask: asking, and saying what went wrong: with the places of errors in a rule, and with what to do where nobody listens.
 */
#include "cli/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/output.h"

#define LINE_BYTES 512

int ctl_fail(const struct ctl *c, int error)
{
	log_error("ctl: %s", c->client.error);
	return error == -EINVAL ? EXIT_CODE_USAGE : EXIT_CODE_FAILED;
}

/* "refused for 2 errors": what they are is in the details. */
static struct span without_the_first(struct span error)
{
	return span_first(error, MIN(span_find(error, ','), span_find(error, ':')));
}

/* "  4:13: error: rules[0].percentage: ..." */
static void put_details(struct text *out, const struct admin_value *details)
{
	for (size_t i = 0; i < admin_value_count(details); i++) {
		const struct admin_value *d = admin_value_at(details, i);
		uint64_t line = ctl_count(d, "line");

		text_put_literal(out, "  ");
		if (line)
			text_printf(out, "%llu:%llu: ", (unsigned long long)line,
				(unsigned long long)ctl_count(d, "column"));
		text_put_shown(out, ctl_text(d, "level"));
		text_put_literal(out, ": ");
		text_put_shown(out, ctl_text(d, "message"));
		text_put_char(out, '\n');
	}
}

/* What the caller has to change is wrong usage; anything else is a failure. */
int ctl_refuse(const struct admin_reply *reply)
{
	struct admin_value *v = admin_value_parse(text_span(&reply->body));
	const struct admin_value *details = admin_value_get(v, "details");
	struct span error = ctl_text(v, "error");
	struct text out;

	if (admin_value_count(details))
		error = without_the_first(error);
	text_init(&out);
	text_put_literal(&out, "brownout: error: ctl: ");
	if (error.n)
		text_put_shown(&out, error);
	else
		text_printf(&out, "an answer with status %u", reply->status);
	text_put_char(&out, '\n');
	put_details(&out, details);
	if (reply->status == 401)
		text_put_literal(&out, "brownout: info: ctl: --token TOKEN or BROWNOUT_TOKEN gives it\n");
	output_note(&out);
	admin_value_free(v);
	return reply->status >= 500 ? EXIT_CODE_FAILED : EXIT_CODE_USAGE;
}

int ctl_ask(struct ctl *c, const char *method, const char *target, const char *type, struct span body, struct admin_reply *reply)
{
	int r = admin_client_ask(&c->client, method, span_of_string(target), type, body, reply);
	int rc = EXIT_CODE_OK;

	if (r < 0)
		rc = ctl_fail(c, r);
	else if (reply->status < 200 || reply->status > 299)
		rc = ctl_refuse(reply);
	if (r == -ECONNREFUSED)
		log_info("ctl: brownout run --admin, or admin: in the rule file, makes it listen; --admin ADDRESS or "
			"BROWNOUT_ADMIN says where it does");
	if (rc != EXIT_CODE_OK)
		text_deinit(&reply->body);
	return rc;
}

int ctl_get(struct ctl *c, const char *target, struct admin_reply *reply, struct admin_value **value)
{
	int rc = ctl_ask(c, "GET", target, NULL, SPAN_EMPTY, reply);

	if (rc != EXIT_CODE_OK)
		return rc;
	*value = admin_value_parse(text_span(&reply->body));
	if (*value)
		return EXIT_CODE_OK;
	log_error("ctl: the answer to %s is no JSON", target);
	text_deinit(&reply->body);
	return EXIT_CODE_FAILED;
}

int ctl_say(struct ctl *c, struct admin_reply *reply, const char *format, ...)
{
	char line[LINE_BYTES];
	struct text out;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_init(&out);
	if (c->json) {
		text_put_span(&out, text_span(&reply->body));
	} else {
		text_put_string(&out, line);
		text_put_char(&out, '\n');
	}
	text_deinit(&reply->body);
	return output_write(&out);
}

int ctl_show(struct ctl *c, const char *target, const char *key, void (*put)(struct text *out, const struct admin_value *value))
{
	struct admin_reply reply;
	struct admin_value *value;
	struct text out;
	int rc = ctl_get(c, target, &reply, &value);

	if (rc != EXIT_CODE_OK)
		return rc;
	text_init(&out);
	if (c->json)
		text_put_span(&out, text_span(&reply.body));
	else
		put(&out, key ? admin_value_get(value, key) : value);
	admin_value_free(value);
	text_deinit(&reply.body);
	return output_write(&out);
}

struct span ctl_text(const struct admin_value *object, const char *key)
{
	return admin_value_text(admin_value_get(object, key));
}

uint64_t ctl_count(const struct admin_value *object, const char *key)
{
	return admin_value_u64(admin_value_get(object, key));
}

double ctl_number(const struct admin_value *object, const char *key)
{
	return admin_value_number(admin_value_get(object, key));
}

void ctl_put_encoded(struct text *out, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *name; name++) {
		if (strchr(plain, *name)) {
			text_put_char(out, *name);
		} else {
			text_put_char(out, '%');
			text_put_hex(out, (unsigned char)*name, 2);
		}
	}
}

void ctl_put_rule_path(struct text *out, const char *name)
{
	text_put_literal(out, "/v1/rules/");
	ctl_put_encoded(out, name);
}

void ctl_put_rate(struct text *out, double per_second)
{
	if (per_second >= 99950)
		text_printf(out, "%.0fk", per_second / 1e3);
	else if (per_second >= 9995)
		text_printf(out, "%.1fk", per_second / 1e3);
	else
		text_printf(out, "%.0f", per_second);
	text_put_literal(out, "/s");
}

void ctl_put_duration(struct text *out, double seconds)
{
	if (seconds >= 100)
		text_printf(out, "%.0f s", seconds);
	else if (seconds >= 1)
		text_printf(out, "%.2f s", seconds);
	else if (seconds >= 1e-3)
		text_printf(out, "%.1f ms", seconds * 1e3);
	else
		text_printf(out, "%.0f us", seconds * 1e6);
}
