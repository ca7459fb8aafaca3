/*
 * message: one HTTP/1.1 message read from a peer, strictly: anything that two readers could understand differently fails
 * the test. Written apart from the program's own parser on purpose.
 */
#ifndef HARNESS_MESSAGE_H
#define HARNESS_MESSAGE_H

#include "harness/peer.h"

#define MESSAGE_FIELDS_MAX 400

struct message_field {
	char *name; /* as received */
	char *value; /* without surrounding white space */
};

enum message_framing { MESSAGE_NO_BODY, MESSAGE_LENGTH, MESSAGE_CHUNKED, MESSAGE_UNTIL_CLOSE };

struct message {
	struct peer *peer;
	char *line; /* the start line */
	char *method; /* requests */
	char *target;
	unsigned status; /* answers; 0 in requests */
	char *reason;
	unsigned minor; /* HTTP/1.minor */
	struct message_field fields[MESSAGE_FIELDS_MAX];
	unsigned n_fields;
	enum message_framing framing;
	unsigned long long length; /* MESSAGE_LENGTH */
	struct bytes body;
	unsigned n_chunks;
	struct message_field trailers[32];
	unsigned n_trailers;
};

/* Reads a request head from an upstream peer, or an answer head from a client peer (`to`: the method it answers). */
void message_read_request_head(struct message *m, struct peer *p);
void message_read_answer_head(struct message *m, struct peer *p, const char *to);
/* Reads the body that the head promises, to its end. UNTIL_CLOSE ends with FIN; RST fails. */
void message_read_body(struct message *m);
/* Both. */
void message_read_request(struct message *m, struct peer *p);
void message_read_answer(struct message *m, struct peer *p, const char *to);
void message_free(struct message *m);

/* The first value of this name in any case, NULL where there is none. */
const char *message_field(const struct message *m, const char *name);
unsigned message_field_count(const struct message *m, const char *name);
/* All values of the name joined by ", "; valid until the fourth call after; "" where there is none. */
const char *message_list(const struct message *m, const char *name);
const char *message_trailer(const struct message *m, const char *name);

#endif
