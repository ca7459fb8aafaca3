/*
 * peer: one end of a connection to the program under test, as client or as upstream. It sends exactly the bytes it is told
 * and records every byte in both directions. All waits are bounded (PATIENCE_MS); whatever is not as expected ends the
 * test through rig_fail, which shows the bytes of all peers. The order of calls in a test is the order on the wire, so
 * that a test is a script of both sides.
 */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include "harness/bytes.h"

struct rig;

struct peer {
	struct rig *rig;
	char name[24]; /* "client 1", "upstream 2" */
	int fd; /* -1: closed by us */
	struct bytes in; /* all received */
	size_t taken; /* how much of it has been looked at */
	struct bytes out; /* all sent */
	bool ended; /* FIN received */
	bool was_reset; /* RST received */
};

void peer_init(struct peer *p, struct rig *rig, int fd, const char *kind, unsigned number);
void peer_deinit(struct peer *p);

/* Sends all of it; waits where the other side does not read. A connection that breaks meanwhile fails the test. */
void peer_send(struct peer *p, const char *text);
void peer_send_n(struct peer *p, const void *data, size_t n);
void peer_printf(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One byte per segment. */
void peer_send_bytewise(struct peer *p, const char *text);
/* The same, in pieces of at most n bytes. */
void peer_send_pieces(struct peer *p, const char *text, size_t piece);
/* Sends what goes; a broken connection is fine. */
void peer_try_send(struct peer *p, const char *text);
void peer_try_send_n(struct peer *p, const void *data, size_t n);
/* Sends what the socket takes without waiting; returns how much. */
size_t peer_try_send_now(struct peer *p, const void *data, size_t n);

void peer_shutdown(struct peer *p); /* FIN, reading goes on */
void peer_close(struct peer *p);
void peer_reset(struct peer *p); /* RST */

/* Reads what is there, waiting at most this long for something new. False where nothing came. */
bool peer_read(struct peer *p, int timeout_ms);

/* The bytes received that were not taken yet. */
const char *peer_rest(const struct peer *p);
size_t peer_rest_n(const struct peer *p);
/* Waits for n bytes and takes them; the result lives until the next read. */
const char *peer_take(struct peer *p, size_t n);
/* Waits for a line and takes it with its CRLF; returns it without, the caller's to free. A bare LF or CR fails the test. */
char *peer_take_line(struct peer *p);

/* The next bytes are exactly these. */
void peer_expect(struct peer *p, const char *text);
/* No byte is left, and the other side closes: by FIN; by RST; either way. */
void peer_expect_fin(struct peer *p);
void peer_expect_reset(struct peer *p);
void peer_expect_end(struct peer *p);
/* Nothing comes for so long. */
void peer_expect_silence(struct peer *p, int ms);

#endif
