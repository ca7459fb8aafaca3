/*
 * ring: records of one worker on their way to the collector. One producer, one consumer, no lock, no waiting: a full ring
 * drops the record and says so.
 */
#ifndef BROWNOUT_OBSERVE_RING_H
#define BROWNOUT_OBSERVE_RING_H

#include "observe/record.h"

struct ring;

/* Whether a judge is told of a repeat as of one (record.h). */
enum ring_repeats {
	RING_REPEATS_NONE, /* whoever reads the records wants to know all of each */
	RING_REPEATS_BESIDE, /* others than the judge want the record, nobody else its witness */
	RING_REPEATS_ALONE, /* there is nobody but the judge */
};

/* n_records is rounded up to a power of two. NULL where memory is out. */
struct ring *ring_new(uint32_t n_records) MUST_USE;
void ring_free(struct ring *r);

/*
 * Makes room for the decisions and the witness of each record, before the first is written: only a trace or a judge
 * wants them, and they are several times as large as a record. -ENOMEM
 */
int ring_keep_details(struct ring *r) MUST_USE;
/* Before the first record is written. */
void ring_take_repeats(struct ring *r, enum ring_repeats how);
enum ring_repeats ring_repeats(const struct ring *r);

/* Producer: the place for the next record (to be filled in), or NULL where the ring is full. */
struct record *ring_begin(struct ring *r);
/* Producer: the places for decisions and witness of the record from ring_begin, to point it to; NULL where nobody wants them. */
struct record_decisions *ring_decisions(struct ring *r);
struct witness *ring_witness(struct ring *r);
/* True where somebody does: then they are worth keeping while an exchange lives. */
bool ring_wants_details(const struct ring *r);
/* Producer: makes the record from ring_begin visible. */
void ring_commit(struct ring *r);
/* Consumer: the oldest record or NULL, its own until ring_release gives its place back. */
struct record *ring_peek(struct ring *r);
void ring_release(struct ring *r);

#endif
