/*
 * completion: one writer per shell, over the same tables. What a value may be is read from its name in the tables: words such as
 * text|json stand for themselves, names such as FILE have a row here. A name without a row is free text: nothing is offered.
 */
#include "cli/completion.h"

#include "cli/cmd_ctl.h"
#include "cli/cmd_help.h"
#include "cli/commands.h"
#include "core/status.h"

/* ---- what values may be ---- */

static void put_word(struct text *out, const char *word)
{
	if (out->n)
		text_put_char(out, ' ');
	text_put_string(out, word);
}

static void put_codes(struct text *out, unsigned first)
{
	for (unsigned code = first; code <= STATUS_MAX; code++) {
		if (status_classify(code)->origin != STATUS_UNKNOWN)
			text_printf(out, "%s%u", out->n ? " " : "", code);
	}
}

static void put_every_code(struct text *out)
{
	put_codes(out, STATUS_MIN);
}

static void put_final_codes(struct text *out)
{
	put_codes(out, 200);
}

static void put_classes(struct text *out)
{
	put_word(out, "1xx 2xx 3xx 4xx 5xx");
}

static void put_log_places(struct text *out)
{
	put_word(out, "stderr stdout off");
}

static void put_upstreams(struct text *out)
{
	put_word(out, "origin");
}

static void put_topics(struct text *out)
{
	const struct command *command;
	const char *topic;

	for (size_t i = 0; (topic = help_topic(i)) != NULL; i++)
		put_word(out, topic);
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		put_word(out, command->name);
}

static void put_verbs(struct text *out)
{
	const char *verb;

	for (size_t i = 0; (verb = cmd_ctl_verb(i)) != NULL; i++)
		put_word(out, verb);
}

static const struct {
	const char *name;
	bool files;
	void (*put)(struct text *words); /* NULL: no words */
} kinds[] = {
	{ "FILE", true, NULL },
	{ "TRACE", true, NULL },
	{ "OTHER", true, NULL },
	{ "DEST", true, put_log_places },
	{ "URL", false, put_upstreams },
	{ "STATUS", false, put_final_codes },
	{ "CODE", false, put_every_code },
	{ "CLASS", false, put_classes },
	{ "TOPIC", false, put_topics },
	{ "VERB", false, put_verbs },
};

struct values {
	struct text words; /* apart by one blank; made of letters, digits and "-:/" alone */
	bool files;
};

static void add_kind(struct values *v, struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!span_eq(name, span_of_string(kinds[i].name)))
			continue;
		v->files |= kinds[i].files;
		if (kinds[i].put)
			kinds[i].put(&v->words);
	}
}

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '-';
}

/* "text|json", "[CODE | CLASS]...": words in lower case stand for themselves. */
static void values_of(struct values *v, const char *argument)
{
	struct span rest = span_of_string(argument);

	*v = (struct values){ .files = false };
	text_init(&v->words);
	while (rest.n) {
		size_t n = 0;

		while (n < rest.n && is_name_char(rest.p[n]))
			n++;
		if (n && ascii_lower(rest.p[0]) == rest.p[0] && rest.p[0] != '-')
			text_printf(&v->words, "%s%.*s", v->words.n ? " " : "", (int)n, rest.p);
		else if (n)
			add_kind(v, span_first(rest, n));
		rest = span_skip(rest, MAX(n, (size_t)1));
	}
}

static void values_deinit(struct values *v)
{
	text_deinit(&v->words);
}

/* "[=X]": the value is there only as --name=X. */
static bool is_optional(const char *argument)
{
	return argument && argument[0] == '[';
}

/* Whether its arguments end with another command and what belongs to that. */
static bool takes_command(const struct command *command)
{
	return strstr(command->arguments, "-- COMMAND") != NULL;
}

/* Each of `escaped` behind a backslash; a single quote, in all three shells, as they want it within single quotes. */
static void put_quoted(struct text *out, const char *s, const char *escaped, const char *quote)
{
	for (; *s; s++) {
		if (*s == '\'') {
			text_put_string(out, quote);
			continue;
		}
		if (strchr(escaped, *s))
			text_put_char(out, '\\');
		text_put_char(out, *s);
	}
}

/* ---- bash ---- */

static void put_bash_offer(struct text *out, const struct values *v)
{
	text_put_literal(out, "_brownout_offer ");
	text_put_string(out, v->files ? "files '" : "words '");
	text_put_span(out, text_span(&v->words));
	text_put_literal(out, "'");
}

static void put_bash_option_values(struct text *out, const struct option_row *row)
{
	struct values v;

	values_of(&v, row->argument);
	text_put_literal(out, "\t\t");
	if (row->letter)
		text_printf(out, "-%c | ", row->letter);
	text_printf(out, "--%s) ", row->name);
	put_bash_offer(out, &v);
	text_put_literal(out, "; return ;;\n");
	values_deinit(&v);
}

