/*
 * tls: see tls.h. OpenSSL sees the socket through a BIO of ours, since its own one would raise SIGPIPE and knows nothing of
 * readiness: reads go straight to the socket; of what is written, the part that the socket does not take is kept.
 */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls_context.h"

/* One record's content (RFC 8446 section 5.1). */
#define RECORD_BYTES 16384

/* A far end that reads nothing may have OpenSSL answer it nevertheless (new keys): not for ever. */
#define KEPT_BYTES_MAX (4 * RECORD_BYTES)

/* Nor is it read from without end while it sends no content: new keys and warnings, which OpenSSL takes one after the other. */
#define EMPTY_BYTES_MAX (256 * 1024)

#define NAME_BYTES_MAX 255

struct tls {
	SSL *ssl;
	struct conn *conn;
	char *kept; /* encrypted, not yet taken by the socket */
	size_t n, off, cap;
	size_t taken; /* from the socket, in this one call of OpenSSL */
	bool drained; /* the socket had no more, in this one call */
	bool heard; /* anything at all has come */
	int error; /* errno of the socket, behind OpenSSL's back; 0: none */
	bool ended; /* the socket's stream has ended */
	bool stands; /* the handshake is done */
	bool shuts; /* the stream is to end once what was kept is gone */
};

/* ---- the socket as OpenSSL sees it ---- */

/* 0, or the errno. What the socket took is counted. */
static int send_raw(struct conn *c, const char *p, size_t n, size_t *sent)
{
	ssize_t r;

	*sent = 0;
	do
		r = send(c->fd, p, n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno;
	*sent = (size_t)r;
	c->written += (uint64_t)r;
	return 0;
}

static bool keep(struct tls *t, const char *p, size_t n)
{
	if (n > KEPT_BYTES_MAX - t->n)
		return false;
	if (t->n + n > t->cap) {
		size_t cap = MAX(t->n + n, t->cap * 2);
		char *grown = realloc(t->kept, cap);

		if (!grown)
			return false;
		t->kept = grown;
		t->cap = cap;
	}
	memcpy(t->kept + t->n, p, n);
	t->n += n;
	return true;
}

static int bio_write(BIO *bio, const char *p, size_t n, size_t *written)
{
	struct tls *t = BIO_get_data(bio);
	size_t sent = 0;

	BIO_clear_retry_flags(bio);
	if (!t->error && !tls_kept(t)) {
		int error = send_raw(t->conn, p, n, &sent);

		if (error && error != EAGAIN)
			t->error = error;
	}
	if (t->error)
		return 0;
	if (sent < n) {
		t->conn->ready &= (uint8_t)~CONN_WRITABLE;
		if (!keep(t, p + sent, n - sent)) {
			t->error = ENOBUFS;
			return 0;
		}
	}
	*written = n;
	return 1;
}

static int bio_read(BIO *bio, char *p, size_t n, size_t *got)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t r;

	BIO_clear_retry_flags(bio);
	if (t->taken > EMPTY_BYTES_MAX) {
		t->error = ENOBUFS;
		return 0;
	}
	do
		r = recv(t->conn->fd, p, n, 0);
	while (r < 0 && errno == EINTR);
	if (r > 0) {
		*got = (size_t)r;
		t->taken += (size_t)r;
		t->heard = true;
		return 1;
	}
	if (r == 0) {
		t->ended = true;
	} else if (errno == EAGAIN) {
		t->conn->ready &= (uint8_t)~CONN_READABLE;
		t->drained = true;
		BIO_set_retry_read(bio);
	} else {
		t->error = errno;
	}
	return 0;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *p)
{
	const struct tls *t = BIO_get_data(bio);

	(void)num;
	(void)p;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return t->ended;
	default:
		return 0;
	}
}

/* One for all, for good: connections may outlive their context. NULL: no memory. */
static BIO_METHOD *method;

static void make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "conn");

	if (m && BIO_meth_set_write_ex(m, bio_write) && BIO_meth_set_read_ex(m, bio_read) && BIO_meth_set_ctrl(m, bio_ctrl))
		method = m;
	else
		BIO_meth_free(m);
}

