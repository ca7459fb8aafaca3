/*
 * report_samples FORMAT VERDICT: one of the made-up verdicts in one of the forms, for their readers to try (check_reports).
 */
#include <stdio.h>
#include <string.h>

#include "rehearsal/report.h"
#include "verdicts.h"

static const struct {
	const char *name;
	void (*write)(const struct verdict *v, struct text *out);
} formats[] = {
	{ "json", report_write_json }, { "junit", report_write_junit }, { "tap", report_write_tap },
	{ "github", report_write_github }, { "markdown", report_write_markdown },
};

static void bad_must_fail(struct verdict *v)
{
	verdicts_bad(v);
	v->inconclusive = EXPECT_INCONCLUSIVE_FAIL;
}

static const struct {
	const char *name;
	void (*fill)(struct verdict *v);
} verdicts[] = {
	{ "bad", verdicts_bad }, { "strict", bad_must_fail }, { "good", verdicts_good }, { "nothing", verdicts_nothing },
};

int main(int argc, char **argv)
{
	static struct verdict v;
	struct text out;

	text_init(&out);
	for (size_t f = 0; argc == 3 && f < ARRAY_LEN(formats); f++) {
		for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
			if (strcmp(argv[1], formats[f].name) != 0 || strcmp(argv[2], verdicts[i].name) != 0)
				continue;
			verdicts[i].fill(&v);
			formats[f].write(&v, &out);
		}
	}
	(void)fwrite(out.p, 1, out.n, stdout);
	argc = out.n == 0 || out.cut;
	text_deinit(&out);
	return argc;
}
