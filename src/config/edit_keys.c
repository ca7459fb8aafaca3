/*
 * edit_keys: what a rewritten head cannot be is refused here, since the rest of it is known only while serving.
 */
#include "config/edit_keys.h"

#include "config/fault_keys.h"
#include "core/status.h"

/* ---- values ---- */

static void decode_field_name(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct span *name = field;

	if (fault_keys_check_field_name(d, node))
		*name = decode_lower(d, key->heap, node->text);
}

static void schema_field_name(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$");
}

const struct value_type value_field_name = { "name", "the name of a header field", decode_field_name, schema_field_name };

static void decode_target_path(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	struct span *path = field;

	for (size_t i = 0; i < node->text.n; i++) {
		unsigned char c = (unsigned char)node->text.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '?' || c == '#') {
			decode_error(d, node, "\"%.*s\" is not a path: blanks, control characters, other bytes than "
				"ASCII, ? and # are written as %%XX", DECODE_SHOWN(node->text));
			return;
		}
	}
	if (node->text.n == 0 || node->text.p[0] != '/')
		decode_error(d, node, "\"%.*s\" is not a path (write /%.*s)", DECODE_SHOWN(node->text), DECODE_SHOWN(node->text));
	else
		*path = decode_copy(d, key->heap, node->text);
}

static void schema_target_path(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^/[^?# ]*$");
}

const struct value_type value_target_path = { "path", "a path", decode_target_path, schema_target_path };

/* ---- edits ---- */

static bool sets_field(const struct fault_edit *e, struct span name)
{
	for (unsigned i = 0; i < e->n_set; i++) {
		if (span_eq_nocase(e->set[i].name, name))
			return true;
	}
	for (unsigned i = 0; i < e->n_add; i++) {
		if (span_eq_nocase(e->add[i].name, name))
			return true;
	}
	return false;
}

static void check_status(struct decode *d, const struct yaml_node *node, const struct fault_edit *e)
{
	const struct status_info *info = status_classify(e->status);
	uint32_t must = info ? info->must_fields & ~STATUS_FIELD_BIT(DATE) : 0;

	if (!info)
		return;
	if (info->content != STATUS_CONTENT_ALLOWED) {
		decode_error(d, node, "%u %s has no content, and the upstream's answer may have: use abort in phase: response",
			e->status, info->reason);
		return;
	}
	for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++) {
		const char *name = status_field_name((enum status_field)i);

		if (must >> i & 1 && !sets_field(e, span_of_string(name)))
			decode_error(d, node, "%u %s must carry %s: give it under headers.set", e->status, info->reason, name);
	}
}

void edit_keys_finish_rewrite(struct decode *d, const struct yaml_node *node, void *base)
{
	const struct yaml_node *status = yaml_node_get(node, "status");
	struct fault_edit *e = base;

	e->is_set = true;
	if (!status && !yaml_node_get(node, "headers") && !yaml_node_get(node, "body"))
		decode_error(d, node, "changes nothing: give it status, headers or body");
	if (status && e->status)
		check_status(d, status, e);
}

void edit_keys_finish_request(struct decode *d, const struct yaml_node *node, void *base)
{
	struct fault_edit *e = base;

	e->is_set = true;
	if (!yaml_node_get(node, "headers") && !yaml_node_get(node, "path"))
		decode_error(d, node, "changes nothing: give it headers or path");
}

void edit_keys_finish_hints(struct decode *d, const struct yaml_node *node, void *base)
{
	const struct yaml_node *headers = yaml_node_get(node, "headers");

	(void)base;
	if (headers && headers->kind == YAML_MAPPING && headers->n == 0)
		decode_error(d, headers, "must not be empty: a 103 without fields hints at nothing");
}
