/*
 * notice: notes what the trace and the judge want to know of an exchange (observe/witness.h), from its head to its end. Where
 * nobody wants it nothing is kept and nothing is looked at: the exchange has no more than a pointer for it.
 */
#ifndef BROWNOUT_PROXY_NOTICE_H
#define BROWNOUT_PROXY_NOTICE_H

#include "core/digest.h"
#include "observe/record.h"

struct client;
struct http_fields;
struct http_request;
struct record;
struct text;

struct notice {
	struct witness witness;
	struct digest body; /* of the request, where it is wanted */
	bool hashes_body;
	bool has_query;
	bool whole_body; /* it has come in to its end */
	uint8_t likeness; /* its record is to be remembered by this number; 0: not */
	bool is_silent; /* its client says of itself what is the same for all, or nothing */
	bool repeats; /* the one that was remembered by it */
	bool told_close; /* the answer says that the connection closes */
	struct text *json; /* the body's beginning, where members of it are to be left out; on the heap */
	struct record_decisions *decided; /* what every rule decided; NULL: none did */
};

/* Somebody wants it: of this connection's exchanges. */
bool notice_is_wanted(const struct client *c);

/* A parsed head. Without memory for it the exchange goes on unnoticed. */
void notice_begin(struct client *c, const struct http_request *r);
/* Bytes of the request's body as they come in, and their end. */
void notice_body(struct notice *n, struct span bytes);
void notice_body_end(struct notice *n, int64_t now_ns);
/* The head of the final answer, before it is handed to the socket. received: of the upstream; NULL: it is brownout's own. */
void notice_answer(struct client *c, struct span head, const struct http_fields *received);

/*
 * What of an exchange of which there is nothing to tell makes it equal to another, for a judge. It lies in its worker, which has
 * one for each number.
 */
struct likeness {
	uint64_t fingerprint;
	uint64_t target; /* where it has a query, of which the fingerprint may leave something out; else 0 */
	uint64_t body_hash;
	uint64_t credentials;
	uint64_t generation; /* 0: nothing is remembered here */
	uint8_t address[16];
	uint16_t status;
	uint16_t upstream_status;
	bool forwarded;
	bool keeps;
};

#define NOTICE_HEADS 64 /* remembered at a time, of one worker */
#define NOTICE_HEAD_BYTES 232

/* A head that tells nothing but which request it is, as it was read, and what was made of it. It lies in its worker. */
struct notice_head {
	uint64_t generation; /* 0: nothing is remembered here */
	uint64_t fingerprint;
	uint64_t credentials;
	uint16_t n;
	bool has_query;
	char bytes[NOTICE_HEAD_BYTES];
};

/* True where the same bytes came before: what was made of them is noted. */
bool notice_knows_head(struct client *c, const struct http_request *r);
/* What was made of them is noted now. */
void notice_learn_head(struct client *c, const struct http_request *r);

/* What is known of the body is so at the exchange's end: before what the witness says of it is looked at. */
void notice_complete(struct notice *n, struct client *c);
/*
 * All of r, as of a repeat: true where the exchange is like an earlier one and nobody wants more of it. Else r is not touched,
 * and that it is one is for notice_record.
 */
bool notice_repeats(struct client *c, enum close_reason reason, int64_t end_ns, struct record *r);
/* What differs. */
static inline struct repeat notice_repeat_of(const struct notice *n)
{
	return (struct repeat){ n->witness.last_ns, n->witness.answer_ns, n->witness.connection };
}
/* Into the ring, with the record. */
void notice_record(struct client *c, struct record *r);
void notice_free(struct client *c);

#endif
