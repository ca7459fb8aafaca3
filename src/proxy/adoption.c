/*
 * adoption: see adoption.h.
 */
#include "proxy/adoption.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/worker.h"

/* Room for larger heads than the worker has had to take so far. */
struct work_space {
	uint32_t head_bytes; /* 0: what is there will do */
	uint32_t n_fields;
	char *path;
	char *out;
	struct http_field *request;
	struct http_field *response;
};

struct adoption {
	struct worker_generation *generation;
	struct worker_listener **listeners; /* by listener: a new one; NULL where an old one goes on */
	int *from;
	int *fds;
	unsigned n_listeners;
	struct work_space space;
};

/* ---- beforehand ---- */

static void generation_release(struct worker_generation *g)
{
	if (!g)
		return;
	for (unsigned i = 0; g->upstreams && i < g->plan->n_upstreams; i++)
		free(g->upstreams[i]);
	free(g->upstreams);
	if (g->shared)
		generation_unref(g->shared);
	free(g);
}

/* With an upstream of each for those that turn out to be new. */
static struct worker_generation *make_generation(struct worker *w, struct generation *g)
{
	struct worker_generation *wg = calloc(1, sizeof(*wg));

	if (!wg)
		return NULL;
	wg->shared = generation_ref(g);
	wg->plan = g->plan;
	wg->upstreams = calloc(g->plan->n_upstreams + 1U, sizeof(struct worker_upstream *));
	for (unsigned i = 0; wg->upstreams && i < g->plan->n_upstreams; i++) {
		wg->upstreams[i] = malloc(sizeof(struct worker_upstream));
		if (!wg->upstreams[i]) {
			generation_release(wg);
			return NULL;
		}
		worker_upstream_init(wg->upstreams[i], w, g->upstreams[i]);
	}
	if (wg->upstreams)
		return wg;
	generation_release(wg);
	return NULL;
}

/* The worker may be running: of it only what never shrinks and is changed by adoptions alone is looked at. */
static bool make_space(struct work_space *s, const struct worker *w, const struct plan_limits *limits)
{
	uint32_t bytes = MAX(w->head_bytes, limits->max_header_bytes);
	uint32_t fields = MAX(w->n_fields, limits->max_headers);

	if (bytes == w->head_bytes && fields == w->n_fields)
		return true;
	s->head_bytes = bytes;
	s->n_fields = fields;
	s->path = malloc(bytes);
	s->out = malloc((size_t)bytes + WORKER_OUT_EXTRA_BYTES);
	s->request = calloc(fields, sizeof(struct http_field));
	s->response = calloc(fields, sizeof(struct http_field));
	return s->path && s->out && s->request && s->response;
}

static bool make_listeners(struct adoption *a, const int *from)
{
	a->listeners = calloc(a->n_listeners, sizeof(struct worker_listener *));
	a->from = malloc(a->n_listeners * sizeof(int));
	a->fds = malloc(a->n_listeners * sizeof(int));
	if (!a->listeners || !a->from || !a->fds)
		return false;
	for (unsigned i = 0; i < a->n_listeners; i++) {
		a->from[i] = from ? from[i] : -1;
		a->fds[i] = -1;
		if (a->from[i] >= 0)
			continue;
		a->listeners[i] = calloc(1, sizeof(*a->listeners[i]));
		if (!a->listeners[i])
			return false;
	}
	return true;
}

struct adoption *adoption_new(struct worker *w, struct generation *g, const int *from, const int *fds)
{
	struct adoption *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->n_listeners = g->plan->n_listeners;
	a->generation = make_generation(w, g);
	if (!a->generation || !make_listeners(a, from) || !make_space(&a->space, w, &g->plan->limits)) {
		adoption_free(a);
		return NULL;
	}
	for (unsigned i = 0; i < a->n_listeners; i++)
		a->fds[i] = a->from[i] < 0 ? fds[i] : -1;
	return a;
}

void adoption_free(struct adoption *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < a->n_listeners; i++) {
		if (a->listeners)
			free(a->listeners[i]);
		if (a->fds && a->fds[i] >= 0)
			(void)close(a->fds[i]);
	}
	generation_release(a->generation);
	free(a->listeners);
	free(a->from);
	free(a->fds);
	free(a->space.path);
	free(a->space.out);
	free(a->space.request);
	free(a->space.response);
	free(a);
}

/* ---- taking over ---- */

void worker_generation_drop(struct worker_generation *g)
{
	if (--g->users)
		return;
	for (unsigned i = 0; i < g->plan->n_upstreams; i++) {
		struct worker_upstream *u = g->upstreams[i];

		if (--u->users)
			g->upstreams[i] = NULL;
		else
			worker_upstream_deinit(u);
	}
	generation_release(g);
}

static struct worker_upstream *find_upstream(const struct worker_generation *g, const struct upstream_shared *shared)
{
	for (unsigned i = 0; g && i < g->plan->n_upstreams; i++) {
		if (g->upstreams[i]->shared == shared)
			return g->upstreams[i];
	}
	return NULL;
}

