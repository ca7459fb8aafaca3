/*
 * ask: see ask.h.
 */
#include "harness/ask.h"

#include <stdlib.h>
#include <string.h>

char *ask(struct rig *r, const char *method, const char *target, const char *type, const char *body, unsigned status)
{
	struct peer *client = rig_admin(r);
	struct message answer;
	char *said;

	r->context = target;
	peer_printf(client, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, target);
	if (type)
		peer_printf(client, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, strlen(body));
	peer_printf(client, "\r\n%s", type ? body : "");
	message_read_answer(&answer, client, method);
	expect_status(&answer, status);
	said = strdup(bytes_text(&answer.body));
	message_free(&answer);
	peer_close(client);
	return said;
}

void expect_ask(struct rig *r, const char *method, const char *target, const char *type, const char *body,
	unsigned status, const char *part)
{
	char *said = ask(r, method, target, type, body, status);

	rig_check(r, strstr(said, part), "%s is not in %s", part, said);
	free(said);
}

unsigned ask_status(struct rig *r, struct peer *client, const char *path)
{
	struct message request, answer;
	unsigned status;

	peer_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	if (!peer_read(client, 50)) {
		peer_send(rig_request(r, &request), OK_HI);
		message_free(&request);
	}
	message_read_answer(&answer, client, "GET");
	status = answer.status;
	message_free(&answer);
	return status;
}
