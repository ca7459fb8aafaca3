/* admin_auth: who may ask, by the fields of a request. */
#include "admin/admin_auth.h"

#include <stdio.h>

#include <criterion/criterion.h>

#define TOKEN "secret-token-of-16"

static const struct {
	const char *fields;
	const char *token; /* that is set */
	unsigned flags;
	unsigned status; /* 0: may ask */
} cases[] = {
	/* Names that are ours, whatever the port; names that anybody may point here. */
	{ "Host: localhost:9901\r\n", "", 0, 0 },
	{ "Host: LOCALHOST\r\n", "", 0, 0 },
	{ "Host: 127.0.0.1:9901\r\n", "", 0, 0 },
	{ "Host: 127.8.8.8\r\n", "", 0, 0 },
	{ "Host: [::1]:9901\r\n", "", 0, 0 },
	{ "Host: evil.example:9901\r\n", "", 0, 403 },
	{ "Host: localhost.evil.example\r\n", "", 0, 403 },
	{ "Host: 127.0.0.1.evil.example\r\n", "", 0, 403 },
	{ "Host: 10.0.0.7:9901\r\n", "", 0, 403 },
	{ "Host: 0.0.0.0:9901\r\n", "", 0, 403 },
	{ "Host: [::]:9901\r\n", "", 0, 403 },
	{ "Host:\r\n", "", 0, 403 },
	{ "Host: evil.example\r\n", "", ADMIN_OPEN, 403 },
	/* With a token the name says nothing. */
	{ "Host: pod-7:9901\r\nAuthorization: Bearer " TOKEN "\r\n", TOKEN, 0, 0 },
	{ "Host: pod-7:9901\r\nauthorization: bearer   " TOKEN " \r\n", TOKEN, 0, 0 },
	{ "Host: localhost\r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\n", TOKEN, ADMIN_OPEN, 0 },
	{ "Host: localhost\r\nAuthorization: Bearer " TOKEN "x\r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\nAuthorization: Bearer " TOKEN TOKEN "\r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\nAuthorization: Bearer secret-token-of-1\r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\nAuthorization: Bearer \r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\nAuthorization: Basic " TOKEN "\r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\nAuthorization: " TOKEN "\r\n", TOKEN, 0, 401 },
	{ "Host: localhost\r\nAuthorization: Bearer " TOKEN "\r\nAuthorization: Bearer " TOKEN "\r\n", TOKEN, 0, 401 },
	/* Pages of other origins. */
	{ "Host: localhost:9901\r\nOrigin: http://localhost:9901\r\n", "", 0, 0 },
	{ "Host: localhost:9901\r\nOrigin: https://localhost:9901\r\n", "", 0, 0 },
	{ "Host: localhost:9901\r\nOrigin: http://localhost:3000\r\n", "", 0, 403 },
	{ "Host: localhost:9901\r\nOrigin: http://localhost\r\n", "", 0, 403 },
	{ "Host: localhost:9901\r\nOrigin: http://127.0.0.1:9901\r\n", "", 0, 403 },
	{ "Host: localhost:9901\r\nOrigin: null\r\n", "", 0, 403 },
	{ "Host: localhost:9901\r\nOrigin: http://evil.example\r\n", "", ADMIN_OPEN | ADMIN_PAGE, 403 },
	{ "Host: localhost:9901\r\nOrigin: http://localhost:9901\r\nOrigin: http://evil.example\r\n", "", 0, 403 },
	{ "Host: a\r\nOrigin: http://evil.example\r\nAuthorization: Bearer " TOKEN "\r\n", TOKEN, 0, 403 },
	{ "Host: localhost\r\nSec-Fetch-Site: same-origin\r\n", "", 0, 0 },
	{ "Host: localhost\r\nSec-Fetch-Site: none\r\n", "", 0, 0 },
	{ "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", "", 0, 403 },
	{ "Host: localhost\r\nSec-Fetch-Site: same-site\r\n", "", 0, 403 },
	{ "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", "", ADMIN_PAGE, 0 },
};

Test(admin_auth, who_may_ask)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct admin_auth auth = { .token = span_of_string(cases[i].token) };
		const struct admin_auth unix_auth = { .token = auth.token, .is_unix = true };
		struct http_field fields[20];
		struct http_request r = { .fields = { .v = fields, .cap = ARRAY_LEN(fields) } };
		const char *why = NULL;
		enum http_error error;
		char head[512];
		int n = snprintf(head, sizeof(head), "GET /v1/status HTTP/1.1\r\n%s\r\n", cases[i].fields);

		cr_assert_eq(http_request_parse(&r, head, (size_t)n, &error), HTTP_PARSE_OK, "%s", head);
		cr_expect_eq(admin_auth_check(&auth, &r, cases[i].flags, &why), cases[i].status, "%s", head);
		cr_expect_eq(why == NULL, cases[i].status == 0);
		/* No browser comes through a unix socket, so no name is asked for there; all else is. */
		if (cases[i].status == 403 && !strstr(head, "Origin") && !strstr(head, "Sec-"))
			cr_expect_eq(admin_auth_check(&unix_auth, &r, cases[i].flags, &why), 0, "%s", head);
		else
			cr_expect_eq(admin_auth_check(&unix_auth, &r, cases[i].flags, &why), cases[i].status, "%s", head);
	}
}
