/*
 * source_splice: the places of things in a text, and what is to stand there instead. A line that is removed goes with the comment
 * at its end; a comment on a line of its own stays, but those right above an item of a list are about it and go with it.
 */
#include "config/source_splice.h"

#include <stdlib.h>

#include "config/yaml_write.h"

void splices_init(struct splices *s, struct arena *arena, const struct yaml_tree *tree)
{
	*s = (struct splices){ .arena = arena, .source = tree->source };
}

/* ---- applying ---- */

static int compare_splices(const void *a, const void *b)
{
	const struct splice *x = *(const struct splice *const *)a, *y = *(const struct splice *const *)b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

bool splices_apply(struct splices *s, struct text *out)
{
	struct splice **v = s->n ? malloc(s->n * sizeof(struct splice *)) : NULL;
	uint32_t done = 0;
	unsigned n = 0;

	if (s->n && !v)
		s->failed = true;
	for (struct splice *splice = s->first; splice && v; splice = splice->next)
		v[n++] = splice;
	if (n > 1)
		qsort(v, n, sizeof(struct splice *), compare_splices);
	for (unsigned i = 0; i < n && !s->failed; i++) {
		/* Two at one place would have an order that nobody has said. */
		s->failed = v[i]->at < done || (i && v[i]->at == v[i - 1]->at);
		if (s->failed)
			break;
		text_put_span(out, span_of(s->source.p + done, v[i]->at - done));
		text_put_span(out, v[i]->text);
		done = v[i]->end;
	}
	free(v);
	text_put_span(out, span_skip(s->source, done));
	return !s->failed && !out->cut;
}

/* Takes the text over: it is copied, and freed. */
static void put(struct splices *s, uint32_t at, uint32_t end, struct text *text)
{
	struct splice *splice = arena_alloc(s->arena, sizeof(*splice));
	struct span copy = arena_copy(s->arena, text_span(text));

	if (!splice || !copy.p || text->cut || at > end || end > s->source.n) {
		s->failed = true;
	} else {
		*splice = (struct splice){ .next = s->first, .at = at, .end = end, .text = copy };
		s->first = splice;
		s->n++;
	}
	text_deinit(text);
}

static void cut(struct splices *s, uint32_t at, uint32_t end)
{
	struct text nothing;

	text_init(&nothing);
	put(s, at, end, &nothing);
}

/* ---- places ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static uint32_t line_start(const struct splices *s, uint32_t at)
{
	while (at > 0 && s->source.p[at - 1] != '\n')
		at--;
	return at;
}

/* The place of the line's LF, or the end of the source. */
static uint32_t line_end(const struct splices *s, uint32_t at)
{
	while (at < s->source.n && s->source.p[at] != '\n')
		at++;
	return at;
}

/* Behind the LF, where there is one. */
static uint32_t next_line(const struct splices *s, uint32_t at)
{
	return MIN(line_end(s, at) + 1, (uint32_t)s->source.n);
}

static unsigned column_of(const struct splices *s, uint32_t at)
{
	return at - line_start(s, at);
}

/* Nothing stands before it on its line. */
static bool begins_line(const struct splices *s, uint32_t at)
{
	while (at > 0 && is_blank(s->source.p[at - 1]))
		at--;
	return at == 0 || s->source.p[at - 1] == '\n';
}

static uint32_t item_at(const struct yaml_item *item)
{
	return item->key ? item->key_at : item->at;
}

/* Of the ":" behind the key; the end of the key where there is none (in braces a key may stand alone). */
static uint32_t colon_of(const struct splices *s, const struct yaml_item *item)
{
	uint32_t at = item->key_end;

	while (at < s->source.n && is_blank(s->source.p[at]))
		at++;
	return at < s->source.n && s->source.p[at] == ':' ? at : item->key_end;
}

/* Of the "-" before the item of a block; it begins its line. False where it is not found so. */
static bool find_dash(const struct splices *s, const struct yaml_item *item, uint32_t *dash)
{
	uint32_t at = item->at;

	while (at > 0 && (is_blank(s->source.p[at - 1]) || s->source.p[at - 1] == '\n' || s->source.p[at - 1] == '\r'))
		at--;
	if (at == 0 || s->source.p[at - 1] != '-' || !begins_line(s, at - 1))
		return false;
	*dash = at - 1;
	return true;
}

static void put_spaces(struct text *out, unsigned n)
{
	while (n--)
		text_put_char(out, ' ');
}

/* The lines of a text, all but the first (and empty ones) begun in this column. */
static void put_lines(struct text *out, struct span lines, unsigned column)
{
	for (bool first = true; lines.n; first = false) {
		struct span line = span_first(lines, span_find(lines, '\n'));

		if (!first) {
			text_put_char(out, '\n');
			if (line.n)
				put_spaces(out, column);
		}
		text_put_span(out, line);
		lines = span_skip(lines, line.n + 1);
	}
}

/* ---- values ---- */

static void replace_in_flow(struct splices *s, const struct yaml_item *item, const struct yaml_node *value)
{
	uint32_t at = item->at;
	struct text text;

	text_init(&text);
	if (item->at == item->end && item->key) {
		/* Nothing stands there yet, perhaps not even a ":". */
		at = colon_of(s, item);
		text_put_string(&text, at == item->key_end ? ": " : " ");
		at += at != item->key_end;
	}
	yaml_write_flow(&text, value);
	put(s, at, MAX(at, item->end), &text);
}

static void replace_in_block(struct splices *s, const struct yaml_item *item, const struct yaml_node *value)
{
	uint32_t from = colon_of(s, item) + 1;
	bool is_block = item->value->kind != YAML_SCALAR && !item->value->flow && !item->is_alias;
	struct text text;

	text_init(&text);
	yaml_write_behind_key(&text, value, column_of(s, item->key_at));
	/* One line in the place of one value: what is around it stays. */
	if (!is_block && item->at > from && !text.cut && text.p[0] == ' ') {
		text.n--;
		memmove(text.p, text.p + 1, text.n);
		from = item->at;
	}
	put(s, from, MAX(from, item->end), &text);
}

void splices_replace(struct splices *s, const struct yaml_node *container, const struct yaml_item *item,
	const struct yaml_node *value)
{
	struct text text;

	if (container->flow) {
		replace_in_flow(s, item, value);
	} else if (item->key) {
		replace_in_block(s, item, value);
	} else {
		text_init(&text);
		yaml_write_item(&text, value, column_of(s, item->at));
		put(s, item->at, item->end, &text);
	}
}

void splices_replace_raw(struct splices *s, const struct yaml_item *item, struct span lines)
{
	uint32_t end = line_end(s, item->end);
	struct text text;

	/* The comment at its end was about what was there. */
	if (end > item->end && s->source.p[end - 1] == '\r')
		end--;
	text_init(&text);
	put_lines(&text, lines, column_of(s, item->at));
	put(s, item->at, end, &text);
}

static bool have_key_in_common(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != YAML_MAPPING || b->kind != YAML_MAPPING)
		return false;
	for (const struct yaml_item *item = a->items; item; item = item->next) {
		if (yaml_node_find(b, item->key->text))
			return true;
	}
	return false;
}

