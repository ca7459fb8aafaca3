/*
 * yaml_source: what is asked of the bytes before libyaml sees them, and where in them a place is. libyaml counts
 * characters; everything of ours counts bytes.
 */
#ifndef BROWNOUT_CONFIG_YAML_SOURCE_H
#define BROWNOUT_CONFIG_YAML_SOURCE_H

#include "config/yaml_tree.h"

/* Fills tree->lines; refuses what is too large, not UTF-8, has control characters or a directive. As yaml_tree_read. */
int yaml_source_check(struct yaml_tree *tree, struct arena *arena, struct diagnostics *d) MUST_USE;

/* From libyaml's character index to a byte offset. Costs what it moves by since the last call. */
struct yaml_cursor {
	struct span source;
	size_t index;
	size_t byte;
};
uint32_t yaml_cursor_seek(struct yaml_cursor *c, size_t index);

/* The rest from its first line that is not blank, a comment or an end mark; empty where there is none. */
struct span yaml_source_skip_blank(struct span rest);

#endif
