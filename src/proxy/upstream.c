/*
 * upstream: see upstream.h. Knows of sockets and counts; what is sent over them is not its business.
 */
#include "proxy/upstream.h"

#include <errno.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include "net/tls.h"
#include "proxy/worker.h"

#define SWEEP_NS NS_PER_S

/* Any of these on an idle connection means: its upstream closed it, or speaks out of turn. It is of no more use. */
#define SPENT (CONN_READABLE | CONN_HANGUP | CONN_FAILED | CONN_BROKEN)

/*
 * TLS has words of its own between answers, such as tickets (RFC 8446 section 4.6): no content is what must come. Apart, since a
 * byte on the stack would cost plain connections a guard.
 */
static __attribute__((noinline)) bool has_content(struct conn *conn)
{
	return conn_read(conn, &(char){ 0 }, 1) != -EAGAIN;
}

static bool is_spent(struct upstream_conn *up)
{
	struct conn *conn = &up->peer.conn;

	if (UNLIKELY(conn->tls) && (conn->ready & SPENT) == CONN_READABLE)
		return has_content(conn);
	return conn->ready & SPENT;
}

static void idle_run(struct task *task)
{
	struct upstream_conn *up = container_of(task, struct upstream_conn, task);

	if (is_spent(up))
		upstream_close(up);
}

static void upstream_free(struct grave *grave)
{
	struct upstream_conn *up = container_of(grave, struct upstream_conn, grave);

	pool_put(&up->worker->upstream_conns, up);
}

static void sweep(struct timer *timer)
{
	struct worker_upstream *u = container_of(timer, struct worker_upstream, sweep);
	int64_t oldest = loop_now_ns(u->worker->loop) - u->keepalive_timeout_ns;

	while (!list_is_empty(&u->idle)) {
		struct upstream_conn *up = container_of(u->idle.prev, struct upstream_conn, node);

		if (up->idle_since_ns > oldest)
			break;
		upstream_close(up);
	}
	/* Without memory for the timer they are closed when next taken. */
	if (!list_is_empty(&u->idle) && timer_set(u->worker->loop, timer, loop_now_ns(u->worker->loop) + SWEEP_NS) < 0)
		return;
}

void worker_upstream_init(struct worker_upstream *u, struct worker *w, struct upstream_shared *shared)
{
	*u = (struct worker_upstream){ .shared = shared, .worker = w };
	list_init(&u->idle);
	timer_init(&u->sweep, sweep);
}

/* The oldest go first. */
static void close_surplus(struct worker_upstream *u)
{
	while (u->n_idle > u->keep)
		upstream_close(container_of(u->idle.prev, struct upstream_conn, node));
}

void worker_upstream_update(struct worker_upstream *u, const struct plan_upstream *plan, unsigned n_workers)
{
	u->keepalive_timeout_ns = plan->keepalive_timeout_ns;
	u->max_connections = plan->max_connections;
	/* All workers together stay under the upstream's ceiling. */
	u->keep = plan->max_connections ? MIN(plan->keepalive, plan->max_connections / n_workers) : plan->keepalive;
	/* Idle ones count against a ceiling that may be a lower one now. */
	close_surplus(u);
}

void worker_upstream_retire(struct worker_upstream *u)
{
	u->keep = 0;
	close_surplus(u);
}

void worker_upstream_deinit(struct worker_upstream *u)
{
	worker_upstream_retire(u);
	timer_deinit(u->worker->loop, &u->sweep);
}

static void bind_client(struct upstream_conn *up, struct client *c)
{
	up->client = c;
	conn_set_task(&up->peer.conn, &c->task);
}

static void leave_idle(struct worker_upstream *u, struct upstream_conn *up)
{
	list_remove(&up->node);
	u->n_idle--;
	gauge_add(&u->worker->counters.upstream_idle, -1);
}

struct upstream_conn *upstream_take(struct worker_upstream *u, struct client *c)
{
	struct worker *w = u->worker;
	int64_t oldest = loop_now_ns(w->loop) - u->keepalive_timeout_ns;

	while (!list_is_empty(&u->idle)) {
		struct upstream_conn *up = container_of(u->idle.next, struct upstream_conn, node);

		/* Its end may be known here before its task has run. */
		if (up->idle_since_ns <= oldest || is_spent(up)) {
			upstream_close(up);
			continue;
		}
		leave_idle(u, up);
		task_cancel(&up->task);
		up->written_before = up->peer.conn.written;
		bind_client(up, c);
		counter_add(&w->counters, COUNTER_UPSTREAM_REUSES, 1);
		return up;
	}
	return NULL;
}

