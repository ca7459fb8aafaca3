/*
 * collector: looks at all rings, turns what is there into lines of the access log and of the trace. The thread owns both files;
 * others only raise flags and read counters.
 */
#include "observe/collector.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "core/keyed_hash.h"
#include "observe/log_file.h"
#include "observe/process_finder.h"
#include "observe/recent.h"

/*
 * Between two looks. To be woken costs more than a few dozen records do: where a look finds few, the next comes later, and where
 * one finds many as soon as can be, long before a ring is full.
 */
#define LOOK_NS_MIN (5 * NS_PER_MS)
#define LOOK_NS_MAX (20 * NS_PER_MS)
#define LOOK_FEW 64 /* records */
#define LOOK_MANY 256

struct collector {
	struct ring **rings; /* the rings are their owners' */
	unsigned n_rings;
	enum access_format format;
	struct log_file access;
	struct access_memory memory; /* of its lines */
	struct log_file trace;
	uint64_t run; /* a number for the trace */
	enum trace_end end;
	struct keyed_hash_key key; /* nobody else's: what is to be hidden is hashed with it */
	uint64_t generation; /* whose rules the trace tells of; 0: a header is due */
	_Atomic uint64_t passes;
	int64_t wall_ns; /* Unix time less CLOCK_MONOTONIC, as it is in this look */
	int64_t look_ns; /* from this look to the next */
	uint64_t taken; /* records, in all */
	struct recent *recent; /* its owner's; NULL: nobody asks for it */
	struct collector_sink sink; /* its take NULL: none */
	struct process_finder *finder; /* made when it is wanted first */

	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* guards stop */
	pthread_cond_t wake;
	bool stop;
	_Atomic bool reopen;
	_Atomic int reopen_error; /* 0: none that was not asked for yet */
};

static int draw(struct collector *c)
{
	if (getrandom(&c->key, sizeof(c->key), 0) != (ssize_t)sizeof(c->key) ||
		getrandom(&c->run, sizeof(c->run), 0) != (ssize_t)sizeof(c->run))
		return -EIO;
	c->run = MAX(c->run, UINT64_C(1)); /* 0 is none */
	return 0;
}

int collector_new(struct collector **collector, const struct collector_options *options)
{
	struct collector *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;
	int error;

	if (!c)
		return -ENOMEM;
	c->format = options->format;
	c->end = TRACE_END_STOPPED;
	c->look_ns = LOOK_NS_MIN;
	c->access.fd = -1;
	c->trace.fd = -1;
	error = draw(c);
	if (error == 0 && options->access)
		error = log_file_open(&c->access, options->access);
	if (error < 0) {
		free(c);
		return error;
	}
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&c->lock, NULL);
	*collector = c;
	return 0;
}

int collector_add_ring(struct collector *c, struct ring *ring)
{
	struct ring **rings = realloc(c->rings, (c->n_rings + 1) * sizeof(struct ring *));

	if (!rings)
		return -ENOMEM;
	c->rings = rings;
	c->rings[c->n_rings++] = ring;
	if (!c->sink.take && !log_file_is_open(&c->trace))
		return 0;
	if (!log_file_is_open(&c->trace))
		ring_take_repeats(ring, c->recent || log_file_is_open(&c->access) ? RING_REPEATS_BESIDE : RING_REPEATS_ALONE);
	return ring_keep_details(ring);
}

void collector_set_sink(struct collector *c, const struct collector_sink *sink)
{
	c->sink = *sink;
}

void collector_set_recent(struct collector *c, struct recent *recent)
{
	c->recent = recent;
}

void collector_set_end(struct collector *c, enum trace_end end)
{
	c->end = end;
}

/* ---- lines ---- */

/* A file says by itself which rules and which seed it is about, also after it was opened anew. */
static void put_header(struct collector *c, const struct ruleset *rules)
{
	trace_write_header(log_file_begin_line(&c->trace), rules, c->run);
	log_file_end_line(&c->trace);
	for (unsigned i = 0; i < rules->n; i++) {
		trace_write_rule(log_file_begin_line(&c->trace), &rules->v[i]);
		log_file_end_line(&c->trace);
	}
}

int collector_add_trace(struct collector *c, const char *file, const struct ruleset *rules)
{
	int error = log_file_open(&c->trace, file);

	if (error < 0)
		return error;
	c->generation = 1;
	put_header(c, rules);
	return 0;
}

