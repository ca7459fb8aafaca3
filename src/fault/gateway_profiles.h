/*
 * gateway_profiles: the rows of the table that gateway.c renders. For gateway.c and its tests only.
 *
 * In fields, pages and texts stands: $c the code, $r the reason, $t the text of the code, $d a date, $n the length of the
 * content, $m its type, $h 16 and $g 32 hexadecimal digits, $x a number, $u a UUID. These made-up ids are the same in
 * each answer of a rule.
 */
#ifndef BROWNOUT_FAULT_GATEWAY_PROFILES_H
#define BROWNOUT_FAULT_GATEWAY_PROFILES_H

#include "fault/gateway.h"

/* A list ends with a row whose text is NULL. Code 0 stands for all codes that have no row before it. */
struct gateway_text {
	uint16_t status;
	const char *text;
};

struct gateway_profile {
	const char *fields; /* lines with CRLF */
	const char *type;
	const char *page; /* of the content */
	const struct gateway_text *reasons; /* NULL: the canonical ones */
	const struct gateway_text *texts; /* NULL: the reason is the text */
	const uint16_t *closing; /* codes after which the connection ends, 0 behind the last; NULL: none */
	const uint16_t *paged; /* codes that have a page, 0 behind the last; the others from 300 on have no reason; NULL: all */
	bool closes; /* after any */
	bool says_keep_alive;
	bool lower_case;
};

const struct gateway_profile *gateway_profile(enum gateway g);

#endif
