/*
 * source_edit: the file as it should be is made as a tree first; then as a text, in up to three ways, each closer to writing the
 * rule anew than the one before. The first text that reads back as that tree is taken.
 */
#include "config/source_edit.h"

#include <errno.h>

#include "config/source_splice.h"
#include "config/yaml_write.h"

struct edit {
	struct arena *arena;
	struct yaml_tree tree;
	struct span mark; /* what some editors put before UTF-8; not of the tree's source */
	const struct yaml_item *holder; /* of the key "rules"; NULL: there is none */
	const struct yaml_node *rules; /* NULL: none, or no list */
	const struct yaml_item *item; /* the rule; NULL: none in that place */
	struct yaml_node *wanted; /* the whole file as it should be */
	struct yaml_node *rule; /* as it should be */
	unsigned place; /* of the rule in it */
};

/* ---- trees ---- */

static struct yaml_node *new_node(struct arena *arena, enum yaml_kind kind)
{
	struct yaml_node *node = arena_alloc(arena, sizeof(*node));

	if (node)
		node->kind = kind;
	return node;
}

static struct yaml_node *new_text(struct arena *arena, struct span text)
{
	struct yaml_node *node = new_node(arena, YAML_SCALAR);

	if (node)
		node->text = arena_copy(arena, text);
	return node && node->text.p ? node : NULL;
}

/* Behind *tail, which goes on to the next. False where memory is out. */
static bool add(struct arena *arena, struct yaml_node *container, struct yaml_item ***tail, struct yaml_node *key,
	struct yaml_node *value)
{
	struct yaml_item *item = key || value ? arena_alloc(arena, sizeof(*item)) : NULL;

	if (!item || !value)
		return false;
	*item = (struct yaml_item){ .key = key, .value = value };
	**tail = item;
	*tail = &item->next;
	container->n++;
	return true;
}

/* RFC 7396 section 2. NULL where memory is out. */
static struct yaml_node *merge(struct arena *arena, struct yaml_node *target, struct yaml_node *patch)
{
	struct yaml_node *merged;
	struct yaml_item **tail;
	bool ok = true;

	if (patch->kind != YAML_MAPPING)
		return patch;
	merged = new_node(arena, YAML_MAPPING);
	if (!merged)
		return NULL;
	tail = &merged->items;
	if (target && target->kind != YAML_MAPPING)
		target = NULL;
	for (struct yaml_item *item = target ? target->items : NULL; item && ok; item = item->next) {
		const struct yaml_item *change = yaml_node_find(patch, item->key->text);

		if (!change)
			ok = add(arena, merged, &tail, item->key, item->value);
		else if (!yaml_node_is_null(change->value))
			ok = add(arena, merged, &tail, item->key, merge(arena, item->value, change->value));
	}
	for (struct yaml_item *item = patch->items; item && ok; item = item->next) {
		if (!yaml_node_is_null(item->value) && !(target && yaml_node_find(target, item->key->text)))
			ok = add(arena, merged, &tail, item->key, merge(arena, NULL, item->value));
	}
	return ok ? merged : NULL;
}

/* The mapping with this name in front, where it has none. */
static struct yaml_node *with_name(struct arena *arena, struct yaml_node *rule, struct span name)
{
	struct yaml_node *named = yaml_node_get(rule, "name") ? rule : new_node(arena, YAML_MAPPING);
	struct yaml_item **tail;
	bool ok = true;

	if (!named || named == rule)
		return named;
	tail = &named->items;
	ok = add(arena, named, &tail, new_text(arena, SPAN("name")), new_text(arena, name));
	for (struct yaml_item *item = rule->items; item && ok; item = item->next)
		ok = add(arena, named, &tail, item->key, item->value);
	return ok ? named : NULL;
}

