/*
 * live: a judge that one thread feeds while others ask for the verdict so far. The lock is held for a few exchanges, or for as
 * long as a verdict takes to make: the feeding thread (the collector) may wait for that, a worker never does.
 */
#ifndef BROWNOUT_REHEARSAL_LIVE_H
#define BROWNOUT_REHEARSAL_LIVE_H

#include "rehearsal/judge.h"

struct live_judge;

/* NULL where memory is out. */
struct live_judge *live_judge_new(const struct judge_options *options) MUST_USE;
void live_judge_free(struct live_judge *l);

/* As judge_advance. */
void live_judge_advance(struct live_judge *l, int64_t now_ns);
void live_judge_add(struct live_judge *l, const struct judge_exchange *e);
/* As judge_add_repeat, of n of them: taking the lock costs as much as one. */
void live_judge_add_repeats(struct live_judge *l, const struct judge_repeat *v, unsigned n);
/* As judge_lose. */
void live_judge_lose(struct live_judge *l);
/*
 * *like, which may be NULL, is given up for one of e; NULL where memory is out. Its user drops the last one with
 * judge_likeness_drop, once the judge is gone.
 */
void live_judge_learn(struct live_judge *l, const struct judge_exchange *e, struct judge_likeness **like);
/* As judge_add_rule; for a reload. */
uint16_t live_judge_add_rule(struct live_judge *l, const struct judge_rule *rule);
/* Any thread. As judge_finish: after an end other than JUDGE_END_SO_FAR nothing more may be added. -ENOMEM. */
int live_judge_finish(struct live_judge *l, enum judge_end end, struct verdict *out) MUST_USE;

#endif
