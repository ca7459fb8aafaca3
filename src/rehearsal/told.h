/*
 * told: whether a client stays away from a path, a host or a quota for as long as it was told to; what is told to one logical
 * request about itself is for its chain.
 */
#ifndef BROWNOUT_REHEARSAL_TOLD_H
#define BROWNOUT_REHEARSAL_TOLD_H

#include "rehearsal/clients.h"
#include "rehearsal/tally.h"

/* The next exchange in order of ends: whether it comes where its client was told not to come yet, and what it is told itself. */
void told_note(struct clients *c, struct tally *t, const struct event *e);

#endif
