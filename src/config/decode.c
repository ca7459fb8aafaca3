/*
 * decode: the generic part: walking a mapping along its table, lists, names, defaults, unknown keys. It knows no key by
 * name. Keys are decoded in the order of the table, not of the file, so that a later row may refer to what an earlier
 * one has decoded.
 */
#include "config/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/suggest.h"
#include "config/value.h"

/* ---- messages ---- */

static void add(struct decode *d, enum diagnostic_level level, const struct yaml_node *node, const char *format, va_list args)
	PRINTF_LIKE(4, 0);
static void add(struct decode *d, enum diagnostic_level level, const struct yaml_node *node, const char *format, va_list args)
{
	char text[512];
	unsigned line, column;

	(void)vsnprintf(text, sizeof(text), format, args);
	yaml_tree_place(d->tree, node->at, &line, &column);
	diagnostics_add(d->diagnostics, level, line, column, "%.*s%s%s", SPAN_ARG(text_span(&d->path)),
		d->path.n ? ": " : "", text);
}

void decode_error(struct decode *d, const struct yaml_node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, DIAGNOSTIC_ERROR, node, format, args);
	va_end(args);
}

void decode_warning(struct decode *d, const struct yaml_node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, DIAGNOSTIC_WARNING, node, format, args);
	va_end(args);
}

void decode_note(struct decode *d, const struct yaml_node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, DIAGNOSTIC_NOTE, node, format, args);
	va_end(args);
}

size_t decode_enter_key(struct decode *d, struct span name)
{
	size_t mark = d->path.n;

	if (mark)
		text_put_char(&d->path, '.');
	text_put_span(&d->path, span_first(name, 60));
	return mark;
}

size_t decode_enter_item(struct decode *d, unsigned i)
{
	size_t mark = d->path.n;

	text_printf(&d->path, "[%u]", i);
	return mark;
}

void decode_leave(struct decode *d, size_t mark)
{
	d->path.n = mark;
}

const char *decode_suggestion(struct span wanted, char *block, size_t n)
{
	block[0] = '\0';
	if (wanted.n)
		(void)snprintf(block, n, ", did you mean \"%.*s\"?", SPAN_ARG(span_first(wanted, SUGGEST_WORD_BYTES_MAX)));
	return block;
}

void decode_put_choices(struct text *out, const struct key *key)
{
	for (const struct choice *c = key->choices; c->name; c++) {
		text_put_string(out, c == key->choices ? "" : c[1].name ? ", " : " or ");
		text_put_string(out, c->name);
	}
}

/* ---- memory ---- */

void *decode_alloc(struct decode *d, bool heap, size_t n, size_t size)
{
	void *p = heap ? calloc(n, size) : arena_alloc(d->arena, n * size); /* n is bounded by the file's size */

	if (!p)
		d->out_of_memory = true;
	return p;
}

struct span decode_copy(struct decode *d, bool heap, struct span s)
{
	struct span copy;

	if (s.n == 0)
		return SPAN_EMPTY;
	copy = heap ? span_of(span_dup(s), s.n) : arena_copy(d->arena, s);
	if (copy.p)
		return copy;
	d->out_of_memory = true;
	return SPAN_EMPTY;
}

struct span decode_lower(struct decode *d, bool heap, struct span s)
{
	char *lower = decode_alloc(d, heap, s.n + 1, 1);

	if (!lower)
		return SPAN_EMPTY;
	for (size_t i = 0; i < s.n; i++)
		lower[i] = ascii_lower(s.p[i]);
	return span_of(lower, s.n);
}

void decode_store(const struct key *key, void *field, uint64_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	switch (key->size) {
	case 1:
		memcpy(field, &v8, 1);
		break;
	case 2:
		memcpy(field, &v16, 2);
		break;
	case 4:
		memcpy(field, &v32, 4);
		break;
	default:
		memcpy(field, &value, 8);
		break;
	}
}

/* ---- one value ---- */