/* A file that was opened anew and has no header yet says nothing of this run. */
static void put_end(struct collector *c)
{
	if (!log_file_is_open(&c->trace) || !c->generation)
		return;
	trace_write_end(log_file_begin_line(&c->trace), c->end);
	log_file_end_line(&c->trace);
	log_file_write(&c->trace);
}

/* It is ours until the record is released. */
static struct witness *witness_of(const struct record *r)
{
	return (struct witness *)(uintptr_t)r->witness;
}

static uint64_t hidden(const struct collector *c, uint64_t hash)
{
	return hash ? MAX(keyed_hash_word(&c->key, hash), UINT64_C(1)) : 0; /* 0 is none */
}

static void hide_client(const struct collector *c, struct witness *w)
{
	uint64_t hash = keyed_hash(&c->key, witness_client(w));
	struct text out;

	text_init_fixed(&out, w->client, sizeof(w->client));
	text_put_char(&out, '#');
	text_put_hex(&out, hash, 16);
	w->client_n = (uint8_t)out.n;
}

/* The same value is hidden alike throughout the run, so that what belongs together is still known to. */
static void hide(const struct collector *c, const struct record *r)
{
	struct witness *w = witness_of(r);

	if (!w || !(w->hides || w->hides_query))
		return;
	w->fingerprint = hidden(c, w->fingerprint);
	if (!w->hides)
		return;
	w->body_hash = hidden(c, w->body_hash);
	w->logical_id = hidden(c, w->logical_id);
	w->maybe_id = hidden(c, w->maybe_id);
	w->idempotency_key = hidden(c, w->idempotency_key);
	w->credentials = hidden(c, w->credentials);
	if (w->from_header)
		hide_client(c, w);
}

/* Who the client is takes more than a worker has time for. */
static void name_client(struct collector *c, const struct record *r)
{
	struct witness *w = witness_of(r);
	char block[WITNESS_CLIENT_BYTES];
	struct text out;

	if (!w || !w->wants_process)
		return;
	if (!c->finder)
		c->finder = process_finder_new();
	text_init_fixed(&out, block, sizeof(block));
	if (c->finder)
		process_finder_name(c->finder, trace_connection(r), r->client, r->client_port, &out);
	if (!out.n)
		text_put_span(&out, ip_text_of(&c->memory.client, r->client));
	if (w->client_n)
		text_put_char(&out, ' ');
	text_put_span(&out, witness_client(w));
	memcpy(w->client, out.p, out.n);
	w->client_n = (uint8_t)out.n;
}

static void put_record(struct collector *c, struct record *r)
{
	r->wall_ns = r->first_ns + c->wall_ns;
	/* Nobody else takes these (collector_add_ring), and what they repeat has been hidden and named. */
	if (r->repeats == RECORD_REPEATS_ALONE) {
		c->sink.take(c->sink.arg, r);
		return;
	}
	hide(c, r);
	name_client(c, r);
	if (c->recent)
		recent_add(c->recent, r);
	if (c->sink.take)
		c->sink.take(c->sink.arg, r);
	if (log_file_is_open(&c->access)) {
		struct text *line = log_file_begin_line(&c->access);

		if (c->format == ACCESS_JSON)
			access_write_json(&c->memory, line, r);
		else
			access_write_text(&c->memory, line, r);
		log_file_end_line(&c->access);
	}
	if (log_file_is_open(&c->trace)) {
		if (r->generation != c->generation)
			put_header(c, r->rules);
		c->generation = r->generation;
		trace_write_exchange(log_file_begin_line(&c->trace), r->rules, r);
		log_file_end_line(&c->trace);
	}
}

static bool is_full(const struct collector *c)
{
	return log_file_is_full(&c->access) || log_file_is_full(&c->trace);
}

static void write_files(struct collector *c)
{
	log_file_write(&c->access);
	log_file_write(&c->trace);
}

static void reopen(struct collector *c)
{
	int access = log_file_reopen(&c->access);
	int trace = log_file_reopen(&c->trace);

	if (trace == 0)
		c->generation = 0; /* its header comes with the next exchange */
	if (access < 0 || trace < 0)
		atomic_store_explicit(&c->reopen_error, access < 0 ? access : trace, memory_order_relaxed);
}

/*
 * The ring whose oldest record ended first, and *until_ns: when that of another did, and now_ns at the latest. NULL where none
 * has one that has ended by then.
 */
