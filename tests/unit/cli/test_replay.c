/*
 * replay: traces written by the real writer from real draws are equal to themselves; one changed word is found, and where.
 */
#include "cli/replay.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/exit_code.h"

#define EXCHANGES 50

static struct ruleset set;
static char paths[2][64];

static struct span owned(const char *s)
{
	return span_of(strdup(s), strlen(s));
}

static void start(void)
{
	set = (struct ruleset){ .seed = 42, .v = calloc(3, sizeof(struct rule)), .n = 3 };
	set.v[0] = (struct rule){ .name = owned("half"), .enabled = true, .percentage = RULE_PERCENTAGE_ALL / 2 };
	set.v[1] = (struct rule){ .name = owned("even"), .enabled = true, .percentage = RULE_PERCENTAGE_ALL / 4,
		.sampling = RULE_SAMPLING_EVEN, .phase = RULE_PHASE_RESPONSE, .text_hash = 7 };
	set.v[2] = (struct rule){ .name = owned("dry"), .enabled = true, .percentage = RULE_PERCENTAGE_ALL, .dry_run = true,
		.key = RULE_KEY_CLIENT };
	cr_assert_eq(ruleset_seal(&set), 0);
	for (unsigned i = 0; i < 2; i++) {
		int fd;

		(void)snprintf(paths[i], sizeof(paths[i]), "/tmp/brownout-unit-XXXXXX");
		fd = mkstemp(paths[i]);
		cr_assert_geq(fd, 0);
		close(fd);
	}
}

static void end(void)
{
	for (unsigned i = 0; i < 2; i++)
		unlink(paths[i]);
	ruleset_deinit(&set);
}

TestSuite(replay, .init = start, .fini = end);

static void put_file(unsigned i, struct span s)
{
	FILE *f = fopen(paths[i], "w");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(s.p, 1, s.n, f), s.n);
	fclose(f);
}

static void put_preface(struct text *out)
{
	trace_write_header(out, &set, 0);
	for (unsigned i = 0; i < set.n; i++)
		trace_write_rule(out, &set.v[i]);
}

/* The exchanges in ascending or descending order, as two runs of the same requests may be recorded. */
static void put_trace(struct text *out, bool backwards)
{
	static struct record_decisions d;
	static struct record r = { .decisions = &d };

	put_preface(out);
	for (unsigned i = 1; i <= EXCHANGES; i++) {
		uint64_t occurrence = backwards ? EXCHANGES + 1 - i : i;

		r.id = i;
		record_decisions_init(&d);
		for (unsigned k = 0; k < set.n; k++) {
			d.v[d.n] = decide_draw(&set, k, k == 2 ? 0x1234 : 0, occurrence, i * 1000);
			if (k == 2)
				d.v[d.n].outcome = DECISION_DRY_RUN;
			d.n++;
		}
		trace_write_exchange(out, &set, &r);
	}
}

/* s with the nth (from 0) `from` made `to`, of the same length. */
static void replace(struct text *s, unsigned nth, const char *from, const char *to)
{
	char *at;

	text_put_char(s, '\0');
	s->n--;
	cr_assert_eq(strlen(from), strlen(to));
	at = strstr(s->p, from);
	for (; at && nth; nth--)
		at = strstr(at + 1, from);
	cr_assert_not_null(at);
	memcpy(at, to, strlen(to));
}

static int by_rules(const uint64_t *seed, struct text *out)
{
	struct trace_file f;
	int rc;

	text_init(out);
	cr_assert(trace_file_open(&f, paths[0]));
	rc = replay_by_rules(&f, &set, seed, out);
	trace_file_close(&f);
	text_put_char(out, '\0');
	return rc;
}

static int against(struct text *out)
{
	struct trace_file f, g;
	int rc;

	text_init(out);
	cr_assert(trace_file_open(&f, paths[0]));
	cr_assert(trace_file_open(&g, paths[1]));
	rc = replay_against(&f, &g, out);
	trace_file_close(&f);
	trace_file_close(&g);
	text_put_char(out, '\0');
	return rc;
}

/* ---- by rules ---- */

Test(replay, what_the_rules_give_is_equal)
{
	struct text trace, out;

	text_init(&trace);
	put_trace(&trace, false);
	put_file(0, text_span(&trace));
	set.seed = 1; /* the trace has its own */
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_OK);
	cr_expect_str_eq(out.p, "150 decisions in 50 exchanges, 0 differ\n");
	cr_expect_eq(set.seed, 42);
	text_deinit(&out);
	text_deinit(&trace);
}

