/*
 * server_reload: changing what is served while it is served. A change is made ready as a whole, handed to every worker, and is
 * over when the last of them has taken it; one change at a time. Workers never wait here, and never take the lock. They are
 * waited for, but not for ever: who asked is told of one that does not come round.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/limiter.h"
#include "proxy/adoption.h"
#include "proxy/errand.h"
#include "proxy/server_private.h"

/* ---- what is in force ---- */

struct plan *server_plan_ref(struct server *s)
{
	struct plan *plan;

	(void)pthread_mutex_lock(&s->lock);
	plan = plan_ref(s->generation->plan);
	(void)pthread_mutex_unlock(&s->lock);
	return plan;
}

uint64_t server_generation(const struct server *s)
{
	return atomic_load(&s->number);
}

void server_listener_address(struct server *s, unsigned i, struct text *out)
{
	(void)pthread_mutex_lock(&s->lock);
	if (i < s->n_bound)
		address_write(&s->bound[i], out);
	(void)pthread_mutex_unlock(&s->lock);
}

static void copy_name(char *to, size_t n, struct span from)
{
	size_t length = MIN(from.n, n - 1);

	if (length)
		memcpy(to, from.p, length);
	to[length] = '\0';
}

unsigned server_rules(struct server *s, struct server_rule_count *v, unsigned max)
{
	const struct generation *g;
	unsigned n;

	(void)pthread_mutex_lock(&s->lock);
	g = s->generation;
	n = g->plan->rules.n;
	for (unsigned i = 0; i < MIN(n, max); i++) {
		const struct rule_state *state = g->states.v[i];

		v[i] = (struct server_rule_count){
			.matched = atomic_load_explicit(&state->matched, memory_order_relaxed),
			.fired = atomic_load_explicit(&state->fired, memory_order_relaxed),
			.dry = atomic_load_explicit(&state->dry, memory_order_relaxed),
			.refused = atomic_load_explicit(&state->refused, memory_order_relaxed),
			.early = atomic_load_explicit(&state->early, memory_order_relaxed),
			.active = atomic_load_explicit(&state->active, memory_order_relaxed),
		};
		copy_name(v[i].name, sizeof(v[i].name), g->plan->rules.v[i].name);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* What the last errand has come to, for whoever reads the log. */
static int note_late(struct server *s, int n_late, const char *what)
{
	struct text late;

	if (n_late <= 0)
		return n_late;
	text_init(&late);
	(void)errand_put_late(&s->errands, &late);
	log_warning("%s: no sign of %.*s for %lld s", what, SPAN_ARG(text_span(&late)), (long long)(ERRAND_WAIT_NS / NS_PER_S));
	text_deinit(&late);
	return n_late;
}

unsigned server_late_workers(struct server *s, struct text *out)
{
	unsigned n;

	(void)pthread_mutex_lock(&s->lock);
	n = errand_put_late(&s->errands, out);
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* Each worker fills in what is left of the room, one after the other; one that is late finds that nobody wants it any more. */
struct listing {
	unsigned users; /* with the server's lock */
	pthread_mutex_t lock; /* guards what follows */
	unsigned max; /* 0: it is closed */
	unsigned n;
	struct server_exchange v[];
};

static void listing_unref(void *arg)
{
	struct listing *listing = arg;

	if (--listing->users)
		return;
	(void)pthread_mutex_destroy(&listing->lock);
	free(listing);
}

static void list_exchanges(struct worker *w, void *arg)
{
	struct listing *listing = arg;
	struct list *node;

	(void)pthread_mutex_lock(&listing->lock);
	for (node = w->clients_open.next; node != &w->clients_open && listing->n < listing->max; node = node->next) {
		const struct client *c = container_of(node, struct client, node);
		const struct exchange *ex = &c->ex;
		struct server_exchange *e;

		if (!ex->begun)
			continue;
		e = &listing->v[listing->n++];
		*e = (struct server_exchange){ .id = ex->id, .age_ns = loop_now_ns(w->loop) - ex->first_ns, .status = ex->status,
			.state = exchange_state_name((enum exchange_state)ex->state) };
		if (ex->rule)
			copy_name(e->rule, sizeof(e->rule), ex->rule->name);
		if (ex->upstream != UINT16_MAX)
			copy_name(e->upstream, sizeof(e->upstream), exchange_plan(c)->upstreams[ex->upstream].name);
		copy_name(e->method, sizeof(e->method), exchange_part(ex, ex->method_part));
		copy_name(e->target, sizeof(e->target), exchange_target(c));
	}
	(void)pthread_mutex_unlock(&listing->lock);
}

int server_exchanges(struct server *s, struct server_exchange *v, unsigned max)
{
	struct listing *listing = calloc(1, sizeof(*listing) + max * sizeof(*v));
	int r;

	if (!listing)
		return -ENOMEM;
	(void)pthread_mutex_init(&listing->lock, NULL);
	listing->users = 2; /* the errand and this function */
	listing->max = max;
	(void)pthread_mutex_lock(&s->lock);
	r = errand_run(&s->errands, s->workers, s->n_started, list_exchanges, listing, listing_unref);
	(void)note_late(s, r, "exchanges under way");
	(void)pthread_mutex_lock(&listing->lock);
	listing->max = 0;
	(void)pthread_mutex_unlock(&listing->lock);
	if (r >= 0) {
		r = (int)listing->n;
		if (r)
			memcpy(v, listing->v, listing->n * sizeof(*v));
	}
	listing_unref(listing);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- reload ---- */

/* No worker acts by it, and what they have recorded is written. */
static bool is_unused(struct generation *g, const struct collector *collector)
{
	if (atomic_load_explicit(&g->references, memory_order_acquire) != 0)
		return false;
	if (!collector)
		return true;
	/* One pass may be under way that has begun before the last record was written; the next one sees them all. */
	if (!g->free_at)
		g->free_at = collector_passes(collector) + 2;
	return collector_passes(collector) >= g->free_at;
}

void server_tidy_generations(struct server *s, bool all)
{
	struct generation **at = &s->older;

	if (all && s->generation) {
		generation_free(s->generation);
		s->generation = NULL;
	}
	while (*at) {
		struct generation *g = *at;
		if (all || is_unused(g, s->collector)) {
			*at = g->older;
			generation_free(g);
		} else {
			at = &g->older;
		}
	}
}

void server_tidy(struct server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	server_tidy_generations(s, false);
	(void)pthread_mutex_unlock(&s->lock);
}

/* By worker; NULL: it has taken it. */
struct adoptions {
	unsigned n;
	struct adoption *v[];
};

static void adoptions_free(void *arg)
{
	struct adoptions *adoptions = arg;

	for (unsigned i = 0; adoptions && i < adoptions->n; i++)
		adoption_free(adoptions->v[i]);
	free(adoptions);
}

/* A reload on its way. */
struct change {
	struct plan *plan;
	struct generation *generation;
	struct address *bound; /* by listener */
	int *from; /* by listener: the old one that it goes on from; -1: none */
	int *fds; /* of the new ones, by worker and listener */
	struct adoptions *adoptions;
};

static bool is_same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->kind == b->kind && a->port == b->port && span_eq(a->host, b->host);
}

/* By name and address, else by address alone; of those with a free port only the name tells which is which. */
static void match_listeners(const struct plan *old, struct change *c)
{
	bool taken[PLAN_LISTENERS_MAX] = { false };

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < c->plan->n_listeners; i++) {
			const struct plan_listener *want = &c->plan->listeners[i];

			for (unsigned j = 0; j < old->n_listeners && c->from[i] < 0; j++) {
				bool fits = is_same_endpoint(&want->address, &old->listeners[j].address) &&
					(pass == 1 ? want->address.port != 0 || want->address.kind == ENDPOINT_UNIX :
						     span_eq(want->name, old->listeners[j].name));

				if (!fits || taken[j])
					continue;
				c->from[i] = (int)j;
				taken[j] = true;
			}
		}
	}
}

static int prepare_listeners(struct server *s, struct change *c, char *error, size_t error_n)
{
	unsigned n = c->plan->n_listeners;
	int r = 0;

	c->bound = calloc(n, sizeof(*c->bound));
	c->from = malloc(n * sizeof(*c->from));
	c->fds = malloc((size_t)n * s->n_workers * sizeof(*c->fds));
	for (size_t i = 0; c->fds && i < (size_t)n * s->n_workers; i++)
		c->fds[i] = -1;
	if (!c->bound || !c->from || !c->fds)
		return server_fail(error, error_n, -ENOMEM, "reload");
	for (unsigned i = 0; i < n; i++)
		c->from[i] = -1;
	match_listeners(s->generation->plan, c);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		if (c->from[i] >= 0)
			c->bound[i] = s->bound[c->from[i]];
		else
			r = server_bind(s, c->plan, i, c->fds, &c->bound[i], error, error_n);
	}
	return r;
}

