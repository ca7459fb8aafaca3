/*
 * tally: everything that the checks are computed from, summed up over all chains and exchanges so far, in a fixed size. Plain
 * bytes: for the verdict so far the chains that may still go on are added to a copy.
 */
#ifndef BROWNOUT_REHEARSAL_TALLY_H
#define BROWNOUT_REHEARSAL_TALLY_H

#include "rehearsal/bins.h"
#include "rehearsal/chain.h"
#include "rehearsal/clients.h"
#include "rehearsal/samples.h"
#include "rehearsal/waves.h"

#define TALLY_ATTEMPTS 64 /* of the histogram; more are in the last place */
#define TALLY_GROUPS 32 /* clients and statuses whose waits are told apart */
#define TALLY_WAITS 6 /* retry numbers told apart within them */
#define TALLY_STATUSES 8 /* told apart where no client has enough waits of its own */

/* Samples of one measure, and how sure they are. */
struct tally_count {
	uint64_t n;
	uint64_t bad;
	uint8_t how; /* the weakest enum confidence of them */
};

/* Chains begun while faults were active. Those begun since the last fault belong to it only if another one comes. */
struct tally_window {
	int64_t first_ns; /* first byte of the first faulted exchange; INT64_MAX: none */
	int64_t last_ns; /* end of the last */
	struct tally_window_sum {
		uint64_t chains, attempts, ok, failed;
	} in, since;
};

/*
 * Logical requests that were forgotten for want of room while they might still have gone on: what came of them, if anything, was
 * taken for something new. Of each check those count that could have been against it.
 */
struct tally_forgotten {
	uint64_t any;
	uint64_t failed; /* of these: would be tried again */
	uint64_t told; /* of these: were told a wait that was not over */
	uint64_t unsafe; /* failed, and may not be repeated just so */
	uint64_t executed; /* by the upstream, and may not be executed again */
	uint64_t places; /* that were told to be left alone (expect.retry_after_scope) */
	uint64_t quotas;
};

/* Least squares of ln(wait) on its number, within chains and over all of them. */
struct tally_growth {
	uint64_t waits;
	uint64_t chains; /* with at least two */
	double sxx, sxy, syy;
	uint8_t how;
};

/* Waits of one client after one status. */
struct tally_group {
	uint64_t client;
	uint16_t status;
	char client_text[JUDGE_CLIENT_BYTES];
	struct samples waits[TALLY_WAITS]; /* before the first retry, the second ... */
};

struct tally_evidence {
	double weight; /* the heaviest are kept; of equal ones the earliest */
	struct evidence e; /* times as the exchanges have them */
};

struct tally {
	struct expect expect;
	int64_t noise_floor_ns;

	uint64_t requests, faults, evicted;
	struct tally_forgotten forgotten; /* what evicted is made of */
	uint64_t pollers, ambiguous; /* links given up: the same rhythm as without faults; or not to be told */
	uint64_t linked_by_print; /* links kept that only the fingerprint made */
	int64_t begin_ns, begin_wall_ns, last_ns;
	int64_t recovered_ns; /* end of the first success since the last fault; 0: none */
	uint64_t logical, retries;

	uint64_t attempts[TALLY_ATTEMPTS + 1]; /* of all chains */
	uint64_t attempts_max; /* of chains that are certain */
	struct samples attempts_alike; /* of those of several workers whose requests are alike: only right on the whole */
	struct tally_count attempts_seen; /* chains with a failure */
	struct samples attempts_of_failed; /* of chains with a failure */
	uint64_t declared_max; /* the client's own limit, where it sends it */

	struct tally_window any, during;
	int32_t during_rule; /* -1: any; -2: a rule that is not there */

	struct tally_count early; /* followed; of these too early */
	uint64_t maybe_early; /* came before it, but may be another worker's first attempt */
	uint64_t told_gave_up; /* told to wait, and not followed */
	struct samples early_by, over_wait;
	uint64_t pressure; /* requests of others while it was closed */

	struct tally_growth growth;
	struct samples first_waits; /* not told */
	uint64_t waits_below_floor;
	struct tally_group groups[TALLY_GROUPS];
	unsigned n_groups;
	struct tally_group all[TALLY_STATUSES]; /* of all clients together */
	unsigned n_all;
	struct waves waves;
	uint8_t waves_how;

