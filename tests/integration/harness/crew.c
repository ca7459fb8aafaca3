/*
 * crew: see crew.h.
 */
#include "harness/crew.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/program.h"

struct hand {
	struct crew *crew;
	int fd;
};

static void *work(void *arg)
{
	struct hand *h = arg;

	h->crew->serve(h->fd, h->crew->arg);
	close(h->fd);
	atomic_fetch_sub(&h->crew->n_open, 1);
	free(h);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct crew *c = arg;
	const int one = 1;
	int fd;

	while ((fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct hand *h = malloc(sizeof(*h));
		pthread_t thread;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		*h = (struct hand){ .crew = c, .fd = fd };
		atomic_fetch_add(&c->n_open, 1);
		if (pthread_create(&thread, NULL, work, h) != 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

void crew_start(struct crew *c, void (*serve)(int fd, void *arg), void *arg)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);

	*c = (struct crew){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .serve = serve, .arg = arg };
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, n) < 0 || listen(c->fd, 1024) < 0 ||
		getsockname(c->fd, (struct sockaddr *)&address, &n) < 0)
		abort();
	c->port = ntohs(address.sin_port);
	if (pthread_create(&c->thread, NULL, accept_all, c) != 0)
		abort();
}

void crew_stop(struct crew *c)
{
	long long until_ms = now_ms() + PATIENCE_MS;

	shutdown(c->fd, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	close(c->fd);
	while (atomic_load(&c->n_open) && now_ms() < until_ms)
		sleep_ms(2);
}
