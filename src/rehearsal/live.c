/*
 * live: see the header.
 */
#include "rehearsal/live.h"

#include <pthread.h>
#include <stdlib.h>

struct live_judge {
	pthread_mutex_t lock;
	struct judge *judge;
};

struct live_judge *live_judge_new(const struct judge_options *options)
{
	struct live_judge *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->judge = judge_new(options);
	if (!l->judge) {
		free(l);
		return NULL;
	}
	(void)pthread_mutex_init(&l->lock, NULL);
	return l;
}

void live_judge_free(struct live_judge *l)
{
	if (!l)
		return;
	judge_free(l->judge);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

void live_judge_advance(struct live_judge *l, int64_t now_ns)
{
	pthread_mutex_lock(&l->lock);
	judge_advance(l->judge, now_ns);
	pthread_mutex_unlock(&l->lock);
}

void live_judge_add(struct live_judge *l, const struct judge_exchange *e)
{
	pthread_mutex_lock(&l->lock);
	judge_add(l->judge, e);
	pthread_mutex_unlock(&l->lock);
}

void live_judge_learn(struct live_judge *l, const struct judge_exchange *e, struct judge_likeness **like)
{
	pthread_mutex_lock(&l->lock);
	judge_likeness_drop(*like);
	*like = judge_likeness_new(e);
	pthread_mutex_unlock(&l->lock);
}

void live_judge_add_repeats(struct live_judge *l, const struct judge_repeat *v, unsigned n)
{
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < n; i++)
		judge_add_repeat(l->judge, &v[i]);
	pthread_mutex_unlock(&l->lock);
}

void live_judge_lose(struct live_judge *l)
{
	pthread_mutex_lock(&l->lock);
	judge_lose(l->judge);
	pthread_mutex_unlock(&l->lock);
}

uint16_t live_judge_add_rule(struct live_judge *l, const struct judge_rule *rule)
{
	uint16_t i;

	pthread_mutex_lock(&l->lock);
	i = judge_add_rule(l->judge, rule);
	pthread_mutex_unlock(&l->lock);
	return i;
}

int live_judge_finish(struct live_judge *l, enum judge_end end, struct verdict *out)
{
	int error;

	pthread_mutex_lock(&l->lock);
	error = judge_finish(l->judge, end, out);
	pthread_mutex_unlock(&l->lock);
	return error;
}
