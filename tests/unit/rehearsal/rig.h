/*
 * rig: exchanges from a few numbers, and simulated clients whose policy is known, for the tests of the judge. Everything is
 * drawn from a seed.
 */
#ifndef BROWNOUT_TEST_REHEARSAL_RIG_H
#define BROWNOUT_TEST_REHEARSAL_RIG_H

#include "rehearsal/judge.h"

/* Seconds as nanoseconds. */
#define S(seconds) ((int64_t)((seconds)*1e9))

/* A GET of /items by client "a" that began and ended then, with this status; 0: no answer. Rule 0 made it so where it failed. */
struct judge_exchange rig_exchange(double first_s, double end_s, unsigned status);

struct rig {
	struct judge *judge;
	struct expect expect;
	struct judge_rule rules[2];
	struct judge_options options;
	struct verdict verdict;
	uint64_t ids;
	/* Exchanges that wait to be put in the order of their ends. */
	struct judge_exchange *v;
	size_t n, cap;
	uint64_t seed, draws;
};

/* Profile recommended, two rules, "fault" and "other". Change expect, rules and options before the first exchange. */
void rig_init(struct rig *r);
void rig_deinit(struct rig *r);
void rig_add(struct rig *r, struct judge_exchange e);
/* The verdict on all of them; may be asked once. */
const struct verdict *rig_finish(struct rig *r, enum judge_end end);

const struct check *rig_check(const struct rig *r, enum check_id id);
/* The measure of a key; fails the test where there is none. */
const struct measure *rig_measure(const struct rig *r, enum expect_key key);

/* [0, 1), and between two numbers, from the rig's seed. */
double rig_random(struct rig *r);
double rig_between(struct rig *r, double min, double max);

/* ---- simulated clients ---- */

enum sim_wait { SIM_FIXED, SIM_EXPONENTIAL, SIM_FULL, SIM_EQUAL, SIM_DECORRELATED, SIM_PLUS_MINUS, SIM_STAINLESS, SIM_R4J };

struct sim {
	enum sim_wait wait;
	double base_s, cap_s;
	unsigned attempts;
	bool ignores_hints;
	bool sends_ordinals, sends_ids;
	const char *client, *method, *target;
	uint64_t logical; /* counts them: ids */
	uint64_t key; /* idempotency key; 0: none */
};

/* What it meets: attempt (from 1) of a logical request. Fill in status, wait_ns, upstream_status ... */
typedef void (*sim_server_fn)(void *context, unsigned attempt, struct judge_exchange *e);

/*
 * One logical request begun then; its exchanges go into the rig. Noise: 1 to 4 ms on every wait, 20 ms now and then. Returns how
 * many attempts it took.
 */
unsigned sim_request(struct rig *r, struct sim *c, double at_s, sim_server_fn server, void *context);

/* 503 from the rule, always. */
void sim_always_503(void *context, unsigned attempt, struct judge_exchange *e);

#endif
