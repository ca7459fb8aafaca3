/*
 * 31 every byte: each of the 256 bytes at each place of a request where the grammar changes (RFC 9112 sections 2 to 7). What
 * the grammar allows arrives exactly; what it forbids is refused, and no whole request reaches the upstream.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(every_byte, .timeout = 120);

enum verdict {
	REFUSED,
	PASSES, /* exactly as it came */
	PASSES_WITHOUT, /* as white space that has no meaning, or a zero before a number */
	UNTOLD, /* it makes another valid request: not looked at */
};

/* ---- what the grammar says of a byte, in its own words ---- */

static bool is_tchar(unsigned char b)
{
	return isalnum(b) || (b && strchr("!#$%&'*+-.^_`|~", b));
}

static enum verdict in_token(unsigned char b)
{
	return is_tchar(b) ? PASSES : REFUSED;
}

/* Visible ASCII but the fragment's sign: what RFC 3986 forbids beside is left to the upstream, as it came. */
static enum verdict in_target(unsigned char b)
{
	return b > 0x20 && b < 0x7f && b != '#' ? PASSES : REFUSED;
}

static enum verdict nothing(unsigned char b)
{
	(void)b;
	return REFUSED;
}

static enum verdict before_target(unsigned char b)
{
	return b == '/' ? PASSES : REFUSED;
}

/* With another byte of a token it is another field. */
static enum verdict behind_name(unsigned char b)
{
	return is_tchar(b) ? UNTOLD : REFUSED;
}

static enum verdict in_name(unsigned char b)
{
	return is_tchar(b) || b == ':' ? PASSES : REFUSED;
}

static enum verdict in_value(unsigned char b)
{
	return b == '\t' || (b >= 0x20 && b != 0x7f) ? PASSES : REFUSED;
}

static enum verdict in_host(unsigned char b)
{
	return isalnum(b) || (b && strchr("-._~!$&'()*+,;=%", b)) ? UNTOLD : REFUSED;
}

static enum verdict white_space(unsigned char b)
{
	return b == ' ' || b == '\t' ? PASSES_WITHOUT : REFUSED;
}

static enum verdict before_host(unsigned char b)
{
	return white_space(b) == REFUSED ? in_host(b) : PASSES_WITHOUT;
}

static enum verdict in_number(unsigned char b)
{
	return b == '0' ? PASSES_WITHOUT : isdigit(b) ? UNTOLD : REFUSED;
}

static enum verdict before_number(unsigned char b)
{
	return isdigit(b) ? in_number(b) : white_space(b);
}

static enum verdict behind_number(unsigned char b)
{
	return isdigit(b) ? UNTOLD : white_space(b);
}

static enum verdict before_size(unsigned char b)
{
	return b == '0' ? PASSES_WITHOUT : isxdigit(b) ? UNTOLD : REFUSED;
}

static enum verdict behind_size(unsigned char b)
{
	return isxdigit(b) ? UNTOLD : REFUSED;
}

static enum verdict in_extension(unsigned char b)
{
	return is_tchar(b) ? PASSES_WITHOUT : b == '=' || b == ';' ? PASSES_WITHOUT : REFUSED;
}

static enum verdict in_quotes(unsigned char b)
{
	return b == '"' || b == '\\' ? REFUSED : in_value(b) == PASSES ? PASSES_WITHOUT : REFUSED;
}

static enum verdict only_space(unsigned char b)
{
	return b == ' ' ? PASSES_WITHOUT : REFUSED;
}

static enum verdict only_point(unsigned char b)
{
	return b == '.' ? PASSES_WITHOUT : REFUSED;
}

static enum verdict only_cr(unsigned char b)
{
	return b == '\r' ? PASSES_WITHOUT : REFUSED;
}

static enum verdict only_lf(unsigned char b)
{
	return b == '\n' ? PASSES_WITHOUT : REFUSED;
}

/* ---- the places ---- */

#define REST " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST_HEAD "POST /odd HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST_HEAD "Transfer-Encoding: chunked\r\n\r\n"

