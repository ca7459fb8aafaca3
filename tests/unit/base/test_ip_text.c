/*
 * Addresses of peers as text: each kind, and that what is kept of one is never said of another.
 */
#include <criterion/criterion.h>

#include "base/ip_text.h"

struct address_case {
	uint8_t address[IP_BYTES];
	const char *text;
	bool v4, none;
};

static const struct address_case cases[] = {
	{ { [10] = 0xff, 0xff, 127, 0, 0, 1 }, "127.0.0.1", true, false },
	{ { [10] = 0xff, 0xff, 0, 0, 0, 0 }, "0.0.0.0", true, false },
	{ { [10] = 0xff, 0xff, 255, 255, 255, 255 }, "255.255.255.255", true, false },
	{ { [10] = 0xff, 0xff, 9, 10, 99, 100 }, "9.10.99.100", true, false },
	{ { [15] = 1 }, "::1", false, false },
	{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, "2001:db8::1", false, false },
	{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false },
	{ { 0 }, "unix", false, true },
};

Test(ip_text, each_kind_whatever_was_kept_before)
{
	struct ip_text t = { 0 };

	for (size_t before = 0; before < ARRAY_LEN(cases); before++) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct span s;

			(void)ip_text_of(&t, cases[before].address);
			s = ip_text_of(&t, cases[i].address);
			cr_assert(span_eq(s, span_of_string(cases[i].text)), "%zu after %zu is %.*s", i, before, SPAN_ARG(s));
			s = ip_text_of(&t, cases[i].address);
			cr_assert(span_eq(s, span_of_string(cases[i].text)), "%zu again is %.*s", i, SPAN_ARG(s));
			cr_assert_eq(ip_is_v4(cases[i].address), cases[i].v4);
			cr_assert_eq(ip_is_none(cases[i].address), cases[i].none);
		}
	}
}

Test(ip_text, nothing_is_kept_at_first_not_even_of_none)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip_text t = { 0 };
		struct span s = ip_text_of(&t, cases[i].address);

		cr_assert(span_eq(s, span_of_string(cases[i].text)), "%zu is %.*s", i, SPAN_ARG(s));
	}
}