	struct tally_count lost_answers; /* executed, but the client was not told; of these executed again */
	struct tally_count unsafe; /* repeats of what may not be repeated just so; of these without key, and maybe executed */
	uint64_t unsafe_unsent, unsafe_refused; /* of the repeats: nothing had reached the upstream; it had said 4xx */
	struct tally_count keys; /* requests with a key and several attempts; of these not one key */
	struct tally_count keys_used; /* keys seen again; of these with another body */
	struct tally_count pointless; /* after what cannot be bettered: all; repeated */
	struct tally_count hedged; /* logical requests; of these with a hedge */
	uint64_t hedges, hedges_cancelled;

	struct tally_count gave_up; /* failed for good; of these: too many attempts, or still at it when the command was ended */
	struct samples give_up_times;
	uint64_t still_retrying; /* at the end, and it cannot be told whether they gave up */
	struct tally_count timeouts; /* left, or waited long without; of these before the gateway would have answered */
	struct samples left_after; /* last byte of the request to the client's leaving */
	int64_t waited_longest_ns; /* without leaving */
	int64_t gateway_ns; /* longest delay that was to end in an answer */
	struct samples declared; /* deadlines that clients sent */

	struct tally_count connections; /* retries; of these on a new connection */
	struct tally_count closed; /* answers that said that the connection closes; requests that came on it all the same */
	struct tally_count quota; /* times it was used up; requests in them */
	struct tally_count handling; /* statuses that demand something, followed; of these wrongly */
	uint64_t maybe_followed_early; /* redirects that told to wait: those of others may have come where they point to */
	struct tally_count tokens; /* retries; of these without tokens */

	struct tally_count yield; /* logical requests that a fault touched; of these failed */
	struct samples clean_times, touched_times; /* of those that went well */

	struct bins bins;
	struct tally_evidence evidence[CHECK_COUNT][EVIDENCE_MAX];
	uint64_t evidence_total[CHECK_COUNT];
};

void tally_init(struct tally *t, const struct judge_options *options);

/* Of a told wait, what is asked for: expect.retry_after.max_wait at most. */
int64_t tally_owed_ns(const struct tally *t, int64_t told_ns);

/* How much too early is not early, for a told wait. */
int64_t tally_tolerance_ns(const struct tally *t, int64_t wait_ns);

/* One more sample; bad or not. */
void tally_count(struct tally_count *c, bool bad, unsigned how);

/* An exchange by itself, before its chain is known. */
void tally_exchange(struct tally *t, const struct event *e);

/* One that came after an answer that said that the connection closes: it is an attempt at nothing, as nobody serves it. */
void tally_after_close(struct tally *t, const struct event *e);

/*
 * A chain that is over, or as the run ends. It is cut where what was linked by its fingerprint alone may as well be the client's
 * next request (contrast_horizon_ns of its kind).
 */
struct tally_end {
	bool over; /* its time is over: nothing more can follow */
	bool forgotten; /* what follows will not be known for it */
	enum judge_end end;
	int64_t at_ns;
};
void tally_chain(struct tally *t, const struct chain *c, const struct kind *kind, const struct tally_end *end);
/* The same of a chain that is plain: a is its attempt. */
void tally_plain(struct tally *t, const struct attempt *a);

/* The chain is forgotten before its time is over. */
void tally_forget(struct tally *t, const struct chain *c, int64_t now_ns);
/* An exchange, or an id that one could be known by, found no room at all. */
void tally_lose(struct tally *t);

/* tally_piece.c: one logical request as it turned out; v has n attempts, n_lost more were between the last two. */
struct piece {
	const struct attempt *v;
	unsigned n;
	const struct chain *chain;
	const struct kind *kind;
	bool ends_chain; /* no other piece of it follows */
	bool whole; /* has the attempts that were not kept as well */
	uint8_t how; /* the weakest link */
};
void tally_piece(struct tally *t, const struct piece *p, const struct tally_end *end);
/* The wait before this attempt, which the chain keeps no longer: from now on it is in its lost_waits (tally_waits.c). */
void tally_lose_wait(const struct tally *t, struct chain *c, const struct attempt *a);
/* Its waits: told and kept or not, growth, spread, waves (tally_waits.c). */
void tally_waits(struct tally *t, const struct piece *p);

/* Evidence of a check: two attempts, or one (second NULL). what: for people, "" for none. */
void tally_evidence(struct tally *t, enum check_id check, double weight, const struct attempt *first,
	const struct attempt *second, const char *request, const char *client, const char *what);

#endif
