/*
 * cmd_ctl: options and verbs, wherever they stand among each other; each verb is a function of ctl.h.
 */
#include "cli/cmd_ctl.h"

#include <stdlib.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/ctl.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "config/suggest.h"
#include "config/value.h"

#define ADDRESS_DEFAULT "127.0.0.1:9901"
#define ADDRESS_VARIABLE "BROWNOUT_ADMIN"
#define TOKEN_VARIABLE "BROWNOUT_TOKEN"
#define ARGUMENTS_MAX 128
#define VERB_COLUMN 34

/* OPTION(id, "name", letter, argument, help) */
#define CTL_OPTIONS(X)                                                                                                          \
	X(ADMIN, "admin", 'a', "ADDRESS", "of the admin listener (default " ADDRESS_DEFAULT ", or BROWNOUT_ADMIN)")             \
	X(TOKEN, "token", 't', "TOKEN", "that it asks for (default BROWNOUT_TOKEN)")                                            \
	X(JSON, "json", 'j', NULL, "answers as JSON, for programs")                                                             \
	X(KEEP_HELD, "keep-held", 0, NULL, "disarm: what faults hold stays held")                                               \
	X(BEFORE, "before", 0, "NAME", "put: a new rule goes before this one")                                                  \
	X(RULE, "rule", 0, "NAME", "tail: only what this rule has faulted")                                                     \
	X(FAULTED, "faulted", 0, NULL, "tail: only what was faulted, has failed or was refused")                                \
	X(COUNT, "count", 'n', "N", "top, tail: end after so many")

enum {
#define X(id, name, letter, argument, help) CTL_##id,
	CTL_OPTIONS(X)
#undef X
};

static const struct option_row rows[] = {
#define X(id, name, letter, argument, help) { name, letter, argument, help },
	CTL_OPTIONS(X)
#undef X
};

const struct option_table cmd_ctl_options = { rows, ARRAY_LEN(rows) };

struct verb {
	const char *name;
	const char *arguments;
	int least, most;
	const char *help;
	int (*run)(struct ctl *c);
};

static const struct verb verbs[] = {
#define VERB(name, arguments, least, most, help) { #name, arguments, least, most, help, ctl_##name },
	CTL_VERBS(VERB)
#undef VERB
};

const char *cmd_ctl_verb(size_t i)
{
	return i < ARRAY_LEN(verbs) ? verbs[i].name : NULL;
}

static int print_help(void)
{
	struct text out;

	text_init(&out);
	text_put_literal(&out, "Usage: brownout ctl [OPTION]... VERB [ARGUMENT]...\n"
			       "\n"
			       "Watches and steers a running brownout, by its admin listener (admin: in the rule file, or\n"
			       "brownout run --admin). Changes are of what runs; the rule file on disk stays as it is.\n"
			       "\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		size_t start = out.n;

		text_printf(&out, "  %s %s", verbs[i].name, verbs[i].arguments);
		text_printf(&out, "%*s%s\n", (int)(MAX(start + VERB_COLUMN, out.n + 2) - out.n), "", verbs[i].help);
	}
	text_put_char(&out, '\n');
	options_write_help(rows, ARRAY_LEN(rows), &out);
	text_put_literal(&out, "\n"
			       "  brownout ctl rules\n"
			       "  brownout ctl set checkout percentage=25 match.path=/checkout/**\n"
			       "  brownout ctl disarm\n"
			       "\n"
			       "Exit code 0: done; 2: wrong usage, or refused; 125: nobody answers, or a worker\n"
			       "thread does not come round to what was asked.\n");
	return output_write(&out);
}

/* ---- arguments ---- */

struct ctl_arguments {
	struct ctl ctl;
	const char *admin;
	const char *token;
	char *words[ARGUMENTS_MAX]; /* the verb first */
	int n_words;
	bool help;
};

/* An option, or a word. False after one line on standard error. */
static bool take(struct ctl_arguments *a, struct options *o, int row)
{
	struct ctl *c = &a->ctl;

	switch (row) {
	case CTL_ADMIN: a->admin = o->value; return true;
	case CTL_TOKEN: a->token = o->value; return true;
	case CTL_JSON: c->json = true; return true;
	case CTL_KEEP_HELD: c->keep_held = true; return true;
	case CTL_BEFORE: c->before = o->value; return true;
	case CTL_RULE: c->rule = o->value; return true;
	case CTL_FAULTED: c->faulted = true; return true;
	case CTL_COUNT: return options_number(o, row, 1, UINT32_MAX, &c->count);
	case OPTIONS_HELP: a->help = true; return true;
	case OPTIONS_ARGUMENT:
		if (a->n_words < ARGUMENTS_MAX) {
			a->words[a->n_words++] = o->argv[o->at - 1];
			return true;
		}
		(void)options_refuse_argument(o);
		return false;
	case OPTIONS_REST:
		while (o->at < o->argc && a->n_words < ARGUMENTS_MAX)
			a->words[a->n_words++] = o->argv[o->at++];
		return o->at == o->argc;
	default: return false; /* options_next has said why */
	}
}

static bool parse(struct ctl_arguments *a, int argc, char **argv)
{
	struct options o;
	int row;

	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while (!a->help && (row = options_next(&o)) != OPTIONS_END) {
		if (!take(a, &o, row))
			return false;
		if (row == OPTIONS_REST)
			break;
	}
	return true;
}

/* NULL after one line on standard error. */
static const struct verb *find_verb(const char *name)
{
	struct suggestion s;

	suggest_begin(&s, span_of_string(name));
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
		suggest_offer(&s, span_of_string(verbs[i].name));
	}
	if (s.best.n)
		log_error("ctl: there is no verb %.40s; did you mean %.*s?", name, SPAN_ARG(s.best));
	else
		log_error("ctl: there is no verb %.40s (see brownout ctl --help)", name);
	return NULL;
}

/* An environment variable that is set, and not empty. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static const char *first_of(const char *a, const char *b, const char *otherwise)
{
	return a ? a : b ? b : otherwise;
}

int cmd_ctl(int argc, char **argv)
{
	struct ctl_arguments a = { .admin = NULL };
	const struct verb *verb;

	if (!parse(&a, argc, argv))
		return EXIT_CODE_USAGE;
	if (a.help)
		return print_help();
	if (a.n_words == 0) {
		log_error("ctl: a verb is needed, such as rules or disarm; see brownout ctl --help");
		return EXIT_CODE_USAGE;
	}
	verb = find_verb(a.words[0]);
	if (!verb)
		return EXIT_CODE_USAGE;
	a.ctl.args = a.words + 1;
	a.ctl.n_args = a.n_words - 1;
	if (a.ctl.n_args < verb->least || a.ctl.n_args > verb->most) {
		log_error("ctl: usage: brownout ctl %s %s", verb->name, verb->arguments);
		return EXIT_CODE_USAGE;
	}
	a.token = first_of(a.token, variable(TOKEN_VARIABLE), NULL);
	if (a.token && !value_is_field_content(span_of_string(a.token))) {
		log_error("ctl: the token has a line end or another control character");
		return EXIT_CODE_USAGE;
	}
	admin_client_init(&a.ctl.client, first_of(a.admin, variable(ADDRESS_VARIABLE), ADDRESS_DEFAULT), a.token);
	return verb->run(&a.ctl);
}
