/* admin: the key and the option of the command line, and what neither may open. */
#include "support.h"

static void load_with_option(struct loaded *l, const char *source, const char *admin, const char *token)
{
	const struct load_options options = { .env = support_env, .admin = admin, .admin_token = token };

	*l = (struct loaded){ 0 };
	l->rc = load_plan("test.yaml", span_of_string(source), &options, &l->plan, &l->d);
}

static void expect_admin(const struct loaded *l, const char *host, unsigned port, const char *token)
{
	cr_assert_eq(l->rc, 0);
	cr_expect(l->plan->admin.enabled);
	expect_span(l->plan->admin.address.host, host);
	cr_expect_eq(l->plan->admin.address.port, port);
	expect_span(l->plan->admin.token, token);
}

Test(admin, is_not_there_by_default)
{
	struct loaded l;

	support_load(&l, "upstream: origin\n");
	cr_assert_eq(l.rc, 0);
	cr_expect_not(l.plan->admin.enabled);
	support_free(&l);
}

Test(admin, short_and_long)
{
	struct loaded l;

	support_load(&l, "upstream: origin\nadmin: 127.0.0.1:1\n");
	expect_admin(&l, "127.0.0.1", 1, "");
	support_free(&l);
	support_load(&l, "upstream: origin\nadmin: {token: a-token-of-length-20}\n");
	expect_admin(&l, "127.0.0.1", 9901, "a-token-of-length-20");
	support_free(&l);
	support_load(&l, "upstream: origin\nadmin: {address: \":2\", token: a-token-of-length-20}\n");
	expect_admin(&l, "0.0.0.0", 2, "a-token-of-length-20");
	cr_expect_eq(l.d.n, 0, "%s", l.text);
	support_free(&l);
	support_load(&l, "upstream: origin\nadmin: unix:/run/admin.sock\n");
	expect_admin(&l, "/run/admin.sock", 0, "");
	support_free(&l);
}

Test(admin, option_wins_over_the_file)
{
	struct loaded l;

	load_with_option(&l, "upstream: origin\n", "", NULL);
	expect_admin(&l, "127.0.0.1", 9901, "");
	support_free(&l);
	load_with_option(&l, "upstream: origin\nadmin: 127.0.0.1:1\n", "", "t");
	expect_admin(&l, "127.0.0.1", 1, "t");
	support_free(&l);
	load_with_option(&l, "upstream: origin\nadmin: {address: 127.0.0.1:1, token: of-the-file}\n", "[::1]:2", "t");
	expect_admin(&l, "::1", 2, "of-the-file");
	support_free(&l);
	/* Without the option its token means nothing. */
	load_with_option(&l, "upstream: origin\nadmin: 127.0.0.1:1\n", NULL, "t");
	expect_admin(&l, "127.0.0.1", 1, "");
	support_free(&l);
	load_with_option(&l, "upstream: origin\n", "nonsense", NULL);
	cr_expect_eq(l.rc, 1);
	support_free(&l);
}

Test(admin, no_open_door)
{
	struct loaded l;

	support_load(&l, "upstream: origin\nadmin: 0.0.0.0:1\n");
	cr_expect(strstr(l.text, "2:8: error: "), "%s", l.text);
	cr_expect(strstr(l.text, "needs a token"), "%s", l.text);
	support_free(&l);
	support_load(&l, "upstream: origin\nadmin:\n  token: \"\"\n  address: 10.0.0.1:1\n");
	cr_expect_eq(l.rc, 1);
	support_free(&l);
	load_with_option(&l, "upstream: origin\n", "0.0.0.0:1", "");
	cr_expect_eq(l.rc, 1);
	support_free(&l);
	load_with_option(&l, "upstream: origin\n", "0.0.0.0:1", "a-token-of-length-20");
	expect_admin(&l, "0.0.0.0", 1, "a-token-of-length-20");
	support_free(&l);
	support_load(&l, "upstream: origin\nadmin: {address: \":1\", token: short}\n");
	cr_expect_eq(l.rc, 0);
	cr_expect(strstr(l.text, "2:31: warning: ") && strstr(l.text, "can be guessed"), "%s", l.text);
	support_free(&l);
	support_load(&l, "upstream: origin\nadmin: {token: \"a b\"}\n");
	cr_expect(strstr(l.text, "2:16: error: admin: a token is made of"), "%s", l.text);
	support_free(&l);
	/* A secret that was kept in a file has a line end; nobody could bring it, and what it is is not told. */
	load_with_option(&l, "upstream: origin\n", "", "secret\n");
	cr_assert_eq(l.rc, 1);
	cr_expect_str_eq(l.d.v[0].message, "BROWNOUT_TOKEN: a token is made of letters, digits and -._~+/=");
	support_free(&l);
}
