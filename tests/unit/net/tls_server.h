/*
 * tls_server: both ends for the tests of tls, in one thread. The far one is OpenSSL's own server, driven step by step: between it
 * and the socket stand two buffers, so that the test says how fast bytes move, and may put others among them. The near one is a
 * conn with its owner. Certificates are made in memory.
 */
#ifndef BROWNOUT_TESTS_NET_TLS_SERVER_H
#define BROWNOUT_TESTS_NET_TLS_SERVER_H

#include <openssl/ssl.h>

#include "base/span.h"
#include "net/tls.h"

/* ---- identities ---- */

/* A certificate and its key. */
struct identity {
	X509 *certificate;
	EVP_PKEY *key;
	struct span text; /* the certificate in PEM */
	struct span key_text;
};

struct identity_settings {
	const char *names; /* subjectAltName, as OpenSSL's configuration writes it; NULL: none, it is an authority */
	const struct identity *issuer; /* NULL: itself */
	long days; /* until it expires, from now; 0: 1 */
};

void identity_make(struct identity *id, const char *common_name, const struct identity_settings *settings);
void identity_free(struct identity *id);
/* The key's text, so that it cannot be read without a password. The caller frees. */
struct span identity_locked_key(const struct identity *id);

/* ---- the far end ---- */

struct server {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out; /* from the socket, to the socket */
	int fd; /* -1 where closed */
	size_t pace; /* bytes that a step moves each way, at most */
	uint64_t took; /* bytes from the socket, in all */
	bool stands; /* the handshake is done */
	bool failed;
	bool ended; /* the socket's stream has ended, properly */
	bool reset; /* or otherwise */
};

struct server_settings {
	const struct identity *own;
	const struct identity *client_issuer; /* the client must show a certificate of this one; NULL: none is asked for */
	int version; /* TLS1_2_VERSION and so on, this one alone; 0: any */
};

/* fd is the server's. */
void server_init(struct server *s, int fd, const struct server_settings *settings);
void server_free(struct server *s);
/* Takes what is on the socket, goes on with the handshake, gives what is ready. Never waits. */
void server_step(struct server *s);
/* A step, then as conn_read: -EAGAIN; -EPROTO where the client has sent what the server does not take. */
ssize_t server_read(struct server *s, void *p, size_t n);
/* One record or more, for the next steps to send. */
void server_write(struct server *s, const void *p, size_t n);
/* The same of bytes that are not TLS. */
void server_write_raw(struct server *s, const void *p, size_t n);
/* Sends what is ready, without reading first: the client's bytes stay on the socket. */
void server_give(struct server *s);
/* Says farewell, and sends it. */
void server_shutdown(struct server *s);
void server_close(struct server *s);

/* ---- both ends ---- */

/* The owner of a connection: it waits until bits are there. */
struct owner {
	struct conn conn;
	struct task task;
	uint8_t wanted;
};

extern struct loop *loop;
extern struct owner owner;
extern struct tls_context *context;
extern struct server server;
extern struct identity ca, host; /* host is vouched for by ca, as api.test and 127.0.0.1 */

/* A connection that stands, and who they are; no context and no server yet (server.fd is its end). */
void start(void);
void finish(void);
void wait_for(uint8_t bits);
/* Runs the loop until the edges that are there now have been taken. */
void take_edges(void);

struct tls_settings trusting(void); /* ca */
void protect(const struct tls_settings *settings, const char *name);
void verify_as(const char *name); /* as is usual */
void serve(const struct server_settings *settings);
/* As an owner does: it goes on where there is something to read, and only there. */
enum tls_handshake shake(void);
/* A handshake that both sides think is done. */
void shake_whole(void);
/* All of it, as it should be. */
void stand(int version);

/* What the next read gives that gives anything: some edges bring no content. */
ssize_t read_next(void *p, size_t n);
ssize_t server_read_next(void *p, size_t n);
void server_says(const char *words);
void check_exchange(void);

#endif
