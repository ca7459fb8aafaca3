/*
 * loop: waiting by libevent, everything else ours. libevent has no timer here, so its wait has no time-out: deadlines
 * live in our heap, and one absolute timerfd ends the wait. It is set only where the next deadline has become an
 * earlier one or the last has passed; libevent's own precise timers would set theirs on every wait.
 *
 * Neither the timerfd nor the eventfd that wakes the loop is ever read: edge-triggered, each expiry and each write is
 * an edge of its own.
 *
 * Owns the base, the two descriptors and the posts; tasks, timers and graves belong to those who queue them. Must
 * never call a task, a timer or a grave from within another one.
 */
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"

/* After so many tasks the kernel is asked what else is ready, also where tasks keep queueing each other. */
#define LOOP_TASKS_PER_PASS 256
/* After so many timers in a row a task gets its turn, also where timers are set to moments gone by. */
#define LOOP_TIMERS_PER_TURN 256

struct loop {
	struct event_base *base;
	bool stopping;
	int64_t now_ns;

	struct list queue; /* of struct task */
	struct list next; /* tasks that queued themselves while they ran: for the next pass */
	struct task *running;

	struct list graves; /* buried since the last burial; tasks may still point at them */
	struct list dying; /* freed when `burial` runs: no task that was queued before it is left then */
	struct task burial;

	struct heap timers;
	struct event timer_event;
	int timer_fd;
	int64_t armed_ns; /* what timer_fd is set to; TIMER_NEVER where it has expired */

	struct event wake_event;
	int wake_fd;
	struct task take_posts;
	pthread_mutex_t posts_lock;
	struct list posts; /* guarded by posts_lock; taken over by the loop, they are tasks like any other */
};

/* ---- tasks and graves ---- */

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

void loop_bury(struct loop *loop, struct grave *grave, void (*free)(struct grave *grave))
{
	grave->free = free;
	list_push_back(&loop->graves, &grave->node);
}

static void free_graves(struct list *graves)
{
	struct list *node;

	while ((node = list_pop_front(graves))) {
		struct grave *grave = container_of(node, struct grave, node);

		grave->free(grave);
	}
}

static void run_burial(struct task *task)
{
	free_graves(&container_of(task, struct loop, burial)->dying);
}

/* At the end of a pass: frees at once where no task is left, else sends the burial to the end of the queue. */
static void bury(struct loop *loop)
{
	if (list_is_empty(&loop->queue)) {
		free_graves(&loop->graves);
	} else if (!list_is_empty(&loop->graves) && !list_is_linked(&loop->burial.node)) {
		list_splice_back(&loop->dying, &loop->graves);
		loop_queue(loop, &loop->burial);
	}
}

/* ---- timers ---- */

int64_t loop_now_ns(const struct loop *loop)
{
	return loop->now_ns;
}

int64_t loop_read_clock(struct loop *loop)
{
	loop->now_ns = clock_mono_ns();
	return loop->now_ns;
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
	if (heap_has(&timer->node)) {
		if (due_ns < timer->node.key)
			heap_set_key(&loop->timers, &timer->node, due_ns);
		return 0;
	}
	if (due_ns == TIMER_NEVER)
		return 0;
	if (heap_insert(&loop->timers, &timer->node, due_ns) < 0) {
		timer->due_ns = TIMER_NEVER;
		return -ENOMEM;
	}
	return 0;
}

void timer_deinit(struct loop *loop, struct timer *timer)
{
	if (heap_has(&timer->node))
		heap_remove(&loop->timers, &timer->node);
	timer->due_ns = TIMER_NEVER;
}

/* Reads the clock and fires what is due by it. The key may be older than due_ns: then the timer sinks to its place. */
static void fire_due(struct loop *loop)
{
	for (unsigned i = 0; i < LOOP_TIMERS_PER_TURN; i++) {
		int64_t now_ns = loop_read_clock(loop);
		struct heap_node *top = heap_top(&loop->timers);
		struct timer *timer;

		if (!top || top->key > now_ns)
			return;
		timer = container_of(top, struct timer, node);
		if (timer->due_ns == TIMER_NEVER) {
			heap_remove(&loop->timers, top);
		} else if (timer->due_ns > now_ns) {
			heap_set_key(&loop->timers, top, timer->due_ns);
		} else {
			heap_remove(&loop->timers, top);
			timer->due_ns = TIMER_NEVER;
			timer->fire(timer);
		}
	}
}

/* Sees to it that the wait ends when the first key is due. */
static void arm_timer_fd(struct loop *loop)
{
	const struct heap_node *top = heap_top(&loop->timers);
	struct itimerspec spec = { .it_value = { .tv_sec = 0 } };
	int64_t key;

	if (!top || top->key >= loop->armed_ns)
		return;
	/* All zero would disarm it; a moment gone by expires at once. */
	key = MAX(top->key, 1);
	spec.it_value.tv_sec = (time_t)(key / NS_PER_S);
	spec.it_value.tv_nsec = (long)(key % NS_PER_S);
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
		loop->armed_ns = top->key;
}

static void on_timer_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	loop->armed_ns = TIMER_NEVER;
}

/* ---- posts ---- */

/* Of somebody else's: it may go with the call. */
static void run_own_post(struct task *task)
{
	struct post *post = container_of(task, struct post, task);

	post->fn(post->arg);
}

static void run_post(struct task *task)
{
	run_own_post(task);
	free(container_of(task, struct post, task));
}

