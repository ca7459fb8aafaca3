/*
 * fake_net: see fake_net.h. What it does is what the headers of net promise, and no more.
 */
#include "fake_net.h"

#include <errno.h>
#include <stdlib.h>

#include "net/listener.h"
#include "net/pipe.h"
#include "net/resolver.h"

#define PASSES_MAX 20000

static struct fake_socket sockets[FAKE_SOCKETS_MAX];
static unsigned n_refused;
static int64_t clock_ns;

/* ---- the loop ---- */

struct loop {
	struct list queue;
	struct list next;
	struct task *running;
	struct list graves;
	struct heap timers;
	bool stop;
};

int loop_new(struct loop **loop)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	list_init(&l->queue);
	list_init(&l->next);
	list_init(&l->graves);
	heap_init(&l->timers);
	*loop = l;
	return 0;
}

static void bury_all(struct loop *loop)
{
	struct list *node;

	while ((node = list_pop_front(&loop->graves))) {
		struct grave *grave = container_of(node, struct grave, node);

		grave->free(grave);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	bury_all(loop);
	heap_deinit(&loop->timers);
	free(loop);
}

void loop_run(struct loop *loop)
{
	(void)fake_run(loop);
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

/* The test and the program are one thread: what is posted is done at once. */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	(void)loop;
	fn(arg);
	return 0;
}

void loop_post_own(struct loop *loop, struct post *post, void (*fn)(void *arg), void *arg)
{
	(void)loop;
	(void)post;
	fn(arg);
}

int64_t loop_now_ns(const struct loop *loop)
{
	(void)loop;
	return clock_ns;
}

int64_t loop_read_clock(struct loop *loop)
{
	(void)loop;
	return clock_ns;
}

void task_init(struct task *task, void (*run)(struct task *task))
{
	list_init(&task->node);
	task->run = run;
}

void loop_queue(struct loop *loop, struct task *task)
{
	if (!list_is_linked(&task->node))
		list_push_back(task == loop->running ? &loop->next : &loop->queue, &task->node);
}

void task_cancel(struct task *task)
{
	list_remove(&task->node);
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
	heap_node_init(&timer->node);
	timer->due_ns = TIMER_NEVER;
	timer->fire = fire;
}

int timer_set(struct loop *loop, struct timer *timer, int64_t due_ns)
{
	timer->due_ns = due_ns;
	if (!heap_has(&timer->node))
		return heap_insert(&loop->timers, &timer->node, due_ns);
	heap_set_key(&loop->timers, &timer->node, due_ns);
	return 0;
}

void timer_deinit(struct loop *loop, struct timer *timer)
{
	if (heap_has(&timer->node))
		heap_remove(&loop->timers, &timer->node);
	timer->due_ns = TIMER_NEVER;
}

void loop_bury(struct loop *loop, struct grave *grave, void (*free)(struct grave *grave))
{
	grave->free = free;
	list_push_back(&loop->graves, &grave->node);
}

struct event_base *loop_event_base(const struct loop *loop)
{
	(void)loop;
	return NULL;
}

static bool fire_one(struct loop *loop)
{
	struct heap_node *top = heap_top(&loop->timers);
	struct timer *timer = top ? container_of(top, struct timer, node) : NULL;

	if (!top || (top->key > clock_ns && timer->due_ns != TIMER_NEVER))
		return false;
	heap_remove(&loop->timers, top);
	if (timer->due_ns == TIMER_NEVER)
		return true;
	timer->due_ns = TIMER_NEVER;
	timer->fire(timer);
	return true;
}

bool fake_run(struct loop *loop)
{
	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		struct list *node;

		list_splice_back(&loop->queue, &loop->next);
		node = list_pop_front(&loop->queue);
		if (node) {
			loop->running = container_of(node, struct task, node);
			loop->running->run(loop->running);
			loop->running = NULL;
			continue;
		}
		bury_all(loop);
		if (!fire_one(loop) && list_is_empty(&loop->queue) && list_is_empty(&loop->next)) {
			bury_all(loop);
			return true;
		}
	}
	return false;
}

unsigned fake_timers(const struct loop *loop)
{
	return (unsigned)loop->timers.n;
}

void fake_advance(int64_t ns)
{
	clock_ns += ns;
}

/* ---- sockets: the test's side ---- */

void fake_net_reset(void)
{
	for (unsigned i = 0; i < FAKE_SOCKETS_MAX; i++) {
		text_deinit(&sockets[i].in);
		text_deinit(&sockets[i].out);
		sockets[i] = (struct fake_socket){ 0 };
	}
	n_refused = 0;
	clock_ns = INT64_C(1000) * NS_PER_S;
}

struct fake_socket *fake_socket_at(unsigned i)
{
	return i < FAKE_SOCKETS_MAX ? &sockets[i] : NULL;
}

struct fake_socket *fake_socket_of(int fd)
{
	return &sockets[fd - FAKE_FD_FIRST];
}

