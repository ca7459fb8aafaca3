/*
 * yaml_write: a tree as YAML that a person can read: block style, what is small on one line, quotes only where they are needed.
 * What is written reads back as the same tree.
 */
#ifndef BROWNOUT_CONFIG_YAML_WRITE_H
#define BROWNOUT_CONFIG_YAML_WRITE_H

#include "config/yaml_tree.h"

/* Spaces from one level to the next. */
#define YAML_INDENT 2

/* On one line. */
void yaml_write_flow(struct text *out, const struct yaml_node *node);
/*
 * What stands behind a "key:" of a mapping whose keys are in this column: " 503", " {path: /x}", or lines below, without the last
 * line's end. Of a container with containers in it each entry gets a line.
 */
void yaml_write_behind_key(struct text *out, const struct yaml_node *node, unsigned column);
/* What stands behind a "- ", which ends at this column; the same. */
void yaml_write_item(struct text *out, const struct yaml_node *node, unsigned column);
/* "key: value", the key in this column, where the text is already. */
void yaml_write_entry(struct text *out, const struct yaml_item *item, unsigned column);
/* A scalar that is no key, on one line. */
void yaml_write_scalar(struct text *out, const struct yaml_node *node);

#endif
