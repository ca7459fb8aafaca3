/* variables: which a file uses, and which of their values nobody needs to hide. */
#include "config/variables.h"

#include "support.h"

struct use {
	const char *source;
	const char *used; /* "NAME=value NAME=* NAME ": what is known, hidden, not set */
};

static const char *environment(void *arg, const char *name)
{
	static const char *const values[][2] = {
		{ "UPSTREAM", "http://10.0.0.7:9000/v1" }, { "PERCENT", "12.5" }, { "WAIT", "100ms..2s" }, { "EMPTY", "" },
		{ "WORD", "hunter2" }, { "API_KEY", "1" }, { "db_Password", "http://10.0.0.8:1/" }, { "HEX", "1f6a9b0c3d" },
		{ "PLACE", "10.0.0.9" }, { "LONG", "1234567890123456789012345" }, { "RATE", "64KiB/s" },
	};

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (strcmp(values[i][0], name) == 0)
			return values[i][1];
	}
	return NULL;
}

static void load(struct loaded *l, const char *source)
{
	const struct load_options options = { .env = environment };

	*l = (struct loaded){ 0 };
	l->rc = load_plan("test.yaml", span_of_string(source), &options, &l->plan, &l->d);
	cr_assert_eq(l->rc, 0, "%s: %s", source, l->d.n ? l->d.v[0].message : "");
}

static void expect_used(const char *source, const char *expected)
{
	char block[1024];
	struct text out;
	struct loaded l;

	load(&l, source);
	text_init_fixed(&out, block, sizeof(block));
	for (unsigned i = 0; i < l.plan->variables.n; i++) {
		const struct plan_variable *v = &l.plan->variables.v[i];

		cr_expect(!v->hidden || v->value.n == 0);
		text_put_span(&out, v->name);
		text_put_string(&out, !v->is_set ? "" : v->hidden ? "=*" : "=");
		text_put_span(&out, v->value);
		text_put_char(&out, ' ');
	}
	cr_expect(span_eq(text_span(&out), span_of_string(expected)), "%s\nhas: %.*s", source, SPAN_ARG(text_span(&out)));
	cr_expect_not(l.plan->variables.more);
	support_free(&l);
}

static void expect_uses(const struct use *uses, size_t n)
{
	for (const struct use *u = uses; u < uses + n; u++)
		expect_used(u->source, u->used);
}

#define RULES "upstream: origin\nrules:\n- "

static const struct use known[] = {
	{ "upstream: ${UPSTREAM}", "UPSTREAM=http://10.0.0.7:9000/v1 " },
	{ "upstreams: {a: {url: 'http://${PLACE}:80'}}", "PLACE=10.0.0.9 " },
	{ "listeners: [{name: a, address: '${PLACE}:0'}]\nupstream: origin", "PLACE=10.0.0.9 " },
	{ RULES "{abort: 503, percentage: '${PERCENT}'}", "PERCENT=12.5 " },
	{ RULES "{delay: {uniform: '${WAIT}'}}", "WAIT=100ms..2s " },
	{ RULES "{throttle: {download: '${RATE}'}}", "RATE=64KiB/s " },
	{ RULES "{abort: 503, percentage: '${NOPE:-5}'}", "NOPE " },
	{ RULES "{abort: 503, percentage: '${EMPTY:-5}'}", "EMPTY= " },
	{ "upstream: origin", "" },
	{ "upstream: origin # ${NOPE}", "" },
};

Test(variables, addresses_and_amounts_are_known)
{
	expect_uses(known, ARRAY_LEN(known));
}

static const struct use not_known[] = {
	{ "upstream: origin\nadmin: {address: '127.0.0.1:0', token: '${PERCENT}'}", "PERCENT=* " },
	{ RULES "{abort: {status: 503, headers: {x-a: '${PERCENT}'}}}", "PERCENT=* " },
	{ RULES "{abort: {status: 503, body: '${PERCENT}'}}", "PERCENT=* " },
	{ RULES "{abort: {status: 503, body: {json: {a: ['${PERCENT}']}}}}", "PERCENT=* " },
	{ RULES "{abort: 503, match: {query: {a: '${PERCENT}'}}}", "PERCENT=* " },
	{ RULES "{abort: 503, match: {headers: {a: {regex: '${PERCENT}'}}}}", "PERCENT=* " },
	{ RULES "{abort: 503, match: {path: '/${WORD}'}}", "WORD=* " },
	{ RULES "{abort: 503, match: {path: '/${HEX}'}}", "HEX=* " },
	{ RULES "{abort: 503, match: {path: '/${LONG}'}}", "LONG=* " },
	{ RULES "{abort: 503, percentage: '${API_KEY}'}", "API_KEY=* " },
	{ "upstream: '${db_Password}'", "db_Password=* " },
	{ "upstream: '${UPSTREAM}'\nrules:\n- {abort: {status: 503, headers: {x-a: '${UPSTREAM}'}}}", "UPSTREAM=* " },
	{ "upstream: '${UPSTREAM}'\nrules:\n- {abort: {status: 503, headers: {x-a: '${PERCENT} ${UPSTREAM}'}}}",
	  "UPSTREAM=* PERCENT=* " },
	/* It stands where its alias is, too. */
	{ "upstream: &a '${UPSTREAM}'\nrules:\n- {abort: {status: 503, headers: {x-a: *a}}}", "UPSTREAM=* " },
};

Test(variables, what_may_be_a_secret_is_not)
{
	expect_uses(not_known, ARRAY_LEN(not_known));
}

Test(variables, of_too_many_it_is_known_that_there_are)
{
	struct text source;
	struct loaded l;

	text_init(&source);
	text_put_literal(&source, RULES "{abort: {status: 503, body: '");
	for (unsigned i = 0; i <= VARIABLES_MAX; i++)
		text_printf(&source, "${A%u:-}", i);
	text_put_literal(&source, "x'}}");
	text_put_char(&source, '\0');
	load(&l, source.p);
	cr_expect_eq(l.plan->variables.n, VARIABLES_MAX);
	cr_expect(l.plan->variables.more);
	support_free(&l);
	text_deinit(&source);
}
