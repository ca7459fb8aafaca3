/*
 * tls_front: see tls_front.h.
 */
#include "shortage/tls_front.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness/program.h"

struct connection {
	SSL *ssl;
	int fd; /* the client's */
	int behind; /* the responder's */
	char block[16384];
};

/* ---- one connection ---- */

static bool put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* One record from the client to the responder. False where there are no more: the responder is told. */
static bool pass_in(struct connection *c)
{
	size_t n;

	if (SSL_read_ex(c->ssl, c->block, sizeof(c->block), &n) == 1 && put(c->behind, c->block, n))
		return true;
	shutdown(c->behind, SHUT_WR);
	return false;
}

/* The other way. */
static bool pass_out(struct connection *c)
{
	ssize_t n = recv(c->behind, c->block, sizeof(c->block), 0);
	size_t sent;

	return n > 0 && SSL_write_ex(c->ssl, c->block, (size_t)n, &sent) == 1;
}

/* Until the responder has no more to say. */
static void pass(struct connection *c)
{
	struct pollfd fds[2] = { { .fd = c->behind, .events = POLLIN }, { .fd = c->fd, .events = POLLIN } };

	for (;;) {
		if (fds[1].fd >= 0 && SSL_pending(c->ssl)) {
			if (!pass_in(c))
				fds[1].fd = -1;
			continue;
		}
		if (poll(fds, 2, -1) < 0)
			return;
		if (fds[1].revents && !pass_in(c))
			fds[1].fd = -1;
		if (fds[0].revents && !pass_out(c))
			return;
	}
}

/* A farewell, and time to take it: a client that still sends would be answered with a reset, and lose it. */
static void part(struct connection *c)
{
	(void)SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	while (recv(c->fd, c->block, sizeof(c->block), 0) > 0)
		continue;
}

static int connect_behind(uint16_t port)
{
	const struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = loopback, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	return fd;
}

static void serve(int fd, void *arg)
{
	const struct timeval patience = { 4 * PATIENCE_MS / 1000, 0 };
	struct tls_front *f = arg;
	struct connection *c = calloc(1, sizeof(*c));

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	c->fd = fd;
	c->ssl = SSL_new(f->ctx);
	if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1)
		abort();
	if (SSL_accept(c->ssl) == 1) {
		c->behind = connect_behind(f->behind);
		pass(c);
		part(c);
		close(c->behind);
	}
	SSL_free(c->ssl);
	free(c);
}

void tls_front_start(struct tls_front *f, const char *certificate, const char *key, uint16_t behind)
{
	*f = (struct tls_front){ .behind = behind, .ctx = SSL_CTX_new(TLS_server_method()) };
	if (!f->ctx || SSL_CTX_use_certificate_file(f->ctx, certificate, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_use_PrivateKey_file(f->ctx, key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_file(f->ctx, certificate) != 1)
		abort();
	SSL_CTX_set_verify(f->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	/* Sessions are not kept: each connection has a whole handshake. */
	SSL_CTX_set_session_cache_mode(f->ctx, SSL_SESS_CACHE_OFF);
	crew_start(&f->crew, serve, f);
	f->port = f->crew.port;
}

void tls_front_stop(struct tls_front *f)
{
	crew_stop(&f->crew);
	SSL_CTX_free(f->ctx);
}