/* The rules with e->rule in its place (replace) or before it; with none, without the one in its place. */
static struct yaml_node *with_rule(struct edit *e, bool replace)
{
	struct yaml_node *rules = new_node(e->arena, YAML_SEQUENCE);
	struct yaml_item **tail = rules ? &rules->items : NULL;
	unsigned place = 0;
	bool ok = rules != NULL;

	for (struct yaml_item *item = e->rules ? e->rules->items : NULL; item && ok; item = item->next, place++) {
		if (place == e->place && e->rule)
			ok = add(e->arena, rules, &tail, NULL, e->rule);
		if (ok && !(place == e->place && replace))
			ok = add(e->arena, rules, &tail, NULL, item->value);
	}
	if (ok && place <= e->place && e->rule)
		ok = add(e->arena, rules, &tail, NULL, e->rule);
	return ok ? rules : NULL;
}

/* The file with these rules. -ENOMEM */
static int want(struct edit *e, struct yaml_node *rules)
{
	struct yaml_item **tail;
	bool ok = rules != NULL;

	e->wanted = new_node(e->arena, YAML_MAPPING);
	if (!e->wanted)
		return -ENOMEM;
	tail = &e->wanted->items;
	for (struct yaml_item *item = e->tree.root ? e->tree.root->items : NULL; item && ok; item = item->next)
		ok = add(e->arena, e->wanted, &tail, item->key, item == e->holder ? rules : item->value);
	if (ok && !e->holder)
		ok = add(e->arena, e->wanted, &tail, new_text(e->arena, SPAN("rules")), rules);
	return ok ? 0 : -ENOMEM;
}

/* ---- reading ---- */

static const struct yaml_item *item_at(const struct yaml_node *sequence, unsigned place)
{
	const struct yaml_item *item = sequence ? sequence->items : NULL;

	while (item && place--)
		item = item->next;
	return item;
}

/* A name with a variable in it may be any. */
static bool is_called(const struct yaml_item *item, const struct source_rule *rule)
{
	const struct yaml_node *name = yaml_node_get(item->value, "name");
	char block[32];
	struct text made;

	if (name)
		return span_eq(name->text, rule->name) || span_find(name->text, '$') < name->text.n;
	text_init_fixed(&made, block, sizeof(block));
	text_put_literal(&made, "rule-");
	text_put_u64(&made, rule->place + 1);
	return span_eq(text_span(&made), rule->name);
}

/* An enum source_edit_result, or -ENOMEM. */
static int open_edit(struct edit *e, struct span source, unsigned place)
{
	struct diagnostics d = { 0 };
	int rc;

	*e = (struct edit){ .arena = arena_new(), .place = place };
	if (!e->arena)
		return -ENOMEM;
	rc = yaml_tree_read(&e->tree, e->arena, source, &d);
	if (rc == 0 && d.n_errors)
		rc = 1;
	diagnostics_deinit(&d);
	if (rc < 0)
		return rc;
	e->mark = span_first(source, source.n - e->tree.source.n);
	if (rc > 0 || (e->tree.root && e->tree.root->kind != YAML_MAPPING))
		return SOURCE_EDIT_IMPOSSIBLE;
	e->holder = yaml_node_find(e->tree.root, SPAN("rules"));
	if (e->holder && e->holder->value->kind == YAML_SEQUENCE)
		e->rules = e->holder->value;
	else if (e->holder && !yaml_node_is_null(e->holder->value))
		return SOURCE_EDIT_IMPOSSIBLE;
	e->item = item_at(e->rules, place);
	return e->holder && e->holder->is_alias ? SOURCE_EDIT_IMPOSSIBLE : SOURCE_EDIT_DONE;
}

/* The same for a rule that must be there. */
static int open_rule(struct edit *e, struct span source, const struct source_rule *rule)
{
	int rc = open_edit(e, source, rule->place);

	if (rc == SOURCE_EDIT_DONE && (!e->item || !is_called(e->item, rule)))
		rc = SOURCE_EDIT_NO_RULE;
	return rc;
}

