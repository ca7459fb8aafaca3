/*
 * gateway: answers that look like those of well-known gateways: reason, names, case and order of the fields, type, kind and
 * (where known) length of the content, and whether the connection stays. One row of data each. Pages and sentences are ours;
 * what a program may look for in them is not. What is not known for sure says so (core/gateways.def).
 */
#ifndef BROWNOUT_FAULT_GATEWAY_H
#define BROWNOUT_FAULT_GATEWAY_H

#include "base/text.h"
#include "core/fault_set.h"

enum gateway {
#define GATEWAY(id, name, timeout_ns, timeout_status, unsure) GATEWAY_##id,
#include "core/gateways.def"
#undef GATEWAY
	GATEWAY_COUNT
};

const char *gateway_name(enum gateway g);
const char *gateway_unsure(enum gateway g);
/* How long it waits for an upstream by default; 0: without end. */
int64_t gateway_timeout_ns(enum gateway g);
/* What it answers then. */
unsigned gateway_timeout_status(enum gateway g);

#define GATEWAY_DATES_MAX 2

struct gateway_answer {
	struct text head; /* status line and fields, each with CRLF, without Connection and the empty line */
	struct text body;
	size_t dates[GATEWAY_DATES_MAX]; /* places in head that wait for an IMF-fixdate (HTTP_DATE_BYTES) */
	unsigned n_dates;
	bool closes; /* the connection ends after it */
	bool says_keep_alive; /* "Connection: keep-alive" also where it goes without saying */
	bool lower_case; /* names of fields */
};

/*
 * The answer of abort->profile (not 0) with abort->status. What the abort gives itself counts more: reason, body and its type;
 * its fields take the place of the gateway's own of that name and come last, its Retry-After is left out as by fault_answer.
 * Of a code that caches store unless told otherwise, Cache-Control: no-store is added: no fault outlives itself.
 * To be freed by gateway_answer_deinit in any case; head.cut or body.cut where memory is out.
 */
void gateway_render(struct gateway_answer *out, const struct fault_abort *abort);
void gateway_answer_deinit(struct gateway_answer *a);

/* All of them, for people: timeouts, fields in order, what is not known. */
void gateway_write_reference(struct text *out);

#endif
