/*
 * expect: what a test expects of a message or of a line of the log; see rig.h. Each says both what came and what should have.
 */
#include <stdio.h>
#include <string.h>

#include "harness/rig.h"

void expect_status_at(const struct message *m, unsigned status, const char *file, int line)
{
	if (m->status != status)
		rig_fail_at(m->peer->rig, file, line, "status %u, %u was expected", m->status, status);
}

void expect_field_at(const struct message *m, const char *name, const char *list, const char *file, int line)
{
	const char *found = message_field_count(m, name) ? message_list(m, name) : NULL;

	if ((found == NULL) != (list == NULL) || (found && strcmp(found, list) != 0))
		rig_fail_at(m->peer->rig, file, line, "%s is \"%s\", \"%s\" was expected", name, found ? found : "(none)",
			list ? list : "(none)");
}

void expect_body_at(const struct message *m, const char *body, const char *file, int line)
{
	if (m->body.n != strlen(body) || memcmp(bytes_text(&m->body), body, m->body.n) != 0)
		rig_fail_at(m->peer->rig, file, line, "the body is \"%s\", \"%s\" was expected", bytes_text(&m->body), body);
}

void expect_line_at(const struct message *m, const char *text, const char *file, int line)
{
	if (strcmp(m->line, text) != 0)
		rig_fail_at(m->peer->rig, file, line, "the start line is \"%s\", \"%s\" was expected", m->line, text);
}

void expect_error_at(const struct message *m, const char *error, const char *file, int line)
{
	const char *list = message_list(m, "proxy-status");
	char parameter[80];

	snprintf(parameter, sizeof(parameter), "error=%s", error);
	if (strncmp(list, "brownout", 8) != 0 || !strstr(list, parameter))
		rig_fail_at(m->peer->rig, file, line, "Proxy-Status is \"%s\", %s was expected", list, parameter);
}

void expect_log_at(struct rig *r, unsigned number, const char *key, const char *value, const char *file, int line)
{
	const char *found = rig_log_value(rig_log_line(r, number), key);

	if (found ? !value || strcmp(found, value) != 0 : value != NULL)
		rig_fail_at(r, file, line, "the log has %s=%s, not %s: %s", key, found ? found : "(none)",
			value ? value : "(none)", rig_log_line(r, number));
}

void expect_get_at(struct peer *client, const char *path, unsigned status, const char *file, int line)
{
	struct message answer;

	peer_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	message_read_answer(&answer, client, "GET");
	expect_status_at(&answer, status, file, line);
	message_free(&answer);
}

void expect_failure_at(struct peer *client, const char *method, unsigned status, const char *error, const char *file, int line)
{
	struct message answer;

	message_read_answer(&answer, client, method);
	expect_status_at(&answer, status, file, line);
	expect_error_at(&answer, error, file, line);
	expect_field_at(&answer, "x-brownout", NULL, file, line);
	if (!message_field(&answer, "date"))
		rig_fail_at(client->rig, file, line, "no Date");
	if (strcmp(method, "HEAD") != 0 && !answer.body.n)
		rig_fail_at(client->rig, file, line, "no word about what went wrong");
	message_free(&answer);
}
