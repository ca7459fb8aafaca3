/*
 * tls_server: see tls_server.h.
 */
#include "tls_server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "sockets.h"

/* ---- identities ---- */

static struct span text_of(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	char *copy = malloc((size_t)n);

	cr_assert(copy);
	memcpy(copy, p, (size_t)n);
	BIO_free(bio);
	return span_of(copy, (size_t)n);
}

static void extend(X509 *x, const X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)issuer, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	cr_assert(extension);
	cr_assert(X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

static void describe(X509 *x, const char *common_name, const struct identity_settings *settings)
{
	static long serial;
	X509_NAME *name = X509_get_subject_name(x);
	const X509 *issuer = settings->issuer ? settings->issuer->certificate : x;

	cr_assert(X509_set_version(x, X509_VERSION_3));
	cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial));
	cr_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0));
	cr_assert(X509_set_issuer_name(x, X509_get_subject_name(issuer)));
	cr_assert(X509_time_adj_ex(X509_getm_notBefore(x), -10, 0, NULL));
	cr_assert(X509_time_adj_ex(X509_getm_notAfter(x), settings->days ? (int)settings->days : 1, 0, NULL));
	extend(x, issuer, NID_basic_constraints, settings->names ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (settings->names)
		extend(x, issuer, NID_subject_alt_name, settings->names);
}

void identity_make(struct identity *id, const char *common_name, const struct identity_settings *settings)
{
	BIO *text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());

	cr_assert(text && key_text);
	id->key = EVP_EC_gen("P-256");
	id->certificate = X509_new();
	cr_assert(id->key && id->certificate);
	describe(id->certificate, common_name, settings);
	cr_assert(X509_set_pubkey(id->certificate, id->key));
	cr_assert(X509_sign(id->certificate, settings->issuer ? settings->issuer->key : id->key, EVP_sha256()));

	cr_assert(PEM_write_bio_X509(text, id->certificate));
	cr_assert(PEM_write_bio_PrivateKey(key_text, id->key, NULL, NULL, 0, NULL, NULL));
	id->text = text_of(text);
	id->key_text = text_of(key_text);
}

void identity_free(struct identity *id)
{
	X509_free(id->certificate);
	EVP_PKEY_free(id->key);
	free((void *)(uintptr_t)id->text.p);
	free((void *)(uintptr_t)id->key_text.p);
	*id = (struct identity){ 0 };
}

struct span identity_locked_key(const struct identity *id)
{
	BIO *text = BIO_new(BIO_s_mem());
	unsigned char password[] = "secret";

	cr_assert(text);
	cr_assert(PEM_write_bio_PrivateKey(text, id->key, EVP_aes_128_cbc(), password, sizeof(password) - 1, NULL, NULL));
	return text_of(text);
}

/* ---- the far end ---- */

void server_init(struct server *s, int fd, const struct server_settings *settings)
{
	*s = (struct server){ .fd = fd, .pace = 65536, .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem()) };
	s->ctx = SSL_CTX_new(TLS_server_method());
	cr_assert(s->ctx && s->in && s->out);
	if (settings->version) {
		/* Old ones are below what OpenSSL allows by itself. */
		if (settings->version < TLS1_2_VERSION)
			SSL_CTX_set_security_level(s->ctx, 0);
		cr_assert(SSL_CTX_set_min_proto_version(s->ctx, settings->version));
		cr_assert(SSL_CTX_set_max_proto_version(s->ctx, settings->version));
	}
	cr_assert_eq(SSL_CTX_use_certificate(s->ctx, settings->own->certificate), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(s->ctx, settings->own->key), 1);
	if (settings->client_issuer) {
		cr_assert(X509_STORE_add_cert(SSL_CTX_get_cert_store(s->ctx), settings->client_issuer->certificate));
		SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	s->ssl = SSL_new(s->ctx);
	cr_assert(s->ssl);
	SSL_set_bio(s->ssl, s->in, s->out);
	SSL_set_accept_state(s->ssl);
}

void server_free(struct server *s)
{
	server_close(s);
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	*s = (struct server){ .fd = -1 };
}

