/*
 * supervisor: tells the service manager that started brownout (systemd, or any that speaks sd_notify) how it fares: ready,
 * reloading, stopping, a line of counts; and pats its watchdog, as long as every worker comes round. Without a manager each
 * call is nothing. Main thread alone; nothing here waits longer than a second, and no request ever waits for it.
 */
#ifndef BROWNOUT_CLI_SUPERVISOR_H
#define BROWNOUT_CLI_SUPERVISOR_H

#include "proxy/server.h"

/*
 * The environment: NOTIFY_SOCKET (a path, or @name in the abstract namespace), WATCHDOG_USEC, WATCHDOG_PID. To be called before
 * threads start; takes them out of the environment, since they are meant for this process alone.
 */
void supervisor_open(void);
void supervisor_close(void);

/* Serving, or serving on after supervisor_reloading; refused: by the rules from before. */
void supervisor_ready(struct server *server, bool refused);
void supervisor_reloading(void);
void supervisor_stopping(void);

/* What is due by now: a pat, the counts. Returns when to call it again, at the latest; INT64_MAX: never. */
int64_t supervisor_look(struct server *server, int64_t now_ns);

#endif
