/* chunked: well-formed bodies in every split, bounds, and the other direction. What is refused stands in test_errors. */
#include "http/chunked.h"

#include "support.h"

static const struct {
	const char *bytes;
	const char *data;
	const char *trailers; /* "name=value;" each, dropped ones with a '-' before */
	const char *rest;
} bodies[] = {
	{ "0\r\n\r\n", "", "", "" },
	{ "5\r\nhello\r\n0\r\n\r\nGET /", "hello", "", "GET /" },
	{ "5\r\nhello\r\n006\r\n world\r\n000\r\n\r\n", "hello world", "", "" },
	{ "A\r\n0123456789\r\na\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "0123456789\r\n\r\n\r\n\r\n\r\n", "", "" },
	{ "0000000000000005\r\nhello\r\n0\r\n\r\n", "hello", "", "" },
	{ "00000005\r\nhello\r\n000000001\r\n,\r\n0\r\n\r\n", "hello,", "", "" },
	{ "5\r\nhello\r\n1;a=b\r\n,\r\n0000000000\r\n\r\n", "hello,", "", "" },
	{ "5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello", "", "" },
	{ "5  ;  a  =  b  ;c=\"d \\\" \t;\xc3\xa9\";e\r\nhello\r\n0\r\n\r\n", "hello", "", "" },
	{ "5;a=\"\"\t;\tb\r\nhello\r\n0\r\n\r\n", "hello", "", "" },
	{ "5\r\nhello\r\n0\r\nX-Sum: 12\r\n\r\n", "hello", "X-Sum=12;", "" },
	{ "0\r\nA: 1\r\nB:\r\nEtag: \"x\"\r\n\r\n0\r\n", "", "A=1;B=;Etag=\"x\";", "0\r\n" },
	{ "0\r\nContent-Length: 5\r\nhost: a\r\nTransfer-Encoding: chunked\r\nTe: x\r\nAuthorization: b\r\nX: y\r\n\r\n",
		"", "-Content-Length=5;-host=a;-Transfer-Encoding=chunked;-Te=x;-Authorization=b;X=y;", "" },
};

struct decoded {
	char data[64];
	char trailers[256];
	size_t used;
	bool ended;
};

/* Feeds bytes in pieces that end at the given places, the way a caller with a buffer does. */
static void decode(struct decoded *d, const char *bytes, size_t first, size_t step)
{
	size_t n = strlen(bytes);
	size_t have = first;
	struct http_chunked c;
	struct text data;
	struct text trailers;

	memset(d, 0, sizeof(*d));
	text_init_fixed(&data, d->data, sizeof(d->data) - 1);
	text_init_fixed(&trailers, d->trailers, sizeof(d->trailers) - 1);
	http_chunked_init(&c);
	for (;;) {
		char *piece = exact_copy(bytes + d->used, have - d->used);
		struct http_chunk ev;
		size_t used;
		enum http_chunk_event event = http_chunked_next(&c, piece, have - d->used, &used, &ev);

		cr_assert_leq(used, have - d->used);
		d->used += used;
		if (event == HTTP_CHUNK_DATA)
			text_put_span(&data, ev.data);
		if (event == HTTP_CHUNK_TRAILER) {
			text_put_string(&trailers, ev.field.drop ? "-" : "");
			text_put_span(&trailers, ev.field.name);
			text_put_char(&trailers, '=');
			text_put_span(&trailers, ev.field.value);
			text_put_char(&trailers, ';');
		}
		free(piece);
		cr_assert_neq(event, HTTP_CHUNK_ERROR, "%s: %s", bytes, http_error_name(ev.error));
		d->ended = event == HTTP_CHUNK_END;
		if (d->ended || (event == HTTP_CHUNK_MORE && have == n))
			return;
		if (event == HTTP_CHUNK_MORE)
			have = MIN(have + step, n);
	}
}

static void expect_row(const struct decoded *d, size_t i, size_t first, size_t step)
{
	cr_expect(d->ended, "%s by %zu, %zu", bodies[i].bytes, first, step);
	cr_expect_str_eq(d->data, bodies[i].data, "%s by %zu, %zu: %s", bodies[i].bytes, first, step, d->data);
	cr_expect_str_eq(d->trailers, bodies[i].trailers, "%s by %zu, %zu: %s", bodies[i].bytes, first, step, d->trailers);
	cr_expect_str_eq(bodies[i].bytes + d->used, bodies[i].rest, "%s by %zu, %zu", bodies[i].bytes, first, step);
}

Test(chunked, any_split_gives_the_same_body)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		size_t n = strlen(bodies[i].bytes);

		for (size_t first = 0; first <= n; first++) {
			struct decoded d;

			decode(&d, bodies[i].bytes, first, n);
			expect_row(&d, i, first, n);
			decode(&d, bodies[i].bytes, first, 1);
			expect_row(&d, i, first, 1);
		}
	}
}