static void put_bash_command(struct text *out, const struct command *command)
{
	struct values v;

	text_printf(out, "\t%s)\n", command->name);
	text_put_literal(out, "\t\tcase $before in\n");
	for (unsigned i = 0; i < command->options->n; i++) {
		if (command->options->rows[i].argument && !is_optional(command->options->rows[i].argument))
			put_bash_option_values(out, &command->options->rows[i]);
	}
	text_put_literal(out, "\t\tesac\n");
	if (takes_command(command))
		text_put_literal(out, "\t\tif [[ \" ${COMP_WORDS[*]:2:COMP_CWORD-2} \" == *' -- '* ]]; then\n"
				      "\t\t\tmapfile -t COMPREPLY < <(compgen -c -f -- \"$word\")\n"
				      "\t\t\treturn\n"
				      "\t\tfi\n");
	text_put_literal(out, "\t\tif [[ $word == -* ]]; then\n\t\t\t_brownout_offer words '");
	for (unsigned i = 0; i < command->options->n; i++)
		text_printf(out, "--%s ", command->options->rows[i].name);
	text_put_literal(out, "--help'\n\t\t\treturn\n\t\tfi\n\t\t");
	values_of(&v, command->arguments);
	put_bash_offer(out, &v);
	text_put_literal(out, "\n\t\t;;\n");
	values_deinit(&v);
}

static void write_bash(struct text *out)
{
	const struct command *command;

	text_put_literal(out,
		"# brownout(1) completion for bash, made by: brownout help --completion bash\n"
		"\n"
		"_brownout_offer() {\n"
		"\tmapfile -t COMPREPLY < <(compgen -W \"$2\" -- \"$word\")\n"
		"\tif [[ $1 == files ]]; then\n"
		"\t\tcompopt -o filenames 2>/dev/null\n"
		"\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$word\")\n"
		"\tfi\n"
		"}\n"
		"\n"
		"_brownout() {\n"
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
		"\tCOMPREPLY=()\n"
		"\t# --name=value comes as three words\n"
		"\tif [[ $word == = ]]; then\n"
		"\t\tword=\n"
		"\telif [[ $before == = ]]; then\n"
		"\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]}\n"
		"\tfi\n"
		"\tif ((COMP_CWORD == 1)); then\n"
		"\t\t_brownout_offer words '");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		text_printf(out, "%s ", command->name);
	text_put_literal(out, "--help --version'\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		put_bash_command(out, command);
	text_put_literal(out, "\tesac\n}\n\ncomplete -F _brownout brownout\n");
}

/* ---- zsh ---- */

#define ZSH_QUOTE "'\\''"

/* ":name:(words)", ":name:_files", ":name: " */
static void put_zsh_values(struct text *out, const char *name, const struct values *v)
{
	text_put_char(out, ':');
	put_quoted(out, name, ":", ZSH_QUOTE);
	text_put_char(out, ':');
	if (v->files && v->words.n)
		text_printf(out, "_alternative \"words\\:word\\:(%.*s)\" \"files\\:file\\:_files\"",
			SPAN_ARG(text_span(&v->words)));
	else if (v->files)
		text_put_literal(out, "_files");
	else if (v->words.n)
		text_printf(out, "(%.*s)", SPAN_ARG(text_span(&v->words)));
	else
		text_put_char(out, ' ');
}

static void put_zsh_option(struct text *out, const char *name, char letter, const char *argument, const char *help)
{
	struct values v;

	text_put_literal(out, " \\\n\t\t\t");
	if (letter)
		text_printf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", letter, name, letter, argument ? "+" : "", name,
			argument ? "=" : "");
	else
		text_printf(out, "'--%s%s[", name, is_optional(argument) ? "=-" : argument ? "=" : "");
	put_quoted(out, help, "[]:\\", ZSH_QUOTE);
	text_put_char(out, ']');
	if (is_optional(argument)) {
		text_put_literal(out, ":: : ");
	} else if (argument) {
		values_of(&v, argument);
		put_zsh_values(out, argument, &v);
		values_deinit(&v);
	}
	text_put_char(out, '\'');
}

static void put_zsh_command(struct text *out, const struct command *command)
{
	struct values v;

	text_printf(out, "\t%s)\n\t\t_arguments -s -S", command->name);
	for (unsigned i = 0; i < command->options->n; i++) {
		const struct option_row *row = &command->options->rows[i];

		put_zsh_option(out, row->name, row->letter, row->argument, row->help);
	}
	put_zsh_option(out, "help", 'h', NULL, "what it does, and its options");
	values_of(&v, command->arguments);
	if (v.files || v.words.n) {
		text_put_literal(out, " \\\n\t\t\t'*");
		put_zsh_values(out, "argument", &v);
		text_put_char(out, '\'');
	}
	values_deinit(&v);
	text_put_literal(out, "\n\t\t;;\n");
}

/* What stands behind "--" is another program's command line. */
static void put_zsh_rest(struct text *out)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		if (takes_command(command))
			text_printf(out,
				"\tif [[ $command == %s ]] && (( ${words[(i)--]} < CURRENT )); then\n"
				"\t\tlocal -i rest=${words[(i)--]}\n"
				"\t\tshift rest words\n"
				"\t\t(( CURRENT -= rest ))\n"
				"\t\t_normal\n"
				"\t\treturn\n"
				"\tfi\n",
				command->name);
	}
}