static const char *describe_node(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_SEQUENCE:
		return "a list";
	case YAML_MAPPING:
		return "a mapping";
	case YAML_SCALAR:
		break;
	}
	return yaml_node_is_null(node) ? "empty" : "a text";
}

bool decode_is_scalar(struct decode *d, const struct yaml_node *node, const char *phrase)
{
	if (node->broken)
		return false;
	if (node->kind == YAML_SCALAR && !yaml_node_is_null(node))
		return true;
	decode_error(d, node, "must be %s, not %s", phrase, describe_node(node));
	return false;
}

/* The scalar that a key takes, itself or by its map's short form. */
static void put_scalar_phrase(struct text *out, const struct key *key)
{
	if (key->type == &value_choice)
		decode_put_choices(out, key);
	else if (key->type)
		text_put_string(out, key->type->phrase);
	else if (key->map && key->map->short_key)
		put_scalar_phrase(out, decode_find_key(key->map, span_of_string(key->map->short_key)));
}

/* "name:x" is a text, which surprises. */
static bool lacks_blank(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->plain && span_find(node->text, ':') < node->text.n;
}

/* shape: that of the key, or KEY_ONE for an element. */
static void refuse_kind(struct decode *d, const struct key *key, unsigned shape, const struct yaml_node *node)
{
	const char *map = key->map ? key->map->phrase : "";
	const char *before = shape & KEY_NAMED ? "a mapping, each value " : shape == KEY_LIST ? "a list, each entry " : "";
	const char *after = shape == KEY_ONE_OR_LIST ? ", or a list of these" : "";
	char block[256];
	struct text one;

	text_init_fixed(&one, block, sizeof(block));
	put_scalar_phrase(&one, key);
	decode_error(d, node, "must be %s%.*s%s%s%s, not %s%s", before, SPAN_ARG(text_span(&one)), one.n && *map ? " or " : "",
		map, after, describe_node(node), lacks_blank(node) ? " (a blank is missing behind the \":\")" : "");
}

void decode_value(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	if (node->broken)
		return;
	if (node->kind == YAML_SCALAR && key->type && !yaml_node_is_null(node))
		key->type->decode(d, key, node, field);
	else if (key->map && (node->kind == YAML_MAPPING || (node->kind == YAML_SCALAR && key->map->short_key)))
		decode_map(d, key->map, node, field);
	else
		refuse_kind(d, key, KEY_ONE, node);
}

/* ---- lists and names ---- */

/* The field is a pointer to some struct, which may look different from a void pointer: it is copied as bytes. */
static char *get_list(const struct key *key, const void *base)
{
	char *list;

	memcpy(&list, (const char *)base + key->offset, sizeof(list));
	return list;
}

static void set_list(const struct key *key, void *base, char *list)
{
	memcpy((char *)base + key->offset, &list, sizeof(list));
}

static unsigned *count_field(const struct key *key, void *base)
{
	return (unsigned *)(void *)((char *)base + key->count_offset);
}

/* Room for n more elements behind those that the list has; the first of them, or NULL where there are none to decode. */
static char *grow_list(struct decode *d, const struct key *key, const struct yaml_node *node, unsigned n, void *base)
{
	unsigned *count = count_field(key, base);
	char *list = get_list(key, base), *grown;

	if (n < key->min_items) {
		decode_error(d, node, "must not be empty");
		return NULL;
	}
	if (key->max_items && n > key->max_items - *count) {
		decode_error(d, node, "has %u entries; at most %u are allowed", n, key->max_items);
		return NULL;
	}
	grown = n ? decode_alloc(d, key->heap, *count + n, key->size) : NULL;
	if (!grown)
		return NULL;
	if (*count)
		memcpy(grown, list, *count * key->size);
	if (key->heap)
		free(list);
	set_list(key, base, grown);
	grown += *count * key->size;
	*count += n;
	return grown;
}

static void decode_list(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char *element = grow_list(d, key, node, node->n, base);
	unsigned i = 0;

	if (!element)
		return;
	for (const struct yaml_item *item = node->items; item; item = item->next, element += key->size) {
		size_t mark = decode_enter_item(d, i++);

		decode_value(d, key, item->value, element + key->element_offset);
		decode_leave(d, mark);
	}
}

