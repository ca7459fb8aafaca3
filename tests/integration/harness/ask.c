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

char *ask_until(struct rig *r, const char *target, const char *part)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	char *said;

	while (!strstr(said = ask(r, "GET", target, NULL, NULL, 200), part)) {
		rig_check(r, now_ms() < until_ms, "%s is not in %s", part, said);
		free(said);
		sleep_ms(20); /* each is one more peer of the rig */
	}
	return said;
}

unsigned ask_status(struct rig *r, struct peer *client, const char *path)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	struct message request, answer;
	unsigned status;

	peer_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	/* Whichever side speaks: an upstream gets the request, or the client its answer. */
	while (!peer_rest_n(client) && !client->ended && !client->was_reset) {
		rig_check(r, now_ms() < until_ms, "neither forwarded nor answered");
		if (rig_try_request(r, &request)) {
			peer_send(request.peer, OK_HI);
			message_free(&request);
			break;
		}
		peer_read(client, 1);
	}
	message_read_answer(&answer, client, "GET");
	status = answer.status;
	message_free(&answer);
	return status;
}
