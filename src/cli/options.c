/*
 * options: no global state, no abbreviations (what is short today would be ambiguous tomorrow), and a guess at what was
 * meant where a name is not known.
 */
#include "cli/options.h"

#include <inttypes.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "config/suggest.h"

#define HELP_COLUMN 28

void options_init(struct options *o, const struct option_row *rows, unsigned n_rows, int argc, char **argv)
{
	*o = (struct options){ .command = argv[0], .rows = rows, .n_rows = n_rows, .argc = argc, .argv = argv, .at = 1 };
}

static int unknown_name(const struct options *o, struct span name)
{
	struct suggestion s;

	suggest_begin(&s, name);
	for (unsigned i = 0; i < o->n_rows; i++)
		suggest_offer(&s, span_of_string(o->rows[i].name));
	suggest_offer(&s, SPAN("help"));
	if (s.best.n)
		log_error("%s: there is no option --%.*s; did you mean --%.*s?", o->command, SPAN_ARG(name), SPAN_ARG(s.best));
	else
		log_error("%s: there is no option --%.*s (see brownout %s --help)", o->command, SPAN_ARG(name), o->command);
	return OPTIONS_ERROR;
}

/* The value of a row that wants one: what stands with it (NULL: nothing does), else the next argument. */
static int take_value(struct options *o, int row, const char *attached)
{
	if (attached || o->rows[row].argument[0] == '[') {
		o->value = attached;
	} else if (o->at < o->argc) {
		o->value = o->argv[o->at++];
	} else {
		log_error("%s: --%s needs a value: %s", o->command, o->rows[row].name, o->rows[row].argument);
		return OPTIONS_ERROR;
	}
	return row;
}

static int long_option(struct options *o, const char *text)
{
	struct span name = span_first(span_of_string(text), strcspn(text, "="));
	const char *attached = text[name.n] ? text + name.n + 1 : NULL;

	if (span_eq(name, SPAN("help")) && !attached)
		return OPTIONS_HELP;
	for (unsigned i = 0; i < o->n_rows; i++) {
		if (!span_eq(name, span_of_string(o->rows[i].name)))
			continue;
		if (o->rows[i].argument)
			return take_value(o, (int)i, attached);
		if (!attached)
			return (int)i;
		log_error("%s: --%s takes no value", o->command, o->rows[i].name);
		return OPTIONS_ERROR;
	}
	return unknown_name(o, name);
}

/* o->cluster is at a letter. */
static int short_option(struct options *o)
{
	char letter = *o->cluster;
	const char *rest = o->cluster[1] ? o->cluster + 1 : NULL;

	o->cluster = rest;
	if (letter == 'h')
		return OPTIONS_HELP;
	for (unsigned i = 0; i < o->n_rows; i++) {
		if (o->rows[i].letter != letter)
			continue;
		if (!o->rows[i].argument)
			return (int)i;
		o->cluster = NULL;
		return take_value(o, (int)i, rest);
	}
	log_error("%s: there is no option -%c (see brownout %s --help)", o->command, letter, o->command);
	return OPTIONS_ERROR;
}

int options_next(struct options *o)
{
	const char *argument;

	o->value = NULL;
	if (o->cluster)
		return short_option(o);
	if (o->at >= o->argc)
		return OPTIONS_END;
	argument = o->argv[o->at++];
	if (argument[0] == '-' && argument[1] == '-')
		return argument[2] ? long_option(o, argument + 2) : OPTIONS_REST;
	if (argument[0] == '-' && argument[1]) {
		o->cluster = argument + 1;
		return short_option(o);
	}
	o->value = argument; /* "-" too: standard input */
	return OPTIONS_ARGUMENT;
}

int options_refuse_argument(const struct options *o)
{
	log_error("%s: %.200s is one argument too many", o->command, o->value ? o->value : "--");
	return EXIT_CODE_USAGE;
}

int options_none(int argc, char **argv)
{
	struct options o;
	int row;

	options_init(&o, NULL, 0, argc, argv);
	row = options_next(&o);
	if (row == OPTIONS_END || row == OPTIONS_HELP || row == OPTIONS_ERROR)
		return row;
	(void)options_refuse_argument(&o);
	return OPTIONS_ERROR;
}

static void put_row(struct text *out, char letter, const char *name, const char *argument, const char *help)
{
	size_t start = out->n;

	if (letter)
		text_printf(out, "  -%c, --%s", letter, name);
	else
		text_printf(out, "      --%s", name);
	if (argument)
		text_printf(out, argument[0] == '[' ? "%s" : " %s", argument);
	text_printf(out, "%*s%s\n", (int)(MAX(start + HELP_COLUMN, out->n + 2) - out->n), "", help);
}

void options_write_help(const struct option_row *rows, unsigned n_rows, struct text *out)
{
	for (unsigned i = 0; i < n_rows; i++)
		put_row(out, rows[i].letter, rows[i].name, rows[i].argument, rows[i].help);
	put_row(out, 'h', "help", NULL, "this text");
}

bool options_number(const struct options *o, int row, uint64_t min, uint64_t max, uint64_t *value)
{
	if (span_to_u64(span_of_string(o->value), value) == 0 && *value >= min && *value <= max)
		return true;
	log_error("%s: --%s %.40s: a whole number from %" PRIu64 " to %" PRIu64 " is wanted", o->command, o->rows[row].name,
		o->value, min, max);
	return false;
}
