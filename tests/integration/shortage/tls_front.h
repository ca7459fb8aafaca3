/*
 * tls_front: stands before a responder and speaks TLS in its place, on threads of its own. Nothing here fails a test; where the
 * machine cannot do it, abort.
 */
#ifndef SHORTAGE_TLS_FRONT_H
#define SHORTAGE_TLS_FRONT_H

#include <openssl/ssl.h>

#include "harness/crew.h"

struct tls_front {
	uint16_t port;
	uint16_t behind; /* the responder's port */
	SSL_CTX *ctx;
	struct crew crew;
};

/* With the certificate of this file and the key of that one; asks its clients for one that is the same. */
void tls_front_start(struct tls_front *f, const char *certificate, const char *key, uint16_t behind);
/* Waits for its connections to end, which the program under test must have closed. */
void tls_front_stop(struct tls_front *f);

#endif
