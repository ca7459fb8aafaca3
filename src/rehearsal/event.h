/*
 * event: an exchange as the judge keeps it: spans turned into hashes and short texts, the outcome put into classes. Plain bytes.
 */
#ifndef BROWNOUT_REHEARSAL_EVENT_H
#define BROWNOUT_REHEARSAL_EVENT_H

#include "rehearsal/judge.h"

/* What the client got, as far as it decides what it should do next. */
enum outcome {
	OUTCOME_OK, /* a whole answer below 400 */
	OUTCOME_REFUSED, /* the same request would be refused again: most of 4xx, 501, 505 */
	OUTCOME_FAILED, /* another attempt may succeed: no answer, a part of one, 408, 425, 429, most of 5xx, 413 with a wait */
};

enum event_flag {
	EVENT_FORWARDED = 1 << 0,
	EVENT_EXECUTED = 1 << 1, /* the upstream said 2xx */
	EVENT_REFUSED_THERE = 1 << 2, /* the upstream said 4xx: it was not executed */
	EVENT_LEFT = 1 << 3, /* the client left before its answer was there */
	EVENT_FAULTED = 1 << 4, /* a rule made it so */
	EVENT_EXPECT = 1 << 5,
	EVENT_EARLY_DATA = 1 << 6,
	EVENT_KEEPS = 1 << 14, /* its connection can be used again */
	EVENT_CLOSES = 1 << 15, /* it was said that the connection closes, and what came after that was looked at */
	EVENT_UNSAFE = 1 << 7, /* the method may not be repeated just so (RFC 9110 section 9.2.2) */
};

struct event {
	uint64_t id;
	int64_t first_ns, last_ns, hdr_ns, end_ns;
	uint64_t kind; /* hash of client, fingerprint and body: equal for requests that cannot be told apart */
	uint64_t loose; /* the same without the body, which is the kind of those whose body is not known */
	uint64_t client; /* hash */
	uint64_t path; /* hash of client, host and path */
	uint64_t host; /* hash of client and host */
	uint64_t place; /* hash of client, host and whole target */
	uint64_t redirect; /* the place where the answer sends the client with a wait; 0: nowhere */
	uint64_t body_hash, logical_id, maybe_id, idempotency_key, credentials, connection;
	int64_t deadline_ns, delay_ns;
	int64_t wait_ns; /* -1: none */
	int64_t quota_ns; /* -1: not used up */
	int64_t after_close_ns; /* 0: on a connection that was open still */
	uint32_t connections;
	int32_t rule;
	uint16_t source;
	uint16_t attempt, attempt_max;
	uint16_t status;
	uint16_t flags; /* enum event_flag */
	uint8_t outcome; /* enum outcome */
	uint8_t hint; /* enum hint */
	bool plain; /* a success that nobody has touched, of a client that says nothing of itself: event_is_plain */
	char request_text[JUDGE_REQUEST_BYTES]; /* "GET /items" */
	char client_text[JUDGE_CLIENT_BYTES];
};

void event_of(struct event *to, const struct judge_exchange *e);

/* Those that a repeat has of its own; whatever they are, no difference of two overflows. */
void event_set_times(struct event *to, int64_t first_ns, int64_t last_ns, int64_t hdr_ns, int64_t end_ns);

/*
 * Nothing but its times and its connection tells it from others of its kind that are plain as well. Most are: for these the
 * linker has a shorter way (link.c).
 */
bool event_is_plain(const struct event *e);

/* Its answer sends the client elsewhere. */
static inline bool event_is_redirect(const struct event *e)
{
	return e->status >= 300 && e->status < 400;
}

/* From when on the client can have known how it went: the head of the answer, or the end where there was none. */
static inline int64_t event_known_ns(const struct event *e)
{
	return e->hdr_ns ? e->hdr_ns : e->end_ns;
}

#endif