static void take_upstreams(struct worker *w, struct worker_generation *new)
{
	struct worker_generation *old = w->generation;

	for (unsigned i = 0; i < new->plan->n_upstreams; i++) {
		struct worker_upstream *same = find_upstream(old, new->shared->upstreams[i]);

		if (same) {
			free(new->upstreams[i]);
			new->upstreams[i] = same;
		}
		new->upstreams[i]->users++;
		worker_upstream_update(new->upstreams[i], &new->plan->upstreams[i], w->shared->n_workers);
	}
	for (unsigned i = 0; old && i < old->plan->n_upstreams; i++) {
		if (!find_upstream(new, old->upstreams[i]->shared))
			worker_upstream_retire(old->upstreams[i]);
	}
}

static void on_accept(struct listener *listener, int fd, const struct address *peer)
{
	struct worker_listener *l = container_of(listener, struct worker_listener, listener);

	client_accept(l->worker, l, fd, peer);
}

static void on_pause(struct listener *listener, int error)
{
	static struct log_limit limit;
	struct worker_listener *l = container_of(listener, struct worker_listener, listener);

	log_every(&limit, LOG_ERROR, "accepting connections pauses: %s", strerror(error));
	counter_add(&l->worker->counters, COUNTER_ACCEPT_PAUSES, 1);
}

static void open_listener(struct worker *w, struct worker_listener *l, int fd)
{
	int r;

	l->worker = w;
	r = listener_init(&l->listener, w->loop, fd, on_accept);
	if (r < 0)
		log_error("worker %u cannot listen: %s", w->number, strerror(-r));
	l->listener.on_pause = on_pause;
}

void worker_close_listener(struct worker_listener *l)
{
	if (listener_is_open(&l->listener))
		listener_deinit(&l->listener);
}

void worker_free_listener(struct worker_listener *l)
{
	if (!l->removed || l->n_clients)
		return;
	worker_generation_drop(l->generation);
	free(l);
}

/* Clients of it finish what they have begun. */
static void remove_listener(struct worker *w, struct worker_listener *l)
{
	struct list *node;

	worker_close_listener(l);
	l->removed = true;
	for (node = w->clients_open.next; node != &w->clients_open; node = node->next) {
		struct client *c = container_of(node, struct client, node);

		if (c->listener == l)
			client_drain(c);
	}
	worker_free_listener(l);
}

static void take_listeners(struct worker *w, struct adoption *a)
{
	struct worker_listener **old = w->listeners;
	unsigned n_old = w->n_listeners;

	for (unsigned i = 0; i < a->n_listeners; i++) {
		struct worker_listener *l = a->listeners[i];

		if (!l) {
			l = old[a->from[i]];
			old[a->from[i]] = NULL;
			a->listeners[i] = l;
			worker_generation_drop(l->generation);
		} else {
			open_listener(w, l, a->fds[i]);
			a->fds[i] = -1;
		}
		a->generation->users++;
		l->generation = a->generation;
		l->index = (uint16_t)i;
	}
	w->listeners = a->listeners;
	w->n_listeners = a->n_listeners;
	a->listeners = NULL;
	for (unsigned i = 0; i < n_old; i++) {
		if (old[i])
			remove_listener(w, old[i]);
	}
	free(old);
}

static void swap_bytes(char **a, char **b)
{
	char *c = *a;

	*a = *b;
	*b = c;
}

static void swap_fields(struct http_field **a, struct http_field **b)
{
	struct http_field *c = *a;

	*a = *b;
	*b = c;
}

/* What was there goes with the adoption. */
static void take_space(struct worker *w, struct work_space *s)
{
	if (!s->head_bytes)
		return;
	w->parsed_for = NULL;
	w->head_bytes = s->head_bytes;
	w->n_fields = s->n_fields;
	swap_bytes(&w->path, &s->path);
	swap_bytes(&w->out.p, &s->out);
	text_init_fixed(&w->out, w->out.p, (size_t)w->head_bytes + WORKER_OUT_EXTRA_BYTES);
	swap_fields(&w->request.fields.v, &s->request);
	swap_fields(&w->response.fields.v, &s->response);
}

void worker_adopt(struct worker *w, struct adoption *a)
{
	struct worker_generation *new = a->generation;
	struct worker_generation *old = w->generation;

	new->users++;
	take_upstreams(w, new);
	take_space(w, &a->space);
	take_listeners(w, a);
	w->generation = new;
	a->generation = NULL;
	if (old)
		worker_generation_drop(old);
	adoption_free(a);
}

void worker_forget_generation(struct worker *w)
{
	for (unsigned i = 0; i < w->n_listeners; i++) {
		w->listeners[i]->removed = true;
		worker_free_listener(w->listeners[i]);
	}
	free(w->listeners);
	w->listeners = NULL;
	w->n_listeners = 0;
	if (w->generation)
		worker_generation_drop(w->generation);
	w->generation = NULL;
}