struct place {
	const char *name;
	const char *before;
	const char *behind;
	enum verdict (*says)(unsigned char b);
	const char *seen_before; /* around the byte, at the upstream; NULL: not looked at */
	const char *seen_behind;
	const char *body; /* NULL: none */
};

static const struct place lines[] = {
	{ "before the method", "", "GET /odd" REST, in_token, "", "GET /odd ", NULL },
	{ "in the method", "G", "T /odd" REST, in_token, "G", "T /odd ", NULL },
	{ "behind the method", "GET", " /odd" REST, in_token, "GET", " /odd ", NULL },
	{ "before the target", "GET ", "/odd" REST, before_target, "GET ", "/odd ", NULL },
	{ "in the path", "GET /o", "d" REST, in_target, "GET /o", "d HTTP/1.1\r\n", NULL },
	{ "in the query", "GET /odd?o", "d" REST, in_target, "GET /odd?o", "d HTTP/1.1\r\n", NULL },
	{ "in place of the space before the version", "GET /odd", "HTTP/1.1\r\nHost: a\r\n\r\n", only_space, NULL, NULL, NULL },
	{ "before the version", "GET /odd ", "HTTP/1.1\r\nHost: a\r\n\r\n", nothing, NULL, NULL, NULL },
	{ "in place of the version's point", "GET /odd HTTP/1", "1\r\nHost: a\r\n\r\n", only_point, NULL, NULL, NULL },
	{ "behind the version", "GET /odd HTTP/1.1", "\r\nHost: a\r\n\r\n", nothing, NULL, NULL, NULL },
	{ "in place of the first CR", "GET /odd HTTP/1.1", "\nHost: a\r\n\r\n", only_cr, NULL, NULL, NULL },
	{ "in place of the first LF", "GET /odd HTTP/1.1\r", "Host: a\r\n\r\n", only_lf, NULL, NULL, NULL },
};

static const struct place fields[] = {
	{ "before the first name", "GET /odd HTTP/1.1\r\n", "X-A: b\r\nHost: a\r\n\r\n", in_token, "\r\n", "X-A: b\r\n",
		NULL },
	{ "in a name", "GET /odd HTTP/1.1\r\nHost: a\r\nX", "A: b\r\n\r\n", in_name, "\r\nX", "A: b\r\n", NULL },
	{ "behind a name", "GET /odd HTTP/1.1\r\nHost: a\r\nX", ": b\r\n\r\n", in_name, "\r\nX", ": b\r\n", NULL },
	{ "before a value", "GET /odd HTTP/1.1\r\nHost: a\r\nX-A:", "b\r\n\r\n", in_value, "\r\nX-A:", "b\r\n", NULL },
	{ "in a value", "GET /odd HTTP/1.1\r\nHost: a\r\nX-A: b", "c\r\n\r\n", in_value, "\r\nX-A: b", "c\r\n", NULL },
	{ "behind a value", "GET /odd HTTP/1.1\r\nHost: a\r\nX-A: b", "\r\n\r\n", in_value, "\r\nX-A: b", "\r\n", NULL },
	{ "before the host", "GET /odd HTTP/1.1\r\nHost:", "a\r\n\r\n", before_host, NULL, NULL, NULL },
	{ "in the host", "GET /odd HTTP/1.1\r\nHost: a", "b\r\n\r\n", in_host, NULL, NULL, NULL },
	{ "in place of the last CR", "GET /odd HTTP/1.1\r\nHost: a\r\n", "\n", only_cr, NULL, NULL, NULL },
	{ "in place of the last LF", "GET /odd HTTP/1.1\r\nHost: a\r\n\r", "", only_lf, NULL, NULL, NULL },
};