static void close_edit(struct edit *e)
{
	arena_free(e->arena);
}

/* What is given for a rule, a mapping. */
static int read_rule(struct edit *e, struct span text, struct yaml_tree *tree, struct diagnostics *d)
{
	int rc = yaml_tree_read(tree, e->arena, text, d);

	if (rc < 0)
		return rc;
	if (rc == 0 && !d->n_errors && !(tree->root && tree->root->kind == YAML_MAPPING))
		diagnostics_add(d, DIAGNOSTIC_ERROR, 1, 1, "a rule is a mapping of keys such as abort and percentage");
	return d->n_errors ? SOURCE_EDIT_REFUSED : SOURCE_EDIT_DONE;
}

/* ---- writing ---- */

/* Where the rule stands in a text, from its tree. */
static void find_place(const struct yaml_tree *tree, unsigned place, struct source_place *at)
{
	const struct yaml_item *holder = yaml_node_find(tree->root, SPAN("rules"));
	const struct yaml_item *item = holder ? item_at(holder->value, place) : NULL;
	unsigned last, column;

	*at = (struct source_place){ 0 };
	if (!item)
		return;
	yaml_tree_place(tree, item->at, &at->line, &at->column);
	yaml_tree_place(tree, item->end, &last, &column);
	at->lines = last - at->line + 1;
}

/* 0: the text says what is wanted. 1: it does not. -ENOMEM. */
static int check(const struct edit *e, const struct text *out, struct source_place *at)
{
	struct diagnostics d = { 0 };
	struct arena *arena = arena_new();
	struct yaml_tree tree;
	int rc = arena ? yaml_tree_read(&tree, arena, text_span(out), &d) : -ENOMEM;

	if (rc == 0 && (d.n_errors || !tree.root || yaml_node_hash(tree.root) != yaml_node_hash(e->wanted)))
		rc = 1;
	if (rc == 0 && at)
		find_place(&tree, e->place, at);
	diagnostics_deinit(&d);
	arena_free(arena);
	return rc;
}

/* What to do to the text for it to be as wanted; false where there is no such way. */
typedef bool (*edit_way)(const struct edit *e, struct splices *s, struct span raw);

static int try_way(const struct edit *e, edit_way way, struct span raw, struct text *out, struct source_place *at)
{
	struct splices s;
	struct text made;
	int rc = 1;

	splices_init(&s, e->arena, &e->tree);
	text_init(&made);
	text_put_span(&made, e->mark);
	if (way(e, &s, raw) && splices_apply(&s, &made))
		rc = check(e, &made, at);
	if (rc == 0)
		text_put_span(out, text_span(&made));
	text_deinit(&made);
	return rc == 0 && out->cut ? -ENOMEM : rc;
}

static int try_ways(const struct edit *e, const edit_way *ways, unsigned n, struct span raw, struct text *out,
	struct source_place *at)
{
	int rc = 1;

	for (unsigned i = 0; i < n && rc == 1; i++)
		rc = try_way(e, ways[i], raw, out, at);
	return rc == 1 ? SOURCE_EDIT_IMPOSSIBLE : rc;
}

static const struct yaml_node *wanted_rules(const struct edit *e)
{
	return yaml_node_get(e->wanted, "rules");
}

/* ---- ways to change a rule ---- */

static bool change_raw(const struct edit *e, struct splices *s, struct span raw)
{
	if (raw.n == 0 || e->rules->flow)
		return false;
	splices_replace_raw(s, e->item, raw);
	return true;
}

static bool change_keys(const struct edit *e, struct splices *s, struct span raw)
{
	(void)raw;
	splices_set(s, e->rules, e->item, e->rule);
	return true;
}

static bool change_all(const struct edit *e, struct splices *s, struct span raw)
{
	(void)raw;
	splices_replace(s, e->rules, e->item, e->rule);
	return true;
}

static const edit_way change_ways[] = { change_raw, change_keys, change_all };

