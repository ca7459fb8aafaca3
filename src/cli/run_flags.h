/*
 * run_flags: the arguments of `brownout run`, and the rule file that they stand for where none is given.
 */
#ifndef BROWNOUT_CLI_RUN_FLAGS_H
#define BROWNOUT_CLI_RUN_FLAGS_H

#include "base/text.h"
#include "cli/reports.h"
#include "cli/serve.h"

struct run_flags {
	const char *file; /* all strings live like argv; NULL: not given */
	const char *upstream;
	const char *listen;
	const char *abort;
	const char *delay;
	const char *percentage;
	const char *path;
	const char *expect;
	const char *access;
	const char *log_format;
	const char *trace;
	const char *admin; /* "": at the usual address */
	bool has_seed;
	uint64_t seed;
	bool has_workers;
	uint64_t workers;
	char *const *command; /* behind --, ends with NULL; NULL: there is none */
	int64_t time_limit_ns; /* of the command; 0: none */
	struct reports_flags reports;
	bool has_summary;
	bool help;
	struct serve_options serve;
};

/* EXIT_CODE_OK, or EXIT_CODE_USAGE after one line on standard error. */
int run_flags_parse(struct run_flags *f, int argc, char **argv) MUST_USE;
void run_flags_write_help(struct text *out);
/*
 * The rules of -u, -l and the fault flags as a rule file, in the JSON that is YAML: so that the loader checks what was
 * given here by the same rules and in the same words as a file.
 */
void run_flags_write_rules(const struct run_flags *f, struct text *out);

#endif
