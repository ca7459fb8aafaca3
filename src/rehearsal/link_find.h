/*
 * link_find: which logical request is this exchange an attempt of? The part of link.c that decides.
 */
#ifndef BROWNOUT_REHEARSAL_LINK_FIND_H
#define BROWNOUT_REHEARSAL_LINK_FIND_H

#include "rehearsal/link.h"

struct found {
	uint32_t chain; /* CHAIN_NONE: none, it is a new one */
	uint8_t how;
	bool unsure;
};

struct found link_find(struct linker *l, struct tally *t, struct kind *kind, const struct client_row *client,
	const struct event *e);

/* What maybe_id means for requests of this kind alone. */
uint64_t link_soft_id(const struct event *e);
/* The client knew how it went when it sent the other. */
bool link_was_known(const struct attempt *a, const struct event *e);
/* Two copies at a time, of which one was left as soon as the other was answered: nothing else looks like that. */
bool link_is_cancelled_copy(const struct attempt *a, const struct event *e);
/* The failure that it follows may have been taken by another that came after it and ended before it. */
bool link_was_robbed(const struct kind *kind, const struct event *e);
/* e has followed up this chain, which no id has told. */
void link_note_taken(struct kind *kind, const struct chain *c, const struct event *e);
/* e's connection is known from now on. */
void link_note_connection(struct kind *kind, uint64_t connection);

#endif
