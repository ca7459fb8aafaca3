/* black_hole: see black_hole.h. */
#include "harness/black_hole.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/program.h"

#define N_FILLERS (sizeof((struct black_hole){ 0 }.fillers) / sizeof(int))

void black_hole_open(struct black_hole *h, const char *address, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(address) };
	socklen_t n = sizeof(in);

	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(h->fd, (struct sockaddr *)&in, n) < 0 || listen(h->fd, 0) < 0 ||
		getsockname(h->fd, (struct sockaddr *)&in, &n) < 0)
		abort();
	h->port = ntohs(in.sin_port);
	for (size_t i = 0; i < N_FILLERS; i++) {
		h->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(h->fillers[i], (struct sockaddr *)&in, n);
	}
	sleep_ms(20);
}

void black_hole_close(struct black_hole *h)
{
	for (size_t i = 0; i < N_FILLERS; i++)
		close(h->fillers[i]);
	close(h->fd);
}
