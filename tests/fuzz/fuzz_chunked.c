/*
 * fuzz chunked: any bytes as a chunked body. Data, trailers, end and error do not depend on how the bytes arrive, and
 * data written in chunks again is read as the same data. The last two bytes say how the body is split.
 */
#include "fuzz.h"
#include "http/chunked.h"
#include "http/write.h"

struct decoded {
	struct text data;
	struct text trailers;
	struct text chunks; /* the data in chunks of ours */
	enum http_chunk_event event;
	enum http_error error;
	size_t used;
};

static void decoded_init(struct decoded *d)
{
	*d = (struct decoded){ .error = HTTP_ERROR_NONE };
	text_init(&d->data);
	text_init(&d->trailers);
	text_init(&d->chunks);
}

static void decoded_deinit(struct decoded *d)
{
	text_deinit(&d->data);
	text_deinit(&d->trailers);
	text_deinit(&d->chunks);
}

static void take_data(struct decoded *d, struct span data)
{
	char head[HTTP_CHUNK_HEAD_MAX];

	MUST_HOLD(data.n > 0);
	text_put_span(&d->data, data);
	text_put(&d->chunks, head, http_chunk_write_head(head, data.n));
	text_put_span(&d->chunks, data);
	text_put_literal(&d->chunks, "\r\n");
}

static void decode(struct decoded *d, const char *p, size_t n, size_t first, size_t step)
{
	size_t have = MIN(first, n);
	struct http_chunked c;

	http_chunked_init(&c);
	for (;;) {
		size_t piece_n = have - d->used;
		char *piece = fuzz_copy(p + d->used, piece_n);
		struct http_chunk ev;
		size_t used;

		d->event = http_chunked_next(&c, piece, piece_n, &used, &ev);
		MUST_HOLD(used <= piece_n);
		d->used += used;
		if (d->event == HTTP_CHUNK_DATA)
			take_data(d, ev.data);
		if (d->event == HTTP_CHUNK_TRAILER && !ev.field.drop)
			http_write_field_line(&d->trailers, &ev.field);
		free(piece);
		if (d->event == HTTP_CHUNK_ERROR)
			d->error = ev.error;
		if (d->event == HTTP_CHUNK_END || d->event == HTTP_CHUNK_ERROR)
			return;
		if (d->event == HTTP_CHUNK_MORE && have == n)
			return;
		if (d->event == HTTP_CHUNK_MORE)
			have = MIN(have + step, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decoded whole;
	struct decoded pieces;
	struct decoded again;
	size_t n;

	if (size < 2)
		return 0;
	n = size - 2;
	decoded_init(&whole);
	decoded_init(&pieces);
	decoded_init(&again);
	decode(&whole, (const char *)data, n, n, 1);
	decode(&pieces, (const char *)data, n, data[n], 1 + data[n + 1] % 64u);
	MUST_HOLD(whole.event == pieces.event && whole.error == pieces.error);
	MUST_HOLD(span_eq(text_span(&whole.data), text_span(&pieces.data)));
	MUST_HOLD(span_eq(text_span(&whole.trailers), text_span(&pieces.trailers)));
	if (whole.event != HTTP_CHUNK_ERROR)
		MUST_HOLD(whole.used == pieces.used);

	text_put_literal(&pieces.chunks, "0\r\n");
	text_put_span(&pieces.chunks, text_span(&whole.trailers));
	text_put_literal(&pieces.chunks, "\r\n");
	decode(&again, pieces.chunks.p, pieces.chunks.n, pieces.chunks.n, 1);
	MUST_HOLD(again.event == HTTP_CHUNK_END && again.used == pieces.chunks.n);
	MUST_HOLD(span_eq(text_span(&again.data), text_span(&whole.data)));
	MUST_HOLD(span_eq(text_span(&again.trailers), text_span(&whole.trailers)));
	decoded_deinit(&whole);
	decoded_deinit(&pieces);
	decoded_deinit(&again);
	return 0;
}
