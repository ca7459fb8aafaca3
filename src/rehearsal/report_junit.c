/*
 * report_junit: the form that Jenkins made common (testsuites, testsuite, properties, testcase, failure, skipped, system-out).
 * XML 1.0: what no document may have (control characters, what is not UTF-8, U+FFFE) is written as U+FFFD.
 */
#include "base/wall_time.h"
#include "rehearsal/report.h"
#include "rehearsal/report_value.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Section 2.2 of XML 1.0; s begins with a character of n bytes. */
static bool is_xml_char(struct span s, unsigned n)
{
	unsigned char c = (unsigned char)s.p[0];

	if (n == 1)
		return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
	return n != 3 || c != 0xef || (unsigned char)s.p[1] != 0xbf || (unsigned char)s.p[2] < 0xbe;
}

/* Content, and a value in quotes: there a line end would be read as a blank. */
static void put_escaped(struct text *out, struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);

		if (n == 0 || !is_xml_char(s, n))
			text_put_literal(out, REPLACEMENT);
		else if (*s.p == '&')
			text_put_literal(out, "&amp;");
		else if (*s.p == '<')
			text_put_literal(out, "&lt;");
		else if (*s.p == '>')
			text_put_literal(out, "&gt;");
		else if (*s.p == '"')
			text_put_literal(out, "&quot;");
		else if (n == 1 && (unsigned char)*s.p < 0x20)
			text_printf(out, "&#%u;", (unsigned)(unsigned char)*s.p);
		else
			text_put(out, s.p, n);
		s = span_skip(s, MAX(n, 1u));
	}
}

static void put_attribute(struct text *out, const char *name, struct span value)
{
	text_put_char(out, ' ');
	text_put_string(out, name);
	text_put_literal(out, "=\"");
	put_escaped(out, value);
	text_put_char(out, '"');
}

static void put_seconds_attribute(struct text *out, const char *name, int64_t ns)
{
	text_printf(out, " %s=\"", name);
	text_put_seconds(out, ns, 3);
	text_put_char(out, '"');
}

static void put_property(struct text *out, const char *name, struct span value)
{
	text_put_literal(out, "      <property");
	put_attribute(out, "name", span_of_string(name));
	put_attribute(out, "value", value);
	text_put_literal(out, "/>\n");
}

/* ---- one check ---- */

enum result { RESULT_PASSED, RESULT_FAILED, RESULT_SKIPPED };

/* Inconclusive is skipped, unless it was said that it must fail; so is what was asked of and did not occur. */
static enum result result_of(const struct verdict *v, const struct check *c)
{
	switch ((enum check_status)c->status) {
	case CHECK_FAIL:
		return RESULT_FAILED;
	case CHECK_INCONCLUSIVE:
		return report_comes_to(v, CHECK_INCONCLUSIVE) == CHECK_FAIL ? RESULT_FAILED : RESULT_SKIPPED;
	case CHECK_NOT_APPLICABLE:
		return RESULT_SKIPPED;
	case CHECK_PASS:
	case CHECK_WARN:
		break;
	}
	return RESULT_PASSED;
}

/* What was found, what was wanted, and where it is to be seen. */
static void put_details(struct text *out, const struct check *c)
{
	struct text t;

	text_init(&t);
	text_put_string(&t, c->text);
	text_put_char(&t, '\n');
	report_put_limits(&t, c);
	text_put_char(&t, '\n');
	for (unsigned i = 0; i < c->n_evidence; i++) {
		const struct evidence *e = &c->evidence[i];

		report_put_exchanges(&t, e);
		text_put_char(&t, ' ');
		report_put_times(&t, e);
		text_printf(&t, "  %s  %s  (%s)\n", e->request, e->what, e->client);
	}
	for (struct span rest = text_span(&t); rest.n; rest = span_skip(rest, span_find(rest, '\n') + 1)) {
		put_escaped(out, span_first(rest, span_find(rest, '\n')));
		text_put_char(out, '\n');
	}
	text_deinit(&t);
}

static void put_case(struct text *out, const struct verdict *v, const struct check *c)
{
	static const char *const elements[] = { NULL, "failure", "skipped" };
	const char *element = elements[result_of(v, c)];

	text_put_literal(out, "    <testcase");
	put_attribute(out, "name", span_of_string(check_name((enum check_id)c->id)));
	put_attribute(out, "classname", c->scope[0] ? span_of_string(c->scope) : SPAN("brownout"));
	put_seconds_attribute(out, "time", v->run.duration_ns);
	text_put_literal(out, ">\n");
	if (element) {
		text_printf(out, "      <%s", element);
		put_attribute(out, "message", span_of_string(c->text));
		put_attribute(out, "type", span_of_string(check_status_name((enum check_status)c->status)));
		text_put_char(out, '>');
		put_details(out, c);
		text_printf(out, "</%s>\n", element);
	} else {
		text_put_literal(out, "      <system-out>");
		text_put_string(out, c->status == CHECK_WARN ? "warning: " : "");
		put_details(out, c);
		text_put_literal(out, "</system-out>\n");
	}
	text_put_literal(out, "    </testcase>\n");
}

/* ---- the suite ---- */

static void put_totals(struct text *out, const struct verdict *v, unsigned n, const unsigned counts[3])
{
	text_printf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\"", n, counts[RESULT_FAILED]);
	put_seconds_attribute(out, "time", v->run.duration_ns);
}

static void put_properties(struct text *out, const struct verdict *v)
{
	char seed[24];
	struct text t;

	text_init_fixed(&t, seed, sizeof(seed));
	text_put_u64(&t, v->run.seed);
	text_put_literal(out, "    <properties>\n");
	put_property(out, "verdict", span_of_string(check_status_name(v->status)));
	put_property(out, "profile", span_of_string(expect_profile_name(v->profile)));
	if (v->run.has_seed)
		put_property(out, "seed", text_span(&t));
	if (v->policy[0])
		put_property(out, "policy", span_of_string(v->policy));
	if (v->run.reproduce)
		put_property(out, "reproduce", span_of_string(v->run.reproduce));
	text_put_literal(out, "    </properties>\n");
}

static void put_suite_head(struct text *out, const struct verdict *v, unsigned n, const unsigned counts[3])
{
	char block[WALL_TIME_BYTES];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	wall_time_write(&t, v->run.started_wall_ns);
	text_put_literal(out, "  <testsuite");
	put_attribute(out, "name", span_of_string(v->run.rules_file ? v->run.rules_file : "brownout"));
	put_totals(out, v, n, counts);
	text_printf(out, " skipped=\"%u\"", counts[RESULT_SKIPPED]);
	put_attribute(out, "timestamp", span_first(text_span(&t), 19)); /* without the zone, as it is read */
	text_put_literal(out, ">\n");
}

void report_write_junit(const struct verdict *v, struct text *out)
{
	unsigned counts[3] = { 0 }, n = 0;

	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		if (report_is_asked(&v->checks[i])) {
			counts[result_of(v, &v->checks[i])]++;
			n++;
		}
	}
	text_put_literal(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"brownout\"");
	put_totals(out, v, n, counts);
	text_put_literal(out, ">\n");
	put_suite_head(out, v, n, counts);
	put_properties(out, v);
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		if (report_is_asked(&v->checks[i]))
			put_case(out, v, &v->checks[i]);
	}
	text_put_literal(out, "  </testsuite>\n</testsuites>\n");
}
