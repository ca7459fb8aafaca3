/*
 * log: lines of brownout about itself, to the console: "brownout: error: text". Not the access log. Only proxy,
 * admin and cli may call it; it is never called per request. Safe from any thread.
 * A site that may repeat uses log_every, which lets one line pass per interval and counts the rest.
 */
#ifndef BROWNOUT_BASE_LOG_H
#define BROWNOUT_BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)

/*
 * While it is on, lines of other threads than the one that turned it on are kept, and written when that one calls log_flush: an
 * event loop never waits for a console. What finds no room is counted, and said. Off: what was kept is written.
 */
void log_keep(bool on);
void log_flush(void);

struct log_limit {
	_Atomic int64_t next_ns;
	_Atomic uint64_t held_back;
};

/* One line per second for this limit (zero-initialised, static); says how many lines were held back since. */
void log_every(struct log_limit *limit, enum log_level level, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
