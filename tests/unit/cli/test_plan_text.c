/*
 * plan_text: what check says of a good file, whole.
 */
#include "cli/plan_text.h"

#include <criterion/criterion.h>

#include "config/load.h"

static void expect(const char *source, const char *expected)
{
	const struct load_options options = { 0 };
	struct diagnostics d = { 0 };
	struct plan *plan = NULL;
	struct text out;

	cr_assert_eq(load_plan("test.yaml", span_of_string(source), &options, &plan, &d), 0, "%s", source);
	diagnostics_deinit(&d);
	text_init(&out);
	plan_text_write(&out, plan);
	cr_expect(span_eq(text_span(&out), span_of_string(expected)), "got:\n%.*sexpected:\n%s", SPAN_ARG(text_span(&out)),
		expected);
	text_deinit(&out);
	plan_unref(plan);
}

Test(plan_text, where)
{
	expect("listeners:\n"
	       "- {name: six, address: '[::1]:80', routes: [{upstream: api}]}\n"
	       "- {name: local, address: 'unix:/run/b.sock', routes: [{upstream: socket}]}\n"
	       "upstreams: {api: 'http://a.test:81/v1', socket: 'unix:/run/u.sock', itself: origin}\n",
		"  listener  six     http://[::1]:80\n"
		"  listener  local   unix:/run/b.sock\n"
		"  upstream  api     http://a.test:81/v1\n"
		"  upstream  socket  unix:/run/u.sock\n"
		"  upstream  itself  the embedded upstream\n");
}

Test(plan_text, what)
{
	expect("upstream: origin\n"
	       "rules:\n"
	       "- {name: a, percentage: 12.5, delay: 1s, abort: 503}\n"
	       "- {name: b, enabled: false, dry_run: true, phase: response, percentage: 0.000001, truncate: 1KiB}\n"
	       "- {name: c, rate_limit: {limit: 5, window: 1s}}\n"
	       "- {name: d, percentage: 50, sequence: [503, pass, {delay: 1s}], then: pass}\n"
	       "- {name: e, sequence: [429, pass]}\n",
		"  listener  default  http://127.0.0.1:8080\n"
		"  upstream  default  the embedded upstream\n"
		"  rule      a        request, 12.5 %, delay, abort 503\n"
		"  rule      b        not enabled, dry run, response, 0.000001 %, truncate\n"
		"  rule      c        request, 100 %, rate_limit 5\n"
		"  rule      d        request, 50 %, in turn: abort 503; pass; delay; then pass\n"
		"  rule      e        request, 100 %, in turn: abort 429; pass; and again\n");
}

Test(plan_text, expectations)
{
	expect("upstream: origin\n"
	       "rules: [{name: a, abort: 503, required: true}]\n"
	       "expect: {attempts: 3, jitter: 0.15 warn, retry_after: 99.5%, unsafe_retries: {without_key: fail},\n"
	       "  recovery: {steady: 15s}, idempotency_key: {stable: true}}\n",
		"  listener  default          http://127.0.0.1:8080\n"
		"  upstream  default          the embedded upstream\n"
		"  rule      a                required, request, 100 %, abort 503\n"
		"  expect    attempts         max <= 3\n"
		"  expect    retry_after      honoured >= 99.5 %\n"
		"  expect    jitter           spread >= 0.15, or a warning\n"
		"  expect    unsafe_retries   without_key no\n"
		"  expect    idempotency_key  stable yes\n"
		"  expect    recovery         steady <= 15.00 s\n");
}

Test(plan_text, shares_of_outcomes)
{
	expect("upstream: origin\n"
	       "rules:\n"
	       "- {name: a, outcomes: [{weight: 1, abort: 503}, {weight: 2, delay: 1s, hang: 1s}]}\n"
	       "- {name: b, outcomes: [{weight: 1, abort: 503}, {weight: 1000000000, pass: true}]}\n",
		"  listener  default  http://127.0.0.1:8080\n"
		"  upstream  default  the embedded upstream\n"
		"  rule      a        request, one of 2 outcomes by weight, of 3 in all\n"
		"             33.333333 %           1  abort 503\n"
		"             66.666666 %           2  delay, hang\n"
		"  rule      b        request, one of 2 outcomes by weight, of 1000000001 in all\n"
		"            < 0.000001 %           1  abort 503\n"
		"             99.999999 %  1000000000  pass\n");
}

/* What is too long to stand in a column stands all the same. */
Test(plan_text, long_names)
{
	expect("upstream: origin\nrules:\n- {name: this-is-the-longest-name-that-fits-in-the-column-and-more, abort: 503}\n",
		"  listener  default                           http://127.0.0.1:8080\n"
		"  upstream  default                           the embedded upstream\n"
		"  rule      this-is-the-longest-name-that-fits-in-the-column-and-more  request, 100 %, abort 503\n");
}
