/*
 * loop: deadlines on a real loop. Of time only one thing is asserted: nothing fires early.
 */
#include "net/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "base/clock.h"

TestSuite(deadline, .timeout = 60);

static struct loop *loop;

static void start(void)
{
	cr_assert_eq(loop_new(&loop), 0);
}

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

Test(deadline, timers_fire_in_order_and_never_early)
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

Test(deadline, timers_move_and_stop)
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

	alarm_set(&later, now_ns + 3600 * NS_PER_S);
	cr_expect_eq(later.timer.node.key, now_ns + NS_PER_MS, "moving later must not touch the heap");
	alarm_set(&earlier, now_ns + 5 * NS_PER_MS);
	timer_stop(&stopped.timer);
	cr_expect(heap_has(&stopped.timer.node), "stopping must not touch the heap");
	timer_deinit(loop, &gone.timer);
	cr_expect_not(heap_has(&gone.timer.node));
	timer_deinit(loop, &gone.timer);

	fires_wanted = 1;
	loop_run(loop);
	cr_expect_eq(fired, 1);
	cr_expect_eq(fired_due_ns[0], earlier.due_ns);
	cr_expect_not(heap_has(&stopped.timer.node));

	/* From far away to soon, and on from there. */
	alarm_set(&later, clock_mono_ns() + NS_PER_MS);
	alarm_set(&later, clock_mono_ns() + 10 * NS_PER_MS);
	fires_wanted = 2;
	loop_run(loop);
	cr_expect_eq(fired, 2);
	cr_expect_eq(fired_due_ns[1], later.due_ns);
	loop_free(loop);
}

Test(deadline, a_stopped_timer_can_be_set_again)
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

Test(deadline, an_earlier_deadline_shortens_a_wait_already_set)
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

Test(deadline, a_timer_may_set_itself_again_also_to_the_past)
{
	struct alarm a;

	start();
	timer_init(&a.timer, on_again);
	alarm_set(&a, -1);
	loop_run(loop);
	cr_expect_eq(fired, 15);
	loop_free(loop);
}

static void stop_posted(void *arg)
{
	loop_stop(arg);
}

static void *post_stop(void *arg)
{
	cr_assert_eq(loop_post(arg, stop_posted, arg), 0);
	return NULL;
}

static void on_endless(struct timer *timer)
{
	cr_assert_eq(timer_set(loop, timer, 0), 0);
}

Test(deadline, a_timer_that_is_always_due_does_not_keep_the_kernel_out)
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

/* Between two tasks that are queued together: */
static char trace[4];
static size_t trace_n;
static struct timer between;

static void work_until_due(struct task *task)
{
	int64_t before_ns = loop_now_ns(loop);

	int64_t due_ns = clock_mono_ns() + 20 * NS_PER_MS;

	(void)task;
	trace[trace_n++] = 'a';
	cr_assert_eq(timer_set(loop, &between, due_ns), 0);
	while (clock_mono_ns() < due_ns)
		;
	cr_assert_eq(loop_now_ns(loop), before_ns, "the clock stands still within a task");
	cr_assert_geq(loop_read_clock(loop), due_ns);
}

static void note_timer(struct timer *timer)
{
	(void)timer;
	trace[trace_n++] = 't';
}

static void finish_task(struct task *task)
{
	(void)task;
	trace[trace_n++] = 'b';
	loop_stop(loop);
}

Test(deadline, timers_fire_between_tasks)
{
	struct task a, b;

	start();
	task_init(&a, work_until_due);
	task_init(&b, finish_task);
	timer_init(&between, note_timer);
	loop_queue(loop, &a);
	loop_queue(loop, &b);
	loop_run(loop);
	cr_expect_str_eq(trace, "atb");
	loop_free(loop);
}
