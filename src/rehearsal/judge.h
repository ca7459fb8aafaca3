/*
 * judge: takes exchanges as they end, links those of one logical request (chain.h) and says how the client behaved. A pure
 * function of what it is given: no clock, no file, no randomness, no global; the same exchanges give the same verdict, live or
 * from a trace. Memory is bounded, an exchange costs the same however many there were; what had to be forgotten for want of
 * room is counted and makes counts lower bounds.
 *
 * Exchanges come in about the order of their ends: the judge sorts what comes up to a second late (JUDGE_LATE_NS, or late_ns)
 * by itself.
 */
#ifndef BROWNOUT_REHEARSAL_JUDGE_H
#define BROWNOUT_REHEARSAL_JUDGE_H

#include "core/hint.h"
#include "rehearsal/verdict.h"

#define JUDGE_LATE_NS NS_PER_S
#define JUDGE_FIRED_MAX 32 /* rules noted of one exchange */

#define JUDGE_REQUEST_BYTES 80
#define JUDGE_CLIENT_BYTES 40

/* One request and what became of it. Spans live for the call. Times are nanoseconds of one clock; 0: it did not come to that. */
struct judge_exchange {
	uint64_t id;
	uint16_t source; /* which trace it is from */
	int64_t wall_ns; /* Unix time of first_ns */
	int64_t first_ns; /* first byte of the request read */
	int64_t last_ns; /* last byte of it */
	int64_t hdr_ns; /* head of the answer handed to the socket */
	int64_t end_ns; /* last byte of the answer written, or the end otherwise; never 0 */
	int64_t abort_ns; /* the client left before that */

	struct span client; /* its key as text: address, header, process */
	struct span method;
	struct span host;
	struct span target;
	uint64_t fingerprint; /* of the request, without its client; 0: the judge makes one of method, host and target */
	uint64_t body_hash; /* with its length; 0: not known */
	uint64_t logical_id; /* hash of an id that is the same for all attempts and for nothing else; 0: none */
	uint64_t maybe_id; /* hash of one that may be (x-request-id, trace id): counts where the fingerprint agrees */
	uint64_t idempotency_key; /* hash; 0: none */
	uint64_t credentials; /* hash of Authorization; 0: none */
	uint64_t connection; /* number of the client's connection; 0: not known */
	uint16_t attempt; /* from 1, as the client says; 0: it does not */
	uint16_t attempt_max; /* as the client says; 0: it does not */
	int64_t deadline_ns; /* that the client declares: how long it will wait; 0: none */

	uint16_t status; /* told to the client; 0: none */
	uint16_t upstream_status; /* what the upstream really said; 0: nothing */
	int32_t rule; /* whose fault shaped it: index in judge_options.rules; -1: none */
	const uint16_t *fired; /* every rule that fired */
	unsigned n_fired;
	int64_t delay_ns; /* intended by rules */
	int64_t wait_ns; /* told to the client; -1: none. Of a date: from hdr_ns to it */
	uint8_t hint; /* enum hint: how */
	uint64_t redirect; /* hint_place of where the answer sends the client, where it told it to wait as well; 0: nowhere */
	bool forwarded; /* something of it was handed to the upstream */
	bool complete; /* the client got its answer whole */
	bool keeps; /* and may send its next request on the same connection */
	bool closes; /* it was told that the connection closes, and what came after that was looked at */
	int64_t after_close_ns; /* it came so long after an answer that said so, and was not served; 0: it did not */
	uint32_t connections; /* of all clients, open when it began; 0: not known */
	bool expect; /* sent Expect: 100-continue */
	bool early_data;
	int64_t quota_ns; /* the answer said that the quota is used up, for so long; -1: it did not */
};

/*
 * Most exchanges of a client that nobody disturbs are alike. This one is as another was whose likeness was made, but for what is
 * said here; times are as in an exchange, and the client has not left.
 */
struct judge_likeness;
struct judge_repeat {
	struct judge_likeness *like;
	uint64_t id;
	int64_t wall_ns;
	int64_t first_ns, last_ns, hdr_ns, end_ns;
	uint64_t connection;
	uint32_t connections;
};

struct judge_rule {
	struct span name;
	bool required; /* not to fire is a failure of the run */
};

struct judge_options {
	const struct expect *expect; /* copied; NULL: profile recommended */
	const struct judge_rule *rules; /* copied */
	unsigned n_rules;
	int64_t noise_floor_ns; /* shorter waits are not used for growth and jitter; 0: 50 ms */
	int64_t link_ns; /* how long after a failure a follow-up may come; 0: by what was told, at least 30 s */
	uint32_t max_chains; /* remembered at a time; 0: 65536 */
	/*
	 * Only judge_advance says what the time is, by somebody who knows that nothing which ended this long before it is still
	 * to come; so little has to be kept. 0: exchanges say it by their ends, and come up to JUDGE_LATE_NS late.
	 */
	int64_t late_ns;
};

/* How the observation ended. */
enum judge_end {
	JUDGE_END_SO_FAR, /* it has not */
	JUDGE_END_STOPPED, /* brownout stopped, or the trace is over */
	JUDGE_END_CLIENT_LEFT, /* the command has ended by itself: what failed has been given up */
	JUDGE_END_TIME_LIMIT, /* the command was ended */
};

struct judge;

/* NULL where memory is out. */
struct judge *judge_new(const struct judge_options *options) MUST_USE;
void judge_free(struct judge *j);

/* Never fails: what finds no room is counted. */
void judge_add(struct judge *j, const struct judge_exchange *e);

/*
 * Of an exchange that no rule has touched and whose client did not leave; its source is the repeats' as well. NULL where memory
 * is out.
 */
struct judge_likeness *judge_likeness_new(const struct judge_exchange *e) MUST_USE;
/* Its maker needs it no longer; never while a judge that has repeats of it is at work in another thread. NULL is fine. */
void judge_likeness_drop(struct judge_likeness *l);
void judge_add_repeat(struct judge *j, const struct judge_repeat *r);
/* One that is not known any more, for want of memory: it is counted as forgotten. */
void judge_lose(struct judge *j);

/* It is now so late: what ended more than JUDGE_LATE_NS (late_ns) ago is all here, though nothing newer may be. */
void judge_advance(struct judge *j, int64_t now_ns);

/* A further rule (after a reload); its index. Those there were keep theirs. UINT16_MAX where memory is out. */
uint16_t judge_add_rule(struct judge *j, const struct judge_rule *rule);

/*
 * The verdict on all that was added. With JUDGE_END_SO_FAR more may follow, and the last JUDGE_LATE_NS may be missing; after any
 * other end nothing may. out wants verdict_deinit. -ENOMEM.
 */
int judge_finish(struct judge *j, enum judge_end end, struct verdict *out) MUST_USE;

#endif
