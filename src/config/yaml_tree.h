/*
 * yaml_tree: the bytes of a YAML (or JSON) document as a tree whose nodes know their place. A narrow YAML on purpose: one
 * document, no tags, no directives, no merge keys, no key twice; size, depth, nodes and what aliases unfold to are bounded,
 * so that a hostile file is refused at once. The tree lives in the arena that it was read into.
 */
#ifndef BROWNOUT_CONFIG_YAML_TREE_H
#define BROWNOUT_CONFIG_YAML_TREE_H

#include "config/arena.h"
#include "config/diagnostic.h"

#define YAML_BYTES_MAX ((size_t)1024 * 1024)
#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 200000
#define YAML_ANCHORS_MAX 256
#define YAML_ALIASED_NODES_MAX 10000 /* what all aliases together stand for */

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_item { /* of a sequence or a mapping, in the order of the file */
	struct yaml_item *next;
	struct yaml_node *key; /* NULL in a sequence; always a scalar */
	struct yaml_node *value;
	/* Byte offsets of the two as they stand here, which of an alias is not where the node stands; each end is one behind. */
	uint32_t key_at, key_end;
	uint32_t at, end;
	bool is_alias; /* the value: it stands elsewhere */
};

/* An anchored node is shared by its aliases: read it, do not change it but for all of them (expansion does). */
struct yaml_node {
	enum yaml_kind kind;
	bool plain; /* a scalar without quotes */
	bool flow; /* a container in brackets or braces */
	bool open; /* while reading: its end was not seen yet */
	bool expanded; /* ${VAR} was looked for */
	bool broken; /* and not found: an error was reported, the text says nothing */
	uint32_t at; /* byte offset in the source */
	uint32_t weight; /* nodes from here down, aliases unfolded */
	uint32_t height; /* 1 for a scalar */
	uint32_t n; /* items */
	struct span text; /* of a scalar; may hold any byte */
	struct yaml_item *items;
};

struct yaml_tree {
	struct span source;
	struct yaml_node *root; /* NULL: the document is empty */
	bool has_anchors;
	uint32_t *lines; /* offset of each line's first byte */
	unsigned n_lines;
};

/*
 * 0; 1: not acceptable, d says why, the root is NULL; -ENOMEM. Duplicate keys are errors in d, but the tree is there (with
 * both), so that what else is wrong can be found. source must outlive the tree.
 */
int yaml_tree_read(struct yaml_tree *tree, struct arena *arena, struct span source, struct diagnostics *d) MUST_USE;

/* Line and column (in bytes) from 1. */
void yaml_tree_place(const struct yaml_tree *tree, uint32_t at, unsigned *line, unsigned *column);

/* The item of a key; NULL where there is none or node is no mapping, or NULL. */
struct yaml_item *yaml_node_find(const struct yaml_node *node, struct span key);
/* The value of a key; NULL where there is none or node is no mapping. */
struct yaml_node *yaml_node_get(const struct yaml_node *node, const char *key);
/* Empty, `~` or `null`, unquoted. */
bool yaml_node_is_null(const struct yaml_node *node);
/* Equal for equal content, whatever the order of keys, the quoting and the comments. */
uint64_t yaml_node_hash(const struct yaml_node *node);
/* The same, of a mapping without the items that have one of these keys. */
uint64_t yaml_node_hash_without(const struct yaml_node *node, const struct span *without, unsigned n);

#endif
