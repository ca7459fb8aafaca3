/* live_file: a text becomes what is served as a whole or not at all, and only what the file did not say before is news. */
#include "admin/live_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#define TEXT "upstream: origin\nlisten: 127.0.0.1:0\nworkers: 1\nseed: 1\nrules:\n- {name: a, abort: 503}\n"
#define OTHER "upstream: origin\nlisten: 127.0.0.1:0\nworkers: 1\nseed: 1\nrules:\n- {name: b, abort: 503}\n"
#define BROKEN "upstream: origin\nrules:\n- {name: b, abort: 1}\n"

static struct server *server;
static struct live_file *file;

static void start(const struct live_file_options *options)
{
	struct diagnostics d = { 0 };
	struct plan *plan;
	char error[200] = "";

	cr_assert_eq(load_plan("test.yaml", SPAN(TEXT), NULL, &plan, &d), 0);
	cr_assert_eq(server_start(&server, plan, NULL, error, sizeof(error)), 0, "%s", error);
	plan_unref(plan);
	cr_assert_eq(live_file_new(&file, server, options, SPAN(TEXT)), 0);
	diagnostics_deinit(&d);
}

static void stop(void)
{
	live_file_free(file);
	server_free(server);
}

static void expect_in_force(const char *text, uint64_t generation)
{
	struct text source;

	text_init(&source);
	live_file_source(file, &source);
	cr_expect(span_eq(text_span(&source), span_of_string(text)), "%.*s", SPAN_ARG(text_span(&source)));
	text_deinit(&source);
	cr_expect_eq(server_generation(server), generation);
}

/* A change of the one text into the other. */
struct change {
	const char *before; /* NULL: nothing is asked about it */
	const char *with; /* NULL: it says no */
};

static bool change(void *arg, const struct plan *plan, struct span source, struct text *edited, struct diagnostics *d)
{
	const struct change *c = arg;

	cr_expect_eq(plan->rules.n, 1);
	/* The plan is that of the text, whose only rule is called a or b. */
	cr_expect(memmem(source.p, source.n, plan->rules.v[0].name.p, plan->rules.v[0].name.n));
	cr_expect(span_eq(source, span_of_string(c->before)));
	cr_expect_eq(d->n_errors, 0);
	if (c->with)
		text_put_string(edited, c->with);
	return c->with != NULL;
}

static void expect_replace(const char *before, const char *with, int wanted, unsigned n_errors)
{
	struct change c = { before, with };
	struct diagnostics d = { 0 };
	struct text report;
	int rc;

	text_init(&report);
	if (before)
		rc = live_file_edit(file, change, &c, &d, &report);
	else
		rc = live_file_replace(file, span_of_string(with), &d, &report);
	cr_expect_eq(rc, wanted, "%d: %.*s", rc, SPAN_ARG(text_span(&report)));
	cr_expect_eq(d.n_errors, n_errors);
	diagnostics_deinit(&d);
	text_deinit(&report);
}

Test(live_file, texts_from_elsewhere, .timeout = 20)
{
	static const struct live_file_options options = { .name = "test.yaml" };
	struct text report;

	start(&options);
	expect_in_force(TEXT, 1);
	expect_replace(NULL, BROKEN, 1, 1);
	expect_in_force(TEXT, 1);
	expect_replace(NULL, OTHER, 0, 0);
	expect_in_force(OTHER, 2);
	expect_replace(OTHER, NULL, -ECANCELED, 0);
	expect_in_force(OTHER, 2);
	expect_replace(OTHER, BROKEN, 1, 1);
	expect_in_force(OTHER, 2);
	expect_replace(OTHER, TEXT, 0, 0);
	expect_in_force(TEXT, 3);
	text_init(&report);
	cr_expect_lt(live_file_reload(file, &report), 0);
	cr_expect(report.n > 0);
	text_deinit(&report);
	stop();
}

Test(live_file, read_again, .timeout = 20)
{
	char name[] = "/tmp/brownout-unit-XXXXXX";
	const struct live_file_options options = { .name = name, .is_file = true };
	int fd = mkstemp(name);
	struct text report;

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, OTHER, strlen(OTHER)), (ssize_t)strlen(OTHER));
	start(&options);
	cr_expect(!live_file_is_read(file));
	text_init(&report);
	cr_expect_eq(live_file_reload(file, &report), 0, "%.*s", SPAN_ARG(text_span(&report)));
	expect_in_force(OTHER, 2);
	/* What came from elsewhere makes no news of the file. */
	expect_replace(NULL, TEXT, 0, 0);
	cr_expect(live_file_is_read(file));
	expect_replace(NULL, OTHER, 0, 0);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect(!live_file_is_read(file));
	cr_expect_eq(live_file_reload(file, &report), 1);
	cr_expect(live_file_is_read(file), "it has been said that it is wrong");
	cr_expect(memmem(report.p, report.n, "there is no upstream", 20), "%.*s", SPAN_ARG(text_span(&report)));
	expect_in_force(OTHER, 4);
	(void)unlink(name);
	cr_expect(live_file_is_read(file));
	cr_expect_lt(live_file_reload(file, &report), 0);
	expect_in_force(OTHER, 4);
	text_deinit(&report);
	(void)close(fd);
	stop();
}