/* NULL: no memory. */
static BIO *make_bio(struct tls *t)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	(void)pthread_once(&once, make_method);
	bio = method ? BIO_new(method) : NULL;
	if (bio) {
		BIO_set_data(bio, t);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* ---- a connection ---- */

/* Who the far end must be, and which of several servers at one address is meant (RFC 6066 section 3: a name, no address). */
static bool set_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char bare[NAME_BYTES_MAX + 1];
	size_t n = strnlen(name, NAME_BYTES_MAX);
	struct in6_addr ip;

	if (inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	/* The dot at the end is for the resolver alone. */
	if (n && name[n - 1] == '.')
		n--;
	memcpy(bare, name, n);
	bare[n] = '\0';
	/* RFC 9525 section 6.3: what the subject is called is no name of a server. */
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set1_host(param, bare, 0) == 1 && SSL_set_tlsext_host_name(ssl, bare) == 1;
}

static struct tls *begin(const struct tls_context *context)
{
	struct tls *t = calloc(1, sizeof(*t));
	BIO *bio = t ? make_bio(t) : NULL;

	if (bio)
		t->ssl = SSL_new(context->ctx);
	if (!bio || !t->ssl) {
		BIO_free(bio);
		tls_free(t);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_bio(t->ssl, bio, bio);
	return t;
}

struct tls *tls_new(const struct tls_context *context, const char *name)
{
	struct tls *t = begin(context);

	if (t && !set_name(t->ssl, name)) {
		tls_free(t);
		ERR_clear_error();
		return NULL;
	}
	if (t)
		SSL_set_connect_state(t->ssl);
	return t;
}

struct tls *tls_new_server(const struct tls_context *context)
{
	struct tls *t = begin(context);

	if (t)
		SSL_set_accept_state(t->ssl);
	return t;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls->kept);
	free(tls);
}

void conn_protect(struct conn *c, struct tls *tls)
{
	tls->conn = c;
	c->tls = tls;
}

size_t tls_kept(const struct tls *tls)
{
	return tls->n - tls->off;
}

/* Before each call of OpenSSL. */
static void enter(struct tls *t)
{
	ERR_clear_error();
	t->taken = 0;
	t->drained = false;
}

/* Not, where OpenSSL says so without having asked the socket: it has failed before, and no edge would go on with it. */
static bool waits_for_socket(const struct tls *t, int result)
{
	return t->drained && SSL_get_error(t->ssl, result) == SSL_ERROR_WANT_READ;
}

/* Not in order, where that was asked for. */
static long verify_problem(const struct tls *t)
{
	return SSL_get_verify_mode(t->ssl) & SSL_VERIFY_PEER ? SSL_get_verify_result(t->ssl) : X509_V_OK;
}

enum tls_handshake tls_handshake(struct conn *c)
{
	struct tls *t = c->tls;
	int r;

	if (t->stands)
		return TLS_DONE;
	enter(t);
	r = SSL_do_handshake(t->ssl);
	if (r == 1) {
		t->stands = true;
		/* OpenSSL may have more than the handshake, of which there will be no edge. */
		c->ready |= CONN_READABLE;
		return TLS_DONE;
	}
	if (!t->error && waits_for_socket(t, r))
		return TLS_WAIT;
	if (t->error || t->ended)
		return TLS_FAILED;
	if (verify_problem(t) != X509_V_OK)
		return TLS_CERTIFICATE;
	return ERR_GET_REASON(ERR_peek_error()) > SSL_AD_REASON_OFFSET ? TLS_ALERT : TLS_FAILED;
}

bool tls_has_heard(const struct conn *c)
{
	return c->tls->heard;
}

const char *tls_problem(const struct conn *c)
{
	const struct tls *t = c->tls;
	long verified = verify_problem(t);
	const char *reason;

	if (t->error)
		return strerror(t->error);
	if (t->ended)
		return "the connection was closed";
	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	reason = ERR_reason_error_string(ERR_peek_error());
	return reason ? reason : "the other side has ended it";
}

/* The read or write that has just failed: for good. */
static ssize_t fail(struct conn *c, int error, uint8_t how)
{
	c->error = error;
	c->ready = (uint8_t)((c->ready | how) & ~CONN_DRAINED);
	return -error;
}

/* What a read, or a look, has come to: r is OpenSSL's result. */
static ssize_t settle_read(struct conn *c, int r, size_t got)
{
	struct tls *t = c->tls;

	/* Readable until the socket says otherwise: a record may be here behind this one, unseen by epoll. */
	if (r == 1) {
		c->ready |= CONN_READABLE;
		return (ssize_t)got;
	}
	/* OpenSSL would go on; but a far end that takes nothing, and asks on, does so for no good. */
	if (t->error == ENOBUFS)
		return fail(c, t->error, CONN_FAILED);
	if (waits_for_socket(t, r))
		return -EAGAIN;
	if (SSL_get_error(t->ssl, r) == SSL_ERROR_ZERO_RETURN) {
		c->ready |= CONN_EOF;
		c->ready &= (uint8_t)~CONN_READABLE;
		return 0;
	}
	if (t->error)
		return fail(c, t->error, CONN_FAILED);
	/* Without a farewell nobody knows that what came was all (RFC 9112 section 9.8). The end is one nevertheless. */
	if (t->ended)
		return fail(c, ECONNRESET, CONN_FAILED | CONN_EOF);
	return fail(c, EPROTO, CONN_FAILED);
}

ssize_t tls_read(struct conn *c, void *p, size_t n)
{
	size_t got = 0;
	int r;

	if (c->ready & CONN_FAILED)
		return -c->error;
	if (n == 0 || c->ready & CONN_EOF)
		return 0;
	enter(c->tls);
	r = SSL_read_ex(c->tls->ssl, p, n, &got);
	return settle_read(c, r, got);
}

void tls_look(struct conn *c)
{
	size_t got = 0;
	char byte;
	int r;

	if (!(c->ready & CONN_READABLE) || c->ready & (CONN_FAILED | CONN_EOF))
		return;
	enter(c->tls);
	r = SSL_peek_ex(c->tls->ssl, &byte, 1, &got);
	(void)settle_read(c, r, got);
}

void tls_flush(struct conn *c)
{
	struct tls *t = c->tls;

	while (tls_kept(t)) {
		size_t sent;
		int error = send_raw(c, t->kept + t->off, tls_kept(t), &sent);

		if (error == EAGAIN) {
			c->ready &= (uint8_t)~CONN_WRITABLE;
			return;
		}
		if (error) {
			(void)fail(c, error, CONN_BROKEN | CONN_READABLE);
			t->off = t->n;
			return;
		}
		t->off += sent;
	}
	free(t->kept);
	t->kept = NULL;
	t->n = t->off = t->cap = 0;
	c->ready |= CONN_WRITABLE;
	if (t->shuts)
		(void)shutdown(c->fd, SHUT_WR);
	t->shuts = false;
}

/* All that the socket takes, in records: where it takes no more, a short count, as of a socket. */
static ssize_t write_one(struct conn *c, const char *p, size_t n)
{
	struct tls *t = c->tls;
	size_t done = 0;

	while (done < n && !tls_kept(t)) {
		size_t wrote;

		enter(t);
		if (SSL_write_ex(t->ssl, p + done, MIN(n - done, (size_t)RECORD_BYTES), &wrote) != 1)
			return fail(c, t->error ? t->error : EPROTO, CONN_BROKEN | CONN_READABLE);
		done += wrote;
	}
	return (ssize_t)done;
}

ssize_t tls_writev(struct conn *c, const struct iovec *iov, int n)
{
	ssize_t sum = 0;
	size_t wanted = 0;

	if (c->ready & (CONN_FAILED | CONN_BROKEN))
		return -c->error;
	for (int i = 0; i < n; i++)
		wanted += iov[i].iov_len;
	if (!wanted)
		return 0;
	if (tls_kept(c->tls))
		tls_flush(c);
	if (c->ready & CONN_BROKEN)
		return -c->error;
	for (int i = 0; i < n && !tls_kept(c->tls); i++) {
		ssize_t r = write_one(c, iov[i].iov_base, iov[i].iov_len);

		if (r < 0)
			return sum ? sum : r;
		sum += r;
	}
	return sum || !tls_kept(c->tls) ? sum : -EAGAIN;
}

ssize_t tls_write(struct conn *c, const void *p, size_t n)
{
	return tls_writev(c, &(struct iovec){ (void *)(uintptr_t)p, n }, 1);
}

/* Once: the second call of it would read. */
static void say_farewell(struct tls *t)
{
	enter(t);
	if (!(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		(void)SSL_shutdown(t->ssl);
}

void tls_shutdown_write(struct conn *c)
{
	struct tls *t = c->tls;

	if (t->stands && !t->error)
		say_farewell(t);
	t->shuts = true;
	tls_flush(c);
}

static bool may_say_farewell(const struct conn *c)
{
	const struct tls *t = c->tls;

	return t->stands && !t->error && !t->ended && !(c->ready & (CONN_FAILED | CONN_BROKEN)) && !tls_kept(t);
}

void tls_close(struct conn *c, enum conn_end how)
{
	struct tls *t = c->tls;

	if (how == CONN_END_CLOSE && may_say_farewell(c))
		say_farewell(t);
	tls_free(t);
	c->tls = NULL;
}
