/*
 * content_keys: the content of an answer: a text, a file, JSON, a problem document.
 */
#ifndef BROWNOUT_CONFIG_CONTENT_KEYS_H
#define BROWNOUT_CONFIG_CONTENT_KEYS_H

#include "config/value.h"

/* What the rows of keys_body fill in, on the heap. */
struct content {
	struct span body;
	struct span type; /* empty: of a text */
};

extern const struct value_type value_any; /* what body: {json: } takes */
extern const struct value_type value_file; /* the name of a file */
extern const struct choice content_keys_words[]; /* scalars that are no texts: problem */

/* Whole values; base is a struct content. */
void content_keys_decode_json(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
void content_keys_decode_file(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* base is a struct fault_abort whose status and fields have been decoded. */
void content_keys_decode_body(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
/* The same of a struct fault_edit. */
void content_keys_decode_new_body(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);

#endif
