/*
 * fuzz_admin_json: any bytes as a body in JSON. What is taken is YAML too, with the same texts in the same places.
 */
#include <assert.h>

#include "admin/admin_json.h"
#include "config/yaml_tree.h"
#include "fuzz.h"

/* Depth and size that YAML is bounded to and JSON is not. */
static bool is_modest(const json_t *json, unsigned depth)
{
	const char *key;
	json_t *value;
	size_t i;

	if (depth > YAML_DEPTH_MAX)
		return false;
	if (json_is_object(json)) {
		json_object_foreach((json_t *)(uintptr_t)json, key, value) {
			/* libyaml wants a key within 1024 characters; merge keys have a meaning of their own. */
			if (strlen(key) > 200 || strcmp(key, "<<") == 0 || !is_modest(value, depth + 1))
				return false;
		}
	}
	json_array_foreach(json, i, value) {
		if (!is_modest(value, depth + 1))
			return false;
	}
	return true;
}

static void expect_same(const json_t *json, const struct yaml_node *node)
{
	const struct yaml_item *item;
	json_t *value;
	size_t i;

	if (json_is_string(json)) {
		assert(node->kind == YAML_SCALAR && !node->plain);
		assert(span_eq(node->text, span_of(json_string_value(json), json_string_length(json))));
	} else if (json_is_object(json)) {
		assert(node->kind == YAML_MAPPING && node->n == json_object_size(json));
		for (item = node->items; item; item = item->next) {
			value = json_object_getn(json, item->key->text.p, item->key->text.n);
			assert(value);
			expect_same(value, item->value);
		}
	} else if (json_is_array(json)) {
		assert(node->kind == YAML_SEQUENCE && node->n == json_array_size(json));
		item = node->items;
		json_array_foreach(json, i, value) {
			expect_same(value, item->value);
			item = item->next;
		}
	} else {
		assert(node->kind == YAML_SCALAR && node->plain);
		assert(yaml_node_is_null(node) == json_is_null(json));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = span_of((const char *)data, size);
	struct diagnostics d = { 0 };
	struct admin_answer a;
	struct yaml_tree tree;
	struct arena *arena;
	struct text yaml;
	json_t *root;

	admin_answer_init(&a);
	root = admin_json_object(body, &a);
	if (!root) {
		assert(a.status == 400 && a.body.n > 0);
	} else if (is_modest(root, 1)) {
		text_init(&yaml);
		arena = arena_new();
		admin_json_to_yaml(body, &yaml);
		assert(yaml_tree_read(&tree, arena, text_span(&yaml), &d) == 0 && d.n_errors == 0);
		expect_same(root, tree.root);
		arena_free(arena);
		text_deinit(&yaml);
	}
	diagnostics_deinit(&d);
	json_decref(root);
	admin_answer_deinit(&a);
	return 0;
}
