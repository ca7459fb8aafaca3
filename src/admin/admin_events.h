/*
 * admin_events: streams of server-sent events (the text/event-stream of the HTML standard). What a stream may cost is bounded
 * twice: it gets so many exchanges a second at most, faulted and failed ones before plain ones; and where its reader is slow,
 * events are left out, never kept. What was left out is counted, and told.
 *
 *   event: totals       each second, and at once: the object of /v1/totals, and "exchanges_skipped" since the last one
 *   event: sample       each second: the newest object of /v1/history
 *   event: generation   {"generation":N}: at once, and where other rules have come into force
 *   event: armed        {"armed":BOOL}: at once, and where faults were turned off or on
 *   event: exchange     each finished exchange: its line of the JSON access log, and "seq"
 */
#ifndef BROWNOUT_ADMIN_ADMIN_EVENTS_H
#define BROWNOUT_ADMIN_ADMIN_EVENTS_H

#include "base/list.h"
#include "net/loop.h"

#define ADMIN_STREAM_BYTES_MAX ((size_t)256 * 1024) /* not yet taken by the reader; beyond that events are left out */
#define ADMIN_STREAM_RULE_BYTES 64
#define ADMIN_STREAMS_MAX 32
#define ADMIN_STREAM_RATE_MAX 10000

struct admin;
struct admin_conn;

/* What a handler asks for; embedded in the answer, then in the connection. */
struct admin_stream {
	struct list node; /* of admin->streams */
	struct admin_conn *conn;
	unsigned per_second; /* exchanges at most */
	unsigned credit; /* of these, in thousandths: what may be sent now */
	bool notable; /* only what was faulted, failed or refused */
	uint64_t generation; /* that was told last */
	bool armed; /* that was told last */
	uint64_t since; /* number of the last exchange that was looked at */
	uint64_t skipped; /* exchanges left out since the last totals */
	int64_t credited_ns;
	char rule[ADMIN_STREAM_RULE_BYTES]; /* only what this rule has faulted */
	size_t rule_n;
};

/* The head of the answer is out: events begin. */
void admin_events_begin(struct admin_stream *stream, struct admin_conn *conn);
void admin_events_end(struct admin_stream *stream);
/* Once a second, after a sample was taken. */
void admin_events_second(struct admin *admin);
/* Of admin->tick. */
void admin_events_tick(struct timer *timer);

#endif
