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
	int row = options_none(argc, argv);
	struct text out;

	if (row == OPTIONS_ERROR)
		return EXIT_CODE_USAGE;
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
