/*
 * Each condition of a match by table: one condition, one request, holds or not. Then their combination, and covering.
 */
#include "core/match.h"

#include <arpa/inet.h>

#include "fake.h"

/* ---- building: each adds one condition ---------------------------------------------------------------------------- */

static void add_method(struct match *m, const char *method)
{
	m->methods = realloc(m->methods, (m->n_methods + 1) * sizeof(*m->methods));
	m->methods[m->n_methods++] = fake_own(method);
}

static void add_host(struct match *m, const char *glob)
{
	m->hosts = realloc(m->hosts, (m->n_hosts + 1) * sizeof(*m->hosts));
	m->hosts[m->n_hosts++] = fake_pattern(PATTERN_GLOB, PATTERN_NOCASE, glob);
}

static void add_pair(struct match_pair **v, unsigned *n, const char *name, enum pattern_kind kind, const char *value)
{
	*v = realloc(*v, (*n + 1) * sizeof(**v));
	(*v)[(*n)++] = (struct match_pair){ fake_own(name), fake_pattern(kind, 0, value) };
}

static void add_query(struct match *m, const char *name, enum pattern_kind kind, const char *value)
{
	add_pair(&m->query, &m->n_query, name, kind, value);
}

static void add_header(struct match *m, const char *name, enum pattern_kind kind, const char *value)
{
	add_pair(&m->headers, &m->n_headers, name, kind, value);
}

static void add_client(struct match *m, const char *net)
{
	m->clients = realloc(m->clients, (m->n_clients + 1) * sizeof(*m->clients));
	cr_assert_eq(match_net_parse(&m->clients[m->n_clients++], span_of_string(net)), 0, "%s", net);
}

static void add_number(uint16_t **v, unsigned *n, uint16_t number)
{
	*v = realloc(*v, (*n + 1) * sizeof(**v));
	(*v)[(*n)++] = number;
}

static struct match *add_any(struct match *m)
{
	m->any = realloc(m->any, (m->n_any + 1) * sizeof(*m->any));
	return m->any[m->n_any++] = calloc(1, sizeof(struct match));
}

static struct match *add_not(struct match *m)
{
	return m->not_ = calloc(1, sizeof(struct match));
}

static void set_client(struct facts *f, const char *address)
{
	struct match_net net;

	cr_assert_eq(match_net_parse(&net, span_of_string(address)), 0);
	memcpy(f->client, net.address, sizeof(f->client));
}

/* Decides and frees. */
static bool holds_once(struct match *m, const struct facts *f)
{
	struct pattern_scratch *scratch = pattern_scratch_new();
	bool holds = match_holds(m, f, scratch);

	pattern_scratch_free(scratch);
	match_deinit(m);
	return holds;
}

/* ---- conditions ---------------------------------------------------------------------------------------------------- */

Test(match, nothing_given_matches_all)
{
	struct match m = { 0 };
	struct facts f = fake_facts("*");

	cr_assert(holds_once(&m, &f));
	f = (struct facts){ 0 };
	cr_assert(holds_once(&m, &f));
}

Test(match, method)
{
	static const struct {
		const char *method;
		bool holds;
	} table[] = {
		{ "POST", true }, { "PUT", true }, { "GET", false }, { "post", false }, { "POSTS", false }, { "", false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match m = { 0 };
		struct facts f = fake_facts("/");

		add_method(&m, "POST");
		add_method(&m, "PUT");
		f.method = span_of_string(table[i].method);
		cr_expect_eq(holds_once(&m, &f), table[i].holds, "%s", table[i].method);
	}
}

Test(match, host)
{
	static const struct {
		const char *glob;
		const char *host;
		bool holds;
	} table[] = {
		{ "shop.test", "SHOP.test", true },
		{ "shop.test", "shop.test.", false },
		{ "*.shop.test", "a.b.shop.TEST", true },
		{ "*.shop.test", "shop.test", false },
		{ "*", "", true },
		{ "shop.*", "shop.test", true },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match m = { 0 };
		struct facts f = fake_facts("/");

		add_host(&m, table[i].glob);
		f.host = span_of_string(table[i].host);
		cr_expect_eq(holds_once(&m, &f), table[i].holds, "%s %s", table[i].glob, table[i].host);
	}
}

Test(match, one_path_of_several_suffices)
{
	static const struct {
		const char *path;
		bool holds;
	} table[] = { { "/a", true }, { "/a/x", false }, { "/b/x", true }, { "/c1", true }, { "/d", false } };

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match m = { 0 };
		struct facts f = fake_facts(table[i].path);

		fake_add_path(&m, PATTERN_EXACT, "/a");
		fake_add_path(&m, PATTERN_GLOB, "/b/*");
		fake_add_path(&m, PATTERN_REGEX, "^/c[0-9]$");
		cr_expect_eq(holds_once(&m, &f), table[i].holds, "%s", table[i].path);
	}
}