static void write_zsh(struct text *out)
{
	const struct command *command;

	text_put_literal(out,
		"#compdef brownout\n"
		"# brownout(1) completion for zsh, made by: brownout help --completion zsh\n"
		"\n"
		"_brownout() {\n"
		"\tlocal -a commands=(");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		text_printf(out, "\n\t\t'%s:", command->name);
		put_quoted(out, command->summary, "", ZSH_QUOTE);
		text_put_char(out, '\'');
	}
	text_put_literal(out,
		"\n\t)\n"
		"\tif (( CURRENT == 2 )); then\n"
		"\t\t_describe command commands\n"
		"\t\treturn\n"
		"\tfi\n"
		"\tlocal command=$words[2]\n"
		"\tshift words\n"
		"\t(( CURRENT-- ))\n");
	put_zsh_rest(out);
	text_put_literal(out, "\tcase $command in\n");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		put_zsh_command(out, command);
	text_put_literal(out,
		"\tesac\n"
		"}\n"
		"\n"
		"# From a file of $fpath it is called; sourced, it says what it is for.\n"
		"if [[ ${funcstack[1]} == _brownout ]]; then\n"
		"\t_brownout \"$@\"\n"
		"else\n"
		"\tcompdef _brownout brownout\n"
		"fi\n");
}

/* ---- fish ---- */

#define FISH_QUOTE "\\'"

static void put_fish_line(struct text *out, const char *command)
{
	text_printf(out, "complete -c brownout -n '__brownout_is %s'", command);
}

/* Options that say what values there are: -F lets file names in. */
static void put_fish_values(struct text *out, const struct values *v)
{
	if (v->files)
		text_put_literal(out, " -F");
	if (v->words.n)
		text_printf(out, " -a '%.*s'", SPAN_ARG(text_span(&v->words)));
}

static void put_fish_option(struct text *out, const struct command *command, const struct option_row *row)
{
	struct values v;

	put_fish_line(out, command->name);
	text_printf(out, " -l %s", row->name);
	if (row->letter)
		text_printf(out, " -s %c", row->letter);
	if (row->argument && !is_optional(row->argument)) {
		values_of(&v, row->argument);
		text_put_string(out, v.files ? " -r" : " -x");
		put_fish_values(out, &v);
		values_deinit(&v);
	}
	text_put_literal(out, " -d '");
	put_quoted(out, row->help, "\\", FISH_QUOTE);
	text_put_literal(out, "'\n");
}

static void put_fish_command(struct text *out, const struct command *command)
{
	static const struct option_row help = { "help", 'h', NULL, "what it does, and its options" };
	struct values v;

	text_put_char(out, '\n');
	text_printf(out, "complete -c brownout -n __brownout_is_bare -a %s -d '", command->name);
	put_quoted(out, command->summary, "\\", FISH_QUOTE);
	text_put_literal(out, "'\n");
	for (unsigned i = 0; i < command->options->n; i++)
		put_fish_option(out, command, &command->options->rows[i]);
	put_fish_option(out, command, &help);
	values_of(&v, command->arguments);
	if (v.files || v.words.n) {
		put_fish_line(out, command->name);
		put_fish_values(out, &v);
		text_put_char(out, '\n');
	}
	if (takes_command(command)) {
		put_fish_line(out, command->name);
		text_put_literal(out, " -a '(__brownout_rest)'\n");
	}
	values_deinit(&v);
}

static void write_fish(struct text *out)
{
	const struct command *command;

	text_put_literal(out,
		"# brownout(1) completion for fish, made by: brownout help --completion fish\n"
		"\n"
		"function __brownout_is_bare\n"
		"\ttest (count (commandline -opc)) -eq 1\n"
		"end\n"
		"\n"
		"function __brownout_is\n"
		"\tset -l words (commandline -opc)\n"
		"\ttest (count $words) -ge 2; and test $words[2] = $argv[1]\n"
		"end\n"
		"\n"
		"# behind --: another program's command line\n"
		"function __brownout_rest\n"
		"\tset -l words (commandline -opc)\n"
		"\tset -l at (contains -i -- -- $words); or return\n"
		"\tcomplete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..]) (commandline -ct))\n"
		"end\n"
		"\n"
		"complete -c brownout -f\n"
		"complete -c brownout -n __brownout_is_bare -s h -l help -d 'the commands'\n"
		"complete -c brownout -n __brownout_is_bare -s V -l version -d 'the version'\n");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		put_fish_command(out, command);
}

int completion_write(struct text *out, const char *shell)
{
	static const struct {
		const char *name;
		void (*write)(struct text *out);
	} shells[] = { { "bash", write_bash }, { "zsh", write_zsh }, { "fish", write_fish } };

	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].write(out);
			return 0;
		}
	}
	return 1;
}
