/*
 * tls: against OpenSSL's own server on loopback: who is let in, who lets us in, and what a context may be made of.
 */
#include "net/tls.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_server.h"

TestSuite(tls, .timeout = 60);

/* ---- the handshake ---- */

static void check_handshake(int version, const char *name, const char *indicated)
{
	const char *seen;

	start();
	serve(&(struct server_settings){ .own = &host, .version = version });
	verify_as(name);
	shake_whole();
	cr_expect_eq(tls_handshake(&owner.conn), TLS_DONE, "it stands for good");
	seen = SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name);
	if (indicated)
		cr_expect_str_eq(seen, indicated);
	else
		cr_expect_null(seen);
	check_exchange();
	cr_expect_eq(owner.conn.written, server.took, "counted as on the wire");
	finish();
}

Test(tls, a_name_is_verified_and_indicated)
{
	check_handshake(TLS1_3_VERSION, "api.test", "api.test");
}

Test(tls, a_name_is_verified_and_indicated_in_1_2)
{
	check_handshake(TLS1_2_VERSION, "api.test", "api.test");
}

Test(tls, an_address_is_verified_and_not_indicated)
{
	check_handshake(TLS1_3_VERSION, "127.0.0.1", NULL);
}

Test(tls, an_address_is_verified_and_not_indicated_in_1_2)
{
	check_handshake(TLS1_2_VERSION, "127.0.0.1", NULL);
}

/* Refused with that problem; without verification let in. */
static void check_not_trusted(const struct identity *own, const struct identity *trusted, const char *name, const char *problem)
{
	const struct tls_settings settings = { .ca = trusted->text, .verify = true };

	serve(&(struct server_settings){ .own = own });
	protect(&settings, name);
	cr_expect_eq(shake(), TLS_CERTIFICATE);
	cr_expect_str_eq(tls_problem(&owner.conn), problem);
	finish();
}

static void check_let_in(const struct identity *own, const char *name)
{
	serve(&(struct server_settings){ .own = own });
	protect(&(struct tls_settings){ .verify = false }, name);
	shake_whole();
	check_exchange();
	finish();
}

Test(tls, another_name_is_refused)
{
	start();
	check_not_trusted(&host, &ca, "other.test", "hostname mismatch");
	start();
	check_not_trusted(&host, &ca, "127.0.0.2", "IP address mismatch");
	start();
	check_let_in(&host, "other.test");
}

Test(tls, an_unknown_authority_is_refused)
{
	struct identity other;

	identity_make(&other, "another authority", &(struct identity_settings){ 0 });
	start();
	check_not_trusted(&host, &other, "api.test", "unable to get local issuer certificate");
	identity_free(&other);
	start();
	check_let_in(&host, "api.test");
}

static void make_expired(struct identity *id)
{
	identity_make(id, "host", &(struct identity_settings){ .names = "DNS:api.test", .issuer = &ca, .days = -1 });
}

Test(tls, an_expired_certificate_is_refused)
{
	struct identity old;

	start();
	make_expired(&old);
	check_not_trusted(&old, &ca, "api.test", "certificate has expired");
	identity_free(&old);
	start();
	make_expired(&old);
	check_let_in(&old, "api.test");
	identity_free(&old);
}

static void check_client_certificate(int version)
{
	struct identity client;
	struct tls_settings settings;

	start();
	identity_make(&client, "client", &(struct identity_settings){ .names = "DNS:client.test", .issuer = &ca });
	settings = trusting();
	settings.certificate = client.text;
	settings.key = client.key_text;
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca, .version = version });
	protect(&settings, "api.test");
	shake_whole();
	check_exchange();
	finish();
	identity_free(&client);
}

Test(tls, a_client_certificate_is_shown)
{
	check_client_certificate(TLS1_3_VERSION);
}

Test(tls, a_client_certificate_is_shown_in_1_2)
{
	check_client_certificate(TLS1_2_VERSION);
}

/* In TLS 1.3 the client is done before the server has looked at what it shows. */
Test(tls, without_a_client_certificate_the_first_read_fails)
{
	char buf[16];

	start();
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca, .version = TLS1_3_VERSION });
	verify_as("api.test");
	cr_assert_eq(shake(), TLS_DONE);
	while (!server.failed)
		server_step(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), -EPROTO);
	cr_expect(strstr(tls_problem(&owner.conn), "certificate required"), "%s", tls_problem(&owner.conn));
	cr_expect(owner.conn.ready & CONN_FAILED);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EPROTO);
	cr_expect_eq(conn_write(&owner.conn, "x", 1), -EPROTO);
	finish();
}

