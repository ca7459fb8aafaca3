/*
 * address: tables of texts and the addresses they are, both ways.
 */
#include "net/address.h"

#include <criterion/criterion.h>
#include <netdb.h>

static const char *written(const struct address *a)
{
	static char block[ADDRESS_TEXT_BYTES];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	address_write(a, &t);
	text_put_char(&t, '\0');
	cr_assert_not(t.cut);
	return block;
}

static const char *written_host(const struct address *a)
{
	static char block[ADDRESS_TEXT_BYTES];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	address_write_host(a, &t);
	text_put_char(&t, '\0');
	cr_assert_not(t.cut);
	return block;
}

Test(address, numeric)
{
	static const struct {
		const char *in, *out, *host;
		bool loopback;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1:80", "127.0.0.1", true },
		{ "127.255.0.9", "127.255.0.9:80", "127.255.0.9", true },
		{ "128.0.0.1", "128.0.0.1:80", "128.0.0.1", false },
		{ "0.0.0.0", "0.0.0.0:80", "0.0.0.0", false },
		{ "::1", "[::1]:80", "::1", true },
		{ "[::1]", "[::1]:80", "::1", true },
		{ "[2001:DB8:0::1]", "[2001:db8::1]:80", "2001:db8::1", false },
		{ "::", "[::]:80", "::", false },
		{ "::ffff:127.0.0.1", "127.0.0.1:80", "127.0.0.1", true },
		{ "[::ffff:10.1.2.3]", "10.1.2.3:80", "10.1.2.3", false },
		{ "::127.0.0.1", "[::127.0.0.1]:80", "::127.0.0.1", false },
		{ "1111:2222:3333:4444:5555:6666:7777:8888", "[1111:2222:3333:4444:5555:6666:7777:8888]:80",
			"1111:2222:3333:4444:5555:6666:7777:8888", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address a, again;

		cr_assert_eq(address_from_numeric(&a, span_of_string(rows[i].in), 80), 0, "%s", rows[i].in);
		cr_expect_str_eq(written(&a), rows[i].out);
		cr_expect_str_eq(written_host(&a), rows[i].host);
		cr_expect_eq(address_is_loopback(&a), rows[i].loopback, "%s", rows[i].in);
		cr_expect_eq(address_port(&a), 80);
		cr_assert_eq(address_from_numeric(&again, span_of_string(rows[i].in), 80), 0);
		cr_expect(address_eq(&a, &again));
		cr_assert_eq(address_from_numeric(&again, span_of_string(rows[i].in), 81), 0);
		cr_expect_not(address_eq(&a, &again));
	}
}

Test(address, not_numeric)
{
	const struct span rows[] = {
		SPAN(""), SPAN("localhost"), SPAN("127.0.0.1 "), SPAN(" 127.0.0.1"), SPAN("127.1"), SPAN("0x7f.0.0.1"),
		SPAN("127.0.0.256"), SPAN("127.0.0.1\0"), SPAN("[127.0.0.1]"), SPAN("[::1"), SPAN("::1]"), SPAN("[]"), SPAN("["),
		SPAN(":::"), SPAN("[[::1]]"), SPAN("1.2.3.4.5"), SPAN("fe80::1%lo"), SPAN("127.0.0.1:80"),
		SPAN("1111:2222:3333:4444:5555:6666:7777:8888:9999"),
		SPAN("00000000000000000000000000000000000000000000000000000000000000001"),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address a;

		cr_expect_eq(address_from_numeric(&a, rows[i], 80), 1, "row %zu", i);
	}
}

Test(address, bytes)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1, [14] = 2, [15] = 3 };
	static const uint8_t one[16] = { [15] = 1 };
	static const uint8_t zero[16] = { 0 };
	uint8_t bytes[16];
	struct address a;

	cr_assert_eq(address_from_numeric(&a, SPAN("10.1.2.3"), 1), 0);
	address_bytes(&a, bytes);
	cr_expect_arr_eq(bytes, mapped, 16);
	cr_assert_eq(address_from_numeric(&a, SPAN("::ffff:10.1.2.3"), 1), 0);
	address_bytes(&a, bytes);
	cr_expect_arr_eq(bytes, mapped, 16);
	cr_assert_eq(address_from_numeric(&a, SPAN("::1"), 1), 0);
	address_bytes(&a, bytes);
	cr_expect_arr_eq(bytes, one, 16);
	cr_assert_eq(address_from_unix(&a, SPAN("/x")), 0);
	address_bytes(&a, bytes);
	cr_expect_arr_eq(bytes, zero, 16);
}

