/*
 * expand: a walk over the tree; texts without "$" are not touched.
 */
#include "config/expand.h"

#include <errno.h>
#include <stdio.h>

#define NAME_BYTES_MAX 128
/* How far into a scalar's source a reference is looked for, and how much of one is quoted. */
#define SEARCH_BYTES 4096
#define SHOWN_BYTES 60

struct expansion {
	const struct yaml_tree *tree;
	struct arena *arena;
	const struct expand_options *options;
	struct diagnostics *d;
	size_t n_bytes;
	enum variable_place place; /* of the scalar at hand */
	bool out_of_memory;
};

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (!first && ascii_is_digit(c));
}

/* The "${..." at `reference` as it stands in the source, or the scalar's begin where it is written another way. */
static uint32_t place_of(const struct expansion *x, const struct yaml_node *node, struct span reference)
{
	struct span source = span_first(span_skip(x->tree->source, node->at), SEARCH_BYTES);
	const char *at = memmem(source.p, source.n, reference.p, MIN(reference.n, (size_t)16));

	return at ? (uint32_t)(at - x->tree->source.p) : node->at;
}

/* Says it; always 1. */
static int refuse(struct expansion *x, const struct yaml_node *node, struct span reference, const char *format, ...)
	PRINTF_LIKE(4, 5);
static int refuse(struct expansion *x, const struct yaml_node *node, struct span reference, const char *format, ...)
{
	unsigned line, column;
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	yaml_tree_place(x->tree, place_of(x, node, reference), &line, &column);
	diagnostics_add(x->d, DIAGNOSTIC_ERROR, line, column, "%s", text);
	return 1;
}

/* The value of ${name...}; 1 where there is none (said). rest begins behind "${" and is moved behind "}". */
static int expand_reference(struct expansion *x, const struct yaml_node *node, struct span reference, struct span *rest,
	struct span *value)
{
	char name[NAME_BYTES_MAX + 1];
	struct span inside = span_first(*rest, span_find(*rest, '}'));
	const char *found;
	size_t n = 0;

	if (inside.n == rest->n)
		return refuse(x, node, reference, "\"%.*s\" has no closing \"}\" (write $$ for \"$\")",
			SPAN_ARG(span_first(reference, SHOWN_BYTES)));
	while (n < inside.n && is_name_char(inside.p[n], n == 0))
		n++;
	*rest = span_skip(*rest, inside.n + 1);
	*value = span_skip(inside, n);
	if (n == 0 || n > NAME_BYTES_MAX || (value->n && !span_starts_with(*value, SPAN(":-"))))
		return refuse(x, node, reference, "\"${%.*s}\" is neither ${NAME} nor ${NAME:-default} (write $$ for \"$\")",
			SPAN_ARG(span_first(inside, SHOWN_BYTES)));
	if (value->n && memmem(value->p, value->n, "${", 2))
		return refuse(x, node, reference, "\"${%.*s\": a default cannot hold another ${",
			SPAN_ARG(span_first(inside, SHOWN_BYTES)));
	memcpy(name, inside.p, n);
	name[n] = '\0';
	found = x->options->env ? x->options->env(x->options->env_arg, name) : NULL;
	if (variables_note(x->options->used, x->options->kept, span_of(name, n), found, x->place) < 0)
		x->out_of_memory = true;
	if (found && (found[0] || value->n == 0)) {
		*value = span_of_string(found);
		return 0;
	}
	if (value->n == 0)
		return refuse(x, node, reference, "the variable %.*s is not set (${NAME:-default} gives a default)",
			(int)n, inside.p);
	*value = span_skip(*value, 2);
	return 0;
}

static bool is_utf8(struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);

		if (n == 0)
			return false;
		s = span_skip(s, n);
	}
	return true;
}

/* The expanded text into out; 1 where some part failed. */
static int expand_text(struct expansion *x, const struct yaml_node *node, struct text *out)
{
	struct span rest = node->text;
	int rc = 0;

	while (rest.n) {
		size_t n = span_find(rest, '$');
		struct span reference = span_skip(rest, n), value = SPAN_EMPTY;

		text_put_span(out, span_first(rest, n));
		rest = span_skip(reference, 1);
		if (span_starts_with(reference, SPAN("${"))) {
			rest = span_skip(rest, 1);
			if (expand_reference(x, node, reference, &rest, &value) != 0)
				return 1;
			if (!is_utf8(value))
				rc = refuse(x, node, reference, "the value of \"%.*s\" is not UTF-8",
					SPAN_ARG(span_first(reference, MIN(reference.n - rest.n, SHOWN_BYTES))));
		} else if (span_starts_with(reference, SPAN("$$"))) {
			rest = span_skip(rest, 1);
			value = SPAN("$");
		} else {
			value = span_first(reference, 1);
		}
		if (value.n > EXPAND_BYTES_MAX - x->n_bytes)
			return refuse(x, node, reference, "the expanded values have more than %zu bytes", EXPAND_BYTES_MAX);
		x->n_bytes += value.n;
		text_put_span(out, value);
	}
	return rc;
}

static int expand_scalar(struct expansion *x, struct yaml_node *node)
{
	struct text out;
	int rc = 0;

	if (span_find(node->text, '$') == node->text.n)
		return 0;
	text_init(&out);
	node->broken = expand_text(x, node, &out) != 0;
	if (!node->broken) {
		struct span copy = arena_copy(x->arena, text_span(&out));

		if (copy.p && !out.cut)
			node->text = copy;
		else
			rc = -ENOMEM;
	}
	text_deinit(&out);
	return rc;
}

static int expand_node(struct expansion *x, struct yaml_node *node, enum variable_place place)
{
	int rc = 0;

	if (node->expanded) /* reached by an alias before */
		return 0;
	node->expanded = true;
	x->place = place;
	if (node->kind == YAML_SCALAR)
		return expand_scalar(x, node);
	for (struct yaml_item *item = node->items; item && rc == 0 && !x->d->cut; item = item->next)
		rc = expand_node(x, item->value, item->key ? variable_place_below(place, item->key->text) : place);
	return rc;
}

int expand_tree(const struct yaml_tree *tree, struct arena *arena, const struct expand_options *options, struct diagnostics *d)
{
	struct expansion x = { .tree = tree, .arena = arena, .options = options, .d = d };
	/* By its aliases a value stands at places that are not seen here. */
	enum variable_place place = tree->has_anchors ? VARIABLE_HIDDEN : VARIABLE_PLAIN;
	int rc = tree->root ? expand_node(&x, tree->root, place) : 0;

	return x.out_of_memory ? -ENOMEM : rc;
}
