/*
 * address: where a socket listens or connects to: IPv4, IPv6 or a unix path (a leading '@' is Linux' abstract name).
 */
#ifndef BROWNOUT_NET_ADDRESS_H
#define BROWNOUT_NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	socklen_t n;
};

/* Enough for any address_write with its NUL. */
#define ADDRESS_TEXT_BYTES 128

/* A numeric IPv4 or IPv6 host (brackets allowed) and port. 1 where the host is not numeric. */
int address_from_numeric(struct address *a, struct span host, uint16_t port) MUST_USE;
/* 1 where the path is empty, has a NUL or is too long. */
int address_from_unix(struct address *a, struct span path) MUST_USE;
/* Resolves host (name or number) with the system's resolver; BLOCKS: for start-up and the resolver thread only.
 * Fills at most max addresses, *n how many. 0, or the positive EAI_ code's absolute value (text: address_resolve_error). */
int address_resolve(struct address *list, unsigned max, unsigned *n, struct span host, uint16_t port) MUST_USE;
const char *address_resolve_error(int code);

bool address_is_loopback(const struct address *a); /* 127/8, ::1, v4-mapped 127/8, unix */
bool address_eq(const struct address *a, const struct address *b);
uint16_t address_port(const struct address *a); /* 0 for unix */
/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@name". An IPv4 address mapped into IPv6 is written as IPv4. */
void address_write(const struct address *a, struct text *out);
/* The host alone, no brackets: "127.0.0.1", "::1", "unix" */
void address_write_host(const struct address *a, struct text *out);
/* The 16 bytes of the IPv6 form (IPv4 mapped); all zero for unix. */
void address_bytes(const struct address *a, uint8_t bytes[16]);

#endif