Test(address, unix_paths)
{
	char longest[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct address a, b;

	memset(longest, 'x', sizeof(longest));
	cr_assert_eq(address_from_unix(&a, SPAN("/tmp/a b.sock")), 0);
	cr_expect_str_eq(written(&a), "unix:/tmp/a b.sock");
	cr_expect_str_eq(written_host(&a), "unix");
	cr_expect(address_is_loopback(&a));
	cr_expect_eq(address_port(&a), 0);
	cr_assert_eq(address_from_unix(&b, SPAN("/tmp/a b.soc")), 0);
	cr_expect_not(address_eq(&a, &b));
	b.n = sizeof(b.un); /* as the kernel may say it */
	cr_assert_eq(address_from_unix(&a, SPAN("/tmp/a b.soc")), 0);
	cr_expect(address_eq(&a, &b));

	cr_assert_eq(address_from_unix(&a, SPAN("@name")), 0);
	cr_expect_eq(a.un.sun_path[0], '\0');
	cr_expect_eq(a.n, offsetof(struct sockaddr_un, sun_path) + 5);
	cr_expect_str_eq(written(&a), "unix:@name");

	cr_assert_eq(address_from_unix(&a, span_of(longest, sizeof(longest) - 2)), 0);
	cr_expect_eq(strlen(written(&a)), 5 + sizeof(longest) - 2);
	cr_expect_eq(address_from_unix(&a, span_of(longest, sizeof(longest) - 1)), 1);
	longest[0] = '@';
	cr_assert_eq(address_from_unix(&a, span_of(longest, sizeof(longest) - 1)), 0);
	cr_expect_eq(strlen(written(&a)), 5 + sizeof(longest) - 1);
	cr_expect_eq(address_from_unix(&a, span_of(longest, sizeof(longest))), 1);
	cr_expect_eq(address_from_unix(&a, SPAN("")), 1);
	cr_expect_eq(address_from_unix(&a, SPAN("@")), 1);
	cr_expect_eq(address_from_unix(&a, SPAN("/a\0b")), 1);
}

Test(address, unix_peers)
{
	struct address unnamed = { .un = { .sun_family = AF_UNIX }, .n = sizeof(sa_family_t) };
	struct address hostile;

	cr_expect_str_eq(written(&unnamed), "unix:");
	cr_assert_eq(address_from_unix(&hostile, SPAN("/a\n\x1b[2Jb\x7f")), 0);
	cr_expect_str_eq(written(&hostile), "unix:/a??[2Jb?");
	cr_expect_not(address_eq(&unnamed, &hostile));
	cr_expect(address_eq(&unnamed, &unnamed));
}

/* The same on another link is another place. */
Test(address, links_differ)
{
	struct address a, b;

	cr_assert_eq(address_from_numeric(&a, SPAN("fe80::1"), 80), 0);
	b = a;
	cr_expect(address_eq(&a, &b));
	b.in6.sin6_scope_id = a.in6.sin6_scope_id + 1;
	cr_expect_not(address_eq(&a, &b));
}

Test(address, families_differ)
{
	struct address v4, v6, un;

	cr_assert_eq(address_from_numeric(&v4, SPAN("127.0.0.1"), 80), 0);
	cr_assert_eq(address_from_numeric(&v6, SPAN("::1"), 80), 0);
	cr_assert_eq(address_from_unix(&un, SPAN("/x")), 0);
	cr_expect_not(address_eq(&v4, &v6));
	cr_expect_not(address_eq(&v6, &un));
	cr_assert_eq(address_from_numeric(&v4, SPAN("::2"), 80), 0);
	cr_expect_not(address_eq(&v4, &v6));
}

Test(address, resolves_numbers_and_refuses_what_is_no_name)
{
	char too_long[300];
	struct address list[2];
	unsigned n = 77;

	cr_assert_eq(address_resolve(list, 2, &n, SPAN("127.0.0.1"), 8080), 0);
	cr_expect_eq(n, 1);
	cr_expect_str_eq(written(&list[0]), "127.0.0.1:8080");
	cr_assert_eq(address_resolve(list, 2, &n, SPAN("[::1]"), 8080), 0);
	cr_expect_eq(n, 1);
	cr_expect_str_eq(written(&list[0]), "[::1]:8080");

	memset(too_long, 'a', sizeof(too_long));
	cr_expect_eq(address_resolve(list, 2, &n, span_of(too_long, sizeof(too_long)), 1), -EAI_NONAME);
	cr_expect_eq(n, 0);
	cr_expect_eq(address_resolve(list, 2, &n, SPAN("a\0b"), 1), -EAI_NONAME);
	cr_expect_eq(address_resolve(list, 2, &n, SPAN(""), 1), -EAI_NONAME);
	cr_expect_str_eq(address_resolve_error(-EAI_NONAME), gai_strerror(EAI_NONAME));
}
