/*
 * resolver: a table of names, threads that look them up, and those who wait. There is one thread from the start, and one more
 * whenever a look-up is ordered while all are at work.
 *
 * One lock guards everything; it is never held during a look-up nor while an asker is called. A name that is being
 * looked up or waited for is never evicted. An asker that waits is a `wait`: in its name's list until the answer is
 * there, then in `posted` until its loop has run it, so that resolver_free finds each of them. The threads are detached: who is
 * the last to be done with the resolver, be it resolver_free or a thread that it did not wait for, frees it.
 */
#include "net/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"

#define NAME_BUCKETS 1024
#define HOST_BYTES_MAX 255 /* RFC 1035 section 2.3.4 */

struct name {
	struct list in_bucket;
	struct list in_use; /* in resolver.used: least recently asked first */
	struct list in_work; /* in resolver.work while it is to be looked up */
	struct list waits;
	bool busy; /* to be looked up, or just being */
	bool answered;
	int64_t fresh_until_ns;
	struct resolver_answer answer; /* ports are the askers' */
	size_t host_bytes;
	char host[]; /* lower case */
};

struct wait {
	struct list node;
	struct resolver *resolver;
	struct loop *loop;
	void (*on_answer)(void *arg, uint64_t token, const struct resolver_answer *answer);
	void *arg;
	uint64_t token;
	uint16_t port;
	struct resolver_answer answer;
};

struct resolver {
	const struct resolver_source *source;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* work is there, or stopping */
	pthread_cond_t ended; /* a thread has; by the monotonic clock */
	bool stopping;
	unsigned n_users; /* threads, and the owner */
	unsigned n_free; /* threads that wait for work, or have it and do not know yet */
	unsigned n_work;
	struct list work;
	struct list used;
	struct list posted;
	unsigned n_names;
	struct list buckets[NAME_BUCKETS];
};

/* ---- names (lock held) ---- */

static struct list *bucket_of(struct resolver *r, struct span host)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < host.n; i++)
		hash = (hash ^ (unsigned char)host.p[i]) * 16777619u;
	return &r->buckets[hash % NAME_BUCKETS];
}

static struct span name_host(const struct name *name)
{
	return span_of(name->host, name->host_bytes);
}

static struct name *find_name(struct resolver *r, struct span host)
{
	struct list *bucket = bucket_of(r, host);

	for (struct list *i = bucket->next; i != bucket; i = i->next) {
		struct name *name = container_of(i, struct name, in_bucket);

		if (span_eq(name_host(name), host))
			return name;
	}
	return NULL;
}

static void forget_name(struct resolver *r, struct name *name)
{
	list_remove(&name->in_bucket);
	list_remove(&name->in_use);
	list_remove(&name->in_work);
	r->n_names--;
	free(name);
}

/* Makes room for one more name. False where all are busy. */
static bool make_room(struct resolver *r)
{
	if (r->n_names < RESOLVER_NAMES_MAX)
		return true;
	for (struct list *i = r->used.next; i != &r->used; i = i->next) {
		struct name *name = container_of(i, struct name, in_use);

		if (!name->busy) {
			forget_name(r, name);
			return true;
		}
	}
	return false;
}

static struct name *add_name(struct resolver *r, struct span host)
{
	struct name *name = calloc(1, sizeof(*name) + host.n);

	if (!name)
		return NULL;
	name->host_bytes = host.n;
	memcpy(name->host, host.p, host.n);
	list_init(&name->in_work);
	list_init(&name->waits);
	list_push_back(bucket_of(r, host), &name->in_bucket);
	list_push_back(&r->used, &name->in_use);
	r->n_names++;
	return name;
}


/* ---- answers ---- */