static bool reserve(struct worker_upstream *u)
{
	_Atomic uint32_t *open = &u->shared->open;

	if (atomic_fetch_add_explicit(open, 1, memory_order_relaxed) < u->max_connections || !u->max_connections)
		return true;
	atomic_fetch_sub_explicit(open, 1, memory_order_relaxed);
	return false;
}

static void release(struct worker_upstream *u)
{
	atomic_fetch_sub_explicit(&u->shared->open, 1, memory_order_relaxed);
}

/* ---- places that others hold ---- */

static bool take_wanted(struct upstream_shared *shared)
{
	uint32_t wanted = atomic_load_explicit(&shared->wanted, memory_order_relaxed);

	while (wanted && !atomic_compare_exchange_weak_explicit(&shared->wanted, &wanted, wanted - 1, memory_order_relaxed,
				 memory_order_relaxed))
		;
	return wanted > 0;
}

/* In the thread of a worker that was asked: the oldest go. */
static void give_places(void *arg)
{
	const struct worker *w = arg;
	const struct worker_generation *g = w->generation;

	for (unsigned i = 0; i < g->plan->n_upstreams; i++) {
		struct worker_upstream *u = g->upstreams[i];

		while (u->n_idle && take_wanted(u->shared))
			upstream_close(container_of(u->idle.prev, struct upstream_conn, node));
	}
}

static bool has_idle(const struct worker *w)
{
	return atomic_load_explicit(&w->counters.upstream_idle, memory_order_relaxed) > 0;
}

/* Not more often than anybody looks, however many wait. */
static bool may_ask(struct upstream_shared *shared, int64_t now_ns)
{
	int64_t asked_ns = atomic_load_explicit(&shared->asked_ns, memory_order_relaxed);

	return now_ns - asked_ns >= UPSTREAM_LOOK_NS &&
	       atomic_compare_exchange_strong_explicit(&shared->asked_ns, &asked_ns, now_ns, memory_order_relaxed,
		       memory_order_relaxed);
}

bool upstream_ask_for_place(struct worker_upstream *u, bool again)
{
	const struct shared *shared = u->worker->shared;
	unsigned n_holding = 0;
	uint32_t none = 0;
	bool asks;

	for (unsigned i = 0; shared->n_workers > 1 && i < shared->n_workers; i++)
		n_holding += &shared->workers[i] != u->worker && has_idle(&shared->workers[i]);
	if (!n_holding)
		return false;
	/* One for each who waits; one at least while anybody does. */
	if (!again)
		atomic_fetch_add_explicit(&u->shared->wanted, 1, memory_order_relaxed);
	else
		(void)atomic_compare_exchange_strong_explicit(&u->shared->wanted, &none, 1, memory_order_relaxed,
			memory_order_relaxed);
	asks = may_ask(u->shared, loop_now_ns(u->worker->loop));
	for (unsigned i = 0; asks && i < shared->n_workers; i++) {
		struct worker *other = &shared->workers[i];

		/* Without memory to ask with: at the next look. */
		if (other != u->worker && has_idle(other) && loop_post(other->loop, give_places, other) < 0)
			break;
	}
	return true;
}

/* ---- which of its addresses ---- */

/* An address that was silent is not asked first for so long, where there are others: each request would wait for it anew. */
#define SILENT_NS (30 * NS_PER_S)

unsigned upstream_untried(const struct worker_upstream *u, const struct exchange *ex)
{
	return (unsigned)__builtin_popcount(~(unsigned)ex->connect_tried & ((1u << u->addresses.n) - 1));
}

void upstream_note_silence(struct worker_upstream *u, const struct exchange *ex)
{
	if (ex->connect_at >= u->addresses.n)
		return;
	u->silent = u->addresses.list[ex->connect_at];
	u->silent_until_ns = loop_now_ns(u->worker->loop) + SILENT_NS;
}

/* In the order of the answer, but for one that was silent. False: all were tried. */
static bool next_address(const struct worker_upstream *u, struct exchange *ex)
{
	bool shuns = loop_now_ns(u->worker->loop) < u->silent_until_ns;
	unsigned next = u->addresses.n;

	for (unsigned i = u->addresses.n; i-- > 0;) {
		bool later = shuns && address_eq(&u->addresses.list[i], &u->silent);

		if (!(ex->connect_tried >> i & 1) && (!later || next == u->addresses.n))
			next = i;
	}
	if (next == u->addresses.n)
		return false;
	ex->connect_at = (uint8_t)next;
	ex->connect_tried |= (uint8_t)(1u << next);
	return true;
}

int upstream_error_of_two(int before, int after)
{
	switch (before) {
	case 0:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return after;
	default:
		return before;
	}
}

