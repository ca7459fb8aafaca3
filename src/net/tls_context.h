/*
 * tls_context: what tls and tls_context share, and nobody else sees.
 */
#ifndef BROWNOUT_NET_TLS_CONTEXT_H
#define BROWNOUT_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

struct tls_context {
	SSL_CTX *ctx;
};

#endif
