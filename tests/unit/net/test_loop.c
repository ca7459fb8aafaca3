/*
 * loop: order, bounds and lifetimes on a real loop. Of time only one thing is asserted: nothing fires early.
 */
#include "net/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

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
	struct timer timer;
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

/* ---- timers ---- */

static int64_t fired_due_ns[64];
static unsigned fired;
static unsigned fires_wanted;

struct alarm {
	struct timer timer;
	int64_t due_ns; /* as asked: the timer's own is gone when it fires */
};

static void on_alarm(struct timer *timer)
{
	struct alarm *a = container_of(timer, struct alarm, timer);

	cr_assert_geq(clock_mono_ns(), a->due_ns, "early");
	cr_assert_geq(loop_now_ns(loop), a->due_ns, "early by the loop's clock");
	cr_assert_eq(timer->due_ns, TIMER_NEVER);
	fired_due_ns[fired++] = a->due_ns;
	if (fired == fires_wanted)
		loop_stop(loop);
}

static void alarm_set(struct alarm *a, int64_t due_ns)
{
	a->due_ns = due_ns;
	cr_assert_eq(timer_set(loop, &a->timer, due_ns), 0);
}

Test(loop, timers_fire_in_order_and_never_early)
{
	struct alarm alarms[50];
	int64_t start_ns = clock_mono_ns();

	start();
	fires_wanted = ARRAY_LEN(alarms);
	for (unsigned i = 0; i < ARRAY_LEN(alarms); i++) {
		timer_init(&alarms[i].timer, on_alarm);
		/* 17 has no divisor in common with 50: all of 0 to 49 in a scattered order, 300 us apart. */
		alarm_set(&alarms[i], start_ns + (int64_t)(i * 17 % 50) * 300 * NS_PER_US);
	}
	loop_run(loop);
	for (unsigned i = 1; i < fired; i++)
		cr_expect_lt(fired_due_ns[i - 1], fired_due_ns[i]);
	cr_expect_eq(fired, ARRAY_LEN(alarms));
	loop_free(loop);
}

Test(loop, timers_move_and_stop)
{
	struct alarm later, earlier, stopped, never, gone;
	int64_t now_ns = clock_mono_ns();

	start();
	timer_init(&later.timer, on_alarm);
	timer_init(&earlier.timer, on_alarm);
	timer_init(&stopped.timer, on_alarm);
	timer_init(&never.timer, on_alarm);
	timer_init(&gone.timer, on_alarm);
	alarm_set(&later, now_ns + NS_PER_MS);
	alarm_set(&earlier, now_ns + 3600 * NS_PER_S);
	alarm_set(&stopped, now_ns + 2 * NS_PER_MS);
	alarm_set(&never, TIMER_NEVER);
	alarm_set(&gone, now_ns + 2 * NS_PER_MS);
	cr_expect_not(heap_has(&never.timer.node));

	alarm_set(&later, now_ns + 10 * NS_PER_MS);
	cr_expect_eq(later.timer.node.key, now_ns + NS_PER_MS, "moving later must not touch the heap");
	alarm_set(&earlier, now_ns + 5 * NS_PER_MS);
	timer_stop(&stopped.timer);
	cr_expect(heap_has(&stopped.timer.node), "stopping must not touch the heap");
	timer_deinit(loop, &gone.timer);
	cr_expect_not(heap_has(&gone.timer.node));
	timer_deinit(loop, &gone.timer);

	fires_wanted = 2;
	loop_run(loop);
	cr_expect_eq(fired, 2);
	cr_expect_eq(fired_due_ns[0], earlier.due_ns);
	cr_expect_eq(fired_due_ns[1], later.due_ns);
	cr_expect_not(heap_has(&stopped.timer.node));
	loop_free(loop);
}

