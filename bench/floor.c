/*
 * floor: command line, event loop and delays. See floor.h.
 */
#include "floor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "args.h"
#include "base/clock.h"
#include "sock.h"

#define EVENTS_MAX 256

static void arm(struct floor *f, int64_t due_ns)
{
	const struct itimerspec at = {.it_value = {.tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S}};

	if (timerfd_settime(f->timer.fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		die("timerfd_settime");
}

void floor_delay(struct floor *f, struct client *c)
{
	const bool first = list_is_empty(&f->delayed);

	list_push_back(&f->delayed, &c->end.link);
	if (f->options.delay_ns == INT64_MAX) {
		c->due_ns = INT64_MAX;
		return;
	}
	c->due_ns = clock_mono_ns() + f->options.delay_ns;
	if (first)
		arm(f, c->due_ns);
}

/* Lets go whoever is due, and no one early: if the timer was, it is armed again. */
static void expire(struct floor *f)
{
	const int64_t now_ns = clock_mono_ns();

	while (!list_is_empty(&f->delayed)) {
		struct client *c = container_of(f->delayed.next, struct client, end.link);

		if (c->due_ns > now_ns) {
			arm(f, c->due_ns);
			return;
		}
		list_remove(&c->end.link);
		c->due_ns = 0;
		floor_resume(f, c);
	}
}

static void dispatch(struct floor *f, struct end *e, uint32_t events)
{
	if (e->fd < 0)
		return;
	if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		e->hung_up = true;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		e->readable = true;
	if (events & EPOLLOUT)
		e->writable = true;

	switch (e->kind) {
	case END_LISTENER:
		floor_accept(f);
		break;
	case END_TIMER:
		expire(f);
		break;
	case END_CLIENT:
		floor_step_client(f, container_of(e, struct client, end));
		break;
	case END_UPSTREAM:
		floor_step_upstream(f, container_of(e, struct upstream, end));
		break;
	}
}

static void empty_grave(struct floor *f)
{
	struct list *node;

	while ((node = list_pop_front(&f->grave)) != NULL) {
		struct end *e = container_of(node, struct end, link);

		if (e->kind == END_CLIENT)
			free(container_of(e, struct client, end));
		else
			free(container_of(e, struct upstream, end));
	}
}

NORETURN static void run(struct floor *f)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		const int n = epoll_wait(f->epoll_fd, events, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			dispatch(f, events[i].data.ptr, events[i].events);
		empty_grave(f);
	}
}

static void read_options(struct floor_options *o, int argc, char **argv)
{
	const struct arg table[] = {
		{"listen", "port on 127.0.0.1; default 0, a free one, printed", .number = &o->listen_port, .max = UINT16_MAX},
		{"upstream", "port where requests go", .number = &o->upstream_port, .min = 1, .max = UINT16_MAX},
		{"abort", "answer 503 without upstream", .flag = &o->abort},
		{"percentage", "of the requests that are aborted; default 100", .number = &o->percentage, .max = 100},
		{"delay-ms", "hold each request back", .number = &o->delay_ns, .max = 86400000, .scale = NS_PER_MS},
		{"hold", "hold each request until the client leaves", .flag = &o->hold},
	};

	args_read(argc, argv, "The least an HTTP/1.1 relay can do, for comparison.", table, ARRAY_LEN(table));
	if (o->hold)
		o->delay_ns = INT64_MAX;
}

int main(int argc, char **argv)
{
	static struct floor floor = {.options = {.percentage = 100}};
	struct floor *f = &floor;
	uint16_t port;

	read_options(&f->options, argc, argv);
	sock_raise_fd_limit();
	list_init(&f->delayed);
	list_init(&f->idle);
	list_init(&f->grave);
	f->random = (uint64_t)clock_mono_ns() | 1;

	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (f->epoll_fd < 0)
		die("epoll_create1");
	f->listener.kind = END_LISTENER;
	port = (uint16_t)f->options.listen_port;
	f->listener.fd = sock_listen(&port);
	sock_watch(f->epoll_fd, f->listener.fd, EPOLLIN, &f->listener);
	f->timer.kind = END_TIMER;
	f->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (f->timer.fd < 0)
		die("timerfd_create");
	sock_watch(f->epoll_fd, f->timer.fd, EPOLLIN | EPOLLET, &f->timer);

	printf("listening on 127.0.0.1:%u\n", port);
	if (fflush(stdout) != 0)
		die("standard output");
	run(f);
}
