/*
 * waves: do retries come all at once? Retries whose requests failed at about the same time are a wave; its peak share is how
 * many of them came within one short window. Plain bytes: copied by assignment.
 */
#ifndef BROWNOUT_REHEARSAL_WAVES_H
#define BROWNOUT_REHEARSAL_WAVES_H

#include "base/base.h"

#define WAVES_ATTEMPTS 6 /* retry numbers told apart; later ones are not looked at */
#define WAVES_KEPT 1024

struct wave_retry {
	int64_t failed_ns; /* end of the attempt before it */
	int64_t came_ns;
	uint64_t id;
	uint16_t source;
};

/* The wave with the highest peak share so far; the larger one of two that are equal. */
struct wave {
	double share; /* 0: there was none */
	uint32_t n;
	uint32_t at_once; /* of these */
	int64_t window_ns; /* within so long */
	uint8_t attempt; /* which retry, from 1 */
	uint64_t first_id, last_id; /* of those at once */
	int64_t first_ns, last_ns;
	uint16_t source;
};

struct waves {
	uint32_t min_wave;
	uint32_t largest; /* of all groups, waves or not */
	uint32_t n_waves;
	struct wave worst;
	struct {
		uint32_t n;
		struct wave_retry v[WAVES_KEPT];
	} kept[WAVES_ATTEMPTS][2]; /* [1]: the wait was told */
};

/* attempt: which retry, from 1. */
void waves_add(struct waves *w, unsigned attempt, bool told, const struct wave_retry *retry);
/* Looks at what is still kept. Safe to call again after more was added. */
void waves_finish(struct waves *w);

#endif
