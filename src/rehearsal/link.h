/*
 * link: decides which exchange is a further attempt of which logical request. Strongest evidence first: an id that all attempts
 * share, attempt numbers, then the same request of the same client after a failure, where each failure is followed up once, in
 * the order in which the clients were free to come back.
 */
#ifndef BROWNOUT_REHEARSAL_LINK_H
#define BROWNOUT_REHEARSAL_LINK_H

#include "rehearsal/redirects.h"
#include "rehearsal/tally.h"

struct linker {
	struct chains chains;
	struct clients clients;
	struct lru redirects;
	int64_t link_ns; /* 0: by what was told */
};

void linker_init(struct linker *l, const struct judge_options *options);
void linker_deinit(struct linker *l);

/* The next exchange in order of ends. Chains that are over go into the tally. */
void linker_add(struct linker *l, struct tally *t, const struct event *e);

/* Adds what may still go on to the tally, and leaves it as it is. */
void linker_tally_rest(const struct linker *l, struct tally *t, const struct tally_end *end);

#endif
