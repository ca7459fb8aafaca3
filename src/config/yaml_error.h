/*
 * yaml_error: libyaml's words for what is wrong with a text, put so that they help whoever wrote it.
 */
#ifndef BROWNOUT_CONFIG_YAML_ERROR_H
#define BROWNOUT_CONFIG_YAML_ERROR_H

#include "base/span.h"

/* problem and context are libyaml's (NULL: none), `at` is the place of the problem in the source. Static text. */
const char *yaml_error_text(const char *problem, const char *context, struct span source, size_t at);

/* What the context is about: "the list"; NULL where its begin would tell nothing. */
const char *yaml_error_noun(const char *context);

#endif
