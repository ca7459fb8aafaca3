/*
 * admin: the thread, the listener, the end.
 */
#include "admin/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin_internal.h"
#include "base/clock.h"
#include "base/log.h"

/* ---- time ---- */

/* A thread that was held up, a machine that slept: the seconds that are missing are not made up. */
static void on_second(struct timer *timer)
{
	struct admin *a = container_of(timer, struct admin, second);

	admin_history_take(a->history, a->server);
	admin_events_second(a);
	if (timer_set(a->loop, &a->second, loop_now_ns(a->loop) + NS_PER_S) < 0)
		log_error("admin: no memory to go on counting seconds");
}

/* ---- binding ---- */

static int find_address(const struct endpoint *e, struct address *want, char *error, size_t error_n)
{
	unsigned n = 0;
	int r;

	if (e->kind == ENDPOINT_UNIX) {
		r = address_from_unix(want, e->host);
		if (r)
			(void)snprintf(error, error_n, "admin: %.*s: the path of a unix socket is too long", SPAN_ARG(e->host));
		return r ? -ENAMETOOLONG : 0;
	}
	r = address_resolve(want, 1, &n, e->host, e->port);
	if (r == 0 && n)
		return 0;
	(void)snprintf(error, error_n, "admin: %.*s: %s", SPAN_ARG(e->host), address_resolve_error(r));
	return -EADDRNOTAVAIL;
}

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
	(void)peer;
	admin_conn_accept(container_of(listener, struct admin, listener), fd);
}

/* Takes the address; nobody may have it already, nor a second brownout that would share it. */
static int bind_address(struct admin *a, const struct plan_admin *plan, char *error, size_t error_n)
{
	char block[ADDRESS_TEXT_BYTES];
	struct address want;
	struct text at;
	mode_t mask;
	int fd = -1;
	int r = find_address(&plan->address, &want, error, error_n);

	if (r < 0)
		return r;
	text_init_fixed(&at, block, sizeof(block));
	address_write(&want, &at);
	/* A name that seemed to be of this machine alone may have been given another meaning. */
	if (plan->token.n == 0 && !address_is_loopback(&want)) {
		(void)snprintf(error, error_n, "admin: %.*s can be reached from other machines: it needs a token",
			SPAN_ARG(text_span(&at)));
		return -EACCES;
	}
	r = listener_probe(&want);
	/* A unix socket is for the user alone that brownout runs as. No thread is started yet that a umask could surprise. */
	mask = umask(S_IRWXG | S_IRWXO);
	if (r == 0)
		r = listener_bind(&want, &fd, &a->bound);
	(void)umask(mask);
	if (r == 0)
		r = listener_init(&a->listener, a->loop, fd, on_accept);
	if (r < 0)
		(void)snprintf(error, error_n, "admin: cannot listen on %.*s: %s", SPAN_ARG(text_span(&at)), strerror(-r));
	return r;
}

int admin_open(struct admin **admin, const struct plan *plan, char *error, size_t error_n)
{
	struct admin *a;
	int r;

	*admin = NULL;
	if (!plan->admin.enabled)
		return 0;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->listener.fd = -1;
	list_init(&a->conns);
	list_init(&a->streams);
	timer_init(&a->second, on_second);
	timer_init(&a->tick, admin_events_tick);
	a->auth.is_unix = plan->admin.address.kind == ENDPOINT_UNIX;
	a->auth.token.n = plan->admin.token.n;
	a->auth.token.p = span_dup(plan->admin.token);
	r = a->auth.token.p ? loop_new(&a->loop) : -ENOMEM;
	if (r == 0)
		r = bind_address(a, &plan->admin, error, error_n);
	if (r < 0)
		admin_free(a);
	else
		*admin = a;
	return r;
}

void admin_address(const struct admin *admin, struct text *out)
{
	address_write(&admin->bound, out);
}

bool admin_is_unix(const struct admin *admin)
{
	return admin->auth.is_unix;
}

/* ---- the thread ---- */

static void *run(void *arg)
{
	struct admin *a = arg;

	(void)pthread_setname_np(pthread_self(), "admin");
	loop_run(a->loop);
	return NULL;
}

int admin_start(struct admin *admin, struct server *server, struct live_file *file)
{
	int r;

	admin->server = server;
	admin->file = file;
	admin->start_ns = clock_mono_ns();
	admin->start_wall_ns = clock_wall_ns();
	admin->history = admin_history_new(server);
	r = admin->history ? timer_set(admin->loop, &admin->second, admin->start_ns + NS_PER_S) : -ENOMEM;
	if (r < 0)
		return r;
	r = -pthread_create(&admin->thread, NULL, run, admin);
	admin->runs = r == 0;
	return r;
}

static void stop(void *arg)
{
	struct admin *a = arg;

	loop_stop(a->loop);
}

static void stop_thread(struct admin *a)
{
	loop_post_own(a->loop, &a->stop, stop, a);
	(void)pthread_join(a->thread, NULL);
}

void admin_free(struct admin *admin)
{
	if (!admin)
		return;
	if (admin->runs)
		stop_thread(admin);
	listener_deinit(&admin->listener);
	while (!list_is_empty(&admin->conns))
		admin_conn_end(container_of(admin->conns.next, struct admin_conn, node));
	if (admin->loop) {
		timer_deinit(admin->loop, &admin->second);
		timer_deinit(admin->loop, &admin->tick);
		loop_free(admin->loop);
	}
	admin_history_free(admin->history);
	if (admin->auth.is_unix && admin->bound.n && admin->bound.un.sun_path[0])
		(void)unlink(admin->bound.un.sun_path);
	free((char *)(uintptr_t)admin->auth.token.p);
	free(admin);
}