static void set_port(struct address *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

static void copy_answer(struct resolver_answer *to, const struct resolver_answer *from, uint16_t port)
{
	to->n = from->n;
	to->error = from->error;
	for (unsigned i = 0; i < from->n; i++) {
		to->list[i] = from->list[i];
		set_port(&to->list[i], port);
	}
}

static void fail_answer(struct resolver_answer *answer, int eai_code)
{
	answer->n = 0;
	answer->error = -eai_code;
}

/* In the asker's loop. */
static void deliver(void *arg)
{
	struct wait *wait = arg;
	struct resolver *r = wait->resolver;

	pthread_mutex_lock(&r->lock);
	list_remove(&wait->node);
	pthread_mutex_unlock(&r->lock);
	wait->on_answer(wait->arg, wait->token, &wait->answer);
	free(wait);
}

/* Lock held. */
static void post_waits(struct resolver *r, struct name *name)
{
	struct list *node;

	while ((node = list_pop_front(&name->waits))) {
		struct wait *wait = container_of(node, struct wait, node);

		copy_answer(&wait->answer, &name->answer, wait->port);
		list_push_back(&r->posted, node);
		/* Where memory is out the asker is left to its own deadline. */
		if (loop_post(wait->loop, deliver, wait) < 0) {
			list_remove(node);
			free(wait);
		}
	}
}

/* True where the failure says nothing about the name itself: then an older answer is better than none. */
static bool is_passing(int error)
{
	return error != -EAI_NONAME && error != -EAI_NODATA;
}

/* Lock held. */
static void take_answer(struct resolver *r, struct name *name, const struct resolver_answer *answer)
{
	int64_t now_ns = r->source->now_ns();

	name->fresh_until_ns = now_ns + (answer->n ? RESOLVER_TTL_NS : RESOLVER_RETRY_NS);
	if (answer->n || name->answer.n == 0 || !is_passing(answer->error))
		name->answer = *answer;
	name->answered = true;
	name->busy = false;
	post_waits(r, name);
}

/* ---- the end ---- */

static void free_waits(struct list *waits)
{
	struct list *node;

	while ((node = list_pop_front(waits)))
		free(container_of(node, struct wait, node));
}

/* Lock held, and given back. */
static void leave(struct resolver *r)
{
	bool last = --r->n_users == 0;

	(void)pthread_cond_signal(&r->ended);
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	while (!list_is_empty(&r->used))
		forget_name(r, container_of(r->used.next, struct name, in_use));
	(void)pthread_cond_destroy(&r->ended);
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

void resolver_free(struct resolver *r)
{
	int64_t until_ns = clock_mono_ns() + RESOLVER_END_NS;
	const struct timespec until = { .tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S };
	int error = 0;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->changed);
	while (r->n_users > 1 && error == 0)
		error = pthread_cond_timedwait(&r->ended, &r->lock, &until);
	/* From here on nobody is left to be told. */
	free_waits(&r->posted);
	for (struct list *i = r->used.next; i != &r->used; i = i->next)
		free_waits(&container_of(i, struct name, in_use)->waits);
	leave(r);
}

/* ---- the threads ---- */

static void *run_lookups(void *arg)
{
	struct resolver *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->stopping) {
		struct list *node = list_pop_front(&r->work);
		struct resolver_answer answer;
		struct name *name;

		if (!node) {
			r->n_free++;
			pthread_cond_wait(&r->changed, &r->lock);
			r->n_free--;
			continue;
		}
		r->n_work--;
		/* It is busy, so it stays while the lock is not held. */
		name = container_of(node, struct name, in_work);
		pthread_mutex_unlock(&r->lock);
		memset(&answer, 0, sizeof(answer));
		answer.error = r->source->resolve(answer.list, RESOLVER_ADDRESSES_MAX, &answer.n, name_host(name), 0);
		if (answer.error)
			answer.n = 0;
		pthread_mutex_lock(&r->lock);
		take_answer(r, name, &answer);
	}
	leave(r);
	return NULL;
}

/* Lock held. One more thread. 0 or an errno. */
static int start_thread(struct resolver *r)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	/* The process' signals are for the threads that know what to do with them. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, NULL, run_lookups, r);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return error;
	(void)pthread_detach(thread);
	r->n_users++;
	return 0;
}

/* ---- the askers' side ---- */