/* What stands in a file cannot drive the terminal. */
Test(replay, control_bytes_are_not_shown)
{
	struct text trace, out;

	text_init(&trace);
	put_preface(&trace);
	text_put_literal(&trace,
		"{\"id\":\"\\u001b[1m\",\"decisions\":[{\"rule\":\"\\u001b[2m\",\"phase\":\"request\",\"key\":\"0\","
		"\"occurrence\":1,\"draw\":\"0\",\"threshold\":\"0\",\"outcome\":\"fired\",\"choice\":0,\"since\":0}]}\n");
	put_file(0, text_span(&trace));
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_DIFFERENT);
	cr_expect(strstr(out.p, "exchange ?[1m, rule ?[2m, request"), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
}

Test(replay, another_seed_differs)
{
	const uint64_t seed = 43;
	struct text trace, out;

	text_init(&trace);
	put_trace(&trace, false);
	put_file(0, text_span(&trace));
	cr_expect_eq(by_rules(&seed, &out), EXIT_CODE_DIFFERENT);
	/* Line 1 is the header, 2 to 4 are the rules; each word of `half` is another one. */
	cr_expect(strstr(out.p, ":5: exchange 1, rule half, request, key 0, occurrence 1\n  recorded:   "), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
}

Test(replay, one_changed_word_is_found)
{
	static const struct {
		const char *from, *to;
		unsigned nth;
		const char *found;
	} cases[] = {
		{ "\"outcome\":\"dry_run\"", "\"outcome\":\"refused\"", 9,
			":14: exchange a, rule dry, request, key 1234, occurrence 10\n"
			"  recorded:   refused, draw 0, threshold ffffffffffffffff, choice 0\n"
			"  recomputed: fired, draw 0, threshold ffffffffffffffff, choice 0\n" },
		{ "\"choice\":0", "\"choice\":1", 0, ":5: exchange 1, rule half, request, key 0, occurrence 1\n" },
		{ "\"key\":\"1234\"", "\"key\":\"1235\"", 0, NULL }, /* a rule that draws nothing has no word to change */
		{ "\"threshold\":\"19\"", "\"threshold\":\"1a\"", 1,
			":6: exchange 2, rule even, response, key 0, occurrence 2\n" },
		{ "\"even\",\"phase\":\"response\",\"key\":\"0\"", "\"even\",\"phase\":\"response\",\"key\":\"1\"", 2,
			":7: exchange 3, " },
		{ "\"dry\",\"phase\":\"request\",", "\"dri\",\"phase\":\"request\",", 3,
			"occurrence 4\n  there is no such rule\n" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct text trace, out;
		int rc;

		text_init(&trace);
		put_trace(&trace, false);
		replace(&trace, cases[i].nth, cases[i].from, cases[i].to);
		put_file(0, text_span(&trace));
		rc = by_rules(NULL, &out);
		cr_expect_eq(rc, cases[i].found ? EXIT_CODE_DIFFERENT : EXIT_CODE_OK, "case %u", i);
		cr_expect(strstr(out.p, cases[i].found ? cases[i].found : ""), "case %u: %s", i, out.p);
		cr_expect(strstr(out.p, cases[i].found ? ", 1 differs\n" : ", 0 differ\n"), "case %u: %s", i, out.p);
		text_deinit(&out);
		text_deinit(&trace);
	}
}

Test(replay, what_ceilings_and_quotas_make_of_a_draw_is_no_difference)
{
	static const enum decision_outcome outcomes[] = { DECISION_FIRED, DECISION_REFUSED, DECISION_PASSED };
	static struct record_decisions d;
	static struct record r = { .decisions = &d };
	struct text trace, out;

	set.v[0].percentage = RULE_PERCENTAGE_ALL;
	set.v[0].faults.limit = calloc(1, sizeof(*set.v[0].faults.limit));
	cr_assert_not_null(set.v[0].faults.limit);
	rule_seal(&set.v[0]);
	text_init(&trace);
	put_preface(&trace);
	for (unsigned i = 0; i < ARRAY_LEN(outcomes); i++) {
		d.n = 1;
		d.v[0] = decide_draw(&set, 0, 0, i + 1, 0);
		d.v[0].outcome = (uint8_t)outcomes[i];
		trace_write_exchange(&trace, &set, &r);
	}
	/* Nothing was drawn for one who came back early. */
	d.v[0] = (struct decision){ .occurrence = 99, .outcome = DECISION_FIRED, .early = true };
	trace_write_exchange(&trace, &set, &r);
	put_file(0, text_span(&trace));
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_OK);
	cr_expect_str_eq(out.p, "4 decisions in 4 exchanges, 0 differ\n");
	text_deinit(&out);
	text_deinit(&trace);
}

Test(replay, without_a_quota_nothing_passes)
{
	static struct record_decisions d = { .n = 1 };
	static struct record r = { .decisions = &d };
	struct text trace, out;

	set.v[0].percentage = RULE_PERCENTAGE_ALL;
	rule_seal(&set.v[0]);
	text_init(&trace);
	put_preface(&trace);
	d.v[0] = decide_draw(&set, 0, 0, 1, 0);
	d.v[0].outcome = DECISION_PASSED;
	trace_write_exchange(&trace, &set, &r);
	put_file(0, text_span(&trace));
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_DIFFERENT);
	cr_expect(strstr(out.p, "recorded:   passed") && strstr(out.p, "recomputed: fired"), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
}

Test(replay, a_rule_that_changed_is_named)
{
	struct text trace, out;

	text_init(&trace);
	put_trace(&trace, false);
	put_file(0, text_span(&trace));
	set.v[1].text_hash = 8;
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_OK);
	cr_expect(strstr(out.p, ":4: rule even was another one when it was recorded\n150 decisions"), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
}

Test(replay, decisions_that_were_lost_are_said)
{
	static struct record_decisions d = { .lost = 5 };
	static struct record r = { .id = 1, .decisions = &d };
	struct text trace, out;

	text_init(&trace);
	put_preface(&trace);
	trace_write_exchange(&trace, &set, &r);
	put_file(0, text_span(&trace));
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_OK);
	cr_expect_str_eq(out.p, "0 decisions in 1 exchange, 0 differ\n5 more were not recorded\n");
	text_deinit(&out);
	text_deinit(&trace);
}