static void put_post(struct loop *loop, struct post *post, void (*run)(struct task *task), void (*fn)(void *arg), void *arg)
{
	const uint64_t one = 1;
	bool was_empty;

	post->fn = fn;
	post->arg = arg;
	task_init(&post->task, run);
	pthread_mutex_lock(&loop->posts_lock);
	was_empty = list_is_empty(&loop->posts);
	list_push_back(&loop->posts, &post->task.node);
	pthread_mutex_unlock(&loop->posts_lock);
	/* Can fail only where the counter would overflow; the loop has an edge to come then. */
	while (was_empty && write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void loop_post_own(struct loop *loop, struct post *post, void (*fn)(void *arg), void *arg)
{
	put_post(loop, post, run_own_post, fn, arg);
}

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct post *post = malloc(sizeof(*post));

	if (!post)
		return -ENOMEM;
	put_post(loop, post, run_post, fn, arg);
	return 0;
}

static void on_wake_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	loop_queue(loop, &loop->take_posts);
}

static void run_take_posts(struct task *task)
{
	struct loop *loop = container_of(task, struct loop, take_posts);

	pthread_mutex_lock(&loop->posts_lock);
	list_splice_back(&loop->queue, &loop->posts);
	pthread_mutex_unlock(&loop->posts_lock);
}

/* ---- running ---- */

/* Blocks only where nothing is left to do. */
static void wait_for_edges(struct loop *loop)
{
	const struct heap_node *top = heap_top(&loop->timers);
	int flags = EVLOOP_ONCE;

	if (!list_is_empty(&loop->queue) || (top && top->key <= loop->now_ns))
		flags |= EVLOOP_NONBLOCK;
	else
		arm_timer_fd(loop);
	/* Fails only where epoll does: nothing can be served any more, and a core tells more than a spin. */
	if (event_base_loop(loop->base, flags) < 0)
		abort();
}

static void run_tasks(struct loop *loop)
{
	for (unsigned i = 0; i < LOOP_TASKS_PER_PASS; i++) {
		struct list *node;

		fire_due(loop);
		node = list_pop_front(&loop->queue);
		if (!node)
			break;
		loop->running = container_of(node, struct task, node);
		loop->running->run(loop->running);
		loop->running = NULL;
		/* Without another look at the clock: what is due by now ends the wait at once. */
		if (list_is_empty(&loop->queue))
			break;
	}
	list_splice_back(&loop->queue, &loop->next);
}

void loop_run(struct loop *loop)
{
	loop->stopping = false;
	(void)loop_read_clock(loop);
	while (!loop->stopping) {
		wait_for_edges(loop);
		run_tasks(loop);
		bury(loop);
	}
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

/* ---- making and freeing ---- */

static int watch(struct loop *loop, struct event *event, int fd, event_callback_fn callback)
{
	if (event_assign(event, loop->base, fd, EV_READ | EV_ET | EV_PERSIST, callback, loop) < 0)
		return -EINVAL;
	return event_add(event, NULL) < 0 ? -EIO : 0;
}

static struct event_base *new_base(void)
{
	/* One thread, no surprises from the environment, and no clock that nobody here reads. */
	const int flags = EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NO_CACHE_TIME;
	const int features = EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE;
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	if (event_config_set_flag(config, flags) == 0 && event_config_require_features(config, features) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int loop_new(struct loop **loop)
{
	struct loop *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	list_init(&l->queue);
	list_init(&l->next);
	list_init(&l->graves);
	list_init(&l->dying);
	list_init(&l->posts);
	heap_init(&l->timers);
	task_init(&l->burial, run_burial);
	task_init(&l->take_posts, run_take_posts);
	(void)pthread_mutex_init(&l->posts_lock, NULL);
	l->armed_ns = TIMER_NEVER;
	l->wake_fd = -1;
	(void)loop_read_clock(l);

	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->timer_fd < 0)
		goto fail;
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->wake_fd < 0)
		goto fail;
	errno = ENOMEM;
	l->base = new_base();
	if (!l->base)
		goto fail;
	rc = watch(l, &l->timer_event, l->timer_fd, on_timer_fd);
	if (rc == 0)
		rc = watch(l, &l->wake_event, l->wake_fd, on_wake_fd);
	if (rc < 0) {
		errno = -rc;
		goto fail;
	}
	*loop = l;
	return 0;
fail:
	rc = -errno;
	loop_free(l);
	return rc;
}

/* Of what is still queued only the posts on the heap are the loop's own. */
static void drop_tasks(struct list *tasks)
{
	struct list *node;

	while ((node = list_pop_front(tasks))) {
		struct task *task = container_of(node, struct task, node);

		if (task->run == run_post)
			free(container_of(task, struct post, task));
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	drop_tasks(&loop->queue);
	drop_tasks(&loop->next);
	drop_tasks(&loop->posts);
	free_graves(&loop->dying);
	free_graves(&loop->graves);
	heap_deinit(&loop->timers);
	if (event_initialized(&loop->timer_event))
		(void)event_del(&loop->timer_event);
	if (event_initialized(&loop->wake_event))
		(void)event_del(&loop->wake_event);
	if (loop->base)
		event_base_free(loop->base);
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	(void)pthread_mutex_destroy(&loop->posts_lock);
	free(loop);
}

struct event_base *loop_event_base(const struct loop *loop)
{
	return loop->base;
}
