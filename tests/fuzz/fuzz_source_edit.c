/*
 * fuzz_source_edit: any text as a rule file, and any text as a change to one of its rules. What is done changes that rule alone,
 * is as was meant, and changes nothing when it is done again.
 *
 * The first byte says what to do and where; the rule file ends at a line of "%%%", the change follows.
 */
#include <assert.h>
#include <errno.h>

#include "config/source_edit.h"
#include "config/yaml_tree.h"
#include "fuzz.h"

enum { MERGE, REPLACE, INSERT, REMOVE, OPERATIONS };

struct parsed {
	struct arena *arena;
	struct yaml_tree tree;
	const struct yaml_node *rules;
	unsigned n;
};

static bool parse(struct parsed *p, struct span source)
{
	struct diagnostics d = { 0 };
	const struct yaml_item *rules;
	int rc;

	*p = (struct parsed){ .arena = arena_new() };
	rc = yaml_tree_read(&p->tree, p->arena, source, &d);
	if (d.n_errors)
		rc = 1;
	diagnostics_deinit(&d);
	rules = rc == 0 ? yaml_node_find(p->tree.root, SPAN("rules")) : NULL;
	p->rules = rules && rules->value->kind == YAML_SEQUENCE ? rules->value : NULL;
	p->n = p->rules ? p->rules->n : 0;
	return rc == 0;
}

static const struct yaml_node *rule_at(const struct parsed *p, unsigned place)
{
	const struct yaml_item *item = p->rules->items;

	while (place--)
		item = item->next;
	return item->value;
}

static uint64_t hash_of_all_but_rules(const struct parsed *p)
{
	const struct span rules = SPAN("rules");

	return p->tree.root ? yaml_node_hash_without(p->tree.root, &rules, 1) : YAML_MAPPING;
}

/* Rules from `from` on of a are those from `to` on of b, n of them. */
static void expect_same(const struct parsed *a, unsigned from, const struct parsed *b, unsigned to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert(yaml_node_hash(rule_at(a, from + i)) == yaml_node_hash(rule_at(b, to + i)));
}

static int edit(unsigned operation, struct span source, const struct source_rule *rule, struct span change, struct text *out,
	struct source_place *at)
{
	struct diagnostics d = { 0 };
	int rc = 0;

	switch (operation) {
	case MERGE: rc = source_edit_merge(source, rule, change, out, at, &d); break;
	case REPLACE: rc = source_edit_replace(source, rule, change, out, at, &d); break;
	case INSERT: rc = source_edit_insert(source, rule, change, out, at, &d); break;
	case REMOVE: rc = source_edit_remove(source, rule, out); break;
	}
	assert(rc >= 0 && rc <= SOURCE_EDIT_NO_RULE);
	assert((rc == SOURCE_EDIT_REFUSED) == (d.n_errors > 0));
	diagnostics_deinit(&d);
	return rc;
}

static void check_done(unsigned operation, struct span source, const struct source_rule *rule, struct span change,
	const struct text *out, const struct source_place *at)
{
	unsigned place = rule->place;
	struct parsed before, after;
	struct text again;

	assert(parse(&before, source) && parse(&after, text_span(out)));
	assert(hash_of_all_but_rules(&before) == hash_of_all_but_rules(&after) || before.tree.root == NULL);
	if (operation == INSERT) {
		place = place < before.n ? place : before.n;
		assert(after.n == before.n + 1);
		expect_same(&before, 0, &after, 0, place);
		expect_same(&before, place, &after, place + 1, before.n - place);
	} else if (operation == REMOVE) {
		assert(after.n == before.n - 1);
		expect_same(&before, 0, &after, 0, place);
		expect_same(&before, place + 1, &after, place, after.n - place);
	} else {
		assert(after.n == before.n);
		expect_same(&before, 0, &after, 0, place);
		expect_same(&before, place + 1, &after, place + 1, before.n - place - 1);
	}
	assert(operation == REMOVE || (at->line > 0 && at->lines > 0));
	if (operation == MERGE) {
		const struct yaml_node *name = yaml_node_get(rule_at(&after, place), "name");
		const struct source_rule same = { place, name ? name->text : rule->name };

		text_init(&again);
		if (edit(MERGE, text_span(out), &same, change, &again, NULL) == SOURCE_EDIT_DONE)
			assert(span_eq(text_span(&again), text_span(out)));
		text_deinit(&again);
	}
	arena_free(before.arena);
	arena_free(after.arena);
}

static void put_name(const struct parsed *p, unsigned place, struct text *name)
{
	const struct yaml_node *given = place < p->n ? yaml_node_get(rule_at(p, place), "name") : NULL;

	if (given) {
		text_put_span(name, given->text);
	} else {
		text_put_literal(name, "rule-");
		text_put_u64(name, place + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span source = span_of((const char *)data + 1, size ? size - 1 : 0), change = SPAN_EMPTY;
	unsigned operation = size ? data[0] % OPERATIONS : 0, place = size ? data[0] / OPERATIONS % 8 : 0;
	const char *mark = size > 1 ? memmem(source.p, source.n, "\n%%%\n", 5) : NULL;
	struct source_place at = { 0 };
	struct text name, out;
	struct parsed p;

	if (!size)
		return 0;
	if (mark) {
		change = span_skip(source, (size_t)(mark - source.p) + 5);
		source.n = (size_t)(mark - source.p) + 1;
	}
	text_init(&name);
	text_init(&out);
	(void)parse(&p, source);
	put_name(&p, place, &name);
	arena_free(p.arena);
	const struct source_rule rule = { place, text_span(&name) };
	if (edit(operation, source, &rule, change, &out, &at) == SOURCE_EDIT_DONE)
		check_done(operation, source, &rule, change, &out, &at);
	text_deinit(&name);
	text_deinit(&out);
	return 0;
}
