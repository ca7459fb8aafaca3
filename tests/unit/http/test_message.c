/* message: methods, and whether a head is complete. */
#include "http/message.h"

#include "support.h"

static const struct {
	const char *name;
	enum http_method id;
	bool safe;
	bool idempotent;
} methods[] = {
	{ "GET", HTTP_METHOD_GET, true, true },
	{ "HEAD", HTTP_METHOD_HEAD, true, true },
	{ "POST", HTTP_METHOD_POST, false, false },
	{ "PUT", HTTP_METHOD_PUT, false, true },
	{ "DELETE", HTTP_METHOD_DELETE, false, true },
	{ "OPTIONS", HTTP_METHOD_OPTIONS, true, true },
	{ "PATCH", HTTP_METHOD_PATCH, false, false },
	{ "TRACE", HTTP_METHOD_TRACE, true, true },
	{ "CONNECT", HTTP_METHOD_CONNECT, false, false },
	{ "get", HTTP_METHOD_OTHER, false, false },
	{ "LOCK", HTTP_METHOD_OTHER, false, false },
	{ "GOT", HTTP_METHOD_OTHER, false, false },
	{ "PATCHES", HTTP_METHOD_OTHER, false, false },
	{ "", HTTP_METHOD_OTHER, false, false },
};

Test(message, methods)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		enum http_method m = http_method_of(span_of_string(methods[i].name));

		cr_expect_eq(m, methods[i].id, "%s", methods[i].name);
		cr_expect_eq(http_method_is_safe(m), methods[i].safe, "%s", methods[i].name);
		cr_expect_eq(http_method_is_idempotent(m), methods[i].idempotent, "%s", methods[i].name);
	}
}

static const struct {
	const char *bytes;
	size_t due; /* after how many bytes; 0: never */
} heads[] = {
	{ "", 0 },
	{ "GET / HTTP/1.1", 0 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n", 0 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest", 27 },
	{ "\r\n", 0 },
	{ "\r\nGET / HTTP/1.1\r\n\r\n", 20 },
	{ "\r\n\r\nGET", 4 },
	{ "\nGET", 1 },
	{ "GET / HTTP/1.1\nHost", 15 },
	{ "GET / HTTP/1.1\r\n\n", 17 },
	{ "GET /\r\r HTTP/1.1\r\n", 0 },
};

Test(message, a_head_is_due_at_its_last_byte_in_any_split)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		size_t n = strlen(heads[i].bytes);

		for (size_t step = 1; step <= n + 1; step++) {
			size_t scanned = 0;

			for (size_t have = 0; have <= n; have = have + step > n && have < n ? n : have + step) {
				bool due = http_head_is_due(heads[i].bytes, have, &scanned);
				bool want = heads[i].due && have >= heads[i].due;

				cr_expect_eq(due, want, "%s: %zu bytes by %zu", heads[i].bytes, have, step);
				if (due)
					break;
			}
		}
	}
}

Test(message, looking_for_the_end_is_linear)
{
	static char block[4096];
	size_t scanned = 0;

	memset(block, 'a', sizeof(block));
	for (size_t n = 0; n <= sizeof(block); n++) {
		cr_assert(!http_head_is_due(block, n, &scanned));
		cr_assert_eq(scanned, n);
	}
}
