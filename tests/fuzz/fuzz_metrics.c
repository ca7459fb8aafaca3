/*
 * metrics: any bytes as a label's value make one line, from which the same bytes can be read back; and any bytes as Accept are
 * judged alike whatever else a list names beside them.
 */
#include "fuzz.h"
#include "observe/metrics.h"

#define BEGIN "brownout_requests_total{listener=\""
#define END "\",upstream=\"\",class=\"\"} 1\n"

/* Reads back what was escaped; the text that follows the closing quote. */
static const char *unescape(const char *at, const char *end, char *value, size_t *n)
{
	for (*n = 0; at < end && *at != '"'; at++) {
		bool escaped = *at == '\\';

		at += escaped;
		if (at == end || *at == '\n')
			abort();
		value[(*n)++] = escaped && *at == 'n' ? '\n' : *at;
	}
	return at;
}

static void check_label(struct span value)
{
	const struct span labels[3] = { value, SPAN_EMPTY, SPAN_EMPTY };
	char *back = malloc(2 * value.n + 1);
	struct metrics m;
	struct text out;
	const char *rest;
	size_t n;

	text_init(&out);
	metrics_begin(&m, &out, false);
	metrics_family(&m, METRIC_REQUESTS);
	text_clear(&out);
	metrics_u64(&m, labels, 1);
	if (!back || out.cut || !span_starts_with(text_span(&out), SPAN(BEGIN)))
		abort();
	rest = unescape(out.p + sizeof(BEGIN) - 1, out.p + out.n, back, &n);
	if (!span_eq(span_of(back, n), value) || !span_eq(span_of(rest, (size_t)(out.p + out.n - rest)), SPAN(END)))
		abort();
	text_deinit(&out);
	free(back);
}

static void check_accept(struct span accept)
{
	struct text longer;

	/* A quotation that is not closed takes in what follows. */
	if (!accept.n || span_find(accept, '"') < accept.n) {
		(void)metrics_accepts_openmetrics(accept);
		return;
	}
	text_init(&longer);
	text_put_literal(&longer, "text/html;q=0.9, ");
	text_put_span(&longer, accept);
	text_put_literal(&longer, ", */*;q=0.1");
	if (metrics_accepts_openmetrics(accept) != metrics_accepts_openmetrics(text_span(&longer)))
		abort();
	text_deinit(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span input = span_of((const char *)data, n);

	if (n > 4096)
		return 0;
	check_label(input);
	check_accept(input);
	return 0;
}
