/*
 * ip_text: no stdio and no locale; for IPv4 not even inet_ntop, which goes through printf: it may be asked for once a request.
 */
#include "base/ip_text.h"

#include <arpa/inet.h>

#include "base/text.h"

bool ip_is_v4(const uint8_t address[IP_BYTES])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool ip_is_none(const uint8_t address[IP_BYTES])
{
	static const uint8_t none[IP_BYTES];

	return memcmp(address, none, sizeof(none)) == 0;
}

void ip_text_set(struct ip_text *t, const uint8_t address[IP_BYTES])
{
	struct text out;

	text_init_fixed(&out, t->p, sizeof(t->p));
	memcpy(t->address, address, IP_BYTES);
	if (ip_is_none(address)) {
		text_put_literal(&out, "unix");
	} else if (ip_is_v4(address)) {
		for (unsigned i = 12; i < IP_BYTES; i++) {
			if (i > 12)
				text_put_char(&out, '.');
			text_put_u64(&out, address[i]);
		}
	} else {
		/* It cannot fail: the family is known, and there is room. */
		out.n = inet_ntop(AF_INET6, address, t->p, sizeof(t->p)) ? strlen(t->p) : 0;
	}
	t->n = (uint8_t)out.n;
}
