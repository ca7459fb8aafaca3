/*
 * trace_exchange: from records, and as members of a JSON object.
 */
#include "observe/trace_exchange.h"

#include "core/random.h"
#include "observe/collector.h"

/* But for the text of the address. */
static void clear(struct trace_exchange *e)
{
	memset(e, 0, offsetof(struct trace_exchange, address));
	e->wait = -1;
	e->quota = -1;
}

void trace_exchange_init(struct trace_exchange *e)
{
	clear(e);
	e->address = (struct ip_text){ 0 };
}

/* From the beginning of the exchange to a moment of it; 0: it did not come to that. Never 0 where it did. */
static int64_t since(const struct record *r, int64_t ns)
{
	return ns ? MIN(MAX((ns - r->first_ns) / NS_PER_US, 1), TRACE_US_MAX) : 0;
}

static int64_t wait_us(int64_t ns)
{
	return ns < 0 ? -1 : MIN(ns / NS_PER_US, TRACE_US_MAX);
}

/* By its address where nothing else was wanted. */
static struct span client_of(struct trace_exchange *e, const struct record *r, const struct witness *w)
{
	return w->client_n ? witness_client(w) : ip_text_of(&e->address, r->client);
}

static uint64_t connection_of(const uint8_t address[16], uint16_t port, uint64_t number)
{
	char bytes[16 + sizeof(port) + sizeof(number)];

	memcpy(bytes, address, 16);
	memcpy(bytes + 16, &port, sizeof(port));
	memcpy(bytes + 16 + sizeof(port), &number, sizeof(number));
	return random_hash(0, span_of(bytes, sizeof(bytes)));
}

uint64_t trace_connection(const struct record *r)
{
	return connection_of(r->client, r->client_port, r->witness->connection);
}

static void set_start(struct trace_exchange *e, const struct record *r)
{
	e->start = MIN(MAX(r->wall_ns / NS_PER_US, 0), TRACE_US_MAX);
	e->at = MIN(MAX(r->first_ns / NS_PER_US, 0), TRACE_US_MAX);
	e->end = since(r, r->end_ns);
}

static void add_witness(struct trace_exchange *e, const struct record *r, const struct witness *w)
{
	e->client = client_of(e, r, w);
	e->last = since(r, w->last_ns);
	e->answer = since(r, w->answer_ns);
	e->fingerprint = w->fingerprint;
	e->body = w->body_hash;
	e->logical = w->logical_id;
	e->maybe = w->maybe_id;
	e->key = w->idempotency_key;
	e->credentials = w->credentials;
	e->connection = trace_connection(r);
	e->keeps = w->keeps;
	e->closes = w->closes;
	e->after_close = MIN((w->after_close_ns + NS_PER_US - 1) / NS_PER_US, TRACE_US_MAX);
	e->connections = w->connections;
	e->attempt = w->attempt;
	e->attempts = w->attempt_max;
	e->deadline = w->deadline_ns / NS_PER_US;
	e->expect = w->expect;
	e->early_data = w->early_data;
	e->wait = wait_us(w->hints.wait_ns);
	e->hint = span_of_string(hint_name(w->hints.kind));
	e->redirect = w->redirect;
	e->quota = wait_us(w->hints.quota_ns);
}

void trace_exchange_of(struct trace_exchange *e, const struct record *r)
{
	clear(e);
	e->method = record_method(r);
	e->target = record_target(r);
	e->status = r->status;
	e->upstream_status = r->upstream_status;
	e->close = r->close == CLOSE_NONE ? SPAN_EMPTY : span_of_string(close_reason_name((enum close_reason)r->close));
	e->asked = r->rule && r->decision.asked;
	e->host = record_host(r);
	set_start(e, r);
	e->shaped_by = r->rule ? r->rule->name : SPAN_EMPTY;
	e->delay = MIN(r->delay_ns / NS_PER_US, TRACE_US_MAX);
	e->forwarded = r->upstream_sent_ns != 0;
	if (r->witness)
		add_witness(e, r, r->witness);
}

void trace_exchange_repeat(struct trace_exchange *e, const struct record *r, const uint8_t address[IP_BYTES])
{
	const struct repeat *repeat = r->repeats == RECORD_REPEATS_ALONE ? &r->repeat : &r->beside;

	set_start(e, r);
	e->last = since(r, repeat->last_ns);
	e->answer = since(r, repeat->answer_ns);
	e->connection = connection_of(address, r->client_port, repeat->connection);
	e->connections = r->connections;
}

/* ---- as JSON ---- */

static void write_TEXT(struct json *j, const char *name, struct span value)
{
	if (value.n)
		json_member_span(j, name, value);
}

static void write_COUNT(struct json *j, const char *name, uint32_t value)
{
	if (value)
		json_member_u64(j, name, value);
}

static void write_US(struct json *j, const char *name, int64_t value)
{
	if (value)
		json_member_i64(j, name, value);
}

static void write_WAIT(struct json *j, const char *name, int64_t value)
{
	if (value >= 0)
		json_member_i64(j, name, value);
}

static void write_HASH(struct json *j, const char *name, uint64_t value)
{
	if (value)
		json_member_hex(j, name, value);
}

static void write_FLAG(struct json *j, const char *name, bool value)
{
	if (value)
		json_member_bool(j, name, true);
}

void trace_exchange_write(const struct trace_exchange *e, struct json *j)
{
#define MEMBER(kind, name, help) write_##kind(j, #name, e->name);
#include "observe/trace_exchange.def"
#undef MEMBER
}