void *decode_append(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char *element = grow_list(d, key, node, 1, base);

	if (element)
		decode_value(d, key, node, element + key->element_offset);
	return element;
}

static void decode_named(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	char *element = grow_list(d, key, node, node->n, base);

	if (!element)
		return;
	for (const struct yaml_item *item = node->items; item; item = item->next, element += key->size) {
		struct span *name = (struct span *)(void *)(element + key->name_offset);
		size_t mark = decode_enter_key(d, item->key->text);
		struct span checked;

		/* The map's init sees a zeroed struct, so the name comes after. */
		decode_value(d, key, item->value, element + key->element_offset);
		if (!key->decode_name)
			*name = decode_copy(d, key->heap, item->key->text);
		else if (key->decode_name(d, key, item->key, &checked))
			*name = checked;
		decode_leave(d, mark);
	}
}

/* ---- keys and mappings ---- */

static void decode_default(struct decode *d, const struct key *key, void *base)
{
	struct yaml_node node = { .kind = YAML_SCALAR };

	if (key->default_text) {
		node.text = span_of_string(key->default_text);
		if (key->decode)
			key->decode(d, key, &node, base);
		else
			decode_value(d, key, &node, (char *)base + key->offset);
	} else if (key->map && key->shape == KEY_ONE && !key->decode) {
		decode_defaults(d, key->map, (char *)base + key->offset);
	}
}

static void decode_key(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	bool is_list = node->kind == YAML_SEQUENCE;

	if (key->decode)
		key->decode(d, key, node, base);
	else if (key->may_be_empty && yaml_node_is_null(node))
		decode_default(d, key, base);
	else if (key->shape == KEY_ONE)
		decode_value(d, key, node, (char *)base + key->offset);
	else if (key->shape & KEY_NAMED && node->kind == YAML_MAPPING)
		decode_named(d, key, node, base);
	else if (key->shape != KEY_NAMED && is_list)
		decode_list(d, key, node, base);
	else if (key->shape == KEY_ONE_OR_LIST)
		(void)decode_append(d, key, node, base);
	else
		refuse_kind(d, key, key->shape, node);
}

void decode_defaults(struct decode *d, const struct key_map *map, void *base)
{
	if (map->init)
		map->init(base);
	for (unsigned i = 0; i < map->n_keys; i++)
		decode_default(d, &map->keys[i], base);
}

const struct key *decode_find_key(const struct key_map *map, struct span name)
{
	for (unsigned i = 0; i < map->n_keys; i++) {
		if (span_eq(name, span_of_string(map->keys[i].name)))
			return &map->keys[i];
	}
	return NULL;
}

#define HOMES_MAX 3 /* told of one key */

/* The key that may hold one of that name: "match", "rules[].match". */
static void put_home(struct text *out, const struct key *outer, const struct key *key, unsigned nth)
{
	text_put_string(out, nth ? " or \"" : ", it belongs below \"");
	if (outer)
		text_printf(out, "%s%s.", outer->name, outer->shape & KEY_NAMED ? ".NAME" : outer->shape == KEY_LIST ? "[]" : "");
	text_put_string(out, key->name);
	text_put_char(out, '"');
}

/* Which keys of the map, that of `outer`, know such a key. The count. */
static unsigned put_homes_in(struct text *out, const struct key *outer, const struct key_map *map, struct span name, unsigned n)
{
	for (unsigned i = 0; i < map->n_keys && n < HOMES_MAX; i++) {
		if (map->keys[i].map && decode_find_key(map->keys[i].map, name))
			put_home(out, outer, &map->keys[i], n++);
	}
	return n;
}

