/*
 * demo_client: a small blocking client, for the demo: one request per connection.
 */
#ifndef BROWNOUT_CLI_DEMO_CLIENT_H
#define BROWNOUT_CLI_DEMO_CLIENT_H

#include "net/address.h"

#define DEMO_CLIENT_TIMEOUT_S 10
#define DEMO_CLIENT_FAULT_BYTES 256

struct demo_answer {
	unsigned status; /* 0: none came */
	int error; /* positive errno where none came; 0: the connection was closed without an answer */
	int64_t elapsed_ns; /* from the connect to the end of the answer */
	uint64_t bytes; /* of content */
	char fault[DEMO_CLIENT_FAULT_BYTES]; /* value of X-Brownout, printable, NUL-terminated; "" where there is none */
};

/* GET target, with Connection: close. Blocks, at most DEMO_CLIENT_TIMEOUT_S for each step. */
void demo_client_get(const struct address *server, const char *target, struct demo_answer *answer);

/* What a whole answer says, for demo_client_get; pure. p may be written to. False where p[0..n) is no whole head. */
bool demo_client_read(char *p, size_t n, struct demo_answer *answer);

#endif
