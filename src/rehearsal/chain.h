/*
 * chain: the attempts of one logical request, and the bounded store of all chains that may still go on. The store knows which
 * chains there are, of which kind of request, by which id, and which is next to be forgotten; what is linked to what is for
 * link.c, what it means for tally.c.
 */
#ifndef BROWNOUT_REHEARSAL_CHAIN_H
#define BROWNOUT_REHEARSAL_CHAIN_H

#include "core/lru.h"
#include "rehearsal/contrast.h"
#include "rehearsal/event.h"

#define CHAIN_NONE UINT32_MAX
#define CHAIN_ATTEMPTS 8 /* kept one by one; of more, the first seven and the last */

/* Besides enum event_flag. */
enum attempt_flag {
	ATTEMPT_HEDGE = 1 << 8, /* began while another was under way, whose outcome the client could not know */
	ATTEMPT_POINTLESS = 1 << 9, /* the one before it could not be bettered */
	ATTEMPT_MISHANDLED = 1 << 10, /* repeated in a way that the status before it forbids */
	ATTEMPT_SAME_CONNECTION = 1 << 11,
	ATTEMPT_REKEYED = 1 << 12, /* another idempotency key than the one before it */
	/* Bits 14 and 15 are EVENT_KEEPS and EVENT_CLOSES. */
	ATTEMPT_UNSURE = 1 << 13, /* which failure it follows could not be told for certain: its wait is not judged */
};

struct attempt {
	uint64_t id;
	uint64_t key; /* idempotency key */
	uint64_t connection;
	uint64_t credentials;
	int64_t first_ns, known_ns, end_ns; /* known: event_known_ns */
	int64_t wait_ns; /* told to it; -1: none */
	/* About the attempt before it. */
	uint64_t before_id;
	int64_t gap_ns; /* from its end */
	int64_t told_gap_ns; /* from when it was known how it went */
	int64_t told_ns; /* the wait that was told then; -1: none */
	int32_t rule;
	uint16_t source;
	uint16_t status;
	uint16_t flags;
	uint8_t outcome;
	uint8_t how; /* enum confidence: by what it was linked */
	uint8_t hint; /* of the attempt before it: how it was told */
};

/* What is kept of the waits before attempts that are not: those that were told, and how they were kept. */
struct lost_waits {
	uint32_t kept;
	uint32_t early; /* certain to belong here */
	uint32_t early_by_print; /* linked by the fingerprint alone */
	uint32_t unsure; /* early, and not certain at all */
	uint32_t below_floor; /* not told, and too short to tell them from nothing */
	uint8_t how; /* of kept and early: the weakest enum confidence */
	double early_sum_ns; /* by how much, all together: of times from anywhere, which no integer would hold */
	/* The earliest. */
	int64_t worst_ns, worst_gap_ns, worst_told_ns, worst_first_ns, worst_before_end_ns;
	uint64_t worst_id, worst_before_id;
	uint16_t worst_source;
};

struct chain {
	uint32_t next, before; /* in its kind's list of open ones, by due */
	uint32_t newer, older; /* in the order in which they ended */
	uint32_t kind; /* number of its kind */
	uint32_t generation; /* one more each time the place is used anew */
	uint32_t n_lost; /* attempts between the seventh and the last, that are not kept */
	int64_t lost_gap_ns; /* shortest gap of these */
	struct lost_waits lost; /* before these */
	uint32_t n_failed; /* of all attempts */
	uint8_t n; /* attempts kept */
	bool open; /* in that list: it failed and may be followed up */
	bool ok; /* some attempt went well */
	bool has_ordinals;
	bool has_id; /* may be found by one, and not by its kind alone */
	bool plain; /* one attempt, and that was plain (event.h) */
	int64_t due_ns; /* when a follow-up may come: the end of a told wait, less what is tolerated */
	int64_t expires_ns; /* after that, nothing is taken for a follow-up */
	uint64_t body_hash;
	uint8_t n_executed;
	struct attempt v[CHAIN_ATTEMPTS];
	/* Of those not kept, the first and the last that the upstream executed. */
	struct attempt executed[2];
};

static inline const struct attempt *chain_last(const struct chain *c)
{
	return &c->v[c->n - 1];
}

/* All attempts, those not kept as well. */
static inline uint64_t chain_count(const struct chain *c)
{
	return (uint64_t)c->n + c->n_lost;
}

#define KIND_TAKEN 8

/* Requests of one client that cannot be told apart. */
struct kind {
	struct lru_node node;
	uint32_t chains; /* that refer to it */
	uint32_t open_first, open_last;
	uint32_t closed; /* the chain that closed last; may have been used anew since: */
	uint32_t closed_generation;
	/* Of requests whose body is not known: the chain that failed last of those that differ in nothing but the body. */
	uint32_t embodied;
	uint32_t embodied_generation;
	bool loose; /* the body is not known */
	bool unordered; /* the open ones are too many to be kept in order */
	bool shuffled; /* some follow-up did not find the failure that it follows: who follows whom is not certain any more */
	bool parallel; /* several are under way at a time: who comes next need not be who failed last */
	int64_t known_ns; /* when it was known how the last one went */
	int64_t burst_ns, latest_ns; /* beginning of the first and the last of those that came one right after the other */
	/* The last links that no id made: when the failure could be followed up, and when it was. */
	struct {
		int64_t due_ns, first_ns;
	} taken[KIND_TAKEN];
	uint64_t connections[16]; /* a bit for each that was seen, which some share */
	uint32_t n_taken; /* of all; the last KIND_TAKEN are kept */
	int64_t taken_before_ns; /* of the others: the latest that one was */
	uint64_t client;
	struct contrast contrast;
	char request_text[JUDGE_REQUEST_BYTES];
	char client_text[JUDGE_CLIENT_BYTES];
};

struct chains {
	struct chain *v;
	uint32_t n, cap, max;
	uint32_t free; /* list of unused places, by `newer` */
	uint32_t newest, oldest;
	uint32_t n_open_loose; /* open ones of kinds whose body is not known */
	struct lru kinds;
	struct lru ids;
};

void chains_init(struct chains *s, uint32_t max);
void chains_deinit(struct chains *s);

/*
 * The kind of this request, by e->kind or e->loose; a new one where there is none. NULL where there is no room: chains_drop some
 * first. Pointers to kinds are void after it.
 */
struct kind *chains_kind(struct chains *s, const struct event *e, uint64_t which);
/* NULL where there is none. */
struct kind *chains_find_kind(struct chains *s, uint64_t which);
struct kind *chains_kind_at(const struct chains *s, uint32_t number);

/* The chain of this id; CHAIN_NONE. */
uint32_t chains_find_id(struct chains *s, uint64_t id);
/* From now on the id means this chain. True where that of a chain which is still there had to be forgotten for it. */
bool chains_set_id(struct chains *s, uint64_t id, uint32_t chain);

/* A new chain of this kind, empty, the newest; CHAIN_NONE where there is no room. Pointers to chains are void after it. */
uint32_t chains_add(struct chains *s, struct kind *kind);
/* Forgets it. */
void chains_drop(struct chains *s, uint32_t chain);
/* Is the newest again. */
void chains_touch(struct chains *s, uint32_t chain);

/* Into its kind's list of those that wait for a follow-up, by due_ns; and out of it. */
void chains_open(struct chains *s, uint32_t chain);
void chains_close(struct chains *s, uint32_t chain);

#endif
