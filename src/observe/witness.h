/*
 * witness: what is noted of one exchange besides its record, for the trace and for the judge of the client: what the client said
 * of itself, what it was told, and moments that nobody else needs. Kept only where somebody wants it; of fixed size, and but for
 * the text two cache lines, since they go from core to core with each exchange.
 */
#ifndef BROWNOUT_OBSERVE_WITNESS_H
#define BROWNOUT_OBSERVE_WITNESS_H

#include "core/hint.h"

#define WITNESS_CLIENT_BYTES 96

struct witness {
	int64_t last_ns; /* last byte of the request read; 0: it never came */
	int64_t answer_ns; /* just before the head of the answer was handed to the socket; 0: never */
	uint64_t fingerprint; /* of method, host, target, and the fields that tell requests apart; without the client */
	uint64_t body_hash; /* 0: not known */
	uint64_t logical_id; /* hashes of what the client calls the request by: the same for all of its attempts; 0: nothing */
	uint64_t maybe_id; /* may be the same for all attempts, or not */
	uint64_t idempotency_key;
	uint64_t credentials;
	uint64_t connection; /* as long as it is open no other has the same: with address and port it tells connections apart */
	int64_t deadline_ns; /* how long the client says that it waits; 0: it does not */
	uint16_t attempt; /* as it says, from 1; 0: it does not */
	uint16_t attempt_max;
	uint16_t connections; /* of all clients, open when it began; the highest number stands for more as well */
	uint8_t client_n;
	bool keeps : 1; /* the connection stays open after the answer */
	bool closes : 1; /* the client was told that it does not, and what came after that was looked at */
	bool expect : 1; /* Expect: 100-continue */
	bool early_data : 1;
	bool hides : 1; /* nobody is to make out the values that hashes and client are of: the collector sees to it ... */
	bool hides_query : 1; /* ... or that of the fingerprint alone */
	bool from_header : 1; /* client has the value of a header in it */
	bool wants_process : 1; /* its process belongs to who it is: the collector puts it in front */
	int64_t after_close_ns; /* it came so long after an answer that said that the connection closes; 0: it did not */
	struct hints hints; /* told to it */
	uint64_t redirect; /* hint_place of where the answer sends it, with a wait; 0: nowhere, or not known where */
	/* Who it is, as text; empty: its address is. The last member: only client_n bytes of it are written and copied. */
	char client[WITNESS_CLIENT_BYTES];
};

static inline struct span witness_client(const struct witness *w)
{
	return span_of(w->client, w->client_n);
}

#endif