static struct ring *first_ring(const struct collector *c, int64_t now_ns, int64_t *until_ns)
{
	struct ring *first = NULL;
	int64_t first_ns = now_ns;

	*until_ns = now_ns;
	for (unsigned i = 0; i < c->n_rings; i++) {
		const struct record *r = ring_peek(c->rings[i]);

		if (!r || r->end_ns > now_ns)
			continue;
		if (first && r->end_ns >= first_ns) {
			*until_ns = MIN(*until_ns, r->end_ns);
			continue;
		}
		*until_ns = MIN(*until_ns, first_ns);
		first_ns = r->end_ns;
		first = c->rings[i];
	}
	return first;
}

/*
 * Takes what had ended by now_ns, in the order in which it ended whichever worker it was of: that is how people read a log. True
 * where a batch was full, so that there may be more.
 */
static bool look_once(struct collector *c, int64_t now_ns)
{
	int64_t until_ns;
	struct ring *ring;

	if (atomic_exchange_explicit(&c->reopen, false, memory_order_relaxed)) {
		write_files(c); /* a header that no look has written yet */
		reopen(c);
	}
	while ((ring = first_ring(c, now_ns, &until_ns)) != NULL) {
		struct record *r;

		while (!is_full(c) && (r = ring_peek(ring)) != NULL && r->end_ns <= until_ns) {
			put_record(c, r);
			ring_release(ring);
			c->taken++;
		}
		if (is_full(c)) {
			write_files(c);
			return true;
		}
	}
	write_files(c);
	if (c->sink.looked)
		c->sink.looked(c->sink.arg, now_ns);
	atomic_fetch_add_explicit(&c->passes, 1, memory_order_release);
	return false;
}

/* ---- the thread ---- */

/* True where the collector is to end. */
static bool wait_for_stop(struct collector *c)
{
	int64_t until_ns = clock_mono_ns() + c->look_ns;
	struct timespec until = { .tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S };
	bool stop;

	pthread_mutex_lock(&c->lock);
	while (!c->stop && pthread_cond_timedwait(&c->wake, &c->lock, &until) == 0)
		;
	stop = c->stop;
	pthread_mutex_unlock(&c->lock);
	return stop;
}

/* What ends meanwhile is for the next one: this one comes to an end, however fast the workers are. */
static void look(struct collector *c)
{
	uint64_t before = c->taken;
	int64_t now_ns = clock_mono_ns();

	/* Once for all: an exchange needs one clock less, and the wall clock may be set at any time. */
	c->wall_ns = clock_wall_ns() - now_ns;
	while (look_once(c, now_ns))
		;
	if (c->taken - before < LOOK_FEW)
		c->look_ns = MIN(c->look_ns * 2, LOOK_NS_MAX);
	else if (c->taken - before > LOOK_MANY)
		c->look_ns = LOOK_NS_MIN;
}

static void *run(void *arg)
{
	struct collector *c = arg;

	(void)pthread_setname_np(pthread_self(), "collector");
	while (!wait_for_stop(c))
		look(c);
	return NULL;
}

int collector_start(struct collector *c)
{
	int error = pthread_create(&c->thread, NULL, run, c);

	c->runs = error == 0;
	return -error;
}

void collector_reopen(struct collector *c)
{
	atomic_store_explicit(&c->reopen, true, memory_order_relaxed);
}

int collector_reopen_error(struct collector *c)
{
	return atomic_exchange_explicit(&c->reopen_error, 0, memory_order_relaxed);
}

uint64_t collector_lost(const struct collector *c)
{
	return atomic_load_explicit(&c->access.lost, memory_order_relaxed) +
	       atomic_load_explicit(&c->trace.lost, memory_order_relaxed);
}

uint64_t collector_passes(const struct collector *c)
{
	return atomic_load_explicit(&c->passes, memory_order_acquire);
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	if (c->runs) {
		pthread_mutex_lock(&c->lock);
		c->stop = true;
		pthread_cond_signal(&c->wake);
		pthread_mutex_unlock(&c->lock);
		(void)pthread_join(c->thread, NULL);
	}
	look(c);
	put_end(c);
	log_file_close(&c->access);
	log_file_close(&c->trace);
	(void)pthread_cond_destroy(&c->wake);
	(void)pthread_mutex_destroy(&c->lock);
	process_finder_free(c->finder);
	free(c->rings);
	free(c);
}
