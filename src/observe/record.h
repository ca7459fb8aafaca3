/*
 * record: what is known of one finished exchange, of fixed size, so that the worker can leave it in its ring with one copy
 * and go on. Times are CLOCK_MONOTONIC nanoseconds but wall_ns. What the pointers point to lives as long as the plan, which is
 * kept until the collector has passed over every record of it.
 *
 * Most exchanges of a client that nobody disturbs are alike. Where only a judge wants records, the first of a kind is noted by
 * number (`likeness`), and of those like it no more is filled in than what comes first: the number, and what differs. Where
 * others want records as well, but nobody the witness, the judge is told so by number all the same.
 */
#ifndef BROWNOUT_OBSERVE_RECORD_H
#define BROWNOUT_OBSERVE_RECORD_H

#include "core/decide.h"
#include "observe/counters.h"
#include "observe/witness.h"

#define RECORD_TEXT_BYTES 512 /* only what is used is ever touched */

#define RECORD_DECISIONS_MAX (2 * DECISIONS_MAX) /* of both phases */

/* What the rules decided for one exchange: kept only where a trace is wanted. */
struct record_decisions {
	uint16_t n;
	uint32_t lost; /* that found no room */
	struct decision v[RECORD_DECISIONS_MAX]; /* in the order in which they were made; only the first n are ever touched */
};

/* What there is where nothing was decided: a place of their own need not be touched to say so. */
extern const struct record_decisions record_no_decisions;

#define RECORD_LIKENESSES 64 /* of one worker, remembered at a time */

/* What a repeat's witness would tell. */
struct repeat {
	int64_t last_ns;
	int64_t answer_ns;
	uint64_t connection;
};

static inline unsigned record_worker(uint64_t id)
{
	return (unsigned)(id >> 48);
}

/* Whether it repeats the one that began its likeness (struct repeat). */
enum record_repeats {
	RECORD_REPEATS_NONE,
	RECORD_REPEATS_ALONE, /* and nothing more is said: for the judge alone */
	RECORD_REPEATS_BESIDE, /* a whole record, for others; it has no witness */
};

/*
 * Its lines go from one core to the other and back: what every record has comes first, in as few of them as there can be, and
 * what is not there is not touched. Where it comes to point to something more that dies with the plan, recent.c must copy that.
 */
struct record {
	/* One cache line: of a repeat this is all. */
	uint64_t id; /* unique in this run: worker number in the top 16 bits */
	int64_t wall_ns; /* Unix time of first_ns: by the collector, when it comes to it */
	int64_t first_ns; /* first byte of the request read */
	int64_t end_ns;
	union {
		struct repeat repeat;
		struct {
			int64_t head_ns; /* request head complete */
			int64_t upstream_sent_ns; /* request head handed to the upstream's socket; 0: never */
			int64_t upstream_head_ns; /* answer head of the upstream complete; 0: never */
		};
	};
	uint16_t client_port;
	uint16_t connections; /* of a repeat: as its witness would tell */
	uint8_t likeness; /* number of the likeness, of this worker, that it begins or repeats; 0: none */
	uint8_t repeats; /* enum record_repeats */
	uint16_t status; /* sent to the client; 0: none */
	/* And this is not there. */
	int64_t answer_ns; /* answer head handed to the client's socket; 0: never */
	int64_t delay_ns; /* intended, by rules */
	int64_t delay_actual_ns; /* from the head's completion to when the delay was over; 0: not over or none */
	uint64_t bytes_in; /* of the request, head and body as read */
	uint64_t bytes_out; /* of the answer, as written */
	const struct rule *rule; /* the rule of the fault that shaped the exchange; NULL: none fired */
	const char *upstream_name; /* NUL-terminated, lives like the rule; NULL: none was chosen */
	const char *listener_name;
	const char *reject; /* name of the http error of a refused request, static; NULL: none */
	const struct ruleset *rules; /* that its decisions are by ... */
	uint64_t generation; /* ... which is a number of its own for each load of them */
	const struct record_decisions *decisions; /* in the ring (ring_decisions), or record_no_decisions; NULL: not kept */
	const struct witness *witness; /* in the ring (ring_witness); NULL: not kept */
	uint8_t client[16];
	uint16_t upstream_status; /* 0: none */
	uint8_t fault; /* enum fault_kind of the strongest fault; FAULT_NONE */
	uint8_t also_delay; /* a delay acted as well */
	uint8_t close; /* enum close_reason */
	uint8_t failure; /* enum proxy_error: a real failure of the upstream */
	bool reused; /* the upstream connection was a kept one */
	bool text_cut; /* method, host or target did not fit */
	uint8_t minor; /* HTTP/1.minor of the request */
	uint16_t method_n, host_n, target_n; /* lengths in text, one behind the other */
	char text[RECORD_TEXT_BYTES];
	union {
		struct decision decision; /* of the rule; anything where there is none */
		struct repeat beside; /* where it is a repeat as well, which no rule has touched */
	};
};

/* All zero but the text, most of which stays untouched, and the decision: clearing them would cost more than all the rest. */
static inline void record_init(struct record *r)
{
	memset(r, 0, offsetof(struct record, text));
}
/* Only what a repeat has is there to be filled in. */
static inline void record_init_repeat(struct record *r)
{
	memset(r, 0, offsetof(struct record, answer_ns));
	r->repeats = RECORD_REPEATS_ALONE;
}
/* Copies method, host and target; the target is cut first where they do not fit. */
void record_set_text(struct record *r, struct span method, struct span host, struct span target);
struct span record_method(const struct record *r);
struct span record_host(const struct record *r);
struct span record_target(const struct record *r);

/* Empties it. */
static inline void record_decisions_init(struct record_decisions *d)
{
	d->n = 0;
	d->lost = 0;
}
/* Appends what the rules of one phase decided. */
void record_decisions_add(struct record_decisions *d, const struct fault_plan *plan);
/* Returns `to`. */
const struct record_decisions *record_decisions_copy(struct record_decisions *to, const struct record_decisions *from);

#endif