void server_close(struct server *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void take(struct server *s)
{
	char block[65536];
	ssize_t n;

	if (s->fd < 0 || s->ended || s->reset)
		return;
	n = recv(s->fd, block, MIN(s->pace, sizeof(block)), MSG_DONTWAIT);
	if (n > 0) {
		s->took += (uint64_t)n;
		cr_assert_eq(BIO_write(s->in, block, (int)n), (int)n);
	}
	s->ended = n == 0;
	s->reset = n < 0 && errno != EAGAIN;
}

void server_give(struct server *s)
{
	char *p;
	long n = BIO_get_mem_data(s->out, &p);
	ssize_t sent;

	if (s->fd < 0 || n <= 0)
		return;
	sent = send(s->fd, p, MIN((size_t)n, s->pace), MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent > 0) {
		char gone[65536];
		int r = BIO_read(s->out, gone, (int)MIN((size_t)sent, sizeof(gone)));

		cr_assert_gt(r, 0);
		sent -= r;
	}
}

void server_step(struct server *s)
{
	take(s);
	if (!s->stands && !s->failed) {
		int r = SSL_do_handshake(s->ssl);

		s->stands = r == 1;
		s->failed = r != 1 && SSL_get_error(s->ssl, r) != SSL_ERROR_WANT_READ;
		/* The queue of errors belongs to the thread, so to the client under test as well. */
		ERR_clear_error();
	}
	server_give(s);
}

ssize_t server_read(struct server *s, void *p, size_t n)
{
	size_t got = 0;
	int r, why;

	server_step(s);
	if (!s->stands)
		return -EAGAIN;
	r = SSL_read_ex(s->ssl, p, n, &got);
	why = SSL_get_error(s->ssl, r);
	ERR_clear_error();
	if (r == 1)
		return (ssize_t)got;
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	return why == SSL_ERROR_WANT_READ ? -EAGAIN : -EPROTO;
}

void server_write(struct server *s, const void *p, size_t n)
{
	size_t wrote = 0;

	cr_assert_eq(SSL_write_ex(s->ssl, p, n, &wrote), 1);
	cr_assert_eq(wrote, n);
}

void server_write_raw(struct server *s, const void *p, size_t n)
{
	cr_assert_eq(BIO_write(s->out, p, (int)n), (int)n);
}

void server_shutdown(struct server *s)
{
	cr_assert_geq(SSL_shutdown(s->ssl), 0);
	server_step(s);
}

/* ---- both ends ---- */

struct loop *loop;
struct owner owner;
struct tls_context *context;
struct server server;
struct identity ca, host;

static void run_owner(struct task *task)
{
	struct owner *o = container_of(task, struct owner, task);

	if (o->wanted && (o->conn.ready & o->wanted) == o->wanted)
		loop_stop(loop);
}

void wait_for(uint8_t bits)
{
	if ((owner.conn.ready & bits) == bits)
		return;
	owner.wanted = bits;
	loop_run(loop);
	owner.wanted = 0;
}

static void stop_posted(void *arg)
{
	loop_stop(arg);
}

void take_edges(void)
{
	cr_assert_eq(loop_post(loop, stop_posted, loop), 0);
	loop_run(loop);
}

void start(void)
{
	int fds[2];

	identity_make(&ca, "tests' authority", &(struct identity_settings){ 0 });
	identity_make(&host, "host", &(struct identity_settings){ .names = "DNS:api.test,IP:127.0.0.1", .issuer = &ca });
	cr_assert_eq(loop_new(&loop), 0);
	tcp_pair(fds);
	server.fd = fds[1];
	conn_init(&owner.conn);
	task_init(&owner.task, run_owner);
	cr_assert_eq(conn_open(&owner.conn, loop, fds[0], &owner.task, 0), 0);
	wait_for(CONN_WRITABLE);
}

void finish(void)
{
	conn_close(&owner.conn, CONN_END_CLOSE);
	cr_expect_null(owner.conn.tls);
	tls_context_free(context);
	context = NULL;
	server_free(&server);
	identity_free(&host);
	identity_free(&ca);
	task_cancel(&owner.task);
	loop_free(loop);
}

struct tls_settings trusting(void)
{
	return (struct tls_settings){ .ca = ca.text, .verify = true };
}

void protect(const struct tls_settings *settings, const char *name)
{
	char error[TLS_ERROR_BYTES] = "";
	struct tls *tls;

	cr_assert_eq(tls_context_new(&context, settings, error), 0, "%s", error);
	tls = tls_new(context, name);
	cr_assert(tls);
	conn_protect(&owner.conn, tls);
}

void verify_as(const char *name)
{
	const struct tls_settings settings = trusting();

	protect(&settings, name);
}

void serve(const struct server_settings *settings)
{
	server_init(&server, server.fd, settings);
}

enum tls_handshake shake(void)
{
	enum tls_handshake r = tls_handshake(&owner.conn);

	while (r == TLS_WAIT) {
		if (server.ssl)
			server_step(&server);
		take_edges();
		if (owner.conn.ready & CONN_READABLE)
			r = tls_handshake(&owner.conn);
	}
	return r;
}

void shake_whole(void)
{
	enum tls_handshake r = shake();

	cr_assert_eq(r, TLS_DONE, "%d: %s", (int)r, r == TLS_DONE ? "" : tls_problem(&owner.conn));
	while (!server.stands && !server.failed)
		server_step(&server);
	cr_assert(server.stands);
}

void stand(int version)
{
	start();
	serve(&(struct server_settings){ .own = &host, .version = version });
	verify_as("api.test");
	shake_whole();
}

ssize_t read_next(void *p, size_t n)
{
	ssize_t got;

	do {
		wait_for(CONN_READABLE);
		got = conn_read(&owner.conn, p, n);
	} while (got == -EAGAIN);
	return got;
}

ssize_t server_read_next(void *p, size_t n)
{
	ssize_t got;

	do {
		take_edges();
		got = server_read(&server, p, n);
	} while (got == -EAGAIN);
	return got;
}

void server_says(const char *words)
{
	server_write(&server, words, strlen(words));
	server_step(&server);
}

void check_exchange(void)
{
	char buf[16];

	cr_assert_eq(conn_write(&owner.conn, "question", 8), 8);
	cr_assert_eq(server_read_next(buf, sizeof(buf)), 8);
	cr_expect_arr_eq(buf, "question", 8);
	server_says("answer");
	cr_assert_eq(read_next(buf, sizeof(buf)), 6);
	cr_expect_arr_eq(buf, "answer", 6);
}
