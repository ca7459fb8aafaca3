/*
 * load: from the bytes of a rule file to a plan, or to all that is wrong with it. The whole file is always read and
 * checked; every error is reported in one go, each with its place.
 */
#ifndef BROWNOUT_CONFIG_LOAD_H
#define BROWNOUT_CONFIG_LOAD_H

#include "base/text.h"
#include "config/plan.h"

#define LOAD_FILE_BYTES_MAX (1024 * 1024)

enum diagnostic_level { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING, DIAGNOSTIC_NOTE };

struct diagnostic {
	enum diagnostic_level level;
	unsigned line; /* from 1; 0: of the whole file */
	unsigned column; /* from 1, in bytes */
	char *message; /* "rules[2].delay: \"10 minutes\" is not a duration (write 10m)" */
};

struct diagnostics {
	struct diagnostic *v;
	unsigned n;
	unsigned cap;
	unsigned n_errors;
	unsigned n_warnings;
	bool cut; /* more than the bound (100) */
};

void diagnostics_deinit(struct diagnostics *d);
/* "file:line:col: error: message", the source line, a caret; sorted by place. `color` for terminals. */
void diagnostics_write(const struct diagnostics *d, const char *file, struct span source, bool color, struct text *out);

/* How ${VAR} is looked up; NULL value: not set. */
typedef const char *(*load_env_fn)(void *arg, const char *name);

struct load_options {
	load_env_fn env;
	void *env_arg;
	/* Values from the command line that win over the file's; NULL or 0: not given. */
	const char *listen; /* address of the only listener, or of the one named `default` */
	const char *upstream;
};

/*
 * 0: *plan is made (reference 1), d may have warnings. 1: d has errors, *plan is NULL. -ENOMEM.
 * file is used in messages and for relative paths in the file (body: {file: }), source is its bytes.
 */
int load_plan(const char *file, struct span source, const struct load_options *options, struct plan **plan,
	struct diagnostics *d) MUST_USE;
/* Reads a file ("-": standard input) of at most LOAD_FILE_BYTES_MAX into *source (the caller's to free). -errno; -EFBIG. */
int load_read_file(const char *file, struct text *source) MUST_USE;

/* `brownout help rules` and `brownout schema`, from the same key table as the parser. */
void load_write_reference(struct text *out, unsigned columns);
void load_write_schema(struct text *out);

#endif