int fake_socket_new(void)
{
	for (unsigned i = 0; i < FAKE_SOCKETS_MAX; i++) {
		if (sockets[i].used)
			continue;
		sockets[i].used = true;
		sockets[i].credit = 1 << 20;
		text_init(&sockets[i].in);
		text_init(&sockets[i].out);
		return FAKE_FD_FIRST + (int)i;
	}
	return -1;
}

static void edge(struct fake_socket *s, uint8_t bits)
{
	struct conn *c = s->conn;

	if (!c)
		return;
	c->ready |= bits;
	if (bits & CONN_READABLE)
		c->ready &= (uint8_t)~CONN_DRAINED;
	loop_queue(c->loop, c->task);
}

void fake_send(struct fake_socket *s, struct span bytes)
{
	if (s->closed || s->in_fin || s->in_reset || s->connecting)
		return;
	text_put_span(&s->in, bytes);
	edge(s, CONN_READABLE);
}

void fake_fin(struct fake_socket *s)
{
	if (s->in_fin || s->in_reset || s->connecting)
		return;
	s->in_fin = true;
	edge(s, CONN_READABLE | CONN_HANGUP);
}

void fake_reset(struct fake_socket *s)
{
	if (s->in_reset || s->connecting)
		return;
	s->in_reset = true;
	/* The kernel throws away what was not read. */
	text_clear(&s->in);
	s->in_off = 0;
	edge(s, CONN_READABLE | CONN_WRITABLE | CONN_HANGUP);
}

void fake_allow(struct fake_socket *s, size_t bytes)
{
	bool was_full = s->credit == 0;

	s->credit += bytes;
	if (was_full && bytes && !s->connecting)
		edge(s, CONN_WRITABLE);
}

void fake_connected(struct fake_socket *s, int error)
{
	if (!s->connecting)
		return;
	s->connecting = false;
	s->connect_error = error;
	s->in_reset = error != 0;
	edge(s, error ? CONN_READABLE | CONN_WRITABLE | CONN_HANGUP : CONN_WRITABLE);
}

void fake_refuse_connects(unsigned n)
{
	n_refused = n;
}

/* ---- sockets: the program's side ---- */

int conn_open(struct conn *c, struct loop *loop, int fd, struct task *task, uint8_t ready)
{
	struct fake_socket *s = fake_socket_of(fd);

	memset(c, 0, sizeof(*c));
	c->loop = loop;
	c->task = task;
	c->fd = fd;
	c->ready = ready;
	s->conn = c;
	/* The kernel tells at once of what is there already. */
	if (!s->connecting)
		edge(s, CONN_WRITABLE | (s->in.n ? CONN_READABLE : 0));
	return 0;
}

void conn_close(struct conn *c, enum conn_end how)
{
	struct fake_socket *s;

	(void)how;
	if (c->fd < 0)
		return;
	s = fake_socket_of(c->fd);
	s->conn = NULL;
	s->closed = true;
	s->connecting = false;
	c->fd = -1;
	c->ready = 0;
}

void conn_set_task(struct conn *c, struct task *task)
{
	c->task = task;
}

ssize_t conn_settle_read(struct conn *c, ssize_t got)
{
	(void)c;
	return got;
}

ssize_t conn_settle_write(struct conn *c, ssize_t sent, size_t wanted)
{
	(void)c;
	(void)wanted;
	return sent;
}

static ssize_t take(struct conn *c, char *p, size_t n, bool tells_drained)
{
	struct fake_socket *s = fake_socket_of(c->fd);
	size_t has = s->in.n - s->in_off;

	if (c->ready & CONN_FAILED)
		return -c->error;
	if (n == 0 || c->ready & CONN_EOF)
		return 0;
	if (s->in_reset) {
		c->error = s->connect_error ? s->connect_error : ECONNRESET;
		c->ready |= CONN_FAILED;
		return -c->error;
	}
	if (has) {
		size_t got = MIN(has, n);

		memcpy(p, s->in.p + s->in_off, got);
		s->in_off += got;
		if (tells_drained && got < n && !(c->ready & CONN_HANGUP))
			c->ready |= CONN_DRAINED;
		return (ssize_t)got;
	}
	c->ready &= (uint8_t)~CONN_READABLE;
	if (!s->in_fin)
		return -EAGAIN;
	c->ready |= CONN_EOF;
	return 0;
}

ssize_t conn_read(struct conn *c, void *p, size_t n)
{
	return take(c, p, n, true);
}

ssize_t conn_write(struct conn *c, const void *p, size_t n)
{
	struct fake_socket *s = fake_socket_of(c->fd);
	size_t most = MIN(n, s->credit);

	if (c->ready & (CONN_FAILED | CONN_BROKEN))
		return -c->error;
	if (s->in_reset || s->out_fin) {
		c->error = EPIPE;
		c->ready = (uint8_t)((c->ready | CONN_BROKEN | CONN_READABLE) & ~CONN_DRAINED);
		return -EPIPE;
	}
	if (s->connecting || (n && !most)) {
		c->ready &= (uint8_t)~CONN_WRITABLE;
		return -EAGAIN;
	}
	text_put(&s->out, p, most);
	s->credit -= most;
	c->written += most;
	if (most < n)
		c->ready &= (uint8_t)~CONN_WRITABLE;
	return (ssize_t)most;
}