Test(tls, without_a_client_certificate_there_is_an_alert_in_1_2)
{
	start();
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca, .version = TLS1_2_VERSION });
	verify_as("api.test");
	cr_expect_eq(shake(), TLS_ALERT);
	cr_expect(strstr(tls_problem(&owner.conn), "handshake failure"), "%s", tls_problem(&owner.conn));
	finish();
}

Test(tls, a_server_of_an_old_version_is_refused)
{
	start();
	serve(&(struct server_settings){ .own = &host, .version = TLS1_1_VERSION });
	verify_as("api.test");
	cr_expect_eq(shake(), TLS_ALERT);
	cr_expect(strstr(tls_problem(&owner.conn), "protocol version"), "%s", tls_problem(&owner.conn));
	finish();
}

/* One that does not listen to what the client can. */
Test(tls, an_old_version_that_the_server_insists_on_is_refused)
{
	static const char hello[] = "\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02"
				    "0123456789abcdef0123456789abcdef"
				    "\x00\x00\x2f\x00";

	start();
	verify_as("api.test");
	cr_assert_eq(send(server.fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(hello) - 1);
	cr_expect_eq(shake(), TLS_FAILED);
	cr_expect(strstr(tls_problem(&owner.conn), "unsupported protocol"), "%s", tls_problem(&owner.conn));
	finish();
}

Test(tls, a_server_without_tls_is_refused)
{
	static const char words[] = "HTTP/1.1 400 Bad\r\n\r\n";

	start();
	verify_as("api.test");
	cr_assert_eq(send(server.fd, words, sizeof(words) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(words) - 1);
	cr_expect_eq(shake(), TLS_FAILED);
	cr_expect_str_neq(tls_problem(&owner.conn), "unknown");
	finish();
}

Test(tls, a_server_that_closes_at_once_fails_the_handshake)
{
	start();
	verify_as("api.test");
	server_close(&server);
	cr_expect_eq(shake(), TLS_FAILED);
	cr_expect_str_neq(tls_problem(&owner.conn), "unknown");
	finish();
}

/* The end behind the alert must not hide it. */
Test(tls, a_server_that_refuses_and_closes_is_told_from_one_that_closes)
{
	static const char alert[] = "\x15\x03\x03\x00\x02\x02\x28";

	start();
	verify_as("api.test");
	cr_assert_eq(send(server.fd, alert, sizeof(alert) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(alert) - 1);
	server_close(&server);
	cr_expect_eq(shake(), TLS_ALERT);
	cr_expect(strstr(tls_problem(&owner.conn), "handshake failure"), "%s", tls_problem(&owner.conn));
	finish();
}

static void check_byte_by_byte(int version)
{
	start();
	serve(&(struct server_settings){ .own = &host, .version = version });
	server.pace = 1;
	verify_as("api.test");
	shake_whole();
	server.pace = 65536;
	check_exchange();
	finish();
}

Test(tls, a_handshake_byte_by_byte)
{
	check_byte_by_byte(TLS1_3_VERSION);
}

Test(tls, a_handshake_byte_by_byte_in_1_2)
{
	check_byte_by_byte(TLS1_2_VERSION);
}

/* ---- contexts ---- */

static void check_refused(const struct tls_settings *settings, const char *culprit)
{
	struct tls_context *none = NULL;
	char error[TLS_ERROR_BYTES] = "";

	cr_expect_lt(tls_context_new(&none, settings, error), 0);
	cr_expect_null(none);
	cr_expect(strstr(error, culprit), "%s", error);
	tls_context_free(none);
}

static struct span joined(struct span a, struct span b)
{
	char *p = malloc(a.n + b.n);

	cr_assert(p);
	memcpy(p, a.p, a.n);
	memcpy(p + a.n, b.p, b.n);
	return span_of(p, a.n + b.n);
}

static void free_span(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

Test(tls, authorities_that_cannot_be_read_are_refused)
{
	struct span broken;

	start();
	check_refused(&(struct tls_settings){ .ca = SPAN("not PEM"), .verify = true }, "tls.ca");
	check_refused(&(struct tls_settings){ .ca = SPAN("not PEM"), .verify = false }, "tls.ca");
	check_refused(&(struct tls_settings){ .ca = host.key_text, .verify = true }, "tls.ca");
	check_refused(&(struct tls_settings){ .ca = span_first(ca.text, ca.text.n / 2), .verify = true }, "tls.ca");
	broken = joined(ca.text, SPAN("-----BEGIN CERTIFICATE-----\nMIIB????\n-----END CERTIFICATE-----\n"));
	check_refused(&(struct tls_settings){ .ca = broken, .verify = true }, "tls.ca");
	free_span(broken);
	broken = joined(ca.text, span_first(host.text, host.text.n / 2));
	check_refused(&(struct tls_settings){ .ca = broken, .verify = true }, "tls.ca");
	free_span(broken);
	finish();
}

Test(tls, a_certificate_without_its_key_is_refused)
{
	struct span locked;

	start();
	locked = identity_locked_key(&host);
	check_refused(&(struct tls_settings){ .certificate = SPAN("not PEM"), .key = host.key_text }, "tls.certificate");
	check_refused(&(struct tls_settings){ .certificate = host.key_text, .key = host.key_text }, "tls.certificate");
	check_refused(&(struct tls_settings){ .certificate = host.text }, "tls.key");
	check_refused(&(struct tls_settings){ .certificate = host.text, .key = SPAN("not PEM") }, "tls.key");
	check_refused(&(struct tls_settings){ .certificate = host.text, .key = host.text }, "tls.key");
	check_refused(&(struct tls_settings){ .certificate = host.text, .key = ca.key_text }, "tls.key");
	check_refused(&(struct tls_settings){ .certificate = host.text, .key = locked }, "tls.key");
	free_span(locked);
	finish();
}

Test(tls, a_key_may_stand_in_the_certificates_text)
{
	struct tls_settings settings;
	struct span both;

	start();
	both = joined(host.text, host.key_text);
	settings = trusting();
	settings.certificate = both;
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca });
	protect(&settings, "api.test");
	free_span(both);
	shake_whole();
	check_exchange();
	finish();
}

/* The server knows the authority alone: what stands between must be shown. */
Test(tls, a_client_certificate_comes_with_its_chain)
{
	struct identity between, client;
	struct tls_settings settings;
	struct span chain;

	start();
	identity_make(&between, "between", &(struct identity_settings){ .issuer = &ca });
	identity_make(&client, "client", &(struct identity_settings){ .names = "DNS:client.test", .issuer = &between });
	chain = joined(client.text, between.text);
	settings = trusting();
	settings.certificate = chain;
	settings.key = client.key_text;
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca });
	protect(&settings, "api.test");
	free_span(chain);
	shake_whole();
	check_exchange();
	finish();
	identity_free(&client);
	identity_free(&between);
}

