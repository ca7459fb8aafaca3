/*
 * console: one lock, and one hook that it guards.
 */
#include "base/console.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*hook)(void *arg);
static void *hook_arg;

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

void console_set_hook(void (*lift)(void *arg), void *arg)
{
	pthread_mutex_lock(&lock);
	hook = lift;
	hook_arg = arg;
	pthread_mutex_unlock(&lock);
}
