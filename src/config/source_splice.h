/*
 * source_splice: changes to the text of a YAML file that turn one tree into another: pieces of the text that are to be replaced.
 * Works by the places that the tree's nodes have in the text, and touches nothing but what differs. It may meet a way of
 * writing that it does not know: so whoever uses it reads the result again.
 */
#ifndef BROWNOUT_CONFIG_SOURCE_SPLICE_H
#define BROWNOUT_CONFIG_SOURCE_SPLICE_H

#include "config/yaml_tree.h"

struct splice {
	struct splice *next;
	uint32_t at, end; /* this piece of the source ... */
	struct span text; /* ... becomes this */
};

struct splices {
	struct arena *arena; /* all texts live there */
	struct span source; /* the tree's */
	struct splice *first; /* in no order */
	unsigned n;
	bool failed; /* memory is out, or something is written in a way that cannot be changed */
};

void splices_init(struct splices *s, struct arena *arena, const struct yaml_tree *tree);
/* Appends the changed source. False where it failed, or two changes are of one place. */
bool splices_apply(struct splices *s, struct text *out) MUST_USE;

/* item, which is in container, gets this value: where both are mappings with a key in common only what differs is touched. */
void splices_set(struct splices *s, const struct yaml_node *container, const struct yaml_item *item,
	const struct yaml_node *value);
/* The same, as a whole. */
void splices_replace(struct splices *s, const struct yaml_node *container, const struct yaml_item *item,
	const struct yaml_node *value);
/* This text, for an item of a sequence in a block; its lines get the indentation. */
void splices_replace_raw(struct splices *s, const struct yaml_item *item, struct span text);
/* The mapping gets the keys and values of the other one. */
void splices_change(struct splices *s, const struct yaml_node *mapping, const struct yaml_node *wanted);
/*
 * A new item of a sequence that has some: before the given one, behind the last where that is NULL. text: as it is to stand there
 * (of a block: its lines get the indentation); empty: the value is written.
 */
void splices_insert_item(struct splices *s, const struct yaml_node *sequence, const struct yaml_item *before,
	const struct yaml_node *value, struct span text);
/* Removes an item of the sequence that holder, an item of a mapping, has for its value. */
void splices_remove_item(struct splices *s, const struct yaml_item *holder, const struct yaml_item *item);

#endif
