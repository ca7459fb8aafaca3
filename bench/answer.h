/*
 * answer: where one HTTP/1.1 answer ends, and nothing more: status, Content-Length or chunked. For peers that are known
 * to be well behaved; anything else is an error, never a guess. Owns nothing.
 */
#ifndef BROWNOUT_BENCH_ANSWER_H
#define BROWNOUT_BENCH_ANSWER_H

#include <sys/types.h>

#include "base/base.h"

#define ANSWER_HEAD_BYTES_MAX 1024 /* of a head that arrives in pieces */

enum answer_state {
	ANSWER_HEAD,
	ANSWER_COUNTED, /* body by Content-Length */
	ANSWER_CHUNK_SIZE,
	ANSWER_CHUNK_DATA,
	ANSWER_TRAILER,
	ANSWER_DONE,
};

struct answer {
	enum answer_state state;
	int status;		/* 0 until the head is complete */
	uint64_t left_bytes;	/* of the counted body, or of this chunk with its line end */
	uint64_t content_bytes; /* announced so far; the whole body once DONE */
	uint64_t chunk_bytes;	/* the size line read so far */
	unsigned digits;
	unsigned trailer_bytes; /* of the current trailer line */
	size_t head_bytes;	/* kept in head */
	char head[ANSWER_HEAD_BYTES_MAX];
};

void answer_init(struct answer *a);

/*
 * Takes the next n bytes. Returns how many of them belong to this answer (fewer than n only where it is DONE), or -1
 * where they are no answer that this parser knows.
 */
ssize_t answer_feed(struct answer *a, const char *bytes, size_t n) MUST_USE;

/* n bytes of a counted body went by without being looked at; n is at most left_bytes. */
void answer_skip(struct answer *a, size_t n);

#endif
