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
	struct options o;
	struct text out;
	int row;

	options_init(&o, NULL, 0, argc, argv);
	row = options_next(&o);
	if (row != OPTIONS_END && row != OPTIONS_HELP)
		return row == OPTIONS_ERROR ? EXIT_CODE_USAGE : options_refuse_argument(&o);
	text_init(&out);
	if (row == OPTIONS_HELP)
		text_put_literal(&out, "Usage: brownout version\n"
				       "\n"
				       "The version of brownout and of the libraries it was built with.\n");
	else
		text_put_literal(&out, "brownout " BROWNOUT_VERSION " (" BROWNOUT_LIBRARIES ")\n");
	return output_write(&out);
}
