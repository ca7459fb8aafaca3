/*
 * answer: finds the end of an answer. A head normally arrives whole and is read in place; only one that comes in pieces
 * is gathered in the struct.
 */
#include "answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHUNK_DIGITS_MAX 15

void answer_init(struct answer *a)
{
	a->state = ANSWER_HEAD;
	a->status = 0;
	a->left_bytes = 0;
	a->content_bytes = 0;
	a->chunk_bytes = 0;
	a->digits = 0;
	a->trailer_bytes = 0;
	a->head_bytes = 0;
}

static bool line_has_name(const char *line, const char *end, const char *name, size_t name_bytes)
{
	return (size_t)(end - line) > name_bytes && strncasecmp(line, name, name_bytes) == 0;
}

/* Reads status and framing of a complete head. */
static bool read_head(struct answer *a, const char *head, const char *end)
{
	static const char length_name[] = "content-length:";
	static const char coding_name[] = "transfer-encoding:";
	bool framed = false;
	const char *line;

	if (end - head < 16 || memcmp(head, "HTTP/1.1 ", 9) != 0)
		return false;
	a->status = (head[9] - '0') * 100 + (head[10] - '0') * 10 + (head[11] - '0');
	if (a->status < 200 || a->status > 599)
		return false;

	for (line = head; (line = memchr(line, '\n', (size_t)(end - line))) != NULL && ++line < end;) {
		if (line_has_name(line, end, length_name, sizeof(length_name) - 1)) {
			a->left_bytes = strtoull(line + sizeof(length_name) - 1, NULL, 10);
			a->content_bytes = a->left_bytes;
			a->state = a->left_bytes ? ANSWER_COUNTED : ANSWER_DONE;
			framed = true;
		} else if (line_has_name(line, end, coding_name, sizeof(coding_name) - 1)) {
			a->state = ANSWER_CHUNK_SIZE;
			framed = true;
		}
	}
	return framed;
}

/* Returns the bytes of the head among these n, or -1. Where the head is not complete, all n are kept. */
static ssize_t feed_head(struct answer *a, const char *bytes, size_t n)
{
	const size_t before = a->head_bytes;
	const char *head = bytes;
	size_t have = n;
	const char *end;

	if (before) {
		have = MIN(n, sizeof(a->head) - before);
		memcpy(a->head + before, bytes, have);
		head = a->head;
		have += before;
	}
	end = memmem(head, have, "\r\n\r\n", 4);
	if (end) {
		end += 4;
		return read_head(a, head, end) ? end - head - (ssize_t)before : -1;
	}
	if (before + n >= sizeof(a->head))
		return -1;
	if (!before)
		memcpy(a->head, bytes, n);
	a->head_bytes = before + n;
	return (ssize_t)n;
}

static bool end_chunk_size(struct answer *a)
{
	if (!a->digits)
		return false;
	a->state = a->chunk_bytes ? ANSWER_CHUNK_DATA : ANSWER_TRAILER;
	a->left_bytes = a->chunk_bytes ? a->chunk_bytes + 2 : 0; /* the line end after the data */
	a->content_bytes += a->chunk_bytes;
	a->chunk_bytes = 0;
	a->digits = 0;
	return true;
}

/* One byte of a chunk size line. */
static bool feed_chunk_size(struct answer *a, char c)
{
	if (c == '\r')
		return true;
	if (c == '\n')
		return end_chunk_size(a);
	if (!isxdigit((unsigned char)c) || a->digits == CHUNK_DIGITS_MAX)
		return false;
	a->chunk_bytes = a->chunk_bytes * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	a->digits++;
	return true;
}

static void feed_trailer(struct answer *a, char c)
{
	if (c == '\r')
		return;
	if (c != '\n')
		a->trailer_bytes++;
	else if (a->trailer_bytes)
		a->trailer_bytes = 0;
	else
		a->state = ANSWER_DONE;
}

void answer_skip(struct answer *a, size_t n)
{
	a->left_bytes -= n;
	if (!a->left_bytes)
		a->state = a->state == ANSWER_COUNTED ? ANSWER_DONE : ANSWER_CHUNK_SIZE;
}

ssize_t answer_feed(struct answer *a, const char *bytes, size_t n)
{
	size_t at = 0;

	while (at < n && a->state != ANSWER_DONE) {
		if (a->state == ANSWER_HEAD) {
			const ssize_t head = feed_head(a, bytes, n);

			if (head < 0)
				return -1;
			at = (size_t)head;
		} else if (a->left_bytes) {
			const size_t take = (size_t)MIN(a->left_bytes, (uint64_t)(n - at));

			answer_skip(a, take);
			at += take;
		} else if (a->state == ANSWER_CHUNK_SIZE) {
			if (!feed_chunk_size(a, bytes[at++]))
				return -1;
		} else {
			feed_trailer(a, bytes[at++]);
		}
	}
	return (ssize_t)at;
}
