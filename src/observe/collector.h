/*
 * collector: one thread that turns records into the access log and the trace. It is the only one that writes to disk; workers
 * never wait for it. It looks at the rings every few milliseconds, so that no worker spends a system call on waking it.
 */
#ifndef BROWNOUT_OBSERVE_COLLECTOR_H
#define BROWNOUT_OBSERVE_COLLECTOR_H

#include "base/ip_text.h"
#include "base/wall_time.h"
#include "observe/ring.h"
#include "observe/trace.h"

enum access_format { ACCESS_TEXT, ACCESS_JSON };

struct collector;
struct recent;

struct collector_options {
	const char *access; /* "stderr", "stdout" or a path; lives for the call. NULL: no access log */
	enum access_format format;
};

/* -errno where the log cannot be opened. */
int collector_new(struct collector **c, const struct collector_options *options) MUST_USE;
/*
 * Before collector_add_ring: a trace of decisions too (trace.h), to "stderr", "stdout" or a path, which begins with these rules.
 * -errno where the file cannot be opened.
 */
int collector_add_trace(struct collector *c, const char *file, const struct ruleset *rules) MUST_USE;
/*
 * Before collector_add_ring: each record goes there too, in the collector's thread, with its decisions and its witness; where
 * there are no other readers of records some are repeats (record.h). It must not keep what the record points to.
 */
struct collector_sink {
	void (*take)(void *arg, const struct record *r);
	/* Whatever had been recorded at now_ns (CLOCK_MONOTONIC) has been taken. NULL: nobody wants to know. */
	void (*looked)(void *arg, int64_t now_ns);
	void *arg;
};
void collector_set_sink(struct collector *c, const struct collector_sink *sink);
/*
 * Before collector_start and the first record, after all who read records were set: the ring stays its owner's and must outlive
 * the collector. With a trace or a sink the ring keeps details from now on. -ENOMEM
 */
int collector_add_ring(struct collector *c, struct ring *ring) MUST_USE;
/* Before collector_start: each record goes there too. It is its owner's and must outlive the collector. */
void collector_set_recent(struct collector *c, struct recent *recent);
/* How the run has ended, for the last line of the trace: before collector_free, once no worker runs. Else: it was stopped. */
void collector_set_end(struct collector *c, enum trace_end end);
int collector_start(struct collector *c) MUST_USE;
/* Any thread: opens the files anew before the next line is written (log rotation). */
void collector_reopen(struct collector *c);
/* The negative errno of a reopening that failed since the last call; 0. The file that was open goes on being written. */
int collector_reopen_error(struct collector *c);
/* Lines that could not be written (disk full ...), of all files. */
uint64_t collector_lost(const struct collector *c);
/*
 * How often every record that was there has been written. What was recorded before a moment has been seen when the count is
 * by two higher than at that moment.
 */
uint64_t collector_passes(const struct collector *c);
/* After the workers have ended: writes what is left, joins the thread, closes. */
void collector_free(struct collector *c);

/* What a line may have in common with the one before. Zeroed: nothing yet. */
struct access_memory {
	struct wall_time_memory time;
	struct ip_text client;
};

/*
 * One line with its LF. Text: like a reverse proxy's log; JSON: one object. The fields are those of access.def. Where there is no
 * room for the longest line that it could be, `out` is cut and has nothing of it.
 */
void access_write_text(struct access_memory *memory, struct text *out, const struct record *r);
void access_write_json(struct access_memory *memory, struct text *out, const struct record *r);
/* What each field means, for `brownout help log`: one line each; those with an asterisk are in the JSON log only. */
void access_write_reference(struct text *out);

#endif
