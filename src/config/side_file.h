/*
 * side_file: a file that the rule file names: a body, samples. Relative to the rule file, plain, bounded.
 */
#ifndef BROWNOUT_CONFIG_SIDE_FILE_H
#define BROWNOUT_CONFIG_SIDE_FILE_H

#include "config/decode.h"

#define SIDE_FILE_BYTES_MAX ((size_t)1024 * 1024)

/*
 * Reads the file that the scalar names into *content (the caller's to free, even on failure). False where it cannot be read
 * or is larger than SIDE_FILE_BYTES_MAX (said at the node). What it holds becomes part of the rule's text hash.
 */
bool side_file_read(struct decode *d, const struct yaml_node *node, struct text *content);

#endif
