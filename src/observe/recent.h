/*
 * recent: the last finished exchanges, for whoever asks what has just happened. The collector puts each record in, whole and
 * unformatted; it becomes JSON only when somebody reads. What was faulted, failed or refused is kept apart as well, so that it is
 * found among any number of plain exchanges.
 *
 * One mutex: the collector holds it for one copy, a reader while it writes what was asked for (RECENT_MAX at most).
 */
#ifndef BROWNOUT_OBSERVE_RECENT_H
#define BROWNOUT_OBSERVE_RECENT_H

#include "base/text.h"
#include "observe/record.h"

#define RECENT_MAX 1000 /* of all, and as many of those that are notable */

struct recent;

/* NULL where memory is out. */
struct recent *recent_new(void) MUST_USE;
void recent_free(struct recent *r);

/* Copies it, with the names that it points to. */
void recent_add(struct recent *r, const struct record *record);

enum recent_choice {
	RECENT_ALL, /* the newest */
	RECENT_NOTABLE, /* the newest of those with a fault, a real failure or a refusal */
	RECENT_NOTABLE_FIRST, /* the newest of those, then plain ones as long as there is room */
};

struct recent_query {
	enum recent_choice choice;
	uint64_t since; /* only what has come after this number */
	unsigned max; /* at most RECENT_MAX */
	struct span rule; /* only what this rule has faulted; empty: whatever */
};

/*
 * Calls put for each exchange that was asked for, the newest last: the access log's JSON object without its LF, with one member
 * more, "seq": exchanges are numbered from 1 as they end. put is called with the mutex held and must not wait. Returns the number
 * of the last exchange of all.
 */
typedef void (*recent_put_fn)(void *arg, uint64_t seq, struct span json);
uint64_t recent_read(struct recent *r, const struct recent_query *query, recent_put_fn put, void *arg);
/* The number of the last exchange; 0 where there was none. */
uint64_t recent_last(struct recent *r);

#endif
