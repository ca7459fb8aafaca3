/*
 * bytes: a growing run of bytes, and how bytes are shown to people. Out of memory ends the test. Independent of the code
 * under test, as all of the harness.
 */
#ifndef HARNESS_BYTES_H
#define HARNESS_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct bytes {
	char *p; /* owned; always followed by a NUL that is not counted; NULL while nothing was put */
	size_t n;
	size_t cap;
};

void bytes_put(struct bytes *b, const void *p, size_t n);
void bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_vprintf(struct bytes *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void bytes_repeat(struct bytes *b, const char *text, unsigned n);
void bytes_free(struct bytes *b);
/* What was put as a text, "" where that is nothing. */
const char *bytes_text(const struct bytes *b);
/* Appends p[0..n) readably: one line per line, each with this indent, control bytes as \r, \n, \xNN; long runs are shortened. */
void bytes_show(struct bytes *b, const char *p, size_t n, const char *indent);
/* Replaces every `what` in b by `with`. */
void bytes_replace(struct bytes *b, const char *what, const char *with);
/* Appends a whole file. False where it cannot be read. */
bool bytes_read_file(struct bytes *b, const char *path);

#endif
