/*
 * odd: see odd.h.
 */
#include "harness/odd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POST_ODD "POST /odd HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
#define OLD_GET "GET /odd HTTP/1.0\r\nHost: a\r\n\r\n"
#define OK_NEXT "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnext"

/* One row being played. */
struct play {
	struct rig *r;
	const struct odd *row;
	enum odd_way way;
	struct peer *client; /* NULL: its connection is over */
	struct peer *upstream;
	char method[16];
	struct bytes heads; /* what the client got, without Date and Via */
	struct message answer;
};

/* Takes the line that begins so out of a head, unless the row looks at it. */
static void remove_line(struct bytes *b, const char *name, const struct odd *row)
{
	char *at = strstr(b->p, name);
	char *end = at ? strstr(at + 2, "\r\n") : NULL;

	if (!end || (row->head && strstr(row->head, name)))
		return;
	memmove(at, end, b->n - (size_t)(end - b->p) + 1);
	b->n -= (size_t)(end - at);
}

/* Reads heads up to the final one. */
static void read_heads(struct play *p)
{
	struct message *m = &p->answer;
	size_t from = p->client->taken;

	for (;;) {
		struct bytes head = { 0 };

		message_read_answer_head(m, p->client, p->method);
		bytes_put(&head, p->client->in.p + from, p->client->taken - from);
		remove_line(&head, "\r\nDate: ", p->row);
		remove_line(&head, "\r\nVia: ", p->row);
		bytes_put(&p->heads, head.p, head.n);
		bytes_free(&head);
		if (m->status >= 200 || m->status == 101)
			return;
		message_free(m);
		from = p->client->taken;
	}
}

static bool says(const struct message *answer, const char *error)
{
	char parameter[64];

	snprintf(parameter, sizeof(parameter), "error=%s", error + (*error == '.'));
	return answer->status == (*error == '.' ? 504 : 502) && strstr(message_list(answer, "proxy-status"), parameter);
}

static void end_or_keep(struct play *p)
{
	if (strcmp(message_list(&p->answer, "connection"), "close") != 0 && p->answer.framing != MESSAGE_UNTIL_CLOSE)
		return;
	if (p->answer.framing != MESSAGE_UNTIL_CLOSE)
		peer_expect_fin(p->client);
	p->client = NULL;
}

static void expect_answer_of_ours(struct play *p)
{
	rig_check(p->r, says(&p->answer, p->row->error), "status %u, Proxy-Status \"%s\", %s was expected", p->answer.status,
		message_list(&p->answer, "proxy-status"), p->row->error);
	message_read_body(&p->answer);
	end_or_keep(p);
}

static void expect_same(struct play *p, const struct bytes *found, const char *expected, const char *what)
{
	struct bytes text = { 0 };

	if (found->n == strlen(expected) && memcmp(bytes_text(found), expected, found->n) == 0)
		return;
	bytes_show(&text, bytes_text(found), found->n, "    is ");
	bytes_show(&text, expected, strlen(expected), "    not ");
	rig_fail(p->r, "other %s than expected\n%s", what, bytes_text(&text));
}

static void expect_whole(struct play *p)
{
	struct message *m = &p->answer;

	if (p->row->head && p->way != ODD_OLD_CLIENT)
		expect_same(p, &p->heads, p->row->head, "heads");
	rig_check(p->r, m->status == 101 || !m->n_trailers, "trailers before the body");
	message_read_body(m);
	/* HTTP/1.0 has no trailers to put them in. */
	for (unsigned i = 0; i < m->n_trailers; i++)
		bytes_printf(&m->body, "|%s: %s", m->trailers[i].name, m->trailers[i].value);
	if (p->way != ODD_OLD_CLIENT || !strchr(p->row->body, '|'))
		expect_same(p, &m->body, p->row->body, "bodies");
	end_or_keep(p);
}

/* Takes chunks apart as far as they go. True where the empty line behind the last one is there. */
static bool decode_chunks(const char *at, size_t n, struct bytes *content)
{
	const char *end = at + n;

	for (;;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t size;

		if (!line_end)
			return false;
		size = strtoul(at, NULL, 16);
		if (!size)
			return memmem(line_end - 1, (size_t)(end - line_end) + 1, "\r\n\r\n", 4);
		at = line_end + 1;
		if ((size_t)(end - at) < size + 2) {
			bytes_put(content, at, (size_t)(end - at) < size ? (size_t)(end - at) : size);
			return false;
		}
		bytes_put(content, at, size);
		at += size + 2;
	}
}

static void expect_cut(struct play *p)
{
	struct message *m = &p->answer;
	struct peer *client = p->client;
	struct bytes content = { 0 };

	while (peer_read(client, PATIENCE_MS))
		continue;
	rig_check(p->r, client->ended || client->was_reset, "the client's connection is still open");
	if (m->framing == MESSAGE_CHUNKED) {
		rig_check(p->r, !decode_chunks(peer_rest(client), peer_rest_n(client), &content), "the client got a last chunk");
	} else {
		bytes_put(&content, peer_rest(client), peer_rest_n(client));
		rig_check(p->r, m->framing != MESSAGE_UNTIL_CLOSE || client->was_reset, "the cut cannot be seen");
		rig_check(p->r, m->framing != MESSAGE_LENGTH || content.n < m->length, "the body is as long as it should be");
		rig_check(p->r, m->framing != MESSAGE_NO_BODY, "there is nothing to cut");
	}
	/* A reset may take bytes with it. */
	if (!client->was_reset && p->row->end != ODD_RST)
		expect_same(p, &content, p->row->body, "cut bodies");
	rig_check(p->r, content.n <= strlen(p->row->body) && strncmp(bytes_text(&content), p->row->body, content.n) == 0,
		"bytes that were not sent");
	client->taken = client->in.n;
	p->client = NULL;
	bytes_free(&content);
}

