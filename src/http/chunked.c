/*
 * chunked: a state machine over single bytes for what stands between the data, with one jump over each stretch of data.
 * Trailer lines are read by the same code as the field lines of a head.
 */
#include "http/chunked.h"

#include "http/bytes.h"
#include "http/head.h"

/* No number of so many hexadecimal digits is too large. */
#define PLAIN_DIGITS_MAX 8

enum state {
	SIZE_START, /* the first digit */
	SIZE,
	EXTENSION_START, /* white space was here: only another extension may follow */
	NAME_START,
	NAME,
	NAME_END, /* white space after a name: its value or another extension may follow */
	VALUE_START,
	VALUE,
	QUOTED,
	QUOTED_PAIR,
	QUOTED_END,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,
	DONE,
	FAILED,
};

void http_chunked_init(struct http_chunked *c)
{
	*c = (struct http_chunked){ .state = SIZE_START };
}

/* 63 bits at most, so that sums of sizes can be kept in signed numbers; 16 digits at most, zeros or not. */
static enum http_error step_size(struct http_chunked *c, char b)
{
	if (c->state == SIZE_START) {
		c->left = 0;
		c->digits = 0;
		c->state = SIZE;
	}
	if (http_byte_is(b, HTTP_BYTE_HEX)) {
		if (++c->digits > 16 || c->left > INT64_MAX >> 4)
			return HTTP_ERROR_CHUNK_SIZE;
		c->left = c->left << 4 | http_hex_values[(unsigned char)b];
		return HTTP_ERROR_NONE;
	}
	if (c->digits == 0)
		return HTTP_ERROR_CHUNK_SIZE;
	if (b == '\r')
		c->state = SIZE_LF;
	else if (b == ';')
		c->state = NAME_START;
	else if (http_byte_is_space(b))
		c->state = EXTENSION_START;
	else
		return HTTP_ERROR_CHUNK_SIZE;
	return HTTP_ERROR_NONE;
}

/* The states that b may lead to where a name or a value stands or has just ended; FAILED where it may not stand. */
static enum state after_word(enum state word, char b)
{
	if (b == ';')
		return NAME_START;
	if (b == '=' && (word == NAME || word == NAME_END))
		return VALUE_START;
	if (http_byte_is_space(b))
		return word == NAME || word == NAME_END ? NAME_END : EXTENSION_START;
	if (b == '\r' && word != NAME_END && word != EXTENSION_START)
		return SIZE_LF;
	return FAILED;
}

/* RFC 9112 section 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS value ] ) */
static enum state next_in_extension(enum state at, char b)
{
	switch ((int)at) {
	case NAME_START:
		return http_byte_is_space(b) ? NAME_START : http_byte_is(b, HTTP_BYTE_TOKEN) ? NAME : FAILED;
	case NAME:
	case VALUE:
		return http_byte_is(b, HTTP_BYTE_TOKEN) ? at : after_word(at, b);
	case VALUE_START:
		if (b == '"')
			return QUOTED;
		return http_byte_is_space(b) ? VALUE_START : http_byte_is(b, HTTP_BYTE_TOKEN) ? VALUE : FAILED;
	case QUOTED:
		if (b == '"')
			return QUOTED_END;
		if (b == '\\')
			return QUOTED_PAIR;
		return http_byte_is(b, HTTP_BYTE_VALUE) ? QUOTED : FAILED;
	case QUOTED_PAIR:
		return http_byte_is(b, HTTP_BYTE_VALUE) ? QUOTED : FAILED;
	default: /* EXTENSION_START, NAME_END, QUOTED_END */
		return after_word(at, b);
	}
}

static enum http_error step_extension(struct http_chunked *c, char b)
{
	enum state next = next_in_extension((enum state)c->state, b);

	if (next == FAILED || ++c->overhead_bytes > HTTP_CHUNK_EXTENSION_BYTES_MAX)
		return HTTP_ERROR_CHUNK_EXTENSION;
	c->state = (uint8_t)next;
	return HTTP_ERROR_NONE;
}

static enum http_error step_line_end(struct http_chunked *c, char b)
{
	if (b != (c->state == DATA_CR ? '\r' : '\n'))
		return c->state == SIZE_LF ? HTTP_ERROR_BARE_CR : HTTP_ERROR_CHUNK_END;
	if (c->state == DATA_CR) {
		c->state = DATA_LF;
	} else if (c->state == DATA_LF) {
		c->state = SIZE_START;
	} else if (c->left) {
		c->state = DATA;
	} else {
		c->state = TRAILER;
		c->overhead_bytes = 0;
	}
	return HTTP_ERROR_NONE;
}

