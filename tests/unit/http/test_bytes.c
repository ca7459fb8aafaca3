/* bytes: the classes against the grammar's own lists; the wide scans against the plain one. */
#include "http/bytes.h"

#include "support.h"

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define UNRESERVED ALPHA DIGIT "-._~"
#define SUB_DELIMS "!$&'()*+,;="

static const struct {
	unsigned class;
	const char *members;
} classes[] = {
	{ HTTP_BYTE_TOKEN, ALPHA DIGIT "!#$%&'*+-.^_`|~" },
	{ HTTP_BYTE_UNRESERVED, UNRESERVED },
	{ HTTP_BYTE_SUB_DELIM, SUB_DELIMS },
	{ HTTP_BYTE_HEX, DIGIT "abcdefABCDEF" },
};

Test(bytes, classes_are_the_grammars)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		for (int c = 0; c < 256; c++) {
			bool member = c && strchr(classes[i].members, c) != NULL;

			cr_expect_eq(http_byte_is((char)c, classes[i].class), member, "class %#x, byte %#x", classes[i].class,
				(unsigned)c);
		}
	}
}

Test(bytes, ranges)
{
	for (int c = 0; c < 256; c++) {
		cr_expect_eq(http_byte_is((char)c, HTTP_BYTE_VALUE), c == '\t' || (c >= ' ' && c != 0x7f), "value, byte %#x",
			(unsigned)c);
		cr_expect_eq(http_byte_is((char)c, HTTP_BYTE_TARGET), c > ' ' && c < 0x7f && c != '#', "target, byte %#x",
			(unsigned)c);
	}
}

Test(bytes, hex_values)
{
	for (int c = 0; c < 256; c++) {
		char text[] = { (char)c, '\0' };
		long value = http_byte_is((char)c, HTTP_BYTE_HEX) ? strtol(text, NULL, 16) : 0;

		cr_expect_eq(http_hex_values[c], value, "byte %#x", (unsigned)c);
	}
}

/* Every byte at every place of every length around the 16 bytes that are looked at together. */
Test(bytes, wide_scans_agree_with_the_plain_one)
{
	for (size_t n = 0; n <= 35; n++) {
		for (size_t at = 0; at < n; at++) {
			char *p = exact_copy("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", n);

			for (int c = 0; c < 256; c++) {
				p[at] = (char)c;
				cr_expect_eq(http_scan_value(p, p + n), http_scan(p, p + n, HTTP_BYTE_VALUE),
					"value, byte %#x at %zu of %zu", (unsigned)c, at, n);
				cr_expect_eq(http_scan_token(p, p + n), http_scan(p, p + n, HTTP_BYTE_TOKEN),
					"token, byte %#x at %zu of %zu", (unsigned)c, at, n);
				cr_expect_eq(http_scan_target(p, p + n), http_scan(p, p + n, HTTP_BYTE_TARGET),
					"target, byte %#x at %zu of %zu", (unsigned)c, at, n);
			}
			free(p);
		}
	}
}

Test(bytes, wide_scan_passes_tabs_and_stops_at_the_first_control)
{
	static const char text[] = "a\tb\tc\td\te\tf\tg\th\ti\tj\tk\t\x01\x02";

	cr_expect_eq(http_scan_value(text, text + sizeof(text) - 1), strchr(text, '\x01'));
}
