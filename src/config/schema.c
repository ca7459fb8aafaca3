/*
 * schema: the tables as a JSON Schema (draft 2020-12), for editors. It says a little less than the parser checks (what
 * depends on several keys), and nothing else: what the parser takes fits, but that numbers in quotes and `key:` with
 * nothing behind it are not suggested.
 */
#include "config/keys.h"
#include "config/load.h"
#include "config/value.h"

/* One way to write a value: a scalar, a mapping, a variable. */
enum form { FORM_SCALAR, FORM_CHOICE, FORM_MAP, FORM_VARIABLE };

struct alternative {
	enum form form;
	const struct key *key;
};

#define ALTERNATIVES_MAX 8

static void add(struct alternative *v, unsigned *n, enum form form, const struct key *key)
{
	if (*n < ALTERNATIVES_MAX)
		v[(*n)++] = (struct alternative){ form, key };
}

/* A short form brings the alternatives of the key that it stands for. */
static void collect(struct alternative *v, unsigned *n, const struct key *key)
{
	bool fits_variable = key->type == NULL || key->type == &value_text || key->type == &value_destination;

	if (key->type) {
		add(v, n, FORM_SCALAR, key);
		if (key->choices && key->type != &value_choice)
			add(v, n, FORM_CHOICE, key);
		if (!fits_variable)
			add(v, n, FORM_VARIABLE, key);
	}
	if (!key->map)
		return;
	add(v, n, FORM_MAP, key);
	if (key->map->short_key)
		collect(v, n, decode_find_key(key->map, span_of_string(key->map->short_key)));
}

static void write_ref(struct json *j, const struct key_map *map)
{
	struct text t;

	text_init(&t);
	text_put_string(&t, "#/$defs/");
	text_put_string(&t, map->name);
	json_member_span(j, "$ref", text_span(&t));
	text_deinit(&t);
}

static void write_alternative(struct json *j, const struct alternative *a)
{
	switch (a->form) {
	case FORM_SCALAR:
		a->key->type->schema(j, a->key);
		break;
	case FORM_CHOICE:
		value_choice.schema(j, a->key);
		break;
	case FORM_MAP:
		write_ref(j, a->key->map);
		break;
	case FORM_VARIABLE:
		value_schema_string(j, "\\$\\{");
		break;
	}
}

/* The members that describe one element of the key, into an object that is open; list: an array of them as well. */
static void write_element(struct json *j, const struct key *key, bool list)
{
	struct alternative v[ALTERNATIVES_MAX];
	unsigned n = 0;

	collect(v, &n, key);
	if (n == 1 && !list) {
		write_alternative(j, &v[0]);
		return;
	}
	json_key(j, "anyOf");
	json_begin_array(j);
	for (unsigned i = 0; i < n; i++) {
		json_begin_object(j);
		write_alternative(j, &v[i]);
		json_end_object(j);
	}
	if (list) {
		json_begin_object(j);
		json_member_string(j, "type", "array");
		json_key(j, "items");
		json_begin_object(j);
		write_element(j, key, false);
		json_end_object(j);
		json_member_u64(j, "minItems", key->min_items);
		json_end_object(j);
	}
	json_end_array(j);
}

static void write_shape(struct json *j, const struct key *key)
{
	bool list = key->shape & KEY_ONE_OR_LIST;

	if (key->shape & KEY_NAMED) {
		json_member_string(j, "type", "object");
		json_key(j, "additionalProperties");
		json_begin_object(j);
		write_element(j, key, list);
		json_end_object(j);
	} else if (key->shape == KEY_LIST) {
		json_member_string(j, "type", "array");
		json_key(j, "items");
		json_begin_object(j);
		write_element(j, key, false);
		json_end_object(j);
		if (key->max_items)
			json_member_u64(j, "maxItems", key->max_items);
	} else {
		write_element(j, key, list);
	}
}

static void write_default(struct json *j, const struct key *key)
{
	struct span text = span_of_string(key->default_text);
	uint64_t ignored;

	if (!key->default_text)
		return;
	json_key(j, "default");
	if (key->type == &value_bool || span_to_u64(text, &ignored) == 0)
		json_raw(j, text);
	else
		json_span(j, text);
}

static void write_key(struct json *j, const struct key *key)
{
	json_key(j, key->name);
	json_begin_object(j);
	json_member_string(j, "description", key->description);
	write_shape(j, key);
	write_default(j, key);
	json_end_object(j);
}

/* Which of the first keys are given: exactly one. */
static void write_one_of(struct json *j, const struct key_map *map)
{
	if (!map->one_of)
		return;
	json_key(j, "oneOf");
	json_begin_array(j);
	for (unsigned i = 0; i < map->one_of; i++) {
		json_begin_object(j);
		json_key(j, "required");
		json_begin_array(j);
		json_c_string(j, map->keys[i].name);
		json_end_array(j);
		json_end_object(j);
	}
	json_end_array(j);
}

static void write_map(struct json *j, const struct key_map *map)
{
	bool required = false;

	json_begin_object(j);
	json_member_string(j, "description", map->description);
	json_member_string(j, "type", "object");
	json_key(j, "properties");
	json_begin_object(j);
	for (unsigned i = 0; i < map->n_keys; i++) {
		write_key(j, &map->keys[i]);
		required |= map->keys[i].required;
	}
	json_end_object(j);
	json_member_bool(j, "additionalProperties", false);
	write_one_of(j, map);
	if (required) {
		json_key(j, "required");
		json_begin_array(j);
		for (unsigned i = 0; i < map->n_keys; i++) {
			if (map->keys[i].required)
				json_c_string(j, map->keys[i].name);
		}
		json_end_array(j);
	}
	json_end_object(j);
}

void load_write_schema(struct text *out)
{
	struct json j;

	json_init(&j, out, 2);
	json_begin_object(&j);
	json_member_string(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_member_string(&j, "title", "brownout rule file");
	write_ref(&j, &keys_file);
	json_key(&j, "$defs");
	json_begin_object(&j);
	for (unsigned i = 0; i < keys_all_n; i++) {
		json_key(&j, keys_all[i]->name);
		write_map(&j, keys_all[i]);
	}
	json_end_object(&j);
	json_end_object(&j);
	text_put_char(out, '\n');
}
