/*
 * bytes: see bytes.h.
 */
#include "harness/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than this of one stream is shown as its beginning and its end. */
#define SHOWN_BYTES 6000

static void grow(struct bytes *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;

	while (cap < b->n + n + 1)
		cap *= 2;
	if (cap == b->cap)
		return;
	b->p = realloc(b->p, cap);
	if (!b->p)
		abort();
	b->cap = cap;
}

void bytes_put(struct bytes *b, const void *p, size_t n)
{
	grow(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void bytes_vprintf(struct bytes *b, const char *format, va_list args)
{
	char *text = NULL;
	int n = vasprintf(&text, format, args);

	if (n < 0)
		abort();
	bytes_put(b, text, (size_t)n);
	free(text);
}

void bytes_printf(struct bytes *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bytes_vprintf(b, format, args);
	va_end(args);
}

void bytes_repeat(struct bytes *b, const char *text, unsigned n)
{
	size_t length = strlen(text);

	while (n-- > 0)
		bytes_put(b, text, length);
}

void bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}

const char *bytes_text(const struct bytes *b)
{
	return b->p ? b->p : "";
}

static void show_run(struct bytes *b, const char *p, size_t n, const char *indent)
{
	bool at_start = true;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (at_start)
			bytes_printf(b, "%s", indent);
		at_start = false;
		if (c == '\r') {
			bytes_put(b, "\\r", 2);
		} else if (c == '\n') {
			bytes_put(b, "\\n\n", 3);
			at_start = true;
		} else if (c < 0x20 || c >= 0x7f) {
			bytes_printf(b, "\\x%02x", c);
		} else {
			bytes_put(b, p + i, 1);
		}
	}
	if (!at_start)
		bytes_put(b, "\n", 1);
}

void bytes_show(struct bytes *b, const char *p, size_t n, const char *indent)
{
	if (n == 0) {
		bytes_printf(b, "%s(nothing)\n", indent);
	} else if (n <= SHOWN_BYTES) {
		show_run(b, p, n, indent);
	} else {
		show_run(b, p, SHOWN_BYTES / 2, indent);
		bytes_printf(b, "%s[... %zu bytes not shown ...]\n", indent, n - SHOWN_BYTES);
		show_run(b, p + n - SHOWN_BYTES / 2, SHOWN_BYTES / 2, indent);
	}
}

void bytes_replace(struct bytes *b, const char *what, const char *with)
{
	struct bytes made = { 0 };
	const char *rest = bytes_text(b);
	const char *found;

	while ((found = strstr(rest, what))) {
		bytes_put(&made, rest, (size_t)(found - rest));
		bytes_put(&made, with, strlen(with));
		rest = found + strlen(what);
	}
	bytes_put(&made, rest, strlen(rest));
	bytes_free(b);
	*b = made;
}

bool bytes_read_file(struct bytes *b, const char *path)
{
	FILE *f = fopen(path, "re");
	char block[16384];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		bytes_put(b, block, n);
	fclose(f);
	return true;
}
