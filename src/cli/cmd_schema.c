/*
 * cmd_schema: prints what the key tables say. Must hold no knowledge of keys.
 */
#include "cli/cmd_schema.h"

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "config/load.h"

const struct option_table cmd_schema_options = { NULL, 0 };

int cmd_schema(int argc, char **argv)
{
	struct options o;
	struct text out;
	int row;

	options_init(&o, NULL, 0, argc, argv);
	row = options_next(&o);
	if (row != OPTIONS_END && row != OPTIONS_HELP)
		return row == OPTIONS_ERROR ? EXIT_CODE_USAGE : options_refuse_argument(&o);
	text_init(&out);
	if (row == OPTIONS_HELP)
		text_put_literal(&out,
			"Usage: brownout schema\n"
			"\n"
			"The JSON Schema of the rule file, for editors: save it, and begin a rule file with\n"
			"  # yaml-language-server: $schema=brownout.schema.json\n");
	else
		load_write_schema(&out);
	return output_write(&out);
}
