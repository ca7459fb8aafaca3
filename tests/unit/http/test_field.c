/* field: names of any case, near misses, look-ups in a section. */
#include "http/field.h"

#include <ctype.h>
#include <stdio.h>

#include "support.h"

static const struct {
	enum http_field_id id;
	const char *name;
} known[] = {
#define FIELD(id, name, flags) { HTTP_FIELD_##id, name },
#include "http/fields.def"
#undef FIELD
};

Test(field, every_known_name_is_found_in_any_case)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		char name[32];
		size_t n = strlen(known[i].name);

		cr_assert_lt(n, sizeof(name));
		for (int style = 0; style < 3; style++) {
			for (size_t k = 0; k < n; k++) {
				bool upper = style == 1 || (style == 2 && k % 2);

				name[k] = (char)(upper ? toupper(known[i].name[k]) : known[i].name[k]);
			}
			cr_expect_eq(http_field_id_of(span_of(name, n)), known[i].id, "%.*s", (int)n, name);
		}
	}
}

Test(field, near_misses_are_other)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		char name[34];
		size_t n = strlen(known[i].name);

		memcpy(name, known[i].name, n);
		cr_expect_eq(http_field_id_of(span_of(name, n - 1)), HTTP_FIELD_OTHER, "%.*s", (int)n - 1, name);
		name[n] = name[n - 1];
		cr_expect_eq(http_field_id_of(span_of(name, n + 1)), HTTP_FIELD_OTHER, "%.*s", (int)n + 1, name);
		for (size_t k = 0; k < n; k++) {
			/* Also by the bit that tells cases of letters apart: '-' without it is CR. */
			for (int change = 0; change < 2; change++) {
				name[k] = (char)(change ? known[i].name[k] ^ 1 : known[i].name[k] & ~0x20);
				if (change || !isalpha(known[i].name[k])) {
					cr_expect_eq(http_field_id_of(span_of(name, n)), HTTP_FIELD_OTHER, "%s, byte %zu",
						known[i].name, k);
				}
			}
			name[k] = known[i].name[k];
		}
	}
	cr_expect_eq(http_field_id_of(SPAN_EMPTY), HTTP_FIELD_OTHER);
}

Test(field, flags)
{
	static const enum http_field_id hop[] = { HTTP_FIELD_CONNECTION, HTTP_FIELD_PROXY_CONNECTION, HTTP_FIELD_KEEP_ALIVE,
		HTTP_FIELD_TE, HTTP_FIELD_TRANSFER_ENCODING, HTTP_FIELD_UPGRADE };
	unsigned n_hop = 0;

	for (size_t i = 0; i < ARRAY_LEN(hop); i++)
		cr_expect(http_field_flags(hop[i]) & HTTP_FIELD_IS_HOP, "%zu", i);
	for (int id = 0; id < HTTP_FIELD_COUNT; id++)
		n_hop += (http_field_flags((enum http_field_id)id) & HTTP_FIELD_IS_HOP) != 0;
	cr_expect_eq(n_hop, ARRAY_LEN(hop));
	cr_expect(http_field_flags(HTTP_FIELD_CONTENT_LENGTH) & HTTP_FIELD_NO_TRAILER);
	cr_expect(!(http_field_flags(HTTP_FIELD_ETAG) & HTTP_FIELD_NO_TRAILER));
	cr_expect_eq(http_field_flags(HTTP_FIELD_OTHER), 0);
}

Test(field, look_ups)
{
	static const char head[] =
		"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nVia: 1.0 p\r\nx-b: 2\r\nx-a: 3\r\nVia: 1.1 q, 1.1 \"a, b\"\r\n\r\n";
	struct http_field v[FIELDS_MAX];
	struct http_request r;

	request_must_parse(&r, v, head);
	cr_expect(http_fields_have(&r.fields, HTTP_FIELD_VIA));
	cr_expect(!http_fields_have(&r.fields, HTTP_FIELD_DATE));
	cr_expect(span_is(http_fields_first(&r.fields, HTTP_FIELD_VIA)->value, "1.0 p"));
	cr_expect_null(http_fields_first(&r.fields, HTTP_FIELD_DATE));
	cr_expect_eq(r.fields.repeated & ~HTTP_FIELD_BIT(OTHER), HTTP_FIELD_BIT(VIA));

	cr_expect(span_is(http_fields_find(&r.fields, SPAN("X-a"), 0)->value, "1"));
	cr_expect(span_is(http_fields_find(&r.fields, SPAN("X-a"), 1)->value, "3"));
	cr_expect_null(http_fields_find(&r.fields, SPAN("X-a"), 2));
	cr_expect(span_is(http_fields_find(&r.fields, SPAN("VIA"), 1)->value, "1.1 q, 1.1 \"a, b\""));
	cr_expect_null(http_fields_find(&r.fields, SPAN("x-c"), 0));
	cr_expect_null(http_fields_find(&r.fields, SPAN("date"), 0));

	cr_expect(http_fields_list_has(&r.fields, HTTP_FIELD_VIA, SPAN("1.1 Q")));
	cr_expect(http_fields_list_has(&r.fields, HTTP_FIELD_VIA, SPAN("1.1 \"a, b\"")));
	cr_expect(!http_fields_list_has(&r.fields, HTTP_FIELD_VIA, SPAN("b\"")));
	cr_expect(!http_fields_list_has(&r.fields, HTTP_FIELD_HOST, SPAN("1.0 p")));
	cr_expect(!http_fields_list_has(&r.fields, HTTP_FIELD_TE, SPAN("a")));
}

Test(field, tokens)
{
	cr_expect(http_is_token(SPAN("x-request-id")));
	cr_expect(!http_is_token(SPAN("")));
	cr_expect(!http_is_token(SPAN("a b")));
	cr_expect(!http_is_token(SPAN("a:")));
	cr_expect(!http_is_token(SPAN("\xc3\xa9")));
}

Test(field, private_to_the_connection)
{
	static const struct {
		const char *connection;
		bool have;
	} cases[] = {
		{ "close", false },
		{ "Keep-Alive, TE", false },
		{ "upgrade,, transfer-encoding", false },
		{ "x-secret", true },
		{ "close, X-Secret", true },
		{ "close\r\nConnection: x-secret", true },
		{ "content-type", true },
	};
	char head[256];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_field v[FIELDS_MAX];
		struct http_request r;

		(void)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\nConnection: %s\r\n\r\n", cases[i].connection);
		request_must_parse(&r, v, head);
		cr_expect_eq(http_fields_have_private(&r.fields), cases[i].have, "%s", cases[i].connection);
	}
}