/* ---- ways to add one, to remove one ---- */

static bool insert_raw(const struct edit *e, struct splices *s, struct span raw)
{
	if (raw.n == 0 || !e->rules || e->rules->n == 0 || e->rules->flow)
		return false;
	splices_insert_item(s, e->rules, e->item, NULL, raw);
	return true;
}

static bool insert_item(const struct edit *e, struct splices *s, struct span raw)
{
	(void)raw;
	if (!e->rules || e->rules->n == 0)
		return false;
	splices_insert_item(s, e->rules, e->item, e->rule, SPAN_EMPTY);
	return true;
}

/* There are no rules, or no key "rules". */
static bool insert_first(const struct edit *e, struct splices *s, struct span raw)
{
	(void)raw;
	if (!e->tree.root)
		return false;
	if (e->holder)
		splices_replace(s, e->tree.root, e->holder, wanted_rules(e));
	else
		splices_change(s, e->tree.root, e->wanted);
	return true;
}

static const edit_way insert_ways[] = { insert_raw, insert_item, insert_first };

static bool remove_item(const struct edit *e, struct splices *s, struct span raw)
{
	(void)raw;
	splices_remove_item(s, e->holder, e->item);
	return true;
}

/* The only one, written in a way that its lines cannot be cut out. */
static bool remove_only(const struct edit *e, struct splices *s, struct span raw)
{
	(void)raw;
	if (e->rules->n > 1)
		return false;
	splices_replace(s, e->tree.root, e->holder, wanted_rules(e));
	return true;
}

static const edit_way remove_ways[] = { remove_item, remove_only };

/* ---- edits ---- */

/*
 * The lines that were given, to stand there as they are, comments included; empty where that cannot be: braces, anchors (a name
 * could be one of the file's), or lines before the first key that begin further left.
 */
static struct span raw_lines(struct edit *e, const struct yaml_tree *tree, struct span name)
{
	struct span lines = tree->source;
	struct text text;
	struct span copy;

	while (lines.n && strchr(" \t\r\n", lines.p[lines.n - 1]))
		lines.n--;
	if (tree->root->flow || tree->root->n == 0 || tree->has_anchors || tree->source.p[0] == ' ')
		return SPAN_EMPTY;
	text_init(&text);
	if (e->rule != tree->root) {
		text_put_literal(&text, "name: ");
		text_put_span(&text, name);
		text_put_char(&text, '\n');
	}
	text_put_span(&text, lines);
	copy = text.cut ? SPAN_EMPTY : arena_copy(e->arena, text_span(&text));
	text_deinit(&text);
	return copy.p ? copy : SPAN_EMPTY;
}

int source_edit_merge(struct span source, const struct source_rule *rule, struct span patch, struct text *out,
	struct source_place *at, struct diagnostics *d)
{
	struct yaml_tree tree;
	struct edit e;
	int rc = open_rule(&e, source, rule);

	if (rc == SOURCE_EDIT_DONE)
		rc = read_rule(&e, patch, &tree, d);
	if (rc == SOURCE_EDIT_DONE) {
		e.rule = merge(e.arena, e.item->value, tree.root);
		rc = e.rule ? want(&e, with_rule(&e, true)) : -ENOMEM;
	}
	if (rc == SOURCE_EDIT_DONE)
		rc = try_ways(&e, change_ways, ARRAY_LEN(change_ways), SPAN_EMPTY, out, at);
	close_edit(&e);
	return rc;
}

/* What is given for a rule has its name, or none. */
static bool check_name(const struct yaml_tree *tree, struct span wanted, struct diagnostics *d)
{
	const struct yaml_node *name = yaml_node_get(tree->root, "name");
	unsigned line, column;

	if (!name || (name->kind == YAML_SCALAR && span_eq(name->text, wanted)))
		return true;
	yaml_tree_place(tree, name->at, &line, &column);
	diagnostics_add(d, DIAGNOSTIC_ERROR, line, column, "the name is another one than that of the rule, \"%.*s\"",
		SPAN_ARG(span_first(wanted, 64)));
	return false;
}

