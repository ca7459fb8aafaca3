/*
 * reference: the tables as a text to read: `brownout help rules`, or as the body of a manual page. One section per mapping, one
 * entry per key.
 */
#include "config/keys.h"

#include <stdio.h>

#include "base/roff.h"
#include "config/load.h"
#include "config/suggest.h"
#include "config/units.h"
#include "config/value.h"

#define COLUMNS_MIN 40
#define INDENT_KEY 2
#define INDENT_TEXT 6
#define LINE_BYTES 512
#define ROFF 0 /* instead of a number of columns: who reads it breaks the lines */

static void put_spaces(struct text *out, unsigned n)
{
	while (n-- > 0)
		text_put_char(out, ' ');
}

/* Words of s, broken into lines of at most `columns`; the first line is begun at column `at`. */
static void put_wrapped(struct text *out, struct span s, unsigned columns, unsigned indent, unsigned at)
{
	bool first = true; /* on its line */

	while (s.n) {
		size_t n = span_find(s, ' ');

		if (!first && at + 1 + n > columns) {
			text_put_char(out, '\n');
			at = 0;
			first = true;
		}
		if (at == 0) {
			put_spaces(out, indent);
			at = indent;
		}
		if (!first)
			text_put_char(out, ' ');
		text_put_span(out, span_first(s, n));
		at += (unsigned)n + !first;
		first = false;
		s = span_skip(s, n + 1);
	}
	text_put_char(out, '\n');
}

static void put_paragraph(struct text *out, const char *s, unsigned columns, unsigned indent)
{
	if (columns == ROFF) {
		roff_put_paragraph(out, s);
		return;
	}
	put_wrapped(out, span_of_string(s), columns, indent, 0);
}

/* ---- what a value looks like ---- */

/* One of several, the first of which stands at `begin`. */
static void put_alternative(struct text *out, size_t begin, const char *name)
{
	text_put_string(out, out->n > begin ? " | " : "");
	text_put_string(out, name);
}

static void put_range(struct text *out, const struct key *key)
{
	void (*put)(struct text *, uint64_t) = NULL;

	if (key->type == &value_size)
		put = units_write_size;
	else if (key->type == &value_count)
		put = text_put_u64;
	if (put) {
		text_put_string(out, ", ");
		put(out, key->min);
		text_put_string(out, " to ");
		put(out, key->max);
	} else if (key->type == &value_duration && key->max) {
		text_put_string(out, key->min ? ", " : ", at most ");
		if (key->min) {
			units_write_duration(out, (int64_t)key->min);
			text_put_string(out, " to ");
		}
		units_write_duration(out, (int64_t)key->max);
	} else if (key->type == &value_percentage) {
		text_put_string(out, ", 0 to 100");
	}
}

/* The scalars that the key takes, itself or by its map's short form. */
static void put_scalars(struct text *out, size_t begin, const struct key *key)
{
	if (key->type && key->type != &value_choice)
		put_alternative(out, begin, key->type->name);
	for (const struct choice *c = key->choices; c && c->name; c++)
		put_alternative(out, begin, c->name);
	if (key->map && key->map->short_key)
		put_scalars(out, begin, decode_find_key(key->map, span_of_string(key->map->short_key)));
}

/* "count | auto", "duration | mapping" */
static void put_element(struct text *out, const struct key *key)
{
	size_t begin = out->n;

	put_scalars(out, begin, key);
	if (key->map)
		put_alternative(out, begin, "mapping");
}

static void put_type(struct text *out, const struct key *key)
{
	if (key->shape & KEY_NAMED)
		text_put_string(out, "names to ");
	if (key->shape & KEY_LIST)
		text_put_string(out, "list of ");
	put_element(out, key);
	if (key->shape & KEY_ONE_OR_LIST)
		text_put_string(out, ", or a list of these");
	if (!(key->shape & (KEY_LIST | KEY_NAMED)))
		put_range(out, key);
}

static void put_default(struct text *out, const struct key *key)
{
	const char *value = key->default_text ? key->default_text : key->default_note;

	if (key->required) {
		text_put_string(out, "; required");
	} else if (value) {
		text_put_string(out, "; default: ");
		text_put_string(out, value);
	}
}

static void put_key(struct text *out, const struct key *key, unsigned columns)
{
	char block[LINE_BYTES];
	struct text line;

	text_init_fixed(&line, block, sizeof(block));
	text_put_string(&line, key->name);
	text_put_string(&line, ": ");
	put_type(&line, key);
	put_default(&line, key);
	if (columns == ROFF) {
		text_put_literal(out, ".TP\n");
		roff_put_bold(out, span_of_string(key->name));
		roff_put(out, span_skip(text_span(&line), strlen(key->name)));
		text_put_char(out, '\n');
		roff_put_paragraph(out, key->description);
		text_put_literal(out, ".br\n");
		roff_put_bold(out, span_of_string(key->example));
		text_put_char(out, '\n');
		return;
	}
	put_spaces(out, INDENT_KEY);
	put_wrapped(out, text_span(&line), columns, INDENT_TEXT, INDENT_KEY);
	put_paragraph(out, key->description, columns, INDENT_TEXT);
	put_spaces(out, INDENT_TEXT);
	text_put_string(out, "Example: ");
	text_put_string(out, key->example);
	text_put_char(out, '\n');
}

