/*
 * loop: tasks, posts and graves on a real loop: order, bounds and lifetimes. Timers: test_timer.c.
 */
#include "net/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

TestSuite(loop, .timeout = 60);

static struct loop *loop;

/* What ran, in order, by name. */
static char trace[4096];
static size_t trace_n;

static void note(char c)
{
	cr_assert_lt(trace_n, sizeof(trace) - 1);
	trace[trace_n++] = c;
}

struct actor {
	struct task task;
	struct grave grave;
	char name;
	struct actor *other;
	unsigned rounds;
};

static struct actor *actor_of(struct task *task)
{
	return container_of(task, struct actor, task);
}

static void note_task(struct task *task)
{
	note(actor_of(task)->name);
}

static void stop_task(struct task *task)
{
	(void)task;
	loop_stop(loop);
}

static void stop_posted(void *arg)
{
	loop_stop(arg);
}

static void start(void)
{
	cr_assert_eq(loop_new(&loop), 0);
}

static struct task stopper;

/* Runs what is queued, and returns. */
static void run_queued(void)
{
	task_init(&stopper, stop_task);
	loop_queue(loop, &stopper);
	loop_run(loop);
}

static void actor_init(struct actor *a, char name, void (*run)(struct task *task))
{
	*a = (struct actor){ .name = name };
	task_init(&a->task, run);
}

/* ---- tasks ---- */

Test(loop, tasks_run_once_in_order)
{
	struct actor a, b, c;

	start();
	actor_init(&a, 'a', note_task);
	actor_init(&b, 'b', note_task);
	actor_init(&c, 'c', note_task);
	loop_queue(loop, &b.task);
	loop_queue(loop, &a.task);
	loop_queue(loop, &b.task);
	loop_queue(loop, &c.task);
	task_cancel(&c.task);
	task_cancel(&c.task);
	run_queued();
	cr_expect_str_eq(trace, "ba");
	loop_queue(loop, &c.task);
	run_queued();
	cr_expect_str_eq(trace, "bac");
	loop_free(loop);
}

static void queue_other(struct task *task)
{
	note_task(task);
	loop_queue(loop, &actor_of(task)->other->task);
}

static void cancel_other(struct task *task)
{
	note_task(task);
	task_cancel(&actor_of(task)->other->task);
}

Test(loop, a_task_may_queue_and_cancel_others)
{
	struct actor a, b, c, d;

	start();
	actor_init(&a, 'a', queue_other);
	actor_init(&b, 'b', cancel_other);
	actor_init(&c, 'c', note_task);
	actor_init(&d, 'd', note_task);
	a.other = &d;
	b.other = &c;
	loop_queue(loop, &a.task);
	loop_queue(loop, &b.task);
	loop_queue(loop, &c.task);
	run_queued();
	cr_expect_str_eq(trace, "abd", "d was queued in the same pass, before it ended");
	loop_free(loop);
}

static void queue_itself(struct task *task)
{
	note_task(task);
	if (--actor_of(task)->rounds)
		loop_queue(loop, task);
}

Test(loop, a_task_that_queues_itself_comes_after_the_others)
{
	struct actor a, b;

	start();
	actor_init(&a, 'a', queue_itself);
	actor_init(&b, 'b', note_task);
	a.rounds = 2;
	loop_queue(loop, &a.task);
	loop_queue(loop, &b.task);
	run_queued();
	cr_expect_str_eq(trace, "ab", "a comes again in the next pass only");
	run_queued();
	cr_expect_str_eq(trace, "aba");
	loop_free(loop);
}

static void cancel_itself(struct task *task)
{
	note_task(task);
	loop_queue(loop, task);
	task_cancel(task);
}

Test(loop, a_running_task_may_cancel_itself)
{
	struct actor a;

	start();
	actor_init(&a, 'a', cancel_itself);
	loop_queue(loop, &a.task);
	run_queued();
	run_queued();
	cr_expect_str_eq(trace, "a");
	loop_free(loop);
}

static void *post_stop(void *arg)
{
	cr_assert_eq(loop_post(arg, stop_posted, arg), 0);
	return NULL;
}

static void queue_for_ever(struct task *task)
{
	loop_queue(loop, &actor_of(task)->other->task);
}

Test(loop, tasks_that_queue_each_other_do_not_keep_the_kernel_out)
{
	struct actor a, b, c;
	pthread_t thread;

	start();
	actor_init(&a, 'a', queue_for_ever);
	actor_init(&b, 'b', queue_for_ever);
	actor_init(&c, 'c', queue_for_ever);
	a.other = &b;
	b.other = &a;
	c.other = &c;
	loop_queue(loop, &a.task);
	loop_queue(loop, &c.task);
	cr_assert_eq(pthread_create(&thread, NULL, post_stop, loop), 0);
	loop_run(loop);
	pthread_join(thread, NULL);
	loop_free(loop);
}

/* ---- posts ---- */

#define POSTERS 4
#define POSTS_EACH 5000

static unsigned posts_seen[POSTERS];
static unsigned posts_total;

struct posted {
	unsigned poster;
	unsigned i;
};

static void take_post(void *arg)
{
	struct posted *p = arg;

	cr_assert_eq(posts_seen[p->poster], p->i, "posts of one thread keep their order");
	posts_seen[p->poster]++;
	if (++posts_total == POSTERS * POSTS_EACH)
		loop_stop(loop);
	free(p);
}

static void *post_many(void *arg)
{
	unsigned poster = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < POSTS_EACH; i++) {
		struct posted *p = malloc(sizeof(*p));

		cr_assert_not_null(p);
		*p = (struct posted){ .poster = poster, .i = i };
		cr_assert_eq(loop_post(loop, take_post, p), 0);
	}
	return NULL;
}

