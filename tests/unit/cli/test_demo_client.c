/*
 * demo_client: what it reads out of an answer.
 */
#include "cli/demo_client.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool read_answer(const char *raw, struct demo_answer *a)
{
	static char block[4096];

	*a = (struct demo_answer){ 0 };
	memcpy(block, raw, strlen(raw) + 1);
	return demo_client_read(block, strlen(raw), a);
}

Test(demo_client, a_faulted_answer)
{
	struct demo_answer a;

	cr_assert(read_answer("HTTP/1.1 503 x\r\nX-Brownout: rule=a; fault=abort; id=1\r\nContent-Length: 3\r\n\r\nabc", &a));
	cr_expect_eq(a.status, 503);
	cr_expect_eq(a.bytes, 3);
	cr_expect_str_eq(a.fault, "rule=a; fault=abort; id=1");
}

Test(demo_client, a_forwarded_answer)
{
	struct demo_answer a;

	cr_assert(read_answer("HTTP/1.1 200 OK\r\n\r\n", &a));
	cr_expect_eq(a.status, 200);
	cr_expect_eq(a.bytes, 0);
	cr_expect_str_eq(a.fault, "");
}

Test(demo_client, no_answer)
{
	static const char *const cases[] = { "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200", "ICY 200 OK\r\n\r\n" };

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct demo_answer a;

		cr_expect_not(read_answer(cases[i], &a), "%s", cases[i]);
		cr_expect_eq(a.status, 0);
	}
}

Test(demo_client, a_fault_is_printable_and_bounded)
{
	char raw[1024];
	struct demo_answer a;

	(void)snprintf(raw, sizeof(raw), "HTTP/1.1 503 x\r\nX-Brownout: \xc3\xa9%0500d\r\n\r\n", 7);
	cr_assert(read_answer(raw, &a));
	cr_expect_eq(strlen(a.fault), DEMO_CLIENT_FAULT_BYTES - 1);
	cr_expect_eq(strncmp(a.fault, "??000", 5), 0, "%s", a.fault);
}
