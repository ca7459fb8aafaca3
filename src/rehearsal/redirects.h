/*
 * redirects: answers that send a client elsewhere and tell it to wait before it goes there (RFC 9110 section 10.2.3), and who
 * comes too early. The judge sees requests, not why they are made: what comes to such a place may have been sent there or come
 * by itself. Somebody is held to it only where nobody ever comes to that place by himself, and only for following at once, as
 * clients do that do not look at the wait. Bounded: the place that was not heard of for longest is forgotten.
 */
#ifndef BROWNOUT_REHEARSAL_REDIRECTS_H
#define BROWNOUT_REHEARSAL_REDIRECTS_H

#include "core/lru.h"
#include "rehearsal/tally.h"

void redirects_init(struct lru *places);

/* The next exchange in order of ends. crowded: its client has had several requests under way at a time. */
void redirects_note(struct lru *places, const struct tally *t, const struct event *e, bool crowded);

/* What was seen so far, added to the tally. */
void redirects_tally(const struct lru *places, struct tally *t);

#endif
