/*
 * worker: makes and unmakes what one thread owns, and runs its loop.
 */
#include "proxy/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/write.h"

#define CLIENTS_KEPT 1024
#define UPSTREAM_CONNS_KEPT 256
#define SHAPES_KEPT 64
/* Records a worker can be ahead of the collector: a fifth of a second at 40,000 requests per second. */
#define RING_RECORDS 8192

static void stop_when_empty(struct worker *w)
{
	if (w->draining && !w->n_clients)
		loop_stop(w->loop);
}

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
	struct worker_listener *l = container_of(listener, struct worker_listener, listener);

	client_accept(l->worker, l, fd, peer);
}

static void on_pause(struct listener *listener)
{
	struct worker_listener *l = container_of(listener, struct worker_listener, listener);

	counter_add(&l->worker->counters, COUNTER_ACCEPT_PAUSES, 1);
}

static int init_memory(struct worker *w, bool records)
{
	const struct plan_limits *limits = &w->plan->limits;
	size_t out_bytes = (size_t)limits->max_header_bytes + WORKER_OUT_EXTRA_BYTES;

	w->listeners = calloc(w->plan->n_listeners, sizeof(*w->listeners));
	w->upstreams = calloc(w->plan->n_upstreams, sizeof(*w->upstreams));
	w->scratch = malloc(WORKER_SCRATCH_BYTES);
	w->path = malloc(limits->max_header_bytes);
	w->request.fields.v = calloc(limits->max_headers, sizeof(struct http_field));
	w->response.fields.v = calloc(limits->max_headers, sizeof(struct http_field));
	w->request.fields.cap = limits->max_headers;
	w->response.fields.cap = limits->max_headers;
	text_init_fixed(&w->out, malloc(out_bytes), out_bytes);
	text_init_fixed(&w->tail, malloc(HTTP_TRAILER_BYTES_MAX + 1024), HTTP_TRAILER_BYTES_MAX + 1024);
	w->patterns = pattern_scratch_new();
	w->traffic = aligned_alloc(_Alignof(struct traffic_counts), sizeof(*w->traffic));
	if (w->traffic)
		memset(w->traffic, 0, sizeof(*w->traffic));
	if (records)
		w->ring = ring_new(RING_RECORDS);
	if (!w->listeners || !w->upstreams || !w->scratch || !w->path || !w->request.fields.v || !w->response.fields.v ||
		!w->out.p || !w->tail.p || !w->patterns || !w->traffic || (records && !w->ring))
		return -ENOMEM;
	return 0;
}

/* Idle connections this worker may keep: all workers together stay under the upstream's ceiling. */
static uint32_t idle_share(const struct plan_upstream *u, unsigned workers)
{
	if (!u->max_connections)
		return u->keepalive;
	return MIN(u->keepalive, u->max_connections / workers);
}

int worker_init(struct worker *w, unsigned number, struct shared *shared, const int *listen_fds, bool records)
{
	int r;

	*w = (struct worker){ .shared = shared, .plan = shared->plan, .number = number };
	list_init(&w->clients_open);
	list_init(&w->resolving);
	pool_init(&w->clients, sizeof(struct client), CLIENTS_KEPT);
	pool_init(&w->upstream_conns, sizeof(struct upstream_conn), UPSTREAM_CONNS_KEPT);
	pool_init(&w->shapes, sizeof(struct shape), SHAPES_KEPT);
	pool_init(&w->decided, sizeof(struct record_decisions), SHAPES_KEPT);
	blocks_init(&w->blocks);
	r = init_memory(w, records);
	if (r == 0)
		r = loop_new(&w->loop);
	for (unsigned i = 0; r == 0 && i < w->plan->n_upstreams; i++)
		worker_upstream_init(&w->upstreams[i], w, &w->plan->upstreams[i],
			idle_share(&w->plan->upstreams[i], shared->n_workers));
	for (unsigned i = 0; i < w->plan->n_listeners; i++) {
		if (r < 0) {
			(void)close(listen_fds[i]);
			continue;
		}
		w->listeners[i].worker = w;
		w->listeners[i].plan = &w->plan->listeners[i];
		w->listeners[i].index = (uint16_t)i;
		r = listener_init(&w->listeners[i].listener, w->loop, listen_fds[i], on_accept);
		w->listeners[i].listener.on_pause = on_pause;
	}
	return r;
}

