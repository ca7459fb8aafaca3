/*
 * tls: connections that are protected (OpenSSL), as the client of an upstream or as a listener's server. A context is what all
 * connections of one of these share, and belongs to any thread; a struct tls is one connection's, and lives and dies with its
 * conn.
 *
 * What is encrypted and the socket does not take is kept here, a record and little more: conn sends it on when there is room.
 */
#ifndef BROWNOUT_NET_TLS_H
#define BROWNOUT_NET_TLS_H

#include "base/span.h"
#include "net/conn.h"

struct tls;
struct tls_context;

/* Of a client. Texts in PEM (RFC 7468). */
struct tls_settings {
	struct span ca; /* who may vouch for the far end; empty: the system's */
	struct span certificate; /* what this side shows where it is asked, with its chain; empty: nothing */
	struct span key; /* of the certificate; empty: in the same text */
	bool verify; /* the far end must be who it is called */
};

/* Of a server. The same. */
struct tls_server_settings {
	struct span certificate; /* with its chain */
	struct span key; /* empty: in the same text */
	struct span client_ca; /* who may vouch for clients, which must show a certificate then; empty: none is asked for */
};

#define TLS_ERROR_BYTES 256

/* 0; negative: error (of TLS_ERROR_BYTES) says what is wrong with what. The texts are not needed any more after it. */
int tls_context_new(struct tls_context **context, const struct tls_settings *settings, char *error) MUST_USE;
int tls_context_new_server(struct tls_context **context, const struct tls_server_settings *settings, char *error) MUST_USE;
void tls_context_free(struct tls_context *context); /* connections that were made with it go on */

/*
 * The client's side, for a far end that is called `name` (a host's name or a numeric address: what its certificate must say, RFC
 * 9525). NULL: no memory. The caller's until conn_protect.
 */
struct tls *tls_new(const struct tls_context *context, const char *name);
/* The server's side. The same. */
struct tls *tls_new_server(const struct tls_context *context);
void tls_free(struct tls *tls);

enum tls_handshake {
	TLS_DONE,
	TLS_WAIT, /* for the far end */
	TLS_CERTIFICATE, /* the far end's is not to be trusted */
	TLS_ALERT, /* the far end has refused */
	TLS_FAILED, /* anything else: not TLS, nothing in common, the connection ended */
};

/* From now on all that conn_read and conn_write move is protected by tls, which is conn's. Before the first byte. */
void conn_protect(struct conn *c, struct tls *tls);
/* Goes on with the handshake, once the connection stands. What is neither DONE nor WAIT is final. */
enum tls_handshake tls_handshake(struct conn *c);
/* The far end has said anything at all: whoever has not may only have wanted to know whether somebody listens. */
bool tls_has_heard(const struct conn *c);
/* Why it failed, for a log. Static, or as long as the conn. */
const char *tls_problem(const struct conn *c);

/*
 * Nothing is taken, but what a read would tell otherwise is known then: whether there is anything, the end, a failure. A farewell
 * has no edge of its own that tells it from content.
 */
void tls_look(struct conn *c);

/* conn's own: as its functions of the same names. */
ssize_t tls_read(struct conn *c, void *p, size_t n) MUST_USE;
ssize_t tls_write(struct conn *c, const void *p, size_t n) MUST_USE;
ssize_t tls_writev(struct conn *c, const struct iovec *iov, int n) MUST_USE;
void tls_shutdown_write(struct conn *c);
/* What was kept goes out, as far as the socket takes it: what CONN_WRITABLE means is settled. */
void tls_flush(struct conn *c);
/* Bytes that were kept. */
size_t tls_kept(const struct tls *tls);
/*
 * Frees. By a close, says farewell first where there is room for it; a reset must not look like an end. What was kept is lost:
 * whoever closes does not wait for it.
 */
void tls_close(struct conn *c, enum conn_end how);

#endif
