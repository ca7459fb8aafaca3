/*
 * message: see message.h.
 */
#include "harness/message.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "harness/rig.h"

#define TOKEN_PUNCTUATION "!#$%&'*+-.^_`|~"

static bool is_token(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)p[i]) && !strchr(TOKEN_PUNCTUATION, p[i]))
			return false;
	}
	return n > 0;
}

static void fail(const struct message *m, const char *what)
{
	rig_fail(m->peer->rig, "%s received a malformed message: %s", m->peer->name, what);
}

static void parse_field(struct message *m, struct message_field *f, const char *line)
{
	const char *colon = strchr(line, ':');
	const char *value;
	size_t n;

	if (!colon || !is_token(line, (size_t)(colon - line)))
		fail(m, line);
	for (const char *c = line; *c; c++) {
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			fail(m, "a control byte in a field line");
	}
	value = colon + 1 + strspn(colon + 1, " \t");
	n = strlen(value);
	while (n && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		n--;
	f->name = strndup(line, (size_t)(colon - line));
	f->value = strndup(value, n);
}

/* Field lines up to the empty one. Returns how many. */
static unsigned read_fields(struct message *m, struct message_field *v, unsigned max)
{
	unsigned n = 0;

	for (;;) {
		char *line = peer_take_line(m->peer);

		if (!*line) {
			free(line);
			return n;
		}
		if (n == max)
			fail(m, "more fields than the harness takes");
		parse_field(m, &v[n++], line);
		free(line);
	}
}

static void read_length(struct message *m)
{
	const char *value = message_field(m, "content-length");

	if (message_field_count(m, "content-length") > 1)
		fail(m, "more than one Content-Length");
	if (strspn(value, "0123456789") != strlen(value) || !*value || strlen(value) > 19)
		fail(m, "Content-Length is no number");
	m->framing = MESSAGE_LENGTH;
	m->length = strtoull(value, NULL, 10);
}

/* Framing that the fields alone tell; false where they tell nothing. */
static bool read_framing(struct message *m)
{
	const char *coding = message_field(m, "transfer-encoding");

	if (coding && message_field(m, "content-length"))
		fail(m, "both Transfer-Encoding and Content-Length");
	if (coding) {
		if (strcasecmp(coding, "chunked") != 0 || message_field_count(m, "transfer-encoding") > 1)
			fail(m, "a transfer coding other than chunked");
		if (m->minor == 0)
			fail(m, "Transfer-Encoding in HTTP/1.0");
		m->framing = MESSAGE_CHUNKED;
		return true;
	}
	if (message_field(m, "content-length")) {
		read_length(m);
		return true;
	}
	return false;
}

static void start(struct message *m, struct peer *p)
{
	*m = (struct message){ .peer = p };
	m->line = peer_take_line(p);
}

/* "HTTP/1.x" at the given place. */
static void parse_version(struct message *m, const char *p)
{
	if (strncmp(p, "HTTP/1.", 7) != 0 || (p[7] != '0' && p[7] != '1'))
		fail(m, "the version");
	m->minor = (unsigned)(p[7] - '0');
}

void message_read_request_head(struct message *m, struct peer *p)
{
	const char *first;
	const char *second;

	start(m, p);
	first = strchr(m->line, ' ');
	second = first ? strchr(first + 1, ' ') : NULL;
	if (!second || strchr(second + 1, ' ') || strlen(second + 1) != 8 || second == first + 1)
		fail(m, "the request line");
	if (!is_token(m->line, (size_t)(first - m->line)))
		fail(m, "the method");
	m->method = strndup(m->line, (size_t)(first - m->line));
	m->target = strndup(first + 1, (size_t)(second - first - 1));
	parse_version(m, second + 1);
	m->n_fields = read_fields(m, m->fields, MESSAGE_FIELDS_MAX);
	if (!read_framing(m))
		m->framing = MESSAGE_NO_BODY;
	if (message_field_count(m, "host") != 1)
		fail(m, "not exactly one Host");
}

void message_read_answer_head(struct message *m, struct peer *p, const char *to)
{
	const char *code;

	start(m, p);
	parse_version(m, m->line);
	code = m->line + 8;
	if (*code != ' ' || strspn(code + 1, "0123456789") != 3 || code[4] != ' ')
		fail(m, "the status line");
	m->status = (unsigned)strtoul(code + 1, NULL, 10);
	m->reason = strdup(code + 5);
	m->n_fields = read_fields(m, m->fields, MESSAGE_FIELDS_MAX);
	if (m->status < 200 || m->status == 204) {
		if (message_field(m, "content-length") || message_field(m, "transfer-encoding"))
			fail(m, "a 1xx or 204 with a framing field");
	} else if (m->status != 304 && strcmp(to, "HEAD") != 0) {
		if (!read_framing(m))
			m->framing = MESSAGE_UNTIL_CLOSE;
	}
}

static void read_chunks(struct message *m)
{
	for (;;) {
		char *line = peer_take_line(m->peer);
		size_t n = strspn(line, "0123456789abcdefABCDEF");
		unsigned long long size;

		if (n == 0 || n > 15 || line[n])
			fail(m, "a chunk size");
		size = strtoull(line, NULL, 16);
		free(line);
		if (size == 0)
			break;
		bytes_put(&m->body, peer_take(m->peer, size), size);
		m->n_chunks++;
		peer_expect(m->peer, "\r\n");
	}
	m->n_trailers = read_fields(m, m->trailers, sizeof(m->trailers) / sizeof(m->trailers[0]));
}

void message_read_body(struct message *m)
{
	switch (m->framing) {
	case MESSAGE_NO_BODY:
		break;
	case MESSAGE_LENGTH:
		bytes_put(&m->body, peer_take(m->peer, m->length), m->length);
		break;
	case MESSAGE_CHUNKED:
		read_chunks(m);
		break;
	case MESSAGE_UNTIL_CLOSE:
		while (peer_read(m->peer, 5000))
			continue;
		if (!m->peer->ended)
			fail(m, "a body until close without a FIN");
		bytes_put(&m->body, peer_rest(m->peer), peer_rest_n(m->peer));
		m->peer->taken = m->peer->in.n;
		break;
	}
}

void message_read_request(struct message *m, struct peer *p)
{
	message_read_request_head(m, p);
	message_read_body(m);
}

void message_read_answer(struct message *m, struct peer *p, const char *to)
{
	message_read_answer_head(m, p, to);
	message_read_body(m);
}

static void free_fields(struct message_field *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].value);
	}
}

