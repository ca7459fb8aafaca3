/*
 * console: standard error, which several writers share: the log, the access log, a status line. Who holds it writes whole
 * lines to it with write(2), and nobody else does meanwhile. Any thread.
 */
#ifndef BROWNOUT_BASE_CONSOLE_H
#define BROWNOUT_BASE_CONSOLE_H

#include "base/base.h"

/* Calls the hook, once the console is the caller's. Holds do not nest. */
void console_hold(void);
void console_release(void);

/* lift(arg) is called at the begin of each hold, to wipe what may not stay above new lines. NULL: no more. */
void console_set_hook(void (*lift)(void *arg), void *arg);

#endif