Test(match, query)
{
	static const struct {
		enum pattern_kind kind;
		const char *value;
		const char *query;
		bool holds;
	} table[] = {
		{ PATTERN_EXACT, "1", "dry=1", true },
		{ PATTERN_EXACT, "1", "a=2&dry=1&b=3", true },
		{ PATTERN_EXACT, "1", "dry=2&dry=1", true },
		{ PATTERN_EXACT, "1", "dry=11", false },
		{ PATTERN_EXACT, "1", "dry", false },
		{ PATTERN_EXACT, "1", "DRY=1", false },
		{ PATTERN_EXACT, "1", "xdry=1", false },
		{ PATTERN_EXACT, "1", "%64ry=%31", true },
		{ PATTERN_EXACT, "a b", "dry=a+b", true },
		{ PATTERN_EXACT, "a b", "dry=a%20b", true },
		{ PATTERN_EXACT, "a&b=c", "dry=a%26b=c", true },
		{ PATTERN_EXACT, "100%", "dry=100%", true },
		{ PATTERN_EXACT, "%4", "dry=%4", true },
		{ PATTERN_EXACT, "%zz", "dry=%zz", true },
		{ PATTERN_EXACT, "", "dry", true },
		{ PATTERN_EXACT, "", "dry=", true },
		{ PATTERN_EXACT, "", "", false },
		{ PATTERN_EXACT, "1", "&&dry=1&", true },
		{ PATTERN_GLOB, "a*", "dry=abc", true },
		{ PATTERN_REGEX, "^[0-9]+$", "dry=42", true },
		{ PATTERN_PRESENT, "", "dry", true },
		{ PATTERN_PRESENT, "", "a=dry", false },
		{ PATTERN_ABSENT, "", "a=dry", true },
		{ PATTERN_ABSENT, "", "", true },
		{ PATTERN_ABSENT, "", "a&dry", false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match m = { 0 };
		struct facts f = fake_facts("/");

		add_query(&m, "dry", table[i].kind, table[i].value);
		f.query = span_of_string(table[i].query);
		cr_expect_eq(holds_once(&m, &f), table[i].holds, "%s on ?%s", table[i].value, table[i].query);
	}
}

Test(match, escapes_do_not_reach_behind_the_query)
{
	char decoded[8];
	struct span value;

	cr_assert(match_query_value(span_first(SPAN("q=+%41"), 5), SPAN("q"), decoded, sizeof(decoded), &value));
	cr_assert(span_eq(value, SPAN(" %4")));
}

Test(match, long_query_values_are_cut_only_when_decoded)
{
	static char query[2 + 3 * MATCH_QUERY_VALUE_BYTES_MAX];
	char decoded[8];
	struct span value;

	memset(query, 'x', sizeof(query));
	memcpy(query, "q=", 2);
	cr_assert(match_query_value(span_of(query, sizeof(query)), SPAN("q"), decoded, sizeof(decoded), &value));
	cr_assert_eq(value.n, sizeof(query) - 2);
	query[5] = '+';
	cr_assert(match_query_value(span_of(query, sizeof(query)), SPAN("q"), decoded, sizeof(decoded), &value));
	cr_assert(span_eq(value, SPAN("xxx xxxx")));
}

Test(match, headers)
{
	static const struct fake_field fields[] = {
		{ "x-tenant", "other" }, { "accept", "*/*" }, { "x-tenant", "acme" }, { "x-empty", "" }, { NULL, NULL },
	};
	static const struct {
		const char *name;
		enum pattern_kind kind;
		const char *value;
		bool holds;
	} table[] = {
		{ "x-tenant", PATTERN_EXACT, "acme", true },
		{ "x-tenant", PATTERN_EXACT, "other", true },
		{ "x-tenant", PATTERN_EXACT, "Acme", false },
		{ "x-tenant", PATTERN_GLOB, "ac*", true },
		{ "x-tenant", PATTERN_REGEX, "^a.me$", true },
		{ "x-tenant", PATTERN_PRESENT, "", true },
		{ "x-tenant", PATTERN_ABSENT, "", false },
		{ "x-empty", PATTERN_PRESENT, "", true },
		{ "x-empty", PATTERN_EXACT, "", true },
		{ "x-vip", PATTERN_PRESENT, "", false },
		{ "x-vip", PATTERN_EXACT, "", false },
		{ "x-vip", PATTERN_GLOB, "*", false },
		{ "x-vip", PATTERN_ABSENT, "", true },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match m = { 0 };
		struct facts f = fake_facts("/");

		add_header(&m, table[i].name, table[i].kind, table[i].value);
		f.field = fake_field_get;
		f.field_source = fields;
		cr_expect_eq(holds_once(&m, &f), table[i].holds, "%s: %s", table[i].name, table[i].value);
	}
}

Test(match, without_a_field_function_there_are_no_fields)
{
	struct match m = { 0 };
	struct facts f = fake_facts("/");

	add_header(&m, "x-vip", PATTERN_ABSENT, "");
	cr_assert(holds_once(&m, &f));
	add_header(&m, "x-vip", PATTERN_PRESENT, "");
	cr_assert_not(holds_once(&m, &f));
}

Test(match, net_parse)
{
	static const struct {
		const char *text;
		int rc;
		unsigned bits;
	} table[] = {
		{ "10.0.0.0/8", 0, 104 },
		{ "0.0.0.0/0", 0, 96 },
		{ "127.0.0.1", 0, 128 },
		{ "127.0.0.1/32", 0, 128 },
		{ "192.168.128.0/17", 0, 113 },
		{ "::1", 0, 128 },
		{ "::/0", 0, 0 },
		{ "fd00::/8", 0, 8 },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128", 0, 128 },
		{ "2001:db8:ffff:ffff:ffff:ffff:255.255.255.255", 0, 128 },
		{ "::ffff:10.0.0.0/104", 0, 104 },
		{ "", 1, 0 },
		{ "/8", 1, 0 },
		{ "10.0.0.0/", 1, 0 },
		{ "10.0.0.0/33", 1, 0 },
		{ "10.0.0.0/-1", 1, 0 },
		{ "10.0.0.0/+8", 1, 0 },
		{ "10.0.0.0/8 ", 1, 0 },
		{ "10.0.0.0/8/8", 1, 0 },
		{ "10.0.0.0/00000000000000000000000000008", 1, 0 },
		{ "10.0.0.1/8", 1, 0 },
		{ "10.128.0.0/8", 1, 0 },
		{ "::1/127", 1, 0 },
		{ "::/129", 1, 0 },
		{ "10.0.0", 1, 0 },
		{ "10.0.0.256", 1, 0 },
		{ "localhost", 1, 0 },
		{ "[::1]", 1, 0 },
		{ "fe80::1%lo", 1, 0 },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, 0 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match_net net;

		cr_expect_eq(match_net_parse(&net, span_of_string(table[i].text)), table[i].rc, "%s", table[i].text);
		if (table[i].rc == 0)
			cr_expect_eq(net.bits, table[i].bits, "%s", table[i].text);
	}
}

Test(match, net_parse_takes_the_whole_text)
{
	struct match_net net;

	cr_assert_eq(match_net_parse(&net, SPAN("127.0.0.1\0.5")), 1);
	cr_assert_eq(match_net_parse(&net, SPAN_EMPTY), 1);
}

Test(match, client)
{
	static const struct {
		const char *net;
		const char *client;
		bool holds;
	} table[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "10.0.0.0/8", "::1", false },
		{ "192.168.128.0/17", "192.168.255.1", true },
		{ "192.168.128.0/17", "192.168.127.255", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "fd00::1", false },
		{ "::/0", "1.2.3.4", true },
		{ "::1", "::1", true },
		{ "fd00::/8", "fdff::2", true },
		{ "fd00::/8", "fe00::2", false },
		{ "2001:db8:8000::/33", "2001:db8:ffff::", true },
		{ "2001:db8:8000::/33", "2001:db8:7fff::", false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct match m = { 0 };
		struct facts f = fake_facts("/");

		add_client(&m, table[i].net);
		set_client(&f, table[i].client);
		cr_expect_eq(holds_once(&m, &f), table[i].holds, "%s %s", table[i].net, table[i].client);
	}
}

Test(match, listener_and_upstream)
{
	for (uint16_t number = 0; number < 4; number++) {
		struct match m = { 0 };
		struct facts f = fake_facts("/");

		add_number(&m.listeners, &m.n_listeners, 1);
		add_number(&m.listeners, &m.n_listeners, 3);
		f.listener = number;
		cr_expect_eq(holds_once(&m, &f), number == 1 || number == 3);

		add_number(&m.upstreams, &m.n_upstreams, 2);
		f.upstream = number;
		cr_expect_eq(holds_once(&m, &f), number == 2);
	}
}

Test(match, status)
{
	struct match m = { 0 };
	struct facts f = fake_facts("/");

	match_status_add(&m, 404, 404);
	match_status_add(&m, 500, 599);
	match_status_add(&m, 100, 101);
	for (unsigned status = 0; status < 1000; status++) {
		bool expected = status == 404 || (status >= 500 && status <= 599) || status == 100 || status == 101;

		f.status = (uint16_t)status;
		cr_expect_eq(match_holds(&m, &f, NULL), expected, "%u", status);
	}
	match_deinit(&m);
	cr_assert(match_holds(&m, &f, NULL), "without the condition any answer matches");
}

Test(match, all_conditions_hold_together)
{
	struct match m = { 0 };
	struct facts f = fake_facts("/a");

	add_method(&m, "GET");
	add_host(&m, "shop.test");
	fake_add_path(&m, PATTERN_EXACT, "/a");
	cr_assert(match_holds(&m, &f, NULL));
	f.method = SPAN("PUT");
	cr_assert_not(match_holds(&m, &f, NULL));
	f = fake_facts("/b");
	cr_assert_not(match_holds(&m, &f, NULL));
	f = fake_facts("/a");
	f.host = SPAN("x.test");
	cr_assert_not(match_holds(&m, &f, NULL));
	match_deinit(&m);
}

Test(match, any_and_not)
{
	static const struct {
		const char *method;
		const char *path;
		bool holds;
	} table[] = {
		{ "GET", "/a", true }, /* first of any */
		{ "POST", "/b", true }, /* second of any */
		{ "GET", "/b", false }, /* second wants POST */
		{ "GET", "/c", false }, /* none of any */
		{ "PUT", "/a", false }, /* not: PUT on anything but /b */
		{ "DELETE", "/a", true },
	};
	struct match m = { 0 };
	struct match *second;
	struct match *unwanted;

	fake_add_path(add_any(&m), PATTERN_EXACT, "/a");
	second = add_any(&m);
	fake_add_path(second, PATTERN_EXACT, "/b");
	add_method(second, "POST");
	unwanted = add_not(&m);
	add_method(unwanted, "PUT");
	fake_add_path(add_not(unwanted), PATTERN_EXACT, "/b");
	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct facts f = fake_facts(table[i].path);

		f.method = span_of_string(table[i].method);
		cr_expect_eq(match_holds(&m, &f, NULL), table[i].holds, "%s %s", table[i].method, table[i].path);
	}
	match_deinit(&m);
}

