/*
 * record: the text part. Method, host and target lie one behind the other, without separators.
 */
#include "observe/record.h"

static uint16_t put(struct record *r, size_t at, struct span s)
{
	size_t n = MIN(s.n, RECORD_TEXT_BYTES - at);

	if (n)
		memcpy(r->text + at, s.p, n);
	return (uint16_t)n;
}

void record_set_text(struct record *r, struct span method, struct span host, struct span target)
{
	r->method_n = put(r, 0, method);
	r->host_n = put(r, r->method_n, host);
	r->target_n = put(r, (size_t)r->method_n + r->host_n, target);
	r->text_cut = r->method_n < method.n || r->host_n < host.n || r->target_n < target.n;
}

struct span record_method(const struct record *r)
{
	return span_of(r->text, r->method_n);
}

struct span record_host(const struct record *r)
{
	return span_of(r->text + r->method_n, r->host_n);
}

struct span record_target(const struct record *r)
{
	return span_of(r->text + r->method_n + r->host_n, r->target_n);
}