/* ---- against ---- */

Test(replay, order_and_time_do_not_count)
{
	struct text trace, other, out;

	text_init(&trace);
	text_init(&other);
	put_trace(&trace, false);
	put_trace(&other, true);
	put_file(0, text_span(&trace));
	put_file(1, text_span(&other));
	cr_expect_eq(against(&out), EXIT_CODE_OK);
	cr_expect(span_starts_with(text_span(&out), SPAN("150 and 150 decisions, 0 differ, 0 only in ")), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
	text_deinit(&other);
}

Test(replay, a_decision_that_only_one_has)
{
	struct text trace, other, out;

	text_init(&trace);
	text_init(&other);
	put_trace(&trace, false);
	put_trace(&other, true);
	replace(&other, 0, "\"half\",\"phase\":\"request\",\"key\":\"0\"", "\"half\",\"phase\":\"request\",\"key\":\"9\"");
	put_file(0, text_span(&trace));
	put_file(1, text_span(&other));
	cr_expect_eq(against(&out), EXIT_CODE_DIFFERENT);
	cr_expect(strstr(out.p, ":54: rule half, request, key 0, occurrence 50: "), "%s", out.p);
	cr_expect(strstr(out.p, ":5: rule half, request, key 9, occurrence 50: "), "%s", out.p);
	cr_expect(strstr(out.p, "150 and 150 decisions, 0 differ, 1 only in "), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
	text_deinit(&other);
}

Test(replay, decisions_that_came_out_otherwise)
{
	struct text trace, other, out;
	unsigned lines = 0;

	text_init(&trace);
	text_init(&other);
	put_trace(&trace, false);
	set.seed = 43;
	put_trace(&other, false);
	put_file(0, text_span(&trace));
	put_file(1, text_span(&other));
	cr_expect_eq(against(&out), EXIT_CODE_DIFFERENT);
	/* Ten are shown, then the count of the others, the seeds and the counts. */
	for (const char *p = out.p; *p; p++)
		lines += *p == '\n';
	cr_expect_eq(lines, 13, "%s", out.p);
	cr_expect(strstr(out.p, "\nthe seeds differ: 42 and 43\n150 and 150 decisions, "), "%s", out.p);
	text_deinit(&out);
	text_deinit(&trace);
	text_deinit(&other);
}

Test(replay, a_file_that_is_a_trace_twice)
{
	struct text trace, out;

	text_init(&trace);
	put_trace(&trace, false);
	put_trace(&trace, true);
	put_file(0, text_span(&trace));
	put_file(1, text_span(&trace));
	cr_expect_eq(against(&out), EXIT_CODE_OK);
	cr_expect(span_starts_with(text_span(&out), SPAN("300 and 300 decisions, 0 differ")), "%s", out.p);
	text_deinit(&out);
	cr_expect_eq(by_rules(NULL, &out), EXIT_CODE_OK);
	text_deinit(&out);
	text_deinit(&trace);
}

/* ---- what is no trace ---- */

#define HEADER "{\"trace\":1,\"seed\":\"1\",\"rules\":1}\n"
#define RULE "{\"rule\":\"a\",\"text\":\"0\"}\n"
#define EXCHANGE "{\"id\":\"1\",\"decisions\":[]}\n"

Test(replay, what_is_no_trace_is_refused)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{ HEADER RULE, EXIT_CODE_OK },
		{ HEADER RULE EXCHANGE, EXIT_CODE_OK },
		{ HEADER RULE EXCHANGE HEADER RULE EXCHANGE, EXIT_CODE_OK },
		{ HEADER RULE "{\"id\":\"1\",\"decisions\":[]}", EXIT_CODE_OK }, /* the last line end may be missing */
		{ "", EXIT_CODE_USAGE },
		{ HEADER, EXIT_CODE_USAGE },
		{ EXCHANGE, EXIT_CODE_USAGE },
		{ RULE, EXIT_CODE_USAGE },
		{ HEADER EXCHANGE, EXIT_CODE_USAGE },
		{ HEADER HEADER RULE, EXIT_CODE_USAGE },
		{ HEADER RULE RULE, EXIT_CODE_USAGE },
		{ HEADER RULE EXCHANGE "{\"id\":\"1\",\"decis", EXIT_CODE_USAGE },
		{ HEADER RULE "\n", EXIT_CODE_USAGE },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct text out;

		put_file(0, span_of_string(cases[i].text));
		put_file(1, SPAN(HEADER RULE));
		cr_expect_eq(by_rules(NULL, &out), cases[i].rc, "case %u", i);
		text_deinit(&out);
		cr_expect_eq(against(&out), cases[i].rc, "case %u", i);
		text_deinit(&out);
	}
}