/* The first one not tried yet that a connection is on its way to. */
static int connect_to_one(const struct worker_upstream *u, struct exchange *ex, int *fd)
{
	int error = EADDRNOTAVAIL;

	while (next_address(u, ex)) {
		int r = conn_connect_start(&u->addresses.list[ex->connect_at], fd);

		if (r == 0)
			return 0;
		error = upstream_error_of_two(error, -r);
	}
	return -error;
}

/* 0, or -ENOMEM. */
static int protect(struct upstream_conn *up, const struct client *c)
{
	const struct generation *g = c->ex.generation->shared;
	const struct plan_upstream *plan = &g->plan->upstreams[c->ex.upstream];
	struct tls *tls;

	if (LIKELY(!plan->is_tls))
		return 0;
	tls = tls_new(g->upstream_tls[c->ex.upstream], plan->tls.name.n ? plan->tls.name.p : plan->address.host.p);
	if (!tls)
		return -ENOMEM;
	conn_protect(&up->peer.conn, tls);
	return 0;
}

int upstream_connect(struct worker_upstream *u, struct client *c, struct upstream_conn **result)
{
	struct worker *w = u->worker;
	struct upstream_conn *up;
	int fd = -1;
	int r;

	if (!reserve(u))
		return 1;
	up = pool_get(&w->upstream_conns);
	if (!up) {
		release(u);
		return -ENOMEM;
	}
	*up = (struct upstream_conn){ .worker = w, .upstream = u };
	peer_init(&up->peer);
	list_init(&up->node);
	task_init(&up->task, idle_run);
	r = connect_to_one(u, &c->ex, &fd);
	/* Not yet writable: the first edge says that the connection stands or has failed. */
	if (r == 0)
		r = conn_open(&up->peer.conn, w->loop, fd, &c->task, 0);
	if (r == 0)
		r = protect(up, c);
	if (r < 0) {
		if (conn_is_open(&up->peer.conn))
			conn_close(&up->peer.conn, CONN_END_CLOSE);
		pool_put(&w->upstream_conns, up);
		release(u);
		return r;
	}
	bind_client(up, c);
	counter_add(&w->counters, COUNTER_UPSTREAM_CONNECTS, 1);
	gauge_add(&w->counters.upstream_open, 1);
	*result = up;
	return 0;
}

void upstream_keep(struct upstream_conn *up)
{
	struct worker *w = up->worker;
	struct worker_upstream *u = up->upstream;

	if (u->n_idle >= u->keep || w->draining || (up->peer.conn.ready & (CONN_HANGUP | CONN_FAILED | CONN_EOF | CONN_BROKEN))) {
		upstream_close(up);
		return;
	}
	up->client = NULL;
	up->peer.pace = NULL;
	up->idle_since_ns = loop_now_ns(w->loop);
	conn_set_task(&up->peer.conn, &up->task);
	conn_rest(&up->peer.conn);
	/* What is still marked readable may be the end of the connection: look once (a short read has cleared it usually). */
	if (up->peer.conn.ready & CONN_READABLE) {
		ssize_t n = conn_read(&up->peer.conn, &(char){ 0 }, 1);

		if (n != -EAGAIN) {
			upstream_close(up);
			return;
		}
	}
	list_push_front(&u->idle, &up->node);
	gauge_add(&w->counters.upstream_idle, 1);
	if (u->n_idle++ == 0 && timer_set(w->loop, &u->sweep, up->idle_since_ns + SWEEP_NS) < 0)
		return;
}

void upstream_close(struct upstream_conn *up)
{
	struct worker *w = up->worker;

	if (list_is_linked(&up->node))
		leave_idle(up->upstream, up);
	task_cancel(&up->task);
	peer_deinit(w, &up->peer, CONN_END_CLOSE);
	gauge_add(&w->counters.upstream_open, -1);
	release(up->upstream);
	loop_bury(w->loop, &up->grave, upstream_free);
}

bool upstream_got_nothing(const struct upstream_conn *up)
{
	const struct conn *conn = &up->peer.conn;
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (conn->written == up->written_before)
		return true;
	/*
	 * What the far end has acknowledged is known for certain only from its FIN, which says how far it had read the stream. A
	 * reset says nothing: the request may have been read and its acknowledgement still be owed. (EPIPE is how the kernel
	 * tells of a reset behind a FIN.)
	 */
	if (!conn_is_open(conn) || !((conn->ready & CONN_EOF) || conn->error == EPIPE))
		return false;
	if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return false;
	if (n < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
		return false;
	/* The kernel's count starts with one for the SYN. */
	return info.tcpi_bytes_acked <= up->written_before + 1;
}