/* One byte outside of data and trailers. */
static enum http_error step(struct http_chunked *c, char b)
{
	if (c->state >= SIZE_LF)
		return step_line_end(c, b);
	if (b == '\n')
		return HTTP_ERROR_BARE_LF;
	return c->state <= SIZE ? step_size(c, b) : step_extension(c, b);
}

/*
 * Past the end of a chunk and past a size that says no more than that: what nearly all chunks have between their data. How many
 * bytes of p[0..n) that is; 0: something else stands there, or not all of it is here, and each byte is looked at.
 */
static size_t pass_plain_head(struct http_chunked *c, const char *p, size_t n)
{
	uint64_t size = 0;
	size_t at = c->state == DATA_CR ? 2 : 0;
	size_t first = at;

	if ((c->state != DATA_CR && c->state != SIZE_START) || n < at + PLAIN_DIGITS_MAX + 2)
		return 0;
	if (at && (p[0] != '\r' || p[1] != '\n'))
		return 0;
	while (at - first < PLAIN_DIGITS_MAX && http_byte_is(p[at], HTTP_BYTE_HEX))
		size = size << 4 | http_hex_values[(unsigned char)p[at++]];
	/* The last chunk has none of it: trailers come next. */
	if (size == 0 || p[at] != '\r' || p[at + 1] != '\n')
		return 0;
	c->left = size;
	c->state = DATA;
	return at + 2;
}

static enum http_chunk_event fail(struct http_chunked *c, enum http_error error, struct http_chunk *ev)
{
	c->state = FAILED;
	c->error = (uint8_t)error;
	ev->error = error;
	return HTTP_CHUNK_ERROR;
}

/* A trailer line, or the empty line at the end, at p[0..n) with n > 0. */
static enum http_chunk_event next_trailer(struct http_chunked *c, const char *p, size_t n, size_t *used, struct http_chunk *ev)
{
	struct http_reader in = { .p = p, .end = p + n };
	bool is_end = *p == '\r';
	int rc = is_end ? http_read_line_end(&in, HTTP_ERROR_TRAILER) : http_read_field_line(&in, &ev->field, false);
	size_t line_n = rc == HTTP_PARSE_MORE ? n : (size_t)(in.p - p);

	if (rc == HTTP_PARSE_ERROR || line_n > HTTP_TRAILER_BYTES_MAX - c->overhead_bytes)
		return fail(c, HTTP_ERROR_TRAILER, ev);
	if (rc == HTTP_PARSE_MORE)
		return HTTP_CHUNK_MORE;
	c->overhead_bytes += (uint32_t)line_n;
	*used += line_n;
	if (is_end) {
		c->state = DONE;
		return HTTP_CHUNK_END;
	}
	ev->field.drop |= (http_field_flags((enum http_field_id)ev->field.id) & HTTP_FIELD_NO_TRAILER) != 0;
	return HTTP_CHUNK_TRAILER;
}

enum http_chunk_event http_chunked_next(struct http_chunked *c, const char *p, size_t n, size_t *used, struct http_chunk *ev)
{
	enum http_error error;

	*used = 0;
	if (c->state == DONE)
		return HTTP_CHUNK_END;
	if (c->state == FAILED)
		return fail(c, (enum http_error)c->error, ev);
	*used = pass_plain_head(c, p, n);
	while (*used < n) {
		const char *at = p + *used;
		size_t rest = n - *used;

		if (c->state == DATA) {
			ev->data = span_of(at, c->left < rest ? (size_t)c->left : rest);
			*used += ev->data.n;
			c->left -= ev->data.n;
			if (c->left == 0)
				c->state = DATA_CR;
			return HTTP_CHUNK_DATA;
		}
		if (c->state == TRAILER)
			return next_trailer(c, at, rest, used, ev);
		error = step(c, *at);
		if (error)
			return fail(c, error, ev);
		++*used;
	}
	return HTTP_CHUNK_MORE;
}

size_t http_chunk_write_head(char *p, uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t n_digits = (size_t)(64 - __builtin_clzll(n | 1) + 3) / 4;

	for (size_t i = n_digits; i > 0; i--) {
		p[i - 1] = digits[n & 15];
		n >>= 4;
	}
	p[n_digits] = '\r';
	p[n_digits + 1] = '\n';
	return n_digits + 2;
}
