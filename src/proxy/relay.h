/*
 * relay: one body on its way from one peer to the other, in either direction. Streams: holds no more than what one read
 * brought and the other side did not take; reads again only after that is gone (backpressure). Re-frames where the two
 * sides differ: chunk sizes are always our own, extensions are dropped, trailers pass where the far side is chunked. A long body
 * that nobody has to look at goes from socket to socket within the kernel.
 */
#ifndef BROWNOUT_PROXY_RELAY_H
#define BROWNOUT_PROXY_RELAY_H

#include "fault/corrupt.h"
#include "http/chunked.h"
#include "proxy/peer.h"

struct relay {
	uint64_t left; /* LENGTH: bytes still to come */
	uint64_t content_bytes; /* passed so far */
	uint64_t cut_at; /* content ends here, too early, on purpose; UINT64_MAX: it does not */
	const struct corruptor *corruptor; /* changes bytes of the content; NULL: none */
	union {
		struct http_chunked chunked; /* CHUNKED */
		struct pipe *pipe; /* LENGTH: bytes go through it unseen; NULL: not now */
	};
	uint8_t body; /* enum http_body: how it comes in */
	bool chunk_out; /* it goes out chunked */
	bool bad_chunk; /* the first chunk's size is none */
	bool discard; /* it is read and thrown away */
	bool drop_trailers; /* one of them may be private to the other connection */
	bool done; /* it has come in whole (what was not taken yet waits in the far side's out) */
	bool trailing : 1; /* the last chunk went out; trailers and the end are to follow */
	bool noticed : 1; /* the body of an exchange's request whose notice wants it */
	bool starved : 1; /* what is left of the source is part of a line: more must be read behind it */
};

enum relay_result {
	RELAY_DONE, /* whole, and written whole */
	RELAY_CUT, /* all up to cut_at is written */
	RELAY_MORE, /* moved something: call again (after others had their turn) */
	RELAY_WAIT_READ, /* for bytes from the source */
	RELAY_WAIT_WRITE, /* for the far side to take what waits */
	RELAY_SOURCE_END, /* the source ended before the body did */
	RELAY_SOURCE_FAILED,
	RELAY_TARGET_FAILED,
	RELAY_MALFORMED, /* the chunked coding is broken: *error */
};

void relay_init(struct relay *r, enum http_body body, uint64_t length, bool chunk_out);

/* Gives back what it has of the worker; what it holds is lost. It may be used on, for bytes to come. */
void relay_release(struct worker *w, struct relay *r);

/* True where nothing of the body has gone out: it could be sent anew from the beginning. */
static inline bool relay_is_untouched(const struct relay *r)
{
	return !r->content_bytes && !r->trailing;
}

/*
 * One round: at most one read and one write. *prefix (a head) is written before anything else, in the same system call where
 * possible, and emptied then; where it is still there afterwards, nothing was sent.
 */
enum relay_result relay_run(struct worker *w, struct relay *r, struct peer *from, struct peer *to, struct span *prefix,
	enum http_error *error);

#endif