ssize_t conn_writev(struct conn *c, const struct iovec *iov, int n)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		ssize_t sent = conn_write(c, iov[i].iov_base, iov[i].iov_len);

		if (sent < 0)
			return sum ? sum : sent;
		sum += sent;
		if ((size_t)sent < iov[i].iov_len)
			break;
	}
	return sum;
}

bool conn_probe_failure(struct conn *c)
{
	if (!(c->ready & (CONN_FAILED | CONN_BROKEN)) && fake_socket_of(c->fd)->in_reset) {
		c->error = ECONNRESET;
		c->ready |= CONN_FAILED;
	}
	return c->ready & (CONN_FAILED | CONN_BROKEN);
}

bool conn_probe(struct conn *c)
{
	struct fake_socket *s = fake_socket_of(c->fd);

	if (c->ready & (CONN_FAILED | CONN_BROKEN))
		return true;
	if (s->in_fin || s->in_reset)
		c->ready |= CONN_HANGUP | CONN_READABLE;
	return conn_probe_failure(c);
}

uint32_t conn_unsent(const struct conn *c)
{
	(void)c;
	return 0;
}

void conn_shutdown_write(struct conn *c)
{
	fake_socket_of(c->fd)->out_fin = true;
}

int conn_connect_start(const struct address *a, int *fd)
{
	(void)a;
	if (n_refused) {
		n_refused--;
		return -ECONNREFUSED;
	}
	*fd = fake_socket_new();
	if (*fd < 0)
		return -EMFILE;
	fake_socket_of(*fd)->to_upstream = true;
	fake_socket_of(*fd)->connecting = true;
	return 0;
}

int conn_connect_error(const struct conn *c)
{
	const struct fake_socket *s = fake_socket_of(c->fd);

	return s->connecting ? EINPROGRESS : s->connect_error;
}

/* ---- pipes ---- */

struct fake_pipe {
	struct pipe p;
	char bytes[8192];
};

void pipes_deinit(struct pipes *pipes)
{
	(void)pipes;
}

struct pipe *pipes_get(struct pipes *pipes)
{
	struct fake_pipe *p = calloc(1, sizeof(*p));

	(void)pipes;
	if (!p)
		return NULL;
	p->p.room = sizeof(p->bytes);
	return &p->p;
}

void pipes_put(struct pipes *pipes, struct pipe *p)
{
	(void)pipes;
	free(container_of(p, struct fake_pipe, p));
}

ssize_t pipe_fill(struct pipe *p, struct conn *from, size_t n)
{
	ssize_t got = take(from, container_of(p, struct fake_pipe, p)->bytes, MIN(n, (size_t)p->room), false);

	p->held = got > 0 ? (uint32_t)got : 0;
	return got;
}

ssize_t pipe_drain(struct pipe *p, struct conn *to)
{
	struct fake_pipe *f = container_of(p, struct fake_pipe, p);
	ssize_t sent = conn_write(to, f->bytes, p->held);

	if (sent > 0) {
		memmove(f->bytes, f->bytes + sent, p->held - (size_t)sent);
		p->held -= (uint32_t)sent;
	}
	return sent;
}

/* ---- what is left ---- */

int listener_probe(const struct address *want)
{
	(void)want;
	return 0;
}

int listener_bind(const struct address *want, int *fd, struct address *bound)
{
	*fd = FAKE_FD_FIRST;
	*bound = *want;
	return 0;
}

int listener_init(struct listener *l, struct loop *loop, int fd,
	void (*on_accept)(struct listener *listener, int fd, const struct address *peer))
{
	l->loop = loop;
	l->fd = fd;
	l->on_accept = on_accept;
	return 0;
}

void listener_deinit(struct listener *l)
{
	l->fd = -1;
}

int resolver_new(struct resolver **r)
{
	*r = NULL;
	return 0;
}

void resolver_free(struct resolver *r)
{
	(void)r;
}

/* Names with "none" in them cannot be found. */
int resolver_ask(struct resolver *r, struct span host, uint16_t port, struct loop *loop,
	void (*on_answer)(void *arg, uint64_t token, const struct resolver_answer *answer), void *arg, uint64_t token,
	struct resolver_answer *answer)
{
	(void)r;
	(void)loop;
	(void)on_answer;
	(void)arg;
	(void)token;
	*answer = (struct resolver_answer){ 0 };
	if (span_starts_with(host, SPAN("none")))
		return 0;
	answer->n = 2;
	for (unsigned i = 0; i < 2; i++) {
		if (address_from_numeric(&answer->list[i], SPAN("127.0.0.1"), port) != 0)
			abort();
	}
	return 0;
}
