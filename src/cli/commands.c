/*
 * commands: made from commands.def alone.
 */
#include "cli/commands.h"

#include "cli/cmd_check.h"
#include "cli/cmd_ctl.h"
#include "cli/cmd_demo.h"
#include "cli/cmd_help.h"
#include "cli/cmd_judge.h"
#include "cli/cmd_replay.h"
#include "cli/cmd_run.h"
#include "cli/cmd_schema.h"
#include "cli/cmd_status.h"
#include "cli/cmd_version.h"
#include "config/suggest.h"

static const struct command commands[] = {
#define COMMAND(name, arguments, summary) { #name, arguments, summary, cmd_##name, &cmd_##name##_options },
#include "cli/commands.def"
#undef COMMAND
};

const struct command *command_at(size_t i)
{
	return i < ARRAY_LEN(commands) ? &commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	return NULL;
}

const char *command_suggest(const char *name)
{
	struct suggestion s;

	suggest_begin(&s, span_of_string(name));
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		suggest_offer(&s, span_of_string(commands[i].name));
	return s.best.n ? s.best.p : ""; /* the table's names end in a NUL */
}