Test(loop, a_stopped_timer_can_be_set_again)
{
	struct alarm a;

	start();
	timer_init(&a.timer, on_alarm);
	alarm_set(&a, clock_mono_ns() + NS_PER_MS);
	timer_stop(&a.timer);
	alarm_set(&a, clock_mono_ns() + 3 * NS_PER_MS);
	fires_wanted = 1;
	loop_run(loop);
	cr_expect_eq(fired, 1);
	loop_free(loop);
}

static struct alarm soon;

static void set_soon(void *arg)
{
	(void)arg;
	alarm_set(&soon, loop_now_ns(loop) + NS_PER_MS);
}

static void post_set_soon(void *arg)
{
	/* Comes after a wait of its own, and with nothing queued that wait is for the timer set before. */
	cr_assert_eq(loop_post(loop, set_soon, arg), 0);
}

Test(loop, an_earlier_deadline_shortens_a_wait_already_set)
{
	struct alarm far;

	start();
	timer_init(&far.timer, on_alarm);
	timer_init(&soon.timer, on_alarm);
	alarm_set(&far, clock_mono_ns() + 3600 * NS_PER_S);
	cr_assert_eq(loop_post(loop, post_set_soon, NULL), 0);
	fires_wanted = 1;
	loop_run(loop);
	cr_expect_eq(fired_due_ns[0], soon.due_ns);
	timer_deinit(loop, &far.timer);
	loop_free(loop);
}

/* Sets itself again, each time with another way of being due. */
static void on_again(struct timer *timer)
{
	static const int64_t steps[] = { 0, -NS_PER_S, NS_PER_MS, 1, INT64_MIN / 2 };
	struct alarm *a = container_of(timer, struct alarm, timer);

	cr_assert_geq(clock_mono_ns(), a->due_ns, "early");
	if (fired == 3 * ARRAY_LEN(steps)) {
		loop_stop(loop);
		return;
	}
	alarm_set(a, loop_now_ns(loop) + steps[fired++ % ARRAY_LEN(steps)]);
}

Test(loop, a_timer_may_set_itself_again_also_to_the_past)
{
	struct alarm a;

	start();
	timer_init(&a.timer, on_again);
	alarm_set(&a, -1);
	loop_run(loop);
	cr_expect_eq(fired, 15);
	loop_free(loop);
}

static void on_endless(struct timer *timer)
{
	cr_assert_eq(timer_set(loop, timer, 0), 0);
}

Test(loop, a_timer_that_is_always_due_does_not_keep_the_kernel_out)
{
	struct timer timer;
	pthread_t thread;

	start();
	timer_init(&timer, on_endless);
	cr_assert_eq(timer_set(loop, &timer, 0), 0);
	cr_assert_eq(pthread_create(&thread, NULL, post_stop, loop), 0);
	loop_run(loop);
	pthread_join(thread, NULL);
	timer_deinit(loop, &timer);
	loop_free(loop);
}

static void work_until_due(struct task *task)
{
	struct actor *a = actor_of(task);
	int64_t before_ns = loop_now_ns(loop);

	note_task(task);
	while (clock_mono_ns() < a->timer.due_ns)
		;
	cr_assert_eq(loop_now_ns(loop), before_ns, "the clock stands still within a task");
	cr_assert_geq(loop_read_clock(loop), a->timer.due_ns);
}

static void note_timer(struct timer *timer)
{
	note((char)(container_of(timer, struct actor, timer)->name - 'a' + 'A'));
}

Test(loop, timers_fire_between_tasks)
{
	struct actor a, b;

	start();
	actor_init(&a, 'a', work_until_due);
	actor_init(&b, 'b', note_task);
	timer_init(&a.timer, note_timer);
	cr_assert_eq(timer_set(loop, &a.timer, clock_mono_ns() + 20 * NS_PER_MS), 0);
	loop_queue(loop, &a.task);
	loop_queue(loop, &b.task);
	run_queued();
	cr_expect_str_eq(trace, "aAb");
	loop_free(loop);
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
