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
#include "proxy/adoption.h"
#include "proxy/decision.h"
#include "proxy/notice.h"

#define CLIENTS_KEPT 1024
#define UPSTREAM_CONNS_KEPT 256
#define SHAPES_KEPT 64
/* Records a worker can be ahead of the collector: a fifth of a second at 40,000 requests per second. */
#define RING_RECORDS 8192

static void stop_when_empty(struct worker *w)
{
	if (w->draining && list_is_empty(&w->clients_open))
		loop_stop(w->loop);
}

static int init_memory(struct worker *w, bool records)
{
	text_init(&w->extra);
	text_init_fixed(&w->tail, malloc(HTTP_TRAILER_BYTES_MAX + 1024), HTTP_TRAILER_BYTES_MAX + 1024);
	w->scratch = malloc(WORKER_SCRATCH_BYTES);
	w->patterns = pattern_scratch_new();
	w->traffic = aligned_alloc(_Alignof(struct traffic_counts), sizeof(*w->traffic));
	if (w->traffic)
		memset(w->traffic, 0, sizeof(*w->traffic));
	if (records)
		w->ring = ring_new(RING_RECORDS);
	if (!w->scratch || !w->tail.p || !w->patterns || !w->traffic || (records && !w->ring))
		return -ENOMEM;
	return 0;
}

int worker_init(struct worker *w, unsigned number, struct shared *shared, struct generation *g, const int *listen_fds,
	bool records)
{
	struct adoption *a = NULL;
	int r;

	*w = (struct worker){ .shared = shared, .number = number };
	list_init(&w->clients_open);
	list_init(&w->resolving);
	pool_init(&w->clients, sizeof(struct client), CLIENTS_KEPT);
	pool_init(&w->upstream_conns, sizeof(struct upstream_conn), UPSTREAM_CONNS_KEPT);
	pool_init(&w->shapes, sizeof(struct shape), SHAPES_KEPT);
	pool_init(&w->claims, sizeof(struct claim), CLIENTS_KEPT);
	pool_init(&w->claims_more, sizeof(struct claim_more), SHAPES_KEPT);
	pool_init(&w->decided, sizeof(struct record_decisions), SHAPES_KEPT);
	pool_init(&w->notices, sizeof(struct notice), SHAPES_KEPT);
	blocks_init(&w->blocks);
	r = init_memory(w, records);
	if (r == 0)
		r = loop_new(&w->loop);
	if (r == 0) {
		a = adoption_new(w, g, NULL, listen_fds);
		r = a ? 0 : -ENOMEM;
	}
	if (a)
		worker_adopt(w, a);
	for (unsigned i = 0; !a && i < g->plan->n_listeners; i++)
		(void)close(listen_fds[i]);
	for (unsigned i = 0; r == 0 && i < w->n_listeners; i++)
		r = listener_is_open(&w->listeners[i]->listener) ? 0 : -EIO;
	return r;
}

static void close_listeners(struct worker *w)
{
	for (unsigned i = 0; i < w->n_listeners; i++)
		worker_close_listener(w->listeners[i]);
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
		worker_forget_generation(w);
		loop_free(w->loop);
	}
	pool_deinit(&w->clients);
	pool_deinit(&w->upstream_conns);
	pool_deinit(&w->shapes);
	pool_deinit(&w->claims);
	pool_deinit(&w->claims_more);
	pool_deinit(&w->decided);
	pool_deinit(&w->notices);
	blocks_deinit(&w->blocks);
	pipes_deinit(&w->pipes);
	pattern_scratch_free(w->patterns);
	free(w->scratch);
	free(w->traffic);
	free(w->path);
	free(w->request.fields.v);
	free(w->response.fields.v);
	free(w->out.p);
	free(w->tail.p);
	text_deinit(&w->extra);
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

void worker_post_drain(struct worker *w)
{
	loop_post_own(w->loop, &w->drain, drain, w);
}

void worker_post_stop(struct worker *w)
{
	loop_post_own(w->loop, &w->stop, stop, w);
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

void worker_disarm(struct worker *w, bool release)
{
	struct list *node;

	w->disarmed = true;
	/* A worker that is not there yet may ask for one more; then it comes here itself. */
	if (release)
		atomic_store(&w->shared->refuse_next, 0);
	for (node = w->clients_open.next; release && node != &w->clients_open; node = node->next)
		decision_let_go(container_of(node, struct client, node));
}

void worker_client_came(struct client *c)
{
	list_push_back(&c->worker->clients_open, &c->node);
	gauge_add(&c->worker->counters.clients, 1);
	c->listener->n_clients++;
}

void worker_client_gone(struct client *c)
{
	struct worker *w = c->worker;

	list_remove(&c->node);
	gauge_add(&w->counters.clients, -1);
	c->listener->n_clients--;
	worker_free_listener(c->listener);
	stop_when_empty(w);
}

static void look_at_clock(struct worker *w, int64_t now_ns)
{
	int64_t wall_ns = clock_wall_ns();
	char *p = w->date;

	memcpy(p, "Date: ", 6);
	http_date_write(p + 6, wall_ns / NS_PER_S);
	memcpy(p + 6 + HTTP_DATE_BYTES, "\r\n", 2);
	w->date_until_ns = now_ns + NS_PER_S - wall_ns % NS_PER_S;
	w->wall_ahead_ns = wall_ns - now_ns;
}

struct span worker_date_line(struct worker *w)
{
	int64_t now_ns = loop_now_ns(w->loop);

	if (now_ns >= w->date_until_ns)
		look_at_clock(w, now_ns);
	return span_of(w->date, sizeof(w->date));
}

struct span worker_date(struct worker *w)
{
	return span_of(worker_date_line(w).p + 6, HTTP_DATE_BYTES);
}

int64_t worker_wall_ns(struct worker *w)
{
	(void)worker_date_line(w);
	return clock_mono_ns() + w->wall_ahead_ns;
}