static int prepare_adoptions(struct server *s, struct change *c, char *error, size_t error_n)
{
	c->adoptions = calloc(1, sizeof(*c->adoptions) + s->n_started * sizeof(struct adoption *));
	if (c->adoptions)
		c->adoptions->n = s->n_started;
	for (unsigned w = 0; c->adoptions && w < s->n_started; w++) {
		int *fds = &c->fds[w * c->plan->n_listeners];

		c->adoptions->v[w] = adoption_new(&s->workers[w], c->generation, c->from, fds);
		if (!c->adoptions->v[w])
			return server_fail(error, error_n, -ENOMEM, "reload");
		for (unsigned i = 0; i < c->plan->n_listeners; i++)
			fds[i] = -1;
	}
	return c->adoptions ? 0 : server_fail(error, error_n, -ENOMEM, "reload");
}

static int prepare(struct server *s, struct change *c, char *error, size_t error_n)
{
	int r = server_start_origin(s, c->plan, error, error_n);

	if (r == 0)
		r = prepare_listeners(s, c, error, error_n);
	if (r == 0)
		r = generation_new(&c->generation, c->plan, s->generation, s->traffic, &s->origin_address, error, error_n);
	if (r == 0)
		r = prepare_adoptions(s, c, error, error_n);
	return r;
}