/* ---- the upstream's side ---- */

static void send_bytewise(struct peer *upstream, const struct odd *row)
{
	for (size_t i = 0; i < row->sent_n && !upstream->ended && !upstream->was_reset; i++) {
		peer_try_send_n(upstream, row->sent + i, 1);
		usleep(200); /* time for the program to look at this byte alone */
		peer_read(upstream, 0);
	}
}

void odd_end(struct peer *upstream, enum odd_end end)
{
	if (end == ODD_RST)
		peer_reset(upstream);
	else if (end == ODD_FIN)
		peer_shutdown(upstream);
}

static void answer_oddly(struct play *p)
{
	bool held = p->way == ODD_AT_ONCE;

	if (held)
		program_stop(&p->r->program);
	if (p->way == ODD_BYTEWISE)
		send_bytewise(p->upstream, p->row);
	else
		peer_try_send_n(p->upstream, p->row->sent, p->row->sent_n);
	odd_end(p->upstream, p->row->end);
	if (held)
		program_signal(&p->r->program, SIGCONT);
}

/* ---- the course of a row ---- */

static const char *request_of(const struct play *p)
{
	if (p->row->request)
		return p->row->request;
	return p->way == ODD_POST ? POST_ODD : p->way == ODD_OLD_CLIENT ? OLD_GET : GET("/odd");
}

static void ask(struct play *p)
{
	struct message request, answer;
	struct peer *kept = NULL;

	if (p->way == ODD_POST) {
		kept = rig_exchange(p->r, p->client, GET("/first"), OK_HI, &request, &answer);
		free_both(&request, &answer);
	}
	peer_send(p->client, request_of(p));
	snprintf(p->method, sizeof(p->method), "%.*s", (int)strcspn(request_of(p), " "), request_of(p));
	p->upstream = rig_request(p->r, &request);
	rig_check(p->r, strcmp(request.target, "/odd") == 0, "the upstream got %s", request.target);
	rig_check(p->r, !kept || p->upstream == kept, "not on the kept connection");
	message_free(&request);
}

static void look(struct play *p)
{
	read_heads(p);
	switch (p->row->outcome) {
	case ODD_PASSES:
		expect_whole(p);
		break;
	case ODD_FAILS:
		expect_answer_of_ours(p);
		break;
	case ODD_LATE:
		if (says(&p->answer, p->row->error)) {
			expect_answer_of_ours(p);
			break;
		}
		expect_cut(p);
		break;
	case ODD_CUT:
		expect_cut(p);
		break;
	}
	message_free(&p->answer);
	bytes_free(&p->heads);
}

/* What the row left behind: the next request has its own answer, and none came twice. */
static void ask_next(struct play *p)
{
	struct message request, answer;
	struct peer *upstream;

	if (!p->row->kept && p->upstream->fd >= 0) {
		peer_expect_end(p->upstream);
		peer_close(p->upstream);
	}
	if (!p->client)
		p->client = rig_client(p->r);
	upstream = rig_exchange(p->r, p->client, GET("/next"), OK_NEXT, &request, &answer);
	rig_check(p->r, strcmp(request.target, "/next") == 0, "the upstream got %s", request.target);
	rig_check(p->r, (upstream == p->upstream) == p->row->kept, "%s connection", p->row->kept ? "a new" : "the same");
	expect_status(&answer, 200);
	expect_body(&answer, "next");
	free_both(&request, &answer);
	peer_expect_end(upstream);
	peer_close(upstream);
}

static void check_log(struct play *p, unsigned line)
{
	const char *text = rig_log_line(p->r, line);
	const char *failure = rig_log_value(text, "failure");
	bool passes = p->row->outcome == ODD_PASSES;

	rig_check(p->r, strstr(rig_log_value(text, "target"), "/odd"), "line %u is of another request: %s", line, text);
	rig_check(p->r, passes == !failure, "the log says otherwise: %s", text);
	rig_check(p->r, p->row->outcome != ODD_FAILS || strcmp(failure, p->row->error + (*p->row->error == '.')) == 0,
		"the log says otherwise: %s", text);
}

void odd_play(struct rig *r, const struct odd *row, enum odd_way way, unsigned *line)
{
	struct play p = { .r = r, .row = row, .way = way };

	r->context = row->name;
	p.client = rig_client(r);
	ask(&p);
	answer_oddly(&p);
	look(&p);
	ask_next(&p);
	peer_close(p.client);
	check_log(&p, *line + (way == ODD_POST));
	*line += way == ODD_POST ? 3 : 2;
}

void odd_run(const struct odd *rows, size_t n, enum odd_way way, const char *yaml)
{
	struct rig r;
	unsigned line = 0;

	rig_start_with(&r, "%s", yaml ? yaml : "");
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].request || way != ODD_OLD_CLIENT)
			odd_play(&r, &rows[i], way, &line);
	}
	rig_expect_upstream_silence(&r, 50);
	rig_end(&r);
}
