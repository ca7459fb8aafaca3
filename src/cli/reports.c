/*
 * reports: see src/rehearsal/report.h for the forms.
 */
#include "cli/reports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "rehearsal/report.h"

/* In the environment of each step of GitHub Actions. */
#define ACTIONS_VARIABLE "GITHUB_ACTIONS"
#define STEP_SUMMARY_VARIABLE "GITHUB_STEP_SUMMARY"

/* how: O_TRUNC, or O_APPEND where others write too. */
static int open_file(struct reports *r, const char *name, int how, void (*write)(const struct verdict *, struct text *))
{
	int fd = STDOUT_FILENO;

	if (!name)
		return EXIT_CODE_OK;
	if (strcmp(name, "-") != 0)
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | how, 0644);
	if (fd < 0) {
		log_error("%.200s: %s", name, strerror(errno));
		return EXIT_CODE_FAILED;
	}
	r->files[r->n].name = name;
	r->files[r->n].fd = fd;
	r->files[r->n++].write = write;
	return EXIT_CODE_OK;
}

/* What two reports wrote into one would be neither. */
static int refuse_shared(const struct reports_flags *flags)
{
	const char *const names[] = { flags->json, flags->junit, flags->tap, flags->markdown };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t k = 0; names[i] && k < i; k++) {
			if (!names[k] || strcmp(names[i], names[k]) != 0)
				continue;
			log_error("two reports cannot both go to %.200s",
				strcmp(names[i], "-") == 0 ? "standard output" : names[i]);
			return EXIT_CODE_USAGE;
		}
	}
	return EXIT_CODE_OK;
}

int reports_open(struct reports *r, const struct reports_flags *flags, bool quiet)
{
	const char *actions = getenv(ACTIONS_VARIABLE);
	bool in_actions = actions && strcmp(actions, "true") == 0;
	const char *markdown = flags->markdown;
	int rc;

	*r = (struct reports){ .quiet = quiet, .github = flags->github || in_actions };
	if (!markdown && in_actions)
		markdown = getenv(STEP_SUMMARY_VARIABLE);
	rc = refuse_shared(flags);
	if (rc == EXIT_CODE_OK)
		rc = open_file(r, flags->json, O_TRUNC, report_write_json);
	if (rc == EXIT_CODE_OK)
		rc = open_file(r, flags->junit, O_TRUNC, report_write_junit);
	if (rc == EXIT_CODE_OK)
		rc = open_file(r, flags->tap, O_TRUNC, report_write_tap);
	if (rc == EXIT_CODE_OK)
		rc = open_file(r, markdown, O_APPEND, report_write_markdown);
	if (rc != EXIT_CODE_OK)
		reports_close(r);
	return rc;
}

void reports_close(struct reports *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->files[i].fd != STDOUT_FILENO)
			(void)close(r->files[i].fd);
	}
	r->n = 0;
}

/* ---- writing ---- */

static int write_file(int fd, const char *name, const struct verdict *v, void (*write)(const struct verdict *, struct text *))
{
	struct text out;
	int rc;

	text_init(&out);
	write(v, &out);
	rc = out.cut ? -ENOMEM : output_to(fd, text_span(&out));
	text_deinit(&out);
	if (rc == 0)
		return EXIT_CODE_OK;
	log_error("%.200s: %s", name, strerror(-rc));
	return EXIT_CODE_FAILED;
}

static void write_text(const struct verdict *v)
{
	struct text out;

	text_init(&out);
	report_write_text(v, output_wants_color(), &out);
	output_note(&out);
}

int reports_write(struct reports *r, const struct verdict *v)
{
	int rc = EXIT_CODE_OK;

	if (!r->quiet || reports_exit_code(v) != EXIT_CODE_OK)
		write_text(v);
	if (r->github)
		rc = write_file(STDOUT_FILENO, "standard output", v, report_write_github);
	for (unsigned i = 0; i < r->n; i++) {
		int rc_file = write_file(r->files[i].fd, r->files[i].name, v, r->files[i].write);

		rc = rc == EXIT_CODE_OK ? rc_file : rc;
	}
	reports_close(r);
	return rc;
}

int reports_exit_code(const struct verdict *v)
{
	if (v->status == CHECK_FAIL)
		return EXIT_CODE_DIFFERENT;
	if (v->status == CHECK_INCONCLUSIVE && report_comes_to(v, CHECK_INCONCLUSIVE) == CHECK_FAIL)
		return EXIT_CODE_INCONCLUSIVE;
	return EXIT_CODE_OK;
}