static void close_listeners(struct worker *w)
{
	for (unsigned i = 0; w->listeners && i < w->plan->n_listeners; i++) {
		if (!w->listeners[i].worker)
			continue;
		listener_deinit(&w->listeners[i].listener);
		w->listeners[i].worker = NULL;
	}
}

static void close_clients(struct worker *w, enum close_reason reason)
{
	struct list *node = w->clients_open.next;

	while (node != &w->clients_open) {
		struct client *c = container_of(node, struct client, node);

		node = node->next;
		(void)client_close(c, reason, CONN_END_RESET);
	}
}

void worker_deinit(struct worker *w)
{
	if (w->loop) {
		close_listeners(w);
		close_clients(w, CLOSE_SHUTDOWN);
		for (unsigned i = 0; w->upstreams && i < w->plan->n_upstreams; i++) {
			if (w->upstreams[i].plan)
				worker_upstream_deinit(&w->upstreams[i]);
		}
		loop_free(w->loop);
	}
	pool_deinit(&w->clients);
	pool_deinit(&w->upstream_conns);
	pool_deinit(&w->shapes);
	pool_deinit(&w->decided);
	blocks_deinit(&w->blocks);
	pattern_scratch_free(w->patterns);
	free(w->listeners);
	free(w->traffic);
	free(w->upstreams);
	free(w->scratch);
	free(w->path);
	free(w->request.fields.v);
	free(w->response.fields.v);
	free(w->out.p);
	free(w->tail.p);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "worker %u", w->number % 1000);
	(void)pthread_setname_np(pthread_self(), name);
	loop_run(w->loop);
	close_listeners(w);
	close_clients(w, CLOSE_SHUTDOWN);
	atomic_store(&w->has_ended, true);
	atomic_fetch_sub(&w->shared->workers_running, 1);
	return NULL;
}

int worker_start(struct worker *w)
{
	int r;

	atomic_fetch_add(&w->shared->workers_running, 1);
	r = pthread_create(&w->thread, NULL, run, w);
	if (r != 0)
		atomic_fetch_sub(&w->shared->workers_running, 1);
	return -r;
}

static void drain(void *arg)
{
	struct worker *w = arg;
	struct list *node;

	if (w->draining)
		return;
	w->draining = true;
	close_listeners(w);
	for (node = w->clients_open.next; node != &w->clients_open; node = node->next)
		client_drain(container_of(node, struct client, node));
	stop_when_empty(w);
}

static void stop(void *arg)
{
	struct worker *w = arg;

	loop_stop(w->loop);
}

int worker_post_drain(struct worker *w)
{
	return loop_post(w->loop, drain, w);
}

int worker_post_stop(struct worker *w)
{
	return loop_post(w->loop, stop, w);
}

static void come_round(void *arg)
{
	struct worker *w = arg;

	atomic_store(&w->is_asked, false);
}

bool worker_comes_round(struct worker *w)
{
	if (atomic_load(&w->has_ended))
		return true;
	if (atomic_exchange(&w->is_asked, true))
		return false;
	/* Without memory to ask with nothing is known, and so nothing said against it. */
	if (loop_post(w->loop, come_round, w) < 0)
		atomic_store(&w->is_asked, false);
	return true;
}

void worker_client_came(struct worker *w, struct list *node)
{
	list_push_back(&w->clients_open, node);
	w->n_clients++;
	gauge_add(&w->counters.clients, 1);
}

void worker_client_gone(struct worker *w, struct list *node)
{
	list_remove(node);
	w->n_clients--;
	gauge_add(&w->counters.clients, -1);
	stop_when_empty(w);
}

struct span worker_date_line(struct worker *w)
{
	int64_t now = loop_now_ns(w->loop);

	if (now >= w->date_until_ns) {
		int64_t wall = clock_wall_ns();
		char *p = w->date;

		memcpy(p, "Date: ", 6);
		http_date_write(p + 6, wall / NS_PER_S);
		memcpy(p + 6 + HTTP_DATE_BYTES, "\r\n", 2);
		w->date_until_ns = now + NS_PER_S - wall % NS_PER_S;
	}
	return span_of(w->date, sizeof(w->date));
}

struct span worker_date(struct worker *w)
{
	return span_of(worker_date_line(w).p + 6, HTTP_DATE_BYTES);
}