void message_free(struct message *m)
{
	free(m->line);
	free(m->method);
	free(m->target);
	free(m->reason);
	free_fields(m->fields, m->n_fields);
	free_fields(m->trailers, m->n_trailers);
	bytes_free(&m->body);
	*m = (struct message){ 0 };
}

static const char *find(const struct message_field *v, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcasecmp(v[i].name, name) == 0)
			return v[i].value;
	}
	return NULL;
}

const char *message_field(const struct message *m, const char *name)
{
	return find(m->fields, m->n_fields, name);
}

const char *message_trailer(const struct message *m, const char *name)
{
	return find(m->trailers, m->n_trailers, name);
}

unsigned message_field_count(const struct message *m, const char *name)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n_fields; i++)
		n += strcasecmp(m->fields[i].name, name) == 0;
	return n;
}

const char *message_list(const struct message *m, const char *name)
{
	static char lists[4][4096];
	static unsigned next;
	char *list = lists[next++ % 4];
	size_t n = 0;

	list[0] = 0;
	for (unsigned i = 0; i < m->n_fields && n < sizeof(lists[0]); i++) {
		if (strcasecmp(m->fields[i].name, name) == 0)
			n += (size_t)snprintf(list + n, sizeof(lists[0]) - n, "%s%s", n ? ", " : "", m->fields[i].value);
	}
	return list;
}