void splices_set(struct splices *s, const struct yaml_node *container, const struct yaml_item *item,
	const struct yaml_node *value)
{
	if (yaml_node_hash(item->value) == yaml_node_hash(value))
		return;
	if (!item->is_alias && have_key_in_common(item->value, value))
		splices_change(s, item->value, value);
	else
		splices_replace(s, container, item, value);
}

/* ---- entries of mappings ---- */

/* Cuts each item that is not wanted. The last ones have no comma of their own: they go with that before them. */
static void remove_in_flow(struct splices *s, const struct yaml_node *mapping, const struct yaml_node *wanted)
{
	const struct yaml_item *kept = NULL, *last = NULL;

	for (const struct yaml_item *item = mapping->items; item; item = item->next) {
		if (yaml_node_find(wanted, item->key->text))
			kept = item;
		last = item;
	}
	for (const struct yaml_item *item = mapping->items; item != kept; item = item->next) {
		if (!yaml_node_find(wanted, item->key->text))
			cut(s, item_at(item), item_at(item->next));
	}
	if (kept != last)
		cut(s, kept->end, last->end);
}

/*
 * Cuts the items that are not wanted from the first on, up to the first that is: where they begin on a line with a dash, that one
 * comes up to it.
 */
static const struct yaml_item *remove_leading(struct splices *s, const struct yaml_node *mapping, const struct yaml_node *wanted)
{
	const struct yaml_item *kept = mapping->items, *last = NULL;
	uint32_t end;

	while (!yaml_node_find(wanted, kept->key->text)) {
		last = kept;
		kept = kept->next;
	}
	if (!last)
		return kept;
	end = line_end(s, last->end);
	if (!memchr(s->source.p + end, '#', kept->key_at - end))
		end = kept->key_at;
	cut(s, mapping->items->key_at, end);
	return kept;
}

static void remove_in_block(struct splices *s, const struct yaml_node *mapping, const struct yaml_node *wanted)
{
	const struct yaml_item *item = mapping->items;

	if (!begins_line(s, item->key_at))
		item = remove_leading(s, mapping, wanted);
	for (; item; item = item->next) {
		if (!yaml_node_find(wanted, item->key->text))
			cut(s, line_start(s, item->key_at), next_line(s, item->end));
	}
}

