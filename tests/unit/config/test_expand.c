/* expand: what stands in values for variables, seen through the reason phrase of an answer. */
#include "config/expand.h"

#include "support.h"

Test(expand, values)
{
	static const char *const cases[][2] = {
		{ "${HOST}", "10.0.0.7" },
		{ "a${HOST}b${TEN}c", "a10.0.0.7b10c" },
		{ "${NOPE:-x}", "x" },
		{ "${NOPE:-}", "" },
		{ "${EMPTY}", "" },
		{ "${EMPTY:-x}", "x" },
		{ "${TEN:-x}", "10" },
		{ "${NOPE:-a b:c-d}", "a b:c-d" },
		{ "${NOPE:-$$}", "$$" }, /* a default is taken as it stands */
		{ "$", "$" },
		{ "$$", "$" },
		{ "$$$", "$$" },
		{ "$$$$", "$$" },
		{ "$${HOST}", "${HOST}" },
		{ "$$${TEN}", "$10" },
		{ "$HOST", "$HOST" },
		{ "a$", "a$" },
		{ "}{", "}{" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char rule[200];
		struct loaded l;

		(void)snprintf(rule, sizeof(rule), "abort: {status: 503, reason: '%s'}", cases[i][0]);
		support_load_rule(&l, rule);
		if (cases[i][1][0] == '\0') { /* an empty text is refused by what takes it, not by expansion */
			cr_expect_eq(l.d.n, 0, "%s: %s", cases[i][0], l.text);
			support_free(&l);
			continue;
		}
		cr_assert_not_null(l.plan, "%s: %s", cases[i][0], l.text);
		expect_span(l.plan->rules.v[0].faults.abort.reason, cases[i][1]);
		support_free(&l);
	}
}

Test(expand, cannot_make_structure)
{
	struct loaded l;

	support_load(&l, "upstream: origin\nrules:\n- abort: {status: 503, body: \"${LINES}\"}\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	expect_span(l.plan->rules.v[0].faults.abort.body, "a: 1\nb: [");
	support_free(&l);
}

Test(expand, not_in_keys)
{
	struct loaded l;

	support_load(&l, "upstream: origin\nrules:\n- abort: {status: 503, body: {json:\n    {\"${HOST}\": \"${TEN}\"}}}\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	expect_span(l.plan->rules.v[0].faults.abort.body, "{\"${HOST}\":\"10\"}");
	support_free(&l);
}

Test(expand, everywhere_once)
{
	struct loaded l;

	support_load(&l, "upstream: http://${HOST}:90${TEN}\nworkers: ${TEN}\nrules:\n"
			 "- &r {abort: \"${STATUS}\", percentage: \"${TEN}\", match: {path: \"/$$/${TEN}\"}}\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	expect_span(l.plan->upstreams[0].authority, "10.0.0.7:9010");
	cr_expect_eq(l.plan->workers, 10);
	cr_expect_eq(l.plan->rules.v[0].faults.abort.status, 503);
	cr_expect_eq(l.plan->rules.v[0].percentage, 10000000);
	expect_span(l.plan->rules.v[0].match.paths[0].text, "/$/10");
	support_free(&l);
	/* An anchored scalar is shared: twice expanded, "$$$$" would end as "$". */
	support_load(&l, "upstream: origin\nrules:\n- abort: {status: 503, headers: {a: &x $$$$, b: *x}}\n");
	cr_assert_not_null(l.plan, "%s", l.text);
	expect_span(l.plan->rules.v[0].faults.abort.fields[1].value, "$$");
	support_free(&l);
}

Test(expand, refusals)
{
	static const char *const cases[][2] = {
		{ "seed: ${NOPE}\n", "1:7: error: the variable NOPE is not set (${NAME:-default} gives a default)\n" },
		{ "seed: \"a ${TEN} ${NOPE}\"\n", "1:17: error: the variable NOPE is not set (${NAME:-default} gives a "
			"default)\n" },
		{ "seed: ${TEN\n", "1:7: error: \"${TEN\" has no closing \"}\" (write $$ for \"$\")\n" },
		{ "seed: ${}\n", "1:7: error: \"${}\" is neither ${NAME} nor ${NAME:-default} (write $$ for \"$\")\n" },
		{ "seed: ${1A}\n", "1:7: error: \"${1A}\" is neither ${NAME} nor ${NAME:-default} (write $$ for \"$\")\n" },
		{ "seed: ${A-x}\n", "1:7: error: \"${A-x}\" is neither ${NAME} nor ${NAME:-default} (write $$ for \"$\")\n" },
		{ "seed: ${A:?x}\n", "1:7: error: \"${A:?x}\" is neither ${NAME} nor ${NAME:-default} (write $$ for \"$\")\n" },
		{ "seed: ${NOPE:-${TEN}}\n", "1:7: error: \"${NOPE:-${TEN\": a default cannot hold another ${\n" },
		{ "seed: ${RAW}\n", "1:7: error: the value of \"${RAW}\" is not UTF-8\n" },
		{ "seed: \"\\x24{NOPE}\"\n", "1:7: error: the variable NOPE is not set (${NAME:-default} gives a default)\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char source[200];
		struct loaded l;

		(void)snprintf(source, sizeof(source), "%supstream: origin\n", cases[i][0]);
		support_load(&l, source);
		cr_expect_str_eq(l.text, cases[i][1], "%s: %s", cases[i][0], l.text);
		support_free(&l);
	}
}

static const char *kilobyte(void *arg, const char *name)
{
	(void)name;
	return arg;
}

Test(expand, result_is_bounded)
{
	const size_t references = 2000;
	char *value = malloc(1025), *source = malloc(references * 4 + 100);
	struct load_options options = { .env = kilobyte, .env_arg = value };
	struct diagnostics d = { 0 };
	struct plan *plan;
	size_t n;

	memset(value, 'x', 1024);
	value[1024] = '\0';
	n = (size_t)snprintf(source, 100, "upstream: origin\nrules:\n- abort: {status: 503, body: \"");
	for (size_t i = 0; i < references; i++)
		n += (size_t)snprintf(source + n, 8, "${X}");
	n += (size_t)snprintf(source + n, 8, "\"}\n");
	cr_expect_eq(load_plan("x", span_of(source, n), &options, &plan, &d), 1);
	cr_assert_eq(d.n, 1);
	cr_expect_str_eq(d.v[0].message, "the expanded values have more than 1048576 bytes");
	diagnostics_deinit(&d);
	free(source);
	free(value);
}
