/*
 * reproduce: see reproduce.h. Words are quoted where a shell would not take them as they are; and where a report would not show
 * them as they are (a script of several lines, as an argument), printf makes them.
 */
#include "cli/reproduce.h"

#include <inttypes.h>

static bool is_plain(struct span word)
{
	for (size_t i = 0; i < word.n; i++) {
		char c = ascii_lower(word.p[i]);

		if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && (c == '\0' || !strchr("-_./:=@%+,", c)))
			return false;
	}
	return word.n > 0;
}

/* Of one line, and UTF-8. */
static bool is_shown(struct span word)
{
	while (word.n) {
		unsigned n = span_utf8_length(word);
		unsigned char c = (unsigned char)word.p[0];

		if (n == 0 || c < ' ' || c == 0x7f || (n == 2 && c == 0xc2 && (unsigned char)word.p[1] < 0xa0))
			return false;
		word = span_skip(word, n);
	}
	return true;
}

/* A shell cuts line ends off the end of what printf says: of a script they mean nothing. */
static void put_by_printf(struct text *out, struct span word)
{
	text_put_literal(out, "\"$(printf '");
	for (size_t i = 0; i < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];

		if (c == '\n')
			text_put_literal(out, "\\n");
		else if (c < ' ' || c >= 0x7f || (c == '-' && i == 0))
			text_printf(out, "\\%03o", c);
		else if (c == '%' || c == '\\')
			text_printf(out, "%c%c", c, c);
		else if (c == '\'')
			text_put_literal(out, "'\\''");
		else
			text_put_char(out, (char)c);
	}
	text_put_literal(out, "')\"");
}

static void put_word(struct text *out, struct span word)
{
	if (is_plain(word)) {
		text_put_span(out, word);
		return;
	}
	if (!is_shown(word)) {
		put_by_printf(out, word);
		return;
	}
	text_put_char(out, '\'');
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\'')
			text_put_literal(out, "'\\''");
		else
			text_put_char(out, word.p[i]);
	}
	text_put_char(out, '\'');
}

static void put_assignment(const struct plan_variable *v, struct text *out)
{
	text_put_span(out, v->name);
	text_put_char(out, '=');
	if (v->hidden)
		text_printf(out, "\"${%.*s:?}\"", SPAN_ARG(v->name));
	else
		put_word(out, v->value);
	text_put_char(out, ' ');
}

void reproduce_put_variables(const struct plan_variables *variables, struct text *out)
{
	bool any = false;

	/* What was not set must not be set, or the file's default is not taken. */
	for (unsigned i = 0; i < variables->n; i++) {
		if (variables->v[i].is_set)
			continue;
		text_printf(out, "%s -u %.*s", any ? "" : "env", SPAN_ARG(variables->v[i].name));
		any = true;
	}
	if (any)
		text_put_char(out, ' ');
	for (unsigned i = 0; i < variables->n; i++) {
		if (variables->v[i].is_set)
			put_assignment(&variables->v[i], out);
	}
}

static void put_seed(const uint64_t *seed, struct text *out)
{
	if (seed)
		text_printf(out, " --seed %" PRIu64, *seed);
}

void reproduce_put_command(int argc, char *const *argv, char *const *command, const uint64_t *seed, struct text *out)
{
	text_put_literal(out, "brownout");
	for (int i = 0; i < argc; i++) {
		if (command && command == argv + i + 1) { /* at the "--" */
			put_seed(seed, out);
			seed = NULL;
		}
		text_put_char(out, ' ');
		put_word(out, span_of_string(argv[i]));
	}
	put_seed(seed, out);
}