/* Lock held. 0; 1 where RESOLVER_NAMES_MAX names are busy; -ENOMEM. */
static int find_or_add_name(struct resolver *r, struct span host, struct name **found)
{
	struct name *name = find_name(r, host);

	if (!name) {
		if (!make_room(r))
			return 1;
		name = add_name(r, host);
		if (!name)
			return -ENOMEM;
	}
	list_remove(&name->in_use);
	list_push_back(&r->used, &name->in_use);
	*found = name;
	return 0;
}

/* Lock held. */
static void order_lookup(struct resolver *r, struct name *name)
{
	if (name->busy)
		return;
	name->busy = true;
	list_push_back(&r->work, &name->in_work);
	/* Where no thread can be had the name waits for those that there are. */
	if (++r->n_work > r->n_free && r->n_users <= r->source->threads)
		(void)start_thread(r);
	pthread_cond_signal(&r->changed);
}

/* Lock held. True where name has an answer to give now; orders a look-up where there is none or its time is over. */
static bool has_answer(struct resolver *r, struct name *name)
{
	if (name->answered && r->source->now_ns() < name->fresh_until_ns)
		return true;
	order_lookup(r, name);
	return name->answer.n > 0;
}

/* Lock held. Answers from the table, or puts a copy of asker into the list of those who wait. As resolver_ask. */
static int ask(struct resolver *r, struct span host, const struct wait *asker, struct resolver_answer *answer)
{
	struct name *name;
	struct wait *wait;
	int rc = find_or_add_name(r, host, &name);

	if (rc > 0) {
		fail_answer(answer, EAI_AGAIN);
		return 0;
	}
	if (rc < 0)
		return rc;
	if (has_answer(r, name)) {
		copy_answer(answer, &name->answer, asker->port);
		return 0;
	}
	wait = malloc(sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	*wait = *asker;
	list_init(&wait->node);
	list_push_back(&name->waits, &wait->node);
	return 1;
}

/* In lower case; false where no host can be so. */
static bool copy_lower(char lower[HOST_BYTES_MAX], struct span host)
{
	if (host.n == 0 || host.n > HOST_BYTES_MAX || span_find(host, '\0') < host.n)
		return false;
	for (size_t i = 0; i < host.n; i++)
		lower[i] = ascii_lower(host.p[i]);
	return true;
}

int resolver_ask(struct resolver *r, struct span host, uint16_t port, struct loop *loop,
	void (*on_answer)(void *arg, uint64_t token, const struct resolver_answer *answer), void *arg, uint64_t token,
	struct resolver_answer *answer)
{
	const struct wait asker = {
		.resolver = r, .loop = loop, .on_answer = on_answer, .arg = arg, .token = token, .port = port,
	};
	char lower[HOST_BYTES_MAX];
	int rc;

	if (address_from_numeric(&answer->list[0], host, port) == 0) {
		answer->n = 1;
		answer->error = 0;
		return 0;
	}
	if (!copy_lower(lower, host)) {
		fail_answer(answer, EAI_NONAME);
		return 0;
	}
	pthread_mutex_lock(&r->lock);
	rc = ask(r, span_of(lower, host.n), &asker, answer);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* ---- making ---- */

static const struct resolver_source system_source = {
	.resolve = address_resolve, .now_ns = clock_mono_ns, .threads = RESOLVER_THREADS,
};

int resolver_new(struct resolver **r)
{
	return resolver_new_from(r, &system_source);
}

int resolver_new_from(struct resolver **r, const struct resolver_source *source)
{
	struct resolver *new = calloc(1, sizeof(*new));
	pthread_condattr_t monotonic;
	int error;

	if (!new)
		return -ENOMEM;
	new->source = source;
	list_init(&new->work);
	list_init(&new->used);
	list_init(&new->posted);
	for (unsigned i = 0; i < NAME_BUCKETS; i++)
		list_init(&new->buckets[i]);
	(void)pthread_mutex_init(&new->lock, NULL);
	(void)pthread_cond_init(&new->changed, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&new->ended, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);

	pthread_mutex_lock(&new->lock);
	new->n_users = 1;
	error = start_thread(new);
	if (error) {
		leave(new);
		return -error;
	}
	pthread_mutex_unlock(&new->lock);
	*r = new;
	return 0;
}