/* What is left of a change that did not come about, or is over. */
static void change_deinit(struct server *s, struct change *c)
{
	adoptions_free(c->adoptions);
	for (unsigned i = 0; c->from && c->bound && i < c->plan->n_listeners; i++) {
		if (c->from[i] < 0)
			server_unbind(&c->bound[i]);
	}
	for (size_t i = 0; c->fds && i < (size_t)c->plan->n_listeners * s->n_workers; i++) {
		if (c->fds[i] >= 0)
			(void)close(c->fds[i]);
	}
	if (c->generation)
		generation_free(c->generation);
	free(c->bound);
	free(c->from);
	free(c->fds);
}

static bool goes_on(const struct change *c, unsigned old)
{
	for (unsigned i = 0; i < c->plan->n_listeners; i++) {
		if (c->from[i] == (int)old)
			return true;
	}
	return false;
}

static void unbind_removed(const struct server *s, const struct change *c)
{
	for (unsigned j = 0; j < s->n_bound; j++) {
		if (!goes_on(c, j))
			server_unbind(&s->bound[j]);
	}
}

static void note_restart(struct text *notes, bool differs, const char *key)
{
	if (differs)
		text_printf(notes, "%s: takes effect at the next start\n", key);
}

/* The same number for the same rules that a verdict asks to have fired, in whatever order. */
static uint64_t required_hash(const struct ruleset *rules)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rules->n; i++)
		sum += rules->v[i].required ? rules->v[i].name_hash : 0;
	return sum;
}

static bool is_same_admin(const struct plan_admin *a, const struct plan_admin *b)
{
	return a->enabled == b->enabled && a->address.kind == b->address.kind && a->address.port == b->address.port &&
		span_eq(a->address.host, b->address.host) && span_eq(a->token, b->token);
}

static void put_listener(struct text *notes, const char *what, const struct plan_listener *l, const struct address *a)
{
	text_put_string(notes, what);
	if (a->sa.sa_family != AF_UNIX)
		text_put_string(notes, plan_listener_is_tls(l) ? "https://" : "http://");
	address_write(a, notes);
	text_put_char(notes, '\n');
}

static bool is_tls_changed(const struct plan_listener *old, const struct plan_listener *new)
{
	return plan_listener_is_tls(old) != plan_listener_is_tls(new);
}

static void put_notes(const struct server *s, const struct change *c, struct text *notes)
{
	const struct plan *old = s->generation->plan;
	const struct plan *new = c->plan;

	for (unsigned i = 0; i < new->n_listeners; i++) {
		if (c->from[i] < 0 || is_tls_changed(&old->listeners[c->from[i]], &new->listeners[i]))
			put_listener(notes, "listening on ", &new->listeners[i], &c->bound[i]);
	}
	for (unsigned i = 0; i < s->n_bound; i++) {
		if (!goes_on(c, i))
			put_listener(notes, "no longer listening on ", &old->listeners[i], &s->bound[i]);
	}
	note_restart(notes, new->workers != old->workers, "workers");
	note_restart(notes, !span_eq(new->user, old->user), "user");
	note_restart(notes, new->sandbox != old->sandbox, "sandbox");
	note_restart(notes, !span_eq(new->log_access, old->log_access) || new->log_format != old->log_format ||
		!span_eq(new->log_trace, old->log_trace), "log");
	note_restart(notes, new->expect_hash != old->expect_hash, "expect");
	note_restart(notes, required_hash(&new->rules) != required_hash(&old->rules), "required");
	note_restart(notes, !is_same_admin(&new->admin, &old->admin), "admin");
}

