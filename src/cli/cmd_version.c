/*
 * cmd_version: one line. The versions are those that the program was built with.
 */
#include "cli/cmd_version.h"

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"

const struct option_table cmd_version_options = { NULL, 0 };

int cmd_version(int argc, char **argv)
{
	int row = options_none(argc, argv);
	struct text out;

	if (row == OPTIONS_ERROR)
		return EXIT_CODE_USAGE;
	text_init(&out);
	if (row == OPTIONS_HELP)
		text_put_literal(&out, "Usage: brownout version\n"
				       "\n"
				       "The version of brownout and of the libraries it was built with.\n");
	else
		text_put_literal(&out, "brownout " BROWNOUT_VERSION " (" BROWNOUT_LIBRARIES ")\n");
	return output_write(&out);
}
