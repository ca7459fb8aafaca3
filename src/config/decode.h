/*
 * decode: from the tree to the plan, by tables. A mapping of the rule file is a struct key_map: one row per key with its
 * type, range, default and description. The parser, `brownout help rules` and the JSON Schema all read these rows; a new
 * key is a new row. Errors are collected, never stop the decoding: all that is wrong is found in one go.
 */
#ifndef BROWNOUT_CONFIG_DECODE_H
#define BROWNOUT_CONFIG_DECODE_H

#include "config/expand.h"
#include "config/plan.h"
#include "config/yaml_tree.h"

struct json;
struct key;
struct key_map;

/* The state of one load. Where memory is out out_of_memory is set and zeroes stay behind; the load then fails as a whole. */
struct decode {
	struct plan *plan;
	struct arena *arena; /* the plan's */
	const struct yaml_tree *tree;
	struct diagnostics *diagnostics;
	struct text path; /* of what is being decoded: "rules[2].delay" */
	unsigned n_regexes;
	uint64_t side_hash; /* of the files that the rule being decoded names; 0: none */
	bool out_of_memory;
};

/* Compiling one can take a millisecond. */
#define DECODE_REGEXES_MAX 1000

/* One kind of scalar. */
struct value_type {
	const char *name; /* in messages and the reference: "duration" */
	const char *phrase; /* "a duration" */
	/* Reads node (a scalar that is not null) into the field. key gives range, size and choices. */
	void (*decode)(struct decode *d, const struct key *key, const struct yaml_node *node, void *field);
	/* Writes the members of a JSON Schema that such a scalar fits, into an object that is open. */
	void (*schema)(struct json *j, const struct key *key);
};

struct choice { /* a word and what it stands for; the last has no name */
	const char *name;
	uint64_t value;
};

/* What a key's value may be: one value, a list of them, either; KEY_NAMED is a mapping of free names to that. */
enum { KEY_ONE = 0, KEY_LIST = 1, KEY_ONE_OR_LIST = 2, KEY_NAMED = 4 };

struct key {
	const char *name;
	const struct value_type *type; /* as a scalar; NULL: never one */
	const struct key_map *map; /* as a mapping; NULL: never one */
	unsigned shape;
	bool required;
	bool may_be_empty; /* "limits:" with nothing below is as if it were not there; of other keys that is an error */
	bool heap; /* lists and texts are freed one by one by their owner (rules); else they live in the plan's arena */

	/* Where it goes in the struct of its key_map. */
	size_t offset;
	size_t size; /* of the field, or of one element of the list */
	size_t count_offset; /* of a list: its `unsigned` count */
	size_t element_offset; /* where in an element the value goes */
	size_t name_offset; /* of NAMED: a struct span in each element */

	uint64_t min; /* of counts, sizes, durations (ns) and percentages (millionths) */
	uint64_t max;
	unsigned min_items; /* of a list */
	unsigned max_items; /* 0: no bound but the file's */
	const struct choice *choices;

	const char *default_text; /* decoded where the key is not given */
	const char *default_note; /* says what happens where it is not given; not decoded */
	const char *description;
	const char *example; /* "delay: 250ms" */

	/* Instead of all the above: reads the whole value. base is the struct of the key's map. */
	void (*decode)(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
	/* Of NAMED: checks and copies the name; false where it is wrong (said). NULL: any text. */
	bool (*decode_name)(struct decode *d, const struct key *key, const struct yaml_node *node, struct span *name);
};

struct key_map {
	const char *name; /* "rule"; unique */
	const char *title; /* of its section in the reference, where it stands in several places; NULL: its path */
	const struct key_map *like; /* its keys are among those of this one, and described there; NULL: none */
	const char *phrase; /* "a rule" */
	const char *description;
	const struct key *keys;
	unsigned n_keys;
	const char *short_key; /* a scalar is this key's value; NULL: none */
	unsigned one_of; /* of the first so many keys exactly one must be given */
	void (*init)(void *base); /* before the keys; the struct is zeroed */
	/* After the keys: what concerns several of them. node may be a scalar (short form). */
	void (*finish)(struct decode *d, const struct yaml_node *node, void *base);
};

/* ---- messages: "PATH: text" at the place of the node ---- */

void decode_error(struct decode *d, const struct yaml_node *node, const char *format, ...) PRINTF_LIKE(3, 4);
void decode_warning(struct decode *d, const struct yaml_node *node, const char *format, ...) PRINTF_LIKE(3, 4);
void decode_note(struct decode *d, const struct yaml_node *node, const char *format, ...) PRINTF_LIKE(3, 4);

/* Steps into a key or an item, for messages; returns what decode_leave needs. */
size_t decode_enter_key(struct decode *d, struct span name);
size_t decode_enter_item(struct decode *d, unsigned i);
void decode_leave(struct decode *d, size_t mark);

/* ", did you mean X?" into a block of the caller's; "" where wanted is empty. */
const char *decode_suggestion(struct span wanted, char *block, size_t n);
#define DECODE_SUGGESTION_BYTES 80
/* "request or response": the words that the key may be. */
void decode_put_choices(struct text *out, const struct key *key);
/* For "%.*s" of a quoted text: cut to what fits a line. */
#define DECODE_SHOWN(s) SPAN_ARG(span_first((s), 60))

/* ---- decoding ---- */

/* A zeroed struct gets its init, its keys and defaults, its finish. */
void decode_map(struct decode *d, const struct key_map *map, const struct yaml_node *node, void *base);
/* Only the init and the defaults. */
void decode_defaults(struct decode *d, const struct key_map *map, void *base);
/* One value in place: by the type if a scalar, by the map if a mapping. */
void decode_value(struct decode *d, const struct key *key, const struct yaml_node *node, void *field);
/* Appends an element to the key's list and decodes node into it; NULL where memory is out. */
void *decode_append(struct decode *d, const struct key *key, const struct yaml_node *node, void *base);
const struct key *decode_find_key(const struct key_map *map, struct span name);

/* True where the node is a scalar that is not null; else says what it must be (but of a broken one all has been said). */
bool decode_is_scalar(struct decode *d, const struct yaml_node *node, const char *phrase);

/* Stores into an unsigned integer field of key->size bytes (bool, enum, uint16_t to uint64_t). */
void decode_store(const struct key *key, void *field, uint64_t value);

/* Memory of a rule (freed by its owner) or of the plan; NULL where it is out (noted). Zeroed. */
void *decode_alloc(struct decode *d, bool heap, size_t n, size_t size);
/* A copy of s; empty where memory is out (noted) or s is empty. */
struct span decode_copy(struct decode *d, bool heap, struct span s);
/* The same in lower case (ASCII). */
struct span decode_lower(struct decode *d, bool heap, struct span s);

#endif