/* ---- covering ------------------------------------------------------------------------------------------------------ */

/* Small matches by number, so that a table can pair them. */
enum sample {
	ALL,
	GET,
	GET_PUT,
	PATH_A,
	PATH_UNDER_A,
	PATH_A_OR_B,
	GET_PATH_A,
	HOST,
	HOST_NOT_VIP,
	NOT_VIP,
	NOT_VIP_GOLD,
	TENANT,
	TENANT_ACME,
	NO_TENANT,
	NET_10,
	NET_10_1,
	LISTENER_1,
	LISTENER_1_2,
	STATUS_5XX,
	STATUS_503,
	ANY_PATH_A_OR_GET,
	QUERY_DRY,
	QUERY_DRY_1,
	UPSTREAM_3,
	N_SAMPLES,
};

static void make_sample(struct match *m, enum sample sample)
{
	*m = (struct match){ 0 };
	if (sample == GET || sample == GET_PUT || sample == GET_PATH_A)
		add_method(m, "GET");
	if (sample == GET_PUT)
		add_method(m, "PUT");
	if (sample == PATH_A || sample == GET_PATH_A || sample == PATH_A_OR_B)
		fake_add_path(m, PATTERN_EXACT, "/a");
	if (sample == PATH_A_OR_B)
		fake_add_path(m, PATTERN_EXACT, "/b");
	if (sample == PATH_UNDER_A)
		fake_add_path(m, PATTERN_PREFIX, "/a");
	if (sample == HOST || sample == HOST_NOT_VIP)
		add_host(m, "shop.test");
	if (sample == NOT_VIP || sample == HOST_NOT_VIP)
		add_header(add_not(m), "x-vip", PATTERN_PRESENT, "");
	if (sample == NOT_VIP_GOLD)
		add_header(add_not(m), "x-vip", PATTERN_EXACT, "gold");
	if (sample == TENANT)
		add_header(m, "x-tenant", PATTERN_PRESENT, "");
	if (sample == TENANT_ACME)
		add_header(m, "x-tenant", PATTERN_EXACT, "acme");
	if (sample == NO_TENANT)
		add_header(m, "x-tenant", PATTERN_ABSENT, "");
	if (sample == NET_10)
		add_client(m, "10.0.0.0/8");
	if (sample == NET_10_1)
		add_client(m, "10.1.0.0/16");
	if (sample == LISTENER_1 || sample == LISTENER_1_2)
		add_number(&m->listeners, &m->n_listeners, 1);
	if (sample == LISTENER_1_2)
		add_number(&m->listeners, &m->n_listeners, 2);
	if (sample == STATUS_5XX)
		match_status_add(m, 500, 599);
	if (sample == STATUS_503)
		match_status_add(m, 503, 503);
	if (sample == ANY_PATH_A_OR_GET) {
		fake_add_path(add_any(m), PATTERN_EXACT, "/a");
		add_method(add_any(m), "GET");
	}
	if (sample == QUERY_DRY)
		add_query(m, "dry", PATTERN_PRESENT, "");
	if (sample == QUERY_DRY_1)
		add_query(m, "dry", PATTERN_EXACT, "1");
	if (sample == UPSTREAM_3)
		add_number(&m->upstreams, &m->n_upstreams, 3);
}

