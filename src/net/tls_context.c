/*
 * tls_context: what the connections of one upstream or one listener share. Texts are read once, here; no file is opened later.
 */
#include "net/tls_context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/tls.h"

/* ---- texts ---- */

/* Of a key: there is nobody to ask. */
static int no_password(char *p, int n, int writes, void *arg)
{
	(void)p;
	(void)n;
	(void)writes;
	(void)arg;
	return 0;
}

static int refuse(char *error, const char *name, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	(void)snprintf(error, TLS_ERROR_BYTES, "tls.%s: %s%s%s", name, what, reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
	return -EINVAL;
}

static BIO *open_text(struct span text)
{
	return BIO_new_mem_buf(text.p, (int)text.n);
}

/* The system's are read now, and whole: later on there may be no file to be opened (a sandbox), and no time to read it. */
static int trust_system(SSL_CTX *ctx, char *error)
{
	const char *file = getenv(X509_get_default_cert_file_env());

	if (SSL_CTX_load_verify_file(ctx, file ? file : X509_get_default_cert_file()))
		return 0;
	return refuse(error, "ca", "the system has no certificates to trust (of Debian: ca-certificates); name a file");
}

/* That there is no other one is how a text of several ends. */
static bool has_ended(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

/* name is that of the key in the rule file. */
static int trust(SSL_CTX *ctx, struct span ca, const char *name, char *error)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *bio = open_text(ca);
	unsigned n = 0;
	bool ok = true;
	X509 *x;

	while (ok && bio && (x = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL))) {
		ok = X509_STORE_add_cert(store, x) == 1;
		n++;
		X509_free(x);
	}
	BIO_free(bio);
	if (n && ok && has_ended()) {
		ERR_clear_error();
		return 0;
	}
	return refuse(error, name, n ? "not all of its certificates can be read" : "no certificate can be read");
}

static bool use_certificate(SSL_CTX *ctx, struct span text)
{
	BIO *bio = open_text(text);
	X509 *x = bio ? PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL) : NULL;
	bool ok = x && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		ok = SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	ok = ok && has_ended();
	if (ok)
		ERR_clear_error();
	return ok;
}

static bool use_key(SSL_CTX *ctx, struct span text)
{
	BIO *bio = open_text(text);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	/* The second finds a key of another kind, which the first takes for that of a certificate still to come. */
	bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

static int show(SSL_CTX *ctx, struct span certificate, struct span key, char *error)
{
	if (!use_certificate(ctx, certificate))
		return refuse(error, "certificate", "no certificate can be read");
	if (!use_key(ctx, key.n ? key : certificate))
		return refuse(error, "key", "no key of the certificate can be read (one without a password)");
	return 0;
}

/* ---- contexts ---- */

/* NULL: no memory, and error says so. */
static struct tls_context *begin(const SSL_METHOD *method, char *error)
{
	struct tls_context *x = calloc(1, sizeof(*x));

	ERR_clear_error();
	if (x)
		x->ctx = SSL_CTX_new(method);
	if (!x || !x->ctx) {
		tls_context_free(x);
		(void)snprintf(error, TLS_ERROR_BYTES, "no memory for TLS");
		return NULL;
	}
	/* RFC 9325 section 3.1.1: nothing older. Renegotiation is nobody's need, and would let a write wait for a read. */
	(void)SSL_CTX_set_min_proto_version(x->ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(x->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	(void)SSL_CTX_set_mode(x->ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(x->ctx, 1);
	return x;
}

/* What has come of it. */
static int end(struct tls_context **context, struct tls_context *x, int r)
{
	if (r < 0)
		tls_context_free(x);
	else
		*context = x;
	return r;
}

int tls_context_new(struct tls_context **context, const struct tls_settings *s, char *error)
{
	struct tls_context *x = begin(TLS_client_method(), error);
	int r = 0;

	if (!x)
		return -ENOMEM;
	SSL_CTX_set_verify(x->ctx, s->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (s->ca.n)
		r = trust(x->ctx, s->ca, "ca", error);
	else if (s->verify)
		r = trust_system(x->ctx, error);
	if (r == 0 && s->certificate.n)
		r = show(x->ctx, s->certificate, s->key, error);
	return end(context, x, r);
}

/* Whoever offers protocols must offer ours (RFC 7301 section 3.2). */
static int select_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_n, const unsigned char *offered,
	unsigned offered_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
	unsigned char *found;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&found, chosen_n, ours, sizeof(ours) - 1, offered, offered_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

int tls_context_new_server(struct tls_context **context, const struct tls_server_settings *s, char *error)
{
	static const unsigned char id[] = "brownout";
	struct tls_context *x = begin(TLS_server_method(), error);
	int r;

	if (!x)
		return -ENOMEM;
	/* Sessions are the client's to keep, as tickets (RFC 5077): nothing is stored here, so nothing is locked. */
	(void)SSL_CTX_set_session_cache_mode(x->ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_session_id_context(x->ctx, id, sizeof(id) - 1);
	SSL_CTX_set_alpn_select_cb(x->ctx, select_protocol, NULL);
	r = show(x->ctx, s->certificate, s->key, error);
	if (r == 0 && s->client_ca.n) {
		SSL_CTX_set_verify(x->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		r = trust(x->ctx, s->client_ca, "client_ca", error);
	}
	return end(context, x, r);
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ctx);
	free(context);
}