/* ---- sections ---- */

/* Where the map stands: its title, or the path of the first key that has it. */
static void put_path(struct text *out, const struct key_map *map)
{
	if (map->title) {
		text_put_string(out, map->title);
		return;
	}
	for (unsigned i = 0; i < keys_all_n; i++) {
		const struct key_map *around = keys_all[i];

		for (unsigned k = 0; k < around->n_keys && around != map; k++) {
			const struct key *key = &around->keys[k];

			if (key->map != map)
				continue;
			if (around != &keys_file) {
				put_path(out, around);
				text_put_char(out, '.');
			}
			text_put_string(out, key->name);
			if (key->shape & KEY_NAMED)
				text_put_string(out, ".NAME");
			if (key->shape & KEY_LIST)
				text_put_string(out, "[]");
			return;
		}
	}
}

static void put_title(struct text *out, const struct key_map *map, unsigned columns)
{
	char block[LINE_BYTES];
	struct text path;

	text_init_fixed(&path, block, sizeof(block));
	put_path(&path, map);
	if (columns != ROFF) {
		text_put_span(out, map == &keys_file ? SPAN("RULE FILE") : text_span(&path));
	} else if (map == &keys_file) {
		text_put_literal(out, ".SH KEYS OF THE FILE");
	} else {
		text_put_literal(out, ".SH ");
		roff_put(out, text_span(&path));
	}
	text_put_char(out, '\n');
}

/* A sentence of its own line. */
static void put_remark(struct text *out, const char *remark, unsigned columns)
{
	if (columns == ROFF)
		text_put_literal(out, ".PP\n");
	put_paragraph(out, remark, columns, INDENT_KEY);
}

static void put_map(struct text *out, const struct key_map *map, unsigned columns)
{
	char remark[LINE_BYTES];

	put_title(out, map, columns);
	put_paragraph(out, map->description, columns, INDENT_KEY);
	if (map->short_key) {
		(void)snprintf(remark, sizeof(remark), "Short form: the value of %s alone.", map->short_key);
		put_remark(out, remark, columns);
	}
	if (map->one_of > 1 && map->one_of == map->n_keys) {
		put_remark(out, "Exactly one of the keys is given.", columns);
	} else if (map->one_of > 1) {
		(void)snprintf(remark, sizeof(remark), "Exactly one of the first %u keys is given.", map->one_of);
		put_remark(out, remark, columns);
	}
	for (unsigned i = 0; i < map->n_keys && !map->like; i++) {
		if (columns != ROFF)
			text_put_char(out, '\n');
		put_key(out, &map->keys[i], columns);
	}
}

void load_write_reference(struct text *out, unsigned columns)
{
	columns = MAX(columns, (unsigned)COLUMNS_MIN);
	for (unsigned i = 0; i < keys_all_n; i++) {
		if (i > 0)
			text_put_char(out, '\n');
		put_map(out, keys_all[i], columns);
	}
}

/* Whether a key of this name is described by the map. */
static bool is_of_key(const struct key_map *map, struct span name)
{
	for (unsigned i = 0; i < keys_all_n; i++) {
		const struct key *key = decode_find_key(keys_all[i], name);

		if (key && key->map == map)
			return true;
	}
	return false;
}

int load_write_reference_of(struct text *out, unsigned columns, struct span name, struct suggestion *meant)
{
	size_t begin = out->n;

	columns = MAX(columns, (unsigned)COLUMNS_MIN);
	suggest_begin(meant, name);
	for (unsigned i = 0; i < keys_all_n; i++) {
		const struct key_map *map = keys_all[i];
		const struct key *key = map->like ? NULL : decode_find_key(map, name);

		for (unsigned k = 0; k < map->n_keys; k++)
			suggest_offer(meant, span_of_string(map->keys[k].name));
		if (!key && !is_of_key(map, name))
			continue;
		text_put_string(out, out->n > begin ? "\n" : "");
		if (is_of_key(map, name)) {
			put_map(out, map, columns);
		} else {
			put_title(out, map, columns);
			put_key(out, key, columns);
		}
	}
	return out->n > begin ? 0 : 1;
}

void load_write_manual(struct text *out)
{
	for (unsigned i = 0; i < keys_all_n; i++)
		put_map(out, keys_all[i], ROFF);
}