Test(tls, any_of_several_authorities_may_vouch)
{
	struct identity other;
	struct span both;

	start();
	identity_make(&other, "another authority", &(struct identity_settings){ 0 });
	both = joined(other.text, ca.text);
	serve(&(struct server_settings){ .own = &host });
	protect(&(struct tls_settings){ .ca = both, .verify = true }, "api.test");
	free_span(both);
	shake_whole();
	finish();
	identity_free(&other);
}

/* A file in memory is the system's. */
Test(tls, without_authorities_the_systems_vouch)
{
	char path[64];
	int fd;

	start();
	cr_assert_eq(setenv("SSL_CERT_FILE", "/nonexistent/ca.pem", 1), 0);
	check_refused(&(struct tls_settings){ .verify = true }, "ca-certificates");

	fd = memfd_create("ca", MFD_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, ca.text.p, ca.text.n), (ssize_t)ca.text.n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(setenv("SSL_CERT_FILE", path, 1), 0);
	serve(&(struct server_settings){ .own = &host });
	protect(&(struct tls_settings){ .verify = true }, "api.test");
	close(fd);
	shake_whole();
	finish();
}

Test(tls, connections_outlive_their_context)
{
	start();
	serve(&(struct server_settings){ .own = &host });
	verify_as("api.test");
	tls_context_free(context);
	context = NULL;
	shake_whole();
	check_exchange();
	finish();
	tls_context_free(NULL);
	tls_free(NULL);
}

/* Without verification OpenSSL still keeps what it thinks of the certificate: that is no reason for what comes later. */
Test(tls, what_was_not_asked_for_is_no_problem)
{
	start();
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca, .version = TLS1_2_VERSION });
	protect(&(struct tls_settings){ .verify = false }, "api.test");
	cr_expect_eq(shake(), TLS_ALERT);
	cr_expect(strstr(tls_problem(&owner.conn), "handshake failure"), "%s", tls_problem(&owner.conn));
	finish();
}

/* The same of a read. */
Test(tls, what_was_not_asked_for_is_no_problem_of_a_read)
{
	char buf[16];

	start();
	serve(&(struct server_settings){ .own = &host, .client_issuer = &ca, .version = TLS1_3_VERSION });
	protect(&(struct tls_settings){ .verify = false }, "api.test");
	cr_assert_eq(shake(), TLS_DONE);
	while (!server.failed)
		server_step(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), -EPROTO);
	cr_expect(strstr(tls_problem(&owner.conn), "certificate required"), "%s", tls_problem(&owner.conn));
	finish();
}

Test(tls, a_key_of_another_kind_is_refused)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	start();
	cr_assert(key && bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	n = BIO_get_mem_data(bio, &p);
	check_refused(&(struct tls_settings){ .certificate = host.text, .key = span_of(p, (size_t)n) }, "tls.key");
	BIO_free(bio);
	EVP_PKEY_free(key);
	finish();
}