/* All that the mapping lacks, behind its last item. */
static void append(struct splices *s, const struct yaml_node *mapping, const struct yaml_node *wanted)
{
	const struct yaml_item *last = mapping->items;
	unsigned column = column_of(s, mapping->items->key_at);
	bool lines = mapping->flow && begins_line(s, mapping->items->key_at);
	uint32_t at;
	struct text text;

	while (last->next)
		last = last->next;
	at = mapping->flow ? last->end : next_line(s, last->end);
	text_init(&text);
	for (const struct yaml_item *item = wanted->items; item; item = item->next) {
		if (yaml_node_find(mapping, item->key->text))
			continue;
		if (mapping->flow) {
			text_put_string(&text, lines ? ",\n" : ", ");
			put_spaces(&text, lines ? column : 0);
			yaml_write_scalar(&text, item->key);
			text_put_literal(&text, ": ");
			yaml_write_flow(&text, item->value);
		} else {
			if (at == s->source.n && at > 0 && s->source.p[at - 1] != '\n' && text.n == 0)
				text_put_char(&text, '\n');
			put_spaces(&text, column);
			yaml_write_entry(&text, item, column);
			text_put_char(&text, '\n');
		}
	}
	if (text.n || text.cut)
		put(s, at, at, &text);
	else
		text_deinit(&text);
}

void splices_change(struct splices *s, const struct yaml_node *mapping, const struct yaml_node *wanted)
{
	if (!have_key_in_common(mapping, wanted)) {
		s->failed = true;
		return;
	}
	if (mapping->flow)
		remove_in_flow(s, mapping, wanted);
	else
		remove_in_block(s, mapping, wanted);
	for (const struct yaml_item *item = mapping->items; item; item = item->next) {
		const struct yaml_item *other = yaml_node_find(wanted, item->key->text);

		if (other)
			splices_set(s, mapping, item, other->value);
	}
	append(s, mapping, wanted);
}

/* ---- items of sequences ---- */

static void insert_in_flow(struct splices *s, const struct yaml_node *sequence, const struct yaml_item *before,
	const struct yaml_node *value)
{
	const struct yaml_item *beside = before ? before : sequence->items;
	bool lines = begins_line(s, beside->at);
	struct text text;

	while (!before && beside->next)
		beside = beside->next;
	text_init(&text);
	if (!before) {
		text_put_string(&text, lines ? ",\n" : ", ");
		put_spaces(&text, lines ? column_of(s, sequence->items->at) : 0);
	}
	yaml_write_flow(&text, value);
	if (before) {
		text_put_string(&text, lines ? ",\n" : ", ");
		put_spaces(&text, lines ? column_of(s, before->at) : 0);
	}
	put(s, before ? before->at : beside->end, before ? before->at : beside->end, &text);
}

/*
 * The start of the item with this dash and of the comments right above it, without a blank line between: those that begin further
 * right are about what the item before it says last.
 */
static uint32_t with_comments(const struct splices *s, uint32_t dash)
{
	uint32_t start = line_start(s, dash);

	while (start > 0) {
		uint32_t above = line_start(s, start - 1);
		struct span line = span_trim(span_of(s->source.p + above, start - 1 - above));

		if (line.n == 0 || line.p[0] != '#' || (size_t)(line.p - s->source.p) - above > column_of(s, dash))
			break;
		start = above;
	}
	return start;
}

void splices_insert_item(struct splices *s, const struct yaml_node *sequence, const struct yaml_item *before,
	const struct yaml_node *value, struct span lines)
{
	const struct yaml_item *beside = before ? before : sequence->items;
	uint32_t dash, at;
	unsigned column;
	struct text text;

	if (sequence->flow) {
		insert_in_flow(s, sequence, before, value);
		return;
	}
	if (!find_dash(s, beside, &dash)) {
		s->failed = true;
		return;
	}
	column = column_of(s, dash);
	while (!before && beside->next)
		beside = beside->next;
	at = before ? with_comments(s, dash) : next_line(s, beside->end);
	text_init(&text);
	if (at == s->source.n && at > 0 && s->source.p[at - 1] != '\n')
		text_put_char(&text, '\n');
	put_spaces(&text, column);
	text_put_literal(&text, "- ");
	if (lines.n)
		put_lines(&text, lines, column + YAML_INDENT);
	else
		yaml_write_item(&text, value, column + YAML_INDENT);
	text_put_char(&text, '\n');
	put(s, at, at, &text);
}

static void remove_item_in_flow(struct splices *s, const struct yaml_node *sequence, const struct yaml_item *item)
{
	const struct yaml_item *before = NULL;

	for (const struct yaml_item *other = sequence->items; other != item; other = other->next)
		before = other;
	if (item->next)
		cut(s, item->at, item->next->at);
	else
		cut(s, before ? before->end : item->at, item->end);
}

void splices_remove_item(struct splices *s, const struct yaml_item *holder, const struct yaml_item *item)
{
	const struct yaml_node *sequence = holder->value;
	uint32_t dash = 0, colon = colon_of(s, holder);
	struct text empty;

	if (sequence->flow) {
		remove_item_in_flow(s, sequence, item);
		return;
	}
	if (!find_dash(s, item, &dash)) {
		s->failed = true;
		return;
	}
	cut(s, with_comments(s, dash), next_line(s, item->end));
	if (sequence->n > 1)
		return;
	text_init(&empty);
	text_put_literal(&empty, " []");
	put(s, colon + 1, colon + 1, &empty);
}