Test(match, covers)
{
	/* Besides these, each covers itself, and ALL covers each; nothing else is covered. */
	static const struct {
		enum sample a;
		enum sample b;
	} covering[] = {
		{ GET, GET_PATH_A },
		{ GET_PUT, GET },
		{ GET_PUT, GET_PATH_A },
		{ PATH_A, GET_PATH_A },
		{ PATH_UNDER_A, PATH_A },
		{ PATH_UNDER_A, GET_PATH_A },
		{ PATH_A_OR_B, PATH_A },
		{ PATH_A_OR_B, GET_PATH_A },
		{ HOST, HOST_NOT_VIP },
		{ NOT_VIP, HOST_NOT_VIP },
		{ NOT_VIP_GOLD, NOT_VIP },
		{ NOT_VIP_GOLD, HOST_NOT_VIP },
		{ TENANT, TENANT_ACME },
		{ NET_10, NET_10_1 },
		{ LISTENER_1_2, LISTENER_1 },
		{ STATUS_5XX, STATUS_503 },
		{ ANY_PATH_A_OR_GET, PATH_A },
		{ ANY_PATH_A_OR_GET, GET },
		{ ANY_PATH_A_OR_GET, GET_PATH_A },
		{ QUERY_DRY, QUERY_DRY_1 },
	};

	for (unsigned i = 0; i < N_SAMPLES; i++) {
		for (unsigned j = 0; j < N_SAMPLES; j++) {
			/* A match with `any` is not seen to be implied by itself. */
			bool expected = i == ALL || (i == j && i != ANY_PATH_A_OR_GET);
			struct match a;
			struct match b;

			for (unsigned k = 0; k < ARRAY_LEN(covering); k++)
				expected |= covering[k].a == i && covering[k].b == j;
			make_sample(&a, i);
			make_sample(&b, j);
			cr_expect_eq(match_covers(&a, &b), expected, "%u %u", i, j);
			match_deinit(&a);
			match_deinit(&b);
		}
	}
}
