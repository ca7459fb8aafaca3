/*
 * reports: where a verdict goes: for people to standard error, for machines to the files that were asked for and to the CI
 * runner that brownout runs in. Files are opened before anything is run, so that a wrong name is told at once.
 */
#ifndef BROWNOUT_CLI_REPORTS_H
#define BROWNOUT_CLI_REPORTS_H

#include "base/text.h"
#include "rehearsal/verdict.h"

/* Rows for the options of a command that gives a verdict, as in run_flags.c. */
#define REPORTS_OPTIONS(X)                                                                                                      \
	X(JSON, "json", 0, "FILE", "the verdict as JSON to FILE (- is standard output)")                                        \
	X(JUNIT, "junit", 0, "FILE", "the verdict as JUnit XML to FILE")                                                        \
	X(TAP, "tap", 0, "FILE", "the verdict as TAP to FILE")                                                                  \
	X(SUMMARY_MD, "summary-md", 0, "FILE", "the verdict as Markdown to the end of FILE")                                    \
	X(GITHUB, "github", 0, NULL, "annotations for GitHub Actions (there by itself) to standard output")

struct reports_flags {
	const char *json; /* all live like argv; NULL: not asked for */
	const char *junit;
	const char *tap;
	const char *markdown;
	bool github;
};

#define REPORTS_FILES_MAX 4

struct reports {
	bool quiet; /* nothing for people where all is well */
	bool github;
	unsigned n;
	struct {
		const char *name;
		int fd;
		void (*write)(const struct verdict *v, struct text *out);
	} files[REPORTS_FILES_MAX];
};

/* Under GitHub Actions (GITHUB_ACTIONS, GITHUB_STEP_SUMMARY) more than the flags ask for. An exit code, after one line. */
int reports_open(struct reports *r, const struct reports_flags *flags, bool quiet) MUST_USE;
/* Writes all and closes the files. An exit code, after a line for each that could not be written. */
int reports_write(struct reports *r, const struct verdict *v) MUST_USE;
/* Where there is no verdict. */
void reports_close(struct reports *r);

/* 0, 3 or 4: what the verdict on a run that went well otherwise comes to. */
int reports_exit_code(const struct verdict *v);

#endif