Test(chunked, data_is_handed_on_at_once)
{
	struct http_chunked c;
	struct http_chunk ev;
	size_t used;

	http_chunked_init(&c);
	cr_expect_eq(http_chunked_next(&c, "7fffffffffffffff\r\nabc", 21, &used, &ev), HTTP_CHUNK_DATA);
	cr_expect_eq(used, 21);
	cr_expect(span_is(ev.data, "abc"));
	cr_expect_eq(c.left, INT64_MAX - 3);
	cr_expect_eq(http_chunked_next(&c, "", 0, &used, &ev), HTTP_CHUNK_MORE);
}

Test(chunked, a_partial_trailer_line_stays_with_the_caller)
{
	struct http_chunked c;
	struct http_chunk ev;
	size_t used;

	http_chunked_init(&c);
	cr_expect_eq(http_chunked_next(&c, "0\r\nA: b", 7, &used, &ev), HTTP_CHUNK_MORE);
	cr_expect_eq(used, 3);
	cr_expect_eq(http_chunked_next(&c, "A: b\r\n\r", 7, &used, &ev), HTTP_CHUNK_TRAILER);
	cr_expect_eq(used, 6);
	cr_expect_eq(http_chunked_next(&c, "\r", 1, &used, &ev), HTTP_CHUNK_MORE);
	cr_expect_eq(used, 0);
	cr_expect_eq(http_chunked_next(&c, "\r\nGET", 5, &used, &ev), HTTP_CHUNK_END);
	cr_expect_eq(used, 2);
}

Test(chunked, the_end_and_an_error_stay)
{
	struct http_chunked c;
	struct http_chunk ev;
	size_t used;

	http_chunked_init(&c);
	cr_expect_eq(http_chunked_next(&c, "0\r\n\r\n", 5, &used, &ev), HTTP_CHUNK_END);
	cr_expect_eq(http_chunked_next(&c, "5\r\n", 3, &used, &ev), HTTP_CHUNK_END);
	cr_expect_eq(used, 0);

	http_chunked_init(&c);
	cr_expect_eq(http_chunked_next(&c, "5\n", 2, &used, &ev), HTTP_CHUNK_ERROR);
	cr_expect_eq(http_chunked_next(&c, "5\r\n", 3, &used, &ev), HTTP_CHUNK_ERROR);
	cr_expect_eq(ev.error, HTTP_ERROR_BARE_LF);
	cr_expect_eq(used, 0);
}

/* The extensions of many chunks count together; the sizes themselves do not. */
Test(chunked, extensions_are_bounded)
{
	static const char chunk[] = "1;0123456789abcde\r\nx\r\n"; /* 16 bytes of extension */
	struct http_chunked c;
	struct http_chunk ev;
	size_t used;
	unsigned chunks = 0;
	enum http_chunk_event event = HTTP_CHUNK_DATA;

	http_chunked_init(&c);
	while (event != HTTP_CHUNK_ERROR && chunks < 100000) {
		size_t at = 0;

		do {
			event = http_chunked_next(&c, chunk + at, sizeof(chunk) - 1 - at, &used, &ev);
			at += used;
		} while (event == HTTP_CHUNK_DATA);
		chunks += event == HTTP_CHUNK_MORE;
	}
	cr_expect_eq(ev.error, HTTP_ERROR_CHUNK_EXTENSION);
	/* The ';' of each chunk is eaten with its size. */
	cr_expect_eq(chunks, HTTP_CHUNK_EXTENSION_BYTES_MAX / 16, "%u", chunks);
}

/* One line of exactly the limit passes, with all lines before it counted; one byte more does not, whole or in pieces. */
Test(chunked, trailers_are_bounded)
{
	static char block[HTTP_TRAILER_BYTES_MAX + 64];

	for (size_t extra = 0; extra < 2; extra++) {
		size_t line = HTTP_TRAILER_BYTES_MAX - 6 - 2 + extra;

		memcpy(block, "0\r\nA: b\r\n", 9);
		memset(block + 9, 'a', line);
		memcpy(block + 9, "X:", 2);
		memcpy(block + 9 + line - 2, "\r\n\r\n", 4);
		for (size_t split = 8; split < line + 13; split += 4093) {
			size_t n = 9 + line + 2;
			size_t have = split;
			size_t at = 0;
			struct http_chunked c;
			struct http_chunk ev;
			enum http_chunk_event event;
			size_t used;

			http_chunked_init(&c);
			do {
				event = http_chunked_next(&c, block + at, have - at, &used, &ev);
				at += used;
				if (event == HTTP_CHUNK_MORE)
					have = n;
			} while (event != HTTP_CHUNK_END && event != HTTP_CHUNK_ERROR);
			cr_expect_eq(event, extra ? HTTP_CHUNK_ERROR : HTTP_CHUNK_END, "extra %zu, split %zu", extra, split);
		}
	}
}

Test(chunked, heads_of_chunks)
{
	static const struct {
		uint64_t n;
		const char *text;
	} rows[] = {
		{ 1, "1\r\n" },
		{ 15, "f\r\n" },
		{ 16, "10\r\n" },
		{ 65536, "10000\r\n" },
		{ 0xabcdef, "abcdef\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char p[HTTP_CHUNK_HEAD_MAX];
		size_t n = http_chunk_write_head(p, rows[i].n);

		cr_expect(span_is(span_of(p, n), rows[i].text), "%.*s", (int)n, p);
	}
}
