/*
 * yaml_tree: from libyaml's events to nodes, with a stack of what is open. Each bound is looked at per event: libyaml has
 * none of its own, takes quadratic time on deep nesting and keeps duplicate keys. It reads at most a simple key's length
 * (1024 characters) ahead of the events, so stopping here stops it.
 */
#include "config/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>

#include <yaml.h>

#include "config/yaml_error.h"
#include "config/yaml_source.h"
#include "core/random.h"

/* However it is written. */
#define HASH_OF_NULL UINT64_C(0x6e756c6c)

struct open_node {
	struct yaml_node *node;
	struct yaml_item **tail;
	struct yaml_node *key; /* of a mapping: read, its value is not */
	uint32_t key_at, key_end;
	struct yaml_item *item; /* the last one */
};

struct anchor {
	struct span name;
	struct yaml_node *node;
};

struct builder {
	struct yaml_tree *tree;
	struct arena *arena;
	struct diagnostics *d;
	struct yaml_cursor cursor;
	struct open_node open[YAML_DEPTH_MAX];
	unsigned depth;
	unsigned n_nodes;
	unsigned n_aliased;
	struct anchor anchors[YAML_ANCHORS_MAX];
	unsigned n_anchors;
};

/* Says it; always 1. */
static int refuse(struct builder *b, uint32_t at, const char *format, ...) PRINTF_LIKE(3, 4);
static int refuse(struct builder *b, uint32_t at, const char *format, ...)
{
	unsigned line, column;
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	yaml_tree_place(b->tree, at, &line, &column);
	diagnostics_add(b->d, DIAGNOSTIC_ERROR, line, column, "%s", text);
	return 1;
}

/* ---- nodes ---- */

/* NULL where memory is out. */
static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, uint32_t at)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->at = at;
	node->weight = 1;
	node->height = 1;
	b->n_nodes++;
	return node;
}

/* Gives the open container (or the document) its next node, which stands there from `at` to `end`, as far as that is known. */
static int attach(struct builder *b, struct yaml_node *node, uint32_t at, uint32_t end)
{
	struct open_node *top = b->depth ? &b->open[b->depth - 1] : NULL;
	struct yaml_item *item;

	if (!top) {
		b->tree->root = node;
		return 0;
	}
	if (top->node->kind == YAML_MAPPING && !top->key) {
		if (node->kind != YAML_SCALAR)
			return refuse(b, node->at, "a key must be a plain text");
		if (node->plain && span_eq(node->text, SPAN("<<")))
			return refuse(b, node->at, "merge keys (<<) are not supported; write the keys out");
		top->key = node;
		top->key_at = at;
		top->key_end = end;
		return 0;
	}
	item = arena_alloc(b->arena, sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->key = top->key;
	item->value = node;
	item->key_at = top->key_at;
	item->key_end = top->key_end;
	item->at = at;
	item->end = end;
	item->is_alias = at != node->at;
	top->item = item;
	top->key = NULL;
	*top->tail = item;
	top->tail = &item->next;
	top->node->n++;
	return 0;
}

/* A finished node counts in the container around it. */
static void account(struct builder *b, const struct yaml_node *node)
{
	struct yaml_node *around = b->depth ? b->open[b->depth - 1].node : NULL;

	if (!around)
		return;
	around->weight += node->weight;
	around->height = MAX(around->height, node->height + 1);
}

static int add_anchor(struct builder *b, const yaml_char_t *name, struct yaml_node *node)
{
	struct span copy;

	if (!name)
		return 0;
	if (b->n_anchors == YAML_ANCHORS_MAX)
		return refuse(b, node->at, "more than %d anchors (&)", YAML_ANCHORS_MAX);
	copy = arena_copy(b->arena, span_of_string((const char *)name));
	if (!copy.p)
		return -ENOMEM;
	b->anchors[b->n_anchors++] = (struct anchor){ copy, node };
	b->tree->has_anchors = true;
	return 0;
}

static int add_alias(struct builder *b, const yaml_char_t *name, uint32_t at, uint32_t end)
{
	struct span wanted = span_of_string((const char *)name);
	struct yaml_node *node = NULL;
	int rc;

	for (unsigned i = b->n_anchors; i-- > 0 && !node;) {
		if (span_eq(b->anchors[i].name, wanted))
			node = b->anchors[i].node;
	}
	if (!node)
		return refuse(b, at, "no anchor &%.60s was seen before this alias", (const char *)name);
	if (node->open)
		return refuse(b, at, "the alias *%.60s stands inside of what it names", (const char *)name);
	if (node->weight > YAML_ALIASED_NODES_MAX - b->n_aliased)
		return refuse(b, at, "the aliases (*) unfold to more than %d values", YAML_ALIASED_NODES_MAX);
	if (b->depth + node->height > YAML_DEPTH_MAX)
		return refuse(b, at, "nested deeper than %d levels", YAML_DEPTH_MAX);
	b->n_aliased += node->weight;
	rc = attach(b, node, at, end);
	account(b, node);
	return rc;
}

/* What is behind the last byte of a text in a block, | or >, is not of it. */
static uint32_t trim_end(struct span source, uint32_t at, uint32_t end)
{
	while (end > at && strchr(" \t\r\n", source.p[end - 1]))
		end--;
	return end;
}

static int add_scalar(struct builder *b, const yaml_event_t *event, uint32_t at, uint32_t end)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR, at);
	int rc;

	if (!node)
		return -ENOMEM;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_copy(b->arena, span_of((const char *)event->data.scalar.value, event->data.scalar.length));
	if (!node->text.p)
		return -ENOMEM;
	rc = add_anchor(b, event->data.scalar.anchor, node);
	if (rc == 0)
		rc = attach(b, node, at, trim_end(b->tree->source, at, end));
	account(b, node);
	return rc;
}

