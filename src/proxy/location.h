/*
 * location: where an answer sends the client, for the judge, who sees what comes there.
 */
#ifndef BROWNOUT_PROXY_LOCATION_H
#define BROWNOUT_PROXY_LOCATION_H

#include "base/span.h"

struct client;

/* hint_place of what Location says in this head of an answer; 0 where it says nothing, or not where. */
uint64_t location_place(const struct client *c, struct span head);

#endif
