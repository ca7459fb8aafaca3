/*
 * limiter: quotas per key, exact at any concurrency: never one more than the limit in a window. Pure but for its own counts:
 * time comes in as a number. Bounded: where the table is full the key that was used longest ago is forgotten (counted).
 */
#ifndef BROWNOUT_CORE_LIMITER_H
#define BROWNOUT_CORE_LIMITER_H

#include "core/fault_set.h"

enum limit_algorithm {
	LIMIT_TOKEN_BUCKET, /* limit per window flows in evenly; at most `burst` (0: limit) lie ready */
	LIMIT_FIXED_WINDOW, /* limit in each window, windows aligned to the first use of the key */
	LIMIT_SLIDING_WINDOW, /* limit in any stretch of one window */
	LIMIT_CONCURRENCY, /* limit at the same time: taken until released */
};

enum limit_headers { LIMIT_HEADERS_NONE, LIMIT_HEADERS_IETF, LIMIT_HEADERS_LEGACY, LIMIT_HEADERS_GITHUB };

enum limit_key { LIMIT_KEY_ALL, LIMIT_KEY_CLIENT, LIMIT_KEY_PATH, LIMIT_KEY_HEADER, LIMIT_KEY_COOKIE, LIMIT_KEY_QUERY };

enum limit_hint { LIMIT_HINT_AUTO, LIMIT_HINT_DATE, LIMIT_HINT_RANGE, LIMIT_HINT_NONE }; /* Retry-After of a refusal */

#define LIMITER_KEYS_MAX 100000
/* Of LIMIT_SLIDING_WINDOW: its exactness costs a stamp per request in the window; so many of one key, and of all. */
#define LIMIT_SLIDING_MAX 100000
#define LIMITER_STAMPS_MAX (UINT64_C(8) << 20)
/* No wait is longer: told where a request can never pass, because it costs more than there ever is. */
#define LIMITER_WAIT_MAX_NS (INT64_C(365) * 24 * 3600 * NS_PER_S)
/* CONCURRENCY cannot know when a place gets free. */
#define LIMITER_CONCURRENCY_WAIT_NS NS_PER_S

/* rate_limit: of a rule. */
struct fault_limit {
	uint64_t limit; /* 0: none */
	int64_t window_ns;
	uint64_t burst;
	enum limit_algorithm algorithm;
	enum limit_key key;
	struct span key_name; /* owned */
	uint64_t cost; /* of one request */
	uint32_t warn_at; /* percent of the limit used from which successes carry a warning header; 0: never */
	enum limit_headers headers; /* on refusals and on what passes */
	enum limit_hint hint;
	int64_t hint_min_ns, hint_max_ns; /* RANGE: added to the wait, drawn by seed */
	struct fault_abort refusal; /* status 429 and what goes with it */
};

/* What the limiter says of one request. */
struct limit_verdict {
	bool refused;
	bool warn;
	uint64_t limit;
	uint64_t remaining; /* after this request */
	int64_t reset_ns; /* until the quota is whole again; CONCURRENCY: 0, as nobody knows */
	int64_t retry_ns; /* refused: until a request like this one would pass */
};

struct limiter;
/* Room for max_keys keys (rounded up to the shards); memory grows with use. NULL where memory is out. */
struct limiter *limiter_new(uint32_t max_keys) MUST_USE;
void limiter_free(struct limiter *l);

/*
 * One request of this key, now. Any thread; a time before that of an earlier call counts as that one. Where there is no room
 * for its key (memory is out, or all keys of the shard hold places of CONCURRENCY) it is refused: rather one too few.
 */
struct limit_verdict limiter_take(struct limiter *l, const struct fault_limit *spec, uint64_t rule_hash, uint64_t key_hash,
	int64_t now_ns);
/* CONCURRENCY: gives back what a request that passed has taken. */
void limiter_release(struct limiter *l, const struct fault_limit *spec, uint64_t rule_hash, uint64_t key_hash);

/*
 * For `enforce:` the wait that a key was told: remembers until_ns, and which choice of the rule told it; limiter_told returns
 * them (0: none, or over).
 */
void limiter_tell(struct limiter *l, uint64_t rule_hash, uint64_t key_hash, int64_t until_ns, unsigned choice);
int64_t limiter_told(struct limiter *l, uint64_t rule_hash, uint64_t key_hash, int64_t now_ns, unsigned *choice);

/* Keys forgotten, or refused, for want of room. */
uint64_t limiter_evictions(const struct limiter *l);

#endif