static int begin_container(struct builder *b, enum yaml_kind kind, bool flow, const yaml_char_t *anchor, uint32_t at)
{
	struct yaml_node *node;
	int rc;

	if (b->depth == YAML_DEPTH_MAX)
		return refuse(b, at, "nested deeper than %d levels", YAML_DEPTH_MAX);
	node = new_node(b, kind, at);
	if (!node)
		return -ENOMEM;
	node->open = true;
	node->flow = flow;
	rc = add_anchor(b, anchor, node);
	if (rc == 0)
		rc = attach(b, node, at, at);
	if (rc == 0)
		b->open[b->depth++] = (struct open_node){ .node = node, .tail = &node->items };
	return rc;
}

/* ---- duplicate keys ---- */

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	size_t n = MIN(x->text.n, y->text.n);
	int order = n ? memcmp(x->text.p, y->text.p, n) : 0;

	if (order)
		return order;
	if (x->text.n != y->text.n)
		return x->text.n < y->text.n ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void report_duplicate(struct builder *b, const struct yaml_node *first, const struct yaml_node *again)
{
	unsigned line, column;

	(void)refuse(b, again->at, "the key \"%.*s\" is given twice", (int)MIN(again->text.n, (size_t)60), again->text.p);
	yaml_tree_place(b->tree, first->at, &line, &column);
	diagnostics_add_to_last(b->d, line, column, "first given here");
}

/* Sorting keeps a mapping of a hundred thousand keys cheap. All duplicates are reported. -ENOMEM. */
static int check_duplicates(struct builder *b, const struct yaml_node *mapping)
{
	const struct yaml_node **keys;
	const struct yaml_node *first;
	unsigned n = 0;

	if (mapping->n < 2)
		return 0;
	keys = malloc(mapping->n * sizeof(struct yaml_node *));
	if (!keys)
		return -ENOMEM;
	for (const struct yaml_item *item = mapping->items; item; item = item->next)
		keys[n++] = item->key;
	qsort(keys, n, sizeof(struct yaml_node *), compare_keys);
	first = keys[0];
	for (unsigned i = 1; i < n; i++) {
		if (span_eq(keys[i]->text, first->text))
			report_duplicate(b, first, keys[i]);
		else
			first = keys[i];
	}
	free(keys);
	return 0;
}

/* A block has no end of its own: it is that of the last thing in it. */
static int end_container(struct builder *b, uint32_t end)
{
	struct open_node *closed = &b->open[--b->depth];
	struct yaml_node *node = closed->node;

	if (b->depth)
		b->open[b->depth - 1].item->end = node->flow || !closed->item ? end : closed->item->end;
	node->open = false;
	account(b, node);
	return node->kind == YAML_MAPPING ? check_duplicates(b, node) : 0;
}

/* ---- events ---- */

static int add_event(struct builder *b, const yaml_event_t *event)
{
	uint32_t at = yaml_cursor_seek(&b->cursor, event->start_mark.index);
	uint32_t end = yaml_cursor_seek(&b->cursor, event->end_mark.index);

	if (b->n_nodes >= YAML_NODES_MAX)
		return refuse(b, at, "more than %d values", YAML_NODES_MAX);
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return add_alias(b, event->data.alias.anchor, at, end);
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.tag)
			return refuse(b, at, "tags (!) are not supported; quote the text that begins with \"!\"");
		return add_scalar(b, event, at, end);
	case YAML_SEQUENCE_START_EVENT:
		if (event->data.sequence_start.tag)
			return refuse(b, at, "tags (!) are not supported");
		return begin_container(b, YAML_SEQUENCE, event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
			event->data.sequence_start.anchor, at);
	case YAML_MAPPING_START_EVENT:
		if (event->data.mapping_start.tag)
			return refuse(b, at, "tags (!) are not supported");
		return begin_container(b, YAML_MAPPING, event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
			event->data.mapping_start.anchor, at);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return end_container(b, end);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