/* As of tls.ca. */
Test(tls, a_broken_chain_is_refused)
{
	struct span chain;

	start();
	chain = joined(host.text, span_first(ca.text, ca.text.n / 2));
	check_refused(&(struct tls_settings){ .certificate = chain, .key = host.key_text }, "tls.certificate");
	free_span(chain);
	chain = joined(host.text, SPAN("-----BEGIN CERTIFICATE-----\nMIIB????\n-----END CERTIFICATE-----\n"));
	check_refused(&(struct tls_settings){ .certificate = chain, .key = host.key_text }, "tls.certificate");
	free_span(chain);
	finish();
}

/* RFC 9525 section 2: the common name is none. */
Test(tls, a_common_name_is_no_name)
{
	struct identity old;

	start();
	identity_make(&old, "api.test", &(struct identity_settings){ .names = "email:a@b.test", .issuer = &ca });
	serve(&(struct server_settings){ .own = &old });
	verify_as("api.test");
	cr_expect_eq(shake(), TLS_CERTIFICATE);
	finish();
	identity_free(&old);
}

/* A farewell within the handshake leaves nothing in OpenSSL's queue. */
Test(tls, a_farewell_within_the_handshake_has_a_problem)
{
	start();
	verify_as("api.test");
	cr_assert_eq(send(server.fd, "\x15\x03\x03\x00\x02\x01\x00", 7, MSG_NOSIGNAL), 7);
	cr_expect_eq(shake(), TLS_FAILED);
	cr_expect_str_neq(tls_problem(&owner.conn), "unknown");
	finish();
}

/* A read that runs ahead of its edge takes all from the socket: what OpenSSL holds then has no edge any more. */
Test(tls, a_read_ahead_of_its_edge_leaves_readable)
{
	char buf[16];
	ssize_t n;

	stand(TLS1_3_VERSION);
	wait_for(CONN_READABLE);
	cr_assert_eq(conn_read(&owner.conn, buf, sizeof(buf)), -EAGAIN);
	server_write(&server, "one", 3);
	server_write(&server, "two", 3);
	server_step(&server);
	do
		n = conn_read(&owner.conn, buf, sizeof(buf));
	while (n == -EAGAIN);
	cr_expect_eq(n, 3);
	take_edges();
	cr_expect(owner.conn.ready & CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, buf, sizeof(buf)), 3);
	finish();
}

/* The same of the handshake's last step: the server's Finished and its first words come as one. */
Test(tls, a_handshake_ahead_of_its_edge_leaves_readable)
{
	enum tls_handshake r;
	char block[16384];
	ssize_t n;

	start();
	serve(&(struct server_settings){ .own = &host, .version = TLS1_2_VERSION });
	verify_as("api.test");
	cr_assert_eq(tls_handshake(&owner.conn), TLS_WAIT);
	server_step(&server);
	wait_for(CONN_READABLE);
	cr_assert_eq(tls_handshake(&owner.conn), TLS_WAIT);
	take_edges();
	cr_assert_not(owner.conn.ready & CONN_READABLE);
	n = recv(server.fd, block, sizeof(block), 0);
	cr_assert_gt(n, 0);
	cr_assert_eq(BIO_write(server.in, block, (int)n), n);
	cr_assert_eq(SSL_do_handshake(server.ssl), 1);
	server.stands = true;
	server_write(&server, "early", 5);
	server_give(&server);
	do
		r = tls_handshake(&owner.conn);
	while (r == TLS_WAIT);
	cr_assert_eq(r, TLS_DONE);
	take_edges();
	cr_expect(owner.conn.ready & CONN_READABLE);
	cr_expect_eq(conn_read(&owner.conn, block, sizeof(block)), 5);
	finish();
}

/* conn.h: 0 for n == 0. */
Test(tls, a_write_of_nothing_is_nothing)
{
	char block[16384] = "";

	stand(0);
	while (owner.conn.ready & CONN_WRITABLE)
		cr_assert_gt(conn_write(&owner.conn, block, sizeof(block)), 0);
	cr_expect_eq(conn_write(&owner.conn, NULL, 0), 0);
	finish();
}

/* One after the other, they would keep the thread for as long as they come. */
Test(tls, new_keys_without_end_are_a_failure)
{
	char buf[16];

	stand(TLS1_3_VERSION);
	for (unsigned i = 0; i < 30000; i++) {
		cr_assert_eq(SSL_key_update(server.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		cr_assert_eq(SSL_do_handshake(server.ssl), 1);
	}
	for (unsigned i = 0; i < 100; i++)
		server_give(&server);
	cr_expect_eq(read_next(buf, sizeof(buf)), -ENOBUFS);
	finish();
}
