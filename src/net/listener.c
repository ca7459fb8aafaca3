/*
 * listener: binding and accepting. Owns its socket and one descriptor in reserve; what it accepted is on_accept's.
 * Must never spin: whatever accept says, it goes on only on a new edge, at its next turn, or after the pause.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "net/conn.h"

/* The kernel lowers it to net.core.somaxconn. */
#define LISTENER_BACKLOG 4096

/* ---- binding ---- */

static void set_option(int fd, int name)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, name, &on, sizeof(on));
}

/* A new socket, bound to want. -errno. */
static int open_bound(const struct address *want, bool share_port, int *fd)
{
	int s = socket(want->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return -errno;
	if (want->sa.sa_family != AF_UNIX) {
		set_option(s, SO_REUSEADDR);
		if (share_port)
			set_option(s, SO_REUSEPORT);
		conn_set_options(s);
	}
	if (bind(s, &want->sa, want->n) < 0) {
		int error = errno;

		close(s);
		return -error;
	}
	*fd = s;
	return 0;
}

/* True where a is the path of a socket that nobody listens on. */
static bool is_stale_socket(const struct address *a)
{
	struct stat st;
	bool refused;
	int s;

	/* connect says ECONNREFUSED of a plain file as well, and that is not ours to remove. */
	if (a->sa.sa_family != AF_UNIX || a->un.sun_path[0] == '\0' || lstat(a->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return false;
	refused = connect(s, &a->sa, a->n) < 0 && errno == ECONNREFUSED;
	close(s);
	return refused;
}

int listener_probe(const struct address *want)
{
	int fd = -1;
	int rc;

	if (want->sa.sa_family == AF_UNIX || address_port(want) == 0)
		return 0;
	rc = open_bound(want, false, &fd);
	if (rc < 0)
		return rc;
	/* Two that are bound but do not listen may share an address; the second to listen is told. */
	rc = listen(fd, 1) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int listener_bind(const struct address *want, int *fd, struct address *bound)
{
	int s = -1;
	int rc = open_bound(want, true, &s);

	if (rc == -EADDRINUSE && is_stale_socket(want) && unlink(want->un.sun_path) == 0)
		rc = open_bound(want, true, &s);
	if (rc < 0)
		return rc;
	*bound = (struct address){ .n = sizeof(bound->un) };
	if (listen(s, LISTENER_BACKLOG) < 0 || getsockname(s, &bound->sa, &bound->n) < 0) {
		rc = -errno;
		close(s);
		return rc;
	}
	*fd = s;
	return 0;
}

/* ---- accepting ---- */

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Gives the reserve descriptor to the connection at the head of the queue, to close it. */
static void refuse_one(struct listener *l)
{
	int fd;

	if (l->reserve_fd >= 0)
		close(l->reserve_fd);
	fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	l->reserve_fd = open_reserve();
}

static void pause_accepting(struct listener *l, int error)
{
	l->pauses++;
	if (l->on_pause)
		l->on_pause(l, error);
	/* Where there is no memory for the timer the next connection's edge is what ends the pause. */
	l->paused = timer_set(l->loop, &l->resume, loop_now_ns(l->loop) + LISTENER_PAUSE_NS) == 0;
}

static void on_resume(struct timer *timer)
{
	struct listener *l = container_of(timer, struct listener, resume);

	l->paused = false;
	loop_queue(l->loop, &l->task);
}

/* What a failed accept means. True: the next one may do better. */
static bool go_on_after(struct listener *l, int error)
{
	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
		refuse_one(l);
		pause_accepting(l, error);
		return false;
	case EINTR:
	case ECONNABORTED:
	case EPERM: /* a firewall's rule */
	/* What had gone wrong with the connection before it was accepted: accept(2) passes it on. */
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		return true;
	default: /* ENOBUFS, ENOMEM, and what is not known: it would be the same again at once */
		pause_accepting(l, error);
		return false;
	}
}

static void run_accept(struct task *task)
{
	struct listener *l = container_of(task, struct listener, task);

	if (l->paused)
		return;
	for (unsigned i = 0; i < LISTENER_ACCEPTS_PER_WAKEUP; i++) {
		struct address peer = { .n = sizeof(peer.un) };
		int fd = accept4(l->fd, &peer.sa, &peer.n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			l->accepted++;
			l->on_accept(l, fd, &peer);
		} else if (!go_on_after(l, errno)) {
			return;
		}
	}
	/* There may be more, and no edge will say so. */
	loop_queue(l->loop, task);
}

static void on_edge(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	loop_queue(l->loop, &l->task);
}

int listener_init(struct listener *l, struct loop *loop, int fd,
	void (*on_accept)(struct listener *listener, int fd, const struct address *peer))
{
	int rc;

	*l = (struct listener){ .loop = loop, .fd = fd, .reserve_fd = open_reserve(), .on_accept = on_accept };
	task_init(&l->task, run_accept);
	timer_init(&l->resume, on_resume);
	rc = event_assign(&l->event, loop_event_base(loop), fd, EV_READ | EV_ET | EV_PERSIST, on_edge, l);
	if (rc == 0)
		rc = event_add(&l->event, NULL);
	if (rc < 0) {
		int error = errno ? errno : EIO;

		listener_deinit(l);
		return -error;
	}
	return 0;
}

void listener_deinit(struct listener *l)
{
	if (l->fd < 0)
		return;
	(void)event_del(&l->event);
	task_cancel(&l->task);
	timer_deinit(l->loop, &l->resume);
	close(l->fd);
	if (l->reserve_fd >= 0)
		close(l->reserve_fd);
	l->fd = -1;
	l->reserve_fd = -1;
}