/* What libyaml refused, with a note where that began. */
static int refuse_syntax(struct builder *b, const yaml_parser_t *parser)
{
	uint32_t at = yaml_cursor_seek(&b->cursor, parser->problem_mark.index);
	uint32_t begin = yaml_cursor_seek(&b->cursor, parser->context_mark.index);
	const char *noun = yaml_error_noun(parser->context);
	unsigned line, column;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	(void)refuse(b, at, "%s", yaml_error_text(parser->problem, parser->context, b->tree->source, at));
	if (noun && begin < at) {
		yaml_tree_place(b->tree, begin, &line, &column);
		diagnostics_add_to_last(b->d, line, column, "%s begins here", noun);
	}
	return 1;
}

/* Events up to the end of the first document. What follows is looked at without libyaml. */
static int read_document(struct builder *b, yaml_parser_t *parser)
{
	struct span source = b->tree->source;
	int rc = 0;

	while (rc == 0) {
		yaml_event_t event;
		enum yaml_event_type_e type;

		if (!yaml_parser_parse(parser, &event))
			return refuse_syntax(b, parser);
		type = event.type;
		rc = add_event(b, &event);
		if (type == YAML_DOCUMENT_END_EVENT && rc == 0) {
			uint32_t at = yaml_cursor_seek(&b->cursor, event.end_mark.index);
			struct span rest = yaml_source_skip_blank(span_skip(source, at));

			if (rest.n)
				rc = refuse(b, (uint32_t)(rest.p - source.p), "a second document begins here: a file is one");
		}
		yaml_event_delete(&event);
		if (type == YAML_DOCUMENT_END_EVENT || type == YAML_STREAM_END_EVENT)
			break;
	}
	return rc;
}

int yaml_tree_read(struct yaml_tree *tree, struct arena *arena, struct span source, struct diagnostics *d)
{
	struct builder *b;
	yaml_parser_t parser;
	int rc;

	*tree = (struct yaml_tree){ .source = source };
	if (source.n == 0) /* libyaml refuses to look at no bytes that are nowhere */
		tree->source.p = "";
	if (span_starts_with(source, SPAN("\xef\xbb\xbf"))) /* what editors put before UTF-8 */
		tree->source = span_skip(source, 3);
	rc = yaml_source_check(tree, arena, d);
	if (rc)
		return rc;
	b = arena_alloc(arena, sizeof(*b));
	if (!b || !yaml_parser_initialize(&parser))
		return -ENOMEM;
	*b = (struct builder){ .tree = tree, .arena = arena, .d = d, .cursor = { .source = tree->source } };
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)tree->source.p, tree->source.n);
	rc = read_document(b, &parser);
	yaml_parser_delete(&parser);
	if (rc)
		tree->root = NULL;
	return rc;
}

/* ---- reading the tree ---- */

struct yaml_item *yaml_node_find(const struct yaml_node *node, struct span key)
{
	if (!node || node->kind != YAML_MAPPING)
		return NULL;
	for (struct yaml_item *item = node->items; item; item = item->next) {
		if (span_eq(item->key->text, key))
			return item;
	}
	return NULL;
}

struct yaml_node *yaml_node_get(const struct yaml_node *node, const char *key)
{
	const struct yaml_item *item = yaml_node_find(node, span_of_string(key));

	return item ? item->value : NULL;
}

bool yaml_node_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->plain &&
		(node->text.n == 0 || span_eq(node->text, SPAN("~")) || span_eq(node->text, SPAN("null")));
}

static bool is_among(struct span key, const struct span *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (span_eq(key, names[i]))
			return true;
	}
	return false;
}

uint64_t yaml_node_hash(const struct yaml_node *node)
{
	return yaml_node_hash_without(node, NULL, 0);
}

uint64_t yaml_node_hash_without(const struct yaml_node *node, const struct span *without, unsigned n)
{
	uint64_t pair[2], h = 0;

	if (node->kind == YAML_SCALAR)
		return yaml_node_is_null(node) ? HASH_OF_NULL : random_hash(YAML_SCALAR, node->text);
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		if (item->key && is_among(item->key->text, without, n))
			continue;
		pair[0] = item->key ? random_hash(YAML_SCALAR, item->key->text) : h;
		pair[1] = yaml_node_hash(item->value);
		if (item->key)
			/* A sum: the order does not matter. */
			h += random_hash(YAML_MAPPING, span_of((const char *)pair, sizeof(pair)));
		else
			h = random_hash(YAML_SEQUENCE, span_of((const char *)pair, sizeof(pair)));
	}
	return h ^ node->kind;
}
