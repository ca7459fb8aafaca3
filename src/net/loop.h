/*
 * loop: one event loop of one thread. It waits for readiness (libevent, edge-triggered), runs what became ready in
 * order, fires deadlines, and buries what died. Nothing else in brownout waits.
 *
 * A libevent callback only records readiness and queues a task; tasks run after the wait has returned, one after the
 * other, so no task is ever called from within another one. Between two tasks the loop looks at the clock and fires
 * the timers that are due, so a timer is late by one task at most however many are queued.
 *
 * An object that ends while the loop may still hold it (it is queued, or its own task runs) is given to loop_bury and
 * freed after the queue is done. No lock is taken but in posting.
 */
#ifndef BROWNOUT_NET_LOOP_H
#define BROWNOUT_NET_LOOP_H

#include "base/heap.h"
#include "base/list.h"

struct event_base;
struct loop;

/* Work to be done once in this pass of the loop. Embedded in the object it works for. */
struct task {
	struct list node;
	void (*run)(struct task *task);
};

/* A call from another thread. */
struct post {
	struct task task;
	void (*fn)(void *arg);
	void *arg;
};

struct grave {
	struct list node;
	void (*free)(struct grave *grave);
};

/*
 * A deadline. Moving it later or stopping it touches nothing but the struct: the heap keeps the earlier key and looks
 * again when that is due. So a timer that is set anew on every request costs no heap operation in steady state.
 */
struct timer {
	struct heap_node node;
	int64_t due_ns; /* CLOCK_MONOTONIC; TIMER_NEVER where stopped */
	void (*fire)(struct timer *timer); /* called by the loop at or after due_ns, never before; the timer is stopped then */
};
#define TIMER_NEVER INT64_MAX

/* -errno where the kernel refuses what a loop needs (epoll, timerfd, eventfd) or memory is out. */
int loop_new(struct loop **loop) MUST_USE;
/* Not while running. Tasks, timers and connections must be gone; what is buried is freed. */
void loop_free(struct loop *loop);
/* Runs in the calling thread until loop_stop. */
void loop_run(struct loop *loop);
/* Loop thread only: loop_run returns once the current pass is done. */
void loop_stop(struct loop *loop);
/*
 * Any thread: fn(arg) will be called in the loop's thread, in the order posted. -ENOMEM where memory is out.
 * What is posted and not run when the loop is freed is dropped.
 */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg) MUST_USE;
/*
 * The same with the caller's own post, so that it cannot fail: for what must be done also without memory, as a stop. The post
 * stays until it was called or the loop is freed, and is not posted again before.
 */
void loop_post_own(struct loop *loop, struct post *post, void (*fn)(void *arg), void *arg);

/* CLOCK_MONOTONIC as read once before the current task or timer. */
int64_t loop_now_ns(const struct loop *loop);
/* Reads the clock again, for a task that has worked long or must stamp precisely. */
int64_t loop_read_clock(struct loop *loop);

void task_init(struct task *task, void (*run)(struct task *task));
/*
 * At the end of the queue of this pass; nothing where it is queued already. A task that queues itself while it runs
 * comes after what else is ready: the loop asks the kernel first.
 */
void loop_queue(struct loop *loop, struct task *task);
/* Takes it out of the queue where it is in. */
void task_cancel(struct task *task);

void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
/* -ENOMEM only where the timer was in no heap; it is stopped then. */
int timer_set(struct loop *loop, struct timer *timer, int64_t due_ns) MUST_USE;
static inline void timer_stop(struct timer *timer)
{
	timer->due_ns = TIMER_NEVER;
}
/* Takes it out of the heap; to be called before its memory goes. */
void timer_deinit(struct loop *loop, struct timer *timer);

/* free(grave) is called once every task that is queued now has run or been cancelled, and never from within a task. */
void loop_bury(struct loop *loop, struct grave *grave, void (*free)(struct grave *grave));

/* For conn and listener only: where they register. */
struct event_base *loop_event_base(const struct loop *loop);

#endif