/* What is still in its place afterwards did not reach its worker, which has ended. */
static void adopt(struct worker *w, void *arg)
{
	struct adoptions *adoptions = arg;

	worker_adopt(w, adoptions->v[w->number]);
	adoptions->v[w->number] = NULL;
}

static void come_round(struct worker *w, void *arg)
{
	(void)w;
	(void)arg;
}

/*
 * -EBUSY: a worker does not come round, and would go on by the old plan, who knows how long. Also: what it owes from before must
 * be done first, since what it is given was made for what it has.
 */
static int ask_all(struct server *s)
{
	int r = note_late(s, errand_run(&s->errands, s->workers, s->n_started, come_round, NULL, NULL), "reload");

	return r > 0 ? -EBUSY : r;
}

static void fail_to_ask(struct server *s, int r, char *error, size_t error_n)
{
	struct text late;

	if (r != -EBUSY) {
		(void)server_fail(error, error_n, r, "reload");
		return;
	}
	text_init(&late);
	(void)errand_put_late(&s->errands, &late);
	(void)snprintf(error, error_n, "reload: no sign of %.*s for %lld s", SPAN_ARG(text_span(&late)),
		(long long)(ERRAND_WAIT_NS / NS_PER_S));
	text_deinit(&late);
}

/* Negative: nothing has changed. */
static int commit(struct server *s, struct change *c)
{
	int r = errand_run(&s->errands, s->workers, s->n_started, adopt, c->adoptions, adoptions_free);

	c->adoptions = NULL;
	if (r < 0)
		return r;
	/* It came round a moment ago: it will take the plan over when it does so again. */
	(void)note_late(s, r, "reload");
	unbind_removed(s, c);
	free(s->bound);
	s->bound = c->bound;
	s->n_bound = c->plan->n_listeners;
	c->bound = NULL;
	s->generation->older = s->older;
	s->older = s->generation;
	s->generation = c->generation;
	c->generation = NULL;
	atomic_store(&s->number, s->generation->number);
	return 0;
}

int server_reload(struct server *s, struct plan *plan, struct text *notes, char *error, size_t error_n)
{
	struct change c = { .plan = plan };
	int r;

	(void)pthread_mutex_lock(&s->lock);
	if (atomic_load(&s->drain_until_ns) || s->n_joined == s->n_started) {
		r = server_fail(error, error_n, -ESHUTDOWN, "reload");
	} else {
		if (!plan->seed_given) {
			plan->seed = s->generation->plan->seed;
			plan->rules.seed = plan->seed;
			plan->seed_given = s->generation->plan->seed_given;
		}
		r = ask_all(s);
		if (r < 0)
			fail_to_ask(s, r, error, error_n);
		if (r == 0)
			r = prepare(s, &c, error, error_n);
		if (r == 0)
			put_notes(s, &c, notes);
		if (r == 0 && (r = commit(s, &c)) < 0)
			(void)server_fail(error, error_n, r, "reload");
		change_deinit(s, &c);
		server_tidy_generations(s, false);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- the switch ---- */

static void disarm_and_keep(struct worker *w, void *arg)
{
	(void)arg;
	worker_disarm(w, false);
}

static void disarm_and_release(struct worker *w, void *arg)
{
	(void)arg;
	worker_disarm(w, true);
}

static void arm(struct worker *w, void *arg)
{
	(void)arg;
	w->disarmed = false;
}

/* Without memory it is tried again: whoever disarms must be able to rely on it. */
static unsigned run_surely(struct server *s, void (*fn)(struct worker *w, void *arg), const char *what)
{
	int n_late;

	while ((n_late = errand_run(&s->errands, s->workers, s->n_started, fn, NULL, NULL)) < 0)
		(void)usleep(1000);
	return (unsigned)note_late(s, n_late, what);
}

unsigned server_disarm(struct server *s, enum server_held held)
{
	unsigned n_late;

	(void)pthread_mutex_lock(&s->lock);
	n_late = run_surely(s, held == SERVER_HELD_RELEASE ? disarm_and_release : disarm_and_keep, "disarm");
	atomic_store(&s->armed, false);
	(void)pthread_mutex_unlock(&s->lock);
	return n_late;
}

unsigned server_arm(struct server *s)
{
	unsigned n_late;

	(void)pthread_mutex_lock(&s->lock);
	rule_states_arm(&s->generation->states, clock_mono_ns());
	n_late = run_surely(s, arm, "arm");
	atomic_store(&s->armed, true);
	(void)pthread_mutex_unlock(&s->lock);
	return n_late;
}

bool server_is_armed(const struct server *s)
{
	return atomic_load(&s->armed);
}

void server_reset_counts(struct server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	rule_states_reset(&s->generation->states);
	(void)pthread_mutex_unlock(&s->lock);
}
