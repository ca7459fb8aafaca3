/*
 * console: one lock, and one hook that it guards.
 */
#include "base/console.h"

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*hook)(void *arg);
static void *hook_arg;
static bool limits_waits;
static bool is_stuck;

void console_hold(void)
{
	pthread_mutex_lock(&lock);
	if (hook)
		hook(hook_arg);
}

void console_release(void)
{
	pthread_mutex_unlock(&lock);
}

void console_write(struct span s)
{
	struct stream out;

	stream_init(&out, STDERR_FILENO);
	out.may_stall = out.may_stall && limits_waits;
	out.is_stuck = is_stuck;
	(void)stream_write(&out, s);
	is_stuck = out.is_stuck;
}

void console_limit_waits(void)
{
	pthread_mutex_lock(&lock);
	limits_waits = true;
	pthread_mutex_unlock(&lock);
}

void console_set_hook(void (*lift)(void *arg), void *arg)
{
	pthread_mutex_lock(&lock);
	hook = lift;
	hook_arg = arg;
	pthread_mutex_unlock(&lock);
}