Test(replay, lines_are_bounded)
{
	/* Around the block that a line is read into. */
	static const struct {
		size_t line; /* bytes without the line end */
		int rc;
	} cases[] = {
		{ TRACE_LINE_BYTES_MAX - 1, EXIT_CODE_OK },
		{ TRACE_LINE_BYTES_MAX, EXIT_CODE_OK },
		{ TRACE_LINE_BYTES_MAX + 1, EXIT_CODE_USAGE },
		{ TRACE_LINE_BYTES_MAX * 3, EXIT_CODE_USAGE },
	};
	static const char head[] = "{\"id\":\"1\",\"decisions\":[],\"x\":\"";

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct text trace, out;

		text_init(&trace);
		text_put_literal(&trace, HEADER RULE EXCHANGE);
		text_put_string(&trace, head);
		for (size_t n = sizeof(head) - 1 + 2; n < cases[i].line; n++)
			text_put_char(&trace, 'x');
		text_put_literal(&trace, "\"}\n" EXCHANGE);
		put_file(0, text_span(&trace));
		cr_expect_eq(by_rules(NULL, &out), cases[i].rc, "%zu", cases[i].line);
		if (cases[i].rc == EXIT_CODE_OK)
			cr_expect_str_eq(out.p, "0 decisions in 3 exchanges, 0 differ\n");
		text_deinit(&out);
		text_deinit(&trace);
	}
}

Test(replay, a_decision_of_a_rule_that_no_header_tells_of)
{
	struct text out;

	put_file(0, SPAN(HEADER RULE "{\"id\":\"1\",\"decisions\":[{\"rule\":\"b\",\"phase\":\"request\",\"key\":\"0\","
				     "\"occurrence\":1,"
				     "\"draw\":\"0\",\"threshold\":\"1\",\"outcome\":\"fired\",\"choice\":0,\"since\":0}]}\n"));
	put_file(1, SPAN(HEADER RULE));
	cr_expect_eq(against(&out), EXIT_CODE_USAGE);
	text_deinit(&out);
}

Test(replay, a_file_that_cannot_be_read)
{
	struct trace_file f;
	struct text out;

	cr_expect_not(trace_file_open(&f, "/nonexistent/trace"));
	cr_assert(trace_file_open(&f, "/tmp"));
	text_init(&out);
	cr_expect_eq(replay_by_rules(&f, &set, NULL, &out), EXIT_CODE_USAGE);
	trace_file_close(&f);
	text_deinit(&out);
}
