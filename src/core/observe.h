/*
 * observe: by what the exchanges of one client, and the attempts of one request, are told from others: the key `observe` of
 * a rule file as plain values. Spans and lists are owned by whoever decoded them (the plan).
 */
#ifndef BROWNOUT_CORE_OBSERVE_H
#define BROWNOUT_CORE_OBSERVE_H

#include "base/span.h"

enum observe_key_kind {
	OBSERVE_KEY_ADDRESS, /* of the peer, without its port */
	OBSERVE_KEY_PROCESS, /* the peer's process, where it runs on the same machine */
	OBSERVE_KEY_HEADER,
};

struct observe_key {
	enum observe_key_kind kind;
	struct span name; /* HEADER: in lower case */
};

struct observe {
	bool bodies; /* they are hashed; else only heads are looked at */
	int64_t noise_floor_ns; /* shorter gaps say nothing of growth and jitter */
	/* All together are the client; none: the address. */
	struct observe_key *client_key;
	unsigned n_client_key;
	/* The first that a request has names the logical request that it is an attempt of; none: the ids of known SDKs. */
	struct observe_key *logical_key;
	unsigned n_logical_key;
	/* What differs between the attempts of one request. */
	struct span *ignore_query; /* names of parameters, as they stand in the target */
	unsigned n_ignore_query;
	struct span *ignore_headers; /* in lower case */
	unsigned n_ignore_headers;
	struct span *ignore_json; /* "$.a.b": members of a JSON body, OBSERVE_JSON_DEPTH_MAX deep at most */
	unsigned n_ignore_json;
};

#define OBSERVE_JSON_DEPTH_MAX 8

#endif
