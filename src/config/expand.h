/*
 * expand: ${VAR} in the scalars of a tree, after parsing, so that a value cannot become structure. Keys are left alone.
 *   ${VAR}            the variable; an error where it is not set
 *   ${VAR:-default}   the default (up to the next "}") where it is not set or empty, as in a shell
 *   $$                one "$"; a "$" before anything else stands for itself
 */
#ifndef BROWNOUT_CONFIG_EXPAND_H
#define BROWNOUT_CONFIG_EXPAND_H

#include "config/variables.h"
#include "config/yaml_tree.h"

/* How a variable is looked up; NULL value: not set. */
typedef const char *(*load_env_fn)(void *arg, const char *name);

/* All scalars together may grow to this. */
#define EXPAND_BYTES_MAX ((size_t)1024 * 1024)

struct expand_options {
	load_env_fn env; /* NULL: no variable is set */
	void *env_arg;
	struct plan_variables *used; /* which there are goes here ... */
	struct arena *kept; /* ... and here lies what it points to */
};

/* 0 or -ENOMEM. d says what could not be expanded, all of it; those scalars are marked as broken. */
int expand_tree(const struct yaml_tree *tree, struct arena *arena, const struct expand_options *options, struct diagnostics *d)
	MUST_USE;

#endif
