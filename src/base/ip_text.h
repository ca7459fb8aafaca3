/*
 * ip_text: the IP address of a peer as text, kept for the next one, since many in a row are the same. Addresses are 16 bytes in
 * network order: IPv6, or IPv4 mapped into it (RFC 4291 section 2.5.5.2); all zero is the peer of a unix socket, who has none.
 */
#ifndef BROWNOUT_BASE_IP_TEXT_H
#define BROWNOUT_BASE_IP_TEXT_H

#include <stdbool.h>

#include "base/span.h"

#define IP_BYTES 16
#define IP_TEXT_BYTES 48 /* the longest text, and some more, so that it is copied whole by a few plain stores */

/* Zeroed: nothing is kept yet. */
struct ip_text {
	uint8_t address[IP_BYTES];
	uint8_t n;
	char p[IP_TEXT_BYTES];
};

bool ip_is_v4(const uint8_t address[IP_BYTES]);
bool ip_is_none(const uint8_t address[IP_BYTES]);

/* Of ip_text_of, where the address is another one than that kept. */
void ip_text_set(struct ip_text *t, const uint8_t address[IP_BYTES]);

/* 127.0.0.1, ::1 (RFC 5952), unix. It lies in t, until t is asked for another one. */
static inline struct span ip_text_of(struct ip_text *t, const uint8_t address[IP_BYTES])
{
	if (UNLIKELY(!t->n || memcmp(t->address, address, IP_BYTES) != 0))
		ip_text_set(t, address);
	return span_of(t->p, t->n);
}

#endif
