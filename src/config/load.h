/*
 * load: from the bytes of a rule file to a plan, or to all that is wrong with it. The whole file is always read and
 * checked; every error is reported in one go, each with its place.
 */
#ifndef BROWNOUT_CONFIG_LOAD_H
#define BROWNOUT_CONFIG_LOAD_H

#include "config/diagnostic.h"
#include "config/expand.h"
#include "config/plan.h"

struct suggestion;

#define LOAD_FILE_BYTES_MAX (1024 * 1024)

struct load_options {
	load_env_fn env; /* NULL: no variable is set */
	void *env_arg;
	/* Values from the command line that win over the file's; NULL or 0: not given. */
	const char *listen; /* address of the only listener, or of the one named `default` */
	const char *upstream;
	const char *admin; /* address of the admin listener, which it turns on */
	const char *admin_token; /* for that listener where the file has no token */
};

/*
 * 0: *plan is made (reference 1), d may have warnings and notes. 1: d has errors, *plan is NULL. -ENOMEM.
 * file is kept for messages, source is its bytes. d must be zeroed or empty; it is sorted by place.
 */
int load_plan(const char *file, struct span source, const struct load_options *options, struct plan **plan,
	struct diagnostics *d) MUST_USE;
/* Reads a file ("-": standard input) of at most LOAD_FILE_BYTES_MAX into *source (the caller's to free). -errno; -EFBIG. */
int load_read_file(const char *file, struct text *source) MUST_USE;

/* `brownout help rules` and `brownout schema`, from the same key table as the parser. */
void load_write_reference(struct text *out, unsigned columns);
/* Of the keys of this name alone, wherever they stand, and of what is below them. 1: there is none; *meant may be one. */
int load_write_reference_of(struct text *out, unsigned columns, struct span name, struct suggestion *meant) MUST_USE;
/* The same as sections of a manual page, without its head. */
void load_write_manual(struct text *out);
void load_write_schema(struct text *out);

#endif
