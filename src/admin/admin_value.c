/*
 * admin_value: jansson's values under other names, so that only this folder knows of it.
 */
#include "admin/admin_value.h"

#include <jansson.h>

/* A struct admin_value is a json_t; the two are never looked into. */
static const json_t *json_of(const struct admin_value *v)
{
	return (const json_t *)(const void *)v;
}

static const struct admin_value *value_of(const json_t *json)
{
	return (const struct admin_value *)(const void *)json;
}

struct admin_value *admin_value_parse(struct span text)
{
	return (struct admin_value *)(void *)json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY, NULL);
}

void admin_value_free(struct admin_value *document)
{
	json_decref((json_t *)(void *)document);
}

const struct admin_value *admin_value_get(const struct admin_value *object, const char *key)
{
	return value_of(json_object_get(json_of(object), key));
}

size_t admin_value_count(const struct admin_value *array)
{
	return json_array_size(json_of(array));
}

const struct admin_value *admin_value_at(const struct admin_value *array, size_t i)
{
	return value_of(json_array_get(json_of(array), i));
}

bool admin_value_is_null(const struct admin_value *v)
{
	return !v || json_is_null(json_of(v));
}

bool admin_value_is_true(const struct admin_value *v)
{
	return json_is_true(json_of(v));
}

struct span admin_value_text(const struct admin_value *v)
{
	return json_is_string(json_of(v)) ? span_of(json_string_value(json_of(v)), json_string_length(json_of(v))) : SPAN_EMPTY;
}

double admin_value_number(const struct admin_value *v)
{
	return json_number_value(json_of(v));
}

uint64_t admin_value_u64(const struct admin_value *v)
{
	return (uint64_t)json_integer_value(json_of(v));
}

bool admin_value_is_json(struct span text)
{
	struct admin_value *v = admin_value_parse(text);
	bool is_json = v != NULL;

	admin_value_free(v);
	return is_json;
}