Test(loop, posts_from_threads_arrive_once_and_in_order)
{
	pthread_t threads[POSTERS];

	start();
	for (uintptr_t i = 0; i < POSTERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
	loop_run(loop);
	for (unsigned i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < POSTERS; i++)
		cr_expect_eq(posts_seen[i], POSTS_EACH);
	loop_free(loop);
}

static void note_post(void *arg)
{
	note(*(const char *)arg);
}

Test(loop, posts_that_never_ran_are_dropped)
{
	static char names[] = "ab";

	start();
	cr_assert_eq(loop_post(loop, stop_posted, loop), 0);
	cr_assert_eq(loop_post(loop, note_post, &names[0]), 0);
	loop_run(loop);
	cr_expect_str_eq(trace, "a", "what was posted before the wake-up is of the same pass");
	cr_assert_eq(loop_post(loop, note_post, &names[1]), 0);
	loop_free(loop);
	cr_expect_str_eq(trace, "a");
}

/* With those on the heap they keep their order; one may be posted again once it was called, and none is the loop's to free. */
Test(loop, posts_of_the_callers_own)
{
	static char names[] = "abcd";
	struct post own[2];

	start();
	loop_post_own(loop, &own[0], note_post, &names[0]);
	cr_assert_eq(loop_post(loop, note_post, &names[1]), 0);
	loop_post_own(loop, &own[1], stop_posted, loop);
	loop_run(loop);
	cr_expect_str_eq(trace, "ab");
	loop_post_own(loop, &own[0], note_post, &names[2]);
	loop_post_own(loop, &own[1], stop_posted, loop);
	loop_run(loop);
	cr_expect_str_eq(trace, "abc");
	loop_post_own(loop, &own[0], note_post, &names[3]);
	loop_free(loop);
	cr_expect_str_eq(trace, "abc");
}

/* ---- graves ---- */

static void free_actor(struct grave *grave)
{
	struct actor *a = container_of(grave, struct actor, grave);

	note((char)(a->name - 'a' + 'A'));
	free(a);
}

static void bury_itself(struct task *task)
{
	note_task(task);
	loop_bury(loop, &actor_of(task)->grave, free_actor);
}

static void bury_other(struct task *task)
{
	note_task(task);
	loop_bury(loop, &actor_of(task)->other->grave, free_actor);
}

static struct actor *new_actor(char name, void (*run)(struct task *task))
{
	struct actor *a = malloc(sizeof(*a));

	cr_assert_not_null(a);
	actor_init(a, name, run);
	return a;
}

Test(loop, graves_are_freed_after_the_queue)
{
	struct actor *dead = new_actor('d', note_task), *itself = new_actor('i', bury_itself), killer;

	start();
	actor_init(&killer, 'k', bury_other);
	killer.other = dead;
	loop_queue(loop, &killer.task);
	loop_queue(loop, &itself->task);
	loop_queue(loop, &dead->task);
	run_queued();
	cr_expect_str_eq(trace, "kidDI");
	loop_free(loop);
}

static void do_nothing(struct task *task)
{
	(void)task;
}

Test(loop, a_grave_waits_for_the_tasks_that_were_queued_before_it)
{
	enum { CROWD = 1000 }; /* more than a pass takes */
	struct task *crowd = calloc(CROWD, sizeof(*crowd));
	struct actor *dead = new_actor('d', note_task), killer, after;

	cr_assert_not_null(crowd);
	start();
	actor_init(&killer, 'k', bury_other);
	actor_init(&after, 'z', note_task);
	killer.other = dead;
	loop_queue(loop, &killer.task);
	for (unsigned i = 0; i < CROWD; i++) {
		task_init(&crowd[i], do_nothing);
		loop_queue(loop, &crowd[i]);
	}
	loop_queue(loop, &dead->task);
	loop_queue(loop, &after.task);
	run_queued();
	cr_expect(strcmp(trace, "kdzD") == 0 || strcmp(trace, "kdDz") == 0, "%s", trace);
	free(crowd);
	loop_free(loop);
}

static void bury_and_go_on(struct task *task)
{
	struct actor *a = actor_of(task);

	/* Keeps the queue from ever being empty. */
	loop_queue(loop, &a->other->task);
	if (a->rounds > 0 && a->rounds-- % 100 == 0)
		loop_bury(loop, &new_actor('g', note_task)->grave, free_actor);
	if (trace_n == 10)
		loop_stop(loop);
}

Test(loop, graves_are_freed_under_steady_load)
{
	struct actor a, b;

	start();
	actor_init(&a, 'a', bury_and_go_on);
	actor_init(&b, 'b', bury_and_go_on);
	a.other = &b;
	b.other = &a;
	a.rounds = 1000;
	loop_queue(loop, &a.task);
	loop_run(loop);
	cr_expect_str_eq(trace, "GGGGGGGGGG");
	loop_free(loop);
}

static void free_and_bury_next(struct grave *grave)
{
	struct actor *a = container_of(grave, struct actor, grave);

	if (a->other)
		loop_bury(loop, &a->other->grave, free_and_bury_next);
	free_actor(grave);
}

Test(loop, what_is_buried_is_freed_with_the_loop)
{
	struct actor *outer = new_actor('o', note_task), *inner = new_actor('i', note_task);

	start();
	outer->other = inner;
	loop_bury(loop, &outer->grave, free_and_bury_next);
	loop_free(loop);
	cr_expect_str_eq(trace, "OI");
}