/* Of both: a rule that is there, or a new one. */
static int put_rule(struct edit *e, const struct source_rule *rule, struct span text, bool replace, struct text *out,
	struct source_place *at, struct diagnostics *d)
{
	struct yaml_tree tree;
	struct span raw;
	int rc = read_rule(e, text, &tree, d);

	if (rc == SOURCE_EDIT_DONE && !check_name(&tree, rule->name, d))
		rc = SOURCE_EDIT_REFUSED;
	if (rc == SOURCE_EDIT_DONE) {
		e->rule = with_name(e->arena, tree.root, rule->name);
		rc = e->rule ? want(e, with_rule(e, replace)) : -ENOMEM;
	}
	if (rc != SOURCE_EDIT_DONE)
		return rc;
	raw = raw_lines(e, &tree, rule->name);
	if (replace)
		return try_ways(e, change_ways, ARRAY_LEN(change_ways), raw, out, at);
	return try_ways(e, insert_ways, ARRAY_LEN(insert_ways), raw, out, at);
}

int source_edit_replace(struct span source, const struct source_rule *rule, struct span text, struct text *out,
	struct source_place *at, struct diagnostics *d)
{
	struct edit e;
	int rc = open_rule(&e, source, rule);

	if (rc == SOURCE_EDIT_DONE)
		rc = put_rule(&e, rule, text, true, out, at, d);
	close_edit(&e);
	return rc;
}

int source_edit_insert(struct span source, const struct source_rule *rule, struct span text, struct text *out,
	struct source_place *at, struct diagnostics *d)
{
	struct edit e;
	int rc = open_edit(&e, source, rule->place);

	if (rc == SOURCE_EDIT_DONE) {
		e.place = MIN(rule->place, e.rules ? e.rules->n : 0);
		rc = put_rule(&e, rule, text, false, out, at, d);
	}
	close_edit(&e);
	return rc;
}

int source_edit_remove(struct span source, const struct source_rule *rule, struct text *out)
{
	struct edit e;
	int rc = open_rule(&e, source, rule);

	if (rc == SOURCE_EDIT_DONE)
		rc = want(&e, with_rule(&e, true));
	if (rc == SOURCE_EDIT_DONE)
		rc = try_ways(&e, remove_ways, ARRAY_LEN(remove_ways), SPAN_EMPTY, out, NULL);
	close_edit(&e);
	return rc;
}

/* ---- showing ---- */

/* The lines of a piece of the source, each without the blanks that the first one's place stands for. */
static void put_dedented(struct text *out, struct span piece, unsigned column)
{
	for (bool first = true; piece.n; first = false) {
		struct span line = span_first(piece, span_find(piece, '\n'));
		size_t blanks = 0;

		piece = span_skip(piece, line.n + 1);
		while (!first && blanks < column && blanks < line.n && line.p[blanks] == ' ')
			blanks++;
		text_put_span(out, span_skip(line, blanks));
		if (piece.n)
			text_put_char(out, '\n');
	}
}

int source_edit_each(struct span source, void (*fn)(void *arg, unsigned place, struct span text), void *arg)
{
	struct text text;
	struct edit e;
	unsigned place = 0;
	int rc = open_edit(&e, source, 0);

	text_init(&text);
	for (const struct yaml_item *item = rc == 0 && e.rules ? e.rules->items : NULL; item; item = item->next) {
		unsigned line, column;

		yaml_tree_place(&e.tree, item->at, &line, &column);
		text_clear(&text);
		put_dedented(&text, span_of(e.tree.source.p + item->at, item->end - item->at), column - 1);
		fn(arg, place++, text_span(&text));
	}
	text_deinit(&text);
	close_edit(&e);
	return rc > 0 ? 1 : rc;
}