static const struct place framing[] = {
	{ "behind the name of the length", POST_HEAD "Content-Length", ": 5\r\n\r\nhello", behind_name, NULL, NULL, NULL },
	{ "before the length", POST_HEAD "Content-Length:", "5\r\n\r\nhello", before_number, NULL, NULL, "hello" },
	{ "in the length", POST_HEAD "Content-Length: 0", "5\r\n\r\nhello", in_number, NULL, NULL, "hello" },
	{ "behind the length", POST_HEAD "Content-Length: 5", "\r\n\r\nhello", behind_number, NULL, NULL, "hello" },
	{ "behind the name of the coding", POST_HEAD "Transfer-Encoding", ": chunked\r\n\r\n0\r\n\r\n", behind_name, NULL, NULL,
		NULL },
	{ "before the coding", POST_HEAD "Transfer-Encoding:", "chunked\r\n\r\n0\r\n\r\n", white_space, NULL, NULL, "" },
	{ "in the coding", POST_HEAD "Transfer-Encoding: chun", "ked\r\n\r\n0\r\n\r\n", nothing, NULL, NULL, NULL },
	{ "behind the coding", POST_HEAD "Transfer-Encoding: chunked", "\r\n\r\n0\r\n\r\n", white_space, NULL, NULL, "" },
};

static const struct place chunks[] = {
	{ "before a size", CHUNKED, "5\r\nhello\r\n0\r\n\r\n", before_size, NULL, NULL, "hello" },
	{ "behind a size", CHUNKED "5", "\r\nhello\r\n0\r\n\r\n", behind_size, NULL, NULL, NULL },
	{ "in place of a size's CR", CHUNKED "5", "\nhello\r\n0\r\n\r\n", only_cr, NULL, NULL, "hello" },
	{ "in place of a size's LF", CHUNKED "5\r", "hello\r\n0\r\n\r\n", only_lf, NULL, NULL, "hello" },
	{ "in an extension", CHUNKED "5;a", "b\r\nhello\r\n0\r\n\r\n", in_extension, NULL, NULL, "hello" },
	{ "in a quoted extension", CHUNKED "5;a=\"", "\"\r\nhello\r\n0\r\n\r\n", in_quotes, NULL, NULL, "hello" },
	{ "behind data", CHUNKED "5\r\nhello", "\r\n0\r\n\r\n", nothing, NULL, NULL, NULL },
	{ "in place of data's CR", CHUNKED "5\r\nhello", "\n0\r\n\r\n", only_cr, NULL, NULL, "hello" },
	{ "in place of data's LF", CHUNKED "5\r\nhello\r", "0\r\n\r\n", only_lf, NULL, NULL, "hello" },
	{ "before the last size", CHUNKED "5\r\nhello\r\n", "0\r\n\r\n", before_size, NULL, NULL, "hello" },
	{ "in place of the last size's CR", CHUNKED "5\r\nhello\r\n0", "\n\r\n", only_cr, NULL, NULL, "hello" },
	{ "in a trailer's name", CHUNKED "5\r\nhello\r\n0\r\nX", "A: b\r\n\r\n", in_name, "\r\nX", "A: b\r\n", "hello" },
	{ "in a trailer's value", CHUNKED "5\r\nhello\r\n0\r\nX-A: b", "c\r\n\r\n", in_value, "\r\nX-A: b", "c\r\n",
		"hello" },
	{ "in place of the last line's CR", CHUNKED "5\r\nhello\r\n0\r\n", "\n", only_cr, NULL, NULL, "hello" },
	{ "in place of the last line's LF", CHUNKED "5\r\nhello\r\n0\r\n\r", "", only_lf, NULL, NULL, "hello" },
};

/* ---- one byte at one place ---- */

static void send_byte(struct peer *client, const struct place *p, unsigned char b)
{
	struct bytes sent = { 0 };

	bytes_printf(&sent, "%s", p->before);
	bytes_put(&sent, &b, 1);
	bytes_printf(&sent, "%s", p->behind);
	peer_send_n(client, sent.p, sent.n);
	bytes_free(&sent);
}

