/*
 * malformed: heads made wrong. Lines are found as they were written: each ends in CRLF, the last one is empty.
 */
#include "fault/malformed.h"

/* The code stands behind "HTTP/1.1 ". */
#define CODE_AT 9

/* The line that begins at `at`, with its CRLF; empty at the end. */
static struct span line_at(const struct text *head, size_t at)
{
	struct span rest = span_skip(text_span(head), at);
	size_t n = span_find(rest, '\n');

	return span_first(rest, n < rest.n ? n + 1 : n);
}

static bool line_is_of(struct span line, struct span name)
{
	return line.n > name.n && line.p[name.n] == ':' && span_eq_nocase(span_first(line, name.n), name);
}

/* Takes out all lines of a field; the value of the first one, where a number, goes to *value. */
static void remove_field(struct text *head, struct span name, uint64_t *value)
{
	size_t at = line_at(head, 0).n;
	bool found = false;

	while (at < head->n) {
		struct span line = line_at(head, at);

		if (!line_is_of(line, name)) {
			at += line.n;
			continue;
		}
		if (value && !found) {
			struct span number = span_skip(line, name.n + 1);

			found = span_to_u64(span_trim(span_first(number, number.n - 2)), value) == 0;
		}
		memmove(head->p + at, head->p + at + line.n, head->n - at - line.n);
		head->n -= line.n;
	}
}

/* Lines before the empty one. */
static void append_lines(struct text *head, struct span lines)
{
	head->n -= 2;
	text_put_span(head, lines);
	text_put_literal(head, "\r\n");
}

static void put_early_eof(struct text *head)
{
	uint64_t length = UINT64_MAX;
	char block[64];
	struct text line;

	remove_field(head, SPAN("Transfer-Encoding"), NULL);
	remove_field(head, SPAN("Content-Length"), &length);
	if (length == UINT64_MAX)
		length = FAULT_EARLY_EOF_UNKNOWN;
	else
		length += MIN(FAULT_EARLY_EOF_BYTES, UINT64_MAX - length);
	text_init_fixed(&line, block, sizeof(block));
	text_put_literal(&line, "Content-Length: ");
	text_put_u64(&line, length);
	text_put_literal(&line, "\r\n");
	append_lines(head, text_span(&line));
}

void fault_malform_head(struct text *head, enum fault_malformed kind)
{
	if (head->cut || head->n < 2)
		return;
	switch (kind) {
	case MALFORMED_STATUS_LINE:
		if (head->n >= CODE_AT + 3)
			memcpy(head->p + CODE_AT + 1, "xx", 2);
		break;
	case MALFORMED_HEADER:
		append_lines(head, SPAN("X-Brownout-Without-Colon\r\nX-Brownout-Nul: a\0b\r\n"));
		break;
	case MALFORMED_CONTENT_LENGTH:
		remove_field(head, SPAN("Transfer-Encoding"), NULL);
		remove_field(head, SPAN("Content-Length"), NULL);
		append_lines(head, SPAN("Content-Length: many\r\n"));
		break;
	case MALFORMED_CHUNK:
		remove_field(head, SPAN("Transfer-Encoding"), NULL);
		remove_field(head, SPAN("Content-Length"), NULL);
		append_lines(head, SPAN("Transfer-Encoding: chunked\r\n"));
		break;
	case MALFORMED_EARLY_EOF:
		put_early_eof(head);
		break;
	case MALFORMED_HTTP09:
		head->n = 0;
		break;
	case MALFORMED_NONE:
	case MALFORMED_COUNT:
		break;
	}
}

struct span fault_malformed_chunk(void)
{
	return SPAN("many\r\n");
}