/* A key one level, or two, too far to the left is known, only not here. The count. */
static unsigned put_homes(struct decode *d, struct text *out, const struct key_map *map, struct span name)
{
	unsigned n = put_homes_in(out, NULL, map, name, 0);

	/* At the top it is most often one of a rule. */
	if (n && d->path.n)
		return n;
	for (unsigned i = 0; i < map->n_keys; i++) {
		if (map->keys[i].map)
			n = put_homes_in(out, &map->keys[i], map->keys[i].map, name, n);
	}
	return n;
}

static void refuse_unknown_key(struct decode *d, const struct key_map *map, const struct yaml_node *key)
{
	char suggested[DECODE_SUGGESTION_BYTES], homes[160];
	struct suggestion s;
	struct text t;

	text_init_fixed(&t, homes, sizeof(homes));
	if (put_homes(d, &t, map, key->text) == 0) {
		suggest_begin(&s, key->text);
		for (unsigned i = 0; i < map->n_keys; i++)
			suggest_offer(&s, span_of_string(map->keys[i].name));
		text_put_string(&t, decode_suggestion(s.best, suggested, sizeof(suggested)));
	}
	decode_error(d, key, "unknown key \"%.*s\"%.*s", DECODE_SHOWN(key->text), SPAN_ARG(text_span(&t)));
}

static void refuse_unknown_keys(struct decode *d, const struct key_map *map, const struct yaml_node *node)
{
	for (const struct yaml_item *item = node->items; item && !d->diagnostics->cut; item = item->next) {
		if (!decode_find_key(map, item->key->text))
			refuse_unknown_key(d, map, item->key);
	}
}

static void decode_keys(struct decode *d, const struct key_map *map, const struct yaml_node *node, void *base)
{
	for (unsigned i = 0; i < map->n_keys; i++) {
		const struct key *key = &map->keys[i];
		const struct yaml_node *value = yaml_node_get(node, key->name);
		size_t mark;

		if (!value) {
			if (key->required)
				decode_error(d, node, "the key \"%s\" is missing", key->name);
			decode_default(d, key, base);
			continue;
		}
		mark = decode_enter_key(d, span_of_string(key->name));
		decode_key(d, key, value, base);
		decode_leave(d, mark);
	}
}

/* The short form: the scalar is one key's value, the others are not given. */
static void decode_short(struct decode *d, const struct key_map *map, const struct yaml_node *node, void *base)
{
	for (unsigned i = 0; i < map->n_keys; i++) {
		const struct key *key = &map->keys[i];

		if (strcmp(key->name, map->short_key) == 0)
			decode_key(d, key, node, base);
		else
			decode_default(d, key, base);
	}
}

static void refuse_not_one(struct decode *d, const struct key_map *map, const struct yaml_node *node)
{
	char names[200];
	struct text t;

	text_init_fixed(&t, names, sizeof(names));
	for (unsigned i = 0; i < map->one_of; i++) {
		text_put_string(&t, i ? ", " : "");
		text_put_string(&t, map->keys[i].name);
	}
	decode_error(d, node, "needs %s %.*s", map->one_of > 1 ? "exactly one of" : "the key", SPAN_ARG(text_span(&t)));
}

/* Where no key is there but one that is unknown, that is what was meant, and has been said. */
static bool has_one(struct decode *d, const struct key_map *map, const struct yaml_node *node)
{
	unsigned n = 0, n_unknown = 0;

	for (unsigned i = 0; i < map->one_of; i++)
		n += yaml_node_get(node, map->keys[i].name) != NULL;
	for (const struct yaml_item *item = node->items; item; item = item->next)
		n_unknown += !decode_find_key(map, item->key->text);
	if (n != 1 && (n > 1 || n_unknown == 0))
		refuse_not_one(d, map, node);
	return n == 1;
}

void decode_map(struct decode *d, const struct key_map *map, const struct yaml_node *node, void *base)
{
	if (map->init)
		map->init(base);
	if (node->kind != YAML_MAPPING) {
		decode_short(d, map, node, base);
	} else {
		refuse_unknown_keys(d, map, node);
		if (map->one_of && !has_one(d, map, node))
			return;
		decode_keys(d, map, node, base);
	}
	if (map->finish)
		map->finish(d, node, base);
}
