/*
 * console: standard error, which several writers share: the log, the access log, a status line. Who holds it writes whole
 * lines to it, and nobody else does meanwhile. Any thread.
 */
#ifndef BROWNOUT_BASE_CONSOLE_H
#define BROWNOUT_BASE_CONSOLE_H

#include "base/stream.h"

/* Calls the hook, once the console is the caller's. Holds do not nest. */
void console_hold(void);
void console_release(void);

/* While it is held. */
void console_write(struct span s);

/*
 * From now on a reader that has stopped is waited for once, and for a second at most, and what it does not take is lost: of a
 * program that serves. One that only answers a question waits for who asked.
 */
void console_limit_waits(void);

/* lift(arg) is called at the begin of each hold, to wipe what may not stay above new lines. NULL: no more. */
void console_set_hook(void (*lift)(void *arg), void *arg);

#endif
