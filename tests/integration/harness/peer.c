/*
 * peer: see peer.h.
 */
#include "harness/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/program.h"
#include "harness/rig.h"

#define PEER_BLOCK_BYTES 65536

void peer_init(struct peer *p, struct rig *rig, int fd, const char *kind, unsigned number)
{
	*p = (struct peer){ .rig = rig, .fd = fd };
	snprintf(p->name, sizeof(p->name), "%s %u", kind, number);
}

void peer_deinit(struct peer *p)
{
	peer_close(p);
	bytes_free(&p->in);
	bytes_free(&p->out);
}

/* n bytes, or fewer where the connection broke. */
static size_t send_some(struct peer *p, const char *data, size_t n)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	size_t sent = 0;

	while (sent < n) {
		struct pollfd poller = { .fd = p->fd, .events = POLLOUT };
		ssize_t got = send(p->fd, data + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (got > 0) {
			bytes_put(&p->out, data + sent, (size_t)got);
			sent += (size_t)got;
			continue;
		}
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			break;
		if (now_ms() > until_ms)
			rig_fail(p->rig, "%s: %zu bytes are not taken", p->name, n - sent);
		poll(&poller, 1, 100);
	}
	return sent;
}

void peer_send_n(struct peer *p, const void *data, size_t n)
{
	if (p->fd < 0)
		rig_fail(p->rig, "%s: sends after its own close", p->name);
	if (send_some(p, data, n) < n)
		rig_fail(p->rig, "%s: the connection broke while sending: %s", p->name, strerror(errno));
}

void peer_send(struct peer *p, const char *text)
{
	peer_send_n(p, text, strlen(text));
}

void peer_printf(struct peer *p, const char *format, ...)
{
	struct bytes b = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vprintf(&b, format, args);
	va_end(args);
	peer_send_n(p, b.p, b.n);
	bytes_free(&b);
}

void peer_send_pieces(struct peer *p, const char *text, size_t piece)
{
	for (size_t n = strlen(text); n > 0;) {
		size_t now = n < piece ? n : piece;

		peer_send_n(p, text, now);
		text += now;
		n -= now;
		usleep(200); /* time for the other side to read this piece alone */
	}
}

void peer_send_bytewise(struct peer *p, const char *text)
{
	peer_send_pieces(p, text, 1);
}

void peer_try_send(struct peer *p, const char *text)
{
	peer_try_send_n(p, text, strlen(text));
}

void peer_try_send_n(struct peer *p, const void *data, size_t n)
{
	(void)send_some(p, data, n);
}

size_t peer_try_send_now(struct peer *p, const void *data, size_t n)
{
	ssize_t got = send(p->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (got <= 0)
		return 0;
	bytes_put(&p->out, data, (size_t)got);
	return (size_t)got;
}

void peer_shutdown(struct peer *p)
{
	shutdown(p->fd, SHUT_WR);
}

void peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void peer_reset(struct peer *p)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	peer_close(p);
}

bool peer_read(struct peer *p, int timeout_ms)
{
	static char block[PEER_BLOCK_BYTES];
	struct pollfd poller = { .fd = p->fd, .events = POLLIN };
	ssize_t n;

	if (p->fd < 0)
		rig_fail(p->rig, "%s: reads after its own close", p->name);
	if (p->ended || p->was_reset)
		return false;
	if (poll(&poller, 1, timeout_ms) <= 0)
		return false;
	n = recv(p->fd, block, sizeof(block), MSG_DONTWAIT);
	if (n > 0)
		bytes_put(&p->in, block, (size_t)n);
	else if (n == 0)
		p->ended = true;
	else if (errno == ECONNRESET || errno == EPIPE)
		p->was_reset = true;
	else if (errno != EAGAIN && errno != EINTR)
		rig_fail(p->rig, "%s: recv: %s", p->name, strerror(errno));
	return true;
}

const char *peer_rest(const struct peer *p)
{
	return bytes_text(&p->in) + p->taken;
}

size_t peer_rest_n(const struct peer *p)
{
	return p->in.n - p->taken;
}

/* Waits for something new; fails the test where nothing comes, `awaited` says what for. */
static void read_more(struct peer *p, long long until_ms, const char *awaited)
{
	long long left_ms = until_ms - now_ms();

	if (p->was_reset)
		rig_fail(p->rig, "%s: reset while waiting for %s", p->name, awaited);
	if (p->ended)
		rig_fail(p->rig, "%s: closed while waiting for %s", p->name, awaited);
	if (left_ms <= 0)
		rig_fail(p->rig, "%s: no %s in %d ms", p->name, awaited, PATIENCE_MS);
	peer_read(p, (int)left_ms);
}

const char *peer_take(struct peer *p, size_t n)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	const char *found;

	while (peer_rest_n(p) < n)
		read_more(p, until_ms, "bytes");
	found = peer_rest(p);
	p->taken += n;
	return found;
}

char *peer_take_line(struct peer *p)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	const char *line;
	const char *end;
	char *copy;

	while (!(end = memchr(peer_rest(p), '\n', peer_rest_n(p))))
		read_more(p, until_ms, "line");
	line = peer_rest(p);
	if (end == line || end[-1] != '\r')
		rig_fail(p->rig, "%s: received a bare LF", p->name);
	if (memchr(line, '\r', (size_t)(end - 1 - line)) || memchr(line, 0, (size_t)(end - line)))
		rig_fail(p->rig, "%s: received a bare CR or a NUL in a line", p->name);
	copy = strndup(line, (size_t)(end - 1 - line));
	p->taken += (size_t)(end + 1 - line);
	return copy;
}

void peer_expect(struct peer *p, const char *text)
{
	size_t n = strlen(text);
	const char *found = peer_take(p, n);

	if (memcmp(found, text, n) != 0)
		rig_fail(p->rig, "%s: other bytes than \"%s\"", p->name, text);
}

void peer_expect_end(struct peer *p)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	while (!p->ended && !p->was_reset && peer_rest_n(p) == 0) {
		if (now_ms() > until_ms)
			rig_fail(p->rig, "%s: not closed in %d ms", p->name, PATIENCE_MS);
		peer_read(p, 100);
	}
	if (peer_rest_n(p))
		rig_fail(p->rig, "%s: %zu bytes where the end should be", p->name, peer_rest_n(p));
}

void peer_expect_fin(struct peer *p)
{
	peer_expect_end(p);
	if (p->was_reset)
		rig_fail(p->rig, "%s: RST, FIN was expected", p->name);
}

void peer_expect_reset(struct peer *p)
{
	peer_expect_end(p);
	if (!p->was_reset)
		rig_fail(p->rig, "%s: FIN, RST was expected", p->name);
}

void peer_expect_silence(struct peer *p, int ms)
{
	long long until_ms = now_ms() + ms;

	do {
		peer_read(p, (int)(until_ms - now_ms()) > 0 ? (int)(until_ms - now_ms()) : 0);
		if (peer_rest_n(p) || p->ended || p->was_reset)
			rig_fail(p->rig, "%s: %s where silence should be", p->name,
				peer_rest_n(p) ? "bytes" : p->ended ? "FIN" : "RST");
	} while (now_ms() < until_ms);
}
