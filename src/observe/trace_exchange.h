/*
 * trace_exchange: one exchange as a trace has it. It is made from a record, written, read back, and judged; who judges while
 * serving does it by way of this as well, so that a trace gives the same verdict.
 */
#ifndef BROWNOUT_OBSERVE_TRACE_EXCHANGE_H
#define BROWNOUT_OBSERVE_TRACE_EXCHANGE_H

#include "base/ip_text.h"
#include "base/json.h"
#include "observe/record.h"

#define TRACE_US_MAX INT64_C(9007199254740991) /* 2^53 - 1: what every reader of JSON can tell exactly */

struct trace_exchange {
#define TRACE_TYPE_TEXT struct span
#define TRACE_TYPE_COUNT uint32_t
#define TRACE_TYPE_US int64_t
#define TRACE_TYPE_WAIT int64_t /* -1: none */
#define TRACE_TYPE_HASH uint64_t
#define TRACE_TYPE_FLAG bool
#define MEMBER(kind, name, help) TRACE_TYPE_##kind name;
#include "observe/trace_exchange.def"
#undef MEMBER
	struct ip_text address; /* what client may point to */
};

/* Nothing is said. */
void trace_exchange_init(struct trace_exchange *e);
/* e is initialised. Its spans point into the record, its witness, its rules and into e: one e for many records spares work. */
void trace_exchange_of(struct trace_exchange *e, const struct record *r);
/* e is initialised; what a repeat has of its own is set, no more. The address is the client's, which not every repeat says. */
void trace_exchange_repeat(struct trace_exchange *e, const struct record *r, const uint8_t address[IP_BYTES]);
/* A number that tells the client's connection from others that are open; the record has a witness. */
uint64_t trace_connection(const struct record *r);
/* As members of the object that j is in. */
void trace_exchange_write(const struct trace_exchange *e, struct json *j);

#endif