static void expect_passes(struct rig *r, struct peer *client, const struct place *p, unsigned char b, bool with)
{
	struct message request, answer;
	struct bytes seen = { 0 };
	struct peer *upstream = rig_request(r, &request);

	if (with && p->seen_before) {
		bytes_printf(&seen, "%s", p->seen_before);
		bytes_put(&seen, &b, 1);
		bytes_printf(&seen, "%s", p->seen_behind);
		rig_check(r, memmem(upstream->in.p, upstream->in.n, seen.p, seen.n), "it arrived in another way");
	}
	expect_body(&request, p->body ? p->body : "");
	peer_send(upstream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
	message_read_answer(&answer, client, "GET");
	expect_status(&answer, 200);
	free_both(&request, &answer);
	bytes_free(&seen);
	peer_expect_end(upstream);
	peer_close(upstream);
}

/* A 4xx or 5xx of the program's own, or a close; what the upstream got, if anything, is no whole request. */
static void expect_refused(struct rig *r, struct peer *client)
{
	struct message answer;

	peer_shutdown(client);
	while (peer_read(client, PATIENCE_MS))
		continue;
	rig_check(r, client->ended || client->was_reset, "neither refused nor closed");
	if (peer_rest_n(client)) {
		message_read_answer(&answer, client, "GET");
		rig_check(r, answer.status >= 400 && message_field(&answer, "proxy-status"), "status %u", answer.status);
		message_free(&answer);
	}
	rig_check(r, !peer_rest_n(client), "a second answer");
}

/* A chunked request whose last chunk and empty line are missing, or nothing at all. */
static void expect_no_request(struct rig *r, const struct peer *upstream)
{
	const char *end = memmem(bytes_text(&upstream->in), upstream->in.n, "\r\n\r\n", 4);
	size_t head_n = end ? (size_t)(end + 4 - upstream->in.p) : 0;

	if (!upstream->in.n)
		return;
	rig_check(r, end && strstr(upstream->in.p, "\r\nTransfer-Encoding: chunked\r\n"), "a request reached the upstream");
	rig_check(r, upstream->in.n == head_n || strcmp(upstream->in.p + upstream->in.n - 4, "\r\n\r\n") != 0,
		"a whole request reached the upstream");
}

/* What came of a refused request at the upstream: nothing, or a part that was cut. */
static void look_at_parts(struct rig *r)
{
	struct peer *upstream;

	while ((upstream = rig_try_accept(r))) {
		while (peer_read(upstream, PATIENCE_MS))
			continue;
		rig_check(r, upstream->ended || upstream->was_reset, "the upstream's connection is still open");
		expect_no_request(r, upstream);
		upstream->taken = upstream->in.n;
		peer_close(upstream);
	}
}

static void try_bytes(struct rig *r, const struct place *p)
{
	static char context[96];

	r->context = context;
	for (unsigned b = 0; b < 256; b++) {
		enum verdict verdict = p->says((unsigned char)b);
		struct peer *client;

		snprintf(context, sizeof(context), "byte 0x%02x %s", b, p->name);
		if (verdict == UNTOLD)
			continue;
		client = rig_client(r);
		send_byte(client, p, (unsigned char)b);
		if (verdict == REFUSED)
			expect_refused(r, client);
		else
			expect_passes(r, client, p, (unsigned char)b, verdict == PASSES);
		look_at_parts(r);
		peer_close(client);
	}
}

static void try_places(const struct place *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rig r;

		/* The end of its stream must not spare the look at the request. */
		rig_start_with(&r, "limits: {half_close: true}\n");
		try_bytes(&r, &v[i]);
		rig_end(&r);
	}
}

Test(every_byte, of_lines)
{
	try_places(lines, sizeof(lines) / sizeof(lines[0]));
}

Test(every_byte, of_fields)
{
	try_places(fields, sizeof(fields) / sizeof(fields[0]));
}

Test(every_byte, of_framing)
{
	try_places(framing, sizeof(framing) / sizeof(framing[0]));
}

Test(every_byte, of_chunks)
{
	try_places(chunks, sizeof(chunks) / sizeof(chunks[0]));
}
